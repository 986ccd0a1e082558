"""Operators by family, one module each; `load` registers them all."""

from __future__ import annotations

import importlib
import pkgutil


def load() -> None:
    """Import every family."""
    for module in pkgutil.iter_modules(__path__):
        importlib.import_module(f"{__name__}.{module.name}")
