"""A reference interpreter of Core ML programs, for systems without Core ML. See `run`."""

from __future__ import annotations
