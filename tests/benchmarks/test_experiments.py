"""The same runs as DVC experiments: queued with their overrides, collected when they have ended."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest
import yaml

from benchmarks.ablation import experiments, ledger
from benchmarks.ablation.plan import plan
from benchmarks.ablation.run import planned_entry
from benchmarks.ablation.studies import STUDIES
from tests.benchmarks.made_up import entry
from tests.conftest import TINY, Workspace

METRICS = {"student": {"CC": 0.5, "NSS": 1.5}, "mean map": {"CC": 0.25, "NSS": 0.75}}
SHOWN = [
    {"rev": "workspace", "experiments": None, "data": {"metrics": None}},
    {
        "rev": "abc",
        "experiments": [
            {"name": None, "revs": [
                {"name": "table5-truth-123456-seed0",
                 "data": {"metrics": {"outputs/metrics.json": {"data": METRICS}}}},
            ]},
            {"name": None, "revs": [{"name": "table5-truth-123456-seed1", "data": None}]},
            {"name": None, "revs": [
                {"name": "another", "data": {"metrics": {"outputs/metrics.json": {"data": {}}}}},
            ]},
            {"name": None, "revs": None},
        ],
    },
]  # fmt: skip


def test_only_experiments_with_metrics_have_ended() -> None:
    assert experiments.finished(SHOWN) == {"table5-truth-123456-seed0": METRICS}


def test_an_ended_experiment_completes_its_row() -> None:
    waiting = entry(metrics=None, experiment="table5-truth-123456-seed0")
    done = experiments.complete(waiting, METRICS)
    assert (done.done, waiting.done) == (True, False)
    assert done.key == waiting.key
    assert done.metrics == METRICS["student"]
    assert done.others == {"mean map": METRICS["mean map"]}


def test_the_command_holds_every_override_and_the_read_out() -> None:
    study = STUDIES["readouts"]
    run = plan(study, study.row("bce-softmax"), ["profile.batch=8"], 4, {"train": 24, "pool": 16})
    line = experiments.command(run)
    assert line[:5] == ["exp", "run", "--queue", "-n", run.name]
    settings = line[6::2]
    assert line[5::2] == ["-S"] * len(settings)
    for override in ("profile.batch=8", "student.readout=softmax", "seed=4", "phases=distilled"):
        assert override in settings
    assert planned_entry(run).overrides == tuple(settings)


STAGE = """stages:
  evaluate:
    cmd: mkdir -p outputs && cp measured.json outputs/metrics.json
    params: [seed]
    metrics: [outputs/metrics.json]
"""


@pytest.mark.slow
def test_a_real_experiment_that_has_ended_is_collected(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """DVC's own answer, in a project of one stage; another experiment was never run."""
    monkeypatch.chdir(tmp_path)
    for name in ("AUTHOR", "COMMITTER"):
        monkeypatch.setenv(f"GIT_{name}_NAME", "test")
        monkeypatch.setenv(f"GIT_{name}_EMAIL", "test@localhost")
    Path("dvc.yaml").write_text(STAGE)
    Path("params.yaml").write_text("seed: 0\n")
    Path("measured.json").write_text(json.dumps(METRICS))
    for line in (["git", "init", "-q"], [*experiments.DVC, "init", "-q"], ["git", "add", "-A"],
                 ["git", "commit", "-qm", "one stage"],
                 [*experiments.DVC, "exp", "run", "-n", "ended", "-S", "seed=1"]):  # fmt: skip
        subprocess.run(line, check=True)
    path = tmp_path / "ledger.jsonl"
    waiting = [
        entry(seed=n, metrics=None, experiment=name) for n, name in enumerate(("ended", "not"))
    ]
    ledger.add(path, waiting)
    assert experiments.collect(path) == (1, ["not"])
    done, other = ledger.read(path)
    assert (done.metrics, done.others) == (METRICS["student"], {"mean map": METRICS["mean map"]})
    assert not other.done
    assert experiments.collect(path) == (0, ["not"])


@pytest.mark.slow
def test_one_command_queues_and_a_second_one_queues_nothing_twice(
    make_workspace: Callable[[Sequence[str]], Workspace], tmp_path: Path
) -> None:
    """A real queue in a checkout of its own; the experiment is composed, not run."""
    workspace = make_workspace(TINY)
    path = tmp_path / "ledger.jsonl"
    settings = [part for o in TINY if ".teachers." not in o for part in ("-S", o)]
    command = ("python", "-m", "benchmarks.ablation", "--queue", "table5", "--rows", "truth",
               "--seeds", "3", *settings, "--ledger", str(path))  # fmt: skip
    first = workspace.run(*command)
    [waiting] = ledger.read(path)
    assert f"queued {waiting.experiment}" in first.stdout
    assert "dvc queue start" in first.stdout
    assert (waiting.done, waiting.seed) == (False, 3)

    assert "already" in workspace.run(*command).stdout
    queued = json.loads(workspace.dvc("exp", "show", "--json").stdout)
    names = {e["revs"][0]["name"]: e["revs"][0]["rev"]
             for baseline in queued for e in baseline["experiments"] or []}  # fmt: skip
    assert set(names) == {waiting.experiment}
    params = workspace.run("git", "show", f"{names[waiting.experiment]}:params.yaml").stdout
    composed = yaml.safe_load(params)
    assert composed["seed"] == 3
    assert composed["student"]["phases"]["finetune"]["epochs"] == waiting.epochs["finetune"]
    assert composed["student"]["phases"]["finetune"]["teacher_weight"] == 0

    told = workspace.run("python", "-m", "benchmarks.ablation", "--collect", "--ledger", str(path),
                         check=False)  # fmt: skip
    assert told.returncode == 2
    assert f"{waiting.experiment}: not finished" in told.stderr
