"""Runs: whose override wins, and equal numbers of gradient steps counted by hand."""

from __future__ import annotations

import pytest

from benchmarks.ablation.plan import (
    comparable,
    composed,
    merged,
    missing,
    overrides_of,
    plan,
    refuse_own,
)
from benchmarks.ablation.studies import STUDIES
from pipeline.errors import UserError

TABLE5 = STUDIES["table5"]
COUNTS = {"train": 100, "pool": 61, "val": 7}
SHORT = ("profile.batch=10", "profile.hint_epochs=3", "profile.finetune_epochs=7")
PER_EPOCH = {"all": 16, "train": 10}
"""161 and 100 images in whole batches of 10."""


def test_every_row_of_table_5_takes_the_steps_of_the_whole_protocol() -> None:
    whole = (3 + 7) * PER_EPOCH["all"]
    epochs = {}
    for row in TABLE5.rows:
        run = plan(TABLE5, row, SHORT, 0, COUNTS)
        epochs[row.key] = dict(run.epochs)
        each = PER_EPOCH["train" if row.key == "truth" else "all"]
        assert run.steps == run.epochs.get("hint", 0) * 16 + run.epochs["finetune"] * each
        assert abs(run.steps - whole) <= each / 2
    assert epochs == {
        "labels": {"finetune": 10},
        "hints-labels": {"hint": 3, "finetune": 7},
        "truth": {"finetune": 16},
        "labels-truth": {"finetune": 10},
        "hints-labels-truth": {"hint": 3, "finetune": 7},
    }


def test_drops_of_the_learning_rate_keep_their_place() -> None:
    given = (*SHORT, "profile.finetune_milestones=[2,5]", "profile.schedule=steps")
    truth = plan(TABLE5, TABLE5.row("truth"), given, 0, COUNTS)
    schedule = composed(truth.overrides).config.student.phases["finetune"].schedule
    assert schedule.milestones == [round(2 * 16 / 7), round(5 * 16 / 7)]
    whole = plan(TABLE5, TABLE5.row("hints-labels-truth"), given, 0, COUNTS)
    schedule = composed(whole.overrides).config.student.phases["finetune"].schedule
    assert schedule.milestones == [2, 5]


def test_too_few_images_for_one_batch_are_said() -> None:
    with pytest.raises(UserError, match="9 images do not fill a batch of 10"):
        plan(TABLE5, TABLE5.row("truth"), SHORT, 0, {"train": 9})


def test_the_later_override_of_a_key_wins_in_the_earlier_ones_place() -> None:
    assert merged(["a=1", "b=2"], ["c=3", "a=4"]) == ("a=4", "b=2", "c=3")


def test_the_users_student_wins_and_the_rows_phases_stay() -> None:
    run = plan(TABLE5, TABLE5.row("labels"), (*SHORT, "student=fastsal_a"), 3, COUNTS)
    config = composed(run.overrides).config
    assert (config.student.name, config.seed) == ("fastsal_a", 3)
    assert list(config.student.phases) == ["finetune"]


def test_what_is_said_of_a_teacher_goes_to_the_rows_that_have_it() -> None:
    study = STUDIES["teachers"]
    given = ["student.teachers.salgan.shard=8"]
    having = {row.key for row in study.rows if given[0] in overrides_of(study, row, given, 0)}
    assert having == {
        "salgan", "salgan-deepgaze2", "salgan-deepgaze2_mobilenet", "salgan-nohints",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("override", "message"),
    [
        ("seed=3", "seeds are given by --seeds"),
        ("student.phases.finetune.epochs=3", "set by equal budgets"),
        ("phases=labels", "phases is what the rows of this study differ in"),
    ],
)
def test_what_the_runner_decides_is_refused(override: str, message: str) -> None:
    with pytest.raises(UserError, match=message):
        refuse_own([override], TABLE5.rows)


def test_seeds_and_read_outs_are_runs_of_their_own_and_names_say_so() -> None:
    study = STUDIES["readouts"]
    runs = [plan(study, study.row(key), SHORT, seed, COUNTS)
            for key in ("bce-sigmoid", "bce-softmax") for seed in (0, 1)]  # fmt: skip
    assert len({run.config for run in runs}) == len({run.name for run in runs}) == 4
    assert runs[0].overrides == runs[2].overrides
    assert runs[3].name.startswith("readouts-bce-softmax-")
    assert runs[3].name.endswith("-seed1")
    again = plan(study, study.row("bce-softmax"), SHORT, 1, COUNTS)
    assert again.config == runs[3].config


def test_how_the_machine_works_tells_no_results_apart() -> None:
    given = ["profile=small", "machine.workers=0", "data=salicon"]
    assert comparable(given) == ("data=salicon", "profile=small")


def test_a_row_without_its_weights_is_left_out(monkeypatch: pytest.MonkeyPatch, tmp_path) -> None:
    row = STUDIES["table4"].row("efficientnet_b0")
    monkeypatch.setenv("FOVEA_CONFIG_DIR", str(tmp_path))
    monkeypatch.delenv("FOVEA_WEIGHTS_EFFICIENTNET_B0", raising=False)
    assert "fovea weights add efficientnet_b0 FILE" in (missing(row) or "")
    (tmp_path / "w.safetensors").touch()
    monkeypatch.setenv("FOVEA_WEIGHTS_EFFICIENTNET_B0", str(tmp_path / "w.safetensors"))
    assert missing(row) is None
