"""Whether the files of a record can be read, and speak of one picture.

Annotations belong to the photograph as it was shown, upright by its EXIF orientation: map and
fixations are of the upright size, or of that size scaled.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from pipeline.data import classes, gaze
from pipeline.data.fixations import Fixations
from pipeline.data.images import is_turned, verify
from pipeline.data.records import FIXATIONS, LABELS, Record
from pipeline.errors import UserError

Size = tuple[int, int]
"""Height and width, pixels."""


def require_same_frame(image: Path, size: Size, other: Path, found: Size) -> None:
    """Raise `UserError` unless `other`, of size `found`, can lie over the upright image of `size`.

    A scaled copy can, to a pixel: annotations are often kept at another resolution.
    """
    if _scaled(size, found):
        return
    text = f"{other} is {found[0]}x{found[1]} (height x width), but its image {image} is "
    text += f"{size[0]}x{size[1]}"
    if _scaled(size[::-1], found) and is_turned(image):
        raise UserError(
            f"{text} once turned upright by its EXIF orientation; annotations count in the upright "
            "picture: turn them too, or take the orientation out of the image"
        )
    raise UserError(f"{text}: of another shape; restore the right one, or remove both")


def require_same_size(first: Path, size: Size, second: Path, found: Size) -> None:
    """Raise `UserError` unless a map and a fixation file have one size: one is measured on both."""
    if size != found:
        raise UserError(
            f"{first} is {size[0]}x{size[1]} (height x width), but {second} says "
            f"{found[0]}x{found[1]}; both must be of one size"
        )


def _scaled(size: Size, copy: Size) -> bool:
    """Whether one scale, each side rounded either way, leads from `size` to `copy`."""
    least = max((part - 1) / whole for part, whole in zip(copy, size, strict=True))
    most = min((part + 1) / whole for part, whole in zip(copy, size, strict=True))
    return least < most


@dataclass(frozen=True)
class Findings:
    """What a look at a record's files found, one line each."""

    faults: list[str] = field(default_factory=list)
    """What cannot be used."""
    remarks: list[str] = field(default_factory=list)
    """What is used with a part left out."""


def examine(record: Record, *, decode: bool = False) -> Findings:
    """Look at the files of a record that are there.

    Images and maps by their headers and ends, or decoded; fixation files and label images are read
    whole.
    """
    found = Findings()
    parts = {what: path for what, path in record.files().items() if path.exists()}
    sizes: dict[str, Size] = {}
    for what, path in parts.items():
        if what.startswith(f"{FIXATIONS}_"):
            continue  # read together with the first
        try:
            if what == FIXATIONS:
                watched = gaze.read(record)
                size = (watched.height, watched.width)
                found.remarks.extend(_remarks(path, watched))
            elif what == LABELS and record.classes is not None:
                marked = classes.get(record.classes).indices(path)
                size = (marked.shape[0], marked.shape[1])
                if (marked == classes.VOID).all():
                    found.remarks.append(f"{path} is void only: nothing in it counts")
            else:
                size = verify(path, decode=decode)
            if "image" in sizes:
                require_same_frame(record.image, sizes["image"], path, size)
            if what == FIXATIONS and "map" in sizes:
                require_same_size(parts["map"], sizes["map"], path, size)
            sizes[what] = size
        except UserError as error:
            found.faults.append(str(error))
    return found


def _remarks(path: Path, watched: Fixations) -> Iterator[str]:
    number = len(watched.points) + watched.blank
    if watched.dropped == number:
        yield f"{path} holds no fixation inside the image; NSS and AUC-Judd leave the image out"
    elif watched.dropped:
        yield (
            f"{path}: {watched.dropped} of {number} fixations lie outside the image or are no "
            "numbers; left out"
        )
