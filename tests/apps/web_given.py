"""What the web app's end-to-end tests are given: bundles, photographs, and Python's outputs."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from mobile.contract import install
from mobile.export import open_runner
from mobile.manifest import read_manifest
from pipeline.data.images import read_rgb
from pipeline.data.resize import resize_planes

BUNDLE, RECIPE = "fastsal_a", "litert_fp32"
_ORIENTATION = 0x0112


def write(folder: Path, bundles: Mapping[str, Path]) -> None:
    """`bundles/` as installed for the app, `photos.json`, the photographs and their outputs."""
    for bundle in bundles.values():
        install.install(bundle, install.get("web"), folder / "bundles")
    said = photographs(folder)
    home = folder / "bundles" / BUNDLE
    content = read_manifest(home)
    size = content["input"]["height"], content["input"]["width"]
    runner = open_runner(home / content["artefacts"][RECIPE]["path"])
    listed = []
    for name, words in said.items():
        output = runner.run(resize_planes(read_rgb(folder / name), *size)[None])
        assert output.std() > 0.1, name  # a flat output would prove nothing
        np.save(folder / f"{name}.npy", np.ascontiguousarray(output, np.float32))
        listed.append(
            {"file": name, "bundle": BUNDLE, "recipe": RECIPE, "output": f"{name}.npy"}
            | {"says": words}
        )
    (folder / "photos.json").write_text(json.dumps(listed))


def photographs(folder: Path) -> dict[str, str]:
    """Pictures of every kind that goes wrong somewhere; gives what the page says of each."""
    scene = Image.fromarray(_scene(427, 640))
    scene.save(folder / "plain.jpg", quality=92)
    exif = Image.Exif()
    exif[_ORIENTATION] = 6
    turned = scene.transpose(Image.Transpose.ROTATE_90)
    turned.save(folder / "turned.jpg", quality=92, exif=exif)
    clear = scene.convert("RGBA")
    clear.putalpha(Image.linear_gradient("L").resize(scene.size))
    clear.save(folder / "clear.png")
    scene.convert("L").save(folder / "grey.png")
    scene.resize((40, 500)).save(folder / "narrow.webp", lossless=True)
    large = Image.fromarray(_scene(1000, 1000)).resize((10_000, 10_000), Image.Resampling.NEAREST)
    large.save(folder / "large.jpg", quality=80)
    return {
        "plain.jpg": "640 × 427",
        "turned.jpg": "640 × 427",
        "clear.png": "640 × 427",
        "grey.png": "640 × 427",
        "narrow.webp": "40 × 500",
        "large.jpg": "100 megapixels, read at 1/3 of its size",
    }


def _scene(height: int, width: int) -> NDArray[np.uint8]:
    """Waves, a disc and fine stripes, its channels unlike each other."""
    y, x = np.mgrid[0:height, 0:width] / (height / 8)
    waves = [np.sin(x * a + y * b) for a, b in ((0.9, 0.3), (0.2, 1.1), (1.7, -0.8))]
    image = 127.5 + 90 * np.stack(waves, -1)
    image[np.hypot(x - 5, y - 4) < 2] = (230, 60, 20)
    stripes = (y < 2) & (np.floor(x * 40) % 2 < 1)
    image[stripes] = (10, 240, 250)
    return image.clip(0, 255).astype(np.uint8)
