"""Photographs to measure with: a user's own, or generated scenes saved as 640x480 JPEG."""

from __future__ import annotations

import argparse
from dataclasses import replace
from itertools import cycle, islice
from pathlib import Path

import psutil

from pipeline import paths
from pipeline.data import layouts, roots
from pipeline.data.layouts import Record
from pipeline.data.sample import generate

GENERATED = 64


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """`--root`, `--data`, `--layout` and `--split`."""
    where = parser.add_mutually_exclusive_group()
    where.add_argument("--root", type=Path, help="folder of photographs in a layout that we read")
    where.add_argument("--data", metavar="NAME", help="the same, registered: `fovea data list`")
    parser.add_argument("--layout", default="salicon", help="how it lies (default: %(default)s)")
    parser.add_argument("--split", default="train", help="default: %(default)s")


def find(arguments: argparse.Namespace, scratch: Path) -> list[Record]:
    """The records that the arguments name; without any, generated ones, below `scratch`.

    Raises `UserError` for a root that cannot be read.
    """
    if arguments.root is None and arguments.data is None:
        made = paths.SAMPLE / "salicon"
        if not made.is_dir():
            generate(scratch / "sample", train=GENERATED, val=0, pool=0)
            made = scratch / "sample" / "salicon"
        return layouts.scan("salicon", made, "train")
    root = arguments.root or roots.resolve(arguments.data)
    return layouts.scan(arguments.layout, root, arguments.split)


def repeated(records: list[Record], count: int) -> list[Record]:
    """`count` records with ids of their own: those there are, again and again."""
    return [
        replace(record, id=f"{number:06d}")
        for number, record in enumerate(islice(cycle(records), count))
    ]


def machine() -> str:
    """What the figures of a run belong to, and how busy it was when asked."""
    load = psutil.getloadavg()[0]
    return f"{psutil.cpu_count()} cores, load average {load:.1f}"
