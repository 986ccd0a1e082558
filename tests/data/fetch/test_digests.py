"""Published digests, first sight, and what a user chose to trust."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import pytest

from pipeline.data.fetch import digests
from pipeline.data.fetch.sources import Archive
from pipeline.errors import UserError
from tests.data.fetch.archives import Watch, noise, source

URL = "http://example.org/photos.zip"


def archive(**more: object) -> Archive:
    return source(URL, **more).archives[0]


@pytest.fixture
def found(tmp_path: Path) -> digests.Digest:
    (tmp_path / "file").write_bytes(noise(3_000_000))
    return digests.measure(tmp_path / "file", Watch())


def test_one_reading_gives_both_digests(found: digests.Digest) -> None:
    data = noise(3_000_000)
    assert found.sha256 == hashlib.sha256(data).hexdigest()
    assert found.md5 == hashlib.md5(data).hexdigest()
    assert found.size == len(data)


def test_a_published_digest_holds_or_does_not(found: digests.Digest) -> None:
    known = digests.expected(archive(md5=found.md5, size=found.size))
    assert known is not None
    assert known.holds(found)
    assert known.size == found.size
    other = digests.expected(archive(md5="0" * 32))
    assert other is not None
    assert not other.holds(found)
    assert other.shown(found) == f"MD5 {found.md5}, but the published one is {'0' * 32}"


def test_sha256_is_preferred(found: digests.Digest) -> None:
    known = digests.expected(archive(md5="0" * 32, sha256=found.sha256))
    assert known is not None
    assert known.holds(found)


def test_first_sight_is_remembered(found: digests.Digest, tmp_path: Path) -> None:
    assert digests.expected(archive()) is None
    digests.trust(archive(), found)
    known = digests.expected(archive())
    assert known is not None
    assert known.holds(found)
    assert known.whose.startswith("the one trusted on 20")
    record = json.loads((tmp_path / "config/digests.json").read_text())
    assert record[URL] == {"sha256": found.sha256, "size": found.size, "date": known.whose[-10:]}


def test_what_a_user_trusted_comes_before_what_is_published(found: digests.Digest) -> None:
    digests.trust(archive(md5="0" * 32, size=7), found)
    known = digests.expected(archive(md5="0" * 32, size=7))
    assert known is not None
    assert known.holds(found)
    assert known.size == found.size


@pytest.mark.parametrize("text", ["[]", '{"a": 3}', '{"a": {"sha256": 1}}', "{"])
def test_a_damaged_record_is_named(tmp_path: Path, text: str) -> None:
    (tmp_path / "config").mkdir()
    (tmp_path / "config/digests.json").write_text(text)
    with pytest.raises(UserError, match=r"digests\.json"):
        digests.expected(archive())


def test_a_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"gone cannot be read: No such file"):
        digests.measure(tmp_path / "gone", Watch())
