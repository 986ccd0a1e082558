"""How the student was made, in words: phases, data, measurement, versions, commands."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pipeline import tasks
from pipeline.config.check import NOTHING
from pipeline.config.schema import Config, Phase, TeacherPhase
from pipeline.report.facts import Facts
from pipeline.report.numbers import NOTHING as DASH
from pipeline.report.numbers import count, grouped, scientific

PHASE_COLUMNS = ("Learns from", "Starts from", "Epochs", "Batch", "Optimiser", "Schedule")
DATA_COLUMNS = ("Images", "Left out", "Layout", "Root", "Split", "Hash")
EQUATIONS = {"saliency": " (Eq. 2)"}
"""Of FastSal's paper; other objectives mix their terms in their own ways."""
_ROLES = {"train": "Training", "pool": "Unlabelled pool", "val": "Validation"}


@dataclass(frozen=True)
class Entry:
    """A row of plain texts."""

    title: str
    texts: Sequence[str]


def phase_entries(config: Config) -> list[Entry]:
    """Every training phase of teachers and student in order."""
    entries = []
    for name, teacher in config.student.teachers.items():
        if teacher.weights != "none":
            released = ("released weights", teacher.weights, *(DASH,) * 4)
            entries.append(Entry(f"teacher {name}", released))
            continue
        for key, phase in teacher.phases.items():
            entries.append(Entry(f"teacher {name}, {key}", _teacher_texts(phase)))
    student, pooled = config.student, config.data.pool is not None
    own = [
        Entry(f"{student.name}, {key}", _phase_texts(phase, student.weights, pooled))
        for key, phase in student.phases.items()
    ]
    return entries + own


def _teacher_texts(phase: TeacherPhase) -> list[str]:
    optimiser = f"{phase.optimiser}, lr {_rate(phase.lr)}"
    return ["annotations", DASH, str(phase.epochs), str(phase.batch), optimiser, "constant"]


def _phase_texts(phase: Phase, weights: str, pooled: bool) -> list[str]:
    start = weights if weights != "none" else "random weights"
    if phase.init != NOTHING:
        start = f"{_name(phase.init)}, {'all weights' if phase.take == 'all' else phase.take}"
    optimiser = f"{phase.optimiser.kind}, lr {_rate(phase.optimiser.lr)}"
    return [
        learns_from(phase, pooled),
        start,
        str(phase.epochs),
        str(phase.batch),
        optimiser,
        _schedule(phase),
    ]


def learns_from(phase: Phase, pooled: bool) -> str:
    """What the loss compares the student with; `pooled`: whether there is an unlabelled pool."""
    pool = " (pool too)" if phase.pool and pooled else ""
    if phase.objective == "hint":
        return f"features of {_name(phase.teacher)} (Eq. 1){pool}"
    parts = []
    if phase.teacher_weight > 0:
        parts.append(f"{phase.teacher_weight:g} × labels by {_name(phase.labels)}{pool}")
    if phase.truth_weight > 0:
        parts.append(f"{phase.truth_weight:g} × annotations")
    return " + ".join(parts) + EQUATIONS.get(phase.objective, "")


def _rate(rate: float) -> str:
    return f"{rate:g}" if rate >= 1e-4 else scientific(rate)


def _schedule(phase: Phase) -> str:
    schedule = phase.schedule
    if schedule.kind == "steps":
        drops = ", ".join(str(epoch) for epoch in schedule.milestones)
        return f"× {schedule.gamma:g} after epochs {drops}" if drops else "constant"
    warmup = f", warm-up {schedule.warmup:g} epochs" if schedule.warmup else ""
    return f"{schedule.kind}{warmup}"


def _name(folder: str) -> str:
    return folder.rsplit("/", 1)[-1]


def data_entries(roles: Mapping[str, Mapping[str, Any]]) -> list[Entry]:
    """Every role of the data."""
    return [
        Entry(
            _ROLES.get(name, name),
            [
                grouped(role["count"]),
                str(role["held_out"]),
                role["layout"],
                role["root"],
                role["split"],
                role["sha256"][:8],
            ],
        )
        for name, role in sorted(roles.items(), key=lambda item: list(_ROLES).index(item[0]))
    ]


def settings(facts: Facts) -> list[tuple[str, str]]:
    """Names and values of what else decides the result."""
    config = facts.config
    latency, budget = config.latency, config.budget
    said = {file.recipe: f"{file.recipe} ({file.summary})" for file in facts.files}
    recipes = "; ".join(said.get(name, name) for name in config.export.recipes) or DASH
    gated = " and ".join(tasks.of(config.student).gated)
    protocol = f"{latency.repeats} repeats of {latency.iterations} runs"
    overrides = ", ".join(f"{k}={v}" for k, v in config.student.overrides.items())
    return [
        ("Student", config.student.name + (f" ({overrides})" if overrides else "")),
        ("Input", f"RGB 0–255, {facts.height} × {facts.width} pixels, height first"),
        ("Profile", f"{config.profile.name}, seed {config.seed}"),
        ("Data", config.data.name + ("" if config.data.real else ", generated scenes")),
        ("Calibration", f"{count(facts.calibration, 'training image')} for int8 files"),
        ("Recipes", recipes),
        ("Latency", f"{latency.threads} threads, {latency.warmup} warm-ups, {protocol}"),
        ("Budget", f"{gated} may lose {100 * budget.metric_loss:.3g} % of torch’s value"),
        ("Versions", ", ".join(f"{k} {v}" for k, v in sorted(facts.versions.items()))),
    ]


COMMANDS = {
    "files": "dvc repro check latency report",
    "inspected": "dvc repro check report",
    "runs": "dvc repro latency report",
    "accuracy": "dvc repro evaluate report",
    "trade": "dvc repro --force --single-item report",
    "pictures": "dvc repro evaluate check report",
    "drops": "dvc repro check report",
    "training": "dvc repro train report",
    "lineage": "dvc repro bundle report",
}
"""What makes each figure of the page; the shelf is no dependency, so reading it again is forced."""


def commands(config: Config) -> list[str]:
    """What to type to make this page again."""
    roles = [config.data.train, config.data.pool, config.data.val]
    roots = sorted({r.root for r in roles if r is not None and not r.root.startswith("sample/")})
    names = {config.student.weights, *(t.weights for t in config.student.teachers.values())}
    weights = sorted(names - {"none", "torchvision"})
    lines = [f"fovea data add {root} PATH" for root in roots]
    lines += [f"fovea weights add {name} PATH" for name in weights]
    return [*lines, "dvc repro"]
