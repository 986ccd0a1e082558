"""What will go wrong with a student on phones, found before anyone trains it. See `run`."""

from __future__ import annotations

from mobile.lint.finding import Finding
from mobile.lint.run import BACKENDS, lint

__all__ = ["BACKENDS", "Finding", "lint"]
