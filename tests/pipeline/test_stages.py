"""What holds for every stage entry before it has done anything."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

SHOW = "import os, pipeline.stages; print(os.environ['OMP_WAIT_POLICY'])"


@pytest.mark.parametrize(("chosen", "found"), [(None, "PASSIVE"), ("ACTIVE", "ACTIVE")])
def test_threads_wait_without_spinning_unless_told_otherwise(
    chosen: str | None, found: str
) -> None:
    environment = {k: v for k, v in os.environ.items() if k != "OMP_WAIT_POLICY"}
    if chosen:
        environment["OMP_WAIT_POLICY"] = chosen
    shown = subprocess.run(
        [sys.executable, "-c", SHOW], env=environment, capture_output=True, text=True, check=True
    )
    assert shown.stdout.strip() == found
