"""Export the student by one recipe."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from mobile import recipes
from mobile.export import export
from pipeline import checkpoint
from pipeline.config import Config
from pipeline.data import manifest
from pipeline.data.dataset import read_image
from pipeline.errors import UserError
from pipeline.files import read_json
from pipeline.paths import CALIBRATION, DATA, EXPORTS, MODEL
from pipeline.stages.entry import stage


@stage
def main(config: Config, name: str) -> None:
    """Write outputs/exports/NAME."""
    path = Path(config.student.final) / MODEL
    student, header = checkpoint.load_model(path, "student", config.student.name)
    images = calibration_images(header["height"], header["width"])
    started = time.monotonic()
    report = export(student, checkpoint.spec_of(header), recipes.get(name), images, EXPORTS / name)
    share = "delegation decided on the device"
    if report.delegation is not None:
        share = f"{report.delegation.delegated} of {report.delegation.total} nodes delegated"
    print(f"{name}: {report.bytes / 2**20:.2f} MiB, {share}, {time.monotonic() - started:.0f} s")


def calibration_images(height: int, width: int) -> Iterator[NDArray[np.float32]]:
    """The images of calibration.json, (1, 3, height, width) float32 RGB 0-255, one by one."""
    ids = read_json(CALIBRATION)["ids"]
    records = {record.id: record for record in manifest.load_role(DATA, "train").records}
    for name in ids:
        if name not in records:
            raise UserError(f"calibration image {name} is not in train; run `dvc repro prepare`")
        yield read_image(records[name], height, width)[None].numpy()


if __name__ == "__main__":
    main()
