"""Pseudo-label every training and pool image with one teacher.

Ranks need not know of each other: started on several machines with RANK and WORLD_SIZE set, each
labels its share of shards into one shared FOVEA_SCRATCH; the rank that finds all done merges.
"""

from __future__ import annotations

import dataclasses
from pathlib import Path

import torch
from torch import Tensor

from pipeline.checkpoint import load_model
from pipeline.config import Config
from pipeline.config.check import one_of
from pipeline.data import manifest
from pipeline.data.layouts import Record
from pipeline.data.resize import NAME
from pipeline.engine import device as devices
from pipeline.engine.progress import Meter
from pipeline.files import replace_tree, sha256_file, sha256_json
from pipeline.labels import LabelSpec, image_reader, merge, write_shards
from pipeline.labels.reader import Read
from pipeline.lock import in_turn
from pipeline.paths import DATA, LABELS, MODEL, TEACHERS
from pipeline.scratch import lock_file, scratch
from pipeline.stages.entry import part, rank, stage


@stage
def main(config: Config, name: str) -> None:
    """Write outputs/labels/NAME."""
    one_of("teacher", name, config.student.teachers)
    checkpoint = TEACHERS / name / MODEL
    teacher, header = load_model(checkpoint, "teacher")
    device = devices.choose(config.machine.device)
    devices.keep_freed_memory()
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
    workers, pin = config.machine.workers, device.type == "cuda"
    read = image_reader(records, height, width, workers, pin=pin)
    predict = Labeller(teacher.to(device), device)
    settings = dataclasses.asdict(spec) | {"ids": len(spec.ids)}
    with scratch(f"label-{name}", settings, [DATA, checkpoint], part()) as folder:
        written = label(spec, folder, read, predict, LABELS / name)
        print(f"{name}: labelled {written} of {spec.shards} shards")
        with in_turn(lock_file(folder, "merge"), "another rank's merge"):
            finish(spec, folder, LABELS / name)


def label(spec: LabelSpec, folder: Path, read: Read, predict: Labeller, earlier: Path) -> int:
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
            spec,
            folder,
            predict,
            read=read,
            rank=number,
            world=world,
            earlier=earlier,
            on_progress=count,
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
    """Images to maps: the teacher on the images as the student will see them."""

    def __init__(self, teacher: torch.nn.Module, device: torch.device) -> None:
        self.teacher, self.device = teacher, device

    def __call__(self, images: Tensor) -> Tensor:
        """(n, 3, H, W) RGB 0-255 -> (n, H, W) 0-1, which a GPU may still be computing."""
        with torch.inference_mode():
            logits = self.teacher(images.to(self.device, non_blocking=True))
            return torch.sigmoid(logits.float())[:, 0]


def unlabelled_and_labelled() -> list[Record]:
    """Every training image, then every image of the pool."""
    roles = [name for name in ("train", "pool") if name in manifest.roles(DATA)]
    return [record for role in roles for record in manifest.load_role(DATA, role).records]


def preprocessing_hash(height: int, width: int) -> str:
    """What happens to an image before the teacher: decode, the named resize, nothing else."""
    return sha256_json({"resize": NAME, "height": height, "width": width, "range": "rgb 0-255"})


if __name__ == "__main__":
    main()
