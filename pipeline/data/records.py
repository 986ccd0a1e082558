"""Records: the images of a data set, and the files that belong to each."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from pipeline.errors import UserError

FIXATIONS = "fixations"
LABELS = "labels"
_WORDS = {"image": "image", "map": "map", FIXATIONS: "fixation file", LABELS: "label image"}


@dataclass(frozen=True)
class Record:
    """One image and what is known about it."""

    id: str
    """Unique in its role; the same wherever the data set lies."""
    image: Path
    map: Path | None = None
    """Grey fixation density map of the upright image's own size."""
    fixations: Path | None = None
    """The file that holds them, its own or one of many images."""
    reader: str = "salicon"
    """How that file is read: a name of `pipeline.data.gaze`."""
    others: tuple[Path, ...] = ()
    """Further files of the same kind, where each viewer has one."""
    blur: float | None = None
    """Where there is no map: sigma, in pixels, of the Gaussian that makes one of the fixations."""
    labels: Path | None = None
    """Image of class ids, of the upright image's own size."""
    classes: str | None = None
    """Which list of `pipeline.data.classes` those ids belong to."""
    target: int | None = None
    """Class of the whole image: its index in the class list of the data set."""

    @property
    def has_truth(self) -> bool:
        """Whether there is a map, as a file or to be made of the fixations."""
        return self.map is not None or (self.blur is not None and self.fixations is not None)

    def files(self) -> dict[str, Path]:
        """`image`, and `map`, `labels`, `fixations`, `fixations_2`, … where it has them."""
        parts = {
            "image": self.image,
            "map": self.map,
            LABELS: self.labels,
            FIXATIONS: self.fixations,
        }
        found = {what: path for what, path in parts.items() if path is not None}
        return found | {f"{FIXATIONS}_{n}": path for n, path in enumerate(self.others, 2)}


def missing(records: Sequence[Record]) -> list[str]:
    """One line for each file that records list and nobody finds."""
    present: dict[Path, set[str]] = {}
    lost: dict[tuple[str, Path], list[Path]] = {}
    for record in records:
        for what, path in record.files().items():
            if path.parent not in present:
                present[path.parent] = _names(path.parent)
            if path.name not in present[path.parent]:
                lost.setdefault((what, path.parent), []).append(record.image)
    return [
        line
        for (what, folder), images in lost.items()
        for line in _lines(what, folder, images, present[folder], len(images) == len(records))
    ]


def require_unique(records: Sequence[Record], where: str) -> None:
    """Raise `UserError` naming the first id that two records share."""
    found = repeated(records)
    if found:
        raise UserError(f"{where}: {found[0]}")


def repeated(records: Sequence[Record]) -> list[str]:
    """One line for each id that several records share."""
    twice = [name for name, number in Counter(r.id for r in records).items() if number > 1]
    lines = []
    for name in twice:
        files = [str(record.image) for record in records if record.id == name]
        lines.append(
            f"{len(files)} images have the id {name!r} ({', '.join(files)}); rename all but one"
        )
    return lines


def _names(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()} if folder.is_dir() else set()


def _lines(what: str, folder: Path, images: list[Path], there: set[str], every: bool) -> list[str]:
    if what == "image":
        return [f"image {image} is listed but missing; restore it" for image in images]
    name = _WORDS[what.split("_", maxsplit=1)[0]]
    if not there:
        return [f"{folder}, where the {name}s should be, is missing or empty; restore it"]
    if every and len(images) > 1:
        text = f"none of the {len(images)} images of {images[0].parent} has a {name} in {folder}"
        return [f"{text}: names must be equal, but there are {images[0].name} and {min(there)}"]
    return [
        f"no {name} for {image} in {folder}; restore it or remove the image" for image in images
    ]
