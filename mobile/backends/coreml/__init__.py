"""Core ML: `.mlpackage` ML Programs. See `backend`."""

from __future__ import annotations

from mobile.backends.coreml import backend as _registers  # noqa: F401
