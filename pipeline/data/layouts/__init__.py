"""How data sets lie on disk: each layout turns a root and a split into records.

A layout is a function registered under its name; it lists files and reads none of them. Every
module of this package registers what it defines, so a new data set is one new file.
"""

from __future__ import annotations

import importlib
import pkgutil

from pipeline.data.layouts.registry import (
    Layout,
    fitting,
    get,
    layout,
    listed,
    names,
    parts,
    require_root,
    scan,
)
from pipeline.data.records import Record

__all__ = [
    "Layout",
    "Record",
    "fitting",
    "get",
    "layout",
    "listed",
    "names",
    "parts",
    "require_root",
    "scan",
]

for _module in pkgutil.iter_modules(__path__):
    importlib.import_module(f"{__name__}.{_module.name}")
