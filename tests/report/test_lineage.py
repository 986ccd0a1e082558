"""The lineage is the configuration's: every arrow is drawn, and through no box."""

from __future__ import annotations

import re
from itertools import pairwise

import pytest

from pipeline.config import Config
from pipeline.report.flow import flow, gap, placed, routed
from pipeline.report.lineage import Graph, graph
from pipeline.report.rail import rail
from pipeline.stages import report
from tests.report import workspace


@pytest.fixture
def found(config: Config) -> Graph:
    workspace.write(config)
    return graph(report.gather(config))


def test_from_images_to_files(found: Graph) -> None:
    edges = set(found.edges)
    assert ("data train", "teacher salgan") in edges
    assert ("teacher salgan", "labels salgan") in edges
    assert ("teacher salgan", "phase hint") in edges
    assert ("labels salgan", "phase finetune") in edges
    assert ("phase hint", "phase finetune") in edges
    assert ("phase finetune", "file litert_int8") in edges
    assert ("calibration", "file litert_int8") in edges
    assert ("calibration", "file litert_fp32") not in edges


def test_validation_images_make_nothing(found: Graph) -> None:
    assert not [edge for edge in found.edges if "data val" in edge]


def test_every_node_has_its_hash_and_files_their_sizes(found: Graph) -> None:
    assert all(re.fullmatch("[0-9a-f]{64}", node.digest) for node in found.nodes)
    sizes = [node.note for node in found.nodes if node.key.startswith("file ")]
    assert all("MiB" in note for note in sizes)
    assert any("not executed" in note for note in sizes)


def test_without_a_teacher_its_columns_are_gone() -> None:
    config = workspace.configuration("phases=truth", "teacher=none")
    workspace.write(config)
    made = graph(report.gather(config))
    assert {node.key.split()[0] for node in made.nodes} == {"data", "phase", "calibration", "file"}
    assert "Pseudo-labels" not in flow(made)


def test_before_any_export_there_are_no_files(config: Config) -> None:
    workspace.write(config, exported=False)
    made = graph(report.gather(config))
    assert made.nodes[-1].key == "phase finetune"
    assert "fastsal_a, finetune" in flow(made)


def test_arrows_pass_between_boxes(found: Graph) -> None:
    stacks, links = routed(found)
    spots = placed(stacks, links, 168 + gap(len(stacks)))
    for stack in stacks:
        items = sorted(stack, key=lambda item: spots[item.key].y)
        for upper, lower in pairwise(items):
            apart = spots[lower.key].y - spots[upper.key].y
            assert apart >= (upper.height + lower.height) / 2
    column = {item.key: item.column for stack in stacks for item in stack}
    assert all(column[b] - column[a] in (0, 1) for a, b in links)


def test_both_drawings_have_every_box_and_say_every_arrow(found: Graph) -> None:
    for drawn in (flow(found), rail(found)):
        assert drawn.count('class="box') - drawn.count('class="box-') == len(found.nodes)
        assert "maps by salgan to fastsal_a, finetune" in drawn
