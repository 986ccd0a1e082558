"""Layouts of salient-object sets."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from pipeline.data import layouts
from pipeline.data.sample import generate
from pipeline.data.sample.salience import standing_out
from pipeline.errors import UserError


def write(path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(np.zeros((8, 10), np.uint8)).save(path)


def tree(root: Path, pictures: str, marks: str, suffix: str = "jpg") -> None:
    for name in ("b", "a"):
        write(root / pictures / f"{name}.{suffix}")
        write(root / marks / f"{name}.png")


PUBLISHED = [
    ("images", "ground_truth_mask"),
    ("imgs", "gt"),
    ("DUT-OMRON-image", "pixelwiseGT-new-PNG"),
    ("Imgs", "GT"),
]


@pytest.mark.parametrize(("pictures", "marks"), PUBLISHED)
def test_sets_that_only_measure_are_read_as_published(
    tmp_path: Path, pictures: str, marks: str
) -> None:
    tree(tmp_path, pictures, marks)
    records = layouts.scan("masks", tmp_path, "all")
    assert [r.id for r in records] == ["a", "b"]
    assert [r.map for r in records] == [tmp_path / marks / f"{n}.png" for n in ("a", "b")]
    assert layouts.fitting(tmp_path)["masks"] == ["all"]


def test_duts_has_a_training_and_a_test_split(tmp_path: Path) -> None:
    for split in ("TR", "TE"):
        tree(tmp_path, f"DUTS-{split}/DUTS-{split}-Image", f"DUTS-{split}/DUTS-{split}-Mask")
    records = layouts.scan("duts", tmp_path, "TR")
    assert [r.id for r in records] == ["a", "b"]
    assert all(r.fixations is None and r.has_truth for r in records)
    assert layouts.fitting(tmp_path)["duts"] == ["TR", "TE"]


def test_a_mask_that_is_missing_is_named(tmp_path: Path) -> None:
    tree(tmp_path, "DUTS-TR/DUTS-TR-Image", "DUTS-TR/DUTS-TR-Mask")
    (tmp_path / "DUTS-TR/DUTS-TR-Mask/b.png").unlink()
    with pytest.raises(UserError, match=r"no map for .*b\.jpg"):
        layouts.scan("duts", tmp_path, "TR")


@pytest.mark.parametrize("split", ["train", "tr"])
def test_another_split_is_refused_with_those_there_are(tmp_path: Path, split: str) -> None:
    tree(tmp_path, "DUTS-TR/DUTS-TR-Image", "DUTS-TR/DUTS-TR-Mask")
    with pytest.raises(UserError, match="it has TR, TE"):
        layouts.scan("duts", tmp_path, split)


def test_the_sample_marks_what_stands_out_in_its_own_scenes(tmp_path: Path) -> None:
    generate(tmp_path, train=3, val=2, pool=1, processes=1)
    for split, folder, count in (("TR", "train", 3), ("TE", "val", 2)):
        records = layouts.scan("duts", tmp_path / "duts", split)
        assert len(records) == count
        for record in records:
            twin = tmp_path / "salicon/images" / folder / record.image.name
            assert record.image.read_bytes() == twin.read_bytes()
            mask = np.asarray(Image.open(record.map))
            assert mask.shape == (480, 640)
            assert set(np.unique(mask)) <= {0, 255}
            assert 0 < (mask > 0).mean() < 0.8


def test_what_gets_half_of_the_most_attention_stands_out() -> None:
    assert standing_out(np.array([0.1, 0.4, 0.2, 0.3])).tolist() == [1, 2, 3]
    assert standing_out(np.zeros(3)).tolist() == []
    assert standing_out(np.zeros(0)).tolist() == []
