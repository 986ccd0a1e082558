"""Inspection finds every weight equal to torch's; execution, whatever else was changed."""

from __future__ import annotations

import shutil
import struct
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from mobile import recipes
from mobile.backend import Array
from mobile.backends.coreml import package
from mobile.export import ExportReport, export, open_runner
from mobile.inspection import Inspection, inspect
from mobile.parity import ParityReport, compare
from pipeline.errors import UserError
from students import spec
from tests.mobile.conftest import Export
from tests.mobile.realistic import fastsal
from tests.mobile.test_coreml import RECIPES, specification
from tests.mobile.tiny import SPEC, TinyStudent

pytestmark = pytest.mark.filterwarnings("ignore")


def seen(path: Path, student: nn.Module, name: str) -> Inspection:
    found = inspect(path, student, recipes.get(name))
    assert found is not None
    return found


def run(path: Path, student: nn.Module, images: list[Array]) -> ParityReport:
    """The file beside torch, without the hash that would give a change away."""
    names = [f"image{i}" for i in range(len(images))]
    return compare(open_runner(path, verify=False), student, images, names)


Real = tuple[ExportReport, Inspection]


@pytest.fixture(scope="module", params=["fastsal_a", "fastsal_c"])
def real(request, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Real]:
    student, made = fastsal(request.param), {}
    for name in RECIPES:
        folder = tmp_path_factory.mktemp(name)
        report = export(student, spec(request.param), recipes.get(name), None, folder)
        found = seen(folder / report.file, student, name)
        made[name] = (report, found)
    return made


def test_every_weight_of_a_real_student_is_torchs(real: dict[str, Real]) -> None:
    for name in RECIPES:
        report, found = real[name]
        kernels = {"fastsal_a": 69, "fastsal_c": 61}[report.student]
        assert found.problems == []
        assert found.weights.matched == found.weights.total == kernels
        assert found.operators["conv"] == kernels
    largest = [real[name][1].weights.largest_error for name in RECIPES]
    assert 0 < largest[0] <= 2**-10  # one rounding to fp16, relative to the largest value
    assert largest[0] < largest[1] < 0.5 / 127 + 2**-9  # half a step of the channel


def test_packages_of_a_real_student_are_half_and_a_quarter(real: dict[str, Real]) -> None:
    parameters = {"fastsal_a": 3_646_715, "fastsal_c": 2_574_049}
    for name, share in zip(RECIPES, (0.5, 0.25), strict=True):
        report, found = real[name]
        assert found.bytes == report.bytes
        # The program itself is 0.1 MB whatever the weights.
        assert share < report.bytes / (4 * parameters[report.student]) < share + 0.025


def test_types_are_what_the_recipe_says(real: dict[str, Real]) -> None:
    fp16, int8 = (real[name][1] for name in RECIPES)
    assert set(fp16.weights.stored) == {"fp16"}
    large = {"fastsal_a": 52, "fastsal_c": 50}[real["coreml_fp16"][0].student]
    # Depthwise kernels and other small ones stay fp16.
    assert int8.weights.stored == {"fp16": int8.weights.total - large, "int8": large}
    assert int8.operators["constexpr_affine_dequantize"] == large
    for found in (fp16, int8):
        assert found.target == "iOS16"
        assert found.computed["fp32"] == 1  # the cast of the output
        assert (found.inputs[0].dtype, found.outputs[0].dtype) == ("float32", "float32")


def copied(exports: dict[str, Export], name: str, folder: Path) -> Path:
    """A package without the export report that would give the change away by its hash."""
    return Path(shutil.copytree(exports[name].file, folder / "model.mlpackage"))


def test_one_changed_value_is_found(
    exports: dict[str, Export], student: TinyStudent, images: list[Array], tmp_path: Path
) -> None:
    path = copied(exports, "coreml_fp16", tmp_path)
    file = path / package.WEIGHTS
    data = bytearray(file.read_bytes())
    start = first_kernel(data)
    value = np.frombuffer(data, np.float16, 1, start)[0]
    data[start : start + 2] = np.float16(value * 1.01).tobytes()
    file.write_bytes(data)
    problems = seen(path, student, "coreml_fp16").problems
    assert len(problems) == 1
    assert problems[0].startswith("1 of ")
    assert "than rounding explains" in problems[0]


