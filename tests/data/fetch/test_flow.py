"""From a server to a folder: whole or not at all, each part once, nobody's files touched."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipeline.errors import UserError
from tests.data.fetch.archives import images, source, tarred, zipped
from tests.data.fetch.flows import kept, run, tree, two_parts
from tests.data.fetch.server import Server


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
