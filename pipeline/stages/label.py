"""Pseudo-label every training and pool image with one teacher.

Ranks need not know of each other: started on several machines with RANK and WORLD_SIZE set, each
labels its share of shards into one shared FOVEA_SCRATCH; the rank that finds all done merges.
"""

from __future__ import annotations

import dataclasses
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from pipeline.checkpoint import load_model, spec_of
from pipeline.config import Config
from pipeline.config.check import one_of
from pipeline.data import manifest
from pipeline.data.layouts import Record
from pipeline.data.resize import NAME
from pipeline.engine import device as devices
from pipeline.engine.progress import Meter
from pipeline.errors import UserError
from pipeline.files import replace_tree, sha256_file, sha256_json
from pipeline.labels import LabelSpec, LabelStore, image_reader, merge, write_shards
from pipeline.labels.encoding import SCORES
from pipeline.labels.maps import Size, fixation_map, log_density
from pipeline.labels.reader import Read
from pipeline.labels.scores import packed
from pipeline.lock import in_turn
from pipeline.paths import DATA, LABELS, MODEL, TEACHERS
from pipeline.scratch import lock_file, scratch
from pipeline.stages.entry import divided, part, rank
from pipeline.stages.names import sized
from pipeline.tasks.readout import CLASS_LOGITS, LOG_DENSITY, LOGITS


@divided
def main(config: Config, name: str) -> None:
    """Write outputs/labels/NAME."""
    one_of("teacher", name, config.student.teachers)
    checkpoint = TEACHERS / name / MODEL
    teacher, header = load_model(checkpoint, "teacher")
    device = devices.choose(config.machine.device)
    devices.keep_freed_memory()
    records = {record.id: record for record in unlabelled_and_labelled()}
    shown = sized(config.student)
    height, width = config.student.label_size or (shown.height, shown.width)
    seen, kept = size_of(header), (height, width)
    meaning = spec_of(header).output
    require_classes(name, header, config)
    spec = LabelSpec(
        teacher=name,
        teacher_hash=sha256_file(checkpoint),
        preprocessing_hash=preprocessing_hash(seen, kept),
        height=height,
        width=width,
        dtype=STORED[meaning][0],
        device_type=device.type,
        ids=tuple(records),
        shard_size=config.student.teachers[name].shard,
    )
    workers, pin = config.machine.workers, device.type == "cuda"
    read = image_reader(records, *seen, workers, pin=pin)
    predict = Labeller(teacher.to(device), device, meaning, kept)
    settings = dataclasses.asdict(spec) | {"ids": len(spec.ids)}
    with scratch(f"label-{name}", settings, [DATA, checkpoint], part()) as folder:
        written = label(spec, folder, read, predict, LABELS / name)
        print(f"{name}: labelled {written} of {spec.shards} shards")
        with in_turn(lock_file(folder, "merge"), "another rank's merge"):
            finish(spec, folder, LABELS / name)


def require_classes(name: str, header: dict[str, Any], config: Config) -> None:
    """Raise `UserError` for a teacher of other classes than the student learns."""
    theirs, own = header["overrides"].get("classes"), config.student.overrides.get("classes")
    if theirs != own:
        raise UserError(
            f"teacher {name} knows {theirs} classes, but the student learns {own}; train the "
            f"teacher on data={config.data.name}, too"
        )


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
    """Merge and put in place, if no shard of another rank is missing; it is then the last one.

    A rank that is run once more after that finds the whole store in `target` and leaves nothing.
    """
    missing = [n for n in range(spec.shards) if not (folder / spec.sidecar_name(n)).is_file()]
    if not missing:
        merge(spec, folder)
        replace_tree(folder, target)
        print(f"{len(spec.ids)} maps by {spec.teacher} in {target}")
    elif folder.is_dir():
        if is_whole(spec, target):
            shutil.rmtree(folder)
            print(f"{target} already holds all {len(spec.ids)} maps by {spec.teacher}")
        else:
            print(still_missing(missing, spec.shards, rank()[1]))


def is_whole(spec: LabelSpec, target: Path) -> bool:
    """Whether `target` is a merged store of these labels, sound to the last byte."""
    try:
        store = LabelStore(target)
        store.verify()
    except UserError:
        return False
    return store.spec.key() == spec.key()


def still_missing(missing: list[int], shards: int, world: int) -> str:
    """Which shards, whose they are, and what to do if their rank does not come."""
    ranks = sorted({shard % world for shard in missing})
    named = ", ".join(map(str, missing[:8])) + (", …" if len(missing) > 8 else "")
    return (
        f"{len(missing)} of {shards} shards are missing ({named}), of rank "
        f"{', '.join(map(str, ranks))} of {world}; the last rank to end merges, and one that was "
        "lost is run again with the same RANK and WORLD_SIZE"
    )


def _first(make: Callable[[Tensor, Size], Tensor]) -> Callable[[Tensor, Size], Tensor]:
    return lambda output, size: make(output, size)[:, 0]


STORED: dict[str, tuple[str, Callable[[Tensor, Size], Tensor]]] = {
    LOGITS: ("u8", _first(fixation_map)),
    LOG_DENSITY: ("f16", _first(log_density)),
    CLASS_LOGITS: (SCORES, packed),
}
"""By what an output means: how its maps are stored, and what makes (n, h, w) of it."""


class Labeller:
    """Images to what is stored of their maps, at the student's size.

    Of logits the sigmoid, of a log density the logarithm of its resized density, of class logits
    the two likeliest classes.
    """

    def __init__(
        self, teacher: torch.nn.Module, device: torch.device, meaning: str, size: Size
    ) -> None:
        self.teacher, self.device, self.size = teacher, device, size
        self.as_label = STORED[meaning][1]

    def __call__(self, images: Tensor) -> Tensor:
        """(n, 3, H, W) RGB 0-255 -> (n, h, w), which a GPU may still be computing."""
        with torch.inference_mode():
            found = self.teacher(images.to(self.device, non_blocking=True))
            return self.as_label(found.float(), self.size)


def unlabelled_and_labelled() -> list[Record]:
    """Every training image, then every image of the pool."""
    roles = [name for name in ("train", "pool") if name in manifest.roles(DATA)]
    return [record for role in roles for record in manifest.load_role(DATA, role).records]


def size_of(header: dict[str, Any]) -> Size:
    """The input size of a checkpoint's model."""
    return header["height"], header["width"]


def preprocessing_hash(seen: Size, kept: Size) -> str:
    """What happens to an image before the teacher, and to its map after it."""
    known = {"resize": NAME, "height": seen[0], "width": seen[1], "range": "rgb 0-255"}
    return sha256_json(known | ({} if kept == seen else {"map": list(kept)}))


def expected_hashes(name: str, size: Size) -> dict[str, str]:
    """Teacher and preprocessing that labels of `size` by `name` must have been made with.

    Nothing where the teacher itself is not in this workspace, only its labels.
    """
    path = TEACHERS / name / MODEL
    if not path.is_file():
        return {}
    _, header = load_model(path, "teacher")
    return {
        "teacher_hash": sha256_file(path),
        "preprocessing_hash": preprocessing_hash(size_of(header), size),
    }


if __name__ == "__main__":
    main()
