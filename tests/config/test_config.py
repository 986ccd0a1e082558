"""Every choice composes, mistakes are named with the nearest valid choice, nothing has drifted."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
import yaml
from omegaconf import OmegaConf

import students
from pipeline.config import compose
from pipeline.config.load import compose_raw, load
from pipeline.errors import UserError
from pipeline.stages.names import check_calibration, check_names

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
    if choice in ("deepgaze2", "deepgaze2_mobilenet"):
        overrides.append("phases=labels")  # it cannot hint
    if group == "phases" and choice.startswith(("objects", "semantic")):
        overrides.append(f"student=fastsal_a_{choice.removesuffix('_hinted')}")
    if (group, choice) == ("phases", "classification"):
        overrides.append("student=cednet_n_classifier")
    if choice.endswith("_hinted"):
        overrides.append("teacher=gald_r18" if "semantic" in choice else "teacher=cii_r18")
    compose(overrides)


@pytest.mark.parametrize(
    ("student", "teacher"), [("fastsal_a_objects", "cii_r50"), ("fastsal_a_semantic", "gald_r50")]
)
def test_naming_a_teacher_is_enough_to_be_taught_by_it(student: str, teacher: str) -> None:
    alone = compose([f"student={student}"]).student.phases["full"]
    assert (alone.labels, alone.teacher_weight) == ("outputs/data", 0)
    taught = compose([f"student={student}", f"teacher={teacher}"]).student
    assert taught.phases["full"].labels == f"outputs/labels/{teacher}"
    assert taught.phases["full"].teacher_weight == taught.phases["full"].truth_weight == 1
    assert taught.teachers[teacher].weights == f"shelf/{teacher}"


def test_a_teacher_of_another_task_is_refused() -> None:
    config = compose(["student=fastsal_a_objects", "teacher=gald_r18"])
    with pytest.raises(UserError, match="gald_r18 is a semantic model and cannot teach salient_ob"):
        check_names(config)


def test_classes_need_data_that_has_them_and_as_many() -> None:
    with pytest.raises(UserError, match=r"data=duts has none.*-S data=camvid"):
        compose(["student=gald_r18", "data=duts", "profile=small"])
    with pytest.raises(UserError, match=r"classes is 3, but data\.classes=camvid has 11"):
        compose(["student=gald_r18", "data=camvid", "student.overrides.classes=3"])
    with pytest.raises(UserError, match="did you mean 'camvid'"):
        compose(["student=gald_r18", "data.classes=camvit", "student.overrides.classes=11"])


def test_classes_of_images_and_of_pixels_are_not_taken_for_each_other() -> None:
    with pytest.raises(UserError, match=r"data=camvid has one for every pixel.*data=imagenet"):
        compose(["student=cednet_n_classifier", "data=camvid"])
    with pytest.raises(UserError, match=r"data=sample_classes has one for each image"):
        compose(["student=gald_r18", "data=sample_classes"])
    with pytest.raises(UserError, match=r"classes is 9, but data\.classes=sample_things has 8"):
        compose(["student=cednet_n_classifier", "student.overrides.classes=9"])


def test_folders_of_ones_own_need_the_number_of_their_classes() -> None:
    own = ["student=cednet_n_classifier", "data.classes=null"]
    with pytest.raises(UserError, match=r"student.overrides.classes=N, or choose other data"):
        compose(own)
    assert compose([*own, "student.overrides.classes=37"]).data.classes is None


def test_a_classifier_is_given_nothing_that_is_about_maps() -> None:
    full = "student.phases.full"
    for override, match in (
        ("teacher_weight=1.0", r"labels of a teacher are maps, and smoothed learns a class"),
        ("ohem=0.7", r"full.ohem is about pixels; set it to null for smoothed"),
        ("balance=1.1", r"full.balance is about pixels"),
    ):
        with pytest.raises(UserError, match=match):
            compose(["student=cednet_n_classifier", f"{full}.{override}"])
    plain = compose(["student=cednet_n_classifier", f"{full}.objective=classification"])
    assert plain.student.phases["full"].select == "top1"


def test_phases_of_another_task_are_refused() -> None:
    with pytest.raises(UserError, match=r"objective='objects' is not known.*hint, saliency"):
        compose(["phases=objects"])
    with pytest.raises(UserError, match=r"objective='saliency' is not known.*hint, objects"):
        compose(["student=cii_r18", "phases=truth"])


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
    with torch.device("meta"):  # shapes alone: the largest have 200 million parameters
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
    ("teacher=deepgaze2", "use -S phases=labels, or hints by SalGAN"),
    ("student.phases.finetune.labels_loss=densty", "did you mean 'density'?"),
    ("student.phases.finetune.density_weights=author", "did you mean 'authors'?"),
    ("student.readout=sofmax", "did you mean 'softmax'?"),
    ("student.label_size=[192]", "student.label_size is [192]; give height and width"),
    ("latency.threads=0", "use at least 1"),
    ("data.val.split=train", "are both"),
    ("teacher=salgn", "did you mean teacher=salgan?"),
    ("profile=smal", "did you mean profile=small? Choices: paper, sample, small"),
    ("phases=distiled", "did you mean phases=distilled?"),
    ("export=mobil", "did you mean export=mobile?"),
    ("studnt=fastsal_a", "no key 'studnt'; did you mean 'student'?"),
    ("profile.btch=3", "no key 'profile.btch'; did you mean 'batch'?"),
    ("student.phases.finetun.epochs=3", "did you mean 'finetune'? Choices: hint, finetune"),
    ("student.teachers.salgn.weights=x", "did you mean 'salgan'?"),
    ("student.overrides.skp=paper", "did you mean 'skip'?"),
    ("+profil=3", "unknown key 'profil'; did you mean 'profile'?"),
    ("student", "'student' is no override; write KEY=VALUE"),
    ("profile.batch=many", "Value 'many' of type 'str' could not be converted to Integer"),
    ("export.recipes=litert_int8", "str is not a ListConfig"),
    ("export.recipes=[]", "export.recipes is empty"),
    ("export.recipes=[litert_fp32,litert_fp32]", "names litert_fp32 more than once"),
    ("student.phases.finetune.select=SIM", "Choices: CC, NSS"),
    ("student.phases.hint.select=CC", "Choices: hint"),
    ("student.phases.finetune.optimiser.lr=nan", "use a number above 0"),
    ("student.teachers.salgan.phases.bce.epochs=-1", "use at least 0"),
    ("data.calibration=0", "data.calibration is 0; use at least 1"),
    ("data.train.limit=0", "data.train.limit is 0; use at least 1"),
    ("machine.workers=-1", "machine.workers is -1"),
    ("latency.seconds=0", "latency.seconds is 0.0"),
    ("sample.val=0", "sample.val is 0; use at least 1"),
    ("seed=-1", "seed is -1; use at least 0"),
]


@pytest.mark.parametrize(("override", "message"), MISTAKES)
def test_a_mistake_is_named_with_the_way_out(override: str, message: str) -> None:
    with pytest.raises(UserError) as error:
        compose([override])
    assert message in str(error.value)
    assert "\n" not in str(error.value)


def test_labels_of_deepgaze_bring_their_loss_along() -> None:
    phase = compose(["teacher=salgan_deepgaze2"]).student.phases["finetune"]
    assert (phase.labels, phase.labels_loss) == ("outputs/labels/deepgaze2", "density")
    hint = compose(["teacher=salgan_deepgaze2"]).student.phases["hint"]
    assert hint.teacher == "outputs/teachers/salgan"
    assert compose([]).student.phases["finetune"].labels_loss == "bce"


def test_a_readout_on_random_features_is_for_generated_scenes_alone() -> None:
    chosen = ["teacher=deepgaze2_mobilenet", "phases=labels"]
    assert compose(chosen).student.teachers["deepgaze2_mobilenet"].backbone == "none"
    real = [*chosen, "data=salicon", "profile=small"]
    assert compose(real).student.teachers["deepgaze2_mobilenet"].backbone == "mobilenet_v2"
    with pytest.raises(UserError, match=r"random features .*\.backbone=NAME, or =torchvision"):
        compose([*real, "student.teachers.deepgaze2_mobilenet.backbone=none"])


def test_values_that_break_hydra_itself_are_one_line() -> None:
    with pytest.raises(
        UserError, match=r"conf/ with data=salicon data\.pool=.*full_key: data\.pool"
    ):
        compose(["data=salicon", "data.pool={layout: folder, root: photos, split: .}"])


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


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (None, r"params\.yaml is missing; run from the project's folder"),
        (b"", "is empty or no mapping of keys to values; .* anew from conf/: make params"),
        (b"[1, 2]", "is empty or no mapping"),
        (b"seed: [1", r"is not valid YAML: .*line 1, column"),
        (b"seed: 1\nseed: 2", "found duplicate key seed"),
        (b"\xff\xfe\x80", "is not valid YAML: .*decode"),
        (b"seed: 1", r"data\.name has no value"),
        (b"seed: ${sed}", "Interpolation key 'sed' not found"),
        (b"student: null", "student: field 'student' is not Optional"),
        (b"!!python/object/apply:os.getcwd []", "is not valid YAML: could not determine a constr"),
    ],
)
def test_what_is_no_params_file_is_said(
    tmp_path: Path, content: bytes | None, message: str
) -> None:
    path = tmp_path / "params.yaml"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(UserError, match=message):
        load(path)


def test_a_folder_is_no_params_file(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="cannot be read: Is a directory"):
        load(tmp_path)


def test_names_of_models_and_recipes_are_checked_before_work() -> None:
    for override, message in (
        ("student.name=fastsal_z", "student.name='fastsal_z' is not known; did you mean 'fastsal_"),
        ("student.teachers.salgan.model=salgn", "did you mean 'salgan'"),
        ("export.recipes=[executorch_int9]", "did you mean 'executorch_int8'"),
        ("data.train.layout=salicn", "data.train.layout='salicn' is not known; did you mean 'sali"),
    ):
        with pytest.raises(UserError) as error:
            check_names(compose([override]))
        assert message in str(error.value)


def test_int8_is_not_calibrated_on_a_handful_of_images() -> None:
    with pytest.raises(UserError, match=r"executorch_int8, litert_int8 needs at least 4 images"):
        check_calibration(
            compose(["data.calibration=3", "export.recipes=[executorch_int8,litert_int8]"])
        )
    check_calibration(compose(["data.calibration=3", "export=float"]))
