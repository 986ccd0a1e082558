"""Which file predicts, and what it takes: an exported file, a checkpoint, a bundle, the shelf."""

from __future__ import annotations

import dataclasses
import difflib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fovea.predict.classes import MEANING
from mobile import integrity
from mobile.backend import Runner
from pipeline import paths, shelf
from pipeline.errors import UserError
from pipeline.files import tree_hash

PREFERRED = (("int8", ".pte"), ("int8", ""), ("fp16", ""), ("fp32", ".pte"), ("fp32", ""))
"""Precision and ending of the file that is taken from a bundle, best first."""
_RANGE = (0.0, 255.0)


@dataclass(frozen=True)
class Model:
    """A file that predicts, not loaded yet."""

    file: Path
    title: str
    """Student and recipe, for people."""
    sha256: str
    meaning: str
    """Of the output: `logits`, …"""
    size: tuple[int, int] | None
    """Height and width of the input where a contract says them; None: the file says."""
    open: Callable[[int], Runner]
    """Load it to run on so many threads."""
    note: str = ""
    """What to tell before it runs: that it is not its own runtime that runs it."""
    classes: tuple[str, ...] = ()
    """Names of its classes by index, where it has any and its bundle tells which."""
    whole: bool = False
    """Whether those are of whole images, not of pixels."""


def find(given: str | None, recipe: str | None) -> Model:
    """The model that `given` names, or this workspace's bundle, or the newest one on the shelf.

    `given` is an exported file, a checkpoint, a bundle, a folder that holds one of these, or the
    hash of an entry of the shelf. `recipe` chooses among a bundle's files. Raises `UserError` when
    there is none, or none that runs here.
    """
    if given is None:
        return _of_folder(default(), recipe)
    path = Path(given)
    if not path.exists():
        if shelf.is_key(given):
            return _of_folder(shelf.select(given), recipe)
        raise UserError(
            f"{path} does not exist; give an exported file, a checkpoint, a bundle, or the first "
            "digits of a hash that `fovea shelf list` shows"
        )
    if path.is_dir() and not path.suffix:
        return _of_folder(path, recipe)
    if recipe is not None:
        raise UserError(f"--recipe chooses a file of a bundle; {path} is a file itself")
    return _of_file(path)


def default() -> Path:
    """The workspace's bundle, or the newest entry of the shelf; `UserError` without either."""
    if (paths.BUNDLE / "manifest.json").is_file():
        return paths.BUNDLE
    known = shelf.entries()
    if not known:
        raise UserError(
            f"no model here: neither {paths.BUNDLE} nor an entry on the shelf ({shelf.root()}); "
            "run `make repro`, or give --model FILE"
        )
    return known[-1]


def _of_folder(folder: Path, recipe: str | None) -> Model:
    for bundle in (folder, folder / "bundle", folder / paths.BUNDLE):
        if (bundle / "manifest.json").is_file():
            return _of_bundle(bundle, recipe)
    if recipe is not None:
        raise UserError(f"{folder} is no bundle to choose the recipe {recipe!r} from")
    if (folder / "export.json").is_file():
        from mobile.export import ExportReport

        return _of_file(folder / ExportReport.read(folder / "export.json").file)
    if (folder / paths.MODEL).is_file():
        return _of_file(folder / paths.MODEL)
    raise UserError(
        f"{folder} holds no model: neither a bundle (manifest.json), an export (export.json) nor "
        f"a checkpoint ({paths.MODEL})"
    )


def _of_bundle(bundle: Path, recipe: str | None) -> Model:
    from mobile import manifest

    content = manifest.load(bundle)
    artefacts: dict[str, dict[str, Any]] = content["artefacts"]
    if recipe is not None and recipe not in artefacts:
        near = difflib.get_close_matches(recipe, artefacts, n=1)
        hint = f"did you mean {near[0]!r}? " if near else ""
        held = ", ".join(sorted(artefacts))
        raise UserError(f"{bundle} has no {recipe!r}; {hint}It holds {held}")
    chosen = recipe or _best(artefacts, bundle)
    entry = artefacts[chosen]
    names = _class_names(content, entry)
    return dataclasses.replace(_contracted(bundle / entry["path"], entry), classes=names)


