"""Entries of the shelf, made from the fixture's own bundle."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from mobile import manifest
from pipeline import shelf
from pipeline.files import read_json, sha256_bytes, write_json
from pipeline.paths import BUNDLE


def shelve(
    key: str,
    student: str = "fastsal_c",
    *,
    cc: float = 0.0,
    times: float = 1.0,
    validation: str | None = None,
    row: Mapping[str, Any] | None = None,
) -> Path:
    """Put the bundle on the shelf as another student's.

    `cc` is added to every CC, `times` multiplies every time; `validation` is the hash of other
    validation images, `row` changes fields of every latency row.
    """
    content = copy.deepcopy(read_json(BUNDLE / manifest.NAME))
    for entry in content["artefacts"].values():
        entry["student"] = student
        entry["sha256"] = sha256_bytes(f"{key} {entry['recipe']}".encode())
        for measured in (entry["metrics"]["metrics"] or {}).values():
            measured["file"] += cc
            measured["torch"] += cc
        for timed in entry["latency"]:
            for name in ("p50_ms", "low_ms", "high_ms"):
                timed[name] *= times
            timed.update(row or {})
    if validation is not None:
        content["lineage"]["data"]["val"] |= {"sha256": validation, "root": "elsewhere"}
    home = shelf.root() / student / key
    write_json(home / "bundle" / manifest.NAME, content)
    return home
