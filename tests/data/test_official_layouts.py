"""Public data sets as they are unpacked: what is listed, recognised, missing or there twice."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from pipeline.data import layouts, manifest
from pipeline.data.manifest import Source
from pipeline.data.survey import survey
from pipeline.errors import UserError
from pipeline.stages.prepare import require_annotated
from tests.data import official, trees


def ids(records: list[layouts.Record]) -> list[str]:
    return [record.id for record in records]


@pytest.fixture
def everything(tmp_path: Path) -> Path:
    """One tree of each data set."""
    official.mit1003(tmp_path / "mit1003", ["i1", "i2"])
    official.mit1003(tmp_path / "points", ["i1"], data=False)
    official.cat2000(tmp_path / "cat2000", ["Action", "Social"], 2)
    official.osie(tmp_path / "osie", {"1001.jpg": [np.array([[1.0, 2.0]])]})
    for number in (1, 2):
        trees.picture(tmp_path / f"mit300/BenchmarkIMAGES/i{number}.jpg", number)
    trees.picture(tmp_path / "mit300/BenchmarkIMAGES/SM/i1_SM.jpg", 9)
    official.salicon2015(tmp_path / "json", "train", {"a.jpg": [[[1, 2]]]})
    official.salicon2015(tmp_path / "json", "val", {"b.jpg": [[[1, 2]]]})
    trees.picture(tmp_path / "json/images/test/c.jpg", 3)
    return tmp_path


LISTED = [
    ("mit1003", "mit1003", "all", ["i1", "i2"]),
    ("mit1003_points", "points", "all", ["i1"]),
    ("cat2000", "cat2000", "train", ["Action/001", "Action/002", "Social/001", "Social/002"]),
    ("cat2000", "cat2000", "test", ["Action/101", "Action/102", "Social/101", "Social/102"]),
    ("osie", "osie", "all", ["1001"]),
    ("mit300", "mit300", "all", ["i1", "i2"]),
    ("salicon2015", "json", "val", ["b"]),
    ("salicon2015", "json", "test", ["c"]),
]


@pytest.mark.parametrize(("layout", "root", "split", "found"), LISTED)
def test_what_is_listed(
    everything: Path, layout: str, root: str, split: str, found: list[str]
) -> None:
    assert ids(layouts.scan(layout, everything / root, split)) == found


RECOGNISED = [
    ("mit1003", "mit1003", {"all": 2}),
    ("points", "mit1003_points", {"all": 1}),
    ("cat2000", "cat2000", {"test": 4, "train": 4}),
    ("osie", "osie", {"all": 1}),
    ("mit300", "mit300", {"all": 2}),
    ("json", "salicon2015", {"test": 1, "train": 1, "val": 1}),
]


@pytest.mark.parametrize(("root", "layout", "splits"), RECOGNISED)
def test_a_look_recognises_it_and_finds_it_sound(
    everything: Path, root: str, layout: str, splits: dict[str, int]
) -> None:
    found = survey(everything / root)
    assert (found.layout, found.splits) == (layout, splits)
    # Nobody looks anywhere in the made-up traces: a remark, not a fault.
    assert all("holds no fixation" in problem for problem in found.problems)


def test_an_mit1003_record_has_a_file_of_every_viewer(everything: Path) -> None:
    record = layouts.scan("mit1003", everything / "mit1003", "all")[0]
    data = everything / "mit1003/DATA"
    assert record.fixations == data / "CNG/i1.mat"
    assert record.others == (data / "ajs/i1.mat", data / "zb/i1.mat")
    assert record.map == everything / "mit1003/ALLFIXATIONMAPS/i1_fixMap.jpg"
    (data / "zb/i1.mat").unlink()
    with pytest.raises(UserError, match=r"no fixation file for .*i1\.jpeg in .*DATA/zb; restore"):
        layouts.scan("mit1003", everything / "mit1003", "all")


MISSING = [
    ("mit1003", "mit1003/ALLFIXATIONMAPS/i2_fixMap.jpg", "all", r"no map for .*i2\.jpeg"),
    (
        "mit1003_points",
        "points/ALLFIXATIONMAPS/i1_fixPts.jpg",
        "all",
        r"no fixation file for .*i1\.jpeg",
    ),
    ("cat2000", "cat2000/trainSet/FIXATIONLOCS/Social/002.mat", "train", r"Social/002\.jpg"),
    ("cat2000", "cat2000/trainSet/FIXATIONMAPS/Action/001.jpg", "train", r"Action/001\.jpg"),
    ("osie", "osie/data/eye/fixations.mat", "all", "where the fixation files should be"),
    ("salicon2015", "json/annotations/fixations_val2014.json", "val", "val2014.json is missing"),
]


@pytest.mark.parametrize(("layout", "file", "split", "message"), MISSING)
def test_a_missing_annotation_is_named(
    everything: Path, layout: str, file: str, split: str, message: str
) -> None:
    (everything / file).unlink()
    with pytest.raises(UserError, match=message):
        layouts.scan(layout, everything / file.split("/")[0], split)


TWICE = [
    ("mit1003", "mit1003", "all", "ALLSTIMULI/i1.jpeg"),
    ("mit1003_points", "points", "all", "ALLSTIMULI/i1.jpeg"),
    ("mit300", "mit300", "all", "BenchmarkIMAGES/i1.jpg"),
    ("cat2000", "cat2000", "train", "trainSet/Stimuli/Action/001.jpg"),
    ("cat2000", "cat2000", "test", "testSet/Stimuli/Action/101.jpg"),
    ("osie", "osie", "all", "data/stimuli/1001.jpg"),
    ("salicon2015", "json", "train", "images/train/a.jpg"),
]


@pytest.mark.parametrize(("layout", "root", "split", "file"), TWICE)
def test_an_id_that_occurs_twice_is_refused_with_both_files(
    everything: Path, layout: str, root: str, split: str, file: str
) -> None:
    first = everything / root / file
    trees.picture(first.with_suffix(".png"), 5)
    with pytest.raises(UserError) as error:
        layouts.scan(layout, everything / root, split)
    assert str(first) in str(error.value)
    assert str(first.with_suffix(".png")) in str(error.value)


def test_a_split_that_is_not_there_is_told_those_that_are(everything: Path) -> None:
    with pytest.raises(UserError, match="layout osie has no split 'train'; it has all"):
        layouts.scan("osie", everything / "osie", "train")
    with pytest.raises(UserError, match="has no split 'val'; it has train, test"):
        layouts.scan("cat2000", everything / "cat2000", "val")
    with pytest.raises(UserError, match=r"no folder ALLSTIMULI .* as layout osie does"):
        layouts.scan("mit1003", everything / "osie", "all")


# Several splits as one


def test_splits_joined_are_one(tmp_path: Path) -> None:
    trees.coco(tmp_path, "train2017", 2)
    trees.coco(tmp_path, "test2017", 2, first=200, listed=False)
    found = layouts.scan("coco", tmp_path, "train2017+test2017")
    names = ["000000000100", "000000000101", "000000000200", "000000000201"]
    assert ids(found) == names
    assert found[3].image == tmp_path / "test2017/000000000201.jpg"
    assert ids(layouts.scan("coco", tmp_path, "test2017+train2017")) == names


def test_an_id_in_two_splits_is_refused_with_both_files(tmp_path: Path) -> None:
    trees.coco(tmp_path, "train2017", 2)
    trees.coco(tmp_path, "test2017", 2, first=101, listed=False)
    with pytest.raises(UserError) as error:
        layouts.scan("coco", tmp_path, "train2017+test2017")
    for split in ("train2017", "test2017"):
        assert str(tmp_path / split / "000000000101.jpg") in str(error.value)


@pytest.mark.parametrize("split", ["train2017+", "+", "train2017+train2017", ""])
def test_splits_that_are_no_list_of_names_are_refused(tmp_path: Path, split: str) -> None:
    trees.coco(tmp_path, "train2017", 1)
    with pytest.raises(UserError, match=r"should be one name, or different names joined by \+"):
        layouts.scan("coco", tmp_path, split)


def test_a_joined_split_that_is_not_there_is_named(tmp_path: Path) -> None:
    trees.coco(tmp_path, "train2017", 1)
    with pytest.raises(UserError, match=r"no folder test2017 .*its splits are train2017"):
        layouts.scan("coco", tmp_path, "train2017+test2017")


# What the manifest keeps


def test_records_come_back_from_a_manifest_as_they_were(
    everything: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    roots = ("mit1003", "osie", "cat2000")
    for root in roots:
        monkeypatch.setenv(f"FOVEA_DATA_{root.upper()}", str(everything / root))
    splits = {"mit1003": "all", "osie": "all", "cat2000": "train"}
    sources = {root: Source(root, root, splits[root]) for root in roots}
    manifest.write(tmp_path / "out", sources)
    for root in roots:
        scanned = layouts.scan(root, everything / root, splits[root])
        assert manifest.load_role(tmp_path / "out", root).records == scanned


def test_maps_made_of_fixations_can_be_measured_on_and_images_alone_cannot(
    everything: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for root in ("osie", "mit300"):
        monkeypatch.setenv(f"FOVEA_DATA_{root.upper()}", str(everything / root))
        found = manifest.collect({"val": Source(root, root, "all")})["val"]
        if root == "osie":
            require_annotated(found, ("map", "fixations"))
        else:
            with pytest.raises(UserError, match=r"BenchmarkIMAGES/i1\.jpg has no density map"):
                require_annotated(found, ("map", "fixations"))
