"""A class for every pixel of a scene."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from pipeline.data.class_names import SAMPLE
from pipeline.data.sample.render import Painted
from pipeline.data.sample.scene import Scene
from pipeline.data.sample.things import CATEGORIES

GROUPS = {
    "people": ("face", "person"),
    "building": ("house",),
    "plant": ("tree", "flower", "mushroom"),
    "vehicle": ("car",),
    "object": ("fish", "cup"),
}
"""Categories of each class; all other categories are shapes."""
_CLASS = {category: name for name, categories in GROUPS.items() for category in categories}


def indices(scene: Scene, painted: Painted) -> NDArray[np.uint8]:
    """(H, W): index in the class list `sample`; 0 is the background."""
    own = [SAMPLE.index(_CLASS.get(thing.category, "shape")) for thing in scene.things]
    # The background owns what -1 says: the last entry.
    table = np.array([*own, 0], dtype=np.uint8)
    found: NDArray[np.uint8] = table[painted.owner]
    return found


assert set(_CLASS) <= set(CATEGORIES)
