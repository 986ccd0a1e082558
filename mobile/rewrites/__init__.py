"""Exact rewrites before export: of a student's graph (`forms`) and of ATen operators (the rest)."""

from __future__ import annotations

from mobile.rewrites.cats import split_shuffled_cats
from mobile.rewrites.constants import bare_constants
from mobile.rewrites.pools import pad_pools_with_zeros

__all__ = ["bare_constants", "pad_pools_with_zeros", "split_shuffled_cats"]
