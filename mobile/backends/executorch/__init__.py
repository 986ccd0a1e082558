"""ExecuTorch: `.pte` programs on the XNNPACK delegate. See `backend` and `quantise`."""

from __future__ import annotations

from mobile.backends.executorch import backend as _registers  # noqa: F401
from mobile.backends.executorch.delegation import count_delegated

__all__ = ["count_delegated"]
