"""Which class is taken for which: the student's most frequent mistakes on the validation images."""

from __future__ import annotations

from pipeline.files import read_json
from pipeline.paths import DATA, EVALUATE
from pipeline.report.facts import STUDENT
from pipeline.report.numbers import THIN, fixed
from pipeline.report.tables import Line, cell

PATH = EVALUATE / "mistakes.json"
"""By predictor: index of the class, of what it was taken for, and how often."""
COLUMNS = ("Taken for", "Images", "Of the class")


def mistaken_lines() -> list[Line]:
    """A row for each mistake; none where the task has no classes of images."""
    if not PATH.exists():
        return []
    listed = read_json(DATA / "classes.json")
    names, images = listed["classes"], listed["images"]["val"]
    return [
        Line(
            names[own],
            "",
            [
                cell(names[other], key=names[other]),
                cell(str(number), key=number),
                cell(f"{fixed(100 * number / images[own], 1)}{THIN}%", key=number / images[own]),
            ],
        )
        for own, other, number in read_json(PATH)[STUDENT]
    ]