def _class_names(content: dict[str, Any], entry: dict[str, Any]) -> tuple[str, ...]:
    """Classes of the data that the student learned from, if its output has a plane for each."""
    from pipeline.data import class_names, classes

    told = tuple(each["name"] for each in content.get("output", {}).get("classes", ()))
    if told and entry["output"]["meaning"] == MEANING:
        return told
    listed = content["lineage"].get("data", {}).get("train", {}).get("classes")
    if entry["output"]["meaning"] != MEANING or listed not in class_names.COUNTS:
        return ()
    found = classes.get(listed).classes
    return found if len(found) == entry["output"]["shape"][1] else ()


def _best(artefacts: dict[str, dict[str, Any]], bundle: Path) -> str:
    from mobile.backend import get_backend

    backends = {name: get_backend(entry["backend"]) for name, entry in artefacts.items()}
    reasons = {name: backend.refusal() for name, backend in backends.items()}
    running = [name for name in sorted(artefacts) if reasons[name] is None]
    # Files that only a reference interpreter runs come last.
    for names in ([n for n in running if backends[n].untimed() is None], running):
        for precision, suffix in PREFERRED:
            for name in names:
                entry = artefacts[name]
                if entry["precision"] == precision and entry["file"].endswith(suffix):
                    return name
    why = "; ".join(f"{name}: {reason or 'unknown precision'}" for name, reason in reasons.items())
    raise UserError(f"no file of {bundle} runs on this machine ({why})")


def _of_file(path: Path) -> Model:
    if path.name.endswith(".safetensors"):
        return _of_checkpoint(path)
    entry = contract_of(path)
    if entry is not None:
        return _contracted(path, entry)
    require_runnable(path)
    return Model(path, path.name, tree_hash(path), "logits", None, _opener(path), _note(path))


def require_runnable(path: Path) -> None:
    """`UserError` for a file that is no model, or none that runs on this machine."""
    from mobile.backend import backend_for

    reason = backend_for(path).refusal()
    if reason:
        raise UserError(f"{path} cannot run here: {reason}")


def contract_of(path: Path) -> dict[str, Any] | None:
    """What the export report or the bundle around a file says of it, or None."""
    from dataclasses import asdict

    from mobile import manifest
    from mobile.export import ExportReport

    report = path.parent / integrity.EXPORT
    if report.is_file() and (told := ExportReport.read(report)).file == path.name:
        return asdict(told)
    above = path.absolute().parents
    if len(above) < 3 or not (above[2] / integrity.BUNDLE).is_file():
        return None
    artefacts: dict[str, dict[str, Any]] = manifest.load(above[2])["artefacts"]
    name = path.absolute().relative_to(above[2]).as_posix()
    return next((entry for entry in artefacts.values() if entry["path"] == name), None)


def _contracted(path: Path, entry: dict[str, Any]) -> Model:
    """An exported file whose contract is known; `UserError` when it is another file."""
    if not path.exists():
        raise UserError(f"{path} is missing, but its bundle lists it; build it again")
    integrity.check(path)
    require_runnable(path)
    taken = entry["input"]
    if tuple(taken["range"]) != _RANGE or taken["color"] != "RGB":
        raise UserError(
            f"{path} takes {taken['color']} of {taken['range']}, which this version cannot give; "
            "update Fovea"
        )
    _batch, *sides = taken["shape"]
    height, width = sides[1:] if taken["layout"] == "NCHW" else sides[:2]
    title = f"{entry['student']} {entry['recipe']}"
    output, size = entry["output"], (height, width)
    whole = output["meaning"] == MEANING and list(output["shape"][-2:]) == [1, 1]
    opener, note = _opener(path), _note(path)
    return Model(path, title, entry["sha256"], output["meaning"], size, opener, note, whole=whole)


def _note(path: Path) -> str:
    """That a file is not run by its own runtime, where it is not."""
    from mobile.backend import backend_for

    backend = backend_for(path)
    return "" if backend.untimed() is None else f"run by the {backend.executor()}"


def _opener(path: Path) -> Callable[[int], Runner]:
    def load(threads: int) -> Runner:
        from fovea.predict.runners import exported

        return exported(path, threads)

    return load


def _of_checkpoint(path: Path) -> Model:
    from fovea.predict.runners import checkpoint_header, trained

    header = checkpoint_header(path)
    size = (header["height"], header["width"])

    def load(threads: int) -> Runner:
        return trained(path, threads)

    title = f"{header['model']} (checkpoint)"
    whole = names_whole(header["model"])
    meaning = header.get("output", "logits")
    return Model(path, title, tree_hash(path), meaning, size, load, whole=whole)


def names_whole(model: str) -> bool:
    """Whether a student or teacher names classes of whole images."""
    from pipeline import checkpoint

    return checkpoint.spec_named(model).task == "classification"
