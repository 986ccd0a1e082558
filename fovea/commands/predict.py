"""`fovea predict`: attention maps of photographs, from any exported file or checkpoint."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from fovea.commands.arguments import Commands, add_command, positive
from pipeline.errors import UserError

if TYPE_CHECKING:
    from fovea.predict.session import Outcome, Settings

EXAMPLES = """examples:
  fovea predict photo.jpg -o out/              out/photo.overlay.jpg and out/photo.map.png
  fovea predict holiday/ -o out/ --resume      a folder and all below it; goes on after Ctrl-C
  fovea predict *.jpg -o out/ --model outputs/bundle --recipe litert_fp32
  fovea predict photo.jpg -o out/ --model outputs/train/finetune/model.safetensors
  fovea predict - < photo.jpg > overlay.png    one picture through a pipe; --raw: the map
  fovea predict film.gif -o out/ --every 5     out/film/000000.overlay.jpg, 000005 …
  fovea predict --webcam 0 -o out/ --frames 100
"""
_FULL = "full"


def add(commands: Commands) -> None:
    """Describe the command."""
    parser = add_command(
        commands,
        "predict",
        "attention maps of photographs",
        "Where people would look: the map over the photograph (NAME.overlay.jpg) and the map "
        "alone (NAME.map.png, grey, at the photograph's size, full scale = probability 1). Of a "
        "model that names classes of pixels: their colours, and a map of their indices; of one "
        "that names those of whole images: the five likeliest (NAME.classes.json).",
        EXAMPLES,
    )
    parser.add_argument(
        "inputs", nargs="*", metavar="INPUT", help="photographs, folders, films, or - for stdin"
    )
    parser.add_argument("-o", "--out", metavar="FOLDER", help="where results go; - for stdout")
    parser.add_argument(
        "--model",
        metavar="FILE",
        help="exported file, checkpoint, bundle, or hash of `fovea shelf list` "
        "(default: outputs/bundle, or the newest on the shelf)",
    )
    parser.add_argument("--recipe", help="which file of a bundle (default: an int8 one)")
    _add_results(parser)
    _add_running(parser)
    parser.set_defaults(run=run, stopped="stopped; the same command with --resume goes on")


def _add_results(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("results")
    group.add_argument(
        "--size",
        default="1024",
        metavar="N",
        help="longer side of overlays in pixels, or `full` for the photograph's own (default 1024)",
    )
    group.add_argument(
        "--depth", type=int, choices=(8, 16), default=8, help="bits of a map's pixel (default 8)"
    )
    group.add_argument("--npy", action="store_true", help="write NAME.logits.npy too, float32")
    group.add_argument("--no-overlay", action="store_true", help="leave overlays out")
    group.add_argument("--no-map", action="store_true", help="leave maps out")
    group.add_argument(
        "--raw", action="store_true", help="to stdout: the 16-bit map instead of the overlay"
    )


def _add_running(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("running")
    group.add_argument("--resume", action="store_true", help="keep results that are already there")
    group.add_argument(
        "--fast",
        action="store_true",
        help="decode large JPEGs at a fraction of their size, which maps then have: quicker, "
        "slightly other values",
    )
    group.add_argument(
        "--workers", type=positive, metavar="N", help="photographs at once (default: processors)"
    )
    group.add_argument("--webcam", type=int, metavar="N", help="frames of camera N")
    group.add_argument(
        "--every", type=positive, default=1, metavar="N", help="of a film, each N-th frame"
    )
    group.add_argument("--frames", type=positive, metavar="N", help="of a film, at most N frames")


def run(parsed: argparse.Namespace) -> int:
    """Predict; status 1 when some photographs could not be read."""
    if parsed.out == "-" or (parsed.out is None and parsed.inputs == ["-"]):
        return _stream(parsed)
    if parsed.raw:
        raise UserError("--raw is for stdout; a folder gets maps anyway (--depth 16 for 16 bits)")
    if parsed.out is None:
        raise UserError("where to? Give -o FOLDER (or - as the only input, for stdout)")
    if not parsed.inputs and parsed.webcam is None:
        raise UserError("what of? Give photographs, folders, films, - or --webcam 0")
    return _folder(parsed)


def _stream(parsed: argparse.Namespace) -> int:
    from fovea.predict import model, session

    if len(parsed.inputs) != 1 or parsed.webcam is not None or Path(parsed.inputs[0]).is_dir():
        raise UserError("standard output takes one picture; give one photograph or -")
    chosen = model.find(parsed.model, parsed.recipe)
    if chosen.note:
        print(f"{chosen.title}: {chosen.note}", file=sys.stderr)
    session.to_stdout(
        chosen, parsed.inputs[0], raw=parsed.raw, logits=parsed.npy, settings=_settings(parsed)
    )
    return 0


def _folder(parsed: argparse.Namespace) -> int:
    from fovea.predict import films, inputs, model, session, source

    settings, out = _settings(parsed), Path(parsed.out)
    given = [Path(name) for name in parsed.inputs if name != "-"]
    found = inputs.photos(given, out)
    moving = [item for item in found if item.path in given and films.is_film(item.path)]
    clips = [session.Film(item.place, films.frames(item.path)) for item in moving]
    if parsed.webcam is not None:
        place = Path(f"webcam{parsed.webcam}")
        clips.append(session.Film(place, films.camera(parsed.webcam)))
    still = [item for item in found if item not in moving]
    piped = source.of_stdin(sys.stdin.buffer, out / "stdin") if "-" in parsed.inputs else None
    chosen = model.find(parsed.model, parsed.recipe)
    noted = f"; {chosen.note}" if chosen.note else ""
    print(f"model: {chosen.title} ({chosen.file}){noted}", file=sys.stderr)
    return _tell(session.to_folder(chosen, still, clips, out, settings, stdin=piped), out)


def _settings(parsed: argparse.Namespace) -> Settings:
    from fovea.predict.session import Settings, cores
    from fovea.predict.work import Wanted

    if parsed.size != _FULL and not (parsed.size.isdigit() and int(parsed.size) > 0):
        raise UserError(f"--size {parsed.size}: give a number of pixels, or full")
    wanted = Wanted(
        overlay=not parsed.no_overlay,
        longest=None if parsed.size == _FULL else int(parsed.size),
        map=not parsed.no_map,
        depth=parsed.depth,
        logits=parsed.npy,
    )
    if not wanted.endings:
        raise UserError("--no-overlay with --no-map leaves nothing to write; add --npy")
    workers = parsed.workers or cores()
    return Settings(
        wanted, workers, parsed.fast, parsed.resume, every=parsed.every, most=parsed.frames
    )


def _tell(outcome: Outcome, out: Path) -> int:
    """Say what was written and what could not be read."""
    if outcome.done == 1 and not outcome.kept:
        for path in outcome.written:
            print(path)
    else:
        kept = f", {outcome.kept} were there already" if outcome.kept else ""
        print(f"{outcome.done} photos done{kept}: {out}")
    for problem in outcome.problems:
        print(f"error: {problem}", file=sys.stderr)
    if outcome.problems:
        count = len(outcome.problems)
        print(f"{count} could not be read; all others are done", file=sys.stderr)
    return 1 if outcome.problems else 0
