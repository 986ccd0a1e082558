"""What a rule of the gate is, and asking all of them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from mobile.backend import Delegation
from mobile.recipes import Recipe

if TYPE_CHECKING:
    from mobile.latency_row import LatencyRow
    from pipeline.config.schema import Budget


@dataclass(frozen=True)
class Facts:
    """What was measured of one exported file; None or empty where it was not."""

    recipe: Recipe
    bytes: int
    parameters: int | None
    """Of the student; None where nobody says."""
    delegation: Delegation | None
    parity: Mapping[str, Any] | None
    """`mobile.parity.Summary` over real images, as JSON."""
    losses: Mapping[str, Mapping[str, float]] | None
    """By gated metric: `torch`, `difference`, `low` and `high` of its paired 95 % interval."""
    latency: Sequence[LatencyRow] = ()
    strata: Mapping[str, Mapping[str, Any]] | None = None
    """By stratum: `images`, and the losses of gated metrics where they are enough."""


@dataclass(frozen=True)
class Verdict:
    """One rule's word on one artefact."""

    rule: str
    value: str
    """What was measured, as people read it."""
    bound: str
    passed: bool
    way_out: str
    """What to do about it; asked for only where it did not pass."""

    def sentence(self) -> str:
        """The verdict where it did not pass, in one line."""
        return f"{self.rule}: {self.value}, allowed {self.bound}; {self.way_out}"


Rule = Callable[[Facts, "Budget"], Iterable[Verdict]]
_RULES: list[Rule] = []


def rule(function: Rule) -> Rule:
    """Register a rule: facts and budget -> a verdict for each thing it looked at."""
    _RULES.append(function)
    return function


def judge(facts: Facts, budget: Budget) -> list[Verdict]:
    """Every rule's verdicts on one artefact, passed ones too."""
    return [verdict for each in _RULES for verdict in each(facts, budget)]


def problems(verdicts: Iterable[Verdict]) -> Iterator[str]:
    """A line for each verdict that did not pass."""
    return (verdict.sentence() for verdict in verdicts if not verdict.passed)
