"""Parameters and multiply-adds of every student, in both conventions that papers count by.

    python -m benchmarks.costs                                     every student at its spec's size
    python -m benchmarks.costs cii_r18 cii_r50 --size 224 224      as CII reports
    python -m benchmarks.costs --page docs/architectures/costs.md

`MAC` are multiply-adds of convolutions and matrix products. `old THOP` adds what early versions of
the THOP counter did for layers in between: four for each value that a batch norm gives, one for
each value of a ReLU; CII's 6.49 and 8.88 G are of that kind. Nothing is computed: shapes alone.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils.flop_counter import FlopCounterMode

import students
from pipeline.files import atomic_write_text

BATCH_NORM, RELU = 4, 1
"""Operations of old THOP for each value that such a layer gives."""


@dataclass(frozen=True)
class Cost:
    """What a student costs at one input size."""

    name: str
    size: tuple[int, int]
    parameters: int
    """As it ships: without auxiliary heads."""
    training: int
    """With them."""
    macs: int
    thop: int


def cost(name: str, size: tuple[int, int] | None = None) -> Cost:
    """Of the student called `name`, at its spec's size unless `size` (height, width) is given."""
    spec = students.spec(name)
    height, width = size or (spec.height, spec.width)
    with torch.device("meta"):
        student: Any = students.build(name).eval()
        training = parameters(student)
        if getattr(student, "auxiliary", None) is not None:
            student.auxiliary = None
        images = torch.empty(1, 3, height, width)
        between = 0

        def count(module: nn.Module, _inputs: Any, output: Tensor) -> None:
            nonlocal between
            each = BATCH_NORM if isinstance(module, nn.BatchNorm2d) else RELU
            between += each * output.numel()

        for module in student.modules():
            if isinstance(module, nn.BatchNorm2d | nn.ReLU | nn.ReLU6):
                module.register_forward_hook(count)
        with FlopCounterMode(display=False) as counter, torch.no_grad():
            student(images)
    macs = counter.get_total_flops() // 2
    return Cost(name, (height, width), parameters(student), training, macs, macs + between)


def parameters(model: nn.Module) -> int:
    """How many numbers it learns."""
    return sum(parameter.numel() for parameter in model.parameters())


def table(costs: Sequence[Cost]) -> str:
    """As Markdown."""
    lines = [
        "| Student | Input | Parameters | while training | GMAC | old THOP, G |",
        "|---|---|---|---|---|---|",
    ]
    for each in costs:
        more = f"{each.training:,}" if each.training != each.parameters else ""
        lines.append(
            f"| {each.name} | {each.size[0]}×{each.size[1]} | {each.parameters:,} | {more} | "
            f"{each.macs / 1e9:.3f} | {each.thop / 1e9:.3f} |"
        )
    return "\n".join(lines)


def main(arguments: Sequence[str] | None = None) -> None:
    """Print the table, or write the page."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.costs",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("students", nargs="*", help="names; none: every student")
    parser.add_argument("--size", type=int, nargs=2, metavar=("H", "W"))
    parser.add_argument("--page", type=Path, help="write Markdown here, CII's table at 224 beside")
    chosen = parser.parse_args(arguments)
    for name in chosen.students:
        if name not in students.names():
            parser.error(f"no student is called {name!r}; known: {', '.join(students.names())}")
    size = tuple(chosen.size) if chosen.size else None
    found = table([cost(name, size) for name in chosen.students or students.names()])
    if chosen.page is None:
        print(found)
        return
    cii = table([cost(name, (224, 224)) for name in ("cii_r18", "cii_r50")])
    about = " ".join((__doc__ or "").split("\n\n")[2].split())
    parts = ["# What students cost", about, found, "As CII reports its own, at 224×224:", cii]
    atomic_write_text(chosen.page, "\n\n".join(parts) + "\n")
    print(chosen.page)


if __name__ == "__main__":
    main()
