"""Interrupted downloads go on, and never mix the bytes of two files."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipeline.data.fetch.download import Policy, download
from pipeline.errors import UserError
from tests.data.fetch.archives import Watch, noise
from tests.data.fetch.downloads import DATA, Slept, interrupted, part
from tests.data.fetch.server import Server


def only_it(target: Path) -> bool:
    """Whether nothing but the whole file is left."""
    return [p.name for p in target.parent.iterdir()] == [target.name]


def test_bytes_arrive_and_are_counted(server: Server, target: Path, patient: Policy) -> None:
    served = server.serve("data.zip", DATA)
    watch = Watch()
    download(server.url("data.zip"), target, watch, patient)
    assert target.read_bytes() == DATA
    assert only_it(target)
    assert (watch.begun, watch.count) == ([(0, len(DATA))], len(DATA))
    assert served.asked[0]["accept-encoding"] == "identity"


def test_dropped_connections_are_resumed_where_they_broke(
    server: Server, target: Path, patient: Policy, slept: Slept
) -> None:
    served = server.serve("data.zip", DATA, drop_after=[300_000, 0, 0, 200_000])
    watch = Watch()
    download(server.url("data.zip"), target, watch, patient)
    assert target.read_bytes() == DATA
    assert served.ranges_asked == [None, *["bytes=300000-"] * 3, "bytes=500000-"]
    assert [headers.get("if-range") for headers in served.asked] == [None, *['"one"'] * 4]
    assert watch.count == len(DATA)
    assert slept.seconds == [1.0, 1.0, 2.0, 1.0], "longer while nothing comes"


def test_more_drops_than_attempts_are_fine_while_each_brings_something(
    server: Server, target: Path, patient: Policy
) -> None:
    server.serve("data.zip", DATA, drop_after=[100_000] * 9)
    download(server.url("data.zip"), target, Watch(), patient)
    assert target.read_bytes() == DATA


def test_a_later_call_goes_on(server: Server, target: Path, patient: Policy) -> None:
    interrupted(server, target, 400_000)
    watch = Watch()
    download(server.url("data.zip"), target, watch, patient)
    assert target.read_bytes() == DATA
    assert server.files["/data.zip"].ranges_asked == ["bytes=400000-"]
    assert watch.begun == [(400_000, len(DATA))]
    assert only_it(target)


def test_a_date_serves_where_there_is_no_strong_etag(
    server: Server, target: Path, patient: Policy
) -> None:
    date = "Mon, 01 Jun 2009 10:00:00 GMT"
    interrupted(server, target, 1000, etag='W/"weak"', modified=date)
    download(server.url("data.zip"), target, Watch(), patient)
    assert target.read_bytes() == DATA
    assert server.files["/data.zip"].asked[0]["if-range"] == date


def test_without_any_validator_it_begins_anew(
    server: Server, target: Path, patient: Policy
) -> None:
    interrupted(server, target, 1000, etag="")
    download(server.url("data.zip"), target, Watch(), patient)
    assert target.read_bytes() == DATA
    assert server.files["/data.zip"].ranges_asked == [None]


def test_drops_that_bring_next_to_nothing_are_given_up(
    server: Server, target: Path, slept: Slept
) -> None:
    served = server.serve("data.zip", DATA, drops_always=10)
    with pytest.raises(UserError, match="4 times in a row"):
        policy = Policy(attempts=4, step=100, sleep=slept)
        download(server.url("data.zip"), target, Watch(), policy)
    assert len(served.asked) == 4
    assert part(target).read_bytes() == DATA[:40]


def test_a_server_that_ignores_ranges_is_taken_from_the_start(
    server: Server, target: Path, patient: Policy
) -> None:
    interrupted(server, target, 400_000, ranges=False)
    watch = Watch()
    download(server.url("data.zip"), target, watch, patient)
    assert target.read_bytes() == DATA
    assert watch.begun == [(0, len(DATA))]


def test_one_that_ignores_ranges_and_always_drops_is_given_up(
    server: Server, target: Path, patient: Policy, slept: Slept
) -> None:
    served = server.serve("data.zip", DATA, ranges=False, drops_always=100)
    message = r"the server promised 1000000 bytes and sent 100, 3 times in a row; .* goes on from"
    with pytest.raises(UserError, match=message):
        download(server.url("data.zip"), target, Watch(), patient)
    assert len(served.asked) == 4
    assert not target.exists()


@pytest.mark.parametrize("honoured", [True, False], ids=["if-range", "no if-range"])
def test_other_bytes_under_another_etag_replace_the_old_ones(
    server: Server, target: Path, patient: Policy, honoured: bool
) -> None:
    interrupted(server, target, 400_000)
    other = noise(len(DATA), seed=1)
    served = server.serve("data.zip", other, etag='"two"', if_range=honoured)
    download(server.url("data.zip"), target, Watch(), patient)
    assert target.read_bytes() == other
    assert served.ranges_asked == (["bytes=400000-"] if honoured else ["bytes=400000-", None])


def test_another_size_under_the_same_etag_is_noticed(
    server: Server, target: Path, patient: Policy
) -> None:
    interrupted(server, target, 400_000)
    other = noise(len(DATA) + 5, seed=1)
    server.serve("data.zip", other)
    download(server.url("data.zip"), target, Watch(), patient)
    assert target.read_bytes() == other


def test_a_whole_part_is_not_asked_for_again(server: Server, target: Path, patient: Policy) -> None:
    """Killed between the last byte and the renaming."""
    interrupted(server, target, 400_000)
    part(target).write_bytes(DATA)
    download(server.url("data.zip"), target, Watch(), patient)
    assert target.read_bytes() == DATA
    assert server.files["/data.zip"].asked == []


def test_a_part_longer_than_the_file_begins_anew(
    server: Server, target: Path, patient: Policy
) -> None:
    interrupted(server, target, 400_000)
    part(target).write_bytes(DATA + b"more")
    download(server.url("data.zip"), target, Watch(), patient)
    assert target.read_bytes() == DATA
    assert server.files["/data.zip"].ranges_asked == ["bytes=1000004-", None]


def test_a_promise_that_was_too_long_is_settled_by_416(
    server: Server, target: Path, patient: Policy
) -> None:
    """The length was a lie, and the server itself says so when asked for what is missing."""
    served = server.serve("data.zip", DATA, claims=len(DATA) + 1000)
    download(server.url("data.zip"), target, Watch(), patient)
    assert target.read_bytes() == DATA
    assert served.ranges_asked == [None, f"bytes={len(DATA)}-"]


def test_a_promise_that_was_too_short_is_noticed_where_the_size_is_known(
    server: Server, target: Path, patient: Policy
) -> None:
    served = server.serve("data.zip", DATA, claims=1000)
    with pytest.raises(UserError, match=r"offers 1000 bytes, but .* known to have 1000000"):
        download(server.url("data.zip"), target, Watch(), patient, size=len(DATA))
    assert len(served.asked) == 1
    assert list(target.parent.iterdir()) == [], "nothing of it was taken"


def test_a_server_that_tells_no_length_is_read_to_its_end(
    server: Server, target: Path, patient: Policy
) -> None:
    server.serve("data.zip", DATA, sized=False)
    watch = Watch()
    download(server.url("data.zip"), target, watch, patient)
    assert target.read_bytes() == DATA
    assert watch.begun == [(0, None)]


@pytest.mark.parametrize("text", ["", "{", "[]", '{"url": 3}', '{"url": "x", "total": "y"}'])
def test_a_damaged_note_begins_anew(
    server: Server, target: Path, patient: Policy, text: str
) -> None:
    interrupted(server, target, 1000)
    target.with_name("data.zip.part.json").write_text(text)
    download(server.url("data.zip"), target, Watch(), patient)
    assert target.read_bytes() == DATA


def test_bytes_of_another_address_are_not_continued(
    server: Server, target: Path, patient: Policy
) -> None:
    interrupted(server, target, 1000)
    other = server.serve("other.zip", noise(5000, seed=2))
    download(server.url("other.zip"), target, Watch(), patient)
    assert target.read_bytes() == other.data
    assert other.ranges_asked == [None]
