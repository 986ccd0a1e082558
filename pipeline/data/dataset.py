"""Records as tensors for learning: images, annotators' maps and pseudo-labels at one size."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import Any, Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.utils.data import Dataset

from pipeline.data import classes, gaze
from pipeline.data.agree import Size, require_same_frame
from pipeline.data.augment import PADDING, Shrink, View, viewed
from pipeline.data.classes import VOID, Ids, shrunk
from pipeline.data.gaze.density import density
from pipeline.data.images import read_map, read_rgb
from pipeline.data.layouts import Record
from pipeline.data.resize import resize, resize_planes
from pipeline.data.sampler import Pick
from pipeline.errors import UserError

Item = dict[str, Any]
Array = NDArray[np.float32]
AROUND = np.array(PADDING, np.float32).reshape(3, 1, 1)


class Labels(Protocol):
    """Pseudo-labels by image id, such as a label store."""

    def __getitem__(self, image: str) -> Array:
        """Map (H, W), or planes (k, H, W), at the training size."""


class ImageSet(Dataset[Item]):
    """Items `{id, index, image, truth?, classes?, target?, label?, fixations?}` by index or `Pick`.

    `image` is float32 RGB 0-255 `(3, H, W)`, `truth` the annotators' map 0-1 `(1, H, W)` for
    records that have one, both by the named resize; `classes` `(H, W)` uint8, each the nearest
    pixel's index; `target` int, the index of the whole image; `label` `(1, H, W)`, or several
    planes, as stored; `fixations` `(1, h, w)`, counts on a grid of that size, zeros for a record
    without any. Reading raises `UserError` for a damaged file, a map of another shape than its
    image, or a label of another size than the student's input.
    """

    def __init__(
        self,
        records: Sequence[Record],
        height: int,
        width: int,
        *,
        truth: bool = True,
        labels: Labels | None = None,
        fixations: Size | None = None,
    ) -> None:
        self.records = list(records)
        self.height = height
        self.width = width
        self._truth = truth
        self._labels = labels
        self._fixations = fixations

    def __len__(self) -> int:
        return len(self.records)

    def __getitem__(self, pick: int | Pick) -> Item:
        pick = pick if isinstance(pick, Pick) else Pick(pick)
        record, view = self.records[pick.index], pick.view
        item: Item = {"id": record.id, "index": pick.index}
        pixels = read_rgb(record.image)
        size = pixels.shape[:2]
        item["image"] = self._shown(pixels.transpose(2, 0, 1), view, _planes, AROUND)
        if self._truth and record.has_truth:
            item["truth"] = self._shown(read_truth(record, size)[None], view, _maps, 0)
        if self._truth and record.labels is not None:
            marked = read_classes(record, size)
            item["classes"] = self._shown(marked, view, shrunk, VOID)
        if self._truth and record.target is not None:
            item["target"] = record.target
        if self._fixations is not None:
            item["fixations"] = _tensor(self._counts(record)[None], view.flip)
        if self._labels is not None:
            label = self._label(record.id)
            item["label"] = self._shown(label if label.ndim == 3 else label[None], view, _same, 0)
        return item

    def _shown(self, array: NDArray[Any], view: View, shrink: Shrink, fill: Any) -> Tensor:
        return torch.from_numpy(viewed(array, view, self.height, self.width, shrink, fill))

    def _counts(self, record: Record) -> Array:
        assert self._fixations is not None
        if record.fixations is None:
            return np.zeros(self._fixations, np.float32)
        return gaze.read(record).counts(*self._fixations).astype(np.float32)

    def _label(self, name: str) -> Array:
        assert self._labels is not None
        label = self._labels[name]
        if label.shape[-2:] != (self.height, self.width):
            raise UserError(
                f"the label of image {name!r} is {label.shape[-2]}x{label.shape[-1]}, the "
                f"student's input {self.height}x{self.width}; label again at that size"
            )
        return label


def id_hash(image: str) -> int:
    """A number below 720,720 that follows from an image's id alone, for shares of a data set.

    Every number up to 16 divides that bound, so up to 16 shares are drawn evenly.
    """
    return int.from_bytes(hashlib.sha256(image.encode()).digest()[:8], "big") % 720_720


def read_image(record: Record, height: int, width: int) -> Tensor:
    """A record's image as a model takes it: float32 RGB 0-255 `(3, height, width)`."""
    return read_sized(record, height, width)[0]


