"""The export matrix: what is not run again, failures as rows, calibrated weights, the page."""

from __future__ import annotations

import json
import sys
import textwrap
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from benchmarks.exports import __main__ as command
from benchmarks.exports import ledger, process, subject, worker
from benchmarks.exports.ledger import Row
from benchmarks.exports.matrix import Pair, fill, pairs
from benchmarks.exports.page import markdown
from benchmarks.exports.subject import Subject
from mobile import recipes
from mobile.recipes import Recipe
from pipeline.errors import UserError
from students.registry import ModelSpec

SPEC = ModelSpec("cii_r18", "salient_object", 128, 160, 32, (0, 0, 0), (1, 1, 1), "logits",
                 source="made up")  # fmt: skip
BY = ("litert_fp32", "coreml_fp16")
GOOD: dict[str, Any] = {
    "bytes": 3 << 20,
    "delegation": {"delegated": 9, "total": 11, "partitions": 2, "undelegated": {"GELU": 2}},
    "executor": "LiteRT",
    "parity": {"max_abs": 1e-5, "cc_min": 1.0, "sqnr_db_min": 99.0, "sqnr_db_mean": 99.5},
    "agreement": {"of": "argmax", "mean": 0.995, "min": 0.99},
    "ms": {"p50": 12.34, "low": 12.0, "high": 13.0, "threads": 1},
    "lint": [{"severity": "slows", "where": "GELU", "what": "2 | 3", "rewrite": "ReLU6"}],
    "seconds": 3.0,
    "peak_memory": 1 << 30,
    "versions": {"torch": "2"},
    "more": "than a row has",
}


def made(name: str = "cii_r18", **others: Any) -> Subject:
    fields: dict[str, Any] = {
        "overrides": {"interactor": "none"}, "spec": SPEC, "weights": "calibrated: so",
        "checkpoint": None, "code": "c0de",
    }  # fmt: skip
    return Subject(name, **(fields | others))


def wanted(*subjects: Subject, by: tuple[str, ...] = BY, images: str = "8 scenes") -> list[Pair]:
    taken: list[Recipe] = [recipes.get(name) for name in by]
    return list(pairs(subjects or (made(),), taken, images, 1, "a machine"))


class Exporter:
    """Finds what it is told, and counts."""

    def __init__(self, **found: Mapping[str, Any]) -> None:
        self.found = found
        self.seen: list[str] = []

    def __call__(self, pair: Pair) -> Mapping[str, Any]:
        self.seen.append(pair.recipe.name)
        return self.found.get(pair.recipe.name, GOOD)


def test_what_the_ledger_has_is_not_run_again(tmp_path: Path) -> None:
    path = tmp_path / "exports.jsonl"
    exporter = Exporter()
    assert fill(wanted(), path, exporter) == []
    assert fill(wanted(), path, exporter) == []
    assert exporter.seen == list(BY)
    rows = ledger.read(path)
    assert [row.recipe for row in rows] == list(BY)
    assert (rows[0].student, list(rows[0].size), rows[0].bytes) == ("cii_r18", [128, 160], 3 << 20)


@pytest.mark.parametrize(
    "other",
    [
        {"overrides": {"interactor": "rgc"}},
        {"code": "0ther"},
        {"weights": "checkpoint: sha256 1"},
        {"spec": replace(SPEC, width=192)},
    ],
)
def test_whatever_decides_a_row_is_part_of_its_settings(other: dict[str, Any]) -> None:
    [first, *_], [second, *_] = wanted(), wanted(made(**other))
    assert first.settings != second.settings
    assert first.settings == wanted()[0].settings
    assert first.settings != wanted(images="others")[0].settings


