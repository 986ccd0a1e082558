"""The images that fix the activation ranges of a quantised file: checked, counted and hashed."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np

from mobile.backend import Array
from mobile.recipes import Recipe
from pipeline.errors import UserError


@dataclass(frozen=True)
class Calibration:
    """Which images fixed the activation ranges of a quantised file."""

    images: int
    sha256: str
    """Over the float32 bytes of all images in order."""


class Recorder:
    """Passes calibration images on, checked and hashed; gives none where the recipe wants none.

    Raises `UserError` for no images, or for one that is not float32 of `shape` (1, 3, H, W).
    """

    def __init__(
        self, images: Iterable[Array] | None, shape: tuple[int, ...], recipe: Recipe
    ) -> None:
        if recipe.calibrated and images is None:
            raise UserError(f"{recipe.name} needs calibration images; pass some real ones")
        self._images = images if recipe.calibrated else None
        self._shape = shape
        self._recipe = recipe.name
        self._digest = hashlib.sha256()
        self._count = 0

    def __iter__(self) -> Iterator[Array]:
        for image in self._images or ():
            if image.shape != self._shape or image.dtype != np.float32:
                raise UserError(
                    f"calibration image {self._count} for {self._recipe} is {image.dtype} of shape "
                    f"{image.shape}; expected float32 RGB 0-255 of shape {self._shape}"
                )
            self._count += 1
            self._digest.update(np.ascontiguousarray(image).tobytes())
            yield image
        if self._count == 0:
            raise UserError(f"no calibration images for {self._recipe}; pass some real ones")

    def summary(self) -> Calibration | None:
        """What went through, None where the recipe wants no images."""
        if self._images is None:
            return None
        return Calibration(self._count, self._digest.hexdigest())
