"""Where people looked, from the files of each data set.

Every module of this package registers the readers it defines, by the name that records carry.
"""

from __future__ import annotations

import importlib
import pkgutil

from pipeline.data.gaze.registry import Reader, read, reader

__all__ = ["Reader", "read", "reader"]

for _module in pkgutil.iter_modules(__path__):
    importlib.import_module(f"{__name__}.{_module.name}")
