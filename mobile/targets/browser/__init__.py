"""The shipped `.tflite` files in headless Chromium, through LiteRT's own runtime for the web."""

from __future__ import annotations

from mobile.targets.browser.target import Browser

__all__ = ["Browser"]
