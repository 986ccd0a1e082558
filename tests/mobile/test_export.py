"""Every recipe gives a file that runs, agrees with torch, is delegated and is reproducible."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from mobile import recipes
from mobile.backend import Array, get_backend
from mobile.backends import litert
from mobile.export import ExportReport, export, open_runner
from mobile.parity import compare
from pipeline.errors import UserError
from pipeline.files import tree_hash
from tests.mobile.conftest import Export
from tests.mobile.tiny import SPEC, TinyStudent

RECIPES = recipes.names()
RUNNING = [n for n in RECIPES if get_backend(recipes.get(n).backend).refusal() is None]
pytestmark = pytest.mark.filterwarnings("ignore")


@pytest.mark.parametrize("name", RUNNING)
def test_the_file_agrees_with_torch(
    name: str, exports: dict[str, Export], student: TinyStudent, images: list[Array]
) -> None:
    runner = open_runner(exports[name].file, threads=1)
    report = compare(runner, student, images[8:], ["a", "b", "c", "d"])
    assert report.problems(recipes.get(name)) == []
    assert report.images == 4
    assert [row.name for row in report.constants] == ["black", "white", "noise"]


DELEGATED = [n for n in RECIPES if recipes.get(n).backend != "coreml" and recipes.get(n).delegate]


@pytest.mark.parametrize("name", DELEGATED)
def test_the_graph_is_delegated_whole(name: str, exports: dict[str, Export]) -> None:
    delegation = exports[name].report.delegation
    assert delegation is not None
    assert delegation.delegated == delegation.total > 0
    assert delegation.partitions == 1
    assert delegation.undelegated == {}


@pytest.mark.parametrize("name", RECIPES)
def test_the_report_describes_the_file(name: str, exports: dict[str, Export]) -> None:
    made = exports[name]
    report = made.report
    assert ExportReport.read(made.folder / "export.json") == report
    assert report.sha256 == tree_hash(made.file)
    parts = [made.file, *made.file.rglob("*")]
    assert report.bytes == sum(part.stat().st_size for part in parts if part.is_file())
    assert report.output.shape == (1, 1, 32, 64)
    assert report.output.meaning == "logits"
    assert report.input.shape == (
        (1, 3, 32, 64) if report.input.layout == "NCHW" else (1, 32, 64, 3)
    )
    assert (report.input.dtype, report.input.range) == ("float32", (0.0, 255.0))
    assert (report.calibration is not None) == recipes.get(name).calibrated
    assert "torch" in report.versions
    assert sorted(path.name for path in made.folder.iterdir()) == sorted(
        ["export.json", report.file]
    )


@pytest.mark.parametrize("backend", ["executorch", "litert"])
def test_int8_outputs_lie_on_a_grid(backend: str, exports: dict[str, Export]) -> None:
    runner = open_runner(exports[f"{backend}_int8"].file)
    image = np.full((1, 3, 32, 64), 128, np.float32)
    # int8 outputs lie on a grid of at most 256 levels.
    assert len(np.unique(runner.run(image))) <= 256
    float_runner = open_runner(exports[f"{backend}_fp32"].file)
    assert not np.array_equal(runner.run(image), float_runner.run(image))


def test_litert_int8_has_float_ends_and_no_cast(exports: dict[str, Export]) -> None:
    from ai_edge_litert.interpreter import Interpreter

    interpreter = Interpreter(str(exports["litert_int8"].file))
    names = [node["op_name"] for node in interpreter._get_ops_details()]
    assert names[0] == "QUANTIZE"
    assert "DEQUANTIZE" in names
    assert "CAST" not in names
    assert interpreter.get_input_details()[0]["dtype"] == np.float32
    assert interpreter.get_output_details()[0]["dtype"] == np.float32


@pytest.mark.parametrize(
    "name",
    ["executorch_int8", "litert_int8", "coreml_int8_weights", "coreml_palette4"],
)
def test_a_second_export_gives_the_same_bytes(
    name: str, exports: dict[str, Export], student: TinyStudent, images: list[Array], tmp_path
) -> None:
    again = export(student, SPEC, recipes.get(name), iter(images[:8]), tmp_path)
    first = exports[name].report
    assert again.sha256 == first.sha256
    assert again == first


def test_the_student_is_left_as_it_was(student: TinyStudent, tmp_path) -> None:
    class Refused(TinyStudent):
        def export_forms(self) -> dict[str, nn.Module]:
            raise RuntimeError("aten.frobnicate.default has no lowering")

    trained = Refused().train()
    before = {key: value.clone() for key, value in trained.state_dict().items()}
    with pytest.raises(UserError, match=r"at operator aten\.frobnicate\.default"):
        export(trained, SPEC, recipes.get("litert_fp32"), None, tmp_path)
    assert trained.training
    assert all(parameter.requires_grad for parameter in trained.parameters())
    assert all(torch.equal(before[key], value) for key, value in trained.state_dict().items())


class Spectral(nn.Module):
    def forward(self, images: Tensor) -> Tensor:
        return torch.fft.rfft2(images.mean(1, keepdim=True)).real


def test_a_failed_conversion_names_the_operator_and_keeps_only_a_log(tmp_path) -> None:
    with pytest.raises(UserError, match=r"litert_fp32 failed at operator .*fft"):
        export(Spectral(), SPEC, recipes.get("litert_fp32"), None, tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["export.log"]


def test_calibration_is_required_and_checked(student: TinyStudent, tmp_path) -> None:
    recipe = recipes.get("executorch_int8")
    with pytest.raises(UserError, match="needs calibration images"):
        export(student, SPEC, recipe, None, tmp_path)
    with pytest.raises(UserError, match="no calibration images"):
        export(student, SPEC, recipe, [], tmp_path)
    with pytest.raises(UserError, match=r"calibration image 0 .* shape \(1, 3, 8, 8\)"):
        export(student, SPEC, recipe, [np.zeros((1, 3, 8, 8), np.float32)], tmp_path)


def test_a_missing_package_is_named(monkeypatch, student: TinyStudent, tmp_path) -> None:
    import sys

    monkeypatch.setitem(sys.modules, "litert_torch", None)
    with pytest.raises(UserError, match="needs the package litert_torch"):
        export(student, SPEC, recipes.get("litert_fp32"), None, tmp_path)


@pytest.mark.parametrize("name", ["executorch_fp32", "litert_fp32"])
def test_a_wrong_image_is_refused(name: str, exports: dict[str, Export]) -> None:
    runner = open_runner(exports[name].file)
    with pytest.raises(UserError, match=r"takes float32 RGB 0-255 of shape \(1, 3, 32, 64\)"):
        runner.run(np.zeros((1, 3, 64, 32), np.float32))
    with pytest.raises(UserError, match="got uint8"):
        runner.run(np.zeros((1, 3, 32, 64), np.uint8))  # type: ignore[arg-type]
    with pytest.raises(UserError, match="threads"):
        open_runner(exports[name].file, threads=0)


@pytest.mark.parametrize("name", ["executorch_fp32", "litert_fp32"])
def test_runners_run_with_the_threads_asked_for(name: str, exports: dict[str, Export]) -> None:
    # For ExecuTorch this is what its pool says, not what it was told.
    assert [open_runner(exports[name].file, threads).threads for threads in (1, 2)] == [1, 2]


def test_replaced_operators_are_found_behind_their_delegate() -> None:
    def node(index: int, name: str, inputs: list[int], outputs: list[int]) -> dict[str, object]:
        return {"index": index, "op_name": name, "inputs": inputs, "outputs": outputs}

    counted = litert.count_delegated(
        [
            node(0, "CONV_2D", [0], [1]),
            node(1, "CUSTOM", [1], [2]),
            node(2, "ADD", [2, 1], [3]),
            node(3, "CONV_2D", [3], [4]),
            node(4, "DELEGATE", [0], [1]),
            node(5, "DELEGATE", [1, 2], [4]),
        ]
    )
    assert (counted.delegated, counted.total, counted.partitions) == (3, 4, 2)
    assert counted.undelegated == {"CUSTOM": 1}
