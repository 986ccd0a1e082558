"""The lineage drawn from top to bottom for narrow screens: rows, and rails beside them.

Every row that something is made from has a rail of its own; branches lead from it into rows below.
"""

from __future__ import annotations

from markupsafe import Markup

from pipeline.report.flow import BOX_HEIGHT, HEAD, Spot, box, told
from pipeline.report.lineage import Graph
from pipeline.report.svg import drawing, element

WIDTH = 360.0
STEP = 11.0
"""Between rails, pixels."""
GAP = 10.0


def rail(found: Graph) -> Markup:
    """The drawing."""
    sources = [node.key for node in found.nodes if any(a == node.key for a, _ in found.edges)]
    gutter = STEP * len(sources) + 12
    middles = {
        node.key: 2 + BOX_HEIGHT / 2 + row * (BOX_HEIGHT + GAP)
        for row, node in enumerate(found.nodes)
    }
    parts = []
    for number, source in enumerate(sources):
        # The longest rails outermost would need sorting; the earliest source is the leftmost.
        x = 6 + STEP * number
        targets = sorted(middles[b] for a, b in found.edges if a == source)
        parts += _rail(x, middles[source] + 8, [y - 8 for y in targets], gutter)
    parts += [box(node, Spot(gutter, WIDTH - 1, middles[node.key])) for node in found.nodes]
    height = 4 + len(found.nodes) * (BOX_HEIGHT + GAP) - GAP
    return drawing(WIDTH, height, told(found), "chart rail", parts)


def _rail(x: float, start: float, targets: list[float], gutter: float) -> list[Markup]:
    """Out of a box at `start`, down, and into each target."""
    path = f"M{gutter:.1f} {start:.1f}H{x:.1f}V{targets[-1]:.1f}"
    reach = gutter - HEAD
    parts = [element("path", d=path, class_="edge")]
    for y in targets:
        parts.append(element("path", d=f"M{x:.1f} {y:.1f}H{reach:.1f}", class_="edge"))
        tip = f"M{reach:.1f} {y - 4:.1f}l{HEAD} 4l-{HEAD} 4z"
        parts.append(element("path", d=tip, class_="tip"))
    return parts
