"""A small teacher that reads photographs; as a script, a process that labels with it for long.

python -m tests.labels.reading PHOTOGRAPHS STORE WORKERS
"""

from __future__ import annotations

import sys
import time
from pathlib import Path

import torch
from torch import Tensor, nn

from pipeline.data import layouts
from pipeline.data.layouts import Record
from pipeline.labels import LabelSpec, image_reader, write_shards
from pipeline.stages.label import Labeller
from pipeline.tasks.readout import LOGITS
from tests.data import trees

H, W = 16, 24
COUNT = 23


def photographs(root: Path) -> dict[str, Record]:
    """COUNT records by id."""
    if not root.exists():
        trees.coco(root, "train2017", COUNT)
    return {record.id: record for record in layouts.scan("coco", root, "train2017")}


def spec(records: dict[str, Record]) -> LabelSpec:
    """Shards of 7 in batches of 3, 3 and 1: the last shard holds 2."""
    return LabelSpec("net", "hash", "hash", H, W, "cpu", tuple(records), "u8", 7, 3)


def labeller() -> Labeller:
    """A network whose every output pixel hangs on all of the input's channels."""
    torch.manual_seed(0)
    net = nn.Sequential(nn.Conv2d(3, 4, 3, padding=1), nn.Tanh(), nn.Conv2d(4, 1, 3, padding=1))
    return Labeller(net.eval(), torch.device("cpu"), LOGITS, (H, W))


def _main(root: str, store: str, workers: str) -> None:
    records, predict = photographs(Path(root)), labeller()

    def slow(images: Tensor) -> Tensor:
        time.sleep(0.1)
        return predict(images)

    read = image_reader(records, H, W, int(workers))
    write_shards(spec(records), Path(store), slow, read=read)


if __name__ == "__main__":
    _main(*sys.argv[1:])
