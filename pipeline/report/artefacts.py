"""Every exported file there is to compare: of this run and on the shelf, grouped by what may be.

Times are comparable on one machine under one protocol, accuracies on one set of images. Files that
share both stand on one `Ground`; no figure mixes two grounds.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from pipeline.report.facts import Facts, File, Loss, backend_name
from pipeline.report.numbers import count, short

_PROTOCOL = ("host", "device", "source", "threads", "affinity", "clocks", "input_shape")
"""Fields of a latency row that must agree before two times are compared."""


@dataclass(frozen=True)
class Ground:
    """What figures rest on; equal grounds may be compared."""

    validation: str
    """Hash of the manifest of the validation images."""
    machine: str
    """The agreeing fields of a latency row as JSON, empty where nothing was timed."""
    images: str = field(default="", compare=False)
    """The validation images in words."""
    host: str = field(default="", compare=False)
    """The machine in words."""


@dataclass(frozen=True)
class Artefact:
    """One exported file with its size, its time and its accuracy."""

    student: str
    title: str
    """`ExecuTorch int8`."""
    kind: str
    """`torch`, `float` or `quantised`."""
    origin: str
    """Key of its entry on the shelf; empty for this run."""
    sha256: str
    bytes: int
    ground: Ground
    ms: tuple[float, float, float] | None = None
    """Median time and its 95 % interval in milliseconds; None when not timed."""
    metrics: Mapping[str, Loss] | None = None
    """None when the file was not executed."""
    problems: Sequence[str] = ()
    reason: str = ""
    """Why it was not executed, or not timed."""
    task: str = ""
    """Of its student, where it came from the shelf: other tasks have other metrics."""

    @property
    def name(self) -> str:
        """Student and file."""
        return f"{self.student} {self.title}"

    @property
    def placed(self) -> bool:
        """Whether it has all three: accuracy, time and size."""
        return self.ms is not None and self.metrics is not None


def of_run(facts: Facts) -> list[Artefact]:
    """Torch, where it was timed, and every file of this run."""
    found = [_own(facts, file) for file in facts.files]
    executed = next((file for file in facts.files if file.executed), None)
    if facts.torch is None or executed is None:
        return found
    row = facts.torch.row
    plain = {name: Loss(m.torch, m.torch, 0, 0, 0) for name, m in executed.metrics.items()}
    torch = Artefact(
        student=facts.config.student.name,
        title="torch",
        kind="torch",
        origin="",
        sha256=row["artefact_sha256"],
        bytes=facts.checkpoint_bytes,
        ground=ground(facts.roles["val"], row),
        ms=_ms(row),
        metrics=plain,
    )
    return [torch, *found]


def _own(facts: Facts, file: File) -> Artefact:
    row = file.timing.row if file.timing else None
    return Artefact(
        student=facts.config.student.name,
        title=file.title,
        kind=_kind(file.precision),
        origin="",
        sha256=file.sha256,
        bytes=file.bytes,
        ground=ground(facts.roles["val"], row),
        ms=_ms(row),
        metrics=file.metrics if file.executed else None,
        problems=file.problems,
        reason=file.reason or file.untimed or "",
    )


def of_bundle(manifest: Mapping[str, Any], key: str) -> list[Artefact]:
    """Every file of a bundle on the shelf, once for each machine it was timed on."""
    found = []
    for entry in manifest["artefacts"].values():
        rows = entry["latency"] or [None]
        found += [_shelved(manifest, entry, row, key) for row in rows]
    return found


def _shelved(
    manifest: Mapping[str, Any],
    entry: Mapping[str, Any],
    row: Mapping[str, Any] | None,
    key: str,
) -> Artefact:
    checked = entry["metrics"] or {}
    metrics = checked.get("metrics") or {}
    losses = {name: Loss(**values) for name, values in metrics.items()}
    return Artefact(
        student=entry["student"],
        title=f"{backend_name(entry['backend'])} {entry['precision']}",
        kind=_kind(entry["precision"]),
        origin=key,
        sha256=entry["sha256"],
        bytes=entry["bytes"],
        ground=ground(manifest["lineage"]["data"]["val"], row),
        ms=_ms(row),
        metrics=losses or None,
        problems=checked.get("problems") or (),
        reason=_reason(entry, bool(losses)),
        task=manifest["spec"]["task"],
    )


def _reason(entry: Mapping[str, Any], measured: bool) -> str:
    """Why a file of a bundle has no place among the others; empty where it has one."""
    known: str | None = entry.get("reason") or entry.get("untimed")
    return known or ("" if measured else "not measured when it was bundled")


def ground(role: Mapping[str, Any], row: Mapping[str, Any] | None) -> Ground:
    """Of the validation role of a data manifest and a latency row."""
    machine = host = ""
    if row is not None:
        machine = json.dumps([row[name] for name in _PROTOCOL])
        host = f"{row['device']}, {count(row['threads'], 'thread')}, {short(row['host'])}"
        if row["source"] != "host-proxy":
            host += f", {row['source']}"
    images = f"{role['root']} {role['split']}, {count(role['count'], 'image')}"
    return Ground(role["sha256"], machine, images, host)


def merge(own: Sequence[Artefact], shelf: Iterable[Artefact]) -> list[Artefact]:
    """What this run made, then the shelf's without what is the same file on the same ground."""
    known = {(artefact.sha256, artefact.ground) for artefact in own}
    found = list(own)
    for artefact in shelf:
        if (artefact.sha256, artefact.ground) not in known:
            known.add((artefact.sha256, artefact.ground))
            found.append(artefact)
    return found


def grouped(artefacts: Sequence[Artefact]) -> list[tuple[Ground, list[Artefact]]]:
    """Artefacts that have accuracy and time by ground, in the order of their first."""
    groups: dict[Ground, list[Artefact]] = {}
    for artefact in artefacts:
        if artefact.placed:
            groups.setdefault(artefact.ground, []).append(artefact)
    return list(groups.items())


def _kind(precision: str) -> str:
    return "float" if precision.startswith("fp") else "quantised"


def _ms(row: Mapping[str, Any] | None) -> tuple[float, float, float] | None:
    return None if row is None else (row["p50_ms"], row["low_ms"], row["high_ms"])
