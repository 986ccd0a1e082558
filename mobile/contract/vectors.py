"""Vectors of the apps' contract: inputs and what every port must make of them, without a model.

Each list of `vectors.json` is described in `mobile/apps/README.md`. Everything is generated from
fixed seeds by the functions that the pipeline itself uses; a test says when the folder is stale.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps

from mobile.backend import Array
from mobile.contract import layers, toys
from mobile.timing import spread
from pipeline.data.classes import colours_of
from pipeline.data.resize import resize
from pipeline.files import replace_tree, write_json
from pipeline.metrics.parity import Parity
from pipeline.tasks.readout import MEANINGS

SCHEMA = 1
NAME = "vectors.json"
FOLDER = Path(__file__).resolve().parents[1] / "apps" / "vectors"
_SEED = 20260
_TOLERANCE = 1e-3
"""Of resized levels: float32 sums of up to 400 terms in another order."""
_ORIENTATION = 0x0112

Pixels = NDArray[np.uint8]
Case = dict[str, Any]


def write(folder: Path = FOLDER) -> None:
    """Write the whole folder anew; it is whole or as it was before."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder.parent, prefix=f".{folder.name}.") as temporary:
        fresh = Path(temporary) / "vectors"
        fresh.mkdir()
        lists = {name: make(fresh) for name, make in _LISTS.items()}
        write_json(fresh / "colours.json", layers.hexadecimal(layers.colour_table()))
        write_json(fresh / NAME, {"schema": SCHEMA, **lists})
        replace_tree(fresh, folder)


def pictures() -> dict[str, Pixels]:
    """Inputs on which ports differ: fine stripes, pure channels, gradients, single pixels."""
    generator = np.random.default_rng(_SEED)
    rows, columns = np.mgrid[0:47, 0:61]
    stripes = np.dstack([255 * (columns % 2), 255 * (rows % 2), 255 * ((rows + columns) % 3 == 0)])
    channels = np.zeros((20, 30, 3))
    for channel in range(3):
        channels[:, 10 * channel : 10 * channel + 10, channel] = 255
    wave_rows, wave_columns = np.mgrid[0:33, 0:50] / 50
    waves = np.dstack(
        [127.5 * (1 + np.sin(9 * wave_rows * k + 5 * wave_columns)) for k in (1, 2, 3)]
    )
    drawn = {
        "stripes": stripes,
        "channels": channels,
        "waves": waves,
        "noise": generator.integers(0, 256, (5, 7, 3)),
        "pixel": np.array([[[12, 200, 99]]]),
        "ribbon": generator.integers(0, 256, (3, 400, 3)),
    }
    return {name: pixels.astype(np.uint8) for name, pixels in drawn.items()}


def _resize(folder: Path) -> list[Case]:
    sizes = {
        "stripes": [(12, 16), (47, 61), (9, 80)],
        "channels": [(12, 16), (7, 5)],
        "waves": [(24, 32), (66, 100)],
        "noise": [(12, 16)],
        "pixel": [(4, 3)],
        "ribbon": [(12, 16)],
    }
    cases = []
    for name, pixels in pictures().items():
        source = _png(folder, f"resize/{name}.png", pixels)
        for height, width in sizes[name]:
            output = _npy(
                folder, f"resize/{name}.{height}x{width}.npy", resize(pixels, height, width)
            )
            size = {"height": height, "width": width}
            cases.append({"input": source, **size, "output": output, "tolerance": _TOLERANCE})
    return cases


def _upright(folder: Path) -> list[Case]:
    stored = np.random.default_rng(_SEED + 1).integers(0, 256, (3, 5, 3)).astype(np.uint8)
    source = _png(folder, "upright/stored.png", stored)
    cases = []
    for orientation in range(1, 9):
        image = Image.fromarray(stored)
        image.getexif()[_ORIENTATION] = orientation
        turned = np.asarray(ImageOps.exif_transpose(image))
        output = _png(folder, f"upright/{orientation}.png", turned)
        cases.append({"input": source, "orientation": orientation, "output": output})
    return cases


def _tensors(folder: Path) -> list[Case]:
    pixels = np.random.default_rng(_SEED + 2).integers(0, 256, (4, 6, 3)).astype(np.uint8)
    source = _png(folder, "tensors/input.png", pixels)
    values = pixels[None].astype(np.float32)
    forms = {"NHWC": values, "NCHW": values.transpose(0, 3, 1, 2)}
    return [
        {"input": source, "layout": name, "output": _npy(folder, f"tensors/{name}.npy", form)}
        for name, form in forms.items()
    ]


def smooth(shape: tuple[int, ...], scale: float, seed: int) -> Array:
    """Logits that vary as a network's do: low frequencies over the last two axes."""
    generator = np.random.default_rng(seed)
    rough = generator.normal(0, scale, (*shape[:-2], 4, 5)).astype(np.float32)
    planes = rough.reshape(-1, 4, 5)
    enlarged = np.stack([resize(plane, *shape[-2:]) for plane in planes])
    return enlarged.reshape(shape).astype(np.float32)


