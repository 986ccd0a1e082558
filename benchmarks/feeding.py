"""What `benchmarks.throughput` measures: models alone, and models with all that feeds them."""

from __future__ import annotations

import itertools
import shutil
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor, nn

import students
import teachers
from benchmarks.arithmetic import Segments, flops, wait
from benchmarks.interleaved import Work
from benchmarks.photographs import repeated
from pipeline import tasks
from pipeline.config import Config
from pipeline.data.dataset import ImageSet
from pipeline.data.layouts import Record
from pipeline.data.loader import Batch, Batches
from pipeline.engine.device import autocast
from pipeline.engine.optim import build_optimiser, rate
from pipeline.engine.supervised import Supervised, to_device
from pipeline.labels import LabelSpec, LabelStore, image_reader, merge, write_shards
from pipeline.labels.encoding import encode
from pipeline.labels.reader import Read
from pipeline.weights import weights_path

HEIGHT, WIDTH = 192, 256
BATCH, SHARD = 16, 256
"""Of the label stage."""
LOADED = 320
"""Images of a turn of the loader."""
LEAST = 160
"""Images of a turn that starts processes, of which an epoch or a store has many more."""


@dataclass(frozen=True)
class Setting:
    """What all parts share."""

    config: Config
    device: torch.device
    precision: str
    records: list[Record]
    scratch: Path
    workers: int
    seconds: float

    def images(self, count: int) -> ImageSet:
        """So many images with their maps and labels; photographs repeat, labels do not."""
        records = repeated(self.records, count)
        return ImageSet(records, HEIGHT, WIDTH, labels=self._labels(records))

    def batches(self, count: int, workers: int) -> Batches:
        """Batches over so many images, as the train stage makes them."""
        batch = self.config.student.phases["finetune"].batch
        return Batches(
            self.images(count), batch, seed=0, flip=True, drop_last=True, workers=workers
        )

    def turn(self, step: Callable[[], int]) -> int:
        """Images that keep `step`, which does some of them at a time, busy for about a turn.

        Its first steps, which are slow, are done by then.
        """
        step()
        wait(self.device)
        start = time.perf_counter()
        done = sum(step() for _ in range(2))
        wait(self.device)
        return done * max(1, round(self.seconds / (time.perf_counter() - start)))

    def _labels(self, records: list[Record]) -> LabelStore:
        folder = self.scratch / f"labels-{len(records)}"
        if not folder.exists():
            ids = tuple(record.id for record in records)
            spec = LabelSpec("noise", "none", "none", HEIGHT, WIDTH, "cpu", ids)
            write_shards(spec, folder, lambda ids: torch.rand(len(ids), HEIGHT, WIDTH))
            merge(spec, folder)
        return LabelStore(folder)


def loader(setting: Setting, workers: int) -> Work:
    """One epoch of the loader alone, the start of its processes included."""
    batches = setting.batches(LOADED, workers)
    return lambda: lambda: sum(len(batch["ids"]) for batch in batches.epoch(0))


