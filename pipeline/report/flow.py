"""The lineage drawn from left to right: boxes in columns, arrows that pass between them.

An arrow to a farther column runs through a lane of its own in every column between, so none passes
behind a box; arrows from one box share their lanes.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from markupsafe import Markup

from pipeline.report.lineage import COLUMNS, Graph, Node, columns
from pipeline.report.numbers import short
from pipeline.report.svg import drawing, element, label

BOX_WIDTH, BOX_HEIGHT = 168.0, 60.0
LANE = 8.0
"""Height of a lane, pixels."""
ROW_GAP = 14.0
WIDTH, CLOSE, APART = 970.0, 32.0, 170.0
"""The drawing's width as far as gaps between columns are neither too narrow nor too wide."""
TOP = 30.0
TITLE, NOTE = 7.2, 6.3
"""Mean width of a character, pixels."""
HEAD = 6.0
"""Length of an arrow's head."""


@dataclass(frozen=True)
class Item:
    """A box, or a lane where arrows from `source` pass through a column."""

    key: str
    column: int
    node: Node | None = None

    @property
    def height(self) -> float:
        """Pixels it takes in its column."""
        return BOX_HEIGHT if self.node else LANE


@dataclass(frozen=True)
class Spot:
    """Where an item stands: left edge, right edge, middle."""

    left: float
    right: float
    y: float


def flow(found: Graph) -> Markup:
    """The drawing."""
    stacks, links = routed(found)
    step = BOX_WIDTH + gap(len(stacks))
    spots = placed(stacks, links, step)
    width = len(stacks) * step - gap(len(stacks)) + 2
    bottom = max(spot.y for spot in spots.values()) + BOX_HEIGHT / 2
    parts = [_heading(index, step * number) for number, index in enumerate(columns(found))]
    boxes = {item.key for stack in stacks for item in stack if item.node}
    parts += [_arrow(spots[a], spots[b], b in boxes) for a, b in links]
    parts += [_lane(spots[i.key]) for stack in stacks for i in stack if i.node is None]
    parts += [box(i.node, spots[i.key]) for stack in stacks for i in stack if i.node]
    return drawing(width, bottom + 4, told(found), "chart flow", parts)


def gap(number: int) -> float:
    """Between so many columns, pixels."""
    return min(APART, max(CLOSE, (WIDTH - number * BOX_WIDTH) / max(1, number - 1)))


def told(found: Graph) -> str:
    """The lineage as text."""
    titles = {node.key: node.title for node in found.nodes}
    return "Lineage: " + "; ".join(f"{titles[a]} to {titles[b]}" for a, b in found.edges)


def routed(found: Graph) -> tuple[list[list[Item]], list[tuple[str, str]]]:
    """Stacks of boxes and lanes, a stack for each column that is there, and links between them."""
    numbers = {column: number for number, column in enumerate(columns(found))}
    nodes = {node.key: node for node in found.nodes}
    at = {key: numbers[node.column] for key, node in nodes.items()}
    stacks = [[Item(node.key, number, node) for node in nodes.values() if at[node.key] == number]
              for number in numbers.values()]  # fmt: skip
    links: dict[tuple[str, str], None] = {}
    for source, target in found.edges:
        before = source
        for column in range(at[source] + 1, at[target]):
            lane = Item(f"{source} via {column}", column)
            if lane not in stacks[column]:
                stacks[column].append(lane)
            links[before, lane.key] = None
            before = lane.key
        links[before, target] = None
    return stacks, list(links)


def placed(
    stacks: Sequence[Sequence[Item]], links: Sequence[tuple[str, str]], step: float
) -> dict[str, Spot]:
    """A spot for every item: lanes go where their arrows come from, boxes keep their order."""
    spots: dict[str, Spot] = {}
    tallest = max(_tall(stack) for stack in stacks)
    for number, stack in enumerate(stacks):
        left = 1 + number * step
        y = TOP + (tallest - _tall(stack)) / 2
        for item in _ordered(stack, links, spots):
            spots[item.key] = Spot(left, left + BOX_WIDTH, y + item.height / 2)
            y += item.height + ROW_GAP
    return spots


def _ordered(
    stack: Sequence[Item], links: Sequence[tuple[str, str]], spots: Mapping[str, Spot]
) -> list[Item]:
    """Boxes in their own order, each lane before the first box that is drawn to lower sources."""

    def wanted(item: Item) -> float:
        sources = [spots[a].y for a, b in links if b == item.key and a in spots]
        return sum(sources) / len(sources) if sources else 0.0

    boxes = [item for item in stack if item.node]
    lanes = sorted((item for item in stack if not item.node), key=wanted)
    order: list[Item] = []
    for box in boxes:
        while lanes and wanted(lanes[0]) < wanted(box):
            order.append(lanes.pop(0))
        order.append(box)
    return order + lanes


def _tall(stack: Sequence[Item]) -> float:
    return sum(item.height for item in stack) + ROW_GAP * (len(stack) - 1)


def _heading(index: int, left: float) -> Markup:
    return label(left + 1, 14, COLUMNS[index], "axis-title")


def box(node: Node, spot: Spot) -> Markup:
    """A node's box with what it is, how much, and its hash."""
    top = spot.y - BOX_HEIGHT / 2
    size = {"width": spot.right - spot.left, "height": BOX_HEIGHT, "rx": 7}
    parts = [
        element("title", f"{node.title}, {node.note}, SHA-256 {node.digest or 'not known'}"),
        element("rect", x=spot.left, y=top, **size),
        label(spot.left + 10, top + 19, cut(node.title, spot, TITLE), "box-title"),
        label(spot.left + 10, top + 35, cut(node.note, spot, NOTE), "box-note"),
        label(spot.left + 10, top + 51, short(node.digest) or "—", "box-hash"),
    ]
    return element("g", *parts, class_=f"box c{node.column}")


def cut(text: str, spot: Spot, character: float) -> str:
    """As much of `text` as fits into the box; its title holds the whole."""
    most = int((spot.right - spot.left - 20) / character)
    return text if len(text) <= most else text[: most - 1] + "…"


def _arrow(start: Spot, end: Spot, head: bool) -> Markup:
    """A curve into the next column, or a straight line down within one."""
    if start.left == end.left:
        x, top, bottom = start.left + 24, start.y + BOX_HEIGHT / 2, end.y - BOX_HEIGHT / 2
        path = f"M{x:.1f} {top:.1f}V{bottom - HEAD:.1f}"
        tip = f"M{x - 4:.1f} {bottom - HEAD:.1f}l4 {HEAD}l4 -{HEAD}z"
    else:
        reach = end.left - (HEAD if head else 0)
        middle = (start.right + reach) / 2
        path = f"M{start.right:.1f} {start.y:.1f}C{middle:.1f} {start.y:.1f} {middle:.1f} "
        path += f"{end.y:.1f} {reach:.1f} {end.y:.1f}"
        tip = f"M{reach:.1f} {end.y - 4:.1f}l{HEAD} 4l-{HEAD} 4z"
    parts = [element("path", d=path, class_="edge")]
    if head:
        parts.append(element("path", d=tip, class_="tip"))
    return Markup("").join(parts)


def _lane(spot: Spot) -> Markup:
    return element("path", d=f"M{spot.left:.1f} {spot.y:.1f}H{spot.right:.1f}", class_="edge")
