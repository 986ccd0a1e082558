"""Verify every shard of a store and seal it with its manifest."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from pipeline.errors import UserError
from pipeline.files import read_json, write_json
from pipeline.labels import shards, temporary
from pipeline.labels.spec import LabelSpec

MANIFEST = "labels.json"


def merge(spec: LabelSpec, folder: Path) -> dict[str, Any]:
    """Check all shards to the last byte and write `labels.json`; returns its content.

    For after all writers have ended: their leftover temporary files are removed.
    Raises `UserError` naming the shards that are missing, corrupted or of other labels.
    """
    require_sound(spec, folder)
    expected = {spec.data_name(shard) for shard in range(spec.shards)}
    expected |= {spec.sidecar_name(shard) for shard in range(spec.shards)}
    strays = sorted(path.name for path in folder.glob("shard-*") if path.name not in expected)
    if strays:
        raise UserError(
            f"{folder} holds {len(strays)} files of other labels, first {strays[0]}; "
            "remove them, or label into an empty folder"
        )
    content = manifest(spec, folder)
    write_json(folder / MANIFEST, content)
    temporary.remove_all(folder)
    return content


def manifest(spec: LabelSpec, folder: Path) -> dict[str, Any]:
    """Give the content of `labels.json` for the shards in `folder`, which must be sound."""
    return {
        **spec.header(),
        "key": spec.key(),
        "count": len(spec.ids),
        "shards": [_entry(spec, folder, shard) for shard in range(spec.shards)],
    }


def require_sound(spec: LabelSpec, folder: Path) -> None:
    """Raise `UserError` naming every shard (five at most in words) that fails its check."""
    found = (shards.fault(spec, folder, shard) for shard in range(spec.shards))
    faults = [text for text in found if text is not None]
    if faults:
        more = f"; and {len(faults) - 5} more shards" if len(faults) > 5 else ""
        raise UserError(
            f"labels in {folder}: {'; '.join(faults[:5])}{more}; {shards.again(spec.teacher)}"
        )


def _entry(spec: LabelSpec, folder: Path, shard: int) -> dict[str, Any]:
    digest = read_json(folder / spec.sidecar_name(shard))["sha256"]
    return {"data": spec.data_name(shard), "sidecar": spec.sidecar_name(shard), "sha256": digest}
