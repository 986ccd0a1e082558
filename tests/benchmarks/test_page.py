"""The page: alone in one file, every row and figure there, means and ranges by hand."""

from __future__ import annotations

import re
from html.parser import HTMLParser

import pytest

from benchmarks.ablation import page
from benchmarks.ablation.ledger import Entry
from benchmarks.ablation.results import Spread, groups
from benchmarks.ablation.studies import STUDIES
from tests.benchmarks.made_up import entry

CC = {"hints-labels-truth": (0.75, 0.76, 0.78), "labels-truth": (0.74, 0.76), "truth": (0.70,)}
"""Means 0.7633, 0.7500 and 0.7000; half ranges 0.0150, 0.0100 and none."""


class Tables(HTMLParser):
    """Cells of every table, by its caption; every element closed in order."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.found: dict[str, list[list[str]]] = {}
        self.words: list[str] = []
        self._rows: list[list[str]] = []
        self.feed(text)
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag != "meta":
            self.open.append(tag)
        if tag == "table":
            self._rows = self.found[str(dict(attrs)["aria-label"])] = []
        if tag == "tr":
            self._rows.append([])
        if tag in ("td", "th"):
            self._rows[-1].append("")

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if {"td", "th"} & set(self.open) and data.strip():
            self._rows[-1][-1] = f"{self._rows[-1][-1]} {data.strip()}".strip()
        if not {"style", "script"} & set(self.open):
            self.words.append(data)


@pytest.fixture(scope="module")
def entries() -> list[Entry]:
    """Three rows of Table V with three, two and one seed; one planned; one row unknown."""
    found = [
        entry(row=row, seed=seed, metrics={"CC": value, "NSS": 2 + value, "KLDiv": 1 - value},
              others={"teacher salgan": {"CC": 0.6}, "student softmax": {"CC": 0.5}})
        for row, values in CC.items() for seed, value in enumerate(values)
    ]  # fmt: skip
    found.append(entry(row="labels", metrics=None))
    found.append(entry(row="labels-truth", seed=2, metrics=None))
    found.append(entry("table4", "mobilenet_v2", hint_loss=0.125))
    return [*found, entry(row="of another version")]


@pytest.fixture(scope="module")
def built(entries: list[Entry]) -> str:
    return page.render(entries, "a ledger.jsonl", "page.html")


@pytest.fixture(scope="module")
def parsed(built: str) -> Tables:
    return Tables(built)


OURS = (
    "What each part of the teaching buys, measured here with data=salicon profile=small: means, "
    "± half the range over seeds"
)


def test_it_needs_nothing_but_itself(built: str) -> None:
    assert not re.search(r'(?:src|href)="(?!#|data:)', built)
    assert not re.search(r"https?://(?!www\.w3\.org)|@import|url\(", built)
    assert "default-src 'none'" in built


def test_the_same_ledger_gives_the_same_page(entries: list[Entry], built: str) -> None:
    assert page.render(entries, "a ledger.jsonl", "page.html") == built


def test_every_row_of_every_study_and_every_figure_of_the_paper_is_there(parsed: Tables) -> None:
    for study in STUDIES.values():
        assert study.title in " ".join(parsed.words)
        for table in study.published:
            rows = parsed.found[f"The paper's {table.table}: {table.data}"]
            assert len(rows) == 1 + len(table.figures)
            for title, cells in zip(table.titles.values(), rows[1:]):
                key = next(k for k, v in table.titles.items() if v == title)
                expected = [f"{value:.{table.digits}f}" for value in table.figures[key]]
                assert cells == [title, *expected]
    titles = [row[0] for row in parsed.found[OURS]]
    for row in STUDIES["table5"].rows:
        assert f"{row.title} {row.note}" in titles


def test_means_and_half_ranges_are_those_of_the_seeds(parsed: Tables) -> None:
    head, *rows = parsed.found[OURS]
    assert head[1:4] == ["NSS ↑", "CC ↑", "KLDiv ↓"]
    found = {row[0]: row for row in rows}
    assert found["hints + labels + truth 1 1 1"][1:4] == [
        "2.7633 ± 0.0150", "0.7633 ± 0.0150", "0.2367 ± 0.0150",
    ]  # fmt: skip
    assert found["labels + truth 0 1 1"][2] == "0.7500 ± 0.0100"
    assert found["labels + truth 0 1 1"][4] == "2 1 waiting"
    assert found["truth 0 0 1"][2] == "0.7000"
    assert found["labels 0 1 0"][1:4] == ["—", "—", "—"]
    assert found["teacher salgan"][2] == "0.6000"
    assert not any("softmax" in title for title in found)


def test_ours_and_the_papers_share_no_table(parsed: Tables) -> None:
    figures = {f"{v:.4f}" for t in STUDIES["table5"].published for r in t.figures.values()
               for v in r}  # fmt: skip
    cells = {cell for row in parsed.found[OURS] for cell in row}
    assert not figures & cells


def test_it_says_what_is_missing_and_what_single_seeds_are_worth(parsed: Tables) -> None:
    text = " ".join(" ".join(parsed.words).split())
    assert "Not run: labels; hints + labels." in text
    assert "A row of a single seed has no spread" in text
    assert "table5, of another version: not a row of this version's studies" in text
    assert "Not run yet." in text


def test_it_names_the_best_and_whose_range_meets_its_own(parsed: Tables) -> None:
    text = " ".join(" ".join(parsed.words).split())
    assert (
        "By CC the best mean here is hints + labels + truth, 0.7633 ± 0.0150; the range of "
        "“labels + truth” overlaps with its own." in text
    )
    assert (
        "The paper's best: hints + labels + truth (NSS 1.8129 on SALICON 2017, validation; "
        "CC 0.8717 on SALICON 2017, validation; NSS 1.9503 on MIT1003; CC 0.6213 on MIT1003)."
        in text
    )


def test_it_shows_the_commands_that_made_it(parsed: Tables) -> None:
    text = " ".join(parsed.words)
    made = "python -m benchmarks.ablation table5 --seeds 0 1 2 -S data=salicon -S profile=small"
    assert f"{made} --ledger 'a ledger.jsonl'" in text
    assert "--ledger 'a ledger.jsonl' --page page.html" in text


def test_the_hint_loss_is_a_result_of_table_4_alone(entries: list[Entry]) -> None:
    found, _ = groups(entries)
    metrics = {group.study.name: group.metrics for group in found}
    assert "hint loss" in metrics["table4"]
    assert "hint loss" not in metrics["table5"]


def test_pictures_have_a_mark_for_every_mean_and_a_dot_for_every_seed(built: str) -> None:
    picture = next(p for p in built.split("<svg")[1:] if 'aria-label="CC:' in p and "ours" in p)
    picture = picture.split("</svg>")[0]
    assert picture.count('class="mean"') == 3
    assert picture.count('class="seed"') == 3 + 2
    assert "hints + labels<" not in picture


def test_a_picture_names_what_was_run_on_other_data_alone() -> None:
    rows = [
        entry(row="truth", given=("data=salicon", "profile=small")),
        entry(row="labels", given=("data=osie", "profile=small", "student=fastsal_a")),
    ]
    pictures = page.render(rows, "ledger.jsonl", "page.html").split("<figcaption>Here, ")[1:3]
    assert [p.split("</figcaption>")[0] for p in pictures] == [
        "data=salicon", "data=osie student=fastsal_a",
    ]  # fmt: skip
    assert [p.split("</svg>")[0].count(">not run<") for p in pictures] == [1, 1]


def test_runs_on_other_data_are_never_averaged() -> None:
    given = [("data=salicon",), ("data=sample",), ("machine.workers=0", "data=sample")]
    rows = [entry(seed=n, given=each) for n, each in enumerate(given)]
    found, _ = groups(rows)
    assert [len(group.entries) for group in found] == [1, 2]
    text = page.markdown(rows, "ledger.jsonl")
    assert "### Here: data=salicon\n" in text
    assert "### Here: data=sample\n" in text


def test_markdown_holds_the_same_figures(entries: list[Entry]) -> None:
    text = page.markdown(entries, "ledger.jsonl")
    assert "| labels + truth (0 1 1) | 2.7500 ± 0.0100 | 0.7500 ± 0.0100 |" in text
    assert "| ✓ ✓ ✓, all three | 1.8129 | 0.8717 |" in text


def test_a_smaller_divergence_is_better() -> None:
    rows = [entry(row="truth", metrics={"KLDiv": 0.5}), entry(row="labels", metrics={"KLDiv": 0.4})]
    [group], _ = groups(rows)
    best = group.best("KLDiv")
    assert best is not None
    assert best.row.key == "labels"


def test_ranges_meet_where_they_touch() -> None:
    assert Spread((1.0, 2.0)).meets(Spread((2.0, 3.0)))
    assert not Spread((1.0, 2.0)).meets(Spread((2.1, 3.0)))
    assert Spread((1.0, 5.0)).meets(Spread((2.0, 3.0)))
    assert Spread((0.5,)).half_range is None
