"""Logit maps kept for pictures: small, exact enough to be drawn, one file per image."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from pipeline.errors import UserError
from pipeline.files import atomic_write_bytes

Map = NDArray[np.float32]
"""(h, w), or (classes, h, w) of class logits."""


def write_logits(path: Path, logits: Map) -> None:
    """Keep a map as float16 `.npy`."""
    buffer = io.BytesIO()
    np.save(buffer, logits.astype(np.float16), allow_pickle=False)
    atomic_write_bytes(path, buffer.getvalue())


def read_logits(path: Path) -> Map:
    """What `write_logits` kept, float32."""
    try:
        kept = np.load(path, allow_pickle=False)
    except (OSError, ValueError) as error:
        raise UserError(f"{path} holds no map ({error}); run `dvc repro` to make it") from error
    logits: Map = kept.astype(np.float32)
    return logits
