"""Every equal form of a trained student by every recipe, timed in turns in one process.

    python -m benchmarks.rewrites CHECKPOINT … [--photos FOLDER] [--recipes …] [--threads 2]

Beside the forms stand the bare backbone by the same recipe and, where it is installed (`pip install
onnx onnxruntime onnxscript`), ONNX Runtime on the float graph. Only ratios within one run mean
anything: each round times every file a few times, ratios are of the rounds' medians, their interval
a bootstrap's. `--write` keeps the times in mobile/rewrites/measured.json, from which
exports choose their form.
"""

from __future__ import annotations

import argparse
import importlib
import json
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import nn

from benchmarks.interleaved import table
from mobile import bare, recipes
from mobile.export import export, open_runner
from mobile.host import this_host
from mobile.rewrites import forms
from pipeline import checkpoint
from pipeline.data.images import SUFFIXES, read_rgb
from pipeline.data.resize import resize
from pipeline.errors import UserError
from pipeline.files import read_json, write_json

if TYPE_CHECKING:
    from mobile.backend import Array
    from students import ModelSpec

BARE = "bare backbone"
ONNX = "onnxruntime"
RECIPES = ("executorch_fp32", "executorch_int8", "litert_fp32", "litert_int8")


@dataclass(frozen=True)
class Timed:
    """One file, or ONNX Runtime on one graph, ready to run."""

    student: str
    recipe: str
    form: str
    size: int
    run: Any
    """Runs once; nothing taken, nothing given."""


