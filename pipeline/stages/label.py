"""Pseudo-label every training and pool image with one teacher.

Ranks need not know of each other: started on several machines with RANK and WORLD_SIZE set, each
labels its share of shards into one shared FOVEA_SCRATCH; the rank that finds all done merges.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from pipeline.checkpoint import load_model
from pipeline.config import Config
from pipeline.config.check import one_of
from pipeline.data import manifest
from pipeline.data.dataset import read_image
from pipeline.data.layouts import Record
from pipeline.data.resize import NAME
from pipeline.engine import device as devices
from pipeline.engine.progress import Meter
from pipeline.files import replace_tree, sha256_file, sha256_json
from pipeline.labels import LabelSpec, merge, write_shards
from pipeline.lock import in_turn
from pipeline.paths import DATA, LABELS, MODEL, TEACHERS
from pipeline.scratch import lock_file, scratch
from pipeline.stages.entry import divided, part, rank


@divided
def main(config: Config, name: str) -> None:
    """Write outputs/labels/NAME."""
    one_of("teacher", name, config.student.teachers)
    checkpoint = TEACHERS / name / MODEL
    teacher, header = load_model(checkpoint, "teacher")
    device = devices.choose(config.machine.device)
    records = {record.id: record for record in unlabelled_and_labelled()}
    height, width = header["height"], header["width"]
    spec = LabelSpec(
        teacher=name,
        teacher_hash=sha256_file(checkpoint),
        preprocessing_hash=preprocessing_hash(height, width),
        height=height,
        width=width,
        device_type=device.type,
        ids=tuple(records),
        shard_size=config.student.teachers[name].shard,
    )
    predict = Labeller(teacher.to(device), device, records, height, width)
    settings = dataclasses.asdict(spec) | {"ids": len(spec.ids)}
    with scratch(f"label-{name}", settings, [DATA, checkpoint], part()) as folder:
        written = label(spec, folder, predict, LABELS / name)
        print(f"{name}: labelled {written} of {spec.shards} shards")
        with in_turn(lock_file(folder, "merge"), "another rank's merge"):
            finish(spec, folder, LABELS / name)


def label(spec: LabelSpec, folder: Path, predict: Labeller, earlier: Path) -> int:
    """Write this rank's shards into `folder`; what is sound in `earlier` is taken from there.

    Returns how many had to be labelled.
    """
    number, world = rank()
    with Meter(f"label by {spec.teacher}", len(spec.ids) // world, "images") as meter:
        seen = 0

        def count(done: int, _total: int) -> None:
            nonlocal seen
            meter(done - seen)
            seen = done

        return write_shards(
            spec, folder, predict, rank=number, world=world, earlier=earlier, on_progress=count
        )


def finish(spec: LabelSpec, folder: Path, target: Path) -> None:
    """Merge and put in place, if no shard of another rank is missing; it is then the last one."""
    missing = [n for n in range(spec.shards) if not (folder / spec.sidecar_name(n)).is_file()]
    if not missing:
        merge(spec, folder)
        replace_tree(folder, target)
        print(f"{len(spec.ids)} maps by {spec.teacher} in {target}")
    elif folder.is_dir():
        print(f"{len(missing)} shards of other ranks are missing; the last rank to end merges")


class Labeller:
    """Ids to maps: the teacher on the images as the student will see them."""

    def __init__(
        self,
        teacher: torch.nn.Module,
        device: torch.device,
        records: dict[str, Record],
        height: int,
        width: int,
    ) -> None:
        self.teacher, self.device, self.records = teacher, device, records
        self.size = (height, width)

    def __call__(self, ids: Sequence[str]) -> NDArray[np.float32]:
        images = torch.stack([read_image(self.records[name], *self.size) for name in ids])
        with torch.inference_mode():
            logits = self.teacher(images.to(self.device))
        maps: NDArray[np.float32] = torch.sigmoid(logits.float())[:, 0].cpu().numpy()
        return maps


def unlabelled_and_labelled() -> list[Record]:
    """Every training image, then every image of the pool."""
    roles = [name for name in ("train", "pool") if name in manifest.roles(DATA)]
    return [record for role in roles for record in manifest.load_role(DATA, role).records]


def preprocessing_hash(height: int, width: int) -> str:
    """What happens to an image before the teacher: decode, the named resize, nothing else."""
    return sha256_json({"resize": NAME, "height": height, "width": width, "range": "rgb 0-255"})


if __name__ == "__main__":
    main()
