"""How near `fovea predict` comes to the rate of the runtime alone, in one run.

    python -m benchmarks.predict [--model FILE] [--photos N] [--root FOLDER] [--fast]

Prints photographs per second of the runtime alone (on one core, and on all of them), of the whole
of predict, both ratios, and the milliseconds of one core that each step takes. The runtime's rate
is taken before and after predict: a busy machine slows both. Only the ratios mean anything
elsewhere. A ratio of 1 to the runtime on all cores leaves nothing for decoding and drawing, so
what can be reached there is the runtime's share of the milliseconds.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
from PIL import Image

from fovea.predict import inputs, model, picture, png, session, source
from fovea.predict.work import Predictor, Wanted
from pipeline import paths
from pipeline.data.images import SUFFIXES
from pipeline.data.resize import resize
from pipeline.data.sample import generate
from pipeline.errors import UserError

SECONDS = 2.0
STEP_PHOTOS = 60


def main() -> int:
    """Measure and print; status 2 for a model or folder that cannot be used."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", help="as `fovea predict --model` (default: as there)")
    parser.add_argument("--photos", type=int, default=1000, help="repeating those there are")
    parser.add_argument("--root", type=Path, help="folder of photographs (default: sample scenes)")
    parser.add_argument("--fast", action="store_true", help="as `fovea predict --fast`")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        try:
            chosen = model.find(arguments.model, None)
            files = _files(arguments.root, Path(scratch), arguments.photos)
            _report(chosen, files, Path(scratch) / "out", arguments.fast)
        except UserError as error:
            print(f"error: {error}", file=sys.stderr)
            return 2
    return 0


def _files(root: Path | None, scratch: Path, count: int) -> list[Path]:
    folder = root or paths.SAMPLE / "salicon" / "images" / "train"
    if root is None and not folder.is_dir():
        generate(scratch / "sample", train=40, val=0, pool=0)
        folder = scratch / "sample" / "salicon" / "images" / "train"
    found = sorted(file for file in folder.rglob("*") if file.suffix.lower() in SUFFIXES)
    if not found:
        raise UserError(f"no photograph in {folder}; give --root FOLDER")
    return [found[number % len(found)] for number in range(count)]


def _report(chosen: model.Model, files: Sequence[Path], out: Path, fast: bool) -> None:
    cores = session.cores()
    predictors = session.load(chosen, cores)
    pixels = [source.read_photo(file) for file in files[:STEP_PHOTOS]]
    height, width = pixels[0].shape[:2]
    print(f"{chosen.title}, {len(files)} photographs of about {width}x{height}, {cores} cores")
    before = _runtime(predictors[:1]), _runtime(predictors)
    rate = _predict(chosen, files, out, cores, fast)
    after = _runtime(predictors[:1]), _runtime(predictors)
    one, every = (statistics.mean(pair) for pair in zip(before, after, strict=True))
    print(f"runtime alone, one core    {one:7.1f} photographs/s")
    print(f"runtime alone, all cores   {every:7.1f} photographs/s")
    print(f"predict                    {rate:7.1f} photographs/s")
    print(f"predict / runtime on one core   {rate / one:5.2f}")
    print(f"predict / runtime on all cores  {rate / every:5.2f}")
    _steps(predictors[0], files[:STEP_PHOTOS], pixels, out, fast)


def _runtime(predictors: Sequence[Predictor]) -> float:
    """Runs per second of loaded models side by side, one thread each, on a prepared input."""
    counts = [0] * len(predictors)
    stop = threading.Event()

    def work(number: int, predictor: Predictor) -> None:
        prepared = predictor.runner.prepare(_ready(predictor))
        predictor.runner.invoke(prepared)
        while not stop.is_set():
            predictor.runner.invoke(prepared)
            counts[number] += 1

    threads = [threading.Thread(target=work, args=pair) for pair in enumerate(predictors)]
    started = time.perf_counter()
    for thread in threads:
        thread.start()
    time.sleep(SECONDS)
    stop.set()
    for thread in threads:
        thread.join()
    return sum(counts) / (time.perf_counter() - started)


def _predict(
    chosen: model.Model, files: Sequence[Path], out: Path, cores: int, fast: bool
) -> float:
    photos = [inputs.Photo(file, Path(f"{number:06d}")) for number, file in enumerate(files)]
    settings = session.Settings(Wanted(), workers=cores, fast=fast)
    started = time.perf_counter()
    outcome = session.to_folder(chosen, photos, [], out, settings)
    taken = time.perf_counter() - started
    if outcome.problems:
        raise UserError(outcome.problems[0])
    return outcome.done / taken


def _steps(
    predictor: Predictor,
    files: Sequence[Path],
    pixels: Sequence[picture.Pixels],
    out: Path,
    fast: bool,
) -> None:
    size = predictor.height, predictor.width
    least = (2 * size[0], 2 * size[1]) if fast else None
    shown = [predictor.shown(predictor.output(image)) for image in pixels]
    full = [resize(heat, *image.shape[:2]) for heat, image in zip(shown, pixels, strict=True)]
    painted = [_overlay(*pair) for pair in zip(pixels, full, strict=True)]
    jpeg, ready = out / "step.jpg", _ready(predictor)
    steps: dict[str, Callable[[int], object]] = {
        "read": lambda i: source.read_photo(files[i], least),
        "resize": lambda i: resize(pixels[i], *size),
        "run": lambda _: predictor.runner.run(ready),
        "map, enlarged": lambda i: resize(shown[i], *pixels[i].shape[:2]),
        "map, encoded": lambda i: png.encode(picture.levels(full[i])),
        "overlay, drawn": lambda i: _overlay(pixels[i], shown[i]),
        "overlay, encoded": lambda i: painted[i].save(jpeg, "JPEG", quality=picture.QUALITY),
    }
    print("one core, ms per photograph (best of 3):")
    for name, step in steps.items():
        print(f"  {name:<17} {1000 * _best(step, len(pixels)):6.2f}")


def _overlay(image: picture.Pixels, heat: picture.Map) -> Image.Image:
    return picture.overlay(picture.grey(image, Wanted().longest), heat)


def _ready(predictor: Predictor) -> picture.Map:
    shape = (1, 3, predictor.height, predictor.width)
    return np.random.default_rng(0).uniform(0, 255, shape).astype(np.float32)


def _best(step: Callable[[int], object], count: int) -> float:
    """Seconds of one call, from the best of a few passes over `count` photographs."""
    best = float("inf")
    for _ in range(3):
        started = time.perf_counter()
        for number in range(count):
            step(number)
        best = min(best, time.perf_counter() - started)
    return best / count


if __name__ == "__main__":
    sys.exit(main())
