"""What an evaluation set is measured against: every other image's fixations, and a centre bias."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from pipeline.errors import UserError
from pipeline.metrics.baselines import ELSEWHERE, LEFT_OUT, Baselines, build, pooled
from pipeline.metrics.centre_bias import centre_bias, fit
from pipeline.metrics.points import Points
from pipeline.report.read import against
from tests.metrics.maps import real_like

SIZES = {"a": (40, 60), "b": (40, 60), "c": (25, 30), "none": (40, 60)}
COUNTS = {
    name: real_like(seed, *size)[1] * (name != "none")
    for seed, (name, size) in enumerate(SIZES.items())
}
IMAGES = {name: Points.from_counts(counts) for name, counts in COUNTS.items()}
TRAINED = [Points.from_counts(real_like(seed, 48, 64)[1]) for seed in range(10, 16)]


def moved(counts: np.ndarray, height: int, width: int) -> np.ndarray:
    """Fixations one by one to another size, by the centres of their pixels."""
    grid = np.zeros((height, width), np.int64)
    for row, column in zip(*np.nonzero(counts)):
        y = int((row + 0.5) * height / counts.shape[0])
        x = int((column + 0.5) * width / counts.shape[1])
        grid[y, x] += counts[row, column]
    return grid


@pytest.mark.parametrize("image", list(SIZES))
def test_others_are_all_fixations_on_all_other_images(image: str) -> None:
    height, width = SIZES[image]
    found = build(IMAGES).others(image)
    grid = np.zeros(height * width, np.int64)
    grid[found.pixel.numpy()] = found.repeats.numpy()
    expected = sum(moved(COUNTS[other], height, width) for other in COUNTS if other != image)
    np.testing.assert_array_equal(grid.reshape(height, width), expected)
    assert len(found.pixel) == len(found.pixel.unique())


def test_the_centre_bias_is_fitted_elsewhere_where_that_can_be() -> None:
    seen = []
    baselines = build(IMAGES, iter(TRAINED), lambda: seen.append(1))
    assert len(seen) == len(IMAGES)
    assert baselines.about.source == ELSEWHERE
    assert baselines.about.images == len(TRAINED)
    assert baselines.about.fixations == sum(points.total for points in TRAINED)
    best = fit(TRAINED)
    assert baselines.about.fit == best
    for image, counts in COUNTS.items():
        whole = centre_bias(
            TRAINED, *SIZES[image], bandwidth=best.bandwidth, uniform=best.uniform
        ).numpy()
        log = baselines.baseline(image).numpy()
        assert log.shape == SIZES[image]
        np.testing.assert_allclose(log[counts > 0], whole[counts > 0], rtol=0, atol=1e-12)
        assert np.isnan(log[counts == 0]).all()


def test_else_every_image_gets_it_from_the_others() -> None:
    baselines = build(IMAGES, [TRAINED[0]])
    assert baselines.about.source == LEFT_OUT
    assert baselines.about.images == 3
    best = baselines.about.fit
    for image, counts in COUNTS.items():
        others = [COUNTS[other] for other in COUNTS if other != image]
        whole = centre_bias(
            others, *SIZES[image], bandwidth=best.bandwidth, uniform=best.uniform
        ).numpy()
        log = baselines.baseline(image).numpy()
        np.testing.assert_allclose(log[counts > 0], whole[counts > 0], rtol=0, atol=1e-12)


def test_one_image_alone_has_neither() -> None:
    baselines = build({"a": IMAGES["a"], "none": IMAGES["none"]})
    assert baselines.others("a") is None
    assert baselines.baseline("a") is None
    assert baselines.about is None


def test_pooling_loses_nothing_at_any_size() -> None:
    pool = pooled(IMAGES.values())
    assert [(points.height, points.width) for points in pool] == [(40, 60), (25, 30)]
    for size in ((40, 60), (25, 30), (7, 90)):
        apart = sum(points.counts(*size) for points in IMAGES.values())
        np.testing.assert_array_equal(sum(points.counts(*size) for points in pool), apart)


@pytest.mark.parametrize("elsewhere", [TRAINED, [], None])
def test_a_file_gives_back_what_was_written(tmp_path: Path, elsewhere: list | None) -> None:
    images = IMAGES if elsewhere is not None else {"none": IMAGES["none"]}
    baselines = build(images, elsewhere or [])
    for name in ("first.npz", "second.npz"):
        baselines.write(tmp_path / name)
    assert (tmp_path / "first.npz").read_bytes() == (tmp_path / "second.npz").read_bytes()
    again = Baselines.read(tmp_path / "first.npz")
    assert again.about == baselines.about
    assert list(again.images) == list(images)
    for image in images:
        for first, second in (
            (again.baseline(image), baselines.baseline(image)),
            *(
                zip(vars(again.others(image)).values(), vars(baselines.others(image)).values())
                if elsewhere is not None
                else ()
            ),
        ):
            if second is not None:
                torch.testing.assert_close(first, second, rtol=0, atol=0, equal_nan=True)


def test_damage_is_named(tmp_path: Path) -> None:
    path = tmp_path / "baselines.npz"
    with pytest.raises(UserError, match=r"missing; run `dvc repro evaluate`"):
        Baselines.read(path)
    build(IMAGES).write(path)
    whole = path.read_bytes()
    for damaged in (b"", b"no archive", whole[: len(whole) // 2], whole[:-30]):
        path.write_bytes(damaged)
        with pytest.raises(UserError, match=r"damaged .*dvc repro -f evaluate"):
            Baselines.read(path)
    np.savez(path, ids=np.array(["a"]))
    with pytest.raises(UserError, match="damaged"):
        Baselines.read(path)


def test_the_report_says_what_was_compared_with(tmp_path: Path) -> None:
    path = tmp_path / "baselines.npz"
    assert against(path) == ""
    build(IMAGES, TRAINED).write(path)
    said = against(path)
    assert "over the fixations on 6 images (training images)" in said
    build(IMAGES).write(path)
    assert "(the other evaluation images)" in against(path)
    build({"a": IMAGES["a"]}).write(path)
    assert against(path) == ""


def test_an_unknown_image_is_named() -> None:
    baselines = build(IMAGES)
    for ask in (baselines.others, baselines.baseline):
        with pytest.raises(UserError, match="no baselines of image horse"):
            ask("horse")


def test_none_at_all_are_kept_as_none(tmp_path) -> None:
    empty = build({})
    empty.write(tmp_path / "baselines.npz")
    found = Baselines.read(tmp_path / "baselines.npz")
    assert (dict(found.images), found.centre, found.about) == ({}, None, None)
