"""The manifest of a bundle: what it must hold, reading it, checking files against it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from pipeline.data.resize import NAME as RESIZE
from pipeline.errors import UserError
from pipeline.files import read_json, tree_hash
from pipeline.tasks.readout import MEANINGS

SCHEMA = 1
NAME = "manifest.json"
TASKS = (
    "saliency",
    "salient_object",
    "semantic",
    "detection",
    "instance",
    "classification",
)
RESIZE_DEFINITION = (
    "Antialiased bilinear, one axis after the other, rows (height) first, in float32 without "
    "rounding. For input size n and output size m let k = n / m and s = max(1, k). Output pixel i "
    "is centred at c = (i + 0.5) * k; input pixel j has weight max(0, 1 - |j + 0.5 - c| / s). The "
    "weights of one output pixel are computed in float64 over the pixels that exist, divided by "
    "their sum and rounded to float32."
)
_REQUIRED = ("artefacts", "files", "golden", "input", "lineage", "output", "spec", "versions")


def input_contract(height: int, width: int) -> dict[str, Any]:
    """What every artefact takes, before its own layout."""
    return {
        "color": "RGB",
        "dtype": "float32",
        "range": [0, 255],
        "height": height,
        "width": width,
        "batch": 1,
        "normalisation": "inside the model",
        "resize": {"name": RESIZE, "definition": RESIZE_DEFINITION},
    }


def read_manifest(bundle: Path) -> dict[str, Any]:
    """The manifest of the folder `bundle`, every listed file checked by hash.

    Raises `UserError` for a missing manifest or file, a wrong hash, a schema newer than this
    version knows, a missing part, or a task it does not know.
    """
    manifest = load(bundle)
    for name in manifest["files"]:
        problem = file_problem(bundle, name, manifest["files"][name])
        if problem:
            raise UserError(f"{bundle}: {problem}; build or install the bundle again")
    return manifest


def load(bundle: Path) -> dict[str, Any]:
    """The manifest, its form checked but not the files it lists."""
    path = bundle / NAME
    if not path.is_file():
        raise UserError(f"{bundle} is not a bundle: it has no {NAME}")
    manifest = read_json(path)
    schema = manifest.get("schema") if isinstance(manifest, dict) else None
    if not isinstance(schema, int) or isinstance(schema, bool):
        raise UserError(f"{path} names no schema; it was not written by this project")
    if schema > SCHEMA:
        raise UserError(
            f"{path} has schema {schema}, newer than the {SCHEMA} known here; update this program"
        )
    missing = [part for part in _REQUIRED if part not in manifest]
    if missing:
        raise UserError(f"{path} lacks {', '.join(missing)}; build the bundle again")
    broken = _broken_part(manifest)
    if broken:
        raise UserError(f"{path}: {broken} is damaged; build the bundle again")
    task = manifest["spec"].get("task")
    if task not in TASKS:
        raise UserError(f"{path}: task {task!r} is unknown; known: {', '.join(TASKS)}")
    _check_way(manifest, path)
    result: dict[str, Any] = manifest
    return result


def _check_way(manifest: dict[str, Any], path: Path) -> None:
    """How an image goes in and what comes out must both be known here."""
    meaning = manifest["output"].get("meaning")
    if meaning not in MEANINGS.values():
        known = ", ".join(MEANINGS.values())
        raise UserError(f"{path}: an output that means {meaning!r} is unknown; known: {known}")
    resize = manifest["input"].get("resize")
    name = resize.get("name") if isinstance(resize, dict) else None
    if name != RESIZE:
        raise UserError(f"{path}: the resize {name!r} is unknown; known: {RESIZE}")


def _broken_part(manifest: dict[str, Any]) -> str | None:
    """The first part that readers could not walk through, or None."""
    for part in ("artefacts", "files", "input", "lineage", "output", "spec", "versions"):
        if not isinstance(manifest[part], dict):
            return part
    for name, entry in manifest["artefacts"].items():
        if not isinstance(entry, dict) or not isinstance(entry.get("path", ""), str):
            return f"artefacts: {_shown(name)}"
    for name, entry in manifest["files"].items():
        if not isinstance(entry, dict) or not isinstance(entry.get("sha256"), str):
            return f"files: {_shown(name)}"
    return None if isinstance(manifest["golden"], list) else "golden"


def _shown(name: str) -> str:
    """A name as a line of text can hold it: line ends and the like are written out."""
    return name if name.isprintable() else repr(name)


def file_problem(bundle: Path, name: str, entry: dict[str, Any]) -> str | None:
    """What is wrong with one listed file, or None."""
    path = bundle / name
    if Path(name).is_absolute() or ".." in Path(name).parts or "\0" in name:
        return f"{name!r} points outside of the bundle"
    shown = _shown(name)
    try:
        if not path.exists():
            return f"{shown} is missing"
    except OSError as error:  # a name longer than any file's
        return f"{shown[:80]}… cannot be looked for: {error.strerror}"
    size = path.stat().st_size
    if path.is_file() and entry.get("bytes", size) != size:
        return f"{shown} has {size} bytes, the manifest says {entry['bytes']}"
    digest = tree_hash(path)
    if digest != entry["sha256"]:
        return f"{shown} has sha256 {digest[:12]}…, the manifest says {entry['sha256'][:12]}…"
    return None
