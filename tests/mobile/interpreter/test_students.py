"""Every student that ships, through the interpreter, beside torch."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

import students
from mobile.backends.coreml.interpreter.run import Interpreter
from mobile.rewrites import forms
from tests.mobile.realistic import fastsal, patterns

pytestmark = pytest.mark.filterwarnings("ignore")
NAMES = ("fastsal_a", "fastsal_c", "cnn_mobilenet_v2", "cnn_efficientnet_b0")


def student_of(name: str) -> nn.Module:
    if name.startswith("fastsal"):
        return fastsal(name)
    torch.manual_seed(0)
    model = students.build(name).train()
    with torch.no_grad():  # batch statistics of pictures, not of nothing
        for seed in range(2):
            model(torch.from_numpy(np.concatenate(patterns(2, seed))))
    return model.eval().requires_grad_(False)


def converted(module: nn.Module, folder: Path) -> dict[str, Path]:
    """As our packages are converted, once in float32 throughout and once in float16."""
    import coremltools as ct

    image = torch.from_numpy(patterns(1)[0])
    program = torch.export.export(module, (image,)).run_decompositions({})
    for name, precision in (("fp32", ct.precision.FLOAT32), ("fp16", ct.precision.FLOAT16)):
        made = ct.convert(
            program,
            inputs=[ct.TensorType("images", tuple(image.shape), np.float32)],
            outputs=[ct.TensorType("output", dtype=np.float32)],
            minimum_deployment_target=ct.target.iOS16,
            compute_precision=precision,
            skip_model_load=True,
        )
        made.save(str(folder / f"{name}.mlpackage"))
    return {name: folder / f"{name}.mlpackage" for name in ("fp32", "fp16")}


@pytest.mark.parametrize("name", NAMES)
def test_float32_is_torchs_within_1e_4_and_float16_within_its_rounding(
    name: str, tmp_path: Path
) -> None:
    module = next(iter(forms.of(student_of(name)).values()))
    image = patterns(1, seed=9)[0]
    with torch.inference_mode():
        wanted = module(torch.from_numpy(image)).numpy()
    files = converted(module, tmp_path)

    exact = Interpreter(files["fp32"], "fp32").run(image)
    assert np.abs(exact - wanted).max() <= 1e-4

    half = Interpreter(files["fp16"], "fp16")
    rounded = sum(o.outputs[0].dtype == "fp16" for o in half.program.operations if not o.constant)
    error = np.abs(half.run(image) - wanted).max()
    # Independent roundings of 2^-11 each add up like a random walk; four times that is the bound.
    assert 0 < error <= 4 * math.sqrt(rounded) * 2**-11 * np.abs(wanted).max()
