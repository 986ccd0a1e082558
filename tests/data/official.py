"""Small trees in the exact layouts, names and MATLAB structures of the public data sets."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from scipy.io import savemat

from tests.data.trees import HEIGHT, WIDTH, picture

VIEWERS = ("CNG", "ajs", "zb")
Points = NDArray[Any]


def eye_trace(seed: int, samples: int = 240) -> Points:
    """The eye of somebody who looks here and there, now and then blinking: (samples, 2)."""
    r = np.random.default_rng(seed)
    found: list[Points] = []
    place = r.uniform([0, 0], [1024, 768])
    while len(found) < samples:
        found += [place + r.normal(0, 1, 2) for _ in range(int(r.integers(5, 60)))]
        goal = place + r.normal(0, 150, 2)
        for part in np.linspace(0, 1, int(r.integers(4, 14)))[1:-1]:
            found.append(place + (goal - place) * (1 - np.cos(part * np.pi)) / 2)
        place = goal
        if r.random() < 0.1:
            found += [np.array([-1.0, -1.0])] * int(r.integers(1, 20))
    return np.round(np.array(found[:samples]))


def mit1003(root: Path, names: Sequence[str], *, data: bool = True) -> None:
    """ALLSTIMULI, ALLFIXATIONMAPS with a stray file as in the archive, and DATA."""
    for number, name in enumerate(names):
        picture(root / "ALLSTIMULI" / f"{name}.jpeg", number)
        maps = root / "ALLFIXATIONMAPS"
        picture(maps / f"{name}_fixMap.jpg", 100 + number, "L")
        grey(maps / f"{name}_fixPts.jpg", [(3, 4), (20, 10)])
        for viewer in VIEWERS if data else ():
            still = np.full((60, 2), [WIDTH / 2, HEIGHT / 2])
            eye(root / "DATA" / viewer / f"{name}.mat", name, still)
    picture(root / "ALLFIXATIONMAPS" / f"{names[0]}fixPts.jpg", 1, "L")


def eye(path: Path, name: str, trace: Points) -> None:
    """A viewer's file: `NAME.DATA(1).eyeData`."""
    path.parent.mkdir(parents=True, exist_ok=True)
    savemat(path, {name[:63]: {"DATA": {"eyeData": trace}, "imgName": f"{name}.jpeg"}})


def grey(path: Path, points: Sequence[tuple[int, int]]) -> None:
    """White pixels (x, y) on black, as a JPEG of MATLAB's quality."""
    pixels = np.zeros((HEIGHT, WIDTH), np.uint8)
    for x, y in points:
        pixels[y, x] = 255
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(pixels).save(path, quality=75)


def osie(root: Path, scanpaths: dict[str, list[Points]]) -> None:
    """data/stimuli/NAME of 800x600 and data/eye/fixations.mat with x, y from 1 per viewer."""
    cells = np.empty((len(scanpaths), 1), object)
    for number, (name, viewers) in enumerate(scanpaths.items()):
        (root / "data/stimuli").mkdir(parents=True, exist_ok=True)
        Image.new("RGB", (800, 600), (number, 99, 9)).save(root / "data/stimuli" / name)
        subjects = np.empty((len(viewers), 1), object)
        for index, points in enumerate(viewers):
            x, y = points[:, 0][None], points[:, 1][None]
            subjects[index, 0] = {"fix_x": x, "fix_y": y, "fix_duration": np.ones_like(x)}
        cells[number, 0] = {"img": name, "subjects": subjects}
    (root / "data/eye").mkdir(parents=True, exist_ok=True)
    savemat(root / "data/eye/fixations.mat", {"fixations": cells}, do_compression=True)


def cat2000(root: Path, categories: Sequence[str], count: int) -> None:
    """trainSet with its `Output` folders and testSet, `count` pictures per category."""
    for place, category in enumerate(categories):
        for number in range(1, count + 1):
            seed, name = 10 * place + number, f"{category}/{number:03d}"
            train = root / "trainSet"
            picture(train / "Stimuli" / f"{name}.jpg", seed)
            picture(train / "Stimuli" / category / "Output" / f"{number:03d}_SaliencyMap.jpg", 1)
            picture(train / "FIXATIONMAPS" / f"{name}.jpg", 500 + seed, "L")
            locations = np.zeros((HEIGHT, WIDTH), np.uint8)
            locations[number, [5, 7]] = 1
            file = train / "FIXATIONLOCS" / f"{name}.mat"
            file.parent.mkdir(parents=True, exist_ok=True)
            savemat(file, {"fixLocs": locations}, do_compression=True)
            picture(root / "testSet/Stimuli" / category / f"{100 + number}.jpg", 900 + seed)


def salicon2015(root: Path, split: str, viewers: dict[str, list[list[list[int]]]]) -> Path:
    """images/SPLIT/NAME and annotations/fixations_SPLIT2014.json with [row, column] from 1."""
    images, annotations = [], []
    for number, (name, given) in enumerate(viewers.items(), 101):
        picture(root / "images" / split / name, number)
        size = {"height": HEIGHT, "width": WIDTH}
        images.append({"license": 1, "file_name": name, "id": number} | size)
        for worker, fixations in enumerate(given):
            entry = {"image_id": number, "worker_id": worker, "id": len(annotations) + 1}
            annotations.append(entry | {"fixations": fixations})
    path = root / "annotations" / f"fixations_{split}2014.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    info = {"description": "made up", "version": "1.0"}
    content = {"info": info, "images": images, "type": "fixations", "annotations": annotations}
    path.write_text(json.dumps(content))
    return path


def mouse(path: Path, samples: int, fixations: int, viewers: int = 50) -> None:
    """A SALICON file as the challenges publish it: `samples` in all of `viewers`, 480x640."""
    gaze = np.empty((viewers, 1), [("location", "O"), ("timestamp", "O"), ("fixations", "O")])
    for index in range(viewers):
        track = np.full((samples // viewers, 2), 7.0)
        stops = np.full((fixations // viewers, 2), 7, np.uint16)
        gaze[index, 0] = (track, np.arange(len(track), dtype=float)[:, None], stops)
    path.parent.mkdir(parents=True, exist_ok=True)
    content = {"gaze": gaze, "image": path.stem, "resolution": np.array([[480, 640]], np.uint16)}
    savemat(path, content, do_compression=True)
