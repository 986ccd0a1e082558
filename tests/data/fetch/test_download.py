"""Servers in trouble, servers that refuse, full disks: it is said, and what came is kept."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from pipeline.data.fetch.download import Policy, download
from pipeline.errors import UserError
from tests.conftest import ROOT
from tests.data.fetch.archives import Watch
from tests.data.fetch.downloads import DATA, Slept, interrupted, once, part
from tests.data.fetch.server import Server


@pytest.mark.parametrize("status", [500, 503, 429])
def test_a_server_in_trouble_is_asked_again(
    server: Server, target: Path, patient: Policy, slept: Slept, status: int
) -> None:
    server.serve("data.zip", DATA, statuses=[status, status])
    download(server.url("data.zip"), target, Watch(), patient)
    assert target.read_bytes() == DATA
    assert slept.seconds == [1.0, 2.0]


def test_a_server_that_asks_for_rest_gets_it_within_bounds(
    server: Server, target: Path, patient: Policy, slept: Slept
) -> None:
    served = server.serve("data.zip", DATA, statuses=[503], extra={"Retry-After": "7"})
    download(server.url("data.zip"), target, Watch(), patient)
    served.statuses, served.extra = [503], {"Retry-After": "86400"}
    download(server.url("data.zip"), target, Watch(), patient)
    assert slept.seconds == [7.0, 60.0]


@pytest.mark.parametrize(
    ("status", "message"),
    [(404, "404 Not Found"), (403, "403 Forbidden"), (410, "410 Gone"), (599, "599")],
)
def test_a_refusal_is_final(
    server: Server, target: Path, patient: Policy, status: int, message: str
) -> None:
    served = server.serve("data.zip", DATA, statuses=[status] * 9)
    with pytest.raises(UserError, match=rf"data\.zip: the server answered {message}$"):
        download(server.url("data.zip"), target, Watch(), patient)
    assert len(served.asked) == 1


def test_redirects_are_followed_with_the_range(
    server: Server, target: Path, patient: Policy
) -> None:
    interrupted(server, target, 1000)
    served = server.files["/data.zip"]
    server.files["/mirror.zip"] = served
    server.serve("data.zip", b"", location=server.url("mirror.zip"))
    download(server.url("data.zip"), target, Watch(), patient)
    assert target.read_bytes() == DATA
    assert served.ranges_asked == ["bytes=1000-"]


@pytest.mark.parametrize("where", ["data.zip", "ftp://127.0.0.1/x", "file:///etc/passwd"])
def test_redirects_without_end_or_elsewhere_are_refused(
    server: Server, target: Path, patient: Policy, where: str
) -> None:
    location = where if ":" in where else server.url(where)
    served = server.serve("data.zip", b"", location=location)
    with pytest.raises(UserError, match="redirects"):
        download(server.url("data.zip"), target, Watch(), patient)
    assert len(served.asked) <= 6
    assert list(target.parent.iterdir()) == []


def test_a_web_page_is_no_archive(server: Server, target: Path, patient: Policy) -> None:
    page = {"Content-Type": "text/html; charset=utf-8"}
    server.serve("data.zip", b"<html>please log in</html>", extra=page)
    with pytest.raises(UserError, match=r"sent a web page, not an archive; .* --from FOLDER"):
        download(server.url("data.zip"), target, Watch(), patient)


def test_silence_counts_as_a_drop(server: Server, target: Path) -> None:
    served = server.serve("data.zip", DATA, hang_at=1000)
    with pytest.raises(UserError, match=r"the connection broke .nothing came in time., 1 times"):
        download(server.url("data.zip"), target, Watch(), once(0.2))
    assert part(target).read_bytes() == DATA[:1000]
    served.go.set()
    download(server.url("data.zip"), target, Watch(), once(5.0))
    assert target.read_bytes() == DATA


def test_nobody_there(target: Path, patient: Policy, server: Server) -> None:
    with pytest.raises(UserError, match=r"127\.0\.0\.1:9 cannot be reached .*3 times in a row"):
        download("http://127.0.0.1:9/data.zip", target, Watch(), patient)


def test_no_disk_is_large_enough_for_this(server: Server, target: Path, patient: Policy) -> None:
    server.serve("data.zip", DATA, claims=10**15)
    with pytest.raises(UserError, match=r"needs 2000000\.0 GB in .*; make room"):
        download(server.url("data.zip"), target, Watch(), patient)
    assert list(target.parent.iterdir()) == []


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


def test_a_full_disk_keeps_what_there_is(server: Server, target: Path, patient: Policy) -> None:
    served = server.serve("data.zip", DATA)
    done = subprocess.run(
        [sys.executable, "-c", FULL, server.url("data.zip"), str(target)],
        cwd=ROOT, capture_output=True, text=True, check=False,
    )  # fmt: skip
    message = f"could not write {part(target)}: File too large; make room on that disk and run"
    assert message in done.stdout, done.stderr
    assert 0 < part(target).stat().st_size <= 600_000
    assert json.loads(target.with_name("data.zip.part.json").read_text())["etag"] == '"one"'
    download(server.url("data.zip"), target, Watch(), patient)
    assert target.read_bytes() == DATA
    assert served.ranges_asked[1] is not None, "room was made: it goes on"
