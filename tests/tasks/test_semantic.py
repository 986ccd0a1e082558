"""The semantic task: its loss against slow references, what it measures, what it knows before."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from torch import Tensor, nn

from pipeline import tasks
from pipeline.config.schema import Phase
from pipeline.data import classes
from pipeline.data.classes import VOID
from pipeline.data.evaluation import Sample
from pipeline.data.records import Record
from pipeline.errors import UserError
from pipeline.labels.scores import soft_cross_entropy
from pipeline.losses import hard_pixels
from pipeline.metrics import segmentation
from pipeline.tasks.assisted import outputs
from pipeline.tasks.readout import CLASS_LOGITS
from pipeline.tasks.semantic import SemanticTask, cross_entropy
from pipeline.tasks.task import Scores

TASK = tasks.get("semantic")
CLASSES = 3
SEED = st.integers(0, 100_000)


def logits(seed: int, batch: int = 2, size: tuple[int, int] = (4, 5)) -> Tensor:
    generator = torch.Generator().manual_seed(seed)
    return 2 * torch.randn(batch, CLASSES, *size, generator=generator)


def truth(seed: int, batch: int = 2, size: tuple[int, int] = (4, 5), void: float = 0.2) -> Tensor:
    generator = torch.Generator().manual_seed(seed + 1)
    found = torch.randint(CLASSES, (batch, *size), generator=generator)
    return found.masked_fill(torch.rand(found.shape, generator=generator) < void, VOID)


class Plain(nn.Module):
    """The same logits for every image."""

    def __init__(self, seed: int = 0) -> None:
        super().__init__()
        self.value = nn.Parameter(logits(seed, 1))

    def forward(self, images: Tensor) -> Tensor:
        return self.value.expand(len(images), -1, -1, -1)


class Assisted(Plain):
    """With two auxiliary heads."""

    def __init__(self) -> None:
        super().__init__()
        self.others = nn.ModuleList([Plain(1), Plain(2)])

    def outputs(self, images: Tensor) -> tuple[Tensor, list[Tensor]]:
        return self(images), [other(images) for other in self.others]


def batch(seed: int = 0, void: float = 0.2) -> dict[str, Tensor]:
    marked = truth(seed, void=void).to(torch.uint8)
    return {"images": torch.zeros(2, 3, 4, 5), "classes": marked}


def phase(**options: object) -> Phase:
    return Phase(objective="semantic", **{"teacher_weight": 0.0, **options})


def slow_cross_entropy(
    found: Tensor, marked: Tensor, threshold: float | None = None, share: float = 0.0
) -> float:
    """Pixel by pixel: the hard ones by sorting, where a threshold is given."""
    losses = []
    for b, y, x in np.ndindex(*marked.shape):
        if marked[b, y, x] != VOID:
            shown = found[b, :, y, x].double().softmax(0)
            losses.append(-math.log(shown[marked[b, y, x]]))
    losses.sort(reverse=True)
    if threshold is not None:
        least = max(1, round(share * marked.numel()))
        hard = [loss for loss in losses if math.exp(-loss) <= threshold]
        losses = losses[: max(least, len(hard))]
    return sum(losses) / max(1, len(losses))


def test_the_truth_alone_is_cross_entropy_of_known_pixels() -> None:
    terms = TASK.objective(Plain(), phase())(batch())
    assert set(terms) == {"loss", "truth"}
    expected = slow_cross_entropy(logits(0, 1).expand(2, -1, -1, -1), truth(0))
    assert terms["loss"].item() == pytest.approx(expected, rel=1e-5)
    torch_s = F.cross_entropy(logits(0, 1).expand(2, -1, -1, -1), truth(0), ignore_index=VOID)
    torch.testing.assert_close(terms["loss"], torch_s)


def test_auxiliary_heads_learn_beside_by_their_weight() -> None:
    student = Assisted()
    terms = TASK.objective(student, phase(truth_weight=0.5, auxiliary_weight=0.3))(batch())
    assert set(terms) == {"loss", "truth", "auxiliary0", "auxiliary1"}
    parts = [
        slow_cross_entropy(logits(seed, 1).expand(2, -1, -1, -1), truth(0)) for seed in range(3)
    ]
    assert terms["truth"].item() == pytest.approx(0.5 * parts[0], rel=1e-5)
    assert terms["auxiliary0"].item() == pytest.approx(0.3 * parts[1], rel=1e-5)
    assert terms["auxiliary1"].item() == pytest.approx(0.3 * parts[2], rel=1e-5)
    total = 0.5 * parts[0] + 0.3 * (parts[1] + parts[2])
    assert terms["loss"].item() == pytest.approx(total, rel=1e-5)
    terms["loss"].backward()
    assert all(p.grad is not None and p.grad.any() for p in student.parameters())


def test_hard_pixels_are_the_main_heads_alone() -> None:
    terms = TASK.objective(Assisted(), phase(ohem=0.4, ohem_share=0.05))(batch())
    main, aux = (logits(seed, 1).expand(2, -1, -1, -1) for seed in (0, 1))
    hard = slow_cross_entropy(main, truth(0), 0.4, 0.05)
    assert terms["truth"].item() == pytest.approx(hard, rel=1e-5)
    assert terms["auxiliary0"].item() == pytest.approx(0.4 * slow_cross_entropy(aux, truth(0)))


@settings(max_examples=40)
@given(SEED, st.floats(0, 1), st.floats(0, 1), st.floats(0, 1))
def test_hard_pixels_are_those_a_sort_would_find(
    seed: int, threshold: float, share: float, void: float
) -> None:
    found, marked = logits(seed), truth(seed, void=void)
    mined = cross_entropy(found, marked, phase(ohem=threshold, ohem_share=share))
    expected = slow_cross_entropy(found, marked, threshold, share)
    assert mined.item() == pytest.approx(expected, rel=1e-4)
    kept = hard_pixels(found, marked, threshold, share, VOID)
    known = marked != VOID
    assert ((kept == marked) | (kept == VOID)).all()
    assert (kept != VOID).sum() >= min(max(1, round(share * marked.numel())), known.sum())


def test_the_least_share_is_of_all_pixels_of_the_batch() -> None:
    certain = torch.zeros(1, CLASSES, 10, 10)
    certain[:, 0] = 20 + torch.arange(100.0).view(1, 10, 10) / 10  # every pixel is easy
    marked = torch.zeros(1, 10, 10, dtype=torch.int64)
    marked[0, 5:] = VOID
    kept = hard_pixels(certain.double(), marked, 0.7, 0.17, VOID) != VOID
    assert kept.flatten().nonzero().flatten().tolist() == list(range(17))


@pytest.mark.parametrize("ohem", [None, 0.7])
def test_a_batch_of_void_costs_nothing_and_has_finite_gradients(ohem: float | None) -> None:
    student = Assisted()
    terms = TASK.objective(student, phase(ohem=ohem))(batch(void=2.0))
    terms["loss"].backward()
    assert terms["loss"].item() == 0
    assert all(not parameter.grad.any() for parameter in student.parameters())


def test_a_teachers_scores_are_learned_beside_the_truth() -> None:
    labels = torch.zeros(2, 4, 4, 5)
    labels[:, 0], labels[:, 1], labels[:, 2], labels[:, 3] = 1, 0.75, 2, 0.15
    both = batch() | {"labels": labels}
    terms = TASK.objective(Assisted(), phase(teacher_weight=2.0))(both)
    assert set(terms) == {"loss", "truth", "auxiliary0", "auxiliary1", "labels"}
    taught = soft_cross_entropy(logits(0, 1).expand(2, -1, -1, -1), labels)
    torch.testing.assert_close(terms["labels"], 2 * taught)
    parts = sum(value.item() for name, value in terms.items() if name != "loss")
    assert terms["loss"].item() == pytest.approx(parts)


def test_a_teacher_alone_needs_no_annotation() -> None:
    labels = torch.zeros(2, 4, 4, 5)
    labels[:, 1] = 1.0
    given_ = {"images": torch.zeros(2, 3, 4, 5), "labels": labels}
    terms = TASK.objective(Plain(), phase(teacher_weight=1.0, truth_weight=0.0))(given_)
    assert set(terms) == {"loss", "labels"}


def test_half_precision_outputs_are_learned_from_as_float32() -> None:
    main, others = outputs(Assisted().to(torch.bfloat16), torch.zeros(1, 3, 4, 5))
    assert [each.dtype for each in (main, *others)] == [torch.float32] * 3


def sample(seed: int = 0, size: tuple[int, int] = (8, 10), void: float = 0.2) -> Sample:
    marked = truth(seed, 1, size, void)[0].to(torch.uint8)
    return Sample(f"image{seed}", torch.zeros(3, 4, 5), None, None, classes=marked)


def of_image(seed: int) -> np.ndarray:
    return logits(seed, 1)[0].numpy()


def slow_classes(found: np.ndarray, height: int, width: int) -> np.ndarray:
    """The largest of bilinearly enlarged logits, pixel by pixel."""

    def between(i: int, new: int, old: int) -> tuple[int, int, float]:
        place = min(max((i + 0.5) * old / new - 0.5, 0), old - 1)
        return int(place), min(int(place) + 1, old - 1), place - int(place)

    chosen = np.zeros((height, width), int)
    for y, x in np.ndindex(height, width):
        top, bottom, down = between(y, height, found.shape[1])
        left, right, across = between(x, width, found.shape[2])
        upper = (1 - across) * found[:, top, left] + across * found[:, top, right]
        lower = (1 - across) * found[:, bottom, left] + across * found[:, bottom, right]
        chosen[y, x] = ((1 - down) * upper + down * lower).argmax()
    return chosen


def test_classes_are_the_largest_of_enlarged_logits() -> None:
    found = TASK.classes(of_image(0), 8, 11)
    np.testing.assert_array_equal(found, slow_classes(of_image(0), 8, 11))
    np.testing.assert_array_equal(TASK.classes(of_image(0), 4, 5), of_image(0).argmax(axis=0))


def test_scores_are_of_each_image_at_its_own_size() -> None:
    one = sample()
    counts = segmentation.confusion(slow_classes(of_image(0), 8, 10), one.classes.numpy(), CLASSES)
    found = TASK.score(of_image(0), one)
    assert set(found) == set(TASK.metrics)
    assert found["accuracy"].item() == pytest.approx(segmentation.accuracy(counts))
    assert found["IoU"].item() == pytest.approx(segmentation.mean_iou(counts))
    assert TASK.quick_score(of_image(0), one) == found


@pytest.mark.parametrize("quick", [False, True])
def test_miou_is_of_the_pixels_of_all_images_together(quick: bool) -> None:
    samples = [sample(0), sample(1, (4, 5)), sample(2, (9, 7), void=0.9)]
    maps = iter([of_image(seed) for seed in range(3)])
    found = TASK.evaluate(lambda _image: next(maps), samples, quick=quick)
    assert isinstance(found, Scores)
    said = np.concatenate(
        [slow_classes(of_image(s), *each.classes.shape).flatten() for s, each in enumerate(samples)]
    )
    marked = np.concatenate([each.classes.numpy().flatten() for each in samples])
    said, marked = said[marked != VOID], marked[marked != VOID]
    ious = [
        ((said == c) & (marked == c)).sum() / ((said == c) | (marked == c)).sum()
        for c in range(CLASSES)
    ]
    means = found.means()
    assert list(means) == ["accuracy", "IoU", "mIoU"]
    assert means["mIoU"] == pytest.approx(np.mean(ious))
    assert set(found.values) == set(TASK.metrics), "of each image there is none"
    assert found.ids == ("image0", "image1", "image2")


def test_an_image_of_void_alone_is_left_out() -> None:
    maps = iter([of_image(0), of_image(1)])
    found = TASK.evaluate(lambda _image: next(maps), [sample(0), sample(1, void=2.0)])
    assert found.undefined() == {"accuracy": 1, "IoU": 1}
    assert found.means()["accuracy"] == found.values["accuracy"][0].item()


def test_where_all_is_void_nothing_can_be_measured() -> None:
    found = TASK.evaluate(lambda _image: of_image(0), [sample(0, void=2.0)])
    with pytest.raises(UserError, match="every label image is void; mend or choose another"):
        found.means()


def test_an_image_without_classes_is_named() -> None:
    bare = Sample("image7", torch.zeros(3, 4, 5), None, None)
    with pytest.raises(UserError, match=r"image7 has no classes; choose another data\.val"):
        TASK.score(of_image(0), bare)


def test_the_probability_is_that_of_the_chosen_class() -> None:
    shown = TASK.probability(of_image(0))
    expected = np.exp(of_image(0)) / np.exp(of_image(0)).sum(axis=0)
    np.testing.assert_allclose(shown, expected.max(axis=0), rtol=1e-5)


def records(folder: Path, marks: list[np.ndarray]) -> list[Record]:
    found = []
    for number, ids in enumerate(marks):
        image, label = folder / f"{number}.png", folder / f"{number}_marks.png"
        Image.new("RGB", ids.shape[::-1]).save(image)
        Image.fromarray(ids.astype(np.uint8)).save(label)
        found.append(Record(str(number), image, labels=label, classes="camvid"))
    return found


def test_the_prior_is_how_often_each_class_was_where(tmp_path: Path) -> None:
    marks = [np.random.default_rng(seed).integers(0, 12, (4, 6)) for seed in range(5)]  # 11: void
    known = records(tmp_path, marks)
    known.append(Record("bare", known[0].image))
    found = TASK.prior(known, 4, 6)
    number = len(classes.get("camvid"))
    assert (found.shape, found.dtype) == ((number, 4, 6), np.float32)
    assert np.isfinite(found).all()
    for y, x in np.ndindex(4, 6):
        seen = [ids[y, x] for ids in marks if ids[y, x] < number]
        shares = [(1 + seen.count(c)) / (number + len(seen)) for c in range(number)]
        np.testing.assert_allclose(np.exp(found[:, y, x]), shares, rtol=1e-5)


def test_the_prior_takes_label_images_of_any_size(tmp_path: Path) -> None:
    halves = np.repeat([[0, 3]], 2, axis=0)
    big, small = halves.repeat(6, axis=0).repeat(4, axis=1), halves.repeat(2, axis=1)
    found = TASK.prior(records(tmp_path, [big, small]), 2, 4)
    np.testing.assert_array_equal(found.argmax(axis=0), [[0, 0, 3, 3]] * 2)


def test_it_is_read_by_classes_alone_and_needs_label_images() -> None:
    assert SemanticTask(CLASS_LOGITS) == TASK
    assert SemanticTask.readouts == ("classes",)
    assert SemanticTask.needs == ("labels",)
    assert SemanticTask.over_all == ("mIoU",)
