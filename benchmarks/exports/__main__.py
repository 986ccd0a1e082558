"""Every student by every export recipe: size, delegation, parity, result, speed and lint.

    python -m benchmarks.exports --students cii_r18 gald_r18 --recipes litert_int8 coreml_fp16
    python -m benchmarks.exports --students cednet_n --recipes all --size 256 256
    python -m benchmarks.exports --weights outputs/train/full/model.safetensors --data duts --layout duts
    python -m benchmarks.exports --ledger docs/architectures/exports.jsonl --page docs/architectures/exports.md

Each pair is exported in a process of its own: what fails, crashes or takes too long is a row with
its reason. What the ledger has is not run again; a stopped command goes on. A row belongs to the
student's own code, its overrides and weights, the recipe, the photographs and the versions of the
converters: where one of them is another, the pair is run anew.
"""  # noqa: E501 - a command is one line

from __future__ import annotations

import argparse
import difflib
import signal
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from benchmarks import photographs
from benchmarks.exports import ledger, process
from benchmarks.exports.matrix import Pair, fill, pairs
from benchmarks.exports.page import markdown
from benchmarks.exports.subject import checkpoints, subject, write
from mobile import recipes
from mobile.backend import Array
from mobile.host import this_host
from pipeline.config.load import CONF
from pipeline.data.dataset import read_image
from pipeline.data.layouts import Record
from pipeline.errors import UserError
from pipeline.files import atomic_write_text, sha256_json

LEDGER = Path("exports.jsonl")
RECIPES = (
    "executorch_fp32", "executorch_int8", "litert_fp32", "litert_int8", "coreml_fp16",
    "coreml_int8_weights",
)  # fmt: skip
"""Those of conf/export/mobile.yaml."""


def main(arguments: Sequence[str] | None = None) -> None:
    """Do what the command line says."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.exports",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--students", nargs="+", help="names in conf/student; those of --weights")
    parser.add_argument("--recipes", nargs="+", default=list(RECIPES), help="names, or all")
    parser.add_argument("--weights", type=Path, nargs="+", default=[], metavar="CHECKPOINT",
                        help="trained students; without, calibrated ones")  # fmt: skip
    parser.add_argument("--size", type=int, nargs=2, metavar=("H", "W"),
                        help="the checkpoint's, or that of the sample data")  # fmt: skip
    photographs.add_arguments(parser)
    parser.add_argument("--calibrate", type=int, default=32, help="photographs (default: 32)")
    parser.add_argument("--compare", type=int, default=8, help="others to compare on (default: 8)")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--timeout", type=float, default=3600, help="seconds of a pair")
    parser.add_argument("--retry", action="store_true", help="run what failed again")
    parser.add_argument("--ledger", type=Path, default=LEDGER, help=f"default: {LEDGER}")
    parser.add_argument("--page", type=Path, help="write the tables as Markdown here")
    chosen = parser.parse_args(arguments)
    try:
        problems = act(chosen)
    except UserError as error:
        print(f"error: {error}", file=sys.stderr)
        sys.exit(2)
    except KeyboardInterrupt:
        print("stopped; the same command goes on", file=sys.stderr)
        sys.exit(130)
    for problem in problems:
        print(f"not exported: {problem}", file=sys.stderr)
    sys.exit(1 if problems else 0)


def act(chosen: argparse.Namespace) -> list[str]:
    """Run what is asked for, then write the page; what failed, a line each."""
    problems: list[str] = []
    given = checkpoints(chosen.weights)
    names = chosen.students or list(given)
    if names:
        problems = run(chosen, names, given)
    elif chosen.page is None:
        raise UserError("name students with --students, or checkpoints with --weights; see --help")
    if chosen.page is not None:
        rows = ledger.read(chosen.ledger)
        if not rows:
            raise UserError(f"{chosen.ledger} holds no rows; run students with it first")
        atomic_write_text(chosen.page, markdown(rows))
        print(chosen.page)
    return problems


def run(chosen: argparse.Namespace, names: Sequence[str], given: dict[str, Path]) -> list[str]:
    """Fill the ledger; what failed, a line each."""
    known([name for name in names if name not in given])
    if min(chosen.calibrate, chosen.compare) < 1:
        raise UserError("--calibrate and --compare take 1 photograph or more")
    wanted = recipes.names() if "all" in chosen.recipes else chosen.recipes
    by = [recipes.get(name) for name in wanted]
    subjects = [subject(name, chosen.size, given) for name in names]
    with tempfile.TemporaryDirectory(prefix="fovea-exports-") as scratch:
        number = chosen.calibrate + chosen.compare
        records = photographs.find(chosen, Path(scratch))[:number]
        if len(records) <= chosen.compare:
            raise UserError(
                f"{len(records)} photographs are too few; give more, or fewer to compare"
            )
        images = described(records, chosen)
        host = this_host()
        threads = f"{chosen.threads} thread{'s' if chosen.threads > 1 else ''}"
        machine = f"{host.cpu}, {host.os}, {threads}"
        every = list(pairs(subjects, by, images, chosen.threads, machine))

        def measure(pair: Pair) -> dict[str, object]:
            return measured(pair, records, chosen, Path(scratch))

        failures = fill(every, chosen.ledger, measure, retry=chosen.retry)
    return [f"{row.student} by {row.recipe}: {row.error}" for row in failures]


def known(names: Sequence[str], folder: Path = CONF / "student") -> None:
    """Raise `UserError` with the nearest name for one without a configuration."""
    there = sorted(file.stem for file in folder.glob("*.yaml"))
    for name in names:
        if name not in there:
            near = difflib.get_close_matches(name, there, n=1, cutoff=0.0)
            hint = f"; did you mean {near[0]!r}?" if near else ""
            raise UserError(f"{folder} has no student called {name!r}{hint}")


def described(records: Sequence[Record], chosen: argparse.Namespace) -> str:
    """Which photographs, in one line; the hash is that of their names."""
    source = chosen.data or (chosen.root.name if chosen.root else "generated scenes")
    digest = sha256_json([record.id for record in records])[:8]
    others = len(records) - chosen.compare
    return f"{chosen.compare} of {source} compared, {others} to calibrate ({digest})"


def measured(
    pair: Pair, records: Sequence[Record], chosen: argparse.Namespace, scratch: Path
) -> dict[str, object]:
    """One pair by a process of its own; its files are removed behind it."""
    spec = pair.subject.spec
    common = scratch / f"{pair.subject.name}-{spec.height}x{spec.width}"
    if not common.is_dir():  # the first pair of its student
        common.mkdir()
        pixels = [read_image(r, spec.height, spec.width)[None].numpy() for r in records]
        save(pair, pixels, chosen.compare, common)
    with tempfile.TemporaryDirectory(dir=scratch) as folder:
        request = {
            "checkpoint": str(common / "student.safetensors"),
            "photographs": str(common / "photographs.npy"),
            "compared": chosen.compare,
            "recipe": pair.recipe.name,
            "threads": chosen.threads,
        }
        return process.run(request, Path(folder), chosen.timeout)


def save(pair: Pair, pixels: Sequence[Array], compared: int, folder: Path) -> None:
    """What all pairs of a student share: its weights and the photographs at its size."""
    write(pair.subject, pixels[compared:], folder / "student.safetensors")
    np.save(folder / "photographs.npy", np.concatenate(pixels))


if __name__ == "__main__":
    # What a scheduler stops ends like Ctrl-C: the process of a pair with it.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    main()
