"""`fovea data fetch`: what people see of it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from fovea.cli import main
from pipeline.data import roots
from pipeline.data.fetch import sources
from tests.data.fetch.archives import images, source, zipped
from tests.data.fetch.server import Served, Server, running


@pytest.fixture
def server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    """A publisher of one data set, `toy`."""
    monkeypatch.setenv("FOVEA_DATASETS", str(tmp_path / "datasets"))
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    with running() as server:
        toy = source(server.url("photos.zip"))
        monkeypatch.setattr(sources, "_SOURCES", {**sources._SOURCES, "toy": toy})
        yield server


@pytest.fixture
def served(server: Server) -> Served:
    return server.serve("photos.zip", zipped(images()))


def test_it_is_downloaded_unpacked_and_registered(
    served: Served, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["data", "fetch", "toy"]) == 0
    out, err = capsys.readouterr()
    root = tmp_path / "datasets/toy"
    assert out.splitlines() == [
        "Toy: 1 archives, size not known beforehand; terms: none",
        out.splitlines()[1],
        f"photos: 3 files in {root}/photos",
        f"data toy: {root}",
        "look at every file of it: fovea data check toy",
    ]
    assert out.splitlines()[1].startswith("photos: trusted from now on, SHA-256 ")
    assert "download photos: 1/1 MB" in err
    assert roots.resolve("toy") == root
    assert (root / "photos/000.jpg").read_bytes() == images()["photos/000.jpg"]


def test_a_second_time_it_does_nothing_and_says_so(
    served: Served, capsys: pytest.CaptureFixture[str]
) -> None:
    main(["data", "fetch", "toy"])
    capsys.readouterr()
    assert main(["data", "fetch", "toy"]) == 0
    out, err = capsys.readouterr()
    assert "photos: there already, 3 files" in out
    assert out.endswith("nothing was left to fetch\n")
    assert err == ""
    assert len(served.asked) == 1


def test_where_it_went_is_where_it_is_completed(served: Served, tmp_path: Path) -> None:
    chosen = tmp_path / "chosen"
    assert main(["data", "fetch", "toy", "--to", str(chosen)]) == 0
    assert main(["data", "fetch", "toy"]) == 0
    assert len(served.asked) == 1
    assert not (tmp_path / "datasets").exists()


def test_a_variable_that_wins_is_mentioned(
    served: Served,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("FOVEA_DATA_TOY", str(tmp_path))
    assert main(["data", "fetch", "toy", "--to", str(tmp_path / "chosen")]) == 0
    assert "but FOVEA_DATA_TOY is set, and wins over that" in capsys.readouterr().out


def test_the_list_tells_sizes_terms_and_digests(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["data", "fetch", "--list"]) == 0
    everything = capsys.readouterr().out
    for name in ("cat2000", "coco", "mit1003", "mit300", "osie", "salicon"):
        assert f"{name}  " in everything
    assert "train2017     19.3 GB  known" in everything
    assert "of the first one seen" in everything
    assert main(["data", "fetch", "coco", "--list"]) == 0
    assert "salicon" not in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["toy"], "404 Not Found"),
        (["tyo"], "no data set called 'tyo'; did you mean 'toy'?"),
        ([], "name a data set: cat2000, coco"),
        (["toy", "--only", "fotos"], "did you mean 'photos'?"),
        (["toy", "--from", "nowhere"], "nowhere is no folder"),
        (["salicon"], "Download with a browser"),
    ],
)
def test_mistakes_are_named(
    server: Server,
    tmp_path: Path,
    arguments: list[str],
    message: str,
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert main(["data", "fetch", *arguments]) == 2
    assert message in capsys.readouterr().err
    assert roots.registered("data") == {}
