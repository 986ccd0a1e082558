"""Our batched metrics against pysaliency's, on one machine in one run.

    python -m benchmarks.metrics [IMAGES]

Prints one JSON line: milliseconds per image of each by metric and of all together, their ratio, and
the largest disagreement per metric. `all` is NSS, AUC-Judd, AUC, shuffled AUC, IG, CC, KLDiv and
SIM. AUC tells fixations from every pixel: pysaliency has that, and no AUC-Borji, whose negatives
are pixels drawn at random. It gains most, so the ratio without it is listed, too, and AUC-Borji's
own time.

Both get the same validation set, image by image, as the stages score it: float32 maps as a student
writes them, of which pysaliency gets float64 copies made beforehand, since it would score in
float32. It is called function by function, each doing what its name says and no more; its models
for whole sets do the same work and some besides. Times are the processor's, of one thread, the
median of several runs in turn, so that other programs disturb them little; `all_threads` is by the
clock, with as many threads as torch takes (pysaliency has one). Only the ratios mean anything
elsewhere.
"""

from __future__ import annotations

import json
import sys
import time
import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter

from pipeline.metrics import auc, borji, information, saliency
from pipeline.metrics.baselines import Baselines
from pipeline.metrics.centre_bias import centre_bias
from pipeline.metrics.points import Points

UNIFORM, WITHOUT = "AUC", "all without AUC"
HEIGHT, WIDTH = 480, 640
BATCH = 1
FIXATIONS = 300
REPEATS = 5

Floats = NDArray[np.float64]
Counts = NDArray[np.int64]
Scores = dict[str, list[float]]


@dataclass(frozen=True)
class MadeUp:
    """A validation set without photographs, `(N, 480, 640)` each."""

    preds: Floats
    """Of float32 values."""
    counts: Counts
    densities: Floats
    """Of float32 values."""
    baseline: Floats
    """Log density of the centre bias `(480, 640)`."""
    baselines: Baselines

    def __len__(self) -> int:
        return len(self.preds)


def made_up(images: int) -> MadeUp:
    """Smooth predictions that know some of the density, and 300 fixations per image."""
    generator = np.random.default_rng(0)
    counts = np.zeros((images, HEIGHT, WIDTH), np.int64)
    for image in counts:
        points = generator.normal((HEIGHT / 2, WIDTH / 2), (70, 90), size=(FIXATIONS, 2))
        rows, columns = np.clip(points, 0, (HEIGHT - 1, WIDTH - 1)).astype(int).T
        np.add.at(image, (rows, columns), 1)
    density = np.stack([gaussian_filter(image.astype(float), 19) for image in counts])
    noise = np.stack([gaussian_filter(image, 25) for image in generator.random(counts.shape)])
    preds = density / density.max() + 10 * (noise - noise.min())
    fixated = {str(number): Points.from_counts(image) for number, image in enumerate(counts)}
    return MadeUp(
        preds.astype(np.float32).astype(np.float64),
        counts,
        density.astype(np.float32).astype(np.float64),
        centre_bias(counts, HEIGHT, WIDTH).numpy(),
        Baselines(fixated, None, None),
    )


def ours(data: MadeUp) -> dict[str, Callable[[], Scores]]:
    """Each metric alone, and `all` in one go, over batches of the set."""
    preds, densities = (torch.from_numpy(m).float() for m in (data.preds, data.densities))
    counts = torch.from_numpy(data.counts).int()
    baseline = torch.from_numpy(data.baseline)
    names = list(data.baselines.images)

    def over(score: Callable[[slice], Mapping[str, torch.Tensor]]) -> Callable[[], Scores]:
        def run() -> Scores:
            scores: Scores = {}
            for start in range(0, len(preds), BATCH):
                for name, values in score(slice(start, start + BATCH)).items():
                    scores.setdefault(name, []).extend(values.tolist())
            return scores

        return run

    def others(part: slice) -> list[auc.Negatives]:
        found = [data.baselines.others(name) for name in names[part]]
        return [negatives for negatives in found if negatives is not None]

    def expanded(part: slice) -> torch.Tensor:
        return baseline.expand(len(preds[part]), -1, -1)

    def together(part: slice, uniform: bool) -> dict[str, torch.Tensor]:
        return saliency.saliency_metrics(
            preds[part],
            counts[part],
            densities[part],
            others=others(part),
            baseline=expanded(part),
            uniform=uniform,
        )

    def gain(part: slice) -> torch.Tensor:
        return information.information_gain_of_map(preds[part], counts[part], expanded(part))

    return {
        "NSS": over(lambda p: {"NSS": saliency.nss(preds[p], counts[p])}),
        "AUC-Judd": over(lambda p: {"AUC-Judd": auc.auc_judd(preds[p], counts[p])}),
        "sAUC": over(lambda p: {"sAUC": auc.sauc(preds[p], counts[p], others(p))}),
        "IG": over(lambda p: {"IG": gain(p)}),
        "CC": over(lambda p: {"CC": saliency.cc(preds[p], densities[p])}),
        "KLDiv": over(lambda p: {"KLDiv": saliency.kldiv(preds[p], densities[p])}),
        "SIM": over(lambda p: {"SIM": saliency.sim(preds[p], densities[p])}),
        UNIFORM: over(lambda p: {UNIFORM: auc.auc_uniform(preds[p], counts[p])}),
        "all": over(lambda p: together(p, uniform=True)),
        WITHOUT: over(lambda p: together(p, uniform=False)),
        "AUC-Borji": over(lambda p: {"AUC-Borji": borji.auc_borji(preds[p], counts[p], names[p])}),
    }


