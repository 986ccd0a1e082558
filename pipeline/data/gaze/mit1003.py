"""MIT1003: one file of samples for each viewer and image, `DATA/VIEWER/IMAGE.mat`.

It holds one struct under the image's name (of which MATLAB keeps 63 characters), whose
`DATA(1).eyeData` (N, 2 or more) are x and y in pixels counted from 1; negative where the viewer
blinked. The authors' own code takes fixations as these samples' medians, rounded down, and leaves
each viewer's first one out (`showEyeDataAcrossUsers.m`).
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipeline.data import matfile
from pipeline.data.fixations import Fixations, of_viewers
from pipeline.data.gaze.registry import file_of, reader
from pipeline.data.gaze.saccades import fixations
from pipeline.data.images import read_size
from pipeline.data.records import Record
from pipeline.errors import UserError

_NAME = 63
"""Characters of a MATLAB variable's name."""
_FAR = 2.0**30


@reader("mit1003")
def mit1003(record: Record) -> Fixations:
    """Every viewer's fixations but the first, in whole pixels of the map's frame, or the image's.

    Raises `UserError`, naming the file, for one that holds no samples of this image.
    """
    viewers = [
        np.floor(fixations(_samples(path, record.image.stem))[1:]) - 1
        for path in (file_of(record), *record.others)
    ]
    return of_viewers(viewers, *read_size(record.map or record.image))


def _samples(path: Path, image: str) -> NDArray[np.float64]:
    name = image[:_NAME]
    content, names = matfile.load(path, (name,), ("DATA", "eyeData"))
    trace: Any = content.get(name)
    for field in ("DATA", "eyeData"):
        trace = trace[0].get(field) if isinstance(trace, list) and trace else None
    if isinstance(trace, np.ndarray) and trace.ndim == 2 and trace.shape[1] >= 2:
        # Far outside is outside, and the square of a distance stays finite.
        samples: NDArray[np.float64] = np.clip(trace[:, :2], -_FAR, _FAR)
        return samples
    found = ", ".join(sorted(names)) or "nothing"
    raise UserError(
        f"{path} has no {name}.DATA.eyeData (found {found}); expected an MIT1003 file of {image}"
    )