class Training:
    """Steps of Eq. 2 on images, annotators' maps and pseudo-labels."""

    def __init__(self, setting: Setting, name: str) -> None:
        self.setting = setting
        student_settings = setting.config.student
        phase = student_settings.phases["finetune"]
        overrides = student_settings.overrides if name == student_settings.name else {}
        torch.manual_seed(0)
        student = students.build(name, weights=weights_path(student_settings.weights), **overrides)
        self.batch = phase.batch
        self.supervised = Supervised(
            student,
            [],
            tasks.get(student_settings.task).objective(student, phase),
            build_optimiser([student], phase.optimiser),
            rate(phase.schedule, phase.epochs),
            setting.device,
            setting.precision,
            phase.optimiser.grad_clip,
            torch.channels_last,
        )
        batch = next(iter(setting.batches(self.batch, 0).epoch(0)))
        self._held: Batch = to_device(batch, setting.device)
        self._count = setting.turn(self.step)

    def step(self) -> int:
        """Learn once more from the same batch, which is on the device already."""
        self.supervised.step(self._held, 1.0)
        return len(self._held["ids"])

    def alone(self) -> Callable[[], int]:
        """Steps on one batch."""
        return lambda: sum(self.step() for _ in range(self._count // self.batch))

    def whole(self) -> Callable[[], int]:
        """Steps on batches from the loader, from the arrival of the first."""
        count = max(LEAST // self.batch * self.batch, self._count)
        epoch = self.setting.batches(count, self.setting.workers).epoch(0)
        first = next(epoch)

        def run() -> int:
            done = 0
            for batch in itertools.chain([first], epoch):
                self.supervised.step(batch, 1.0)
                done += len(batch["ids"])
            return done

        return run

    def operations(self) -> float:
        """Operations per image, forward and backward."""
        # torch's count of a grouped convolution's backward pass ignores the groups; by custom, that
        # pass costs twice the forward one.
        images = self._held["images"]
        return 3 * flops(lambda: self.supervised.model(images)) / self.batch

    def shares(self) -> dict[str, float]:
        """Where the time of a step goes when nothing overlaps but reading."""
        part, segments = self.supervised, Segments(self.setting.device)
        count = max(4, min(20, self._count // self.batch)) * self.batch
        batches = self.setting.batches(count, self.setting.workers).epoch(0)
        held = next(batches)
        segments.start()
        for batch in itertools.chain([held], batches):
            segments.end("wait for the loader")
            moved = to_device(batch, self.setting.device)
            moved["images"] = moved["images"].contiguous(memory_format=torch.channels_last)
            segments.end("copy to the device")
            with autocast(self.setting.device, self.setting.precision):
                loss = part.objective(moved)["loss"]
            segments.end("forward")
            part.optimiser.zero_grad(set_to_none=True)
            loss.backward()  # type: ignore[no-untyped-call]
            segments.end("backward")
            part.optimiser.step()
            segments.end("update")
        return segments.shares()


class Labelling:
    """SalGAN from files to shards, as the label stage does it, in any precision."""

    def __init__(self, setting: Setting, width: float) -> None:
        self.setting = setting
        torch.manual_seed(0)
        teacher = teachers.build("salgan", width=width, normalisation="imagenet")
        self.teacher: nn.Module = teacher.eval().to(setting.device)
        images = ImageSet(repeated(setting.records, BATCH), HEIGHT, WIDTH, truth=False)
        held = torch.stack([images[number]["image"] for number in range(BATCH)])
        self._held = held.to(setting.device)
        self._count = setting.turn(self.step)

    def predict(self, images: Tensor) -> Tensor:
        """(n, 3, H, W) -> (n, H, W) 0-1 on the device."""
        setting = self.setting
        with torch.inference_mode(), autocast(setting.device, setting.precision):
            logits = self.teacher(images.to(setting.device, non_blocking=True))
        return torch.sigmoid(logits.float())[:, 0]

    def step(self) -> int:
        """Label the same batch once more, without fetching the maps."""
        return len(self.predict(self._held))

    def alone(self) -> Callable[[], int]:
        """The teacher on one batch."""
        return lambda: sum(self.step() for _ in range(self._count // len(self._held)))

    def whole(self) -> Callable[[], int]:
        """Files to shards, the start of the reading processes included."""
        spec, read = self._job()
        folder = self.setting.scratch / "store"
        shutil.rmtree(folder, ignore_errors=True)

        def run() -> int:
            write_shards(spec, folder, self.predict, read=read)
            return len(spec.ids)

        return run

    def operations(self) -> float:
        """Operations per image."""
        return flops(self.step) / len(self._held)

    def shares(self) -> dict[str, float]:
        """Where the time of a batch goes when nothing overlaps but reading."""
        spec, read = self._job()
        segments = Segments(self.setting.device)
        ids = [batch for shard in range(spec.shards) for batch in spec.batches(shard)]
        with (self.setting.scratch / "maps").open("wb") as out:
            inputs = read(ids)
            held = next(inputs)
            segments.start()
            for names, images in zip(ids, itertools.chain([held], inputs), strict=True):
                segments.end("wait for images")
                moved = images.to(self.setting.device)
                segments.end("copy to the device")
                maps = self.predict(moved)
                segments.end("forward")
                fetched = maps.cpu().numpy()
                segments.end("fetch")
                out.write(encode(fetched, spec.dtype, names).tobytes())
                segments.end("encode and write")
        return segments.shares()

    def _job(self) -> tuple[LabelSpec, Read]:
        records = repeated(self.setting.records, max(LEAST, self._count))
        spec = LabelSpec(
            "salgan", "none", "none", HEIGHT, WIDTH, self.setting.device.type,
            tuple(record.id for record in records), "u8", SHARD, BATCH,
        )  # fmt: skip
        pin = self.setting.device.type == "cuda"
        named = {record.id: record for record in records}
        return spec, image_reader(named, HEIGHT, WIDTH, self.setting.workers, pin=pin)
