"""FastSal with weights that look trained: activations as large as a trained model's."""

from __future__ import annotations

import numpy as np
import torch

import students
from mobile.backend import Array
from students.fastsal import FastSal


def fastsal(name: str) -> FastSal:
    """He-initialised, batch statistics from colour patterns, logits as wide as trained ones."""
    torch.manual_seed(0)
    student = students.build(name, init="kaiming")
    assert isinstance(student, FastSal)
    student.train()
    with torch.no_grad():
        for seed in range(4):
            student(torch.from_numpy(np.concatenate(patterns(2, seed))))
        head = student.head if name == "fastsal_a" else student.merger
        assert isinstance(head, torch.nn.Conv2d)
        head.weight *= 3 / student.eval()(torch.from_numpy(patterns(1)[0])).std()
    return student.eval().requires_grad_(False)


def patterns(count: int, seed: int = 0) -> list[Array]:
    """Smooth colours at several scales with a little noise, (1, 3, 192, 256) RGB 0-255."""
    generator = np.random.default_rng(seed)
    y, x = np.mgrid[0:192, 0:256] / 64
    made = []
    for _ in range(count):
        layers = [
            np.sin(pitch * y + phase) * np.cos(pitch * x - phase)
            for pitch, phase in zip(
                generator.uniform(0, 9, (3, 3, 1, 1)), generator.uniform(0, 6, (3, 3, 1, 1))
            )
        ]
        wave = sum(layers) / 3 + generator.normal(0, 0.05, (3, 192, 256))
        made.append(np.clip(127.5 * (1 + wave), 0, 255).astype(np.float32)[None])
    return made
