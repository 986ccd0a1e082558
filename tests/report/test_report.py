"""The page as a whole: every part is there, nothing is invented, missing parts are said plainly."""

from __future__ import annotations

import base64
import dataclasses
import hashlib
import json
import re
from pathlib import Path

import pytest

from pipeline.config import Config
from pipeline.errors import UserError
from pipeline.files import read_json, write_json
from pipeline.paths import CHECK, EVALUATE, LATENCY_ROWS
from pipeline.report.gallery import LIMIT
from pipeline.stages import report
from tests.report import workspace
from tests.report.markup import Page

SECTIONS = (
    "files",
    "trade",
    "compare",
    "pictures",
    "training",
    "accuracy",
    "lineage",
    "making",
)


def test_has_every_section_and_file(config: Config) -> None:
    workspace.write(config)
    page = Page(report.build(config))
    assert tuple(page.sections) == SECTIONS
    for name in config.export.recipes:
        assert name in page.text
    for words in ("Teacher salgan", "Mean map", "validation hint", "120/124", "dvc repro"):
        assert words in page.text


def test_contents_and_links_lead_somewhere(built: Path) -> None:
    page = Page(built.read_text())
    assert len(set(page.ids)) == len(page.ids)
    assert len(page.links) > len(SECTIONS)
    for link in page.links:
        assert link.removeprefix("#") in page.ids


def test_every_figure_names_the_command_that_made_it(built: Path) -> None:
    text = built.read_text()
    before = text.partition('id="making"')[0]
    figures = before.count("<figure class=")
    assert figures >= 9
    # Every phase of the training and the gallery have one too, and are no figures.
    phases = before.count('<article class="card phase"')
    assert before.count('<p class="made">Made by <code>dvc repro') == figures + phases + 1


def test_a_file_that_was_not_executed_has_a_size_and_a_reason(built: Path) -> None:
    page = Page(built.read_text())
    assert "Core ML fp16 not executed here: runs on another system only" in page.text
    assert "Read from the file itself" in page.text
    assert "69/69 69 fp16" in page.text
    alts = " ".join(str(image["alt"]) for image in page.images)
    assert "core ML" not in alts


def test_where_int8_loses_most_is_listed_with_its_values(built: Path) -> None:
    page = Page(built.read_text()).text
    # Of the fixture's three images the last loses 1.5 times 0.002.
    assert "LiteRT int8 scene_3 CC 0.520 0.517 −0.0030" in page
    assert "LiteRT int8 loses most: CC −0.003, NSS −0.003" in page


def test_both_ends_of_every_metric_are_listed(built: Path) -> None:
    page = Page(built.read_text()).text
    assert "CC scene_1 0.720 scene_3 0.520" in page
    assert "KLDiv scene_3 0.480 scene_1 0.680" in page


def test_names_the_fastest_file_within_budget(config: Config) -> None:
    workspace.write(config)
    rows = {name: read_json(CHECK / f"{name}.json") for name in config.export.recipes}
    fastest = config.export.recipes[0]  # the fixture's times grow in the order of the recipes
    assert "ExecuTorch fp32: 0.01 MiB, 0.30× torch’s time" in report.build(config)
    write_json(CHECK / f"{fastest}.json", rows[fastest] | {"problems": ["CC lost 3%"]})
    page = Page(report.build(config)).text
    assert "ExecuTorch int8: 0.00 MiB, 0.42× torch’s time, CC −0.0020 (−0.3\u202f%)" in page
    assert "3 of 4 files meet every budget; ExecuTorch fp32 does not." in page
    assert "ExecuTorch fp32 CC lost 3%" in page


def test_same_inputs_give_the_same_bytes(config: Config) -> None:
    workspace.write(config)
    assert report.build(config) == report.build(config)


def test_is_small_and_asks_the_network_for_nothing(built: Path) -> None:
    text = built.read_text()
    assert len(text.encode()) < 5 * 2**20
    assert "default-src 'none'" in text
    assert not re.findall(r"(?:src|href)=[\"'](?!data:|#)", text)
    assert not re.findall(r"url\((?!data:)", text)
    assert not re.findall(r"https?:", text)


def test_only_the_page_s_own_script_may_run(built: Path) -> None:
    text = built.read_text()
    (script,) = re.findall(r"<script>(.*?)</script>", text, re.DOTALL)
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    assert f"script-src 'sha256-{digest}'" in text


