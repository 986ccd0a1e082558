"""What a dense task is: one map from one image, measured at the image's own resolution."""

from __future__ import annotations

import contextlib
import functools
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar, Self

import numpy as np
import torch
from torch import Tensor, nn

from pipeline.config.schema import Phase
from pipeline.data.dataset import read_truth
from pipeline.data.evaluation import Sample
from pipeline.data.images import read_size
from pipeline.data.layouts import Record
from pipeline.data.resize import resize
from pipeline.distil import Objective
from pipeline.errors import UserError
from pipeline.metrics.baselines import Baselines
from pipeline.metrics.summary import concatenate
from pipeline.tasks.readout import LOGITS, Map, map_of, output_of, probability

Predict = Callable[[Tensor], Map]
"""One image (3, h, w) RGB 0-255 -> its output: logits, a log density or class logits."""


@dataclass(frozen=True)
class Scores:
    """Metrics of every image: `values[metric]` is (N,) float64, NaN where undefined."""

    ids: tuple[str, ...]
    values: dict[str, Tensor]
    over_all: Mapping[str, float] = field(default_factory=dict)
    """Metrics of all images together, where the task has such."""
    details: Mapping[str, Any] = field(default_factory=dict)
    """What lies behind those, by the name of the file that evaluation writes it to."""

    def means(self) -> dict[str, float]:
        """Mean per metric over the images that define it.

        Raises `UserError` for a metric that no image defines.
        """
        for name, left_out in self.undefined().items():
            if left_out == len(self.ids):
                raise UserError(
                    f"{name} is undefined on all {left_out} validation images: no fixation lies "
                    "inside any, every density map is empty, or every label image is void; mend or "
                    "choose another data.val"
                )
        found = {name: float(v[~v.isnan()].mean()) for name, v in self.values.items()}
        return found | dict(self.over_all)

    def undefined(self) -> dict[str, int]:
        """How many images each metric leaves out, for want of fixations or of density."""
        return {name: int(v.isnan().sum()) for name, v in self.values.items()}


@dataclass(frozen=True)
class DenseTask:
    """A task whose students give a map of logits or log densities, or one for each class."""

    output: str = LOGITS
    """What the student's numbers mean, and so how they are read; see `tasks.readout`."""

    name: ClassVar[str]
    metrics: ClassVar[tuple[str, ...]]
    """Of each image, in the order of tables."""
    over_all: ClassVar[tuple[str, ...]] = ()
    """Metrics of a whole set of images, behind those."""
    smaller_is_better: ClassVar[tuple[str, ...]]
    gated: ClassVar[tuple[str, ...]]
    """Metrics a budget limits the loss of; the last one is what images are ordered by."""
    needs: ClassVar[tuple[str, ...]]
    """Parts of a record that measuring needs, of `map`, `fixations`, `labels` and `target`."""
    readouts: ClassVar[tuple[str, ...]] = ("sigmoid",)
    """How the output may be read."""
    stretch: ClassVar[float] = 1.0
    """How much wider or narrower than the image an enlarged part of it may be shown."""
    prior_title: ClassVar[str] = "Mean map"
    """How people call what `prior` gives."""

    def informed(self, data: Path) -> Self:  # noqa: ARG002
        """The task with what it wants to know of the training images, from the data's folder."""
        return self

    def objective(self, student: nn.Module, phase: Phase) -> Objective:
        """The loss of a phase that learns maps."""
        raise NotImplementedError

    def score(
        self, logits: Map, sample: Sample, baselines: Baselines | None = None
    ) -> dict[str, Tensor]:
        """All metrics of one image, each (1,) float64."""
        raise NotImplementedError

    def gather(self, logits: Map, sample: Sample, *, quick: bool) -> Any:  # noqa: ARG002
        """What `over_all` is made of, of one image; None where there is nothing."""
        return None

    def reduce(self, gathered: Sequence[Any]) -> dict[str, float]:
        """`over_all` of what was gathered of all images, which are at least one."""
        raise NotImplementedError

    def details(self, gathered: Sequence[Any]) -> dict[str, Any]:  # noqa: ARG002
        """What lies behind `over_all`, by name and as JSON; nothing where there is no more."""
        return {}

    def quick_score(self, logits: Map, sample: Sample) -> dict[str, Tensor]:
        """Those for the pass after each epoch: all, unless some are slow."""
        return self.score(logits, sample)

    def prior(self, records: Sequence[Record], height: int, width: int) -> Map:
        """The mean training map as an output: what a model that ignores its input can reach."""
        maps = [
            resize(read_truth(record, read_size(record.image)), height, width)
            for record in records
            if record.has_truth
        ]
        return output_of(np.mean(maps, axis=0), self.output)

    def probability(self, logits: Map) -> Map:
        """Maps in 0-1 from the student's output."""
        return probability(logits, self.output)

    def at_size(self, logits: Map, height: int, width: int) -> Tensor:
        """The map (1, height, width) that is measured: read out, then the named resize. No blur."""
        return torch.from_numpy(resize(self.probability(logits), height, width))[None]

    def evaluate(
        self,
        predict: Predict,
        samples: Iterable[Sample],
        *,
        quick: bool = False,
        on_image: Callable[[Sample, Map], None] | None = None,
        baselines: Baselines | None = None,
    ) -> Scores:
        """Scores of `predict` on every sample; `on_image` sees each sample with its logits."""
        ids: list[str] = []
        gathered: list[Any] = []
        full = functools.partial(self.score, baselines=baselines)
        score = self.quick_score if quick else full

        def rows() -> Iterator[dict[str, Tensor]]:
            for sample in samples:
                logits = predict(sample.image)
                ids.append(sample.id)
                if on_image is not None:
                    on_image(sample, logits)
                with one_thread():
                    found = score(logits, sample)
                    more = self.gather(logits, sample, quick=quick)
                gathered.extend([] if more is None else [more])
                yield found

        values = concatenate(rows())
        if not gathered:
            return Scores(tuple(ids), values)
        details = {} if quick else self.details(gathered)
        return Scores(tuple(ids), values, self.reduce(gathered), details)


@contextlib.contextmanager
def one_thread() -> Iterator[None]:
    """Metrics are many small operations: on busy cores, threads cost them more than they bring."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(threads)


def torch_predictor(model: nn.Module, device: torch.device) -> Predict:
    """Run `model` (eval mode) on one image at a time."""

    def predict(image: Tensor) -> Map:
        with torch.inference_mode():
            logits: Tensor = model(image[None].to(device))
        return map_of(logits.float().cpu().numpy())

    return predict
