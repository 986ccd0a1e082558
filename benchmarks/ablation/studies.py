"""What is compared: studies, their rows, and the overrides that make the difference."""

from __future__ import annotations

import difflib
from collections.abc import Sequence
from dataclasses import dataclass

from benchmarks.ablation import paper
from benchmarks.ablation.paper import Published
from pipeline.errors import UserError

FULL = "phases=distilled"
"""The whole protocol: its gradient steps are every row's budget."""


@dataclass(frozen=True)
class Row:
    """One student of a study."""

    key: str
    """For names: of experiments, on the command line, in the ledger."""
    title: str
    overrides: tuple[str, ...]
    """What this row trains with that the others do not."""
    measured: tuple[str, ...] = ()
    """Overrides of the evaluation alone: rows that differ in nothing else share their training."""
    needs: tuple[str, ...] = ()
    """Registered weights without which the row is left out."""
    note: str = ""


@dataclass(frozen=True)
class Study:
    """Rows that belong beside each other, and what the paper has for them."""

    name: str
    title: str
    question: str
    base: tuple[str, ...]
    """Overrides of every row, unless the user says otherwise."""
    rows: tuple[Row, ...]
    published: tuple[Published, ...]
    hinted: bool = False
    """Whether the hint loss after pretraining is a result, too."""

    def row(self, key: str) -> Row:
        """The row called `key`."""
        return next(row for row in self.rows if row.key == key)


DENSITY = "student.phases.finetune.labels_loss=density"
SIGMOID, SOFTMAX = "student.readout=sigmoid", "student.readout=softmax"

TABLE5 = Study(
    name="table5",
    title="What each part of the teaching buys",
    question="Hint pretraining (Eq. 1), the teacher's maps and the annotators' maps (the two terms "
    "of Eq. 2), in the five combinations of Table V.",
    base=("student=fastsal_c", "teacher=salgan"),
    rows=(
        Row("labels", "labels", ("phases=labels_only",), note="0 1 0"),
        Row("hints-labels", "hints + labels", ("phases=distilled_labels_only",), note="1 1 0"),
        Row("truth", "truth", ("phases=truth",), note="0 0 1"),
        Row("labels-truth", "labels + truth", ("phases=labels",), note="0 1 1"),
        Row("hints-labels-truth", "hints + labels + truth", (FULL,), note="1 1 1"),
    ),
    published=paper.TABLE5,
)

TABLE4 = Study(
    name="table4",
    title="Two backbones under one plain decoder",
    question="MobileNetV2 and EfficientNet-B0 as encoders, six convolutions with SalGAN's widths "
    "as the decoder, the whole protocol. Each backbone also from scratch: weights of only one of "
    "them would decide the comparison.",
    base=("teacher=salgan", FULL),
    rows=(
        Row("mobilenet_v2", "MobileNetV2", ("student=cnn_mobilenet_v2",),
            note="weights as the profile says"),
        Row("efficientnet_b0", "EfficientNet-B0",
            ("student=cnn_efficientnet_b0", "student.weights=efficientnet_b0"),
            needs=("efficientnet_b0",), note="registered weights"),
        Row("mobilenet_v2-scratch", "MobileNetV2, from scratch",
            ("student=cnn_mobilenet_v2", "student.weights=none")),
        Row("efficientnet_b0-scratch", "EfficientNet-B0, from scratch",
            ("student=cnn_efficientnet_b0", "student.weights=none")),
    ),
    published=paper.TABLE4,
    hinted=True,
)  # fmt: skip

