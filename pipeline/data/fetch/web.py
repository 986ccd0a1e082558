"""One request over HTTP or HTTPS: redirects within bounds, every failure one of two kinds.

`Dropped` is worth another attempt; a `UserError` is not.
"""

from __future__ import annotations

import http.client
import re
import ssl
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from email.message import Message
from http import HTTPStatus
from typing import Any
from urllib.parse import urlsplit

from pipeline.errors import UserError

REDIRECTS = 5
_AGENT = "fovea (data fetch)"
_PASSING = (408, 425, 429, 500, 502, 503, 504)
_UNSATISFIABLE = 416
_RANGE = re.compile(r"bytes (?:(\d{1,19})-\d{1,19}|\*)/(\d{1,19}|\*)")


class Dropped(Exception):  # noqa: N818
    """A connection or server that failed and may not fail the next time."""

    def __init__(self, reason: str, wait: float = 0.0) -> None:
        super().__init__(reason)
        self.wait = wait
        """Seconds for which the server asks to be left alone."""


@dataclass(frozen=True)
class Answer:
    """A response whose body is still to be read."""

    status: int
    headers: Message
    """Names in any case."""
    body: http.client.HTTPResponse | urllib.error.HTTPError

    @property
    def length(self) -> int | None:
        """Bytes of the body, as promised."""
        text = self.headers.get("Content-Length", "")
        return int(text) if text.isascii() and text.isdigit() and len(text) < 20 else None

    @property
    def span(self) -> tuple[int | None, int | None]:
        """First byte and size of the whole, of a part (206) or of a refused one (416)."""
        found = _RANGE.fullmatch(self.headers.get("Content-Range", "").strip())
        if not found:
            return None, None
        first, whole = found[1], found[2]
        return (int(first) if first else None, None if whole == "*" else int(whole))

    def told(self, name: str) -> str:
        """A header that can be sent back as it is; empty where there is none such."""
        value = str(self.headers.get(name, ""))
        return value if value.isascii() and value.isprintable() and len(value) <= 200 else ""

    def read(self, size: int) -> bytes:
        """Up to `size` bytes, as many as are there; none at the end.

        Raises `Dropped` when the connection fails. What came before that has been returned.
        """
        try:
            chunk: bytes = self.body.read1(size)
        except (OSError, ValueError, http.client.HTTPException) as error:
            raise Dropped(f"the connection broke ({_words(error)})") from error
        return chunk


@contextmanager
def asked(url: str, headers: Mapping[str, str], timeout: float) -> Iterator[Answer]:
    """The answer to GET `url`: 200, 206 or 416.

    `timeout` is in seconds without a byte. Raises `Dropped` for what may pass, `UserError` for
    what will not: no such page, no permission, redirects without end or away from HTTPS.
    """
    request = urllib.request.Request(  # noqa: S310
        url, headers={"User-Agent": _AGENT, "Accept-Encoding": "identity", **headers}
    )
    try:
        response = _opener().open(request, timeout=timeout)
    except urllib.error.HTTPError as error:
        with error:
            if error.code != _UNSATISFIABLE:
                raise _refusal(url, error) from error
            yield Answer(error.code, error.headers, error)
            return
    except urllib.error.URLError as error:
        raise _unreachable(url, error.reason) from error
    except (OSError, http.client.HTTPException) as error:
        raise _unreachable(url, error) from error
    except ValueError as error:  # an address that is none, in a redirect
        raise UserError(f"{url} leads to an address that cannot be used") from error
    with response:
        yield Answer(response.status, response.headers, response)


class _Redirects(urllib.request.HTTPRedirectHandler):
    """Follows a few, and never from HTTPS to HTTP."""

    max_redirections = REDIRECTS
    max_repeats = 2

    def redirect_request(
        self, req: urllib.request.Request, fp: Any, code: int, msg: str, headers: Any, newurl: str
    ) -> urllib.request.Request | None:
        scheme = urlsplit(newurl).scheme
        if scheme not in ("http", "https") or (req.type == "https" and scheme == "http"):
            raise UserError(
                f"{req.full_url} redirects to {newurl[:200]!r}, which is not followed: "
                "the way there is not secured"
            )
        return super().redirect_request(req, fp, code, msg, headers, newurl)


def _opener() -> urllib.request.OpenerDirector:
    """HTTP and HTTPS, through the environment's proxies, and no other scheme."""
    opener = urllib.request.OpenerDirector()
    for handler in (
        urllib.request.ProxyHandler(),
        urllib.request.HTTPHandler(),
        urllib.request.HTTPSHandler(),
        urllib.request.HTTPDefaultErrorHandler(),
        urllib.request.HTTPErrorProcessor(),
        urllib.request.UnknownHandler(),
        _Redirects(),
    ):
        opener.add_handler(handler)
    return opener


def _refusal(url: str, error: urllib.error.HTTPError) -> Exception:
    """What a status means."""
    code = error.code
    if code in _PASSING:
        asked_for = error.headers.get("Retry-After", "")
        wait = float(asked_for) if asked_for.isascii() and asked_for.isdigit() else 0.0
        return Dropped(f"the server answered {_status(code)}", min(wait, 60.0))
    if 300 <= code < 400:
        return UserError(f"{url} redirects without end, or nowhere ({_status(code)})")
    return UserError(f"{url}: the server answered {_status(code)}")


def _status(code: int) -> str:
    # The server's own words could hold anything; the standard's do not.
    try:
        return f"{code} {HTTPStatus(code).phrase}"
    except ValueError:
        return str(code)


def _unreachable(url: str, reason: object) -> Exception:
    if isinstance(reason, ssl.SSLCertVerificationError):
        return UserError(
            f"{url}: the server's certificate cannot be verified ({reason.verify_message}); "
            "check this computer's clock and certificates, or whether a proxy is in between"
        )
    host = urlsplit(url).netloc
    return Dropped(f"{host} cannot be reached ({_words(reason)})")


def _words(reason: object) -> str:
    if isinstance(reason, TimeoutError):
        return "nothing came in time"
    if isinstance(reason, OSError) and reason.strerror:
        return reason.strerror
    text = str(reason) if isinstance(reason, str) else type(reason).__name__
    return repr(text[:100])[1:-1]
