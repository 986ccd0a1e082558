"""The page as a whole: every part is there, nothing is invented, missing parts are said plainly."""

from __future__ import annotations

import dataclasses
import json
import re
from html.parser import HTMLParser

import pytest

from pipeline.config import Config
from pipeline.errors import UserError
from pipeline.files import read_json, write_json
from pipeline.paths import CHECK, EVALUATE, LATENCY_ROWS
from pipeline.stages import report
from tests.report import workspace

SECTIONS = ("files", "accuracy", "trade", "training", "pictures", "making")
VOID = {"meta", "img"}


class Page(HTMLParser):
    """Text, images and section ids; every element must be closed in order."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.sections: list[str] = []
        self.images: list[dict[str, str | None]] = []
        self.words: list[str] = []
        self.feed(text)
        assert not self.open

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag not in VOID:
            self.open.append(tag)
        if tag == "section":
            self.sections.append(str(dict(attrs)["id"]))
        if tag == "img":
            self.images.append(dict(attrs))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if "style" not in self.open:
            self.words.append(data.strip())

    @property
    def text(self) -> str:
        return " ".join(word for word in self.words if word)


def test_has_every_section_and_file(config: Config) -> None:
    workspace.write(config)
    page = Page(report.build(config))
    assert tuple(page.sections) == SECTIONS
    for name in config.export.recipes:
        assert name in page.text
    for words in ("Teacher salgan", "Mean map", "validation hint", "120/124", "dvc repro"):
        assert words in page.text


def test_names_the_fastest_file_within_budget(config: Config) -> None:
    workspace.write(config)
    rows = {name: read_json(CHECK / f"{name}.json") for name in config.export.recipes}
    fastest = config.export.recipes[0]  # the fixture's times grow in the order of the recipes
    assert "ExecuTorch fp32: 0.01 MiB, 0.30× torch’s time" in report.build(config)
    write_json(CHECK / f"{fastest}.json", rows[fastest] | {"problems": ["CC lost 3%"]})
    page = Page(report.build(config)).text
    assert "ExecuTorch int8: 0.00 MiB, 0.42× torch’s time, CC −0.0020 (−0.3\u202f%)" in page
    assert "3 of 4 files meet every budget; ExecuTorch fp32 does not." in page
    assert "CC lost 3%" in page


def test_same_inputs_give_the_same_bytes(config: Config) -> None:
    workspace.write(config)
    assert report.build(config) == report.build(config)


def test_is_small_and_asks_the_network_for_nothing(config: Config) -> None:
    workspace.write(config)
    text = report.build(config)
    assert len(text.encode()) < 5 * 2**20
    assert "default-src 'none'" in text
    assert not re.findall(r"(?:src|href)=[\"'](?!data:)", text)
    assert "<script" not in text


def test_shows_every_picture_with_its_own_score(config: Config) -> None:
    workspace.write(config)
    page = Page(report.build(config))
    # image, people, one teacher, student and two int8 files
    assert len(page.images) == 6 * len(workspace.IDS)
    for image in page.images:
        assert str(image["src"]).startswith("data:image/jpeg;base64,")
        assert image["alt"]
    assert "best of 3, student CC 0.720" in page.text
    assert "worst of 3, student CC 0.520" in page.text
    alts = [str(image["alt"]) for image in page.images]
    assert sum("executorch int8" in alt.lower() for alt in alts) == len(workspace.IDS)
    assert not any("fp32" in alt for alt in alts)


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
    assert len(page.images) == 5 * len(workspace.IDS)
    assert "1 × annotations (Eq. 2)" in page.text


def test_another_set_of_recipes() -> None:
    config = workspace.configuration("export=float")
    workspace.write(config)
    page = Page(report.build(config))
    assert "int8" not in page.text.split("How it was made")[0]


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
