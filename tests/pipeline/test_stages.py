"""What holds for every stage entry before it has done anything."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

SHOW = "import os, pipeline.stages; print(os.environ['GOMP_SPINCOUNT'])"


@pytest.mark.parametrize(("chosen", "found"), [(None, "1000"), ("7", "7")])
def test_threads_spin_shortly_unless_told_otherwise(chosen: str | None, found: str) -> None:
    environment = {k: v for k, v in os.environ.items() if k != "GOMP_SPINCOUNT"}
    if chosen:
        environment["GOMP_SPINCOUNT"] = chosen
    shown = subprocess.run(
        [sys.executable, "-c", SHOW], env=environment, capture_output=True, text=True, check=True
    )
    assert shown.stdout.strip() == found
