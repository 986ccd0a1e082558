"""Latency of everything runnable among files, bundles and checkpoints, in one run."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fovea.predict.model import contract_of, require_runnable
from mobile.backend import Delegation, backend_for, not_timed
from mobile.export import SCHEMA, ExportReport, InputContract, OutputContract
from pipeline import paths, shelf
from pipeline.errors import UserError
from pipeline.files import tree_hash

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from mobile.latency_row import LatencyRow
    from mobile.targets.timed import TimedTarget
    from mobile.timing import Plan

Measure = Callable[[Path, int, "Plan"], "LatencyRow"]
"""Input file, threads and protocol -> a row."""
GOLDEN = "golden/image0.png"


@dataclass(frozen=True)
class Subject:
    """One file to be timed."""

    path: Path
    size: tuple[int, int]
    """Height and width of its input."""
    measure: Measure
    refusal: str | None = None
    """Why it is not timed on this machine."""
    golden: Path | None = None
    """A real photograph of its input size, beside it in the bundle."""


def subjects(given: Sequence[str], on: TimedTarget | None = None) -> list[Subject]:
    """What to time of files, bundles, checkpoints and entries of the shelf (by path or hash).

    On a target: those files that it runs. Raises `UserError` for what is none of these.
    """
    found = [subject for name in given for subject in _of(name, on)]
    if on is not None:
        found = [subject for subject in found if subject.path.suffix in on.suffixes]
        if not found:
            raise UserError(f"{on.name} runs {', '.join(on.suffixes)}; nothing given is one")
    if all(subject.refusal for subject in found):
        why = "; ".join(f"{subject.path}: {subject.refusal}" for subject in found)
        raise UserError(f"nothing here can be timed on this machine ({why})")
    return found


def measure(
    found: Sequence[Subject],
    image: Path | None,
    threads: int,
    plan: Plan,
    on_row: Callable[[LatencyRow], None] | None = None,
) -> list[LatencyRow]:
    """A row for each subject that runs here, torch first, all on the same picture.

    The picture is `image`, or the first bundle's golden one, or a generated scene.
    """
    import numpy as np

    running = [subject for subject in found if subject.refusal is None]
    running.sort(key=lambda subject: subject.path.suffix != ".safetensors")
    golden = next((subject.golden for subject in running if subject.golden), None)
    pixels = _picture(image or golden)
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        for subject in running:
            array = Path(folder) / "x".join(map(str, subject.size))
            array = array.with_suffix(".npy")
            if not array.exists():
                np.save(array, _input(pixels, subject.size), allow_pickle=False)
            row = subject.measure(array, threads, plan)
            rows.append(row)
            if on_row is not None:
                on_row(row)
    return rows


def _picture(path: Path | None) -> NDArray[np.uint8]:
    if path is not None:
        from pipeline.data.images import read_rgb

        return read_rgb(path)
    from pipeline.data.sample.compose import compose
    from pipeline.data.sample.render import render

    return render(compose(0)).pixels


def _input(pixels: NDArray[np.uint8], size: tuple[int, int]) -> NDArray[np.float32]:
    import numpy as np

    from pipeline.data.resize import resize

    small = resize(pixels, *size)
    return np.ascontiguousarray(small.transpose(2, 0, 1))[None]


def _of(name: str, on: TimedTarget | None) -> Iterator[Subject]:
    path = Path(name)
    if not path.exists():
        if not shelf.is_key(name):
            raise UserError(f"{path} does not exist; give a bundle, an exported file or a hash")
        path = shelf.select(name)
    if not path.is_dir() or path.suffix:
        yield _file(path, on)
        return
    bundle = next((b for b in (path, path / "bundle") if (b / "manifest.json").is_file()), None)
    if bundle is None and not (path / "export.json").is_file() and not _weights(path):
        raise UserError(f"{path} is neither a bundle, an export nor a checkpoint's folder")
    if _weights(path):
        yield _checkpoint(path / paths.MODEL)
    if bundle is not None:
        yield from _bundle(bundle, on)
    elif (path / "export.json").is_file():
        yield _file(path / ExportReport.read(path / "export.json").file, on)


def _weights(folder: Path) -> bool:
    return (folder / paths.MODEL).is_file()


def _file(path: Path, on: TimedTarget | None) -> Subject:
    if path.suffix == ".safetensors":
        return _checkpoint(path)
    told = contract_of(path)
    return _exported(path, _alone(path) if told is None else _report(told), on)


def _bundle(bundle: Path, on: TimedTarget | None) -> Iterator[Subject]:
    from mobile import manifest

    golden = bundle / GOLDEN
    for _, entry in sorted(manifest.load(bundle)["artefacts"].items()):
        photograph = golden if golden.is_file() else None
        yield _exported(bundle / entry["path"], _report(entry), on, photograph)


def _report(entry: dict[str, Any]) -> ExportReport:
    """The export report that a contract holds, among other things."""
    own = {field.name: entry[field.name] for field in fields(ExportReport) if field.name in entry}
    delegation = entry["delegation"]
    nested = {
        "input": InputContract(**entry["input"]),
        "output": OutputContract(**entry["output"]),
        "delegation": None if delegation is None else Delegation(**delegation),
        "calibration": None,
        "form": None,
    }
    return ExportReport(**{**own, **nested})


def _alone(path: Path) -> ExportReport:
    """What can be said of a file that no report describes."""
    backend = backend_for(path)
    height, width = _own_size(path)
    shape = (1, 3, height, width)
    taken = InputContract("", "NCHW", shape, "float32", (0.0, 255.0), "RGB")
    return ExportReport(
        schema=SCHEMA,
        student="unknown",
        recipe=path.name,
        backend=backend.name,
        precision="unknown",
        file=path.name,
        bytes=path.stat().st_size,
        sha256=tree_hash(path),
        input=taken,
        output=OutputContract("", (1, 1, height, width), "logits"),
        delegation=None,
        calibration=None,
        versions={},
    )


def _own_size(path: Path) -> tuple[int, int]:
    from fovea.predict.runners import exported, input_size

    require_runnable(path)
    return input_size(exported(path, 1))


def _exported(
    path: Path, report: ExportReport, on: TimedTarget | None, golden: Path | None = None
) -> Subject:
    from mobile.latency import measure as measure_file
    from mobile.targets.timed import measure_on

    sides = report.input.shape[1:3] if report.input.layout == "NHWC" else report.input.shape[2:]

    def run(image: Path, threads: int, plan: Plan) -> LatencyRow:
        if on is None:
            return measure_file(path, report, image, threads, plan)
        return measure_on(on, path, report, image, threads, plan)

    size = (int(sides[0]), int(sides[1]))
    refusal = not_timed(backend_for(path)) if on is None else None
    return Subject(path, size, run, refusal, golden)


def _checkpoint(path: Path) -> Subject:
    from mobile.latency import measure_eager
    from pipeline import checkpoint

    header = checkpoint.read(path)[1]

    def run(image: Path, threads: int, plan: Plan) -> LatencyRow:
        return measure_eager(path, header["model"], image, threads, plan, header["overrides"])

    return Subject(path, (header["height"], header["width"]), run)
