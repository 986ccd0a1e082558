"""Whatever bytes come back, what people see is one line."""

from __future__ import annotations

import contextlib
import socketserver
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from pipeline.data.fetch.download import Policy, download
from pipeline.errors import UserError
from tests.data.fetch.archives import Watch

ONCE = Policy(attempts=2, step=10**9, timeout=5.0, sleep=lambda _: None)

LINES = st.sampled_from([
    b"Content-Length: 10", b"Content-Length: -3", b"Content-Length: " + b"9" * 5000,
    b"Content-Length: ten", b"Transfer-Encoding: chunked", b"Content-Range: bytes 0-9/10",
    b"Content-Range: bytes 5-9/" + b"9" * 5000, b"Content-Range: bytes */0",
    b"Content-Range: nonsense", b'ETag: "x"', b"ETag: \xff\xfe", b'ETag: "a"\r\n "folded"',
    b"Last-Modified: never", b"Location: http://[", b"Location: //", b"Location: data:,x",
    b"Retry-After: " + b"9" * 500, b"Retry-After: soon", b"no colon at all", b": empty",
    b"Content-Type: text/html", b"\x00: \x00", b"Content-Encoding: gzip",
])  # fmt: skip
STATUS = st.sampled_from([
    b"HTTP/1.1 200 OK", b"HTTP/1.1 206 Partial", b"HTTP/1.1 416 No", b"HTTP/1.1 302 There",
    b"HTTP/1.1 500 \x1b[2J", b"HTTP/1.1 999 ?", b"HTTP/1.1 -1 ?", b"HTTP/9.9 200", b"", b"junk",
    b"HTTP/1.1 100 Continue", b"HTTP/1.1 304 Same",
])  # fmt: skip
BODY = st.sampled_from(
    [b"", b"0123456789", b"A\r\n0123456789\r\n0\r\n\r\n", b"-5\r\nabc", b"zz\r\n"]
)


class _Raw(socketserver.StreamRequestHandler):
    timeout = 5.0

    def handle(self) -> None:
        with contextlib.suppress(OSError):
            while self.rfile.readline().strip():
                pass
            self.wfile.write(self.server.payload)


@pytest.fixture(scope="module")
def raw() -> Iterator[socketserver.ThreadingTCPServer]:
    """A server that answers everything with `payload`."""
    server = socketserver.ThreadingTCPServer(("127.0.0.1", 0), _Raw)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    yield server
    server.shutdown()
    server.server_close()


@settings(max_examples=80, suppress_health_check=list(HealthCheck))
@given(status=STATUS, lines=st.lists(LINES, max_size=4), body=BODY)
@example(b"HTTP/1.1 206 P", [b"Content-Range: bytes 0-1/" + b"9" * 5000], b"")
@example(b"HTTP/1.1 200 OK", [b"Transfer-Encoding: chunked"], b"-5\r\nabc")
@example(b"HTTP/1.1 200 OK", [b'ETag: "a"\r\n "folded"', b"Content-Length: 20"], b"0123456789")
@example(b"HTTP/1.1 302 There", [b"Location: http://["], b"")
@example(b"HTTP/1.1 302 There", [b"Location: http://127.0.0.1:99999/"], b"")
def test_nonsense_is_a_message(
    raw: socketserver.ThreadingTCPServer,
    tmp_path_factory: pytest.TempPathFactory,
    status: bytes,
    lines: list[bytes],
    body: bytes,
) -> None:
    raw.payload = b"\r\n".join([status, *lines, b"", body])
    folder = tmp_path_factory.mktemp("raw")
    url = f"http://127.0.0.1:{raw.server_address[1]}/data.zip"
    try:
        download(url, folder / "data.zip", Watch(), ONCE)
    except UserError as error:
        said = str(error)
    else:
        said = ""
        assert (folder / "data.zip").is_file()
    assert all(letter.isprintable() for letter in said), "nothing of it reaches the terminal raw"
    assert {p.name for p in Path(folder).iterdir()} <= {
        "data.zip",
        "data.zip.part",
        "data.zip.part.json",
    }
