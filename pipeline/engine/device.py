"""Where arithmetic runs and in which precision."""

from __future__ import annotations

import contextlib
import ctypes
import os
import sys

import torch

from pipeline import ranks
from pipeline.errors import UserError


def choose(name: str) -> torch.device:
    """`auto`, `cpu` or `cuda` as a device; `UserError` if CUDA is asked for and absent.

    Of several processes on one machine, each gets a GPU of its own.
    """
    if name == "auto":
        name = "cuda" if torch.cuda.is_available() else "cpu"
    if name == "cuda" and not torch.cuda.is_available():
        raise UserError("machine.device=cuda, but no CUDA device is visible; use auto or cpu")
    if name == "cuda":
        index = ranks.gpu(os.environ, torch.cuda.device_count())
        torch.cuda.set_device(index)
        return torch.device("cuda", index)
    return torch.device(name)


def autocast(device: torch.device, precision: str) -> contextlib.AbstractContextManager[object]:
    """bf16 autocast, or nothing for fp32."""
    if precision == "bf16":
        return torch.autocast(device.type, dtype=torch.bfloat16)
    return contextlib.nullcontext()


def seed_step(seed: int, epoch: int, step: int) -> None:
    """Seed torch as a pure function of (seed, epoch, step).

    Whatever a step draws is then the same after a resume, with no generator state to keep.
    """
    torch.manual_seed((seed * 1_000_003 + epoch) * 1_000_003 + step)


def keep_freed_memory() -> None:
    """Let the C library keep what is freed instead of handing it back to the system.

    Eager training frees and allocates the same large activations every step; returned to the
    system, each is mapped and zeroed anew. `python -m benchmarks.training` measures what keeping
    them buys. glibc only; elsewhere it does nothing.
    """
    if sys.platform != "linux":
        return
    m_trim_threshold, m_top_pad, m_mmap_max = -1, -2, -4
    with contextlib.suppress(OSError, AttributeError):
        mallopt = ctypes.CDLL("libc.so.6").mallopt
        mallopt(m_mmap_max, 0)
        mallopt(m_trim_threshold, 2**31 - 1)
        mallopt(m_top_pad, 256 << 20)
