"""Frozen experts: `build`, `names` and `spec` look a teacher up by name."""

from __future__ import annotations

import importlib
import pkgutil

from students.registry import Registry

registry = Registry("teacher")
register = registry.register
build = registry.build
names = registry.names
spec = registry.spec

for _module in pkgutil.iter_modules(__path__):
    importlib.import_module(f"{__name__}.{_module.name}")
