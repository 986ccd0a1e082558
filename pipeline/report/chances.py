"""The likeliest classes of a whole image as bars along its lower edge, to lie over a photograph."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from dataclasses import dataclass
from xml.sax.saxutils import escape

import numpy as np

from pipeline.report.numbers import fixed
from pipeline.tasks.readout import Map

MOST = 3
"""Classes shown."""
LETTERS = 26
"""Of a name; longer ones are cut."""
_WIDTH, _ROW, _TEXT, _EDGE = 320, 22, 14, 6
_BAR, _PANEL, _INK = "#2f7fd1", "#101418", "#ffffff"


@dataclass(frozen=True)
class Chance:
    """A class and its probability, 0-1; None for what people say, which has none."""

    name: str
    probability: float | None = None

    @property
    def words(self) -> str:
        """`car 0.93`."""
        return self.name if self.probability is None else f"{self.name} {self.number}"

    @property
    def number(self) -> str:
        """Its probability in three digits; nothing without one."""
        return "" if self.probability is None else fixed(self.probability, 3)


def likeliest(probabilities: Map, names: Sequence[str], most: int = MOST) -> list[Chance]:
    """The likeliest classes of (C, 1, 1), those of equal probability in the order of the list."""
    flat = probabilities.reshape(-1)
    order = np.argsort(-flat, kind="stable")[:most]
    return [Chance(names[index], float(flat[index])) for index in order]


def bars_uri(chances: Sequence[Chance], width: int, height: int) -> str:
    """A `data:` URI of an SVG in the proportions of a `width` x `height` photograph."""
    tall = max(1, round(_WIDTH * height / width))
    top = tall - _ROW * len(chances) - _EDGE
    rows = [_row(chance, top + _ROW * number) for number, chance in enumerate(chances)]
    panel = f'<rect y="{top - _EDGE}" width="{_WIDTH}" height="{tall - top + _EDGE}" '
    text = (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {tall}" '
        f'font-family="sans-serif" font-size="{_TEXT}" fill="{_INK}">'
        f'{panel}fill="{_PANEL}" opacity="0.72"/>{"".join(rows)}</svg>'
    )
    return "data:image/svg+xml;base64," + base64.b64encode(text.encode()).decode()


def _row(chance: Chance, top: int) -> str:
    """A bar as long as its probability, the name over it and the number at its end."""
    inner = _WIDTH - 2 * _EDGE
    bar = ""
    if chance.probability is not None:
        length = round(inner * chance.probability, 1)
        bar = f'<rect x="{_EDGE}" y="{top}" width="{length}" height="{_ROW - 4}" fill="{_BAR}"/>'
    base = top + _TEXT
    name = chance.name if len(chance.name) <= LETTERS else f"{chance.name[: LETTERS - 1]}…"
    label = f'<text x="{2 * _EDGE}" y="{base}">{escape(name)}</text>'
    right = f'x="{_WIDTH - 2 * _EDGE}" y="{base}" text-anchor="end"'
    return f"{bar}{label}<text {right}>{chance.number}</text>"
