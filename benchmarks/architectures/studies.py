"""What is compared of each architecture, and what its paper has for it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from benchmarks.ablation.studies import Row


@dataclass(frozen=True)
class Claim:
    """One sign that the paper reports: `better` is above `worse`."""

    better: str
    worse: str
    published: str
    """The paper's two figures and where they stand."""


@dataclass(frozen=True)
class Study:
    """Rows that differ in one thing, the same images, input and budget for all."""

    name: str
    title: str
    base: tuple[str, ...]
    """Overrides of every row, before the user's."""
    rows: tuple[Row, ...]
    metrics: tuple[str, ...]
    """Columns; the first one decides whether a sign agrees."""
    claims: tuple[Claim, ...]
    published: Mapping[str, str]
    """By row: the paper's figures."""
    measured_on: str
    """What the paper's figures are of."""

    def row(self, key: str) -> Row:
        """The row called `key`."""
        return next(row for row in self.rows if row.key == key)


def _cii(key: str, title: str) -> Row:
    return Row(key, title, (f"student.overrides.interactor={key}",))


CII = Study(
    name="cii",
    title="CII: what stands between a backbone's scales and the decoder's (Tables 1 and 2)",
    base=("student=cii_r18",),
    rows=(
        _cii("none", "1x1, apart"),
        _cii("apart2", "two 3x3, apart"),
        _cii("shared2", "two 3x3, shared"),
        _cii("shared4", "four 3x3, shared"),
        _cii("rgc", "RGC"),
        _cii("rgc_dagger", "RGC†"),
        _cii("ppm", "PPM"),
        _cii("ppm_dagger", "PPM†"),
    ),
    metrics=("maxF", "MAE", "S"),
    claims=(
        Claim("shared2", "apart2", ".869 > .849, Table 1"),
        Claim("shared2", "none", ".869 > .848, Table 1"),
        Claim("rgc_dagger", "shared4", ".878 > .868, Table 2"),
        Claim("rgc_dagger", "rgc", ".878 > .873, Table 2"),
    ),
    published={
        "none": ".848 / .060 / .851",
        "apart2": ".849 / .059 / .852",
        "shared2": ".869 / .050 / .870",
        "shared4": ".868 / .049 / .870",
        "rgc": ".873 / .045 / .870",
        "rgc_dagger": ".878 / .042 / .874",
        "ppm": ".868 / .047 / .868",
        "ppm_dagger": ".866 / .047 / .869",
    },
    measured_on="F / MAE / S on DUTS-TE, ResNet-18 from ImageNet, 10,553 images",
)

GALD = Study(
    name="gald",
    title="GALD: global aggregation alone, local distribution alone, both (Table 1 a-c)",
    base=("student=gald_r18",),
    rows=(
        Row("fcn", "FCN", ("student.overrides.context=none", "student.overrides.local=false")),
        Row("ld", "FCN + LD", ("student.overrides.context=none",)),
        Row("cgnl", "CGNL", ("student.overrides.local=false",)),
        Row("cgnl_ld", "CGNL + LD (GALD)", ()),
        Row("psp", "PSP", ("student.overrides.context=psp", "student.overrides.local=false")),
        Row("psp_ld", "PSP + LD", ("student.overrides.context=psp",)),
        Row("ldga", "LDGA", ("student.overrides.arrangement=ldga",)),
        Row("parallel", "parallel", ("student.overrides.arrangement=parallel",)),
        Row("bilinear", "GALD, mask by bilinear", ("student.overrides.mask=bilinear",)),
        Row("average", "GALD, mask by averaging", ("student.overrides.mask=average",)),
        Row("authors", "GALD, F (2 + M)", ("student.overrides.gate=authors",)),
    ),
    metrics=("mIoU", "accuracy"),
    claims=(
        Claim("cgnl_ld", "cgnl", "79.6 > 78.2, Table 1b"),
        Claim("cgnl", "fcn", "78.2 > 73.7, Table 1a"),
        Claim("ld", "fcn", "77.5 > 73.7, Table 1b"),
        Claim("cgnl_ld", "ldga", "79.6 > 78.1, Table 1c"),
        Claim("cgnl_ld", "bilinear", "79.6 > 77.6, Table 1e"),
    ),
    published={
        "fcn": "73.7", "ld": "77.5", "cgnl": "78.2", "cgnl_ld": "79.6", "psp": "76.2",
        "psp_ld": "78.9", "ldga": "78.1", "parallel": "77.5", "bilinear": "77.6",
        "average": "76.5",
    },
    measured_on="mIoU on Cityscapes, ResNet-50 from ImageNet, 2,975 images",
)  # fmt: skip

