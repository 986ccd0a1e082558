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

STUDIES = {study.name: study for study in (CII,)}
