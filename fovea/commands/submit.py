"""`fovea submit`: a file that a public saliency benchmark takes."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from fovea.commands.arguments import Commands, add_command, positive
from fovea.commands.data import root_of
from pipeline.errors import UserError

if TYPE_CHECKING:
    from fovea.submit import Form
    from pipeline.submission.benchmarks import Benchmark

EXAMPLES = """examples:
  fovea submit mit300 --images ~/MIT300 -o mit300.zip
  fovea submit salicon-test --images salicon -o salicon.zip --model outputs/bundle
  fovea submit cat2000-test --images cat2000 -o cat2000.zip --model model.safetensors --blur 10
  fovea submit mit300 --images mit300 -o densities.zip --log-density softmax
  fovea submit mit300 --images some/ -o trial.zip --partial

Benchmarks: mit300 (300 images), cat2000-test (2,000), salicon-test (5,000). Maps have the image's
name and size, scaled to 0-255. The zip is written whole or not at all; nothing is uploaded.
"""


def add(commands: Commands) -> None:
    """Describe the command."""
    parser = add_command(
        commands,
        "submit",
        "maps of a benchmark's images, in the form it takes",
        "Runs a model over the images of a public saliency benchmark and writes the zip that it "
        "takes, under its names and in its form.",
        EXAMPLES,
    )
    parser.add_argument("benchmark", metavar="BENCHMARK", help="mit300, cat2000-test, salicon-test")
    parser.add_argument(
        "--images",
        required=True,
        metavar="NAME|FOLDER",
        help="the data set: a registered name, its folder, or the folder of its images",
    )
    parser.add_argument("-o", "--out", required=True, type=Path, metavar="ZIP", help="the result")
    parser.add_argument(
        "--model",
        metavar="FILE",
        help="exported file, checkpoint, bundle, or hash of `fovea shelf list` "
        "(default: outputs/bundle, or the newest on the shelf)",
    )
    parser.add_argument("--recipe", help="which file of a bundle (default: an int8 one)")
    parser.add_argument("--format", choices=("png", "jpg"), help="of maps (default png)")
    parser.add_argument(
        "--log-density",
        choices=("softmax", "sigmoid"),
        help="instead of maps: .npy files of log-densities, read out of the logits like this",
    )
    parser.add_argument(
        "--blur", type=float, default=0.0, metavar="SIGMA", help="of the map, pixels (default 0)"
    )
    parser.add_argument("--partial", action="store_true", help="take fewer images than there are")
    parser.add_argument("--workers", type=positive, metavar="N", help="images at once")
    parser.set_defaults(run=run, stopped="stopped; nothing was written")


def run(parsed: argparse.Namespace) -> None:
    """Write the zip and say what is in it."""
    from pipeline.config.check import one_of
    from pipeline.submission import archive, benchmarks

    one_of("BENCHMARK", parsed.benchmark, benchmarks.BENCHMARKS)
    benchmark = benchmarks.BENCHMARKS[parsed.benchmark]
    archive.require_name(parsed.out)
    form = _form(parsed, benchmark)
    stimuli = benchmarks.find(benchmark, root_of(parsed.images))
    if not parsed.partial:
        benchmarks.require_whole(benchmark, stimuli)
    from fovea import submit
    from fovea.predict import model, session

    chosen = model.find(parsed.model, parsed.recipe)
    workers = parsed.workers or session.cores()
    count = submit.write(benchmark, stimuli, chosen, form, parsed.out, workers)
    part = "" if count == benchmark.count else f" of {benchmark.count:,}: not a whole submission"
    what = "log-densities" if form.readout else "maps"
    print(f"{parsed.out}: {count:,} {what}{part}, by {chosen.title}; nothing was uploaded")


def _form(parsed: argparse.Namespace, benchmark: Benchmark) -> Form:
    from fovea.submit import Form

    if not 0 <= parsed.blur < float("inf"):
        raise UserError(f"--blur {parsed.blur}: give 0 or more pixels")
    if parsed.log_density is None:
        suffix = f".{parsed.format}" if parsed.format else benchmark.pictures[0]
        if suffix not in benchmark.pictures:
            known = " or ".join(form.removeprefix(".") for form in benchmark.pictures)
            raise UserError(f"{benchmark.name} takes {known}, not {parsed.format}")
        return Form(suffix, parsed.blur)
    if not benchmark.densities:
        raise UserError(f"{benchmark.name} takes maps, no log-densities; leave --log-density out")
    if parsed.format:
        raise UserError(f"--log-density writes .npy; leave out --format {parsed.format}")
    return Form(".npy", parsed.blur, parsed.log_density)
