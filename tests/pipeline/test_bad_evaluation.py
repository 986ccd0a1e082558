"""Images without fixations: metrics that need them leave the image out, and say of how many."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from pipeline.data import layouts
from pipeline.data.evaluation import samples
from pipeline.data.fixations import write_mat
from pipeline.errors import UserError
from pipeline.tasks.readout import Map
from pipeline.tasks.saliency import SaliencyTask
from tests.data import trees


def predict(_image: torch.Tensor) -> Map:
    return np.arange(512, dtype=np.float32).reshape(16, 32)


def scores(root: Path, blank: int, viewers: list[np.ndarray]) -> object:
    """Four images, the first `blank` of which have the fixations of `viewers`."""
    trees.salicon(root, "val", 4)
    for number in range(blank):
        file = root / f"fixations/val/val_00{number}.mat"
        write_mat(file, "x", trees.HEIGHT, trees.WIDTH, viewers)
    records = layouts.scan("salicon", root, "val")
    return SaliencyTask().evaluate(predict, samples(records, 16, 32))


@pytest.mark.parametrize("viewers", [[], [np.zeros((0, 2))], [np.array([[-5, -5], [900, 3]])]])
def test_images_without_fixations_are_left_out_and_counted(
    tmp_path: Path, viewers: list[np.ndarray]
) -> None:
    found = scores(tmp_path, 1, viewers)
    of_fixations = {"NSS": 1, "AUC-Judd": 1, "AUC-Borji": 1}
    assert found.undefined() == of_fixations | {"CC": 0, "SIM": 0, "KLDiv": 0}
    means = found.means()
    assert means["NSS"] == pytest.approx(found.values["NSS"][1:].mean().item())
    assert means["CC"] == pytest.approx(found.values["CC"].mean().item())


def test_a_metric_that_no_image_defines_is_refused(tmp_path: Path) -> None:
    found = scores(tmp_path, 4, [])
    with pytest.raises(UserError, match="NSS is undefined on all 4 validation images: no fixation"):
        found.means()
