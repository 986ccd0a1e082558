"""Exact rewrites before export: of a student's graph (`forms`) and of ATen operators (`cats`)."""

from __future__ import annotations

from mobile.rewrites.cats import split_shuffled_cats

__all__ = ["split_shuffled_cats"]
