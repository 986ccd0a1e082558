"""Configuration: the typed schema, loading params.yaml, and checking it before any work."""

from __future__ import annotations

from pipeline.config.load import compose, load
from pipeline.config.schema import Config

__all__ = ["Config", "compose", "load"]
