"""How much an int8 file owes to the images that calibrated it: other draws, other numbers of them.

    python -m benchmarks.calibration CHECKPOINT … --photos FOLDER [--seeds 0 1] [--counts 25 50 100]

From the folder's photographs, `--held-out` are set apart. Of the rest, each seed draws `--counts`
images, as `data.calibration` and `seed` do. Files are compared on the photographs set apart: with
torch, and the files of two draws with each other. Correlations are of maps, means over images.
"""

from __future__ import annotations

import argparse
import itertools
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from benchmarks.interleaved import table
from benchmarks.rewrites import photographs
from mobile import recipes
from mobile.export import export, open_runner
from pipeline import checkpoint
from pipeline.errors import UserError
from pipeline.files import sha256_bytes

if TYPE_CHECKING:
    from mobile.backend import Array

RECIPES = ("executorch_int8", "litert_int8")


@dataclass(frozen=True)
class Draw:
    """One file, by the images that calibrated it."""

    count: int
    seed: int
    maps: list[Array]
    """Of each photograph set apart, (H, W) in 0-1."""


def main() -> int:
    """Export, run, print; status 2 for what cannot be read."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("checkpoints", nargs="+", type=Path, help="model.safetensors of students")
    parser.add_argument("--photos", type=Path, required=True, help="a folder of real photographs")
    parser.add_argument("--held-out", type=int, default=100, help="to compare on (default 100)")
    parser.add_argument("--seeds", nargs="+", type=int, default=[0, 1])
    parser.add_argument("--counts", nargs="+", type=int, default=[100])
    parser.add_argument("--recipes", nargs="+", default=list(RECIPES))
    given = parser.parse_args()
    try:
        images = photographs(given.photos, given.held_out + 10_000)
        apart, rest = split(images, given.held_out, max(given.counts))
        rows = [
            row
            for path in given.checkpoints
            for recipe in given.recipes
            for row in studied(path, recipe, apart, rest, given.counts, given.seeds)
        ]
    except UserError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    print(table(rows))
    return 0


def split(images: list[Array], apart: int, least: int) -> tuple[list[Array], list[Array]]:
    """Photographs to compare on, and those to draw from; `UserError` for too few of these."""
    if len(images) < apart + least:
        raise UserError(
            f"{len(images)} photographs, {apart} of them set apart, leave no {least} to calibrate "
            "on; lower --held-out or --counts, or give a larger folder"
        )
    return images[:apart], images[apart:]


def drawn(images: list[Array], count: int, seed: int) -> list[Array]:
    """`count` of the images, as `data.calibration` draws training images by their ids."""
    ranked = sorted(range(len(images)), key=lambda i: sha256_bytes(f"{seed}:{i}".encode()))
    return [images[i] for i in sorted(ranked[:count])]


def studied(
    path: Path,
    recipe: str,
    apart: list[Array],
    rest: list[Array],
    counts: list[int],
    seeds: list[int],
) -> list[dict[str, Any]]:
    """A row for each number of images."""
    student, header = checkpoint.load_model(path, "student")
    spec = checkpoint.spec_of(header)
    student.eval()
    with torch.inference_mode():
        exact = [read(student(torch.from_numpy(image)).numpy()) for image in apart]
    rows = []
    for count in counts:
        draws = []
        for seed in seeds:
            with tempfile.TemporaryDirectory() as folder:
                chosen = drawn(rest, count, seed)
                report = export(student, spec, recipes.get(recipe), iter(chosen), Path(folder))
                runner = open_runner(Path(folder) / report.file, 2)
                draws.append(Draw(count, seed, [read(runner.run(image)) for image in apart]))
                print(f"{spec.name} {recipe}: {count} images, seed {seed}", file=sys.stderr)
        rows.append({"student": spec.name, "recipe": recipe} | compared(draws, exact))
    return rows


def read(logits: Array) -> Array:
    """(1, 1, H, W) logits -> the map (H, W) in 0-1."""
    found: Array = 1 / (1 + np.exp(-np.asarray(logits, np.float64)[0, 0]))
    return found


def compared(draws: list[Draw], exact: list[Array]) -> dict[str, str]:
    """Each draw with torch, and every two draws with each other."""
    torch_cc = [_mean_cc(draw.maps, exact) for draw in draws]
    pairs = list(itertools.combinations(draws, 2))
    between = [_mean_cc(a.maps, b.maps) for a, b in pairs]
    largest = [
        max(float(np.abs(x - y).max()) for x, y in zip(a.maps, b.maps, strict=True))
        for a, b in pairs
    ]
    return {
        "images": str(draws[0].count),
        "CC with torch": ", ".join(f"{value:.4f}" for value in torch_cc),
        "CC of two draws": ", ".join(f"{value:.4f}" for value in between),
        "largest difference": f"{max(largest, default=0.0):.3f}",
    }


def _mean_cc(maps: list[Array], others: list[Array]) -> float:
    pairs = zip(maps, others, strict=True)
    return float(np.mean([np.corrcoef(a.ravel(), b.ravel())[0, 1] for a, b in pairs]))


if __name__ == "__main__":
    sys.exit(main())
