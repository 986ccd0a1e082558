"""A ledger as Markdown: our means and spreads beside the paper's figures, and which signs agree."""

from __future__ import annotations

import statistics
from collections.abc import Sequence

from benchmarks.ablation.ledger import Entry
from benchmarks.architectures.studies import STUDIES, Claim, Study

SMALLER = ("MAE",)
ABOUT = """
Means over seeds, ± half the range. Rows of one table had the same images, input size, epochs and
settings; the papers' figures are of other data and schedules: compare signs, never values.
""".strip()


def markdown(entries: Sequence[Entry]) -> str:
    """Every study that the ledger has rows of, each set of overrides in a table of its own."""
    parts = ["# Architectures", ABOUT]
    for study in STUDIES.values():
        own = [entry for entry in entries if entry.study == study.name and entry.done]
        for given in dict.fromkeys(entry.given for entry in own):
            parts += _table(study, [entry for entry in own if entry.given == given])
    return "\n\n".join(parts) + "\n"


def _table(study: Study, entries: Sequence[Entry]) -> list[str]:
    first = entries[0]
    seeds = sorted({entry.seed for entry in entries})
    heads = [f"{name} {'↓' if name in SMALLER else '↑'}" for name in study.metrics]
    sets = sorted({n for entry in entries for n in entry.others if n.startswith("images ")})
    parts = [n for n in study.metrics if any(n in first.others.get(s, {}) for s in sets)]
    apart = [f"{name}, {s.removeprefix('images ')}" for s in sets for name in parts]
    lines = [
        f"| Row | {' | '.join([*heads, *apart])} | Epochs | Paper |",
        "|---" * (len(heads) + len(apart) + 3) + "|",
    ]
    for row in study.rows:
        own = [entry for entry in entries if entry.row == row.key]
        if not own:
            continue
        cells = [_spread([(e.metrics or {})[name] for e in own]) for name in study.metrics]
        cells += [_spread([e.others[s][name] for e in own]) for s in sets for name in parts]
        epochs = ", ".join(str(count) for count in own[0].epochs.values())
        published = study.published.get(row.key, "")
        lines.append(f"| {row.title} | {' | '.join(cells)} | {epochs} | {published} |")
    lines += _references(study, entries, len(apart))
    images = ", ".join(f"{number} {role}" for role, number in first.images.items())
    about = f"`{' '.join(first.given) or 'sample data'}`; images: {images}; "
    about += f"seeds {', '.join(map(str, seeds))}. The paper: {study.measured_on}."
    return [
        f"## {study.title}",
        about,
        "\n".join(lines),
        "\n".join(f"- {text}" for claim in study.claims if (text := agrees(study, claim, entries))),
    ]


def _references(study: Study, entries: Sequence[Entry], apart: int) -> list[str]:
    """What ignores the images, and the teachers, on the same images."""
    found: dict[str, Entry] = {}
    for entry in entries:
        for name in entry.others:
            if name == "mean map" or name.startswith("teacher "):
                found.setdefault(name, entry)
    return [
        f"| *{name}* | {' | '.join(f'{e.others[name][m]:.4f}' for m in study.metrics)} |"
        + " |" * (apart + 2)
        for name, e in found.items()
    ]


def agrees(study: Study, claim: Claim, entries: Sequence[Entry]) -> str:
    """One claim in words; empty where a row of it was not run."""
    metric = study.metrics[0]
    better, worse = (
        [(e.metrics or {})[metric] for e in entries if e.row == key]
        for key in (claim.better, claim.worse)
    )
    if not better or not worse:
        return ""
    gap = statistics.fmean(better) - statistics.fmean(worse)
    overlap = min(better) <= max(worse) and min(worse) <= max(better)
    verdict = "not told apart (ranges overlap)" if overlap else "agrees" if gap > 0 else "disagrees"
    names = f"{study.row(claim.better).title} above {study.row(claim.worse).title}"
    return f"{names} (paper {claim.published}): here {metric} {gap:+.4f}, {verdict}"


def _spread(values: Sequence[float]) -> str:
    text = f"{statistics.fmean(values):.4f}"
    return text if len(values) < 2 else f"{text} ± {(max(values) - min(values)) / 2:.4f}"
