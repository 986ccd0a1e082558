"""How a task's maps lie over a photograph: as heat, in the colours of classes, or as bars."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol, cast

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from pipeline.data import classes
from pipeline.data.classes import VOID, ClassList
from pipeline.data.evaluation import Sample
from pipeline.data.layouts import Record
from pipeline.files import read_json
from pipeline.paths import DATA
from pipeline.report import overlay
from pipeline.report.chances import Chance, bars_uri, likeliest
from pipeline.report.numbers import count
from pipeline.tasks.readout import CLASS_LOGITS, Map
from pipeline.tasks.task import DenseTask

PEOPLE, ANNOTATED = "People", "Annotated"


@dataclass(frozen=True)
class Picture:
    """A map as a `data:` URI, and the classes that occur in it, if it is one of classes."""

    uri: str
    classes: frozenset[int] = frozenset()
    words: str = ""
    """What it says, for those who do not see it; empty where `by` or `told` says all."""


class Drawing(Protocol):
    """Pictures of one task's maps; sizes are those of the photograph they lie over."""

    def annotated(self, sample: Sample, width: int, height: int) -> Picture:
        """What there is to be predicted."""

    def told(self, sample: Sample) -> tuple[str, str]:
        """Title of that picture, and what it shows."""

    def predicted(self, logits: Map, width: int, height: int) -> Picture:
        """What a predictor gave."""

    def by(self, image: str, title: str) -> str:
        """What such a picture shows; `title` is the predictor's."""


def drawing(task: DenseTask, record: Record) -> Drawing:
    """How the maps of `task` are drawn over an image."""
    if "target" in task.needs:
        return OfImages(task, tuple(read_json(DATA / "classes.json")["classes"]))
    if task.output == CLASS_LOGITS and record.classes is not None:
        return OfClasses(cast("Classifying", task), classes.get(record.classes))
    return Heat(task)


@dataclass(frozen=True)
class Heat:
    """One value at every pixel, each map in its own range."""

    task: DenseTask

    def annotated(self, sample: Sample, width: int, height: int) -> Picture:
        """The density map or mask."""
        assert sample.density is not None, "prepare refuses such images"
        return Picture(overlay.layer_uri(sample.density.numpy(), width, height))

    def told(self, sample: Sample) -> tuple[str, str]:
        """Where people looked, or what is marked."""
        if sample.counts is None:
            return ANNOTATED, f"What is marked in {sample.id}"
        watched = count(int(sample.counts.sum()), "fixation")
        return PEOPLE, f"Where people looked in {sample.id}, {watched}"

    def predicted(self, logits: Map, width: int, height: int) -> Picture:
        """The probability at every pixel."""
        return Picture(overlay.layer_uri(self.task.probability(logits), width, height))

    def by(self, image: str, title: str) -> str:
        """Whose saliency it is."""
        return f"Saliency of {image} by {title}"


class Classifying(Protocol):
    """A task whose maps name a class for every pixel."""

    def classes(self, logits: Map, height: int, width: int) -> Tensor:
        """Class indices (height, width)."""


@dataclass(frozen=True)
class OfClasses:
    """A class at every pixel, in the colours of the list."""

    task: Classifying
    known: ClassList

    def annotated(self, sample: Sample, width: int, height: int) -> Picture:
        """The annotators' classes; nothing lies where there is none."""
        assert sample.classes is not None, "prepare refuses such images"
        rows, columns = overlay.label_size(width, height)
        return self._picture(classes.shrunk(sample.classes.numpy(), rows, columns))

    def told(self, sample: Sample) -> tuple[str, str]:
        """Classes as they are annotated."""
        return ANNOTATED, f"Classes of {sample.id} as annotated"

    def predicted(self, logits: Map, width: int, height: int) -> Picture:
        """The likeliest class at every pixel."""
        found = self.task.classes(logits, *overlay.label_size(width, height))
        return self._picture(found.numpy().astype(np.uint8))

    def by(self, image: str, title: str) -> str:
        """Whose classes they are."""
        return f"Classes of {image} by {title}"

    def _picture(self, indices: NDArray[np.uint8]) -> Picture:
        found = frozenset(int(i) for i in np.unique(indices) if i != VOID)
        return Picture(overlay.labels_uri(indices, self.known.colours), found)


@dataclass(frozen=True)
class OfImages:
    """One class for the whole image: its likeliest as bars."""

    task: DenseTask
    names: Sequence[str]

    def annotated(self, sample: Sample, width: int, height: int) -> Picture:
        """The annotators' class."""
        assert sample.target is not None, "prepare refuses such images"
        return self._picture([Chance(self.names[sample.target])], width, height)

    def told(self, sample: Sample) -> tuple[str, str]:
        """The class as it is annotated."""
        return ANNOTATED, f"Class of {sample.id} as annotated"

    def predicted(self, logits: Map, width: int, height: int) -> Picture:
        """The likeliest classes."""
        found = likeliest(self.task.probability(logits), self.names)
        return self._picture(found, width, height)

    def by(self, image: str, title: str) -> str:
        """Whose classes they are."""
        return f"Likeliest classes of {image} by {title}"

    def _picture(self, chances: Sequence[Chance], width: int, height: int) -> Picture:
        words = ", ".join(chance.words for chance in chances)
        return Picture(bars_uri(chances, width, height), words=words)


@dataclass(frozen=True)
class Key:
    """A class of the legend."""

    name: str
    colour: str
    """`#rrggbb`."""


def keys(name: str | None, occurring: Sequence[int]) -> list[Key]:
    """The legend of the classes that occur, in the order of the list called `name`."""
    if name is None or not occurring:
        return []
    known = classes.get(name)
    return [Key(known.classes[i], colour(known.colours[i])) for i in sorted(set(occurring))]


def colour(rgb: NDArray[Any]) -> str:
    """RGB levels as CSS writes them."""
    return "#" + "".join(f"{int(level):02x}" for level in rgb)
