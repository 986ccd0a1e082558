"""One archive with all that a run on another machine needs."""

from __future__ import annotations

import gzip
import io
import json
import tarfile
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from omegaconf import OmegaConf

from pipeline import provenance
from pipeline.config.load import compose_raw, typed
from pipeline.engine.progress import Meter
from pipeline.errors import UserError
from pipeline.files import atomic_path
from scripts.elsewhere import contents, steps
from scripts.elsewhere.contents import Entry
from scripts.elsewhere.images import MIB, model_size, pack_images
from scripts.elsewhere.run_script import run_script
from scripts.elsewhere.shrink import MARGIN

FOLDER = "fovea-run"
"""The one folder the archive unpacks to."""
MANIFEST = "manifest.json"
FORMAT = 1
ENDINGS = (".tar.gz", ".tgz", ".tar")


@dataclass(frozen=True)
class Request:
    """What the user asked for."""

    out: Path
    overrides: Sequence[str] = ()
    size: int | None = None
    """Width of the model input images are kept for; None: the models' own."""
    original: bool = False
    """Images as they are."""
    limit_mib: float = 60.0
    stages: Sequence[str] = field(default_factory=list)


def pack(request: Request, workspace: Path = Path()) -> dict[str, Any]:
    """Write the archive, whole or not at all; returns its manifest.

    Raises `UserError` for a configuration that cannot work, a folder that is no workspace, data,
    weights or outputs that are missing, and when the limit does not hold everything.
    """
    _require_places(request.out, workspace)
    tree = compose_raw(request.overrides, workspace / "conf")
    config = typed(tree, "conf/")
    chosen = steps.chosen(request.stages, config)
    needed = steps.needed(chosen, config, workspace)
    weights = contents.weights(config)
    inside = {name: contents.weights_name(name, path) for name, path in weights.items()}
    size = None if request.original else model_size(config, request.size)

    entries = [*contents.code(workspace), *contents.vendored()]
    entries += [Entry(inside[name], path) for name, path in weights.items()]
    entries += contents.outputs(needed, workspace)
    room = int(request.limit_mib * MIB) - contents.total(entries)
    if room <= 0:
        raise _no_room(entries, request.limit_mib)
    images = pack_images(config, size, room)
    script = run_script(chosen, images.roots, inside)
    entries += [Entry("params.yaml", OmegaConf.to_yaml(tree).encode())]
    entries += [Entry("run.sh", script.encode()), *images.entries]
    manifest = {
        "format": FORMAT,
        "commit": contents.commit(workspace),
        "overrides": list(request.overrides),
        "stages": [step.name for step in chosen],
        "student": config.student.name,
        "final": config.student.final,
        "downloads_weights": contents.downloads(config),
        "images": {
            "roles": images.roles,
            "kept_for": size and list(size),
            "margin": size and MARGIN,
        },
        "packed_with": provenance.versions(),
    }
    _write(request.out, entries, manifest, request.limit_mib)
    return manifest


def _require_places(out: Path, workspace: Path) -> None:
    if not (workspace / "conf" / "config.yaml").is_file():
        raise UserError(f"{workspace.absolute()} has no conf/; run from the project's folder")
    if not out.name.endswith(ENDINGS):
        raise UserError(f"--out {out} must end in one of {', '.join(ENDINGS)}")


def _no_room(entries: Sequence[Entry], limit_mib: float) -> UserError:
    used = contents.total(entries) / MIB
    largest = max(entries, key=lambda entry: entry.size)
    return UserError(
        f"code, weights and earlier outputs alone take {used:.1f} MiB, "
        f"{used - limit_mib:.1f} MiB over the limit of {limit_mib:g} MiB (the largest is "
        f"{largest.name}, {largest.size / MIB:.1f} MiB); raise --limit-mib, or choose other "
        "--stages or weights"
    )


def _write(out: Path, entries: Sequence[Entry], manifest: dict[str, Any], limit_mib: float) -> None:
    """The archive. Equal entries give equal bytes: names sorted, no times, no owners."""
    ordered = sorted(entries, key=lambda entry: entry.name)
    manifest["files"] = {e.name: {"bytes": e.size, "sha256": e.sha256} for e in ordered}
    text = json.dumps(manifest, indent=2, sort_keys=True) + "\n"
    with atomic_path(out) as temporary:
        _write_archive(temporary, text, ordered, plain=out.name.endswith(".tar"))
        size = temporary.stat().st_size / MIB
        if size > limit_mib:
            raise UserError(
                f"the archive takes {size:.1f} MiB, {size - limit_mib:.1f} MiB over --limit-mib "
                f"{limit_mib:g}; raise it, or lower -S data.train.limit or -S data.val.limit"
            )


def _write_archive(path: Path, text: str, ordered: Sequence[Entry], *, plain: bool) -> None:
    with ExitStack() as stack:
        raw: Any = stack.enter_context(path.open("wb"))
        if not plain:
            raw = stack.enter_context(gzip.GzipFile("", "wb", 6, raw, mtime=0))
        archive = stack.enter_context(tarfile.open(fileobj=raw, mode="w|"))
        _add(archive, Entry(MANIFEST, text.encode()))
        with Meter("write", len(ordered), "files") as meter:
            for entry in ordered:
                _add(archive, entry)
                meter()


def _add(archive: tarfile.TarFile, entry: Entry) -> None:
    content = entry.content
    data = content if isinstance(content, bytes) else content.read_bytes()
    info = tarfile.TarInfo(f"{FOLDER}/{entry.name}")
    info.size = len(data)
    info.mode = 0o755 if entry.name == "run.sh" else 0o644
    archive.addfile(info, io.BytesIO(data))
