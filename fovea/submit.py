"""A benchmark's images through a model into a zip that the benchmark takes."""

from __future__ import annotations

import queue
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from fovea.predict.model import Model
from fovea.predict.session import load
from fovea.predict.work import Predictor
from pipeline.data.images import read_stored
from pipeline.engine.progress import Meter
from pipeline.errors import UserError
from pipeline.submission import archive, maps
from pipeline.submission.benchmarks import Benchmark, Stimulus

T = TypeVar("T")


@dataclass(frozen=True)
class Form:
    """What is made of a map."""

    suffix: str = ".png"
    blur: float = 0.0
    """Sigma of a Gaussian over the map at the image's size, pixels; 0: none."""
    readout: str | None = None
    """For log-densities (`.npy`): one of `maps.READOUTS`."""


def write(
    benchmark: Benchmark,
    stimuli: Sequence[Stimulus],
    model: Model,
    form: Form,
    out: Path,
    workers: int,
) -> int:
    """Write the zip `out` with the map of every stimulus; returns how many.

    Raises `UserError`, and leaves `out` as it was, when an image cannot be read or has a size that
    the benchmark's images do not have, and when the model cannot run.
    """
    predictors = load(model, min(workers, len(stimuli)))

    def entry(predictor: Predictor, stimulus: Stimulus) -> tuple[str, bytes]:
        return stimulus.name + form.suffix, _file(benchmark, stimulus, predictor, form)

    with Meter("submit", len(stimuli), "maps") as meter:
        files = (_counted(made, meter) for made in _in_order(entry, stimuli, predictors))
        return archive.write(out, files)


def _file(benchmark: Benchmark, stimulus: Stimulus, predictor: Predictor, form: Form) -> bytes:
    pixels = read_stored(stimulus.path)
    size = pixels.shape[:2]
    if benchmark.size not in (None, size):
        raise UserError(
            f"{stimulus.path} is {size[0]}x{size[1]} (height x width), but images of "
            f"{benchmark.name} are {benchmark.size[0]}x{benchmark.size[1]}; get the original"
        )
    output = predictor.output(pixels)
    if form.readout is not None:
        return maps.encode(maps.log_density(output, form.readout, size, form.blur), form.suffix)
    return maps.encode(maps.grey(predictor.shown(output), size, form.blur), form.suffix)


def _counted(made: T, meter: Meter) -> T:
    meter(1)
    return made


def _in_order(
    work: Callable[[Predictor, Stimulus], T],
    stimuli: Sequence[Stimulus],
    predictors: Sequence[Predictor],
) -> Iterator[T]:
    """`work` of every stimulus in their order, a few at once and few ahead of the one wanted."""
    free: queue.SimpleQueue[Predictor] = queue.SimpleQueue()
    for predictor in predictors:
        free.put(predictor)

    def run(stimulus: Stimulus) -> T:
        predictor = free.get()
        try:
            return work(predictor, stimulus)
        finally:
            free.put(predictor)

    ahead: deque[Future[T]] = deque()
    with ThreadPoolExecutor(len(predictors)) as pool:
        try:
            for stimulus in stimuli:
                ahead.append(pool.submit(run, stimulus))
                if len(ahead) > 2 * len(predictors):
                    yield ahead.popleft().result()
            while ahead:
                yield ahead.popleft().result()
        finally:
            for future in ahead:
                future.cancel()
