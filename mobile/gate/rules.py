"""The rules: accuracy, fidelity, size, delegation, silent fallbacks, milliseconds of a phone."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from mobile.gate.judge import Facts, Verdict, rule
from mobile.latency_row import compare_rows

if TYPE_CHECKING:
    from pipeline.config.schema import Budget

MIB = 2**20
BARE = " (bare backbone)"
"""How the rows of a bare backbone end their student's name (`mobile.bare`)."""


@rule
def metric_loss(facts: Facts, budget: Budget) -> Iterator[Verdict]:
    """Task metrics, at the bad end of the interval: what a file may lose with 95 % confidence."""
    for metric, row in (facts.losses or {}).items():
        lost, average = _lost(row, "low"), _lost(row, "difference")
        yield Verdict(
            f"{metric} loss",
            f"at worst {lost:.2%} of torch's {row['torch']:.4f}, {average:.2%} on average",
            f"{budget.metric_loss:.2%}",
            lost <= budget.metric_loss,
            "calibrate on more images (data.calibration), train through int8 arithmetic "
            "(-S phases=distilled_int8), take a recipe with more bits, validate on more images if "
            "the interval is wide, or raise budget.metric_loss",
        )


@rule
def stratum_loss(facts: Facts, budget: Budget) -> Iterator[Verdict]:
    """The same on hard images alone, where a budget asks for it: their intervals are wide."""
    if budget.stratum_loss is None:
        return
    for stratum, found in (facts.strata or {}).items():
        for metric, row in found.items():
            if metric == "images":
                continue
            lost = _lost(row, "low")
            yield Verdict(
                f"{metric} loss, {stratum}",
                f"at worst {lost:.2%} of torch's {row['torch']:.4f} on {found['images']} images",
                f"{budget.stratum_loss:.2%}",
                lost <= budget.stratum_loss,
                "calibrate on images like these, take a recipe with more bits, validate on more "
                "images if the interval is wide, or raise budget.stratum_loss",
            )


def _lost(row: Mapping[str, float], end: str) -> float:
    """Loss at an end of the interval, as a share of torch's value."""
    return 0.0 - row[end] / abs(row["torch"]) if row["torch"] else 0.0


@rule
def logits(facts: Facts, budget: Budget) -> Iterator[Verdict]:  # noqa: ARG001
    """The recipe's bound on logits."""
    if facts.parity is None or facts.recipe.max_abs is None:
        return
    largest = facts.parity["max_abs_max"]
    yield Verdict(
        "logits",
        f"largest difference from torch {largest:.2g}",
        f"{facts.recipe.max_abs:g}",
        largest <= facts.recipe.max_abs,
        "export again; if it stays, run `fovea lint` and look at the export log",
    )


@rule
def correlation(facts: Facts, budget: Budget) -> Iterator[Verdict]:  # noqa: ARG001
    """The recipe's bound on the worst image's correlation."""
    least = None if facts.parity is None else facts.parity["cc_min"]
    if least is None:  # not run, or maps too flat for a correlation: the other rules speak
        return
    yield Verdict(
        "worst image",
        f"correlation with torch {least:.4f}",
        f"at least {facts.recipe.min_cc:g}",
        least >= facts.recipe.min_cc,
        "look at that image in the report, calibrate on images like it, or take a float recipe",
    )


@rule
def precision(facts: Facts, budget: Budget) -> Iterator[Verdict]:  # noqa: ARG001
    """Whether weights came out in the precision asked for, by the bytes they take."""
    each, (low, high) = facts.recipe.bytes_each(facts.bytes, facts.parameters), facts.recipe.size
    if each is None:
        return
    yield Verdict(
        "precision",
        f"{each:.2f} bytes a parameter",
        f"{low:g}-{high:g} for {facts.recipe.precision}",
        low <= each <= high,
        "weights were not stored as the recipe says: look at the export log, or use another recipe",
    )


@rule
def size(facts: Facts, budget: Budget) -> Iterator[Verdict]:
    """Mebibytes."""
    if budget.size_mib is None:
        return
    yield Verdict(
        "size",
        f"{facts.bytes / MIB:.2f} MiB",
        f"{budget.size_mib:g} MiB",
        facts.bytes <= budget.size_mib * MIB,
        "take a recipe of fewer bits or a smaller student, or raise budget.size_mib",
    )


@rule
def delegation(facts: Facts, budget: Budget) -> Iterator[Verdict]:
    """How much of the graph the delegate took."""
    found = facts.delegation
    if found is None or not facts.recipe.delegate:
        return
    share = found.delegated / max(1, found.total)
    left = ", ".join(f"{count} {name}" for name, count in found.undelegated.items())
    yield Verdict(
        "delegation",
        f"{found.delegated} of {found.total} nodes" + (f", left: {left}" if left else ""),
        f"at least {budget.delegated:.0%}",
        share >= budget.delegated,
        f"rewrite those operators for {found.delegate} (`fovea lint`), or lower budget.delegated",
    )


@rule
def fallback(facts: Facts, budget: Budget) -> Iterator[Verdict]:  # noqa: ARG001
    """A delegate that was asked for and did not come, on any machine it was timed on."""
    for row in facts.latency:
        if not facts.recipe.delegate:
            return
        yield Verdict(
            "delegate",
            f"{row.delegate_obtained} on {row.device}",
            row.delegate_asked,
            row.delegate_obtained == row.delegate_asked,
            "the runtime fell back in silence: update it, or export for what that device has",
        )


@rule
def bare_ratio(facts: Facts, budget: Budget) -> Iterator[Verdict]:
    """Time over that of the bare backbone by the same recipe, measured in the same run."""
    if budget.bare_ratio is None:
        return
    bare = {row.host: row for row in facts.latency if row.student.endswith(BARE)}
    for row in facts.latency:
        if row.student.endswith(BARE) or row.host not in bare:
            continue
        found = compare_rows(row, bare[row.host])
        yield Verdict(
            "over bare backbone",
            f"{found.ratio:.2f} ({found.low:.2f}-{found.high:.2f}) times on {row.device}",
            f"{budget.bare_ratio:g}",
            found.ratio <= budget.bare_ratio,
            "see what costs (python -m benchmarks.rewrites), take another form or a lighter "
            "decoder, or raise budget.bare_ratio",
        )


@rule
def milliseconds(facts: Facts, budget: Budget) -> Iterator[Verdict]:
    """p95 where a device was measured: a host's milliseconds are no phone's."""
    if budget.p95_ms is None:
        return
    for row in facts.latency:
        if row.source == "device" and not row.student.endswith(BARE):
            yield Verdict(
                "p95",
                f"{row.p95_ms:.1f} ms on {row.device}",
                f"{budget.p95_ms:g} ms",
                row.p95_ms <= budget.p95_ms,
                "take an int8 recipe or a smaller student, or raise budget.p95_ms",
            )