def test_a_failure_is_a_row_and_only_tried_again_when_asked(tmp_path: Path) -> None:
    path = tmp_path / "exports.jsonl"
    broken = Exporter(litert_fp32={"error": "failed at operator aten.gelu"})
    [row] = fill(wanted(), path, broken)
    assert row.error == "failed at operator aten.gelu"
    again = Exporter()
    assert fill(wanted(), path, again) == []
    assert again.seen == []
    fill(wanted(), path, again, retry=True)
    assert again.seen == ["litert_fp32"]
    # The failure stays in the ledger, but counts no longer.
    fill(wanted(), path, again, retry=True)
    assert again.seen == ["litert_fp32"]
    assert [r.error for r in ledger.latest(ledger.read(path))] == [None, None]


def test_an_interrupt_leaves_the_rows_before_it(tmp_path: Path) -> None:
    path = tmp_path / "exports.jsonl"

    def stopped(pair: Pair) -> Mapping[str, Any]:
        if pair.recipe.name == "coreml_fp16":
            raise KeyboardInterrupt
        return GOOD

    with pytest.raises(KeyboardInterrupt):
        fill(wanted(), path, stopped)
    assert [row.recipe for row in ledger.read(path)] == ["litert_fp32"]
    going_on = Exporter()
    fill(wanted(), path, going_on)
    assert going_on.seen == ["coreml_fp16"]


def script(tmp_path: Path, body: str) -> tuple[str, str]:
    file = tmp_path / "fake.py"
    head = "import json, os, sys, time\nasked = json.load(open(sys.argv[1]))\n"
    file.write_text(head + textwrap.dedent(body))
    return sys.executable, str(file)


@pytest.mark.parametrize(
    ("body", "error"),
    [
        (
            """
            json.dump({'step': 'exporting', 'seconds': 1}, open(asked['out'], 'w'))
            print('MLIR gave up', flush=True)
            os.abort()
            """,
            "exporting: the process was ended by SIGABRT (MLIR gave up)",
        ),
        ("sys.exit(3)", "starting: the process ended with status 3"),
        ("time.sleep(60)", "starting: stopped after 0.5 s"),
    ],
)
def test_a_crash_and_a_pair_without_an_end_are_errors(
    tmp_path: Path, body: str, error: str
) -> None:
    limit = 0.5 if "sleep" in body else 30
    found = process.run({}, tmp_path, limit, script(tmp_path, body))
    assert found["error"] == error
    assert found.get("seconds") == (1 if "abort" in body else None)


def test_what_a_process_found_is_taken(tmp_path: Path) -> None:
    body = "json.dump({'step': 'ended', 'bytes': len(asked['x'])}, open(asked['out'], 'w'))"
    assert process.run({"x": "abc"}, tmp_path, 30, script(tmp_path, body)) == {"bytes": 3}


def test_a_worker_says_what_is_wrong_in_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    request = {"out": str(tmp_path / "found.json"), "checkpoint": str(tmp_path / "none")}
    (tmp_path / "request.json").write_text(json.dumps(request))
    monkeypatch.setattr(sys, "argv", ["worker", str(tmp_path / "request.json")])
    worker.main()
    found = json.loads((tmp_path / "found.json").read_text())
    assert found["step"] == "ended"
    assert "is missing" in found["error"]
    assert worker.one_line("failed at aten.x:\n so; full log: /tmp/x.log") == "failed at aten.x: so"


def test_the_share_of_pixels_of_the_same_class() -> None:
    expected = np.zeros((1, 3, 2, 2), np.float32)
    expected[0, 1] = 1
    obtained = expected.copy()
    obtained[0, 2, 0, 0] = 2
    assert worker.same_class(expected, obtained) == 0.75


def test_calibrated_weights_are_awake_and_normalised() -> None:
    torch.manual_seed(0)
    student = nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4))
    student.register_parameter("scale", nn.Parameter(torch.full((4,), 1e-6)))
    images = [np.random.default_rng(i).uniform(0, 255, (1, 3, 8, 8)).astype("f") for i in range(16)]
    student = subject.calibrated(student, images)  # type: ignore[assignment]
    assert not student.training
    assert student.scale.unique().tolist() == [pytest.approx(subject.AWAKE)]
    with torch.no_grad():
        found = student(torch.from_numpy(np.concatenate(images)))
    assert float(found.mean().abs()) < 0.1
    assert float(found.std()) == pytest.approx(1, abs=0.1)