def test_one_changed_level_is_found(
    exports: dict[str, Export], student: TinyStudent, images: list[Array], tmp_path: Path
) -> None:
    path = copied(exports, "coreml_int8_weights", tmp_path)
    file = path / package.WEIGHTS
    data = bytearray(file.read_bytes())
    start = next(s for kind, length, s in blobs(data) if length == 32 * 64)
    data[start] = (data[start] + 2) % 256
    file.write_bytes(data)
    problems = seen(path, student, "coreml_int8_weights").problems
    assert [p.split(" values")[0] for p in problems] == ["1 of 2048"]


def blobs(data: bytes) -> list[tuple[int, int, int]]:
    """(type, bytes, offset) of each weight in a blob file."""
    found, at = [], 64
    for _ in range(struct.unpack_from("<I", data)[0]):
        _, kind, length, start = struct.unpack_from("<IIQQ", data, at)
        found.append((kind, length, start))
        at = -(-(start + length) // 64) * 64
    return found


def first_kernel(data: bytes) -> int:
    """Where the stem's 8 x 3 x 3 x 3 fp16 values start."""
    return next(start for _, length, start in blobs(data) if length == 2 * 8 * 27)


def test_a_rewired_program_is_found_though_its_weights_are_equal(
    exports: dict[str, Export], student: TinyStudent, images: list[Array], tmp_path: Path
) -> None:
    path = copied(exports, "coreml_fp16", tmp_path)
    model = specification(path)
    function = model.mlProgram.functions["main"]
    operations = function.block_specializations[function.opset].operations
    (concat,) = (o for o in operations if o.type == "concat")
    joined = concat.inputs["values"].arguments
    names = [argument.name for argument in joined]
    for argument, name in zip(joined, reversed(names), strict=True):
        argument.name = name
    (path / package.MODEL).write_bytes(model.SerializeToString())
    honest = seen(exports["coreml_fp16"].file, student, "coreml_fp16")
    assert seen(path, student, "coreml_fp16").weights == honest.weights
    first = run(exports["coreml_fp16"].file, student, images[:2])
    assert run(path, student, images[:2]).real.max_abs_max > 50 * first.real.max_abs_max


def test_a_package_of_another_student_is_found(
    exports: dict[str, Export], images: list[Array], tmp_path: Path
) -> None:
    path = copied(exports, "coreml_fp16", tmp_path)
    torch.manual_seed(1)
    problems = seen(path, TinyStudent().eval(), "coreml_fp16").problems
    assert len(problems) >= 10
    shallow = nn.Conv2d(3, 1, 3, padding=1).eval()
    assert any("10 weights in the file, 1 in torch" in p for p in seen(
        path, shallow, "coreml_fp16").problems)  # fmt: skip


def test_a_package_of_another_recipe_is_found(
    exports: dict[str, Export], student: TinyStudent, images: list[Array], tmp_path: Path
) -> None:
    path = copied(exports, "coreml_fp16", tmp_path)
    problems = seen(path, student, "coreml_int8_weights").problems
    assert any("stored as fp16, coreml_int8_weights promises int8" in p for p in problems)


def test_an_inspected_file_must_be_the_one_of_its_report(
    exports: dict[str, Export], student: TinyStudent, images: list[Array], tmp_path: Path
) -> None:
    folder = Path(shutil.copytree(exports["coreml_fp16"].folder, tmp_path / "export"))
    file = folder / "model.mlpackage" / package.WEIGHTS
    data = bytearray(file.read_bytes())
    data[first_kernel(data)] ^= 1
    file.write_bytes(data)
    with pytest.raises(UserError, match="is damaged or was replaced"):
        seen(folder / "model.mlpackage", student, "coreml_fp16")


class Family(nn.Module):
    """Layers, then what a function makes of their output."""

    def __init__(self, layers: nn.Module, after: Callable[[Tensor], Tensor] | None = None) -> None:
        super().__init__()
        self.layers = layers
        self.after = after

    def forward(self, images: Tensor) -> Tensor:
        x: Tensor = self.layers(images / 255)
        return x if self.after is None else self.after(x)


def normed(channels: int) -> nn.BatchNorm2d:
    """Batch normalisation with statistics and scales that are not those of a new one."""
    norm = nn.BatchNorm2d(channels)
    generator = torch.Generator().manual_seed(2)
    with torch.no_grad():
        for tensor in (norm.weight, norm.bias, norm.running_mean, norm.running_var):
            assert tensor is not None
            tensor.copy_(torch.rand(channels, generator=generator) + 0.3)
    return norm


FAMILIES = {
    "bias": Family(nn.Conv2d(3, 4, 3, padding=1)),
    "no bias, folded": Family(nn.Sequential(nn.Conv2d(3, 4, 3, bias=False), normed(4))),
    "bias, folded": Family(nn.Sequential(nn.Conv2d(3, 4, 3), normed(4), nn.ReLU6())),
    "depthwise, strided, dilated": Family(
        nn.Conv2d(3, 6, 3, stride=2, dilation=2, padding=(2, 1), groups=3)
    ),
    "sigmoid and concat": Family(
        nn.Conv2d(3, 4, 1), lambda x: torch.cat([x.sigmoid(), x - 1, x * x.relu()], 1)
    ),
    "pixel shuffle": Family(nn.Conv2d(3, 8, 1), lambda x: F.pixel_shuffle(x, 2)),
    "bilinear, corners aligned": Family(
        nn.Conv2d(3, 4, 1),
        lambda x: F.interpolate(x, scale_factor=2, mode="bilinear", align_corners=True),
    ),
    "bilinear, half-pixel": Family(
        nn.Conv2d(3, 4, 1),
        lambda x: F.interpolate(x, scale_factor=2, mode="bilinear", align_corners=False),
    ),
    "nearest, twice": Family(
        nn.Conv2d(3, 4, 1), lambda x: F.interpolate(x, scale_factor=2, mode="nearest")
    ),
    "silu": Family(nn.Conv2d(3, 4, 1), F.silu),
    "mean over axes": Family(nn.Conv2d(3, 4, 1), lambda x: x.mean((2, 3), keepdim=True)),
    "linear": Family(nn.Linear(64, 8)),
    "transposed, with output padding": Family(
        nn.ConvTranspose2d(3, 4, 3, stride=2, padding=1, output_padding=1)
    ),
    "pooled to the ceiling": Family(
        nn.Conv2d(3, 4, 1), lambda x: F.max_pool2d(x, 3, 2, 1, ceil_mode=True)
    ),
    "averaged": Family(nn.Conv2d(3, 4, 1), lambda x: F.avg_pool2d(x, 3, 2, 1)),
    "adaptive": Family(nn.Conv2d(3, 4, 1), lambda x: F.adaptive_avg_pool2d(x, (4, 8))),
    "group norm": Family(nn.Conv2d(3, 4, 1), lambda x: F.group_norm(x, 2)),
    "channels-first layer norm, gelu": Family(
        nn.Conv2d(3, 4, 1),
        lambda x: F.gelu(F.layer_norm(x.permute(0, 2, 3, 1), (4,)).permute(0, 3, 1, 2)),
    ),
    "attention over pixels": Family(
        nn.Conv2d(3, 4, 4, stride=4),
        lambda x: (x.flatten(2).mT @ x.flatten(2)).softmax(-1) @ x.flatten(2).mT,
    ),
    "slices, reflections, maximum": Family(
        nn.Conv2d(3, 4, 1),
        lambda x: torch.maximum(
            F.pad(x, (1, 1, 2, 2), mode="reflect")[:, 1:3, ::2], x.new_zeros(1)
        ),
    ),
    "split and stacked": Family(
        nn.Conv2d(3, 4, 1), lambda x: torch.stack([p.exp() for p in x.chunk(2, 1)], 1).sum(1)
    ),
}


@pytest.mark.parametrize("family", FAMILIES)
def test_each_operator_family_is_converted_and_executed(
    family: str, images: list[Array], tmp_path: Path
) -> None:
    torch.manual_seed(0)
    module = FAMILIES[family].eval().requires_grad_(False)
    report = export(module, SPEC, recipes.get("coreml_fp16"), None, tmp_path)
    found = seen(tmp_path / report.file, module, "coreml_fp16")
    assert found.problems == []
    assert found.weights.matched == found.weights.total == 1
    assert run(tmp_path / report.file, module, images[:2]).real.max_abs_max < 0.01


def test_values_beyond_float16_are_an_error(images: list[Array], tmp_path: Path) -> None:
    conv = nn.Conv2d(3, 1, 1)
    nn.init.constant_(conv.weight, 300)
    module = Family(conv, lambda x: x * x - 1).eval()
    report = export(module, SPEC, recipes.get("coreml_fp16"), None, tmp_path)
    bright = [np.full((1, 3, 32, 64), 255, np.float32)]
    with pytest.raises(UserError, match="NaN or infinite"):
        run(tmp_path / report.file, module, bright)


def test_files_that_run_here_are_not_inspected(
    exports: dict[str, Export], student: TinyStudent, images: list[Array]
) -> None:
    for name in ("executorch_fp32", "litert_fp32"):
        assert inspect(exports[name].file, student, recipes.get(name)) is None
