"""LiteRT: `.tflite` models on the XNNPACK delegate. See `backend` and `quantise`."""

from __future__ import annotations

from mobile.backends.litert import backend as _registers  # noqa: F401
from mobile.backends.litert.backend import layout_of
from mobile.backends.litert.delegation import count_delegated

__all__ = ["count_delegated", "layout_of"]
