"""Bundles small enough to be made in a test: exported files of a few thousand parameters.

They are named as the students whose place they take, and have golden vectors as any bundle has.
"""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import torch
from torch import nn

from mobile import recipes
from mobile.backend import Array
from mobile.bundle import Artefact, assemble
from mobile.contract.install import INDEX
from mobile.export import export
from pipeline.data.classes import get
from pipeline.data.resize import resize_planes
from pipeline.files import read_json
from students.registry import ModelSpec
from tests.mobile.realistic import patterns
from tests.mobile.tiny import SPEC, TinyStudent

SIZE = (96, 128)


def saliency(target: Path, folder: Path) -> Path:
    """Two `.tflite` precisions and a `.pte`."""
    spec = dataclasses.replace(SPEC, name="fastsal_a", height=SIZE[0], width=SIZE[1])
    kept = ("litert_fp32", "litert_int8", "executorch_fp32")
    return bundle(target, folder, spec, tiny(1), kept)


def objects(target: Path, folder: Path) -> Path:
    """A map that is a cut-out."""
    spec = dataclasses.replace(SPEC, name="fastsal_a_objects", task="salient_object")
    return bundle(target, folder, spec, tiny(1), ("litert_fp32",))


def semantic(target: Path, folder: Path) -> Path:
    """A plane for each class of the sample."""
    names = get("sample").classes
    spec = dataclasses.replace(
        SPEC, name="fastsal_a_semantic", task="semantic", output="class-logits"
    )
    return bundle(target, folder, spec, tiny(len(names)), ("litert_fp32",), names)


def tiny(planes: int) -> nn.Module:
    """With the statistics of patterns, and logits as wide as trained ones."""
    torch.manual_seed(planes)
    student = TinyStudent()
    student.head = nn.Conv2d(8, planes, 3, padding=1)
    student.train()
    with torch.no_grad():
        for seed in range(8):
            student(torch.from_numpy(np.concatenate(images(SPEC, 4, seed))))
        found = student.eval()(torch.from_numpy(images(SPEC, 1, 9)[0]))
        student.head.weight *= 3 / found.std()
    return student.eval().requires_grad_(False)


def images(spec: ModelSpec, count: int, seed: int) -> list[Array]:
    """Patterns at a model's size, (1, 3, H, W) RGB 0-255."""
    return [
        resize_planes(made[0].transpose(1, 2, 0), spec.height, spec.width)[None]
        for made in patterns(count, seed)
    ]


def bundle(
    target: Path,
    folder: Path,
    spec: ModelSpec,
    student: nn.Module,
    kept: tuple[str, ...],
    classes: tuple[str, ...] = (),
) -> Path:
    """Export by every recipe and assemble."""
    calibration = images(spec, 8, 0)
    for name in kept:
        export(student, spec, recipes.get(name), calibration, folder / name)
    artefacts = [Artefact(folder / name) for name in kept]
    golden = {
        f"image{i}": np.clip(np.rint(image[0].transpose(1, 2, 0)), 0, 255).astype(np.uint8)
        for i, image in enumerate(images(spec, 2, 5))
    }
    lineage = {"student": {"header": {}}}
    assemble(target, spec, student, artefacts, golden, lineage, classes)
    return target


def listed(folder: Path) -> list[str]:
    """Bundles in an app's folder, as its index tells the app."""
    names: list[str] = read_json(folder / INDEX)["bundles"]
    return names
