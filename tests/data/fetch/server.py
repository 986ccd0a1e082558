"""A real server on this machine that behaves, or misbehaves, as a test says."""

from __future__ import annotations

import re
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

PATIENCE = 20.0
"""Seconds that a hanging answer waits at most."""


@dataclass
class Served:
    """One file and how it is served."""

    data: bytes
    etag: str = '"one"'
    modified: str = ""
    ranges: bool = True
    if_range: bool = True
    """Whether If-Range is honoured; without, a range of other bytes is sent all the same."""
    drop_after: list[int] = field(default_factory=list)
    """Bytes after which each connection in turn breaks; later ones do not."""
    drops_always: int | None = None
    """Bytes after which every connection breaks."""
    claims: int | None = None
    """A Content-Length that is not so."""
    sized: bool = True
    """Whether any length is told."""
    statuses: list[int] = field(default_factory=list)
    """Answers of the first requests."""
    extra: dict[str, str] = field(default_factory=dict)
    """More headers."""
    location: str = ""
    """Where every request is sent instead."""
    hang_at: int | None = None
    """Bytes after which an answer waits for `go`."""
    asked: list[dict[str, str]] = field(default_factory=list)
    """Headers of every request so far, names in lower case."""
    go: threading.Event = field(default_factory=threading.Event)

    @property
    def ranges_asked(self) -> list[str | None]:
        """The Range of every request."""
        return [headers.get("range") for headers in self.asked]


class Server(ThreadingHTTPServer):
    """Files by path."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.files: dict[str, Served] = {}
        self.scheme = "http"

    def url(self, name: str) -> str:
        """Where `name` is to be had."""
        return f"{self.scheme}://127.0.0.1:{self.server_address[1]}/{name}"

    def serve(self, name: str, data: bytes, **behaviour: object) -> Served:
        """Serve `data` under `name`."""
        self.files[f"/{name}"] = Served(data, **behaviour)
        return self.files[f"/{name}"]

    def handle_error(self, request: object, client_address: object) -> None:
        """A client that has gone is what some tests are about."""


@contextmanager
def running(context: ssl.SSLContext | None = None) -> Iterator[Server]:
    """A server at work; over TLS with `context`."""
    server = Server()
    if context is not None:
        server.scheme = "https"
        server.socket = context.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield server
    finally:
        for served in server.files.values():
            served.go.set()
        server.shutdown()
        server.server_close()
        thread.join()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    timeout = PATIENCE
    server: Server

    def do_GET(self) -> None:
        served = self.server.files.get(self.path)
        if served is None:
            self._empty(404)
            return
        served.asked.append({name.lower(): value for name, value in self.headers.items()})
        if served.location:
            self._empty(302, Location=served.location)
        elif served.statuses:
            self._empty(served.statuses.pop(0), **served.extra)
        else:
            self._send(served)

    def _send(self, served: Served) -> None:
        first, whole = 0, len(served.data)
        asked = re.fullmatch(r"bytes=(\d+)-", self.headers.get("Range", ""))
        told = self.headers.get("If-Range")
        fresh = told in (served.etag, served.modified) or not served.if_range
        if asked and served.ranges and fresh:
            first = int(asked[1])
            if first >= whole:
                self._empty(416, **{"Content-Range": f"bytes */{whole}"})
                return
            self.send_response(206)
            self.send_header("Content-Range", f"bytes {first}-{whole - 1}/{whole}")
        else:
            self.send_response(200)
        body = served.data[first:]
        if served.sized:
            length = len(body) if served.claims is None else served.claims
            self.send_header("Content-Length", str(length))
        for name, value in (("etag", served.etag), ("Last-Modified", served.modified)):
            if value:
                self.send_header(name, value)
        for name, value in served.extra.items():
            self.send_header(name, value)
        self.send_header("Connection", "close")
        self.end_headers()
        self.close_connection = True
        if served.hang_at is not None and not served.go.is_set():
            self.wfile.write(body[: served.hang_at])
            served.go.wait(PATIENCE)
            body = body[served.hang_at :]
        stop = served.drop_after.pop(0) if served.drop_after else served.drops_always
        self.wfile.write(body[:stop])

    def _empty(self, status: int, **headers: str) -> None:
        self.send_response(status)
        for name, value in {"Content-Length": "0", "Connection": "close", **headers}.items():
            self.send_header(name, value)
        self.end_headers()
        self.close_connection = True

    def log_message(self, *args: object) -> None:
        """Say nothing."""
