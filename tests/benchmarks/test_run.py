"""A tiny real run: what stands is not run again, whatever was lost in between."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from benchmarks.ablation import ledger
from benchmarks.ablation.__main__ import main

TINY = (
    "sample.train=16", "sample.val=3", "sample.pool=8", "data.calibration=4", "profile.batch=8",
    "profile.hint_epochs=1", "profile.finetune_epochs=1", "machine.workers=0",
    "export.recipes=[executorch_fp32]",
)  # fmt: skip
SETTINGS = [part for override in TINY for part in ("-S", override)]
ROW = ["teachers", "--rows", "none", "--seeds", "0"]
"""The one row without a teacher to train."""


def run(path: Path, *more: str) -> int:
    """The exit status of a command into a ledger."""
    with pytest.raises(SystemExit) as stopped:
        main([*ROW, *SETTINGS, "--ledger", str(path), *more])
    return int(str(stopped.value.code))


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("ablation")


@pytest.fixture(scope="module")
def path(home: Path) -> Path:
    """A ledger after one run."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("FOVEA_SCRATCH", str(home / "scratch"))
        patch.setenv("FOVEA_CONFIG_DIR", str(home / "config"))
        assert run(home / "ledger.jsonl") == 0
    return home / "ledger.jsonl"


@pytest.fixture(autouse=True)
def environment(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FOVEA_SCRATCH", str(path.parent / "scratch"))
    monkeypatch.setenv("FOVEA_CONFIG_DIR", str(path.parent / "config"))


def test_a_row_is_trained_for_the_budget_and_measured(path: Path) -> None:
    [entry] = ledger.read(path)
    assert (entry.study, entry.row, entry.seed, entry.done) == ("teachers", "none", 0, True)
    # 24 images and 16: 3 + 3 steps of the whole protocol, at 2 an epoch without the pool.
    assert (dict(entry.epochs), entry.steps) == ({"finetune": 3}, 6)
    assert entry.images == {"train": 16, "pool": 8, "val": 3}
    assert {"NSS", "CC", "KLDiv", "SIM", "AUC-Judd"} <= set(entry.metrics or {})
    assert "mean map" in entry.others
    assert entry.hint_loss is None
    assert entry.seconds["finetune"]
    assert "machine.workers=0" not in entry.given
    found = json.loads(next(path.parent.rglob("metrics.json")).read_text())
    assert found["student"] == entry.metrics


def test_what_the_ledger_has_is_not_run_again(path: Path, capfd: pytest.CaptureFixture) -> None:
    before = path.read_bytes()
    assert run(path) == 0
    assert path.read_bytes() == before
    out = capfd.readouterr().out
    assert "running" not in out
    assert "ledger.jsonl already" in out


def test_what_was_trained_is_not_trained_again_for_a_lost_ledger(
    path: Path, capfd: pytest.CaptureFixture
) -> None:
    again = path.with_name("again.jsonl")
    assert run(again) == 0
    assert again.read_bytes() == path.read_bytes()
    assert "running" not in capfd.readouterr().out


def test_an_interrupted_evaluation_leaves_the_training_alone(
    path: Path, capfd: pytest.CaptureFixture
) -> None:
    [stamp] = path.parent.rglob(".done-evaluate.json")
    stamp.unlink()
    interrupted = path.with_name("interrupted.jsonl")
    assert run(interrupted) == 0
    out = capfd.readouterr().out
    assert "running evaluate" in out
    assert "running train" not in out
    assert ledger.read(interrupted) == ledger.read(path)


def test_a_row_that_fails_keeps_no_other_from_running(
    path: Path, capfd: pytest.CaptureFixture
) -> None:
    with pytest.raises(SystemExit) as stopped:
        main(["table4", "teachers", "--rows", "efficientnet_b0", "none", "--seeds", "0",
              *SETTINGS, "--ledger", str(path)])  # fmt: skip
    assert stopped.value.code == 2
    told = capfd.readouterr()
    assert "not done: table4, EfficientNet-B0: left out, no weights called" in told.err
    assert "ledger.jsonl already" in told.out


def test_the_page_is_drawn_from_the_same_ledger(path: Path) -> None:
    target = path.with_name("page.html")
    with pytest.raises(SystemExit) as stopped:
        main(["--ledger", str(path), "--page", str(target)])
    assert stopped.value.code == 0
    [entry] = ledger.read(path)
    assert f"{(entry.metrics or {})['CC']:.4f}" in target.read_text()
    assert target.with_suffix(".md").is_file()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "name a study: table5, table4, teachers, readouts, or all"),
        (["tabel5"], "did you mean 'table5'"),
        (["table5", "-S", "phases=labels"], "phases is what the rows of this study differ in"),
        (["--page", "page.html", "--ledger", "none.jsonl"], "none.jsonl holds no runs"),
    ],
)
def test_a_mistake_is_one_line_and_exit_status_2(
    arguments: list[str], message: str, capfd: pytest.CaptureFixture, tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SystemExit) as stopped:
        main(arguments)
    assert stopped.value.code == 2
    assert message in capfd.readouterr().err
    assert list(tmp_path.iterdir()) == []
