"""Metrics are many small operations: on busy cores, threads cost them more than they bring."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from pipeline.tasks.task import one_thread


@pytest.fixture(autouse=True, scope="package")
def single_thread() -> Iterator[None]:
    with one_thread():
        yield
