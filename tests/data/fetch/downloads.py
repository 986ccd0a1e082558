"""A download's target, and policies that do not wait."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import pytest

from pipeline.data.fetch.download import Policy, download
from pipeline.errors import UserError
from tests.data.fetch.archives import Watch, noise
from tests.data.fetch.server import Server

DATA = noise(1_000_000)


@dataclass
class Slept:
    """Sleeps not at all, and remembers for how long it should have."""

    seconds: list[float] = field(default_factory=list)

    def __call__(self, seconds: float) -> None:
        self.seconds.append(seconds)


def quick(slept: Slept) -> Policy:
    """Three attempts."""
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
