"""One run of `fovea predict`: loads the model once, then works through a folder or one picture."""

from __future__ import annotations

import contextlib
import ctypes
import io
import itertools
import os
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from PIL import Image

from fovea.predict import classes, likeliest, many, picture, png, record, work
from fovea.predict.inputs import Photo
from fovea.predict.model import Model
from fovea.predict.runners import input_size
from fovea.predict.source import of_frames, of_photo, read_bytes, read_photo
from fovea.predict.work import Job, Predictor, Wanted
from pipeline.errors import UserError
from pipeline.files import unwritable

_FAST_MARGIN = 2
"""With --fast, a JPEG is decoded at this many times the model's input or more."""
_TRIM_THRESHOLD, _MMAP_THRESHOLD = -1, -3  # of malloc.h
_KEPT_BYTES = 256 * 2**20


@dataclass(frozen=True)
class Settings:
    """How a run works."""

    wanted: Wanted
    workers: int
    fast: bool = False
    resume: bool = False
    every: int = 1
    """Of a film, each frame whose number this divides."""
    most: int | None = None
    """Of a film, this many frames."""


@dataclass(frozen=True)
class Film:
    """Frames, and the folder of their results below the output folder."""

    place: Path
    frames: Iterator[picture.Pixels]


@dataclass(frozen=True)
class Outcome:
    """What became of a run."""

    written: list[Path]
    """Files of the last photograph."""
    done: int
    kept: int
    """Photographs that --resume found finished."""
    problems: list[str]


def cores() -> int:
    """Processors this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def load(model: Model, workers: int) -> list[Predictor]:
    """One predictor per worker on one thread each, or a single one on every processor."""
    # All are loaded before any runs: a runtime's thread pool is set up for the whole process.
    threads = cores() if workers == 1 else 1
    made = []
    for _ in range(workers):
        runner = model.open(threads)
        height, width = model.size or input_size(runner)
        made.append(Predictor(runner, height, width, model.meaning, model.classes))
    return made


def to_stdout(model: Model, given: str, *, raw: bool, logits: bool, settings: Settings) -> None:
    """One picture, from a file or standard input (`-`), to standard output.

    A PNG of the overlay; with `raw` the map, 16 bits deep or the indices of classes in 8; JSON of
    a model that names classes of whole images; with `logits` the model's output as `.npy`.
    """
    sink = sys.stdout.buffer
    if sink.isatty() and (logits or not model.whole):
        raise UserError("standard output is a terminal; redirect it to a file, or give -o FOLDER")
    predictor = load(model, 1)[0]
    pixels = read_bytes(sys.stdin.buffer) if given == "-" else read_photo(Path(given))
    output = predictor.output(pixels)
    if logits:
        sink.write(work.npy(output))
    elif model.whole:
        sink.write(likeliest.encoded(output, model.classes))
    else:
        one = Wanted(overlay=not raw, longest=settings.wanted.longest, map=raw, depth=16)
        sink.write(_encoded(*predictor.drawn(pixels, output, one)))
    sink.flush()


def _encoded(levels: picture.Levels | None, painted: Image.Image | None) -> bytes:
    """The one of the two that there is, as PNG."""
    if levels is not None:
        return png.encode(levels)
    assert painted is not None, "one of both was asked for"
    buffer = io.BytesIO()
    painted.convert("RGB").save(buffer, "PNG", compress_level=1)
    return buffer.getvalue()


def to_folder(
    model: Model,
    photos: Sequence[Photo],
    films: Sequence[Film],
    out: Path,
    settings: Settings,
    *,
    stdin: Job | None = None,
) -> Outcome:
    """Everything into `out`; photographs that cannot be read are told of in the outcome.

    Raises `UserError` when the model or the folder cannot be used.
    """
    if model.whole and settings.wanted.depth != 8:
        raise UserError(f"{model.title} names classes and draws no map; leave --depth out")
    if model.meaning == classes.MEANING and settings.wanted.depth != 8:
        raise UserError(
            f"{model.title} names a class for every pixel, and its maps hold their indices in "
            "8 bits; leave --depth out"
        )
    wanted = settings.wanted.fitting(model.whole)
    _prepare(out)
    _keep_memory()
    record.keep(out, model, wanted, fast=settings.fast, resume=settings.resume)
    still = len(photos) + (stdin is not None)
    workers = min(settings.workers, still) if not films else settings.workers
    predictors = load(model, max(1, workers))
    least = None
    if settings.fast:
        least = (_FAST_MARGIN * predictors[0].height, _FAST_MARGIN * predictors[0].width)
    jobs = [of_photo(photo, out, least) for photo in photos]
    waiting = [
        job
        for job, photo in zip(jobs, photos, strict=True)
        if not (settings.resume and record.is_done(job, photo.path, wanted))
    ]
    moving = (
        of_frames(film.frames, out / film.place, settings.every, settings.most) for film in films
    )
    todo = itertools.chain(waiting, filter(None, [stdin]), itertools.chain.from_iterable(moving))
    kept = len(jobs) - len(waiting)
    total = None if films else still - kept
    done = _all_done(todo, predictors, wanted, total)
    return _outcome(done, kept, wanted)


def _prepare(out: Path) -> None:
    if out.exists() and not out.is_dir():
        raise UserError(f"{out} is a file; -o takes a folder")
    try:
        out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise unwritable(out, error) from error


def _keep_memory() -> None:
    """Let the C library keep freed memory for the next photograph.

    It gives blocks of a photograph's size back to the system at once, and getting them anew, page
    by page, takes longer than decoding. Libraries without `mallopt` are left as they are.
    """
    with contextlib.suppress(AttributeError, OSError):
        tune = ctypes.CDLL(None).mallopt
        tune(_TRIM_THRESHOLD, _KEPT_BYTES)
        tune(_MMAP_THRESHOLD, _KEPT_BYTES)


def _all_done(
    jobs: Iterator[Job], predictors: Sequence[Predictor], wanted: Wanted, total: int | None
) -> list[many.Done]:
    finished: list[many.Done] = []
    with contextlib.ExitStack() as stack:
        meter = None
        if total is None or total > 1:
            from pipeline.engine.progress import Meter

            meter = stack.enter_context(Meter("predict", total or 0, "photos"))
        running = stack.enter_context(contextlib.closing(many.run(jobs, predictors, wanted)))
        for item in running:
            finished.append(item)
            if meter is not None:
                meter(1)
    return finished


def _outcome(finished: Sequence[many.Done], kept: int, wanted: Wanted) -> Outcome:
    good = [item.job for item in finished if item.problem is None]
    problems = [item.problem for item in finished if item.problem is not None]
    return Outcome(good[-1].files(wanted) if good else [], len(good), kept, problems)
