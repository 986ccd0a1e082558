"""Other runtimes of the same exported files than this environment's own."""

from __future__ import annotations

from mobile.targets import android as _android  # noqa: F401  # each registers itself
from mobile.targets import arm64 as _arm64  # noqa: F401
from mobile.targets import browser as _browser  # noqa: F401
from mobile.targets import oldest as _oldest  # noqa: F401
from mobile.targets.registry import Target, get, names

__all__ = ["Target", "get", "names"]
