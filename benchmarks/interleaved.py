"""Rates taken in turns, so that whatever else a machine does slows all of them alike.

Beside the wall clock, processor time (user and system, of this process and of the workers it
waited for): it hardly depends on who else is there, but on a GPU it says nothing.
"""

from __future__ import annotations

import json
import resource
import statistics
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from pipeline.files import write_json

Work = Callable[[], Callable[[], int]]
"""Makes ready, and returns what is measured: it does something to as many images as it says."""


@dataclass(frozen=True)
class Used:
    """What one turn of a work took."""

    images: int
    seconds: float
    processor: float

    @property
    def rate(self) -> float:
        """Images per second of the wall clock."""
        return self.images / self.seconds

    @property
    def cost(self) -> float:
        """Milliseconds of processor time per image."""
        return 1000 * self.processor / self.images


def measure(work: Work) -> Used:
    """One turn."""
    processor = processor_time()
    ready = work()
    wall = time.perf_counter()
    images = ready()
    if torch.cuda.is_available():
        torch.cuda.synchronize()
    return Used(images, time.perf_counter() - wall, processor_time() - processor)


def in_turns(works: Mapping[str, Work], repeats: int) -> dict[str, list[Used]]:
    """`repeats` turns of each work, one after the other."""
    found: dict[str, list[Used]] = {name: [] for name in works}
    for turn in range(repeats):
        for name, work in works.items():
            found[name].append(measure(work))
            if sys.stderr.isatty():
                print(f"turn {turn + 1}/{repeats}: {name}", file=sys.stderr, flush=True)
    return found


def row(name: str, found: Sequence[Used], base: Sequence[Used]) -> dict[str, Any]:
    """Medians over the turns; ratios are those of each turn, by both clocks."""
    rates = [turn.rate / other.rate for turn, other in zip(found, base, strict=True)]
    costs = [other.cost / turn.cost for turn, other in zip(found, base, strict=True)]
    return {
        "what": name,
        "images_per_s": round(statistics.median(turn.rate for turn in found), 1),
        "processor_ms_per_image": round(statistics.median(turn.cost for turn in found), 2),
        "times_by_wall": round(statistics.median(rates), 2),
        "times_by_wall_least_most": [round(min(rates), 2), round(max(rates), 2)],
        "times_by_processor": round(statistics.median(costs), 2),
    }


def table(rows: Sequence[Mapping[str, Any]]) -> str:
    """Rows of like keys as Markdown."""
    names = list(dict.fromkeys(name for row in rows for name in row))
    lines = ["| " + " | ".join(name.replace("_", " ") for name in names) + " |"]
    lines.append("|---" * len(names) + "|")
    for found in rows:
        cells = ["" if (value := found.get(name)) is None else str(value) for name in names]
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines)


def keep(path: Path | None, content: dict[str, Any]) -> None:
    """Write `content` as JSON where the user wants it."""
    if path is not None:
        write_json(path, json.loads(json.dumps(content)))


def processor_time() -> float:
    """User and system seconds of this process and of the children it has waited for."""
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(each.ru_utime + each.ru_stime for each in used)
