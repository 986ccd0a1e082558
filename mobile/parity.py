"""How far an exported file's outputs are from torch's, image by image.

Real images tell what users will see; three constants (black, white, noise) find saturated or
mis-scaled quantisation that photographs hide, so they are reported apart from the averages.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from mobile.backend import Array, Runner
from mobile.recipes import Recipe
from pipeline.errors import UserError
from pipeline.metrics.parity import Parity

if TYPE_CHECKING:
    from torch import nn

NOISE_SEED = 20201


@dataclass(frozen=True)
class ImageParity:
    """One image; values that are undefined or infinite are None."""

    name: str
    sqnr_db: float | None
    """Of the logits, dB; None when equal to the last bit."""
    cosine: float | None
    """Of the logits as vectors."""
    max_abs: float
    """Largest logit difference."""
    cc: float | None
    """Pearson correlation of the maps (sigmoid, or softmax over classes); None where constant."""


@dataclass(frozen=True)
class Summary:
    """Over real images; None where no image defines the value."""

    sqnr_db_mean: float | None
    sqnr_db_min: float | None
    cosine_mean: float | None
    cosine_min: float | None
    max_abs_mean: float
    max_abs_max: float
    cc_mean: float | None
    cc_min: float | None


@dataclass(frozen=True)
class ParityReport:
    """One artefact against torch."""

    images: int
    """Real images compared."""
    real: Summary
    per_image: tuple[ImageParity, ...]
    constants: tuple[ImageParity, ...]
    """`black`, `white` and `noise`."""

    def row(self) -> dict[str, Any]:
        """As plain JSON."""
        return asdict(self)

    def problems(self, recipe: Recipe) -> list[str]:
        """What breaks the recipe's parity bounds on real images; empty when sound.

        Maps too flat for a correlation do not count against it, the logit bound does.
        """
        found = []
        if recipe.max_abs is not None and self.real.max_abs_max > recipe.max_abs:
            found.append(
                f"largest logit difference {self.real.max_abs_max:.2g} exceeds {recipe.max_abs:g}"
            )
        if self.real.cc_min is not None and self.real.cc_min < recipe.min_cc:
            found.append(f"smallest CC {self.real.cc_min:.4f} is below {recipe.min_cc:g}")
        return found


def compare(
    runner: Runner, student: nn.Module, images: Iterable[Array], names: Sequence[str]
) -> ParityReport:
    """Run both on `images` (1, 3, H, W), float32 RGB 0-255, one of `names` each, and on constants.

    `student` must be in eval mode. Raises `UserError` for no images, for as many names as images
    not being given, or for outputs that are not finite.
    """
    if student.training:
        raise UserError("parity compares an eval-mode student; call student.eval() first")
    rows: list[ImageParity] = []
    shape: tuple[int, ...] | None = None
    for image in images:
        if len(rows) == len(names):
            raise UserError(f"more images than the {len(names)} names given; name every image")
        shape = image.shape
        rows.append(compare_one(runner, student, image, names[len(rows)]))
    if shape is None:
        raise UserError("no images to compare on; pass some real ones")
    if len(rows) != len(names):
        raise UserError(f"{len(names)} names for {len(rows)} images; name every image once")
    apart = tuple(compare_one(runner, student, i, n) for n, i in constants(shape).items())
    return ParityReport(len(rows), _summary(rows), tuple(rows), apart)


def compare_one(runner: Runner, student: nn.Module, image: Array, name: str) -> ImageParity:
    """Parity on one `image` (1, 3, H, W)."""
    expected = torch_output(student, image)
    obtained = runner.run(image)
    if obtained.shape != expected.shape:
        raise UserError(
            f"{runner.path} gives {obtained.shape}, torch {expected.shape}; export again"
        )
    logits = Parity.from_arrays(expected, obtained).row()
    maps = Parity.from_arrays(_maps(expected), _maps(obtained)).row()
    largest = logits["max_abs"]
    assert largest is not None  # Parity refuses outputs that are not finite
    return ImageParity(name, logits["sqnr_db"], logits["cosine"], largest, maps["pearson"])


def torch_output(student: nn.Module, image: Array) -> Array:
    """What torch gives for `image` (1, 3, H, W): float32 (1, C, H, W)."""
    import torch

    with torch.inference_mode():
        output: Array = student(torch.from_numpy(np.ascontiguousarray(image))).float().numpy()
    return output


def constants(shape: tuple[int, ...]) -> dict[str, Array]:
    """`black`, `white` and seeded uniform `noise` of `shape` (1, 3, H, W), RGB 0-255."""
    noise = np.random.default_rng(NOISE_SEED).integers(0, 256, shape).astype(np.float32)
    return {
        "black": np.zeros(shape, np.float32),
        "white": np.full(shape, 255, np.float32),
        "noise": noise,
    }


def _maps(logits: Array) -> npt.NDArray[np.float64]:
    """Maps of (1, C, H, W): by a sigmoid, or of several classes by a softmax over them."""
    if logits.shape[1] == 1:
        return _sigmoid(logits)
    values = logits.astype(np.float64)
    shown = np.exp(values - values.max(axis=1, keepdims=True))
    shares: npt.NDArray[np.float64] = shown / shown.sum(axis=1, keepdims=True)
    return shares


def _sigmoid(logits: Array) -> npt.NDArray[np.float64]:
    # exp of a large positive number would overflow: 500 is far beyond any float32 sigmoid.
    result: npt.NDArray[np.float64] = 1 / (
        1 + np.exp(-np.clip(logits.astype(np.float64), -500, 500))
    )
    return result


def _summary(rows: Sequence[ImageParity]) -> Summary:
    def column(name: str) -> list[float]:
        return [value for row in rows if (value := getattr(row, name)) is not None]

    def mean(name: str) -> float | None:
        values = column(name)
        return float(np.mean(values)) if values else None

    def least(name: str) -> float | None:
        return min(column(name), default=None)

    largest = column("max_abs")
    return Summary(
        sqnr_db_mean=mean("sqnr_db"),
        sqnr_db_min=least("sqnr_db"),
        cosine_mean=mean("cosine"),
        cosine_min=least("cosine"),
        max_abs_mean=float(np.mean(largest)),
        max_abs_max=max(largest),
        cc_mean=mean("cc"),
        cc_min=least("cc"),
    )
