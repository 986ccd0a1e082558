"""What may be compared is compared, and nothing else: grounds, the front, the drawing."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest

from mobile import manifest
from pipeline.config import Config
from pipeline.files import read_json, write_json
from pipeline.report.artefacts import Artefact, Ground, grouped, merge, of_run
from pipeline.report.comparison import comparison
from pipeline.report.facts import Loss
from pipeline.report.pareto import front, unbeaten
from pipeline.report.scatter import NARROW, WIDE, scatter
from pipeline.stages import report
from tests.report import workspace
from tests.report.shelved import shelve

HERE = Ground("images", "machine")


def made(name: str, cc: float, time: float, size: int, kind: str = "float") -> Artefact:
    loss = {"CC": Loss(cc, cc + 0.01, -0.01, -0.02, 0.0)}
    interval = (time, 0.9 * time, 1.1 * time)
    return Artefact("s", name, kind, "", name, size, HERE, interval, loss)


FILES = [
    made("slow and best", 0.70, 40, 16),
    made("quick", 0.68, 10, 16),
    made("small", 0.66, 20, 4, "quantised"),
    made("beaten", 0.65, 30, 16),
]


def test_the_front_is_what_none_beats_in_accuracy_and_time() -> None:
    assert [a.title for a in front(FILES, "CC")] == ["quick", "slow and best"]


def test_size_counts_among_the_unbeaten() -> None:
    assert [a.title for a in unbeaten(FILES, "CC")] == ["slow and best", "quick", "small"]


def test_rounding_beats_nobody_and_torch_is_no_file() -> None:
    twins = [made("a", 0.700001, 20, 4), made("b", 0.7, 10, 4), made("t", 0.9, 1, 1, "torch")]
    assert [a.title for a in front(twins, "CC")] == ["b"]


def test_what_was_not_executed_is_in_no_group() -> None:
    unknown = replace(FILES[0], metrics=None, sha256="other")
    assert grouped([*FILES, unknown]) == [(HERE, FILES)]


def test_the_words_of_a_ground_do_not_tell_grounds_apart() -> None:
    assert Ground("a", "b", "10 images", "a host") == Ground("a", "b")
    assert len({Ground("a", "b", "one"), Ground("a", "b", "two"), Ground("a", "c")}) == 2


def test_area_of_a_disc_is_the_size_and_a_broken_budget_is_crossed() -> None:
    small = replace(made("int8", 0.59, 10, 4_000_000, "quantised"), problems=["CC lost"])
    drawn = str(scatter([made("torch", 0.6, 30, 16_000_000, "torch"), small], "CC", WIDE, 0.594))
    assert f'r="{WIDE.radius:g}" class="disc"' in drawn
    assert f'r="{WIDE.radius / 2:g}" class="disc"' in drawn
    assert drawn.count('class="cross"') == 2
    assert "budget of this run" in drawn


@pytest.mark.parametrize("size", [WIDE, NARROW])
def test_every_disc_can_be_focused_and_tells_its_figures(size) -> None:
    drawn = str(scatter(FILES, "CC", size))
    assert drawn.count('tabindex="0"') == len(FILES)
    assert 'aria-label="s quick: CC 0.6800; 10.0 ms, 95 % between 9.00 and 11.0;' in drawn


def test_discs_stay_inside_the_picture() -> None:
    drawn = str(scatter([*FILES, made("far", 0.2, 400, 16)], "CC", NARROW))
    for x, y in re.findall(r'cx="([\d.]+)" cy="([\d.]+)"', drawn):
        assert 0 < float(x) < NARROW.width
        assert 0 < float(y) < NARROW.height


def test_a_file_on_the_shelf_that_is_this_run_s_own_is_shown_once(config: Config) -> None:
    workspace.write(config)
    own = of_run(report.gather(config))
    assert merge(own, own) == own


def compared(config: Config):
    shelf, refused = report.shelved()
    assert refused == []
    return comparison(report.gather(config), shelf, ("CC", "NSS"))


def test_the_same_images_and_machine_share_one_picture(config: Config) -> None:
    workspace.write(config)
    shelve("00aa", cc=0.05)
    found = compared(config)
    (group,) = found.groups
    assert group.why == ""
    assert "fastsal_c LiteRT int8: CC" in group.views[0].wide
    assert found.shelved == len(config.export.recipes)


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"validation": "ab" * 32}, "other images"),
        ({"row": {"host": "elsewhere"}}, "another machine or protocol"),
        ({"row": {"threads": 1}}, "another machine or protocol"),
        (
            {"row": {"device": "a phone"}, "validation": "ab" * 32},
            "other images and another machine or protocol",
        ),
    ],
)
def test_other_images_and_machines_stand_apart(config: Config, changes, why: str) -> None:
    workspace.write(config)
    shelve("00aa", cc=0.2, **changes)
    here, apart = compared(config).groups
    assert (here.why, apart.why) == ("", why)
    assert "fastsal_c" not in here.views[0].wide
    assert "fastsal_c" in apart.views[0].narrow


def test_students_of_another_task_have_other_metrics_and_are_left_out(config: Config) -> None:
    workspace.write(config)
    path = shelve("00aa", "gald_r18") / "bundle" / manifest.NAME
    content = read_json(path)
    content["spec"]["task"] = "semantic"
    for entry in content["artefacts"].values():
        metrics = entry["metrics"]["metrics"] or {}
        entry["metrics"]["metrics"] = {"IoU": metrics["CC"]} if metrics else None
    write_json(path, content)
    found = compared(config)
    assert (len(found.groups), found.shelved) == (1, 0)
    assert not any("gald_r18" in line.title for line in found.lines)


def test_the_table_has_every_artefact_and_says_what_is_comparable(config: Config) -> None:
    workspace.write(config)
    shelve("00aa", cc=0.2, times=0.1, validation="ab" * 32)
    found = compared(config)
    assert len(found.lines) == 1 + 2 * len(config.export.recipes)
    last = {line.title: line.cells[-1] for line in found.lines}
    assert last["fastsal_a LiteRT int8"].value == "yes"
    assert last["fastsal_c LiteRT int8"].value == "other images"
    assert last["fastsal_a Core ML fp16"].notes == ["runs on another system only"]


def test_an_unreadable_entry_is_named_and_left_out(config: Config) -> None:
    workspace.write(config)
    newer, broken = shelve("00aa") / "bundle", shelve("00bb") / "bundle"
    content = read_json(newer / manifest.NAME)
    write_json(newer / manifest.NAME, content | {"schema": 99})
    write_json(broken / manifest.NAME, content | {"lineage": {}})
    found, refused = report.shelved()
    assert found == []
    assert any("fastsal_c/00aa" in text and "newer" in text for text in refused)
    assert any("fastsal_c/00bb" in text and "lacks" in text for text in refused)
