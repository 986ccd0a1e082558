"""Pairs of students and recipes, and the loop that fills the ledger with those it lacks."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

from benchmarks.exports import ledger
from benchmarks.exports.ledger import Row
from benchmarks.exports.subject import Subject
from mobile.backend import get_backend
from mobile.export import package_versions
from mobile.recipes import Recipe
from pipeline.files import sha256_json

SCHEMA = 1
Measure = Callable[["Pair"], Mapping[str, Any]]
"""What is found of a pair: fields of `Row` that are not of the pair itself; `error` for why not."""


@dataclass(frozen=True)
class Pair:
    """One student by one recipe, and all that decides what comes of it."""

    subject: Subject
    recipe: Recipe
    images: str
    """Which photographs, in words; their ids are part of it."""
    threads: int
    machine: str = ""

    @property
    def settings(self) -> str:
        """Hash of the student and its code, the recipe and its packages, and the photographs."""
        taken = self.subject
        spec = taken.spec
        return sha256_json(
            {
                "schema": SCHEMA,
                "student": [taken.name, dict(taken.overrides), taken.weights, taken.code],
                "input": [spec.height, spec.width, spec.output],
                "recipe": asdict(self.recipe),
                "versions": package_versions(get_backend(self.recipe.backend)),
                "images": self.images,
                "threads": self.threads,
            }
        )[:16]

    @property
    def title(self) -> str:
        """As it is spoken of."""
        spec = self.subject.spec
        return f"{self.subject.name} {spec.height}x{spec.width} by {self.recipe.name}"


def pairs(
    subjects: Sequence[Subject], recipes: Sequence[Recipe], images: str, threads: int, machine: str
) -> Iterator[Pair]:
    """Every student by every recipe, one student after the other."""
    for taken in subjects:
        for recipe in recipes:
            yield Pair(taken, recipe, images, threads, machine)


def fill(wanted: Sequence[Pair], path: Path, measure: Measure, *, retry: bool = False) -> list[Row]:
    """Measure what the ledger at `path` lacks, with `retry` what failed, too; failures of now.

    Each row is in the ledger before the next pair begins.
    """
    known = {row.settings for row in ledger.read(path) if not (retry and row.error)}
    failures = []
    for number, pair in enumerate(wanted, 1):
        if pair.settings in known:
            print(f"{pair.title}: in {path} already", flush=True)
            continue
        print(f"{pair.title}: {number} of {len(wanted)} …", flush=True)
        row = row_of(pair, measure(pair))
        ledger.add(path, row)
        print(f"{pair.title}: {summary(row)}", flush=True)
        failures += [row] if row.error else []
    return failures


def row_of(pair: Pair, found: Mapping[str, Any]) -> Row:
    """A row of the ledger; what is found beyond its fields is left out."""
    own = {
        "settings": pair.settings,
        "student": pair.subject.name,
        "recipe": pair.recipe.name,
        "size": [pair.subject.spec.height, pair.subject.spec.width],
        "weights": pair.subject.weights,
        "images": pair.images,
        "machine": pair.machine,
    }
    known = {each.name for each in fields(Row)}
    return Row(**({name: value for name, value in found.items() if name in known} | own))


def summary(row: Row) -> str:
    """One line of what came out."""
    if row.error:
        return f"failed: {row.error}"
    parts = [f"{(row.bytes or 0) / 2**20:.2f} MiB"]
    if row.delegation:
        parts.append(f"{row.delegation['delegated']}/{row.delegation['total']} delegated")
    if row.parity:
        parts.append(f"largest difference {row.parity['max_abs']:.2g}")
    if row.ms:
        parts.append(f"{row.ms['p50']:.1f} ms")
    parts.append("not linted" if row.lint is None else f"{len(row.lint)} findings")
    return ", ".join(parts)
