"""The likeliest classes of a whole photograph, as JSON."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import numpy as np

from fovea.predict.picture import Map

MOST = 5
"""Classes that are told; all where there are fewer."""
_DIGITS = 6
"""Of a probability."""


def likeliest(output: Map, names: Sequence[str] = (), most: int = MOST) -> list[dict[str, Any]]:
    """`class` (where names are known), `index` and `probability` of the likeliest classes.

    `output` holds class logits (classes, 1, 1); of equal ones the first class stands first.
    """
    logits = output.astype(np.float64).reshape(-1)
    shares = np.exp(logits - logits.max())
    shares /= shares.sum()
    return [
        ({"class": names[index]} if names else {})
        | {"index": int(index), "probability": round(float(shares[index]), _DIGITS)}
        for index in np.argsort(-logits, kind="stable")[:most]
    ]


def encoded(output: Map, names: Sequence[str] = ()) -> bytes:
    """The same as a JSON text, likeliest first, with a newline at its end."""
    return (json.dumps(likeliest(output, names), indent=2, ensure_ascii=False) + "\n").encode()
