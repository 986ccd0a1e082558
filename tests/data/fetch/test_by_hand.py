"""Archives that a browser downloaded, or that lie somewhere already."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipeline.data.fetch import Source
from pipeline.errors import UserError
from tests.data.fetch.archives import images, source, zipped
from tests.data.fetch.flows import kept, run, tree, two_parts
from tests.data.fetch.server import Server


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


def test_what_was_downloaded_by_hand_is_not_removed(server: Server, root: Path) -> None:
    (root / ".fetch").mkdir(parents=True)
    (root / ".fetch/photos.zip").write_bytes(zipped(images()))
    run(by_hand(server), root)
    assert "photos.zip" in kept(root)
