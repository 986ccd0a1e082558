"""Back home: results verified, joined and put where the stages would have left them."""

from __future__ import annotations

import re
import shutil
import tempfile
from pathlib import Path, PurePosixPath
from typing import Any

from omegaconf import OmegaConf

from pipeline.config.load import PARAMS
from pipeline.engine.progress import Meter
from pipeline.errors import UserError
from pipeline.files import (
    atomic_write_text,
    read_json,
    replace_tree,
    sha256_file,
    tree_hash,
    write_json,
)
from scripts.elsewhere.collect import CURVES, FORMAT, INDEX, parts_of
from scripts.elsewhere.payload import Stored, extract, join

RECORD = "elsewhere"
"""Folder below outputs/ that keeps what the run says of itself."""
_SAFE = re.compile(r"outputs/(calibration\.json|(data|(teachers|labels|train)/[^/]+)/.+)")


def unpack(results: Path, into: Path, *, force: bool = False, params: bool = False) -> str:
    """Put results below `into`, the outputs/ of a workspace; returns what to do next.

    Everything is verified before any file of `into` changes; then whole folders are replaced.
    `params` also writes the run's params.yaml beside `into`. Raises `UserError` for damaged or
    foreign results, for folders that exist with other contents unless `force`, and for a
    params.yaml that says something else unless `params`.
    """
    index = read_index(results)
    _require_params(index, into.absolute().parent / PARAMS, params)
    into.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=into, prefix=".incoming-") as name:
        staged = Path(name)
        _extract_all(results, index, staged)
        folders = _folders(staged)
        _require_free(staged, into, folders, force)
        _record(results, index, staged)
        for folder in [*folders, Path(RECORD)]:
            replace_tree(staged / folder, into / folder)
    if params:
        atomic_write_text(into.absolute().parent / PARAMS, index["params"])
    return advice(index, folders, into)


def read_index(results: Path) -> dict[str, Any]:
    """The index of a results folder. Raises `UserError` when it is not one of ours."""
    path = results / INDEX
    if not path.is_file():
        raise UserError(f"{results} has no {INDEX}; give the folder that run.sh wrote")
    index = read_json(path)
    if not isinstance(index, dict) or index.get("format") != FORMAT:
        raise UserError(f"{path} is not an index of results of format {FORMAT}; update Fovea")
    for file in index["files"]:
        name = file["path"]
        if not _SAFE.fullmatch(name) or ".." in PurePosixPath(name).parts:
            raise UserError(
                f"{path} lists {name!r}, which no stage makes; do not use these results"
            )
    if sha256_file(results / CURVES) != index["curves_sha256"]:
        raise UserError(f"{results / CURVES} is corrupted; copy it again from the other machine")
    return index


def advice(index: dict[str, Any], folders: list[Path], into: Path) -> str:
    """How DVC takes the folders over, and what it will not know."""
    names = [_stage_name(folder) for folder in folders]
    missing = [unit["name"] for unit in index["left_out"]]
    order = [name for name in index["run"]["stages"] if name in names]
    lines = [f"{', '.join((into / folder).as_posix() for folder in folders)}: as collected"]
    if missing:
        lines.append(f"left out there for want of room: {', '.join(missing)}")
    lines += [
        "DVC takes them over as if they had been made here:",
        "  dvc repro prepare",
        f"  dvc commit --force {' '.join(order)}",
        "  dvc repro",
    ]
    roles = index["run"]["images"]["roles"]
    shrunk = [name for name, role in roles.items() if not role["original"]]
    if shrunk:
        height, width = index["run"]["images"]["kept_for"]
        lines.append(
            f"note: the {' and '.join(shrunk)} images were copies shrunk for {height}x{width}; "
            f"dvc.lock cannot say so, {(into / RECORD / INDEX).as_posix()} does"
        )
    return "\n".join(lines)


def _extract_all(results: Path, index: dict[str, Any], staged: Path) -> None:
    files = [Stored(**file) for file in index["files"]]
    with tempfile.TemporaryFile(dir=staged) as stream:
        join(results, parts_of(index), stream)
        with Meter("unpack", len(files), "files") as meter:
            for file in files:
                inside = PurePosixPath(file.path).relative_to("outputs")
                # The list of the images there: kept as a record, never as this workspace's own.
                place = RECORD / inside if inside.parts[0] == "data" else inside
                extract(stream, file, staged / place)
                meter()


def _folders(staged: Path) -> list[Path]:
    found = [path for path in staged.glob("*/*") if path.parent.name != RECORD]
    return sorted(path.relative_to(staged) for path in found)


def _require_free(staged: Path, into: Path, folders: list[Path], force: bool) -> None:
    for folder in folders:
        there = into / folder
        if there.exists() and tree_hash(there) != tree_hash(staged / folder) and not force:
            raise UserError(f"{there} exists with other contents; add --force to replace it")


def _record(results: Path, index: dict[str, Any], staged: Path) -> None:
    write_json(staged / RECORD / INDEX, index)
    shutil.copyfile(results / CURVES, staged / RECORD / CURVES)
    atomic_write_text(staged / RECORD / PARAMS.name, index["params"])


def _require_params(index: dict[str, Any], path: Path, write: bool) -> None:
    """Later stages read params.yaml; another student there would make nonsense of the results."""
    if write or not path.is_file():
        return
    here, there = _plain(OmegaConf.load(path)), _plain(OmegaConf.create(index["params"]))
    differing = [key for key in ("seed", "data", "student") if here.get(key) != there.get(key)]
    if differing:
        raise UserError(
            f"{path} differs from what the run was packed with in {', '.join(differing)}; "
            "add --params to write the run's params.yaml over it"
        )


def _plain(tree: Any) -> dict[str, Any]:
    content = OmegaConf.to_container(tree)
    return {str(k): v for k, v in content.items()} if isinstance(content, dict) else {}


def _stage_name(folder: Path) -> str:
    stage = {"teachers": "teacher", "labels": "label"}.get(folder.parts[0], folder.parts[0])
    return f"{stage}@{folder.name}"
