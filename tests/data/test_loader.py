"""Batches as the training loop takes them, whatever the number of workers."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import psutil
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from pipeline.data import evaluation, layouts
from pipeline.data.agree import require_same_frame
from pipeline.data.augment import View
from pipeline.data.dataset import ImageSet, collate
from pipeline.data.fixations import write_mat
from pipeline.data.images import read_map, read_rgb
from pipeline.data.layouts import Record
from pipeline.data.loader import Batches, in_order
from pipeline.data.resize import resize
from pipeline.data.sampler import Pick
from pipeline.errors import UserError
from tests.data import trees

H, W = 16, 24


@pytest.fixture
def records(tmp_path: Path) -> list[Record]:
    trees.salicon(tmp_path, "val", 7)
    trees.coco(tmp_path, "train2017", 3)
    return [
        *layouts.scan("salicon", tmp_path, "val"),
        *layouts.scan("coco", tmp_path, "train2017"),
    ]


class Store:
    """Labels that only exist here: a constant map per image."""

    def __init__(self, records: list[Record], height: int = H) -> None:
        self.maps = {
            record.id: np.linspace(i, i + 1, height * W, dtype=np.float32).reshape(height, W)
            for i, record in enumerate(records)
        }

    def __getitem__(self, image: str) -> np.ndarray:
        return self.maps[image]


def test_items_are_resized_by_the_named_resize(records: list[Record]) -> None:
    item = ImageSet(records, H, W)[2]
    image = resize(read_rgb(records[2].image), H, W)
    np.testing.assert_array_equal(item["image"].permute(1, 2, 0), image)
    assert records[2].map is not None
    np.testing.assert_array_equal(item["truth"][0], resize(read_map(records[2].map), H, W))
    assert (item["id"], item["index"]) == (records[2].id, 2)


def test_truth_is_there_where_a_map_is(records: list[Record]) -> None:
    assert "truth" not in ImageSet(records, H, W)[8]
    assert "truth" not in ImageSet(records, H, W, truth=False)[2]


def test_flipped_items_are_flipped_all_through(records: list[Record]) -> None:
    images = ImageSet(records, H, W, labels=Store(records))
    plain, flipped = images[Pick(2)], images[Pick(2, View(flip=True))]
    for part in ("image", "truth", "label"):
        torch.testing.assert_close(flipped[part].flip(-1), plain[part], rtol=0, atol=0)
        assert not torch.equal(flipped[part], plain[part])


def test_labels_of_another_size_are_refused(records: list[Record]) -> None:
    images = ImageSet(records, H, W, labels=Store(records, height=12))
    with pytest.raises(UserError, match="is 12x24, the student's input 16x24; label again"):
        images[0]


def test_batches_say_what_is_annotated(records: list[Record]) -> None:
    images = ImageSet(records, H, W)
    batch = collate([images[0], images[9]])
    assert batch["ids"] == [records[0].id, records[9].id]
    assert batch["images"].shape == (2, 3, H, W)
    assert batch["truth"].shape == (2, 1, H, W)
    assert batch["annotated"].tolist() == [1, 0]
    assert batch["truth"][1].abs().max() == 0
    assert "labels" not in batch


@pytest.mark.parametrize("workers", [1, 2])
def test_workers_change_nothing(records: list[Record], workers: int) -> None:
    images = ImageSet(records, H, W, labels=Store(records))
    alone = list(Batches(images, 4, seed=5, flip=True).epoch(3))
    helped = list(Batches(images, 4, seed=5, flip=True, workers=workers).epoch(3))
    assert len(alone) == len(helped) == 3
    for first, second in zip(alone, helped, strict=True):
        assert first["ids"] == second["ids"]
        for part in ("index", "images", "truth", "annotated", "labels"):
            assert torch.equal(first[part], second[part])


def workers_at_work() -> set[int]:
    return {child.pid for child in psutil.Process().children() if child.is_running()}


def test_workers_stay_over_epochs_and_change_nothing(records: list[Record]) -> None:
    images = ImageSet(records, H, W)
    before = workers_at_work()
    kept = Batches(images, 4, seed=5, flip=True, workers=2)
    seen = []
    for epoch, first in ((0, 0), (1, 2), (2, 0)):
        alone = list(Batches(images, 4, seed=5, flip=True).epoch(epoch, first))
        helped = []
        for batch in kept.epoch(epoch, first):
            helped.append(batch)
            seen.append(workers_at_work() - before)
        assert [b["ids"] for b in helped] == [b["ids"] for b in alone]
        assert all(
            torch.equal(a["images"], b["images"]) for a, b in zip(helped, alone, strict=True)
        )
    assert len(seen[0]) == 2
    assert all(found == seen[0] for found in seen)
    del kept
    assert workers_at_work() == before


def test_two_epochs_at_a_time_do_not_mix(records: list[Record]) -> None:
    batches = Batches(ImageSet(records, H, W), 4, seed=5, workers=1)
    wanted = [[b["ids"] for b in batches.epoch(epoch)] for epoch in (0, 1)]
    both = zip(batches.epoch(0), batches.epoch(1), strict=True)
    assert [(a["ids"], b["ids"]) for a, b in both] == list(zip(*wanted, strict=True))


def test_an_epoch_left_early_ends_its_workers(records: list[Record]) -> None:
    before = workers_at_work()
    batches = Batches(ImageSet(records, H, W), 2, seed=5, workers=1)
    list(batches.epoch(0))
    left = batches.epoch(1)
    next(left)
    assert len(workers_at_work() - before) == 1
    left.close()
    assert workers_at_work() == before
    assert len(list(batches.epoch(2))) == 5


def test_an_epoch_goes_on_where_it_stopped(records: list[Record]) -> None:
    batches = Batches(ImageSet(records, H, W), 3, seed=1, flip=True)
    whole, tail = list(batches.epoch(2)), list(batches.epoch(2, 2))
    assert [b["ids"] for b in tail] == [b["ids"] for b in whole[2:]]
    assert all(torch.equal(a["images"], b["images"]) for a, b in zip(tail, whole[2:], strict=True))


@pytest.mark.parametrize(("drop", "steps", "count"), [(False, 4, 10), (True, 3, 9)])
def test_length_and_images_of_an_epoch(
    records: list[Record], drop: bool, steps: int, count: int
) -> None:
    batches = Batches(ImageSet(records, H, W), 3, seed=0, drop_last=drop)
    assert (len(batches), batches.images) == (steps, count)
    assert sum(len(b["ids"]) for b in batches.epoch(0)) == count


def test_too_few_images_for_a_batch_are_said(records: list[Record]) -> None:
    with pytest.raises(UserError, match=r"a batch of 11 images needs .* there are 10; set profile"):
        Batches(ImageSet(records, H, W), 11, seed=0, drop_last=True)
    assert len(Batches(ImageSet(records, H, W), 11, seed=0)) == 1


def test_in_order(records: list[Record]) -> None:
    ids = [i for b in in_order(ImageSet(records, H, W), 4, workers=1) for i in b["ids"]]
    assert ids == [record.id for record in records]


@pytest.mark.parametrize("workers", [0, 1])
def test_a_damaged_image_is_named_in_one_line(records: list[Record], workers: int) -> None:
    data = records[4].image.read_bytes()
    records[4].image.write_bytes(data[: len(data) // 2])
    with pytest.raises(UserError) as caught:
        list(in_order(ImageSet(records, H, W), 4, workers))
    assert str(caught.value).startswith(f"image {records[4].image} is damaged")
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("workers", [0, 2])
def test_measuring_keeps_the_original_size(records: list[Record], workers: int) -> None:
    found = list(evaluation.samples(records, H, W, workers))
    assert [sample.id for sample in found] == [record.id for record in records]
    first, last = found[0], found[-1]
    assert first.image.shape == (3, H, W)
    assert first.density is not None
    assert first.counts is not None
    assert first.density.shape == first.counts.shape == (trees.HEIGHT, trees.WIDTH)
    assert first.counts.sum() == 5
    assert last.density is None
    assert last.counts is None


def test_a_map_of_another_shape_is_refused(records: list[Record]) -> None:
    square = records[0].image.parent / "square.png"
    Image.new("L", (8, 8)).save(square)
    mixed = Record("x", records[0].image, square, records[0].fixations)
    expected = r"square\.png is 8x8 \(height x width\), but its image .*val_000\.jpg is 24x32"
    with pytest.raises(UserError, match=expected):
        ImageSet([mixed], H, W)[0]
    with pytest.raises(UserError, match=expected):
        list(evaluation.samples([mixed], H, W))


def test_fixations_on_another_shape_are_refused(records: list[Record]) -> None:
    other = records[0].image.parent / "other.mat"
    write_mat(other, "x", 480, 480, [np.array([[3, 4]])])
    mixed = Record("x", records[0].image, records[0].map, other)
    with pytest.raises(UserError, match=r"other\.mat is 480x480 .*, but its image .* is 24x32"):
        list(evaluation.samples([mixed], H, W))


def test_annotations_may_be_scaled_but_alike(records: list[Record]) -> None:
    """Of the image's shape at another size: map and fixations then share that one."""
    folder = records[0].image.parent
    Image.new("L", (64, 48), 7).save(folder / "large.png")
    write_mat(folder / "large.mat", "x", 48, 64, [np.array([[3, 4]])])
    large = Record("x", records[0].image, folder / "large.png", folder / "large.mat")
    found = next(iter(evaluation.samples([large], H, W)))
    assert found.counts is not None
    assert found.density is not None
    assert found.counts.shape == found.density.shape == (48, 64)
    mixed = Record("x", records[0].image, folder / "large.png", records[0].fixations)
    with pytest.raises(UserError, match=r"large\.png is 48x64 .* but .*val_000\.mat says 24x32"):
        list(evaluation.samples([mixed], H, W))


