"""From a server to a folder: whole or not at all, each part once, nobody's files touched."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipeline.data import layouts, roots
from pipeline.data.fetch import Archive, Options, Source, fetch, get, names, root_for
from pipeline.data.fetch.download import Policy
from pipeline.data.survey import survey
from pipeline.errors import UserError
from tests.data import trees
from tests.data.fetch.archives import images, noise, source, tarred, zipped
from tests.data.fetch.server import Server

IMPATIENT = Policy(attempts=1, step=10**9)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return tmp_path / "root"


class Said(list[str]):
    """What a run said."""

    def __call__(self, line: str) -> None:
        self.append(line)


def run(source: Source, root: Path, **options: object) -> tuple[list[bool], Said]:
    """Fetch; which parts are fresh, and what was said."""
    said = Said()
    parts = fetch(source, root, Options(policy=IMPATIENT, **options), said)
    return [part.fresh for part in parts], said


def tree(root: Path) -> dict[str, bytes]:
    """Every file but the record of what was fetched."""
    return {
        str(p.relative_to(root)): p.read_bytes()
        for p in root.rglob("*")
        if p.is_file() and p.parent != root / ".fetch"
    }


def kept(root: Path) -> set[str]:
    """What lies in `.fetch`."""
    return {p.name for p in (root / ".fetch").iterdir()}


def test_an_archive_becomes_a_folder_once(server: Server, root: Path) -> None:
    served = server.serve("photos.zip", zipped(images()))
    toy = source(server.url("photos.zip"))
    fresh, said = run(toy, root)
    assert fresh == [True]
    assert tree(root) == images()
    assert kept(root) == {"photos.json", "lock"}
    assert said[-1] == f"photos: 3 files in {root}/photos"
    fresh, said = run(toy, root)
    assert fresh == [False]
    assert said == ["photos: there already, 3 files"]
    assert len(served.asked) == 1, "the second time nothing is asked of the server"


def test_a_tar_does_as_well(server: Server, root: Path) -> None:
    server.serve("photos.zip", tarred(images(), "w:gz"))
    run(source(server.url("photos.zip")), root)
    assert tree(root) == images()


def two_parts(server: Server) -> Source:
    archives = [
        Archive(name, f"{name}.zip", server.url(f"{name}.zip"), name, name, ".jpg")
        for name in ("first", "second")
    ]
    for name in ("first", "second"):
        server.serve(f"{name}.zip", zipped(images(top=name)))
    return Source("toy", "Toy", "http://example.org", "none", tuple(archives))


def test_parts_can_be_chosen(server: Server, root: Path) -> None:
    toy = two_parts(server)
    run(toy, root, only=("second",))
    assert tree(root) == images(top="second")
    fresh, _ = run(toy, root)
    assert fresh == [True, False]
    assert tree(root) == images(top="first") | images(top="second")
    with pytest.raises(UserError, match="no part 'frist'; did you mean 'first'"):
        run(toy, root, only=("frist",))


def test_a_part_that_fails_leaves_those_before_it(server: Server, root: Path) -> None:
    toy = two_parts(server)
    served = server.files.pop("/second.zip")
    with pytest.raises(UserError, match="404"):
        run(toy, root)
    assert tree(root) == images(top="first")
    server.files["/second.zip"] = served
    fresh, _ = run(toy, root)
    assert fresh == [False, True]


def test_archives_can_be_kept(server: Server, root: Path) -> None:
    data = zipped(images())
    server.serve("photos.zip", data)
    run(source(server.url("photos.zip")), root, keep=True)
    assert (root / ".fetch/photos.zip").read_bytes() == data


def test_a_changed_folder_is_left_alone(server: Server, root: Path) -> None:
    server.serve("photos.zip", zipped(images()))
    toy = source(server.url("photos.zip"))
    run(toy, root)
    (root / "photos/000.jpg").unlink()
    with pytest.raises(UserError, match=r"changed .*: 2 files of 6000 bytes where there were 3 of"):
        run(toy, root)
    (root / "photos").rename(root.parent / "elsewhere")
    fresh, _ = run(toy, root)
    assert fresh == [True]
    assert tree(root) == images()


def test_a_folder_of_somebody_else_is_left_alone(server: Server, root: Path) -> None:
    served = server.serve("photos.zip", zipped(images()))
    (root / "photos").mkdir(parents=True)
    with pytest.raises(UserError, match="was not fetched; move it elsewhere"):
        run(source(server.url("photos.zip")), root)
    assert list((root / "photos").iterdir()) == []
    assert served.asked == []


def test_a_wrong_digest_is_set_aside_and_can_be_accepted(server: Server, root: Path) -> None:
    data = zipped(images())
    served = server.serve("photos.zip", data)
    toy = source(server.url("photos.zip"), md5="0" * 32, size=len(data))
    message = rf"photos\.zip has MD5 \w{{32}}, but the published one is 0{{32}}; .* kept as {root}"
    with pytest.raises(UserError, match=message):
        run(toy, root)
    assert kept(root) == {"lock", "photos.zip.refused"}
    assert tree(root) == {}
    with pytest.raises(UserError, match="--accept takes it"):
        run(toy, root)
    assert len(served.asked) == 2, "it is downloaded anew: the damage may have been on the way"
    fresh, said = run(toy, root, accept=True)
    assert fresh == [True]
    assert "trusted from now on, SHA-256" in said[0]
    assert len(served.asked) == 2, "what was set aside is taken"
    assert tree(root) == images()
    assert run(toy, root.parent / "other")[0] == [True], "and trusted ever after"


def test_first_sight_is_trusted_and_another_archive_later_is_not(
    server: Server, root: Path
) -> None:
    server.serve("photos.zip", zipped(images()))
    toy = source(server.url("photos.zip"))
    _, said = run(toy, root)
    assert "trusted from now on" in said[0] + said[1]
    server.serve("photos.zip", zipped(images(4)), etag='"one"')
    with pytest.raises(UserError, match=r"offers \d+ bytes, but the file is known to have"):
        run(toy, root.parent / "other")
    fresh, _ = run(toy, root.parent / "other", accept=True)
    assert fresh == [True]
    assert len(tree(root.parent / "other")) == 4


def test_other_bytes_of_the_same_length_are_refused(server: Server, root: Path) -> None:
    files = images()
    toy = source(server.url("photos.zip"))
    server.serve("photos.zip", zipped(files, 0))
    run(toy, root)
    server.serve("photos.zip", zipped(files | {"photos/000.jpg": noise(3000, 9)}, 0))
    with pytest.raises(UserError, match=r"SHA256 \w{64}, but the one trusted on 20"):
        run(toy, root.parent / "other")


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (zipped(images() | {"../x.jpg": b"x"}), "leads out of the archive"),
        (zipped(images())[:-100], "is damaged"),
        (b"no archive at all" * 100, "is no zip or tar archive"),
        (zipped({"photos/a.txt": b"x"}), "is another archive"),
    ],
)
def test_what_cannot_be_unpacked_is_set_aside_and_not_trusted(
    server: Server, root: Path, data: bytes, message: str
) -> None:
    server.serve("photos.zip", data)
    toy = source(server.url("photos.zip"))
    with pytest.raises(UserError, match=f"^photos: .*{message}.*Run again to download it anew"):
        run(toy, root)
    assert tree(root) == {}
    assert kept(root) == {"lock", "photos.zip.refused"}
    assert not (root.parent / "config/digests.json").exists()
    server.serve("photos.zip", zipped(images()))
    assert run(toy, root)[0] == [True], "nothing stands in the way of the right one"


def test_archives_at_hand_are_not_downloaded_nor_touched(
    server: Server, root: Path, tmp_path: Path
) -> None:
    downloads = tmp_path / "downloads"
    downloads.mkdir()
    toy = two_parts(server)
    (downloads / "first.zip").write_bytes(zipped(images(top="first")))
    run(toy, root, given=downloads)
    assert server.files["/first.zip"].asked == []
    assert len(server.files["/second.zip"].asked) == 1
    assert [p.name for p in downloads.iterdir()] == ["first.zip"]
    with pytest.raises(UserError, match="nowhere is no folder; --from takes"):
        run(toy, root, given=tmp_path / "nowhere")


def test_a_wrong_archive_at_hand_stays_where_it_is(root: Path, tmp_path: Path) -> None:
    (tmp_path / "photos.zip").write_bytes(zipped(images()))
    with pytest.raises(UserError, match=r"MD5 .* Download it again, or leave --from out"):
        run(source("http://127.0.0.1:9/x", md5="0" * 32), root, given=tmp_path)
    assert (tmp_path / "photos.zip").is_file()


def by_hand(server: Server) -> Source:
    return source(server.url("photos.zip"), by_hand="a form asks who you are", about="3 GB")


def test_what_a_browser_must_download_is_explained(
    server: Server, root: Path, tmp_path: Path
) -> None:
    served = server.serve("photos.zip", zipped(images()))
    for given in (None, tmp_path):
        with pytest.raises(UserError) as raised:
            run(by_hand(server), root, given=given)
        text = str(raised.value)
        assert "Toy cannot be fetched by a program (a form asks who you are)" in text
        assert f"photos.zip (3 GB)\n    {server.url('photos.zip')}\n" in text
        assert text.endswith(f"fovea data fetch toy --from {given or 'FOLDER'}")
    assert served.asked == []
    assert not root.exists()


def test_and_then_taken_from_where_it_is(server: Server, root: Path, tmp_path: Path) -> None:
    (tmp_path / "photos.zip").write_bytes(zipped(images()))
    assert run(by_hand(server), root, given=tmp_path)[0] == [True]
    assert run(by_hand(server), root)[0] == [False]
    assert tree(root) == images()
    assert (tmp_path / "photos.zip").is_file()


def test_what_a_killed_run_left_is_cleared_away(server: Server, root: Path) -> None:
    """A kill while unpacking, and one between the receipt and the renaming."""
    server.serve("photos.zip", zipped(images()))
    toy = source(server.url("photos.zip"))
    run(toy, root)
    (root / "photos").rename(root / ".fetch/photos.unpacking")
    (root / ".fetch/photos.unpacking/half.jpg").write_bytes(b"half")
    assert run(toy, root)[0] == [True]
    assert tree(root) == images()


def test_a_folder_that_cannot_be_written_is_said(server: Server, root: Path) -> None:
    root.write_text("a file")
    with pytest.raises(UserError, match="is in the way: move it elsewhere"):
        run(source(server.url("photos.zip")), root)


def test_roots(tmp_path: Path) -> None:
    assert root_for("toy", None) == tmp_path / "datasets/toy"
    assert root_for("toy", tmp_path / "x") == tmp_path / "x"
    roots.add("data", "toy", tmp_path)
    with pytest.raises(UserError, match=r"which was not fetched; say where .* --to FOLDER"):
        root_for("toy", None)
    (tmp_path / ".fetch").mkdir()
    assert root_for("toy", None) == tmp_path


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


def test_what_was_downloaded_by_hand_is_not_removed(server: Server, root: Path) -> None:
    (root / ".fetch").mkdir(parents=True)
    (root / ".fetch/photos.zip").write_bytes(zipped(images()))
    run(by_hand(server), root)
    assert "photos.zip" in kept(root)


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