def test_a_student_is_built_as_it_is_configured_without_auxiliary_heads(tmp_path: Path) -> None:
    taken = subject.subject("cednet_n", None, {})
    assert (taken.overrides["aux"], taken.spec.output) == (False, "class-logits")
    assert (taken.spec.height, taken.spec.width) == (128, 160)
    image = np.full((1, 3, 32, 32), 99, np.float32)
    subject.write(taken, [image, image * 0, image / 2], tmp_path / "student.safetensors")
    given = subject.checkpoints([tmp_path / "student.safetensors"])
    again = subject.subject("cednet_n", (128, 128), given)
    assert (again.spec.width, again.spec.output, again.code) == (128, "class-logits", taken.code)
    assert again.weights.startswith("checkpoint: sha256 ")
    with pytest.raises(UserError, match="both hold cednet_n"):
        subject.checkpoints([tmp_path / "student.safetensors"] * 2)
    with pytest.raises(UserError, match=r"--size 128 100: .* nearest: 128x96"):
        subject.subject("cednet_n", (128, 100), given)


def test_a_damaged_ledger_is_named_with_its_line(tmp_path: Path) -> None:
    path = tmp_path / "exports.jsonl"
    fill(wanted(), path, Exporter())
    good = path.read_text()
    for line, message in (
        ("{", "not valid JSON"),
        ("[]", "not an object"),
        ("{}", "it lacks 'settings'"),
        (good.splitlines()[0].replace('"size": [128', '"size": ["x"'), "size is"),
        (good.splitlines()[0].replace('"error": null', '"errors": null'), "'errors' is not known"),
    ):
        path.write_text(good + line + "\n")
        with pytest.raises(UserError, match=rf"exports\.jsonl, line 3 .*{message}"):
            ledger.read(path)


def test_the_page_has_a_table_for_each_family_and_the_last_row_of_a_pair(tmp_path: Path) -> None:
    path = tmp_path / "exports.jsonl"
    broken = Exporter(coreml_fp16={"error": "no operator called roll"})
    fill(wanted(made(), made("gald_r18")), path, broken)
    fill(
        wanted(made(code="new"), by=("litert_fp32",)),
        path,
        Exporter(litert_fp32=GOOD | {"lint": []}),
    )
    text = markdown(ledger.read(path))
    assert [line for line in text.splitlines() if line.startswith("## ")] == ["## cii", "## gald"]
    assert text.count("| cii_r18 128×160 | litert_fp32 |") == 1
    row = next(line for line in text.splitlines() if line.startswith("| gald_r18 128×160 | litert"))
    shown = [cell.strip() for cell in row.split("|")[3:-1]]
    assert shown == [
        "3.00", "9/11 in 2", "1e-05", "99.0", "99.50%, least 99.00%", "12.3", "1 slows",
        "not delegated: 2 GELU",
    ]  # fmt: skip
    assert "| failed: no operator called roll |" in text
    assert "| clean |" in text


def test_the_command_says_what_is_missing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    def status(*arguments: str) -> int:
        with pytest.raises(SystemExit) as stopped:
            command.main(arguments)
        return int(str(stopped.value.code))

    assert status() == 2
    assert "name students with --students" in capsys.readouterr().err
    assert status("--students", "gald_r8") == 2
    assert "did you mean 'gald_r18'?" in capsys.readouterr().err
    page = tmp_path / "exports.md"
    assert status("--ledger", str(tmp_path / "none.jsonl"), "--page", str(page)) == 2
    assert "holds no rows" in capsys.readouterr().err
    row = Row("s", "cii_r18", "litert_fp32", [128, 160], "calibrated: so", "8 scenes")
    ledger.add(tmp_path / "one.jsonl", row)
    assert status("--ledger", str(tmp_path / "one.jsonl"), "--page", str(page)) == 0
    assert "| cii_r18 128×160 | litert_fp32 |" in page.read_text()
