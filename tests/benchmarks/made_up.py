"""Rows of a ledger that nobody measured."""

from __future__ import annotations

from benchmarks.ablation.ledger import Entry


def entry(study: str = "table5", row: str = "truth", seed: int = 0, **others: object) -> Entry:
    """A measured row; any field can be given."""
    fields: dict[str, object] = {
        "study": study,
        "row": row,
        "seed": seed,
        "given": ("data=salicon", "profile=small"),
        "overrides": ("student=fastsal_c",),
        "config": f"{study}{row}{seed}{others.get('given')}",
        "epochs": {"hint": 2, "finetune": 3},
        "steps": 1250,
        "metrics": {"CC": 0.7 + seed / 100, "NSS": 2.5, "KLDiv": 0.5},
        "images": {"train": 401, "val": 100},
        "code": ("c0de",),
    }
    return Entry(**(fields | others))  # type: ignore[arg-type]
