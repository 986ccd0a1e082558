"""The shipped files on 64-bit ARM, emulated: which numbers a phone's kernels give."""

from __future__ import annotations

from mobile.targets.arm64.target import Arm64

__all__ = ["Arm64"]
