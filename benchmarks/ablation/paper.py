"""Figures of the paper, typed with where they stand. Never to be averaged or mixed with ours.

Hu and McGuinness, "FastSal: a Computationally Efficient Network for Visual Saliency Prediction"
(ICPR 2020).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Published:
    """Figures of one table on one data set."""

    table: str
    data: str
    """What they were measured on."""
    columns: tuple[str, ...]
    """Metrics by the names of `pipeline.metrics`, where they are the same."""
    figures: Mapping[str, tuple[float, ...]]
    """By the key of our row that is most like it, in the order of the columns."""
    titles: Mapping[str, str]
    """What the paper calls each."""
    remark: str = ""
    digits: int = 4
    """Decimals printed."""

    def best(self, column: str, *, smallest: bool) -> str:
        """Key of the row with the best figure of a column."""
        at = self.columns.index(column)
        choose = min if smallest else max
        return choose(self.figures, key=lambda key: self.figures[key][at])

    def shown(self, key: str, column: str) -> str:
        """One figure as it was printed."""
        return f"{self.figures[key][self.columns.index(column)]:.{self.digits}f}"


_COMBINATIONS = {
    "labels": "✗ ✓ ✗, fine-tuned on SalGAN's maps",
    "hints-labels": "✓ ✓ ✗, hints first",
    "truth": "✗ ✗ ✓, ground truth alone",
    "labels-truth": "✗ ✓ ✓, both maps",
    "hints-labels-truth": "✓ ✓ ✓, all three",
}
TABLE5 = (
    Published(
        "Table V, FastSal (C)",
        "SALICON 2017, validation",
        ("NSS", "CC"),
        {
            "labels": (1.7749, 0.8603),
            "hints-labels": (1.7789, 0.8604),
            "truth": (1.7861, 0.8604),
            "labels-truth": (1.8004, 0.8697),
            "hints-labels-truth": (1.8129, 0.8717),
        },
        _COMBINATIONS,
    ),
    Published(
        "Table V, FastSal (C)",
        "MIT1003",
        ("NSS", "CC"),
        {
            "labels": (1.9133, 0.6133),
            "hints-labels": (1.9192, 0.6141),
            "truth": (1.9106, 0.6088),
            "labels-truth": (1.9412, 0.6202),
            "hints-labels-truth": (1.9503, 0.6213),
        },
        _COMBINATIONS,
    ),
)

TABLE4 = (
    Published(
        "Table IV, six-layer CNN decoder",
        "SALICON 2017, validation",
        ("sAUC", "AUC-Borji", "NSS", "CC", "hint loss"),
        {
            "efficientnet_b0": (0.7275, 0.8421, 1.7623, 0.8579, 0.0617),
            "mobilenet_v2": (0.7365, 0.8450, 1.8163, 0.8751, 0.0526),
        },
        {"efficientnet_b0": "EfficientNet (b0)", "mobilenet_v2": "MobileNetV2"},
        "bAUC there is AUC-Borji here. Its hint loss is that of Eq. 1 against the released SalGAN.",
    ),
)

TEACHERS = (
    Published(
        "Table I, FastSal (C)",
        "MIT300",
        ("AUC", "sAUC", "NSS", "CC", "KLDiv", "SIM"),
        {
            "salgan": (0.8635, 0.7261, 2.1158, 0.7448, 0.7086, 0.6422),
            "salgan-deepgaze2": (0.8684, 0.7701, 2.1913, 0.7507, 0.4665, 0.6456),
        },
        {
            "salgan": "FastSal (C)1, fine-tuned with Eq. 2",
            "salgan-deepgaze2": "FastSal (C)2, fine-tuned with Eq. 3",
        },
        "The benchmark's server measured these. The two differ in data, too: SALICON for SalGAN, "
        "COCO for DeepGaze II. IG 0.8355 is given for Eq. 3 alone.",
    ),
)

READOUTS = (
    Published(
        "Table VI, FastSal (C)",
        "mAP of image retrieval by SalBoW",
        ("INSTRE", "INSTRE +qe", "Oxford", "Oxford +qe", "Paris", "Paris +qe"),
        {
            "bce-sigmoid": (0.703, 0.765, 0.751, 0.794, 0.818, 0.832),
            "density-sigmoid": (0.693, 0.751, 0.756, 0.798, 0.821, 0.836),
            "density-softmax": (0.681, 0.736, 0.747, 0.787, 0.813, 0.826),
        },
        {
            "bce-sigmoid": "1: SALICON with SalGAN",
            "density-sigmoid": "2: COCO with DeepGaze II, sigmoid",
            "density-softmax": "3: COCO with DeepGaze II, softmax",
        },
        "The paper compares the read-outs in this downstream task alone, which is not run here: no "
        "column is shared with ours.",
        digits=3,
    ),
)
