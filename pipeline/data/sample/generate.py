"""Write the sample data: SALICON, DUTS, CamVid, ImageNet and COCO as they lie on disk, from a seed.

`<root>/duts/DUTS-{TR,TE}` with the scenes of `<root>/salicon` and masks of what stands out, and
`<root>/semantic/{train,val}[annot]` with the same scenes and a class for every pixel;
`<root>/classes/{train,val}/CLASS` with small pictures of one thing each, four for every scene;
`<root>/salicon/{images,maps,fixations}/{train,val}` and `<root>/coco/{train2017,val2017}` with
`annotations/instances_*.json`. Every file is a pure function of the seed, its part and its number,
so the number of processes and the order of work change nothing.
"""

from __future__ import annotations

import contextlib
import io
import json
import multiprocessing
import os
from collections.abc import Callable, Generator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from pipeline.data.class_names import SAMPLE_THINGS
from pipeline.data.fixations import write_mat
from pipeline.data.processes import interrupts_held
from pipeline.data.sample import coco, gaze, salience, semantic
from pipeline.data.sample.compose import alone, compose
from pipeline.data.sample.render import Painted, render
from pipeline.data.sample.scene import Scene
from pipeline.errors import UserError
from pipeline.files import atomic_write_bytes, atomic_write_text

QUALITY = 92
_STREAMS = {"train": 0, "val": 1, "train2017": 2, "val2017": 3}
_ALONE = {"train": 4, "val": 5}
"""Streams of pictures of one thing."""
PER_SCENE = 4
"""How many of those there are for each scene: a class for a whole image is less to learn from."""
_DUTS = {"train": "TR", "val": "TE"}
_CHUNK = 8


@dataclass(frozen=True)
class _Task:
    root: Path
    seed: int
    split: str
    number: int


def generate(
    root: Path,
    seed: int = 0,
    train: int = 160,
    val: int = 40,
    pool: int = 160,
    *,
    processes: int | None = None,
    progress: Callable[[int], None] | None = None,
) -> None:
    """Write `train` and `val` annotated scenes and `pool` unlabelled ones below `root`.

    `coco/val2017` has as many scenes as `val`. `processes` defaults to the number of cores;
    `progress` is told how many more scenes are done. Raises `UserError` for negative counts.
    """
    counts = {"train": train, "val": val, "train2017": pool, "val2017": val}
    if min(counts.values()) < 0 or seed < 0:
        raise UserError(f"sample sizes and seed must be 0 or more, not {counts} and {seed}")
    tasks = [_Task(root, seed, split, n) for split, count in counts.items() for n in range(count)]
    found: dict[str, list[list[dict[str, Any]]]] = {split: [] for split in counts}
    # Closed at once after an error or Ctrl-C, not when the interpreter gets round to it.
    with contextlib.closing(_run(tasks, processes or os.cpu_count() or 1)) as made:
        for task, entries in zip(tasks, made, strict=True):
            found[task.split].append(entries)
            if progress:
                progress(1)
    for split in ("train2017", "val2017"):
        images = [
            {
                "id": int(_name(split, n)),
                "file_name": f"{_name(split, n)}.jpg",
                "width": 640,
                "height": 480,
            }
            for n in range(counts[split])
        ]
        text = json.dumps(coco.document(images, found[split]), sort_keys=True)
        atomic_write_text(root / "coco" / "annotations" / f"instances_{split}.json", text + "\n")


def _run(tasks: list[_Task], processes: int) -> Generator[list[dict[str, Any]], None, None]:
    if processes == 1 or len(tasks) <= _CHUNK:
        yield from map(_make, tasks)
        return
    # Fresh processes: forking one that runs threads of its own may lock up.
    context = multiprocessing.get_context("spawn")
    workers = ProcessPoolExecutor(processes, mp_context=context)
    try:
        with interrupts_held():
            found = workers.map(_make, tasks, chunksize=_CHUNK)
        yield from found
    finally:
        workers.shutdown(cancel_futures=True)


def _make(task: _Task) -> list[dict[str, Any]]:
    """Write one scene's files; COCO annotations where the split has them."""
    key = (task.seed, _STREAMS[task.split], task.number)
    scene = compose(*key)
    painted = render(scene)
    name = _name(task.split, task.number)
    if task.split in ("train2017", "val2017"):
        _write_image(task.root / "coco" / task.split / f"{name}.jpg", painted.pixels, "JPEG")
        return coco.annotate(scene, painted)
    folder = task.root / "salicon"
    _write_image(folder / "images" / task.split / f"{name}.jpg", painted.pixels, "JPEG")
    weights = salience.weights(scene, painted)
    seen = gaze.look(scene, weights, *key, 1)
    _write_gaze(folder, task.split, name, painted, seen)
    _write_mask(task.root / "duts", task.split, name, painted, salience.standing_out(weights))
    _write_classes(task.root / "semantic", task.split, name, scene, painted)
    for number in range(PER_SCENE * task.number, PER_SCENE * (task.number + 1)):
        _write_thing(task.root / "classes" / task.split, task, number)
    return []


def _write_thing(folder: Path, task: _Task, number: int) -> None:
    """A picture of the class whose turn it is: there are as many of each."""
    category = SAMPLE_THINGS[number % len(SAMPLE_THINGS)]
    painted = render(alone(category, task.seed, _ALONE[task.split], number))
    name = f"thing_{task.split}_{number + 1:05d}.jpg"
    _write_image(folder / category / name, painted.pixels, "JPEG")


def _write_mask(
    folder: Path, split: str, name: str, painted: Painted, things: NDArray[np.intp]
) -> None:
    base = folder / f"DUTS-{_DUTS[split]}"
    mask = np.isin(painted.owner, things).astype(np.uint8) * 255
    _write_image(base / f"{base.name}-Image" / f"{name}.jpg", painted.pixels, "JPEG")
    _write_image(base / f"{base.name}-Mask" / f"{name}.png", mask, "PNG")


def _write_classes(folder: Path, split: str, name: str, scene: Scene, painted: Painted) -> None:
    _write_image(folder / split / f"{name}.jpg", painted.pixels, "JPEG")
    _write_image(folder / f"{split}annot" / f"{name}.png", semantic.indices(scene, painted), "PNG")


def _write_gaze(folder: Path, split: str, name: str, painted: Painted, seen: gaze.Gaze) -> None:
    height, width = painted.owner.shape
    points = np.concatenate(seen.scanpaths)
    density = gaze.density(points, height, width)
    _write_image(folder / "maps" / split / f"{name}.png", density, "PNG")
    file = folder / "fixations" / split / f"{name}.mat"
    write_mat(file, name, height, width, seen.scanpaths, seen.times)


def _write_image(path: Path, pixels: Any, kind: str) -> None:
    buffer = io.BytesIO()
    options = {"quality": QUALITY} if kind == "JPEG" else {"compress_level": 1}
    Image.fromarray(pixels).save(buffer, kind, **options)
    atomic_write_bytes(path, buffer.getvalue())


def _name(split: str, number: int) -> str:
    """COCO's twelve digits; apart for each split, as there."""
    if split in ("train2017", "val2017"):
        return f"{number + 1 + (500_000 if split == 'val2017' else 0):012d}"
    return f"scene_{split}_{number + 1:05d}"