@given(st.integers(32, 900), st.integers(32, 900), st.floats(0.2, 3))
def test_copies_rounded_either_way_fit(height: int, width: int, scale: float) -> None:
    for rounded in (math.floor, math.ceil, round):
        copy = (int(rounded(height * scale)), int(rounded(width * scale)))
        require_same_frame(Path("a.jpg"), (height, width), Path("a.png"), copy)


def test_annotations_count_in_the_upright_image(records: list[Record], tmp_path: Path) -> None:
    """A photograph stored on its side: maps fit as it is shown, and not as it is stored."""
    exif = Image.Exif()
    exif[0x0112] = 6
    turned, upright, stored = (tmp_path / n for n in ("turned.jpg", "upright.png", "stored.png"))
    Image.new("RGB", (trees.WIDTH, trees.HEIGHT)).save(turned, exif=exif)
    Image.new("L", (trees.HEIGHT, trees.WIDTH)).save(upright)
    Image.new("L", (trees.WIDTH, trees.HEIGHT)).save(stored)
    assert ImageSet([Record("x", turned, upright)], H, W)[0]["truth"].shape == (1, H, W)
    with pytest.raises(UserError, match=r"stored\.png is 24x32 .* 32x24 once turned upright by"):
        ImageSet([Record("x", turned, stored)], H, W)[0]
