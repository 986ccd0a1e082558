"""OSIE (Xu et al., "Predicting human gaze beyond pixels", Journal of Vision 2014)."""

from __future__ import annotations

from pathlib import Path

from pipeline.data.layouts.listing import holds_images, images, require_split
from pipeline.data.layouts.mit import ALL
from pipeline.data.layouts.registry import layout
from pipeline.data.records import Record

SIGMA = 24.0
"""Pixels, one degree of vision; how the authors blur fixations to a map (`params.eye.radius`)."""

_FIXATIONS = "data/eye/fixations.mat"


def _splits(root: Path) -> list[str]:
    there = (root / _FIXATIONS).is_file() and holds_images(root / "data" / "stimuli")
    return [ALL] if there else []


@layout("osie", _splits)
def osie(root: Path, split: str) -> list[Record]:
    """data/stimuli/*.jpg and data/eye/fixations.mat, one for all images (OSIE).

    There are no density maps: they are made from the fixations.
    """
    require_split(split, (ALL,), "osie")
    return [
        Record(image.stem, image, None, root / _FIXATIONS, reader="osie", blur=SIGMA)
        for image in images(root, "data/stimuli", "osie")
    ]