ZIGZAG = Study(
    name="zigzag",
    title="ZigZagNet: what is left when a part is taken out (Table 1)",
    base=("student=zigzagnet_r18",),
    rows=(
        Row("baseline", "encoder-decoder", ("student.overrides.zigzag=down",
            "student.overrides.stages=1", "student.overrides.dense=false")),
        Row("no_fusion", "no feature fusion",
            ("student.overrides.zigzag=up", "student.overrides.stages=1")),
        Row("no_exchange", "no context exchange", ("student.overrides.stages=1",)),
        Row("no_dense", "no dense pathways", ("student.overrides.dense=false",)),
        Row("full", "full", ()),
        Row("scf", "full, contexts summed", ("student.overrides.combine=sum",)),
        Row("conv", "full, convolutions for RCE", ("student.overrides.context=conv",)),
        Row("author", "the authors' neck", ("student.overrides.preset=author",)),
    ),
    metrics=("mIoU", "accuracy"),
    claims=(
        Claim("full", "baseline", "86.0 > 82.5, Table 1"),
        Claim("full", "no_exchange", "86.0 > 84.2, Table 1"),
        Claim("full", "no_dense", "86.0 > 84.9, Table 1"),
        Claim("full", "scf", "86.0 > 85.2, Table 2"),
    ),
    published={
        "baseline": "82.5", "no_fusion": "83.6", "no_exchange": "84.2", "no_dense": "84.9",
        "full": "86.0", "scf": "85.2",
    },
    measured_on="mIoU on VOC 2012, ResNet-101 from ImageNet and COCO, 10,582 images",
)  # fmt: skip

CEDNET = Study(
    name="cednet",
    title="CEDNet: how many stages share the blocks (Table 6)",
    base=("student=cednet_n",),
    rows=(
        Row("m1", "1 stage of 3, 6, 3", ("student.overrides.blocks=[[3,6,3]]",)),
        Row("m2", "2 stages of 1, 3, 2", ("student.overrides.blocks=[[1,3,2],[1,3,2]]",)),
        Row("m3", "3 stages of 1, 2, 1", ()),
        Row("plain", "3 stages, no long-range blocks", ("student.overrides.lr_block=false",)),
    ),
    metrics=("mIoU", "accuracy"),
    claims=(
        Claim("m3", "m1", "43.3 > 40.6 AP, Table 6"),
        Claim("m3", "m2", "43.3 > 42.9 AP, Table 6"),
        Claim("m3", "plain", "48.3 > 47.9 AP, Table 8"),
    ),
    published={"m1": "40.6", "m2": "42.9", "m3": "43.3", "plain": "47.9 of 48.3"},
    measured_on="box AP on COCO, RetinaNet on CEDNet-T",
)

_SCRATCH = ("student.weights=none",)
OBJECTS_TAUGHT = Study(
    name="objects_taught",
    title="FastSal (A) for salient objects, alone and taught by CII-R18",
    base=("student=fastsal_a_objects",),
    rows=(
        Row("alone", "alone", ()),
        Row("taught", "taught", ("teacher=cii_r18",)),
        Row("alone-scratch", "alone, backbone from scratch", _SCRATCH),
        Row("taught-scratch", "taught, backbone from scratch", ("teacher=cii_r18", *_SCRATCH)),
    ),
    metrics=("maxF", "MAE", "S", "F"),
    claims=(
        Claim("taught", "alone", "no paper; FastSal, Table V: labels help"),
        Claim("taught-scratch", "alone-scratch", "no paper; FastSal, Table V: labels help"),
    ),
    published={},
    measured_on="none has this",
)

CLASSES_TAUGHT = Study(
    name="classes_taught",
    title="FastSal (A)'s decoder with a class head, alone and taught by GALD-R18",
    base=("student=fastsal_a_semantic",),
    rows=(
        Row("alone", "alone", ()),
        Row("taught", "taught", ("teacher=gald_r18",)),
        Row("alone-scratch", "alone, backbone from scratch", _SCRATCH),
        Row("taught-scratch", "taught, backbone from scratch", ("teacher=gald_r18", *_SCRATCH)),
    ),
    metrics=("mIoU", "accuracy"),
    claims=(
        Claim("taught", "alone", "no paper; FastSal, Table V: labels help"),
        Claim("taught-scratch", "alone-scratch", "no paper; FastSal, Table V: labels help"),
    ),
    published={},
    measured_on="none has this",
)

STUDIES = {
    study.name: study for study in (CII, GALD, ZIGZAG, CEDNET, OBJECTS_TAUGHT, CLASSES_TAUGHT)
}