def main() -> int:
    """Export, time, print; status 2 for what cannot be read."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("checkpoints", nargs="+", type=Path, help="model.safetensors of students")
    parser.add_argument(
        "--photos", type=Path, required=True, help="real photographs to calibrate on"
    )
    parser.add_argument("--images", type=int, default=32, help="how many of them")
    parser.add_argument("--recipes", nargs="+", default=list(RECIPES))
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--rounds", type=int, default=25)
    parser.add_argument("--write", action="store_true", help="keep times as the forms' measurement")
    given = parser.parse_args()
    try:
        images = photographs(given.photos, given.images)
        with tempfile.TemporaryDirectory() as folder:
            found: list[Timed] = []
            for path in given.checkpoints:
                found += subjects(path, given.recipes, images, given.threads, Path(folder))
            times = in_rounds(found, given.rounds)
        print(table(rows(found, times)))
        if given.write:
            keep(found, times, given.threads)
    except UserError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    return 0


def photographs(folder: Path, count: int) -> list[Array]:
    """The first `count` of a folder, (1, 3, 192, 256) float32 RGB 0-255."""
    files = sorted(f for f in folder.rglob("*") if f.suffix.lower() in SUFFIXES)[:count]
    if not files:
        raise UserError(f"no photographs in {folder}; give a folder of some")
    small = (resize(read_rgb(file), 192, 256).transpose(2, 0, 1)[None] for file in files)
    return [np.ascontiguousarray(image, dtype=np.float32) for image in small]


def subjects(
    path: Path, wanted: list[str], images: list[Array], threads: int, folder: Path
) -> list[Timed]:
    """Every form of one student by every recipe, its bare backbone too, loaded."""
    student, header = checkpoint.load_model(path, "student")
    spec = checkpoint.spec_of(header)
    found = []
    for recipe in wanted:
        found += [
            _file(student, spec, recipe, form, images, threads, folder)
            for form in forms.of(student)
        ]
        backbone = bare.of(student)
        if backbone is not None:
            found.append(_file(backbone, spec, recipe, BARE, images, threads, folder))
    found += _onnx(student, spec, images[0], threads, folder)
    return found


def _file(
    module: nn.Module,
    spec: ModelSpec,
    recipe: str,
    form: str,
    images: list[Array],
    threads: int,
    folder: Path,
) -> Timed:
    target = folder / f"{spec.name}-{recipe}-{form.replace(' ', '-')}"
    chosen = None if form == BARE else form
    report = export(module, spec, recipes.get(recipe), iter(images), target, chosen)
    runner = open_runner(target / report.file, threads)
    prepared = runner.prepare(images[0])
    if sys.stderr.isatty():
        print(f"exported {spec.name} {recipe} {form}", file=sys.stderr, flush=True)
    return Timed(spec.name, recipe, form, report.bytes, lambda: runner.invoke(prepared))


def _onnx(
    student: nn.Module, spec: ModelSpec, image: Array, threads: int, folder: Path
) -> Iterator[Timed]:
    try:
        onnxruntime = importlib.import_module("onnxruntime")
        importlib.import_module("onnxscript")  # torch's exporter needs it
    except ImportError:
        return
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    for form, module in forms.of(student).items():
        path = folder / f"{spec.name}-{form}.onnx"
        torch.onnx.export(module, (torch.from_numpy(image),), str(path), dynamo=True, verbose=False)
        session = onnxruntime.InferenceSession(str(path), options)
        feed = {session.get_inputs()[0].name: image}
        size = sum(f.stat().st_size for f in folder.glob(f"{path.name}*"))
        yield Timed(spec.name, ONNX, form, size, lambda s=session, f=feed: s.run(None, f))


def in_rounds(found: list[Timed], rounds: int) -> list[list[float]]:
    """Medians of each round, ms, of each subject; a second untimed run warms the caches up."""
    times: list[list[float]] = [[] for _ in found]
    for number in range(rounds + 1):
        for subject, kept in zip(found, times, strict=True):
            subject.run()
            taken = []
            for _ in range(5):
                started = time.perf_counter()
                subject.run()
                taken.append(1000 * (time.perf_counter() - started))
            if number:  # the first round warms up
                kept.append(statistics.median(taken))
    return times


def rows(found: list[Timed], times: list[list[float]]) -> list[Mapping[str, Any]]:
    """A row each: median, and its ratios to what the bars compare it with."""
    at = {(s.student, s.recipe, s.form): t for s, t in zip(found, times, strict=True)}

    def ratio(own: list[float], other: list[float] | None) -> str:
        if other is None or other is own:
            return ""
        each = [a / b for a, b in zip(own, other, strict=True)]
        low, high = np.quantile(
            [statistics.median(_again(each, s)) for s in range(200)], [0.025, 0.975]
        )
        return f"{statistics.median(each):.2f} ({low:.2f}-{high:.2f})"

    shown: list[Mapping[str, Any]] = []
    for s, own in zip(found, times, strict=True):
        first = next(x.form for x in found if (x.student, x.recipe) == (s.student, s.recipe))
        floats = s.recipe.rpartition("_")[0] + "_fp32"
        shown.append(
            {
                "student": s.student,
                "recipe": s.recipe,
                "form": s.form,
                "MiB": round(s.size / 2**20, 2),
                "ms": round(statistics.median(own), 2),
                "to_first_form": ratio(own, at[s.student, s.recipe, first]),
                "to_fp32": ratio(own, at.get((s.student, floats, s.form))),
                "to_bare": ratio(own, at.get((s.student, s.recipe, BARE))),
                "to_LiteRT_fp32": ratio(own, at.get((s.student, "litert_fp32", s.form))),
                "to_ONNX": ratio(own, at.get((s.student, ONNX, s.form))),
            }
        )
    return shown


def _again(values: list[float], seed: int) -> list[float]:
    return list(np.random.default_rng(seed).choice(values, len(values)))


def keep(found: list[Timed], times: list[list[float]], threads: int) -> None:
    """Replace what was measured of these students and recipes, in the file that exports read."""
    kept: dict[str, Any] = read_json(forms.MEASURED) if forms.MEASURED.is_file() else {"ms": {}}
    fresh: dict[str, dict[str, float]] = {}
    for s, own in zip(found, times, strict=True):
        if s.form != BARE and s.recipe != ONNX:
            fresh.setdefault(f"{s.student} {s.recipe}", {})[s.form] = round(
                statistics.median(own), 3
            )
    content = {"cpu": this_host().cpu, "threads": threads, "ms": kept["ms"] | fresh}
    write_json(forms.MEASURED, json.loads(json.dumps(content)))


if __name__ == "__main__":
    sys.exit(main())
