"""Core ML: `.mlpackage` ML Programs in fp16 and with int8 weights. See `backend`."""

from __future__ import annotations

from mobile.backends.coreml import backend as _registers  # noqa: F401
