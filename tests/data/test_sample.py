"""The sample data on disk: both layouts, the same bytes every time."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from pycocotools.coco import COCO

from pipeline.data import fixations, layouts
from pipeline.data.sample import generate
from pipeline.data.sample.gaze import VIEWERS
from pipeline.data.sample.things import NAMES
from pipeline.errors import UserError
from pipeline.files import tree_hash

SIZES = {"train": 5, "val": 2, "pool": 3}


@pytest.fixture(scope="module")
def sample(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root: Path = tmp_path_factory.mktemp("sample")
    generate(root, seed=3, **SIZES, processes=1)
    return root


def test_the_layouts_read_it(sample: Path) -> None:
    train = layouts.scan("salicon", sample / "salicon", "train")
    val = layouts.scan("salicon", sample / "salicon", "val")
    pool = layouts.scan("coco", sample / "coco", "train2017")
    assert (len(train), len(val), len(pool)) == (5, 2, 3)
    assert len({record.id for record in [*train, *val, *pool]}) == 10


def test_files_are_what_salicon_has(sample: Path) -> None:
    for record in layouts.scan("salicon", sample / "salicon", "train"):
        assert record.map is not None
        assert record.fixations is not None
        with Image.open(record.image) as image, Image.open(record.map) as density:
            assert (image.format, image.mode, image.size) == ("JPEG", "RGB", (640, 480))
            assert (density.format, density.mode, density.size) == ("PNG", "L", (640, 480))
            assert density.getextrema()[1] == 255
        found = fixations.read_mat(record.fixations)
        assert (found.height, found.width, found.dropped) == (480, 640, 0)
        assert len(set(found.viewer.tolist())) == VIEWERS


def test_annotations_are_what_pycocotools_reads(sample: Path) -> None:
    coco = COCO(str(sample / "coco/annotations/instances_train2017.json"))
    assert [c["name"] for c in coco.loadCats(coco.getCatIds())] == list(NAMES)
    entries = coco.loadAnns(coco.getAnnIds())
    assert {entry["image_id"] for entry in entries} == set(coco.imgs) == {1, 2, 3}
    for entry in entries:
        mask = coco.annToMask(entry)
        rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
        left, top, width, height = entry["bbox"]
        assert entry["area"] == mask.sum()
        assert (columns[0], columns[-1]) == (left, left + width - 1)
        assert (rows[0], rows[-1]) == (top, top + height - 1)
    for image in coco.imgs.values():
        assert (sample / "coco/train2017" / image["file_name"]).is_file()


@pytest.mark.parametrize("processes", [1, 2])
def test_the_same_seed_gives_the_same_bytes(sample: Path, tmp_path: Path, processes: int) -> None:
    generate(tmp_path, seed=3, **SIZES, processes=processes)
    assert tree_hash(tmp_path) == tree_hash(sample)


def test_more_images_keep_the_first_ones(sample: Path, tmp_path: Path) -> None:
    generate(tmp_path, seed=3, train=2, val=0, pool=0, processes=1)
    for part in ("images", "maps", "fixations"):
        for file in (tmp_path / "salicon" / part / "train").iterdir():
            assert (
                file.read_bytes() == (sample / "salicon" / part / "train" / file.name).read_bytes()
            )


def test_another_seed_gives_other_pictures(sample: Path, tmp_path: Path) -> None:
    done: list[int] = []
    generate(tmp_path, seed=4, train=1, val=0, pool=0, processes=1, progress=done.append)
    assert done == [1]
    name = "salicon/images/train/scene_train_00001.jpg"
    assert (tmp_path / name).read_bytes() != (sample / name).read_bytes()


def test_negative_sizes_are_refused(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="0 or more"):
        generate(tmp_path, train=-1)
