"""Which release of SALICON's annotation a tree holds: 2015 or that of the LSUN 2017 challenge.

Images, names, folders and the form of the files are the same; what was annotated differs, and with
it every metric. The release of 2015 keeps the samples of the mouse thinned out, that of 2017 as
they were recorded, and detects fixations in them anew. Over the whole sets (10,000 and 5,000
images) a file holds 6,899 (train) and 7,769 (val) samples on average in 2015, 21,529 and 24,380 in
2017, and files differ from that by some 11 to 14 % (standard deviation). So a few files tell.
These figures follow from the totals and entropies that pysaliency's tests of the data set state.
"""

from __future__ import annotations

import math
import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from pipeline.data import layouts, matfile
from pipeline.data.records import Record
from pipeline.errors import UserError

EDITIONS = (2015, 2017)
BORDER = 12_000
"""Samples of the mouse per file: fewer are of 2015, more of 2017."""
FEWEST, MOST = 3_500, 48_000
"""Outside, a file is of neither."""
TRAJECTORY = 5.0
"""Samples per fixation: with fewer there is no trajectory, but fixations of another origin."""
LOOKED_AT = 5
"""Files that are counted."""


@dataclass(frozen=True)
class Sign:
    """What tells an edition."""

    edition: int
    why: str


def recognise(records: Sequence[Record]) -> Sign | None:
    """The edition of the annotation, or None where the files do not tell.

    They do not without fixation files, nor where these hold no trajectory of a mouse. Damaged files
    are passed over: reading them is where they are refused.
    """
    watched = [r.fixations for r in records if r.reader == "salicon" and r.fixations is not None]
    step = max(1, len(watched) // LOOKED_AT)
    counted = [found for path in watched[::step][:LOOKED_AT] if (found := _samples(path))]
    if not counted:
        return None
    typical = statistics.median(counted)
    if not FEWEST <= typical <= MOST:
        return None
    edition = 2015 if typical < BORDER else 2017
    return Sign(edition, f"its fixation files hold {typical:,.0f} samples of the mouse each")


def require_edition(records: Sequence[Record], layout: str, edition: int | None) -> None:
    """Raise `UserError` when the records are recognisably of another edition than is meant.

    `edition` None is the layout's own; layouts without editions are not looked at.
    """
    require_known(layout, edition)
    default = layouts.get(layout).edition
    wanted = edition or default
    sign = recognise(records) if default is not None else None
    if sign is not None and sign.edition != wanted:
        file = next(r.fixations for r in records if r.fixations is not None)
        raise UserError(
            f"{file.parent} is SALICON's release of {sign.edition}, not of {wanted}: {sign.why}; "
            f"set edition: {sign.edition} if it is meant (results of the two cannot be compared), "
            f"or get the fixations of {wanted}"
        )


def require_known(layout: str, edition: int | None) -> None:
    """Raise `UserError` for an edition that a layout with editions does not have."""
    known = layouts.get(layout)
    if edition is None or known.edition is None:
        return
    choices = (known.edition,) if known.fixed else EDITIONS
    if edition not in choices:
        raise UserError(
            f"layout {layout} has no edition {edition}; choose "
            f"{' or '.join(str(choice) for choice in choices)}"
        )


def meant(layout: str, root: str, edition: int | None) -> int | None:
    """The edition that a role means, None where there are none: other layouts, generated data."""
    known = layouts.get(layout).edition
    if known is None or root.startswith("sample/"):
        return None
    return edition or known


def _samples(path: Path) -> float:
    """Samples of the mouse in a file, 0 where there is no trajectory."""
    try:
        content, _ = matfile.load(path, ("gaze",), ("location", "fixations"))
    except UserError:
        return 0
    viewers = content.get("gaze")
    if not isinstance(viewers, list):
        return 0
    samples, fixations = (
        sum(_length(viewer.get(part)) for viewer in viewers if isinstance(viewer, dict))
        for part in ("location", "fixations")
    )
    return samples if samples >= TRAJECTORY * fixations else 0


def _length(value: Any) -> int:
    return math.prod(value.shape) // 2 if isinstance(value, np.ndarray) else 0
