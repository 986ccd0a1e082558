"""One gate: everything measured of an artefact against the budget, judged in one place."""

from __future__ import annotations

from mobile.gate import rules as _registers  # noqa: F401
from mobile.gate.judge import Facts, Verdict, judge, problems

__all__ = ["Facts", "Verdict", "judge", "problems"]
