"""A server of one page on this machine alone: the runtime, the model, its inputs, its answers."""

from __future__ import annotations

import contextlib
import json
import queue
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import numpy as np

from mobile.backend import Array

_HERE = Path(__file__).parent
_TYPES = {
    ".html": "text/html",
    ".js": "text/javascript",
    ".json": "application/json",
    ".wasm": "application/wasm",
}
ISOLATED = {
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Embedder-Policy": "require-corp",
    "Cross-Origin-Resource-Policy": "same-origin",
}
"""What a browser asks for before it shares memory between threads."""
LARGEST_ANSWER = 1 << 28


@dataclass(frozen=True)
class Job:
    """What the page is to do."""

    packages: Path
    model: bytes
    inputs: list[Array]
    """As the file takes them, all of one shape and type."""
    threads: int
    plan: dict[str, Any] | None = None
    """Fields of `mobile.timing.Plan`: time runs; None: give outputs."""

    def described(self) -> bytes:
        """`job.json`."""
        first = self.inputs[0]
        what = {"images": len(self.inputs), "shape": first.shape, "dtype": str(first.dtype)}
        return json.dumps(what | {"threads": self.threads, "plan": self.plan}).encode()


@dataclass(frozen=True)
class Answers:
    """What the page has posted."""

    outputs: dict[int, Array] = field(default_factory=dict)
    """Flat float32 by image."""
    last: queue.Queue[tuple[str, dict[str, Any]]] = field(default_factory=queue.Queue)
    """`done` or `failed`, with what was said."""


@contextlib.contextmanager
def serving(job: Job) -> Iterator[tuple[str, Answers]]:
    """The page's address, and its answers; the server ends with the block."""
    answers = Answers()

    class Handler(_Handler):
        pass

    Handler.job, Handler.answers = job, answers
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}/", answers
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


class _Handler(BaseHTTPRequestHandler):
    job: Job
    answers: Answers

    def do_GET(self) -> None:
        found = self._found(self.path.split("?")[0])
        if found is None:
            self.send_error(HTTPStatus.NOT_FOUND)
            return
        data, kind = found
        self._answer(data, kind)

    def do_POST(self) -> None:
        length = int(self.headers.get("Content-Length") or 0)
        if not 0 <= length <= LARGEST_ANSWER:
            self.send_error(HTTPStatus.REQUEST_ENTITY_TOO_LARGE)
            return
        data = self.rfile.read(length)
        name, _, number = self.path.strip("/").partition("/")
        if name == "outputs" and number.isdecimal():
            self.answers.outputs[int(number)] = np.frombuffer(data, np.float32)
        elif name in ("done", "failed"):
            self.answers.last.put((name, json.loads(data)))
        else:
            self.send_error(HTTPStatus.NOT_FOUND)
            return
        self._answer(b"", "text/plain")

    def _found(self, path: str) -> tuple[bytes, str] | None:
        if path == "/job.json":
            return self.job.described(), _TYPES[".json"]
        if path == "/model":
            return self.job.model, "application/octet-stream"
        if path.startswith("/images/") and path[8:].isdecimal():
            if int(path[8:]) >= len(self.job.inputs):
                return None
            return np.ascontiguousarray(self.job.inputs[int(path[8:])]).tobytes(), "image/raw"
        if path.startswith("/package/"):
            return _file(self.job.packages, path.removeprefix("/package/"))
        return _file(_HERE, {"/": "page.html", "/page.js": "page.js"}.get(path, ""))

    def _answer(self, data: bytes, kind: str) -> None:
        self.send_response(HTTPStatus.OK)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(data)))
        for name, value in ISOLATED.items():
            self.send_header(name, value)
        self.end_headers()
        # A page that has gone, or ended its work, needs no answer.
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):
            self.wfile.write(data)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
        """Say nothing."""


def _file(root: Path, name: str) -> tuple[bytes, str] | None:
    """A file of known type inside `root`; None for any other."""
    path = (root / name).resolve()
    kind = _TYPES.get(path.suffix)
    if kind is None or not path.is_relative_to(root.resolve()) or not path.is_file():
        return None
    return path.read_bytes(), kind
