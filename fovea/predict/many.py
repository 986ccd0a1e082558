"""Many photographs at once: each worker takes one all the way from its file to its pictures.

Decoding, resizing, running and encoding all leave Python's lock, so workers with a model on one
thread each keep every processor busy, and none of them waits for another's stage.
"""

from __future__ import annotations

import queue
import threading
from collections.abc import Generator, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from fovea.predict.work import Job, Predictor, Wanted, write
from pipeline.errors import UserError


@dataclass(frozen=True)
class Done:
    """One photograph that is finished with."""

    job: Job
    problem: str | None
    """Why there is no result: a broken photograph; None when all is written."""


Results = Generator[Done, None, None]


def run(jobs: Iterator[Job], predictors: Sequence[Predictor], wanted: Wanted) -> Results:
    """Work through `jobs` with one worker per predictor; what is done, as it gets done.

    A photograph that cannot be read is a `Done` with its problem, and the rest goes on. Raises
    whatever else goes wrong (a full disk, a broken model) once the photographs at hand are done.
    Closing the iterator early, as Ctrl-C does, also waits for these: no file is left half-written.
    """
    results: queue.SimpleQueue[Done | BaseException | None] = queue.SimpleQueue()
    stop, taking = threading.Event(), threading.Lock()

    def work(predictor: Predictor) -> None:
        try:
            while (job := _next(jobs, taking, stop)) is not None:
                results.put(Done(job, _process(job, predictor, wanted)))
        except BaseException as error:  # raised again where the results are read
            stop.set()
            results.put(error)
        results.put(None)

    with ThreadPoolExecutor(len(predictors)) as pool:
        for predictor in predictors:
            pool.submit(work, predictor)
        try:
            yield from _collect(results, len(predictors))
        finally:
            stop.set()


def _collect(
    results: queue.SimpleQueue[Done | BaseException | None], workers: int
) -> Iterator[Done]:
    failure: BaseException | None = None
    while workers:
        item = results.get()
        if item is None:
            workers -= 1
        elif isinstance(item, Done):
            yield item
        else:
            failure = failure or item
    if failure is not None:
        raise failure


def _next(jobs: Iterator[Job], taking: threading.Lock, stop: threading.Event) -> Job | None:
    with taking:  # frames of a film are decoded here, one after the other
        return None if stop.is_set() else next(jobs, None)


def _process(job: Job, predictor: Predictor, wanted: Wanted) -> str | None:
    try:
        pixels = job.read()
    except UserError as error:
        return str(error)
    write(job, pixels, predictor, wanted)
    return None
