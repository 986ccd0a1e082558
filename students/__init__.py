"""Everything we can ship: `build`, `names` and `spec` look a student up by name."""

from __future__ import annotations

import importlib
import pkgutil

from students.registry import ModelSpec, Registry

__all__ = ["ModelSpec", "build", "names", "register", "spec"]

registry = Registry("student")
register = registry.register
build = registry.build
names = registry.names
spec = registry.spec

# Every module of the package registers what it defines, so a new student is one new file.
for _module in pkgutil.iter_modules(__path__):
    importlib.import_module(f"{__name__}.{_module.name}")
