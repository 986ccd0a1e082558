"""A class for every pixel of a scene."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from pipeline.data.class_names import SAMPLE
from pipeline.data.sample import paint
from pipeline.data.sample.render import Painted
from pipeline.data.sample.scene import Scene

GROUPS = {
    "people": ("face", "person"),
    "plant": ("tree", "flower", "mushroom"),
    "object": ("house", "car", "fish", "cup"),
}
"""Categories of each class; all other categories are shapes."""
BEHIND = {"horizon": ("ground", "sky"), "table": ("table", "background")}
"""By kind of background: what its near and its far surface are; of others both are background."""
_CLASS = {category: name for name, categories in GROUPS.items() for category in categories}


def indices(scene: Scene, painted: Painted) -> NDArray[np.uint8]:
    """(H, W): index in the class list `sample`."""
    own = [SAMPLE.index(_CLASS.get(thing.category, "shape")) for thing in scene.things]
    found: NDArray[np.uint8] = np.array([*own, 0], dtype=np.uint8)[painted.owner]
    if scene.background.kind in BEHIND:
        near, far = (SAMPLE.index(name) for name in BEHIND[scene.background.kind])
        behind = painted.owner < 0
        share = paint.KINDS[scene.background.kind](
            paint.view(scene.background, scene.height, scene.width)
        )
        found[behind] = np.where(share > 1 / 2, far, near)[behind]
    return found
