"""No name leads out of the folder that an archive is unpacked into."""

from __future__ import annotations

import os
import unicodedata
from pathlib import PurePosixPath

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.data.fetch.members import (
    MAX_RATIO,
    SMALL,
    Admission,
    Kind,
    Member,
    Refused,
    safe_path,
)

LETTERS = "aA./\\:~ \0\n\x7f\u00e9\u0301\u202e\ud800"
NASTY = st.lists(
    st.sampled_from(["..", ".", "", "/", "a", "A", "\\", "C:", "\0", "x" * 300, "é", "\n", "~"])
    | st.text(LETTERS, max_size=5),
    max_size=6,
).map("/".join)


@given(NASTY)
def test_a_safe_path_stays_below(name: str) -> None:
    """Against the operating system's own reading of the joined path."""
    try:
        path = safe_path(name)
    except ValueError:
        return
    target = "/target/folder"
    joined = os.path.normpath(os.path.join(target, name))  # noqa: PTH118
    if path is None:
        assert joined == target
        return
    assert joined == os.path.normpath(f"{target}/{path}")
    assert joined.startswith(f"{target}/")
    assert "\0" not in str(path)
    assert all(part not in ("", ".", "..") and len(part.encode()) <= 255 for part in path.parts)


@given(NASTY)
def test_a_safe_path_is_its_own(name: str) -> None:
    try:
        path = safe_path(name)
    except ValueError:
        return
    assert path is None or safe_path(str(path)) == path


@given(st.lists(st.text("abcdefgh_-0123456789", min_size=1, max_size=9), min_size=1, max_size=5))
def test_plain_names_are_taken_as_they_are(parts: list[str]) -> None:
    assert safe_path("/".join(parts)) == PurePosixPath(*parts)


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("../x", "leads out"),
        ("a/../../x", "leads out"),
        ("a/..", "leads out"),
        ("/etc/passwd", "absolute"),
        ("//x", "absolute"),
        ("a\\..\\x", "backslash"),
        ("C:/x", "drive"),
        ("c:", "drive"),
        ("a\0b", "characters"),
        ("a\x1b[2Jb", "characters"),
        ("\udcff", "characters"),
        ("a/" + "x" * 256, "too long"),
        ("é" * 128, "too long"),
        ("a/" * 501, "too long"),
    ],
)
def test_reasons(name: str, reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        safe_path(name)


@pytest.mark.parametrize("name", [".", "./", ""])
def test_the_top_itself_is_no_path(name: str) -> None:
    assert safe_path(name) is None


def admitted(*members: Member | str, packed: int = 1000) -> list[str]:
    admission = Admission("toy.zip", packed)
    paths = [admission.admit(m if isinstance(m, Member) else Member(m, 1)) for m in members]
    return [str(path) for path in paths if path is not None]


def test_folders_and_leftovers_are_left_out() -> None:
    junk = ["__MACOSX/a/._b", "a/.DS_Store", "a/.svn/entries", "a/Thumbs.db"]
    assert admitted(Member("a/", 0, Kind.FOLDER), "./a/b", *junk) == ["a/b"]


def test_leftovers_are_no_way_around() -> None:
    with pytest.raises(Refused, match="leads out"):
        admitted("__MACOSX/../../x")


@pytest.mark.parametrize(
    ("member", "reason"),
    [
        (Member("a", 1, Kind.LINK), "'a' is a link"),
        (Member("a", 0, Kind.SPECIAL), "'a' is a device"),
        (Member("a", 1, encrypted=True), "'a' is encrypted"),
        (Member("../a", 1), r"'\.\./a' leads out of the archive"),
        (Member("a", -1), "'a' takes .*: no honest archive"),
    ],
)
def test_a_bad_member_refuses_the_archive(member: Member, reason: str) -> None:
    with pytest.raises(Refused, match=f"toy.zip is refused, nothing .* its member {reason}"):
        admitted(member)


@pytest.mark.parametrize(
    ("names", "reason"),
    [
        (["a/b", "a/b"], "'a/b' is there twice"),
        (["a/b", "a//b"], "'a//b' is there twice"),
        (["a/b.jpg", "a/B.jpg"], "'a/B.jpg' differs from 'a/b.jpg' by case alone"),
        (["A/b", "a/c"], "'a/c' differs from 'A' by case alone"),
        (["stra\u00dfe", "strasse"], "by case alone"),
        (["caf\u00e9", unicodedata.normalize("NFD", "caf\u00e9")], "by case alone"),
        (["a", "a/b"], "'a/b' lies in 'a', which is a file"),
        (["a/b", "a"], "'a' is a file and a folder"),
    ],
)
def test_names_that_would_meet_on_some_disk(names: list[str], reason: str) -> None:
    with pytest.raises(Refused, match=reason):
        admitted(*names)


def test_a_bomb_is_refused_by_what_all_members_claim_together() -> None:
    limit = 1_000_000 * MAX_RATIO
    fair = [Member("a", limit - 1), Member("b", 1)]
    assert admitted(*fair, packed=1_000_000) == ["a", "b"]
    with pytest.raises(Refused, match=f"'c' takes what is unpacked past {limit} bytes"):
        admitted(*fair, Member("c", 1), packed=1_000_000)


def test_small_archives_may_compress_well() -> None:
    assert admitted(Member("a", SMALL), packed=1) == ["a"]
    with pytest.raises(Refused, match="no honest archive"):
        admitted(Member("a", SMALL + 1), packed=1)
