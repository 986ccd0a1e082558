"""Class scores in four bytes: there and back, through a store, and what is learned from them."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from pipeline.errors import UserError
from pipeline.labels import LabelStore, merge, write_shards
from pipeline.labels.scores import packed, soft_cross_entropy, unpacked
from tests.labels.labelling import SPEC

SEED = st.integers(0, 100_000)
few = settings(max_examples=40)


def scores(seed: int, classes: int = 5, size: tuple[int, int] = (3, 4), batch: int = 2) -> Tensor:
    generator = torch.Generator().manual_seed(seed)
    return 2 * torch.randn(batch, classes, *size, generator=generator)


def planes(logits: Tensor) -> Tensor:
    """As a batch of a store gives them: (B, 4, H, W)."""
    numbers = packed(logits, tuple(logits.shape[-2:])).numpy().astype("<u4")
    return torch.from_numpy(np.stack([unpacked(each) for each in numbers]))


@few
@given(SEED, st.integers(2, 40))
def test_the_two_likeliest_classes_come_back(seed: int, classes: int) -> None:
    logits = scores(seed, classes)
    sure, which = logits.softmax(dim=1).topk(2, dim=1)
    found = planes(logits)
    torch.testing.assert_close(found[:, 0::2].long(), which)
    torch.testing.assert_close(found[:, 1::2], sure, rtol=0, atol=0.5 / 255 + 1e-6)
    assert (found[:, 1] > 0).all(), "no probability is what pixels outside the image have"


def test_one_number_is_class_probability_class_probability() -> None:
    logits = torch.tensor([0.0, 3.0, 2.0]).log().view(1, 3, 1, 1)
    (number,) = packed(logits, (1, 1)).flatten().tolist()
    assert number.to_bytes(4, "little") == bytes([1, 153, 2, 102])
    assert unpacked(np.array([[number]], np.uint32)).flatten().tolist() == pytest.approx(
        [1, 0.6, 2, 0.4]
    )


def test_probabilities_are_resized_not_logits() -> None:
    logits = torch.tensor([[40.0, -40.0], [0.0, 0.0]]).view(1, 2, 1, 2)  # 1 and 0 of class 0
    found = packed(logits, (1, 1)).numpy().astype(np.uint32)[0]
    assert unpacked(found)[1::2].flatten().tolist() == pytest.approx([0.5, 0.5], abs=1 / 255)


def test_a_size_of_its_own_is_taken() -> None:
    assert packed(scores(0, size=(9, 12)), (6, 8)).shape == (2, 6, 8)


@pytest.mark.parametrize("classes", [1, 257])
def test_more_classes_than_a_byte_names_are_refused(classes: int) -> None:
    with pytest.raises(UserError, match=f"scores of {classes} classes cannot be stored; 2 to 256"):
        packed(torch.zeros(1, classes, 2, 2), (2, 2))


def test_256_classes_are_named_and_no_probability_is_nothing() -> None:
    found = planes(torch.zeros(1, 256, 1, 1))
    assert found[0, 1].item() > 0
    logits = torch.zeros(1, 256, 1, 2)
    logits[0, 255, 0, 0] = logits[0, 254, 0, 1] = 20
    assert planes(logits)[0, 0].flatten().tolist() == [255, 254]


def test_a_store_gives_planes_as_they_were_written(tmp_path: Path) -> None:
    spec = replace(SPEC, dtype="u32", ids=SPEC.ids[:7])
    logits = {name: scores(seed, size=(6, 8), batch=1) for seed, name in enumerate(spec.ids)}

    def predict(ids: list[str]) -> Tensor:
        return packed(torch.cat([logits[name] for name in ids]), (6, 8))

    write_shards(spec, tmp_path, predict)
    merge(spec, tmp_path)
    store = LabelStore(tmp_path)
    store.verify()
    assert store.spec.dtype == "u32"
    assert store.stored(spec.ids[0]).dtype == np.dtype("<u4")
    for name in spec.ids:
        found = store[name]
        assert (found.shape, found.dtype) == ((4, 6, 8), np.float32)
        np.testing.assert_array_equal(found, planes(logits[name])[0])


def slow_soft_cross_entropy(logits: Tensor, labels: Tensor) -> float:
    """Pixel by pixel: a whole distribution over classes, then its cross-entropy."""
    batch, classes, height, width = logits.shape
    each = []
    for b, y, x in np.ndindex(batch, height, width):
        first, p, second, q = labels[b, :, y, x].double().tolist()
        if p == 0:
            continue
        p, q = p / max(1, p + q), q / max(1, p + q)
        rest = 1 - p - q
        target = [rest / (classes - 2) if classes > 2 else 0.0] * classes
        target[int(first)], target[int(second)] = p, q
        log_p = logits[b, :, y, x].double().log_softmax(0).tolist()
        each.append(-sum(t * value for t, value in zip(target, log_p, strict=True)))
    return sum(each) / max(1, len(each))


@few
@given(SEED, st.integers(2, 8))
def test_what_is_left_is_spread_over_the_other_classes(seed: int, classes: int) -> None:
    labels = planes(scores(seed, classes))
    labels[0, :, 0] = 0  # around a shrunk image
    logits = scores(seed + 1, classes)
    expected = slow_soft_cross_entropy(logits, labels)
    assert soft_cross_entropy(logits, labels).item() == pytest.approx(expected, rel=1e-4)


@few
@given(SEED, st.integers(2, 8))
def test_certain_labels_are_plain_cross_entropy(seed: int, classes: int) -> None:
    truth = scores(seed, classes).argmax(dim=1)
    labels = planes(200.0 * F.one_hot(truth, classes).movedim(-1, 1))
    logits = scores(seed + 1, classes)
    found = soft_cross_entropy(logits, labels)
    torch.testing.assert_close(found, F.cross_entropy(logits, truth), rtol=1e-5, atol=1e-6)


def test_pixels_of_no_probability_do_not_count() -> None:
    labels = planes(scores(0))
    labels[:, :, 1:] = 0
    logits = scores(1)
    whole = soft_cross_entropy(logits, labels)
    torch.testing.assert_close(whole, soft_cross_entropy(logits[:, :, :1], labels[:, :, :1]))
    logits.requires_grad_()
    soft_cross_entropy(logits, labels).backward()
    assert not logits.grad[:, :, 1:].any()


def test_a_batch_without_any_costs_nothing_and_has_finite_gradients() -> None:
    logits = scores(0).requires_grad_()
    loss = soft_cross_entropy(logits, torch.zeros(2, 4, 3, 4))
    loss.backward()
    assert loss.item() == 0
    assert not logits.grad.any()


def test_the_teacher_itself_costs_least() -> None:
    logits = scores(0, classes=3)
    labels = planes(logits)
    best = soft_cross_entropy(logits, labels)
    for seed in range(5):
        assert soft_cross_entropy(logits + 0.3 * scores(seed, classes=3), labels) > best
