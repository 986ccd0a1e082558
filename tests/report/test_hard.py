"""The table of losses on hard images."""

from __future__ import annotations

from pipeline.report.facts import Facts, File
from pipeline.report.hard import columns, explained, hard_lines
from tests.report import workspace

LOSS = {"file": 1.9, "torch": 2.0, "difference": -0.1, "low": -0.3, "high": 0.1}


def facts(*strata: dict[str, dict[str, object]]) -> Facts:
    files = [
        File("litert_int8", "litert", "int8", "", 1, "ab", "none", None, None, None, None, {}, (),
             strata=found) for found in strata
    ]  # fmt: skip
    return Facts(workspace.configuration(), 1, 1, 1, {}, {}, {}, 1, files)


def test_a_loss_stands_with_its_share_of_torch_and_its_interval() -> None:
    given = facts({"crowded": {"images": 20, "NSS": LOSS}})
    (line,) = hard_lines(given)
    shown = dict(zip(columns(given), line.cells, strict=True))
    crowded = shown["NSS, crowded"]
    assert (crowded.value, *crowded.notes) == (
        "−0.1000", "−5.0\u202f% of torch", "[−0.3000, +0.1000]"
    )  # fmt: skip
    assert shown["CC, crowded"].notes == ["too few images"]


def test_strata_are_explained_with_their_images() -> None:
    found = facts({"crowded": {"images": 20}, "low contrast": {"images": 1}})
    assert "crowded: three or more separate regions" in explained(found)
    assert "(20\u202fimages)" in explained(found).replace(" images", "\u202fimages")
    assert "small regions" not in explained(found)


def test_a_file_that_was_not_executed_has_no_line() -> None:
    assert hard_lines(facts({})) == []
    assert explained(facts({})) == ""
