"""Small data sets on disk, in the layouts that the loaders read."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
from PIL import Image

from pipeline.data.fixations import write_mat

HEIGHT, WIDTH = 24, 32


def picture(path: Path, seed: int, mode: str = "RGB") -> None:
    """A picture of its own for each seed."""
    path.parent.mkdir(parents=True, exist_ok=True)
    size = (HEIGHT, WIDTH, 3) if mode == "RGB" else (HEIGHT, WIDTH)
    pixels = np.random.default_rng(seed).integers(0, 256, size).astype(np.uint8)
    Image.fromarray(pixels).save(path)


def salicon(root: Path, split: str, count: int, first: int = 0) -> None:
    """`count` annotated pictures; `test` gets no annotations."""
    for number in range(first, first + count):
        name = f"{split}_{number:03d}"
        picture(root / "images" / split / f"{name}.jpg", number)
        if split == "test":
            continue
        picture(root / "maps" / split / f"{name}.png", 1000 + number, "L")
        points = np.random.default_rng(number).integers(0, [WIDTH, HEIGHT], (5, 2))
        file = root / "fixations" / split / f"{name}.mat"
        write_mat(file, name, HEIGHT, WIDTH, [points[:3], points[3:]])


def coco(root: Path, split: str, count: int, first: int = 100, *, listed: bool = True) -> None:
    """`count` pictures with or without an annotation file."""
    names = [f"{number:012d}.jpg" for number in range(first, first + count)]
    for number, name in enumerate(names):
        picture(root / split / name, first + number)
    if listed:
        index = root / "annotations" / f"instances_{split}.json"
        index.parent.mkdir(exist_ok=True)
        images = [{"id": i, "file_name": name} for i, name in enumerate(names)]
        index.write_text(json.dumps({"images": images}))
