"""The measuring process: pins itself, loads one file, times it or weighs it, writes raw figures."""

from __future__ import annotations

import argparse
import importlib
import json
import os
import sys
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from mobile.backend import Array, backend_for
from mobile.export import open_runner
from mobile.quiet import quiet
from mobile.timing import Plan, Timed, time_runner
from pipeline.errors import UserError
from pipeline.files import write_json

if TYPE_CHECKING:
    import torch
    from torch import nn

EAGER_SUFFIX = ".safetensors"
_STATUS = Path("/proc/self/status")
_CLEAR_REFS = Path("/proc/self/clear_refs")
_MEMORY_RUNS = 3


@dataclass(frozen=True)
class Memory:
    """Resident memory, bytes; None where the system does not tell."""

    baseline: int | None
    peak: int | None


class EagerRunner:
    """A student in torch eager mode, timed like an exported file."""

    def __init__(self, student: nn.Module) -> None:
        self._student = student

    def prepare(self, image: Array) -> torch.Tensor:
        """`image` (1, 3, H, W) as a tensor."""
        import torch

        return torch.from_numpy(image)

    def invoke(self, prepared: torch.Tensor) -> Array:
        """Run once."""
        import torch

        with torch.inference_mode():
            result: Array = self._student(prepared).numpy()
        return result


def main(arguments: list[str] | None = None) -> int:
    """Entry of `python -m mobile.latency`; status 2 with a plain message for a `UserError`."""
    options = _parser().parse_args(arguments)
    try:
        raw = measure_here(options)
    except UserError as error:
        print(error, file=sys.stderr)
        return 2
    write_json(options.out, raw)
    return 0


def measure_here(options: argparse.Namespace) -> dict[str, Any]:
    """Pin, import the runtime, then time (or weigh) the file in this very process."""
    affinity = pin(options.threads)
    image = np.load(options.input, allow_pickle=False)
    load = _loader(options)
    if options.memory:
        return {"affinity": affinity, "memory": asdict(weigh(load, image))}
    plan = Plan(**json.loads(options.plan))
    return {"affinity": affinity, "timing": asdict(time_runner(load, image, plan))}


def pin(threads: int) -> list[int] | None:
    """Pin this process to its first `threads` allowed processors; None where it cannot be done."""
    if not hasattr(os, "sched_setaffinity"):
        return None
    allowed = sorted(os.sched_getaffinity(0))
    if threads > len(allowed):
        raise UserError(f"{threads} threads asked for, but only {len(allowed)} processors allowed")
    os.sched_setaffinity(0, allowed[:threads])
    return allowed[:threads]


def weigh(load: Callable[[], Timed], image: Array) -> Memory:
    """Peak resident memory of loading and running, and what was resident before."""
    baseline = _status("VmRSS")
    # Reset the high-water mark, or the imports' own peak would count.
    with _CLEAR_REFS.open("w") if _CLEAR_REFS.exists() else open(os.devnull, "w") as stream:  # noqa: PTH123
        stream.write("5")
    runner = load()
    prepared = runner.prepare(image)
    for _ in range(_MEMORY_RUNS):
        runner.invoke(prepared)
    return Memory(baseline, _status("VmHWM"))


def _loader(options: argparse.Namespace) -> Callable[[], Timed]:
    file, threads = options.file, options.threads
    if file.suffix == EAGER_SUFFIX:
        return _eager_loader(file, options.student, json.loads(options.overrides), threads)
    with quiet():
        for module in backend_for(file).modules:
            importlib.import_module(module)

    def load() -> Timed:
        # The process that started this one has compared the hash: it is not part of loading.
        return open_runner(file, threads, verify=False)

    return load


def _eager_loader(
    file: Path, name: str, overrides: dict[str, Any], threads: int
) -> Callable[[], Timed]:
    import torch
    from safetensors.torch import load_file

    import students

    torch.set_num_threads(threads)

    def load() -> Timed:
        student = students.build(name, **overrides)
        student.load_state_dict(load_file(file))
        return EagerRunner(student.eval().requires_grad_(False))

    return load


def _status(key: str) -> int | None:
    if not _STATUS.exists():
        return None
    for line in _STATUS.read_text().splitlines():
        if line.startswith(f"{key}:"):
            return int(line.split()[1]) * 1024
    return None


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m mobile.latency", description=__doc__)
    parser.add_argument("file", type=Path, help="exported file, or weights for torch eager")
    parser.add_argument("--input", type=Path, required=True, help="float32 (1, 3, H, W) .npy")
    parser.add_argument("--out", type=Path, required=True, help="JSON file for the raw figures")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--plan", default="{}", help="fields of mobile.timing.Plan as JSON")
    parser.add_argument("--memory", action="store_true", help="weigh instead of timing")
    parser.add_argument("--student", default="", help="name to build for weights")
    parser.add_argument("--overrides", default="{}", help="builder arguments as JSON")
    return parser
