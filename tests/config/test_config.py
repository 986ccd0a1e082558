"""Every choice composes, mistakes are named with the nearest valid choice, nothing has drifted."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml
from omegaconf import OmegaConf

import students
from pipeline.config import compose
from pipeline.config.load import compose_raw, load
from pipeline.errors import UserError

ROOT = Path(__file__).resolve().parents[2]
CONF = ROOT / "conf"
GROUPS = sorted(p.name for p in CONF.iterdir() if p.is_dir() and p.name != "hydra_plugins")
CHOICES = [
    (group, path.stem) for group in GROUPS for path in sorted((CONF / group).glob("[!_]*.yaml"))
]


@pytest.fixture(autouse=True)
def in_the_checkout(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)


@pytest.mark.parametrize(("group", "choice"), CHOICES)
def test_every_choice_composes(group: str, choice: str) -> None:
    overrides = [f"{group}={choice}"]
    if (group, choice) == ("teacher", "none"):
        overrides.append("phases=truth")
    compose(overrides)


@pytest.mark.parametrize(("group", "choice"), CHOICES)
def test_every_choice_opens_with_what_it_is_and_how_to_launch_it(group: str, choice: str) -> None:
    text = (CONF / group / f"{choice}.yaml").read_text()
    comments = [line for line in text.splitlines() if line.startswith("#")]
    assert any("dvc exp run -S" in line for line in comments)


def test_every_student_has_a_configuration_and_the_other_way_round() -> None:
    assert sorted(p.stem for p in (CONF / "student").glob("*.yaml")) == students.names()


@pytest.mark.parametrize("name", students.names())
def test_choosing_a_student_builds_it(name: str) -> None:
    student = compose([f"student={name}"]).student
    assert student.name == name
    students.build(name, **student.overrides)


def test_params_yaml_is_what_conf_composes_to() -> None:
    """Against the committed file: an experiment rewrites the one in the workspace."""
    import subprocess

    shown = subprocess.run(
        ["git", "show", "HEAD:params.yaml"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    committed = shown.stdout if shown.returncode == 0 else (ROOT / "params.yaml").read_text()
    composed = OmegaConf.to_container(compose_raw())
    assert yaml.safe_load(committed) == composed


def test_the_command_line_wins_over_what_a_student_brings() -> None:
    config = compose(["student=fastsal_c", "phases=truth", "teacher=none"])
    assert list(config.student.phases) == ["finetune"]
    assert config.student.teachers == {}


MISTAKES = [
    ("student=fastsal_z", "did you mean student=fastsal_"),
    ("data=salicn", "did you mean data=salicon?"),
    ("student.phases.finetune.objective=salency", "did you mean 'saliency'?"),
    ("student.phases.finetune.init=outputs/train/hnt", "did you mean 'outputs/train/hint'?"),
    ("student.phases.finetune.schedule.kind=cosin", "did you mean 'cosine'?"),
    ("student.teachers.salgan.phases.bce.optimiser=adamm", "did you mean 'adam'?"),
    ("machine.precision=fp16", "Choices: bf16, fp32"),
    ("student.phases.finetune.batch=0", "use at least 1"),
    ("student.phases.finetune.labels=outputs/data", "teacher_weight needs labels"),
    ("student.phases.hint.teacher=outputs/data", "hints need a teacher"),
    ("latency.threads=0", "use at least 1"),
    ("data.val.split=train", "are both"),
]


@pytest.mark.parametrize(("override", "message"), MISTAKES)
def test_a_mistake_is_named_with_the_way_out(override: str, message: str) -> None:
    with pytest.raises(UserError) as error:
        compose([override])
    assert message in str(error.value)


def test_real_data_with_the_sample_profile_needs_force() -> None:
    with pytest.raises(UserError, match="thinned for generated scenes"):
        compose(["data=salicon", "profile=sample"])
    assert compose(["data=salicon", "profile=sample", "profile.force=true"]).data.real


BROKEN = [
    ("profile: {bach: 3}", "'profile.bach'; did you mean 'batch'?"),
    ("seed: many", "seed"),
    ("student: {phases: {finetune: {epochs: x}}}", "student.phases.finetune.epochs"),
]


@pytest.mark.parametrize(("text", "message"), BROKEN)
def test_a_broken_params_file_is_named(tmp_path: Path, text: str, message: str) -> None:
    base = OmegaConf.load(ROOT / "params.yaml")
    merged = OmegaConf.merge(base, yaml.safe_load(text))
    OmegaConf.save(merged, tmp_path / "params.yaml")
    with pytest.raises(UserError) as error:
        load(tmp_path / "params.yaml")
    assert message in str(error.value)
