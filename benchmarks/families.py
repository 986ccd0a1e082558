"""Training throughput, peak memory and the slowest operations of a student of each family.

    python -m benchmarks.families                                 one of each, 128x160, batches of 8
    python -m benchmarks.families gald_r18 --size 192 256 --batch 4 --threads 1

Each student trains for a few steps in a process of its own on random images: images per second by
the clock, the process's largest memory, and the operations of a step (forward, backward, update)
that take most of its time. FLOP utilisation is what the forward and backward multiply-adds come
to beside a large matrix product or convolution on the same threads. Ratios within one run are what
counts.
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
FAMILIES = ("cii_r18", "gald_r18", "zigzagnet_r18", "cednet_n", "fastsal_a_semantic")
WARM, STEPS = 2, 5
CLASSES = 11


def main(arguments: Sequence[str] | None = None) -> None:
    """Print a table, or measure one student in a child process."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.families",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("students", nargs="*", default=list(FAMILIES))
    parser.add_argument("--size", type=int, nargs=2, default=[128, 160], metavar=("H", "W"))
    parser.add_argument("--batch", type=int, default=8)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--child", action="store_true", help=argparse.SUPPRESS)
    chosen = parser.parse_args(arguments)
    height, width = chosen.size
    if chosen.child:
        print(json.dumps(measure(chosen.students[0], height, width, chosen.batch, chosen.threads)))
        return
    print("| Student | images/s | of the machine's FLOP/s | peak MiB | slowest operations |")
    print("|---|---|---|---|---|")
    for name in chosen.students:
        line = [sys.executable, "-m", "benchmarks.families", name, "--child", "--size"]
        line += [str(height), str(width), "--batch", str(chosen.batch)]
        line += ["--threads", str(chosen.threads)]
        done = subprocess.run(line, cwd=ROOT, capture_output=True, text=True, check=True)
        found = json.loads(done.stdout.splitlines()[-1])
        slow = ", ".join(f"{each} {share:.0%}" for each, share in found["slowest"])
        print(
            f"| {name} | {found['images']:.1f} | {found['utilisation']:.0%} | "
            f"{found['peak']:.0f} | {slow} |",
            flush=True,
        )
    rates = ", ".join(f"{name} {rate / 1e9:.0f}" for name, rate in found["kernels"].items())
    print(f"\nGFLOP/s: {rates}")


def measure(name: str, height: int, width: int, batch: int, threads: int) -> dict[str, Any]:
    """Images per second, share of the machine's FLOP/s, peak MiB and slowest operations."""
    import torch
    from torch.profiler import ProfilerActivity, profile

    import students
    from benchmarks.arithmetic import flops, kernels
    from pipeline.engine.device import keep_freed_memory

    torch.set_num_threads(threads)
    keep_freed_memory()
    torch.manual_seed(0)
    semantic = students.spec(name).task == "semantic"
    student: Any = students.build(name, **({"classes": CLASSES} if semantic else {})).train()
    student = student.to(memory_format=torch.channels_last)
    images = torch.rand(batch, 3, height, width) * 255
    images = images.contiguous(memory_format=torch.channels_last)
    optimiser = torch.optim.AdamW(student.parameters(), lr=1e-4)

    def step() -> None:
        optimiser.zero_grad(set_to_none=True)
        main, others = student.outputs(images) if semantic_aux(student) else (student(images), [])
        loss = torch.stack([each.square().mean() for each in (main, *others)]).sum()
        loss.backward()  # type: ignore[no-untyped-call]
        optimiser.step()

    for _ in range(WARM):
        step()
    began = time.perf_counter()
    for _ in range(STEPS):
        step()
    seconds = (time.perf_counter() - began) / STEPS
    work = flops(step)
    with profile(activities=[ProfilerActivity.CPU]) as profiled:
        step()
    rows = sorted(profiled.key_averages(), key=lambda row: -row.self_cpu_time_total)
    total = sum(row.self_cpu_time_total for row in rows)
    rates = kernels(torch.device("cpu"), "fp32")
    return {
        "images": batch / seconds,
        "utilisation": work / seconds / max(rates.values()),
        "kernels": rates,
        "peak": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
        "slowest": [(row.key, row.self_cpu_time_total / total) for row in rows[:3]],
    }


def semantic_aux(student: Any) -> bool:
    """Whether it has auxiliary heads."""
    return getattr(student, "auxiliary", None) is not None


if __name__ == "__main__":
    main()
