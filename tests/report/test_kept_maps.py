"""What the check keeps for the report: shown images, and those a file loses most on."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from pipeline.data.evaluation import samples
from pipeline.data.layouts import Record, scan
from pipeline.files import read_json, write_json
from pipeline.metrics.summary import per_image_rows
from pipeline.paths import EVALUATE
from pipeline.pictures import read_logits
from pipeline.report.read import SCORES
from pipeline.stages.check import predictor, write_pictures
from pipeline.tasks.saliency import SaliencyTask
from pipeline.tasks.task import Scores, torch_predictor
from tests.report import workspace

SIZE = (48, 64)
LOSSY = "scene_2"


class Bright(nn.Module):
    """Bright regions are salient."""

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        return images.mean(1, keepdim=True) / 64 - 2


class Lossy:
    """The same, except that it turns the map of one image around."""

    def __init__(self, wrong: torch.Tensor) -> None:
        self._wrong = wrong.numpy()

    def run(self, image: np.ndarray) -> np.ndarray:
        found = Bright()(torch.from_numpy(image)).numpy()
        return -found if np.array_equal(image[0], self._wrong) else found


@pytest.fixture
def records() -> list[Record]:
    for index, name in enumerate(workspace.IDS):
        workspace.write_scene(Path("photos"), "val", name, (60, 80), seed=index)
    return scan("salicon", Path("photos"), "val")


def test_the_image_a_file_loses_most_on_is_kept_with_torch_s_own_map(
    records: list[Record], tmp_path: Path
) -> None:
    task, folder = SaliencyTask(), tmp_path / "kept"
    wrong = next(s.image for s in samples(records, *SIZE) if s.id == LOSSY)
    reference = task.evaluate(
        torch_predictor(Bright(), torch.device("cpu")), samples(records, *SIZE)
    )
    lossy = Lossy(wrong)
    scores: Scores = task.evaluate(predictor(lossy), samples(records, *SIZE))
    own = {"student": per_image_rows(reference.ids, reference.values)}
    # Turning the map around must be a loss, or there is none to find.
    cc = {i: float(v) for i, v in zip(reference.ids, reference.values["CC"])}
    assert cc[LOSSY] > 0
    write_json(EVALUATE / "per_image.json", own)
    write_json(EVALUATE / "shown.json", ["scene_1"])

    write_pictures(task, lossy, Bright(), records, SIZE, scores, folder)

    assert {path.stem for path in folder.glob("*.npy")} == {"scene_1", LOSSY}
    assert [path.stem for path in (folder / "torch").glob("*.npy")] == [LOSSY]
    turned = read_logits(folder / f"{LOSSY}.npy")
    np.testing.assert_array_equal(turned, -read_logits(folder / "torch" / f"{LOSSY}.npy"))
    kept = {row["id"]: row["CC"] for row in read_json(folder / SCORES)}
    assert kept[LOSSY] < cc[LOSSY]
