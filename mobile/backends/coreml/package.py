"""The folder a Core ML package is: written canonically, and checked before anything opens it.

coremltools saves two equal models as different bytes: `Manifest.json` names its items by random
UUIDs, the specification holds the day, protobuf maps have no order, and torch's debug handles come
along. A canonical package has none of that, so equal weights give equal hashes.

The check needs no coremltools: a damaged package is told apart in milliseconds, and its native
reader never meets one.
"""

from __future__ import annotations

import json
import struct
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from mobile.recipes import Recipe
from pipeline.errors import UserError

INPUT, OUTPUT = "images", "output"
STORED = {
    "fp16": "fp16",
    "int8 weights": "int8",
    "palette6": "palette6",
    "palette4": "palette4",
    "w8a8": "int8",
}
"""How a package keeps its large weights, by a recipe's precision."""
LEAST_QUANTISED = 2048
"""Kernels of fewer numbers stay fp16 where weights are compressed. Quantising them, too, saves
0.2 % of a trained FastSal (a step per channel each) and takes its least CC from 0.998 to 0.989.
"""
MANIFEST = "Manifest.json"
ROOT = "com.apple.CoreML"
MODEL = f"Data/{ROOT}/model.mlmodel"
WEIGHTS = f"Data/{ROOT}/weights/weight.bin"
_NAMESPACE = uuid.UUID("5e1f6ab4-7f5c-5d0e-9c55-0d9b1a4b8c11")
_DATE = "com.github.apple.coremltools.conversion_date"
_ML_PROGRAM = 502
"""Field of the specification that holds an ML Program."""
_ALIGNMENT = 64
_SENTINEL = 0xDEADBEEF


def target(recipe: Recipe) -> str:
    """Oldest system that loads what `recipe` makes: quantised activations start with iOS 17."""
    return "iOS17" if recipe.precision == "w8a8" else "iOS16"


def canonical(saved: Path, describe: dict[str, str], about: dict[str, str]) -> dict[str, bytes]:
    """Files of the package that coremltools `saved`, by name, without what differs between saves.

    `describe` gives the metadata's own fields (`shortDescription`, `author`, `versionString`) and
    a description per input and output name; `about` the user-defined entries.
    """
    from coremltools.proto import Model_pb2

    model = Model_pb2.Model()
    model.ParseFromString((saved / MODEL).read_bytes())
    description = model.description
    description.metadata.userDefined.pop(_DATE, None)
    description.metadata.userDefined.update(about)
    for field in ("shortDescription", "author", "versionString"):
        setattr(description.metadata, field, describe[field])
    for feature in (*description.input, *description.output):
        feature.shortDescription = describe[feature.name]
    files = {MODEL: model.SerializeToString(deterministic=True)}
    if (saved / WEIGHTS).is_file():  # a handful of numbers stays inside the specification
        files[WEIGHTS] = (saved / WEIGHTS).read_bytes()
    return {MANIFEST: _manifest(WEIGHTS in files), **files}


def check(path: Path) -> None:
    """`UserError` unless `path` is a whole ML Program package; says what is wrong and where."""
    if not path.exists():
        raise UserError(f"{path} is missing; export it first")
    problem = _folder_problem(path) or _model_problem(path) or _weights_problem(path)
    if problem:
        raise UserError(f"{path} is not a whole Core ML package: {problem}; export it again")


def _manifest(weights: bool) -> bytes:
    named = {"model.mlmodel": "Specification"} | ({"weights": "Weights"} if weights else {})
    items = {
        _identifier(name): {
            "author": ROOT,
            "description": f"CoreML Model {what}",
            "name": name,
            "path": f"{ROOT}/{name}",
        }
        for name, what in named.items()
    }
    content = {
        "fileFormatVersion": "1.0.0",
        "itemInfoEntries": items,
        "rootModelIdentifier": _identifier("model.mlmodel"),
    }
    return (json.dumps(content, indent=4, sort_keys=True) + "\n").encode()


def _identifier(name: str) -> str:
    return str(uuid.uuid5(_NAMESPACE, name)).upper()


def _folder_problem(path: Path) -> str | None:
    if not path.is_dir():
        return "it is a file, and a package is a folder (unpack it if it is an archive)"
    if not (path / MANIFEST).is_file():
        return f"it has no {MANIFEST}"
    try:
        manifest: Any = json.loads((path / MANIFEST).read_bytes())
        items: dict[str, Any] = manifest["itemInfoEntries"]
        paths = {name: str(entry["path"]) for name, entry in items.items()}
        root = paths[manifest["rootModelIdentifier"]]
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        return f"{MANIFEST} is not a package's ({type(error).__name__}: {error})"
    if Path("Data", root) != Path(MODEL):
        return f"{MANIFEST} points to {root}, not to {MODEL}"
    missing = [item for item in paths.values() if not (path / "Data" / item).exists()]
    if missing:
        return f"Data/{missing[0]}, which {MANIFEST} lists, is missing"
    return None if (path / MODEL).is_file() else f"{MODEL} is not a file"


def _model_problem(path: Path) -> str | None:
    """Whether the specification ends within one of its fields, or holds no ML Program.

    Every part of the message lies in a length-delimited field, so a cut anywhere breaks the walk
    over the outermost fields or drops the last of them.
    """
    data = (path / MODEL).read_bytes()
    try:
        fields = set(_fields(data))
    except (IndexError, ValueError):
        return f"{MODEL} is cut short or damaged"
    return None if _ML_PROGRAM in fields else f"{MODEL} holds no ML Program"


def _fields(data: bytes) -> Iterator[int]:
    """Numbers of a protobuf message's outermost fields. `ValueError` or `IndexError` if broken."""
    at = 0
    while at < len(data):
        key, at = _varint(data, at)
        kind = key & 7
        if kind == 0:
            _, at = _varint(data, at)
        elif kind == 2:
            length, at = _varint(data, at)
            at += length
        elif kind in (1, 5):
            at += 8 if kind == 1 else 4
        else:
            raise ValueError(f"wire type {kind}")
        if at > len(data) or key >> 3 == 0:
            raise ValueError("a field ends after the message")
        yield key >> 3


def _varint(data: bytes, at: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        byte = data[at]
        value |= (byte & 0x7F) << shift
        at, shift = at + 1, shift + 7
        if byte < 0x80:
            return value, at
        if shift > 63:
            raise ValueError("a number of more than 64 bits")


def _weights_problem(path: Path) -> str | None:
    """Whether the blob file, if there is one, holds as many whole blobs as its header says."""
    file = path / WEIGHTS
    if not file.parent.exists():
        return None
    if not file.is_file():
        return f"{WEIGHTS} is missing"
    size = file.stat().st_size
    with file.open("rb") as stream:
        header = stream.read(8)
        if len(header) < 8:
            return f"{WEIGHTS} is cut short"
        count, version = struct.unpack("<II", header)
        if version != 2:
            return f"{WEIGHTS} is not a weight file (version {version})"
        at = _ALIGNMENT
        for index in range(count):
            stream.seek(at)
            entry = stream.read(24)
            if len(entry) < 24:
                return f"{WEIGHTS} is cut short: {index} of {count} weights are there"
            sentinel, _, length, start = struct.unpack("<IIQQ", entry)
            if sentinel != _SENTINEL or start < at:
                return f"{WEIGHTS} is damaged at byte {at}"
            if start + length > size:
                return f"{WEIGHTS} is cut short: {index} of {count} weights are whole"
            at = -(-(start + length) // _ALIGNMENT) * _ALIGNMENT
    return None
