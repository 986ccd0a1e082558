"""Numbers, lines, labels and pictures on their own."""

from __future__ import annotations

import base64
import io
import math
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from pipeline.data.layouts import Record
from pipeline.errors import UserError
from pipeline.report import gallery, numbers, overlay, svg
from pipeline.report.course import course
from pipeline.report.curves import all_curves, read_phase, smooth, thin
from pipeline.report.extremes import Drop, extremes
from pipeline.report.facts import File, Loss, Timing, best
from pipeline.report.labels import Box, Disc, place
from pipeline.report.layers import Layer, Shot, dots
from pipeline.report.making import learns_from
from pipeline.report.read import base
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


def test_the_course_has_every_phase_and_what_was_kept(folder: Path) -> None:
    config = workspace.configuration()
    workspace.write_training(config)
    drawn = course(all_curves(config.student), "CC", 900, 260)
    assert drawn is not None
    for phase in ("bce", "adversarial", "hint", "finetune"):
        assert f">{phase}<" in drawn
    # The hint phase is not validated by CC, the other three are.
    assert drawn.count('class="kept"') == 3
    assert ">validated by<" in drawn


def test_no_course_where_nothing_was_validated_by_the_metric(folder: Path) -> None:
    config = workspace.configuration()
    workspace.write_training(config)
    assert course(all_curves(config.student), "SIM", 900, 260) is None


def test_ticks_of_a_logarithmic_axis() -> None:
    assert svg.LogScale(4, 210, 0, 1).ticks(8) == [5, 10, 20, 50, 100, 200]
    assert svg.LogScale(4, 210, 0, 1).ticks(4) == [10, 30, 100]
    narrow = svg.LogScale(11, 14, 0, 100)
    assert len(narrow.ticks(8)) >= 3
    assert narrow(11) == 0
    assert narrow(14) == pytest.approx(100)


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


def shot(photo: str) -> Shot:
    return Shot("a", 4, 3, photo, "", 0, [Layer("people", "People", "", "data:")])


def test_photographs_are_coarsened_until_they_fit() -> None:
    noise = np.random.default_rng(0).integers(0, 256, (64, 64, 3), dtype=np.uint8)
    record = Record("a", Path("a.jpg"))

    def take(_record: Record, quality: int) -> Shot:
        return shot(overlay.photo_uri(noise, 640, quality))

    fine = gallery.fit([record], take)[0]
    coarse = gallery.fit([record], take, limit=gallery.weight(fine) - 1)[0]
    assert gallery.weight(coarse) < gallery.weight(fine)
    with pytest.raises(UserError, match="do not fit into 10 bytes"):
        gallery.fit([record], take, limit=10)


def decoded(uri: str) -> Image.Image:
    return Image.open(io.BytesIO(base64.b64decode(uri.partition(",")[2])))


def test_a_layer_is_small_opaque_where_it_matters_and_keeps_proportions() -> None:
    uri = overlay.layer_uri(np.linspace(0, 1, 48 * 64).reshape(48, 64), 640, 480)
    picture = decoded(uri)
    assert picture.size == (overlay.LAYER, overlay.LAYER * 3 // 4)
    opacity = np.asarray(picture.convert("RGBA"))[..., 3]
    assert opacity[0, 0] < opacity[-1, -1]
    assert len(uri) < 20_000


def test_a_flat_layer_is_drawn() -> None:
    assert decoded(overlay.layer_uri(np.full((4, 4), 0.3), 40, 40)).getextrema() == (0, 0)


def test_dots_lie_on_the_fixations_whatever_the_size() -> None:
    counts = np.zeros((50, 200), np.int32)
    counts[0, 0], counts[49, 199] = 3, 1
    assert dots(counts) == "M2 2h.1M998 248h.1"


def test_tags_name_ends_and_losses() -> None:
    ends = extremes([{"id": "a", "CC": 0.9}, {"id": "b", "CC": 0.1}], ("CC",))
    lossy = file("int8", 0.5)
    assert gallery.tags("a", ends) == ["best CC"]
    drop = Drop("CC", "b", 0.1, 0.08)
    assert gallery.tags("b", ends, [(lossy, drop)]) == [
        "worst CC",
        "LiteRT int8 loses most: CC −0.020",
    ]


def test_facts_without_exports(folder: Path) -> None:
    config = workspace.configuration()
    workspace.write(config, exported=False)
    facts = base(config)
    assert (facts.images, facts.calibration, facts.files) == (len(workspace.IDS), 2, ())
    assert facts.digests.keys() == {"calibration", "phase hint", "phase finetune"}
