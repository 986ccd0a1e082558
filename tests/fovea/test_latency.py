"""`fovea bench` measures by the pipeline's protocol; `fovea compare` compares like with like."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from fovea.cli import main
from mobile.latency_row import LatencyRow, read_lines
from tests.fovea.conftest import Made, copied, photo
from tests.mobile.test_latency_row import row

QUICK = ("--threads", "1", "--warmups", "1", "--repeats", "2", "--iterations", "3")


def bench(*arguments: object) -> int:
    return main(["bench", *map(str, arguments), *QUICK])


def test_files_and_a_checkpoint_are_timed_in_one_run(
    made: Made, trained: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    alone = copied(made.file("executorch_int8"), tmp_path / "alone" / "mine.pte")
    rows = tmp_path / "rows.jsonl"
    found = [made.file("litert_fp32"), alone, trained]
    assert bench(*found, "--json", rows, "--image", photo(tmp_path / "dog.jpg")) == 0
    measured = {row.recipe: row for row in read_lines(rows)}
    assert list(measured) == ["torch_eager", "litert_fp32", "mine.pte"]
    assert measured["litert_fp32"].student == "tiny"
    assert measured["litert_fp32"].input_shape == [1, 3, 32, 64]
    assert measured["mine.pte"].input_sha256 == measured["litert_fp32"].input_sha256
    assert {row.repeats * row.iterations for row in measured.values()} == {6}
    said = capsys.readouterr().out
    assert "fastsal_c torch_eager" in said
    assert "other input" in said  # the checkpoint takes 64x64
    assert main(["compare", f"{rows}:litert_fp32", f"{rows}:mine.pte"]) == 0
    assert "litert_fp32, mine.pte" in capsys.readouterr().out


def test_a_bundle_is_timed_on_its_golden_input(
    made: Made, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    bundle = copied(made.bundle, tmp_path / "bundle")
    manifest = json.loads((bundle / "manifest.json").read_text())
    manifest["artefacts"] = {"litert_fp32": manifest["artefacts"]["litert_fp32"]}
    (bundle / "manifest.json").write_text(json.dumps(manifest))
    assert bench(bundle, "--json", tmp_path / "rows.jsonl") == 0
    (measured,) = read_lines(tmp_path / "rows.jsonl")
    assert measured.artefact_sha256 == manifest["artefacts"]["litert_fp32"]["sha256"]
    lines = capsys.readouterr().out.splitlines()
    assert lines[1].split()[:2] == ["tiny", "litert_fp32"]
    assert lines[1].split()[-1] == "1"


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("none.pte", "does not exist"),
        ("empty", "is neither a bundle"),
        ("notes.txt", "is not a model file"),
        ("fake.tflite", "is not a LiteRT model"),
        ("fake.safetensors", "is not a checkpoint"),
        ("abc", "no entry of the shelf"),
    ],
)
def test_what_cannot_be_timed_is_refused(
    name: str, message: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "empty").mkdir()
    for other in ("notes.txt", "fake.tflite", "fake.safetensors"):
        (tmp_path / other).write_text("no model at all")
    given = name if name == "abc" else tmp_path / name
    rows = tmp_path / "rows.jsonl"
    assert bench(given, "--json", rows) == 2
    assert message in capsys.readouterr().err
    assert not rows.exists()


def written(path: Path, *rows: LatencyRow) -> str:
    path.write_text("".join(f"{one.line()}\n" for one in rows))
    return str(path)


def slower(**changes: Any) -> LatencyRow:
    return row(
        p50_ms=16.0, p90_ms=17.0, p95_ms=17.5, p99_ms=18.0, low_ms=15.0, high_ms=17.0, **changes
    )


def test_recipes_in_both_are_compared(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    a = written(tmp_path / "a.jsonl", slower(), row(recipe="other"), row(recipe="same"))
    b = written(tmp_path / "b.jsonl", row(), row(recipe="same"))
    assert main(["compare", a, b]) == 0
    head, first, second = capsys.readouterr().out.splitlines()
    assert head.split()[0] == "recipe"
    assert "16.00      8.00  0.500  (0.441-0.567)  B is faster" in first
    assert second.split()[-3:] == ["no", "difference", "shown"]


def test_one_row_of_each_can_be_chosen(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    rows = written(tmp_path / "a.jsonl", row(), slower(recipe="torch_eager"))
    assert main(["compare", f"{rows}:litert_fp32", f"{rows}:torch_eager"]) == 0
    line = capsys.readouterr().out.splitlines()[1]
    assert line.startswith("litert_fp32, torch_eager")
    assert "2.000" in line
    assert "A is faster" in line


def test_rows_come_from_bundles_and_the_shelf_and_json_lists(
    made: Made,
    shelve: Callable[..., Path],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    home = shelve()
    listed = tmp_path / "rows.json"
    listed.write_text(json.dumps([slower(recipe="litert_fp32").row()]))
    assert main(["compare", str(made.bundle), home.name]) == 0
    assert len(capsys.readouterr().out.splitlines()) == 4
    assert main(["compare", str(listed), str(made.bundle)]) == 0
    assert "0.500" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"threads": 1}, "different thread counts"),
        ({"host": "fedcba9876543210"}, "different hosts"),
        ({"device": "another"}, "different devices"),
        ({"clocks": "performance 1 2"}, "different clock settings"),
        ({"input_sha256": "ef" * 32}, "different inputs"),
        ({"source": "device"}, "different sources"),
        ({"runtime_version": "2.4.0"}, "different versions of ai-edge-litert (2.3.0, 2.4.0)"),
    ],
)
def test_rows_not_measured_alike_are_refused(
    changes: dict[str, Any], reason: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    a = written(tmp_path / "a.jsonl", row())
    b = written(tmp_path / "b.jsonl", row(**changes))
    assert main(["compare", a, b]) == 2
    said = capsys.readouterr()
    assert reason in said.err
    assert said.out == ""


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ("none.jsonl", "none.jsonl does not exist"),
        ("a.jsonl:litert_int8", "no row of 'litert_int8'; it has litert_fp32"),
        ("other.jsonl", "no recipe is in both"),
        ("broken.jsonl", "broken.jsonl:1 is not JSON"),
        ("empty.jsonl", "holds no latency rows"),
        ("folder", "is no bundle"),
    ],
)
def test_what_holds_no_row_to_compare_is_told(
    given: str, message: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    a = written(tmp_path / "a.jsonl", row())
    written(tmp_path / "other.jsonl", row(recipe="one"), row(recipe="two"))
    (tmp_path / "broken.jsonl").write_text("{\n")
    (tmp_path / "empty.jsonl").write_text("")
    (tmp_path / "folder").mkdir()
    assert main(["compare", a, str(tmp_path / given)]) == 2
    assert message in capsys.readouterr().err
