"""The catalogue, and what its archives become, as the loaders read it."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipeline.data import layouts
from pipeline.data.fetch import get, names
from pipeline.data.survey import survey
from pipeline.errors import UserError
from tests.data import trees
from tests.data.fetch.archives import zipped
from tests.data.fetch.flows import run, tree
from tests.data.fetch.server import Server


def test_unknown_names_get_the_nearest() -> None:
    with pytest.raises(UserError, match="no data set called 'cocoo'; did you mean 'coco'"):
        get("cocoo")


def test_every_source_is_in_order() -> None:
    assert names() == ["cat2000", "coco", "mit1003", "mit300", "osie", "salicon"]
    for name in names():
        source = get(name)
        assert source.page.startswith("http")
        assert source.terms
        for archive in source.archives:
            assert archive.url.startswith("http")
            assert archive.md5 is None or len(archive.md5) == 32
            assert archive.file.endswith(".zip")


LAYOUTS = {
    "cat2000": {
        "trainSet.zip": ["trainSet/Stimuli/Action/001.jpg", "trainSet/FIXATIONLOCS/Action/001.mat"],
        "testSet.zip": ["testSet/Stimuli/Action/001.jpg"],
    },
    "mit1003": {
        "ALLSTIMULI.zip": ["ALLSTIMULI/i1.jpeg", "__MACOSX/._x", "ALLSTIMULI/.svn/entries"],
        "DATA.zip": ["DATA/CNG/i1.mat", "DATA/.DS_Store"],
        "ALLFIXATIONMAPS.zip": ["ALLFIXATIONMAPS/i1_fixMap.jpg", "ALLFIXATIONMAPS/i1_fixPts.jpg"],
    },
    "mit300": {"BenchmarkIMAGES.zip": ["BenchmarkIMAGES/i1.jpg"]},
    "osie": {
        "predicting-human-gaze-beyond-pixels-master.zip": [
            "predicting-human-gaze-beyond-pixels-master/README.md",
            "predicting-human-gaze-beyond-pixels-master/src/model/trainModel.m",
            "predicting-human-gaze-beyond-pixels-master/data/stimuli/1001.jpg",
            "predicting-human-gaze-beyond-pixels-master/data/eye/fixations.mat",
        ]
    },
}
"""Members as publishers pack them."""


@pytest.mark.parametrize(
    ("name", "wanted"),
    [
        ("cat2000", LAYOUTS["cat2000"]["trainSet.zip"] + LAYOUTS["cat2000"]["testSet.zip"]),
        (
            "mit1003",
            ["ALLSTIMULI/i1.jpeg", "DATA/CNG/i1.mat", *LAYOUTS["mit1003"]["ALLFIXATIONMAPS.zip"]],
        ),
        ("mit300", ["BenchmarkIMAGES/i1.jpg"]),
        ("osie", ["data/stimuli/1001.jpg", "data/eye/fixations.mat"]),
    ],
)
def test_archives_as_published_land_as_they_would_be_unpacked_by_hand(
    root: Path, tmp_path: Path, name: str, wanted: list[str]
) -> None:
    for file, members in LAYOUTS[name].items():
        (tmp_path / file).write_bytes(zipped({member: member.encode() for member in members}))
    run(get(name), root, given=tmp_path, accept=True)  # digests are those of the real ones
    assert sorted(tree(root)) == sorted(wanted)


def packed(folder: Path, top: str) -> bytes:
    """A folder as a publisher's zip, below `top`."""
    return zipped(
        {
            f"{top}/{p.relative_to(folder).as_posix()}".lstrip("/"): p.read_bytes()
            for p in sorted(folder.rglob("*"))
            if p.is_file()
        }
    )


@pytest.mark.parametrize("top", ["", "NAME"], ids=["bare", "in a folder"])
def test_salicon_as_published_is_what_the_loader_reads(
    server: Server, root: Path, tmp_path: Path, top: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its archives have a folder each or none, depending on who packed them: both will do."""
    made = tmp_path / "made"
    for split, count in (("train", 3), ("val", 2), ("test", 1)):
        trees.salicon(made, split, count, first=count * 10)
    for part in ("images", "maps", "fixations"):
        data = packed(made / part, top.replace("NAME", part))
        (tmp_path / f"{part}.zip").write_bytes(data)
    run(get("salicon"), root, given=tmp_path, accept=True)  # smaller than the published ones
    found = survey(root, decode=True)
    assert (found.layout, found.problems) == ("salicon", [])
    assert found.splits == {"test": 1, "train": 3, "val": 2}


def test_coco_as_published_is_what_the_loader_reads(root: Path, tmp_path: Path) -> None:
    made = tmp_path / "made"
    for split in ("train2017", "val2017"):
        trees.coco(made, split, 2)
    trees.coco(made, "test2017", 2, listed=False)
    for split in ("train2017", "val2017", "test2017"):
        (tmp_path / f"{split}.zip").write_bytes(packed(made / split, split))
    data = packed(made / "annotations", "annotations")
    (tmp_path / "annotations_trainval2017.zip").write_bytes(data)
    run(get("coco"), root, given=tmp_path, accept=True)
    found = survey(root)
    assert (found.layout, found.problems) == ("coco", [])
    assert found.splits == {"test2017": 2, "train2017": 2, "val2017": 2}
    assert len(layouts.scan("coco", root, "train2017")) == 2
