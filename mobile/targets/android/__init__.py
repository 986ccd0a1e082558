"""The shipped files on a phone, over adb."""

from __future__ import annotations

from mobile.targets.android.target import Android

__all__ = ["Android"]
