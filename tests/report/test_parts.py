"""Numbers, lines, labels and pictures on their own."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest

from pipeline.errors import UserError
from pipeline.report import gallery, numbers, overlay, svg
from pipeline.report.curves import read_phase, smooth, thin
from pipeline.report.facts import File, Loss, Timing, best
from pipeline.report.labels import Box, Disc, place
from pipeline.report.making import learns_from
from pipeline.report.read import base
from pipeline.report.scatter import Bubble, scatter
from tests.report import workspace


@pytest.mark.parametrize(
    ("shown", "expected"),
    [
        (numbers.fixed(-0.00001, 3), "0.000"),
        (numbers.fixed(-1.25, 1), "−1.2"),
        (numbers.fixed(None), "—"),
        (numbers.fixed(math.nan), "—"),
        (numbers.signed(0.0012), "+0.0012"),
        (numbers.signed(-0.00001), "0.0000"),
        (numbers.percent(-0.0021), "−0.2\u202f%"),
        (numbers.mib(4_000_000), "3.81"),
        (numbers.mib(14_700_000), "14.0"),
        (numbers.ms(312.4), "312"),
        (numbers.ms(8.0), "8.00"),
        (numbers.scientific(2.4e-5), "2.4\u202f×\u202f10⁻⁵"),
        (numbers.scientific(0.0123), "0.012"),
        (numbers.scientific(12.4), "12"),
        (numbers.scientific(0.0), "0"),
        (numbers.correlation(0.99996), "0.99996"),
        (numbers.correlation(1.0), "1"),
        (numbers.count(1, "epoch"), "1 epoch"),
        (numbers.count(5000, "image"), "5\u202f000 images"),
    ],
)
def test_numbers(shown: str, expected: str) -> None:
    assert shown == expected


@pytest.mark.parametrize(("low", "high"), [(0, 1), (-0.137, -0.135), (0.3, 912.0), (1e-6, 3e-6)])
def test_ticks_are_few_round_and_inside(low: float, high: float) -> None:
    found = svg.ticks(low, high, 6)
    assert 2 <= len(found) <= 6
    assert all(low - 1e-9 <= value <= high + 1e-9 for value in found)
    assert len(set(svg.tick_labels(found))) == len(found)


def test_a_constant_still_has_a_range() -> None:
    low, high = svg.padded([0.5, 0.5])
    assert low < 0.5 < high


def test_svg_escapes_content_and_attributes() -> None:
    made = svg.element("text", "<b>", class_='"x"')
    assert made == '<text class="&#34;x&#34;">&lt;b&gt;</text>'


def test_thinning_keeps_the_mean_and_smoothing_keeps_a_line() -> None:
    points = [(float(i), 2.0 * i) for i in range(1000)]
    few = thin(points, 100)
    assert len(few) == 100
    assert np.mean([y for _, y in few]) == pytest.approx(np.mean([y for _, y in points]))
    assert smooth(points, 3)[10] == pytest.approx((10.0, 20.0))


def test_alternating_objectives_are_lines_of_their_own(tmp_path: Path) -> None:
    workspace.write_curves(workspace.phase_history("adversarial", "CC", 2), tmp_path)
    curves = read_phase(tmp_path, "adversarial", "teacher", "CC", smaller=False)
    assert curves is not None
    assert [s.name for s in curves.losses] == ["adversarial + content", "real + fake"]
    assert [s.name for s in curves.validation] == ["CC", "NSS"]
    assert curves.best == ("CC", 2.0, pytest.approx(0.45))


def test_the_least_hint_loss_is_kept(tmp_path: Path) -> None:
    workspace.write_curves(workspace.phase_history("hint", "hint", 3), tmp_path)
    curves = read_phase(tmp_path, "hint", "student", "hint", smaller=True)
    assert curves is not None
    assert curves.best == ("hint", 3.0, pytest.approx(0.7))


def test_a_broken_curve_is_named(tmp_path: Path) -> None:
    (tmp_path / "epochs.csv").write_text("phase,epoch,loss,val_CC\na,0,0.5,oops\n")
    with pytest.raises(UserError, match=r"epochs\.csv has 'oops'"):
        read_phase(tmp_path, "a", "student", "CC", smaller=False)


def test_the_pool_is_named_only_where_there_is_one() -> None:
    phase = workspace.configuration().student.phases["finetune"]
    assert learns_from(phase, True) == "1 × labels by salgan (pool too) + 1 × annotations (Eq. 2)"
    assert learns_from(phase, False) == "1 × labels by salgan + 1 × annotations (Eq. 2)"


def test_names_never_overlap() -> None:
    frame = Box(0, 0, 700, 300)
    discs = [Disc(300 + 8 * i, 60 + i, 20, f"a file called {i}") for i in range(5)]
    boxes = place(discs, frame)
    for i, box in enumerate(boxes):
        assert box.inside(frame)
        assert not any(box.meets(other) for other in boxes[:i])
        assert not any(box.meets(d.box) for j, d in enumerate(discs) if j != i)


def test_area_of_a_disc_is_the_size() -> None:
    torch = Bubble("torch", "torch", 1.0, 0.6, 16_000_000)
    small = Bubble("int8", "quantised", 0.3, 0.59, 4_000_000, (0.28, 0.32), (0.58, 0.6))
    drawn = str(scatter([torch, small], "CC", 0.01))
    assert 'r="24"' in drawn
    assert 'r="12"' in drawn
    assert "budget: 1 % below torch" in drawn


def file(name: str, ratio: float | None, problems: tuple[str, ...] = (), size: int = 10) -> File:
    loss = Loss(0.6, 0.6, 0.0, 0.0, 0.0)
    timing = Timing({}, ratio)
    place = (name, "litert", "int8", "", size, "ab", "XNNPACK", 1, 1, 1)
    return File(*place, parity={}, metrics={"CC": loss}, problems=problems, timing=timing)


def test_the_file_to_ship() -> None:
    assert best([]) is None
    fast, sound = file("fast", 0.2, ("CC lost",)), file("sound", 0.4)
    assert best([fast, sound]) is sound
    assert best([fast, file("slow", 0.9, ("CC lost",))]) is fast
    assert best([file("untimed", None), sound]) is sound
    small = file("small", None, size=5)
    assert best([file("large", None), small]) is small


def test_a_flat_map_is_drawn_and_hue_means_attention_only() -> None:
    photo = np.zeros((4, 6, 3), np.uint8)
    photo[..., 0] = 200
    flat = overlay.blend(photo, np.ones((4, 6)))
    assert np.ptp(flat.reshape(-1, 3), axis=0).max() == 0
    hot = overlay.blend(photo, np.eye(4, 6))
    assert hot[0, 0].sum() > hot[0, 1].sum()


def test_small_photographs_are_not_enlarged() -> None:
    assert overlay.photograph(np.zeros((10, 20, 3), np.uint8)).shape == (10, 20, 3)
    assert overlay.photograph(np.zeros((300, 600, 3), np.uint8)).shape == (128, 256, 3)


def test_pictures_are_coarsened_until_they_fit() -> None:
    noise = np.random.default_rng(0).integers(0, 256, (64, 64, 3), dtype=np.uint8)
    panels = {"a": [gallery.Panel("Image", "noise", noise)]}
    fine = gallery.fit(panels)["a"][0].uri
    coarse = gallery.fit(panels, limit=len(fine) - 1)["a"][0].uri
    assert len(coarse) < len(fine)
    with pytest.raises(UserError, match="do not fit into 10 bytes"):
        gallery.fit(panels, limit=10)


def test_ranks_put_undefined_scores_last() -> None:
    assert gallery.rank([("a", 0.1), ("b", None), ("c", 0.4)]) == {"c": 1, "a": 2, "b": 3}
    assert [gallery.place(n, 3) for n in (1, 2, 3)] == ["best of 3", "rank 2 of 3", "worst of 3"]


def test_facts_without_exports(folder: Path) -> None:
    config = workspace.configuration()
    workspace.write(config, exported=False)
    facts = base(config)
    assert (facts.images, facts.calibration, facts.files) == (len(workspace.IDS), 2, ())
    assert [name for name, _ in facts.lineage] == ["data train", "data val", "student fastsal_a"]
