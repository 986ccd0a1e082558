"""Generated scenes with generated viewers: data that needs no download and no licence."""

from pipeline.data.sample.generate import generate

__all__ = ["generate"]