def _maps(folder: Path) -> list[Case]:
    flat = np.full((5, 4), -3, np.float32)
    outputs = {
        "logits": {"usual": smooth((12, 16), 3, 1), "extreme": smooth((6, 8), 90, 2)},
        "log-density": {
            "usual": smooth((12, 16), 2, 3) - 11,
            "flat": flat,
        },
        "class-logits": {"usual": smooth((5, 12, 16), 3, 4), "extreme": smooth((3, 6, 8), 120, 5)},
    }
    cases = []
    for meaning in MEANINGS.values():
        for name, output in outputs[meaning].items():
            stem = f"maps/{meaning}.{name}"
            made = _npy(folder, f"{stem}.output.npy", layers.map_of(output, meaning))
            source = _npy(folder, f"{stem}.npy", output)
            cases.append({"meaning": meaning, "input": source, "output": made})
    return cases


def _heat(folder: Path) -> list[Case]:
    maps = {
        "usual": layers.map_of(smooth((12, 16), 3, 6), "logits"),
        "flat": np.full((4, 5), 0.25, np.float32),
        "ramp": np.linspace(0, 1, 256, dtype=np.float32).reshape(16, 16),
    }
    return [
        {
            "input": _npy(folder, f"heat/{name}.npy", shown),
            "output": _png(folder, f"heat/{name}.png", layers.heat(shown)),
        }
        for name, shown in maps.items()
    ]


def _classes(folder: Path) -> list[Case]:
    ties = np.zeros((3, 4, 5), np.float32)
    ties[1, :, 2:] = 1
    ties[2, :, 3:] = 1
    outputs = {"usual": smooth((6, 12, 16), 3, 7), "ties": ties}
    cases = []
    for name, output in outputs.items():
        colours = colours_of(["background", *map(str, range(1, len(output)))])
        layer, shares = layers.classes(output, colours)
        cases.append(
            {
                "input": _npy(folder, f"classes/{name}.npy", output),
                "colours": layers.hexadecimal(colours),
                "output": _png(folder, f"classes/{name}.png", layer),
                "shares": shares,
            }
        )
    return cases


def _cutout(folder: Path) -> list[Case]:
    photo = pictures()["waves"]
    shown = layers.map_of(smooth((12, 16), 4, 8), "logits")
    return [
        {
            "photo": _png(folder, "cutout/photo.png", photo),
            "input": _npy(folder, "cutout/map.npy", shown),
            "output": _png(folder, "cutout/output.png", layers.cutout(photo, shown)),
        }
    ]


def _correlation(folder: Path) -> list[Case]:
    first = layers.map_of(smooth((12, 16), 3, 9), "logits")
    others = {
        "near": first + smooth((12, 16), 0.02, 10),
        "unlike": smooth((12, 16), 1, 11),
        "opposite": 1 - first,
        "constant": np.full_like(first, 0.5),
    }
    source = _npy(folder, "correlation/first.npy", first)
    cases = []
    for name, other in others.items():
        found = Parity.from_arrays(first, other).row()
        path = _npy(folder, f"correlation/{name}.npy", other)
        cases.append({"a": source, "b": path, "cc": found["pearson"], "max_abs": found["max_abs"]})
    return cases


def _times(_folder: Path) -> list[Case]:
    generator = np.random.default_rng(_SEED + 3)
    lists = [
        [[float(value) for value in generator.gamma(9, 0.5, size)] for size in sizes]
        for sizes in ((20, 20, 20), (7, 5), (1,), (2, 3, 4, 5))
    ]
    return [_timed(samples) for samples in lists]


def _timed(samples: list[list[float]]) -> Case:
    every = np.array([value for repeat in samples for value in repeat])
    medians, drift = spread(samples)
    percentiles = {f"p{q}": float(np.percentile(every, q)) for q in (50, 90, 95, 99)}
    mean, cv = float(every.mean()), float(every.std() / every.mean())
    shared = {"mean": mean, "cv": cv, "repeat_p50": medians, "spread": drift}
    return {"samples": samples, **percentiles, **shared}


def _png(folder: Path, name: str, pixels: Pixels) -> str:
    (folder / name).parent.mkdir(exist_ok=True)
    Image.fromarray(pixels).save(folder / name)
    return name


def _npy(folder: Path, name: str, values: NDArray[Any]) -> str:
    (folder / name).parent.mkdir(exist_ok=True)
    np.save(folder / name, np.ascontiguousarray(values, np.float32), allow_pickle=False)
    return name


_LISTS: dict[str, Callable[[Path], list[Case]]] = {
    "resize": _resize,
    "upright": _upright,
    "tensors": _tensors,
    "maps": _maps,
    "heat": _heat,
    "classes": _classes,
    "cutout": _cutout,
    "correlation": _correlation,
    "times": _times,
    "manifests": toys.write,
}
