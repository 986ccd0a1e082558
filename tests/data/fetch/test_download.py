"""Whatever the server does, a download ends whole or says what happened and goes on later."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from pipeline.data.fetch.download import Policy, download
from pipeline.errors import UserError
from tests.conftest import ROOT
from tests.data.fetch.archives import Watch, noise
from tests.data.fetch.server import Server

DATA = noise(1_000_000)


@dataclass
class Slept:
    """Sleeps not at all, and remembers for how long it should have."""

    seconds: list[float] = field(default_factory=list)

    def __call__(self, seconds: float) -> None:
        self.seconds.append(seconds)


@pytest.fixture
def target(tmp_path: Path) -> Path:
    return tmp_path / "data.zip"


@pytest.fixture
def slept() -> Slept:
    return Slept()


@pytest.fixture
def quick(slept: Slept) -> Policy:
    return Policy(attempts=3, step=1, timeout=5.0, pause=1.0, sleep=slept)


def once(timeout: float) -> Policy:
    """No second attempt."""
    return Policy(attempts=1, step=10**9, timeout=timeout)


def interrupted(server: Server, target: Path, after: int, **behaviour: object) -> None:
    """Leave a `.part` of `after` bytes, as a stopped download does."""
    served = server.serve("data.zip", DATA, drop_after=[after], **behaviour)
    with pytest.raises(UserError):
        download(server.url("data.zip"), target, Watch(), once(5.0))
    assert len(part(target).read_bytes()) == after
    served.asked.clear()


def part(target: Path) -> Path:
    return target.with_name(f"{target.name}.part")


def only_it(target: Path) -> bool:
    """Whether nothing but the whole file is left."""
    return [p.name for p in target.parent.iterdir()] == [target.name]


def test_bytes_arrive_and_are_counted(server: Server, target: Path, quick: Policy) -> None:
    served = server.serve("data.zip", DATA)
    watch = Watch()
    download(server.url("data.zip"), target, watch, quick)
    assert target.read_bytes() == DATA
    assert only_it(target)
    assert (watch.begun, watch.count) == ([(0, len(DATA))], len(DATA))
    assert served.asked[0]["accept-encoding"] == "identity"


def test_dropped_connections_are_resumed_where_they_broke(
    server: Server, target: Path, quick: Policy, slept: Slept
) -> None:
    served = server.serve("data.zip", DATA, drop_after=[300_000, 0, 0, 200_000])
    watch = Watch()
    download(server.url("data.zip"), target, watch, quick)
    assert target.read_bytes() == DATA
    assert served.ranges_asked == [None, *["bytes=300000-"] * 3, "bytes=500000-"]
    assert [headers.get("if-range") for headers in served.asked] == [None, *['"one"'] * 4]
    assert watch.count == len(DATA)
    assert slept.seconds == [1.0, 1.0, 2.0, 1.0], "longer while nothing comes"


def test_more_drops_than_attempts_are_fine_while_each_brings_something(
    server: Server, target: Path, quick: Policy
) -> None:
    server.serve("data.zip", DATA, drop_after=[100_000] * 9)
    download(server.url("data.zip"), target, Watch(), quick)
    assert target.read_bytes() == DATA


def test_a_later_call_goes_on(server: Server, target: Path, quick: Policy) -> None:
    interrupted(server, target, 400_000)
    watch = Watch()
    download(server.url("data.zip"), target, watch, quick)
    assert target.read_bytes() == DATA
    assert server.files["/data.zip"].ranges_asked == ["bytes=400000-"]
    assert watch.begun == [(400_000, len(DATA))]
    assert only_it(target)


def test_a_date_serves_where_there_is_no_strong_etag(
    server: Server, target: Path, quick: Policy
) -> None:
    date = "Mon, 01 Jun 2009 10:00:00 GMT"
    interrupted(server, target, 1000, etag='W/"weak"', modified=date)
    download(server.url("data.zip"), target, Watch(), quick)
    assert target.read_bytes() == DATA
    assert server.files["/data.zip"].asked[0]["if-range"] == date


def test_without_any_validator_it_begins_anew(server: Server, target: Path, quick: Policy) -> None:
    interrupted(server, target, 1000, etag="")
    download(server.url("data.zip"), target, Watch(), quick)
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
    server: Server, target: Path, quick: Policy
) -> None:
    interrupted(server, target, 400_000, ranges=False)
    watch = Watch()
    download(server.url("data.zip"), target, watch, quick)
    assert target.read_bytes() == DATA
    assert watch.begun == [(0, len(DATA))]


def test_one_that_ignores_ranges_and_always_drops_is_given_up(
    server: Server, target: Path, quick: Policy, slept: Slept
) -> None:
    served = server.serve("data.zip", DATA, ranges=False, drops_always=100)
    message = r"the server promised 1000000 bytes and sent 100, 3 times in a row; .* goes on from"
    with pytest.raises(UserError, match=message):
        download(server.url("data.zip"), target, Watch(), quick)
    assert len(served.asked) == 4
    assert not target.exists()


@pytest.mark.parametrize("honoured", [True, False], ids=["if-range", "no if-range"])
def test_other_bytes_under_another_etag_replace_the_old_ones(
    server: Server, target: Path, quick: Policy, honoured: bool
) -> None:
    interrupted(server, target, 400_000)
    other = noise(len(DATA), seed=1)
    served = server.serve("data.zip", other, etag='"two"', if_range=honoured)
    download(server.url("data.zip"), target, Watch(), quick)
    assert target.read_bytes() == other
    assert served.ranges_asked == (["bytes=400000-"] if honoured else ["bytes=400000-", None])


def test_another_size_under_the_same_etag_is_noticed(
    server: Server, target: Path, quick: Policy
) -> None:
    interrupted(server, target, 400_000)
    other = noise(len(DATA) + 5, seed=1)
    server.serve("data.zip", other)
    download(server.url("data.zip"), target, Watch(), quick)
    assert target.read_bytes() == other


def test_a_whole_part_is_not_asked_for_again(server: Server, target: Path, quick: Policy) -> None:
    """Killed between the last byte and the renaming."""
    interrupted(server, target, 400_000)
    part(target).write_bytes(DATA)
    download(server.url("data.zip"), target, Watch(), quick)
    assert target.read_bytes() == DATA
    assert server.files["/data.zip"].asked == []


def test_a_part_longer_than_the_file_begins_anew(
    server: Server, target: Path, quick: Policy
) -> None:
    interrupted(server, target, 400_000)
    part(target).write_bytes(DATA + b"more")
    download(server.url("data.zip"), target, Watch(), quick)
    assert target.read_bytes() == DATA
    assert server.files["/data.zip"].ranges_asked == ["bytes=1000004-", None]


def test_a_promise_that_was_too_long_is_settled_by_416(
    server: Server, target: Path, quick: Policy
) -> None:
    """The length was a lie, and the server itself says so when asked for what is missing."""
    served = server.serve("data.zip", DATA, claims=len(DATA) + 1000)
    download(server.url("data.zip"), target, Watch(), quick)
    assert target.read_bytes() == DATA
    assert served.ranges_asked == [None, f"bytes={len(DATA)}-"]


def test_a_promise_that_was_too_short_is_noticed_where_the_size_is_known(
    server: Server, target: Path, quick: Policy
) -> None:
    served = server.serve("data.zip", DATA, claims=1000)
    with pytest.raises(UserError, match=r"offers 1000 bytes, but .* known to have 1000000"):
        download(server.url("data.zip"), target, Watch(), quick, size=len(DATA))
    assert len(served.asked) == 1
    assert list(target.parent.iterdir()) == [], "nothing of it was taken"


def test_a_server_that_tells_no_length_is_read_to_its_end(
    server: Server, target: Path, quick: Policy
) -> None:
    server.serve("data.zip", DATA, sized=False)
    watch = Watch()
    download(server.url("data.zip"), target, watch, quick)
    assert target.read_bytes() == DATA
    assert watch.begun == [(0, None)]


@pytest.mark.parametrize("status", [500, 503, 429])
def test_a_server_in_trouble_is_asked_again(
    server: Server, target: Path, quick: Policy, slept: Slept, status: int
) -> None:
    server.serve("data.zip", DATA, statuses=[status, status])
    download(server.url("data.zip"), target, Watch(), quick)
    assert target.read_bytes() == DATA
    assert slept.seconds == [1.0, 2.0]


def test_a_server_that_asks_for_rest_gets_it_within_bounds(
    server: Server, target: Path, quick: Policy, slept: Slept
) -> None:
    served = server.serve("data.zip", DATA, statuses=[503], extra={"Retry-After": "7"})
    download(server.url("data.zip"), target, Watch(), quick)
    served.statuses, served.extra = [503], {"Retry-After": "86400"}
    download(server.url("data.zip"), target, Watch(), quick)
    assert slept.seconds == [7.0, 60.0]


@pytest.mark.parametrize(
    ("status", "message"),
    [(404, "404 Not Found"), (403, "403 Forbidden"), (410, "410 Gone"), (599, "599")],
)
def test_a_refusal_is_final(
    server: Server, target: Path, quick: Policy, status: int, message: str
) -> None:
    served = server.serve("data.zip", DATA, statuses=[status] * 9)
    with pytest.raises(UserError, match=rf"data\.zip: the server answered {message}$"):
        download(server.url("data.zip"), target, Watch(), quick)
    assert len(served.asked) == 1


def test_redirects_are_followed_with_the_range(server: Server, target: Path, quick: Policy) -> None:
    interrupted(server, target, 1000)
    served = server.files["/data.zip"]
    server.files["/mirror.zip"] = served
    server.serve("data.zip", b"", location=server.url("mirror.zip"))
    download(server.url("data.zip"), target, Watch(), quick)
    assert target.read_bytes() == DATA
    assert served.ranges_asked == ["bytes=1000-"]


@pytest.mark.parametrize("where", ["data.zip", "ftp://127.0.0.1/x", "file:///etc/passwd"])
def test_redirects_without_end_or_elsewhere_are_refused(
    server: Server, target: Path, quick: Policy, where: str
) -> None:
    location = where if ":" in where else server.url(where)
    served = server.serve("data.zip", b"", location=location)
    with pytest.raises(UserError, match="redirects"):
        download(server.url("data.zip"), target, Watch(), quick)
    assert len(served.asked) <= 6
    assert list(target.parent.iterdir()) == []


def test_a_web_page_is_no_archive(server: Server, target: Path, quick: Policy) -> None:
    page = {"Content-Type": "text/html; charset=utf-8"}
    server.serve("data.zip", b"<html>please log in</html>", extra=page)
    with pytest.raises(UserError, match=r"sent a web page, not an archive; .* --from FOLDER"):
        download(server.url("data.zip"), target, Watch(), quick)


def test_silence_counts_as_a_drop(server: Server, target: Path) -> None:
    served = server.serve("data.zip", DATA, hang_at=1000)
    with pytest.raises(UserError, match=r"the connection broke .nothing came in time., 1 times"):
        download(server.url("data.zip"), target, Watch(), once(0.2))
    assert part(target).read_bytes() == DATA[:1000]
    served.go.set()
    download(server.url("data.zip"), target, Watch(), once(5.0))
    assert target.read_bytes() == DATA


def test_nobody_there(target: Path, quick: Policy, server: Server) -> None:
    with pytest.raises(UserError, match=r"127\.0\.0\.1:9 cannot be reached .*3 times in a row"):
        download("http://127.0.0.1:9/data.zip", target, Watch(), quick)


def test_no_disk_is_large_enough_for_this(server: Server, target: Path, quick: Policy) -> None:
    server.serve("data.zip", DATA, claims=10**15)
    with pytest.raises(UserError, match=r"needs 2000000\.0 GB in .*; make room"):
        download(server.url("data.zip"), target, Watch(), quick)
    assert list(target.parent.iterdir()) == []


@pytest.mark.parametrize("text", ["", "{", "[]", '{"url": 3}', '{"url": "x", "total": "y"}'])
def test_a_damaged_note_begins_anew(server: Server, target: Path, quick: Policy, text: str) -> None:
    interrupted(server, target, 1000)
    target.with_name("data.zip.part.json").write_text(text)
    download(server.url("data.zip"), target, Watch(), quick)
    assert target.read_bytes() == DATA


def test_bytes_of_another_address_are_not_continued(
    server: Server, target: Path, quick: Policy
) -> None:
    interrupted(server, target, 1000)
    other = server.serve("other.zip", noise(5000, seed=2))
    download(server.url("other.zip"), target, Watch(), quick)
    assert target.read_bytes() == other.data
    assert other.ranges_asked == [None]


FULL = """
import resource, sys
from pathlib import Path
from pipeline.data.fetch.download import Policy, download
from pipeline.errors import UserError
from tests.data.fetch.archives import Watch
resource.setrlimit(resource.RLIMIT_FSIZE, (600_000, 600_000))
try:
    download(sys.argv[1], Path(sys.argv[2]), Watch(), Policy(2))
except UserError as error:
    print(error)
"""
"""A limit on the size of files stands for a full disk: both fail in the middle of a write."""


def test_a_full_disk_keeps_what_there_is(server: Server, target: Path, quick: Policy) -> None:
    served = server.serve("data.zip", DATA)
    done = subprocess.run(
        [sys.executable, "-c", FULL, server.url("data.zip"), str(target)],
        cwd=ROOT, capture_output=True, text=True, check=False,
    )  # fmt: skip
    message = f"could not write {part(target)}: File too large; make room on that disk and run"
    assert message in done.stdout, done.stderr
    assert 0 < part(target).stat().st_size <= 600_000
    assert json.loads(target.with_name("data.zip.part.json").read_text())["etag"] == '"one"'
    download(server.url("data.zip"), target, Watch(), quick)
    assert target.read_bytes() == DATA
    assert served.ranges_asked[1] is not None, "room was made: it goes on"
