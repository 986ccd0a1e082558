"""Bundles of a few bytes, whole or with one thing wrong each: what an app must open or refuse."""

from __future__ import annotations

import copy
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from mobile import manifest
from mobile.contract.layers import hexadecimal
from pipeline.data.classes import colours_of
from pipeline.files import sha256_file, write_json

MODEL = "artefacts/litert_fp32/model.tflite"
_HEIGHT, _WIDTH = 2, 3
_NAMES = ("background", "sky", "people")

Content = dict[str, Any]


def write(folder: Path) -> list[dict[str, Any]]:
    """Write `manifests/` and say of each bundle which problem it has."""
    cases = []
    for name, (problem, named, damage) in _CASES.items():
        bundle = folder / "manifests" / name
        content = toy(bundle, "class-logits" if name == "whole_semantic" else "logits")
        damage(bundle, content)
        case = {"folder": f"manifests/{name}", "problem": problem, "names": list(named)}
        cases.append(case)
    return cases


def toy(bundle: Path, meaning: str) -> Content:
    """A whole bundle whose model is a line of text; returns its manifest."""
    semantic = meaning == "class-logits"
    planes = len(_NAMES) if semantic else 1
    values = np.linspace(-2, 2, planes * _HEIGHT * _WIDTH, dtype=np.float32)
    output = values.reshape(1, planes, _HEIGHT, _WIDTH)
    pixels = np.arange(3 * _HEIGHT * _WIDTH, dtype=np.uint8).reshape(_HEIGHT, _WIDTH, 3)
    for part in ("artefacts/litert_fp32", "golden"):
        (bundle / part).mkdir(parents=True)
    (bundle / MODEL).write_bytes(b"not a model, but its bytes count\n")
    Image.fromarray(pixels).save(bundle / "golden/image0.png")
    for each in ("torch", "litert_fp32"):
        np.save(bundle / f"golden/image0.{each}.npy", output, allow_pickle=False)
    content = _content(bundle, meaning, list(output.shape))
    write_json(bundle / manifest.NAME, content)
    return content


def _content(bundle: Path, meaning: str, shape: list[int]) -> Content:
    task = "semantic" if meaning == "class-logits" else "saliency"
    classes = [
        {"name": name, "colour": colour}
        for name, colour in zip(_NAMES, hexadecimal(colours_of(_NAMES)), strict=True)
    ]
    described = {"shape": shape, "meaning": meaning}
    bounds = {"max_abs": 0.001, "min_cc": 0.999}
    entry = {
        "recipe": "litert_fp32",
        "backend": "litert",
        "precision": "fp32",
        "path": MODEL,
        "file": "model.tflite",
        "bytes": (bundle / MODEL).stat().st_size,
        "sha256": sha256_file(bundle / MODEL),
        "executed": True,
        "executor": "LiteRT",
        "input": {
            "name": "images",
            "layout": "NHWC",
            "shape": [1, _HEIGHT, _WIDTH, 3],
            "dtype": "float32",
            "range": [0, 255],
            "color": "RGB",
        },
        "output": {"name": "output", **described},
        "bounds": bounds,
    }
    golden = {
        "name": "image0",
        "input": "golden/image0.png",
        "torch": "golden/image0.torch.npy",
        "outputs": {"litert_fp32": {"path": "golden/image0.litert_fp32.npy", "tolerance": bounds}},
    }
    files = sorted(path for path in bundle.rglob("*") if path.is_file())
    return {
        "schema": manifest.SCHEMA,
        "spec": {"name": "toy", "task": task, "source": "made up"},
        "input": manifest.input_contract(_HEIGHT, _WIDTH),
        "output": described | ({"classes": classes} if task == "semantic" else {}),
        "artefacts": {"litert_fp32": entry},
        "golden": [golden],
        "lineage": {},
        "versions": {},
        "files": {
            path.relative_to(bundle).as_posix(): {
                "sha256": sha256_file(path),
                "bytes": path.stat().st_size,
            }
            for path in files
        },
    }


def _whole(_bundle: Path, _content: Content) -> None:
    """Nothing is wrong."""


def _changed(change: Callable[[Content], None]) -> Callable[[Path, Content], None]:
    def damage(bundle: Path, content: Content) -> None:
        altered = copy.deepcopy(content)
        change(altered)
        write_json(bundle / manifest.NAME, altered)

    return damage


def _without_manifest(bundle: Path, _content: Content) -> None:
    (bundle / manifest.NAME).unlink()


def _not_json(bundle: Path, _content: Content) -> None:
    (bundle / manifest.NAME).write_bytes(b'{"schema": 1,')


def _without_model(bundle: Path, _content: Content) -> None:
    (bundle / MODEL).unlink()
    (bundle / MODEL).parent.rmdir()


def _longer(bundle: Path, _content: Content) -> None:
    (bundle / MODEL).write_bytes((bundle / MODEL).read_bytes() + b"!")


def _one_byte(bundle: Path, _content: Content) -> None:
    data = bytearray((bundle / MODEL).read_bytes())
    data[0] ^= 1
    (bundle / MODEL).write_bytes(bytes(data))


def _outside(content: Content) -> None:
    content["files"]["../escape.txt"] = {"sha256": "0" * 64, "bytes": 1}


def _newer(content: Content) -> None:
    content["schema"] = manifest.SCHEMA + 1


def _task(content: Content) -> None:
    content["spec"]["task"] = "depth"


def _meaning(content: Content) -> None:
    content["output"]["meaning"] = "disparity"


def _resize(content: Content) -> None:
    content["input"]["resize"]["name"] = "bicubic"


def _without_output(content: Content) -> None:
    del content["output"]


_CASES: dict[str, tuple[str | None, tuple[str, ...], Callable[[Path, Content], None]]] = {
    "whole": (None, (), _whole),
    "whole_semantic": (None, (), _whole),
    "missing_manifest": ("missing-manifest", (manifest.NAME,), _without_manifest),
    "not_json": ("not-json", (manifest.NAME,), _not_json),
    "missing_part": ("missing-part", ("output",), _changed(_without_output)),
    "missing_file": ("missing-file", (MODEL,), _without_model),
    "length": ("length", (MODEL,), _longer),
    "hash": ("hash", (MODEL,), _one_byte),
    "outside": ("outside", ("../escape.txt",), _changed(_outside)),
    "schema": ("schema", (str(manifest.SCHEMA + 1),), _changed(_newer)),
    "task": ("task", ("depth",), _changed(_task)),
    "meaning": ("meaning", ("disparity",), _changed(_meaning)),
    "resize": ("resize", ("bicubic",), _changed(_resize)),
}
"""Folder: its problem, what a message must name, and what is done to a whole bundle."""