TEACHERS = Study(
    name="teachers",
    title="SalGAN or DeepGaze II as the teacher",
    question="SalGAN's maps are learned by cross-entropy (Eq. 2), DeepGaze II's densities by KL "
    "divergence, cosine and cross-entropy (Eq. 3); annotations beside either. DeepGaze II has no "
    "decoder to give hints, so hints are SalGAN's or none. Its readout also on MobileNetV2's "
    "features, for want of VGG-19's weights.",
    base=("student=fastsal_c",),
    rows=(
        Row("salgan", "SalGAN, hints", (FULL, "teacher=salgan"), note="Eq. 2"),
        Row("salgan-deepgaze2", "DeepGaze II, hints",
            (FULL, "teacher=salgan_deepgaze2", DENSITY), note="hints of SalGAN, Eq. 3"),
        Row("salgan-deepgaze2_mobilenet", "DeepGaze II (MobileNetV2), hints",
            (FULL, "teacher=salgan_deepgaze2_mobilenet", DENSITY), note="hints of SalGAN, Eq. 3"),
        Row("salgan-nohints", "SalGAN", ("phases=labels", "teacher=salgan"),
            note="Eq. 2"),
        Row("deepgaze2", "DeepGaze II", ("phases=labels", "teacher=deepgaze2", DENSITY),
            note="Eq. 3"),
        Row("deepgaze2_mobilenet", "DeepGaze II (MobileNetV2)",
            ("phases=labels", "teacher=deepgaze2_mobilenet", DENSITY), note="Eq. 3"),
        Row("none", "no teacher", ("phases=truth",), note="annotations alone"),
    ),
    published=paper.TEACHERS,
)  # fmt: skip

READOUTS = Study(
    name="readouts",
    title="Sigmoid or softmax read-out",
    question="One map of logits is read as independent pixels (sigmoid) or as one density "
    "(softmax). Two rows of one loss share their training: only the read-out differs.",
    base=("student=fastsal_c", FULL),
    rows=(
        Row("bce-sigmoid", "Eq. 2, sigmoid", ("teacher=salgan",), (SIGMOID,),
            note="SalGAN"),
        Row("bce-softmax", "Eq. 2, softmax", ("teacher=salgan",), (SOFTMAX,),
            note="SalGAN"),
        Row("density-sigmoid", "Eq. 3, sigmoid", ("teacher=salgan_deepgaze2", DENSITY), (SIGMOID,),
            note="DeepGaze II"),
        Row("density-softmax", "Eq. 3, softmax", ("teacher=salgan_deepgaze2", DENSITY), (SOFTMAX,),
            note="DeepGaze II"),
        Row("mobilenet-sigmoid", "Eq. 3 (MobileNetV2), sigmoid",
            ("teacher=salgan_deepgaze2_mobilenet", DENSITY), (SIGMOID,),
            note="DeepGaze II on MobileNetV2"),
        Row("mobilenet-softmax", "Eq. 3 (MobileNetV2), softmax",
            ("teacher=salgan_deepgaze2_mobilenet", DENSITY), (SOFTMAX,),
            note="DeepGaze II on MobileNetV2"),
    ),
    published=paper.READOUTS,
)  # fmt: skip

STUDIES = {study.name: study for study in (TABLE5, TABLE4, TEACHERS, READOUTS)}


def named(names: Sequence[str]) -> list[Study]:
    """Studies by their names; all of them for none or `all`. `UserError` with the nearest name."""
    if not names or "all" in names:
        return list(STUDIES.values())
    for name in names:
        _known("study", name, list(STUDIES))
    return [STUDIES[name] for name in dict.fromkeys(names)]


def chosen_rows(studies: Sequence[Study], keys: Sequence[str] | None) -> dict[str, list[Row]]:
    """Rows of each study, by its name: those called `keys`, or all.

    Raises `UserError` for a key that no study has.
    """
    known = [row.key for study in studies for row in study.rows]
    for key in keys or ():
        _known("row", key, known)
    return {s.name: [r for r in s.rows if keys is None or r.key in keys] for s in studies}


def _known(kind: str, name: str, known: Sequence[str]) -> None:
    if name in known:
        return
    near = difflib.get_close_matches(name, known, n=1, cutoff=0.0)[0]
    listed = ", ".join(dict.fromkeys(known))
    raise UserError(f"no {kind} is called {name!r}; did you mean {near!r}? Known: {listed}")
