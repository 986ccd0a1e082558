"""Our batched metrics against pysaliency's, on one machine in one run.

    python -m benchmarks.metrics [IMAGES]

Prints one JSON line: milliseconds per image of each, their ratio, and the largest disagreement per
metric. Only the ratios mean anything elsewhere.
"""

from __future__ import annotations

import json
import sys
import time
import warnings
from collections.abc import Callable

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter

from pipeline.metrics.saliency import saliency_metrics

HEIGHT, WIDTH = 480, 640
BATCH = 10
FIXATIONS = 300
REPEATS = 3

Floats = NDArray[np.float64]
Counts = NDArray[np.int64]


def made_up(images: int) -> tuple[Floats, Counts, Floats]:
    """Predictions, fixation counts and densities, each `(images, 480, 640)`."""
    generator = np.random.default_rng(0)
    counts = np.zeros((images, HEIGHT, WIDTH), np.int64)
    for image in counts:
        points = generator.normal((HEIGHT / 2, WIDTH / 2), (70, 90), size=(FIXATIONS, 2))
        rows, columns = np.clip(points, 0, (HEIGHT - 1, WIDTH - 1)).astype(int).T
        np.add.at(image, (rows, columns), 1)
    density = np.stack([gaussian_filter(image.astype(float), 19) for image in counts])
    noise = np.stack([gaussian_filter(image, 25) for image in generator.random(counts.shape)])
    return density / density.max() + 10 * (noise - noise.min()), counts, density


def ours(preds: Floats, counts: Counts, densities: Floats) -> dict[str, list[float]]:
    """Scores per metric, from batches."""
    scores: dict[str, list[float]] = {}
    for start in range(0, len(preds), BATCH):
        part = slice(start, start + BATCH)
        batch = (torch.from_numpy(maps[part]) for maps in (preds, counts, densities))
        for name, values in saliency_metrics(*batch).items():
            scores.setdefault(name, []).extend(values.tolist())
    return scores


def oracle(preds: Floats, counts: Counts, densities: Floats) -> dict[str, list[float]]:
    """The same scores from pysaliency, image by image."""
    from pysaliency import metrics
    from pysaliency.roc import general_roc

    scores: dict[str, list[float]] = {n: [] for n in ("NSS", "AUC-Judd", "CC", "KLDiv", "SIM")}
    for pred, count, density in zip(preds, counts, densities, strict=True):
        rows, columns = np.nonzero(count)
        repeats = count[rows, columns]
        ys, xs = np.repeat(rows, repeats), np.repeat(columns, repeats)
        scores["NSS"].append(float(metrics.NSS(pred, xs, ys).mean()))
        scores["AUC-Judd"].append(float(general_roc(pred[ys, xs], pred[count == 0], judd=1)[0]))
        scores["CC"].append(float(metrics.CC(pred, density)))
        scores["KLDiv"].append(float(metrics.MIT_KLDiv(pred, density)))
        scores["SIM"].append(float(metrics.SIM(pred, density)))
    return scores


def milliseconds(call: Callable[[], object], images: int) -> float:
    """Best of a few runs, per image; the first run, which compiles, is not among them."""
    call()
    times = []
    for _ in range(REPEATS):
        start = time.perf_counter()
        call()
        times.append(time.perf_counter() - start)
    return 1000 * min(times) / images


def main(images: int = 50) -> None:
    """Measure and print."""
    warnings.simplefilter("ignore")
    torch.set_num_threads(1)  # pysaliency has no more
    maps = made_up(images)
    first, second = ours(*maps), oracle(*maps)
    disagreement = {
        name: float(np.abs(np.subtract(first[name], second[name])).max()) for name in first
    }
    fast = milliseconds(lambda: ours(*maps), images)
    slow = milliseconds(lambda: oracle(*maps), images)
    row = {
        "benchmark": "metrics",
        "images": images,
        "size": [HEIGHT, WIDTH],
        "threads": 1,
        "ours_ms_per_image": round(fast, 2),
        "pysaliency_ms_per_image": round(slow, 2),
        "times_faster": round(slow / fast, 2),
        "largest_disagreement": disagreement,
    }
    sys.stdout.write(json.dumps(row) + "\n")


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
