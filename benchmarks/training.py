"""Processor time of a training step: what keeping freed memory and channels-last buy.

    python -m benchmarks.training

Each case runs in a process of its own, one thread, on real or generated images; ratios within one
run are what counts. Times are processor time (user + system) per image, so that a busy machine
disturbs them little.
"""

from __future__ import annotations

import json
import resource
import subprocess
import sys
from dataclasses import asdict, dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
BATCH, STEPS = 4, 4


@dataclass(frozen=True)
class Case:
    """One way to train one model."""

    model: str
    keep_memory: bool
    channels_last: bool


CASES = [
    Case(model, keep, last)
    for model in ("fastsal_a", "fastsal_c", "salgan")
    for keep in (False, True)
    for last in (False, True)
]


def main() -> None:
    """Print a table, or measure one case in a child process."""
    if len(sys.argv) > 1:
        print(json.dumps(measure(Case(**json.loads(sys.argv[1])))))
        return
    print("| model | freed memory kept | channels last | ms per image | of the first |")
    print("|---|---|---|---|---|")
    first: dict[str, float] = {}
    for case in CASES:
        line = [sys.executable, "-m", "benchmarks.training", json.dumps(asdict(case))]
        done = subprocess.run(line, cwd=ROOT, capture_output=True, text=True, check=True)
        milliseconds = json.loads(done.stdout)
        base = first.setdefault(case.model, milliseconds)
        cells = [case.model, case.keep_memory, case.channels_last]
        shown = " | ".join(str(cell) for cell in cells)
        print(f"| {shown} | {milliseconds:.0f} | {milliseconds / base:.2f} |", flush=True)


def measure(case: Case) -> float:
    """Milliseconds of processor time per image, forward, backward and update."""
    import torch
    import torch.nn.functional as F

    import students
    import teachers
    from pipeline.engine.device import keep_freed_memory

    torch.set_num_threads(1)
    if case.keep_memory:
        keep_freed_memory()
    torch.manual_seed(0)
    if case.model == "salgan":
        model = teachers.build("salgan", width=0.125, normalisation="imagenet")
    else:
        model = students.build(case.model, init="kaiming")
    layout = torch.channels_last if case.channels_last else torch.contiguous_format
    model = model.train().to(memory_format=layout)
    images = (torch.rand(BATCH, 3, 192, 256) * 255).contiguous(memory_format=layout)
    target = torch.rand(BATCH, 1, 192, 256) * 0.2
    optimiser = torch.optim.SGD(model.parameters(), lr=1e-4)
    times = []
    for _ in range(STEPS):
        before = processor_time()
        loss = F.binary_cross_entropy_with_logits(model(images), target)
        optimiser.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        optimiser.step()
        times.append(processor_time() - before)
    return 1000 * sorted(times)[STEPS // 2] / BATCH


def processor_time() -> float:
    """User and system seconds of this process so far."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


if __name__ == "__main__":
    main()
