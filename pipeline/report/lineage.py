"""What was made from what: nodes with their hashes and sizes, and the arrows between them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from pipeline.config.schema import Phase
from pipeline.report.facts import Facts
from pipeline.report.numbers import count, mib

DATA, TEACHERS, LABELS, STUDENT, FILES = range(5)
COLUMNS = ("Images", "Teachers", "Pseudo-labels", "Student", "Files")
_ROLES = {"train": "training images", "pool": "unlabelled pool", "val": "validation images"}


@dataclass(frozen=True)
class Node:
    """One thing that was made, or that all was made from."""

    key: str
    column: int
    """Index of `COLUMNS`."""
    title: str
    note: str
    digest: str = ""
    """SHA-256, empty where it is not known."""


@dataclass(frozen=True)
class Graph:
    """Nodes column by column, and edges from key to key."""

    nodes: Sequence[Node]
    edges: Sequence[tuple[str, str]] = field(default_factory=tuple)


def graph(facts: Facts) -> Graph:
    """From images to exported files, as this workspace was configured."""
    nodes = [*_data(facts), *_teachers(facts), *_phases(facts), *_files(facts)]
    known = {node.key for node in nodes}
    edges = [edge for edge in _edges(facts) if known.issuperset(edge)]
    return Graph(nodes, list(dict.fromkeys(edges)))


def _data(facts: Facts) -> list[Node]:
    nodes = [
        Node(f"data {name}", DATA, _ROLES.get(name, name), _counted(name, role), role["sha256"])
        for name, role in sorted(facts.roles.items(), key=lambda item: list(_ROLES).index(item[0]))
    ]
    if any(file.calibrated for file in facts.files):
        note = f"{facts.calibration} of training"
        digest = facts.digests.get("calibration", "")
        nodes.append(Node("calibration", DATA, "calibration images", note, digest))
    return nodes


def _counted(name: str, role: Mapping[str, Any]) -> str:
    """How many images, and that the validation images only measure."""
    return f"{role['count']}, only measured on" if name == "val" else str(role["count"])


def _teachers(facts: Facts) -> list[Node]:
    nodes = []
    for name, teacher in facts.config.student.teachers.items():
        made = teacher.weights
        if made == "none":
            made = " → ".join(teacher.phases)
        digests = facts.digests
        key = f"teacher {name}"
        nodes.append(Node(key, TEACHERS, name, made, digests.get(key, "")))
        if any(_named(p.labels) == name for p in facts.config.student.phases.values()):
            labelled = [role for part, role in facts.roles.items() if part in ("train", "pool")]
            maps = count(sum(role["count"] for role in labelled), "map")
            key = f"labels {name}"
            nodes.append(Node(key, LABELS, f"maps by {name}", maps, digests.get(key, "")))
    return nodes


def _phases(facts: Facts) -> list[Node]:
    student, nodes = facts.config.student, []
    for name, phase in student.phases.items():
        title = f"{student.name}, {name}"
        note = count(phase.epochs, "epoch")
        if name == _named(student.final):
            note += f", {mib(facts.checkpoint_bytes)} MiB"
        key = f"phase {name}"
        nodes.append(Node(key, STUDENT, title, note, facts.digests.get(key, "")))
    return nodes


def _files(facts: Facts) -> list[Node]:
    return [
        Node(
            f"file {file.recipe}",
            FILES,
            file.title,
            f"{mib(file.bytes)} MiB" + ("" if file.executed else ", not executed"),
            file.sha256,
        )
        for file in facts.files
    ]


def _edges(facts: Facts) -> list[tuple[str, str]]:
    student = facts.config.student
    edges: list[tuple[str, str]] = []
    for name, teacher in student.teachers.items():
        if teacher.weights == "none":
            edges.append(("data train", f"teacher {name}"))
        edges.append((f"teacher {name}", f"labels {name}"))
        edges += [("data train", f"labels {name}"), ("data pool", f"labels {name}")]
    for name, phase in student.phases.items():
        edges += _into(name, phase)
    for file in facts.files:
        edges.append((f"phase {_named(student.final)}", f"file {file.recipe}"))
        if file.calibrated:
            edges.append(("calibration", f"file {file.recipe}"))
    return edges


def _into(name: str, phase: Phase) -> list[tuple[str, str]]:
    """What a phase learns from; keys of other kinds than exist are dropped by the caller."""
    sources = ["data train"]
    if phase.pool:
        sources.append("data pool")
    sources.append(f"phase {_named(phase.init)}")
    if phase.objective == "hint":
        sources.append(f"teacher {_named(phase.teacher)}")
    elif phase.teacher_weight > 0:
        sources.append(f"labels {_named(phase.labels)}")
    return [(source, f"phase {name}") for source in sources]


def columns(found: Graph) -> Mapping[int, Sequence[Node]]:
    """Nodes by column, empty columns left out."""
    kept: dict[int, list[Node]] = {}
    for node in found.nodes:
        kept.setdefault(node.column, []).append(node)
    return dict(sorted(kept.items()))


def _named(folder: str) -> str:
    return folder.rsplit("/", 1)[-1]