def read_sized(record: Record, height: int, width: int) -> tuple[Tensor, Size]:
    """`read_image`, and the image's own height and width."""
    pixels = read_rgb(record.image)
    return torch.from_numpy(resize_planes(pixels, height, width)), pixels.shape[:2]


def read_truth(record: Record, size: Size) -> Array:
    """A record's map `(H, W)` 0-1; `UserError` unless it fits an image of `size`.

    Where no file holds one, it is made of the fixations (`gaze.density`).
    """
    if record.map is not None:
        truth = read_map(record.map)
    else:
        assert record.blur is not None
        truth = density(gaze.read(record), record.blur)
    source = record.map or record.fixations
    assert source is not None
    require_same_frame(record.image, size, source, truth.shape)
    return truth


def read_classes(record: Record, size: Size) -> Ids:
    """A record's class indices `(H, W)`; `UserError` unless they fit an image of `size`."""
    assert record.labels is not None
    if record.classes is None:
        raise UserError(f"{record.labels} needs a class list; set data.classes")
    found = classes.get(record.classes).indices(record.labels)
    require_same_frame(record.image, size, record.labels, (found.shape[0], found.shape[1]))
    return found


def collate(items: Sequence[Item]) -> dict[str, Any]:
    """Items as one batch.

    `ids` list, `index` `(B,)` int64, `images` `(B, 3, H, W)`; `truth` `(B, 1, H, W)` with zeros
    for images without one and `annotated` `(B,)` float32 saying which have one; `classes`
    `(B, H, W)` uint8 where any image has them, `VOID` for others; `target` `(B,)` int64 where
    images have a class; `labels` `(B, k, H, W)` where the set has labels, `fixations`
    `(B, 1, h, w)` where it counts them, beside `hash` `(B,)` int64, the `id_hash` of each image.
    """
    images = _stack([item["image"] for item in items])
    nothing = torch.zeros_like(images[0, :1])
    batch = {
        "ids": [item["id"] for item in items],
        "index": torch.tensor([item["index"] for item in items]),
        "images": images,
        "truth": _stack([item.get("truth", nothing) for item in items]),
        "annotated": torch.tensor([float("truth" in item) for item in items]),
    }
    if any("classes" in item for item in items):
        unmarked = torch.full_like(nothing[0], VOID, dtype=torch.uint8)
        batch["classes"] = _stack([item.get("classes", unmarked) for item in items])
    if "target" in items[0]:
        batch["target"] = torch.tensor([item["target"] for item in items])
    if "fixations" in items[0]:
        batch["fixations"] = _stack([item["fixations"] for item in items])
        batch["hash"] = torch.tensor([id_hash(item["id"]) for item in items])
    if "label" in items[0]:
        batch["labels"] = _stack([item["label"] for item in items])
    return batch


# NumPy copies, not torch's: those start threads, which wait on one another wherever the cores are
# busy with the model, and made loading several times slower than the copies themselves.


def _planes(planes: NDArray[Any], height: int, width: int) -> Array:
    return resize_planes(planes.transpose(1, 2, 0), height, width)


def _maps(planes: NDArray[Any], height: int, width: int) -> Array:
    return resize(planes[0], height, width)[None]


def _same(planes: NDArray[Any], height: int, width: int) -> NDArray[Any]:
    """Labels are stored at the student's size: only parts of them are ever resized, as they are."""
    if planes.shape[-2:] == (height, width):
        return planes
    return np.stack([shrunk(plane, height, width) for plane in planes])


def _tensor(array: Array, flip: bool) -> Tensor:
    return torch.from_numpy(np.ascontiguousarray(array[..., ::-1] if flip else array))


def _stack(tensors: Sequence[Tensor]) -> Tensor:
    return torch.from_numpy(np.stack([tensor.numpy() for tensor in tensors]))