def test_all_but_the_pictures_is_small(built: Path) -> None:
    text = re.sub(r"data:image/[^\"')]*", "", built.read_text())
    assert len(text.encode()) + LIMIT < 5 * 2**20


def test_shows_every_picture_with_its_own_score(built: Path) -> None:
    page = Page(built.read_text())
    # people, one teacher, student and four executed files; the photograph is a background
    assert len(page.images) == 7 * len(workspace.IDS)
    for image in page.images:
        assert str(image["src"]).startswith("data:image/png;base64,")
        assert image["alt"]
    assert "scene_1 rank 1 of 3 by CC" in page.text
    assert "scene_3 rank 3 of 3 by CC" in page.text
    alts = [str(image["alt"]) for image in page.images]
    assert sum("executorch int8, cc" in alt.lower() for alt in alts) == len(workspace.IDS)


def test_maps_of_float_files_wait_for_the_slider(built: Path) -> None:
    text = built.read_text()
    hidden = re.findall(r'<figure data-key="(\w+)"[^>]* hidden>', text)
    assert set(hidden) == {"executorch_fp32", "litert_fp32"}
    assert len(hidden) == 2 * len(workspace.IDS)


def test_odd_ids_are_escaped(config: Config) -> None:
    ids = ("<b>a&b", '"quoted" onload=x', "näher #1")
    workspace.write(config, ids)
    text = report.build(config)
    assert "<b>a&b" not in text
    page = Page(text)
    for name in ids:
        assert name in page.text
        assert any(name in str(image["alt"]) for image in page.images)


def test_without_a_teacher_or_hints() -> None:
    config = workspace.configuration("phases=truth", "teacher=none")
    workspace.write(config)
    page = Page(report.build(config))
    assert tuple(page.sections) == SECTIONS
    assert "eacher" not in page.text
    assert len(page.images) == 6 * len(workspace.IDS)
    assert "1 × annotations (Eq. 2)" in page.text


def test_another_set_of_recipes() -> None:
    config = workspace.configuration("export=float")
    workspace.write(config)
    page = Page(report.build(config))
    assert "int8" not in page.text.partition("Training phases")[0]


def test_before_any_export_it_says_so(config: Config) -> None:
    workspace.write(config, exported=False)
    page = Page(report.build(config))
    assert "No exported file has been measured yet." in page.text
    assert "trade" not in page.sections


def test_times_of_another_host_are_not_compared(config: Config) -> None:
    workspace.write(config)
    rows = [json.loads(line) for line in LATENCY_ROWS.read_text().splitlines()]
    rows[1]["host"] = "somewhere else"
    LATENCY_ROWS.write_text("".join(json.dumps(row) + "\n" for row in rows))
    text = Page(report.build(config)).text
    assert "executorch_fp32 and torch_eager have different hosts" in text
    assert "ExecuTorch int8: 0.00 MiB" in text


def test_a_latency_row_of_another_file_is_a_problem(config: Config) -> None:
    workspace.write(config)
    facts = report.gather(config)
    assert not any(file.problems for file in facts.files)
    rows = [json.loads(line) for line in LATENCY_ROWS.read_text().splitlines()]
    rows[2]["artefact_sha256"] = "00" * 32
    LATENCY_ROWS.write_text("".join(json.dumps(row) + "\n" for row in rows))
    broken = [file.recipe for file in report.gather(config).files if file.problems]
    assert broken == [config.export.recipes[1]]


def test_a_missing_latency_row_is_named(config: Config) -> None:
    workspace.write(config)
    lines = LATENCY_ROWS.read_text().splitlines()
    LATENCY_ROWS.write_text("\n".join(lines[:-1]) + "\n")
    assert "its latency was not measured" in report.build(config)


def test_a_shown_image_that_is_gone_is_an_error(config: Config) -> None:
    workspace.write(config)
    write_json(EVALUATE / "shown.json", ["elsewhere"])
    with pytest.raises(UserError, match="elsewhere is not in val"):
        report.build(config)


def test_a_seed_is_part_of_the_page(config: Config) -> None:
    workspace.write(config)
    assert "seed 7" in report.build(dataclasses.replace(config, seed=7))
