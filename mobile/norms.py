"""Normalisations in a graph of operators, told by the inverse square root in their middle.

A variance is a small number of a wide range: in steps of a 255th of its largest value most of it
is 0, and what it divides is lost. Int8 leaves normalisations in float, from the deviation of the
input to the scale and shift at the end; what goes in and comes out is rounded by its neighbours.
Layer norm and group norm that are written out look alike in every framework: x - mean, the mean of
its square, + epsilon, rsqrt, times the deviation and, perhaps, a constant times and plus.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

AVERAGES = {"mean", "sum", "conv2d", "conv_2d", "reshape", "view"}
"""How a mean over channels or positions is written, and what may stand around it."""
BETWEEN = {"add", "mul", "square", "pow"} | AVERAGES


@dataclass(frozen=True)
class Step:
    """One operator: what it does in lower case (`mul`), and which operators make its inputs.

    Constants and the input of the graph are left out.
    """

    kind: str
    inputs: Sequence[int]


def of_normalisations(graph: Mapping[int, Step]) -> set[int]:
    """Those operators of `graph`, numbered as they are there, that are part of a normalisation."""
    users: dict[int, list[int]] = {}
    for number, step in graph.items():
        for source in step.inputs:
            users.setdefault(source, []).append(number)
    found: set[int] = set()
    roots = [number for number, step in graph.items() if step.kind == "rsqrt"]
    for root, product in [(number, user) for number in roots for user in users.get(number, [])]:
        deviation = [source for source in graph[product].inputs if source != root]
        if graph[product].kind != "mul" or len(deviation) != 1:
            continue
        variance = _between(graph, deviation[0], root)
        if variance:
            found |= {root, product} | variance
            found |= _centring(graph, deviation[0]) | _affine(graph, users, product)
    return found


def _between(graph: Mapping[int, Step], first: int, last: int) -> set[int]:
    """From `first` to `last`, both left out; empty unless all ways back from `last` end there."""
    reached: set[int] = set()
    pending = list(graph[last].inputs)
    while pending:
        number = pending.pop()
        if number == first or number in reached:
            continue
        if graph[number].kind not in BETWEEN or not graph[number].inputs:
            return set()
        reached.add(number)
        pending += graph[number].inputs
    return reached


def _centring(graph: Mapping[int, Step], number: int) -> set[int]:
    """The difference of something and its own mean, and what makes the mean."""
    found: set[int] = set()
    while graph[number].kind in {"reshape", "view"}:
        found.add(number)
        (number,) = graph[number].inputs
    if graph[number].kind != "sub" or len(graph[number].inputs) != 2:
        return found
    x, mean = graph[number].inputs
    average = {mean} | _between(graph, x, mean) if graph[mean].kind in AVERAGES else set()
    return found | {number} | average


def _affine(graph: Mapping[int, Step], users: Mapping[int, list[int]], number: int) -> set[int]:
    """A constant times and plus behind `number`, where nothing else reads what is between."""
    found: set[int] = set()
    while len(users.get(number, [])) == 1:
        (number,) = users[number]
        kind, inputs = graph[number].kind, graph[number].inputs
        if kind not in {"mul", "add", "reshape", "view"} or len(inputs) != 1:
            break
        found.add(number)
    return found