def oracle(data: MadeUp) -> dict[str, Callable[[], Scores]]:
    """The same from pysaliency, image by image."""
    from pysaliency import metrics
    from pysaliency.roc import general_roc

    points = []
    for count in data.counts:
        rows, columns = np.nonzero(count)
        repeats = count[rows, columns]
        points.append((np.repeat(rows, repeats), np.repeat(columns, repeats)))
    every = [np.concatenate(axis) for axis in zip(*points, strict=True)]
    image = np.repeat(np.arange(len(points)), [len(rows) for rows, _ in points])

    def fixated(i: int) -> Floats:
        values: Floats = data.preds[i][points[i]]
        return values

    def elsewhere(i: int) -> Floats:
        values: Floats = data.preds[i][every[0][image != i], every[1][image != i]]
        return values

    def gain(i: int) -> float:
        density = metrics.convert_saliency_map_to_density(data.preds[i])
        gains = np.log(density[points[i]]) - data.baseline[points[i]]
        return float(gains.mean() / np.log(2))

    preds, densities, counts = data.preds, data.densities, data.counts
    each: dict[str, Callable[[int], float]] = {
        "NSS": lambda i: metrics.NSS(preds[i], points[i][1], points[i][0]).mean(),
        "AUC-Judd": lambda i: general_roc(fixated(i), preds[i][counts[i] == 0], judd=1)[0],
        "sAUC": lambda i: general_roc(fixated(i), elsewhere(i))[0],
        "IG": gain,
        "CC": lambda i: metrics.CC(preds[i], densities[i]),
        "KLDiv": lambda i: metrics.MIT_KLDiv(preds[i], densities[i]),
        "SIM": lambda i: metrics.SIM(preds[i], densities[i]),
        UNIFORM: lambda i: general_roc(fixated(i), preds[i].ravel())[0],
    }

    def over(names: list[str]) -> Callable[[], Scores]:
        return lambda: {n: [float(each[n](i)) for i in range(len(data))] for n in names}

    most = [name for name in each if name != UNIFORM]
    alone = {name: over([name]) for name in each}
    return alone | {"all": over(list(each)), WITHOUT: over(most)}


def milliseconds(
    calls: list[Callable[[], object]], images: int, clock: Callable[[], float]
) -> list[float]:
    """Median of a few runs of each call in turn, per image; the first, which compiles, left out."""
    times: list[list[float]] = [[] for _ in calls]
    for _ in range(1 + REPEATS):
        for own, call in zip(times, calls, strict=True):
            start = clock()
            call()
            own.append(1000 * (clock() - start) / images)
    return [float(np.median(own[1:])) for own in times]


def main(images: int = 50) -> None:
    """Measure and print."""
    warnings.simplefilter("ignore")
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    data = made_up(images)
    fast, slow = ours(data), oracle(data)
    rows = {}
    for name, call in fast.items():
        calls: list[Callable[[], object]] = [call, *([slow[name]] if name in slow else [])]
        rows[name] = milliseconds(calls, images, time.process_time)
    first, second = fast["all"](), slow["all"]()
    torch.set_num_threads(threads)
    clocked = milliseconds([fast["all"], slow["all"]], images, time.perf_counter)
    row = {
        "benchmark": "metrics",
        "images": images,
        "size": [HEIGHT, WIDTH],
        "fixations": FIXATIONS,
        "ms_per_image": {
            name: dict(zip(("ours", "pysaliency"), (round(t, 3) for t in times), strict=False))
            for name, times in rows.items()
        },
        "times_faster": round(rows["all"][1] / rows["all"][0], 2),
        "times_faster_without_auc": round(rows[WITHOUT][1] / rows[WITHOUT][0], 2),
        "all_threads": {"threads": threads, "times_faster": round(clocked[1] / clocked[0], 2)},
        "largest_disagreement": {
            name: float(np.abs(np.subtract(first[name], second[name])).max()) for name in first
        },
    }
    sys.stdout.write(json.dumps(row) + "\n")


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
