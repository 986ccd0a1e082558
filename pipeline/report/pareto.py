"""Which artefacts no other one beats."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from pipeline.report.artefacts import Artefact

DIGITS = 4
"""Accuracies are compared as they are shown: what differs further behind is rounding."""

Costs = tuple[float, ...]
"""Less is better in every part."""


def front(artefacts: Sequence[Artefact], metric: str) -> list[Artefact]:
    """Exported files that none beats in accuracy and time together, the fastest first."""

    def costs(artefact: Artefact) -> Costs:
        return (_error(artefact, metric), _time(artefact))

    return sorted(_unbeaten(artefacts, costs), key=_time)


def unbeaten(artefacts: Sequence[Artefact], metric: str) -> list[Artefact]:
    """Exported files that none beats in accuracy, time and size together."""

    def costs(artefact: Artefact) -> Costs:
        return (_error(artefact, metric), _time(artefact), float(artefact.bytes))

    return _unbeaten(artefacts, costs)


def _unbeaten(artefacts: Sequence[Artefact], costs: Callable[[Artefact], Costs]) -> list[Artefact]:
    files = [artefact for artefact in artefacts if artefact.placed and artefact.kind != "torch"]
    priced = [(artefact, costs(artefact)) for artefact in files]
    return [a for a, own in priced if not any(beats(other, own) for _, other in priced)]


def beats(costs: Costs, other: Costs) -> bool:
    """Whether `costs` are nowhere higher than `other` and somewhere lower."""
    return costs != other and all(a <= b for a, b in zip(costs, other, strict=True))


def _error(artefact: Artefact, metric: str) -> float:
    assert artefact.metrics is not None
    return -round(artefact.metrics[metric].file, DIGITS)


def _time(artefact: Artefact) -> float:
    assert artefact.ms is not None
    return artefact.ms[0]
