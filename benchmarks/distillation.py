"""What distillation buys: the same student with and without its teacher, at the same budget.

    python -m benchmarks.distillation                                    sample data, two seeds
    python -m benchmarks.distillation -S student=fastsal_c --seeds 0 1 2
    python -m benchmarks.distillation -S data=salicon -S profile=small   real photographs

The budget of a row is its number of gradient steps through the student, hint pretraining
included; rows that use fewer images per epoch get more epochs. Teacher and labels are made once
and shared by all rows and seeds. Everything is resumable: a finished stage is not run again, a
killed one goes on; remove the folder `compare` in FOVEA_SCRATCH to start afresh after a change of
code. The table is printed, and kept as JSON with `--out`.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
from pathlib import Path
from typing import Any

from omegaconf import OmegaConf

from pipeline.config.load import compose, compose_raw
from pipeline.config.schema import Config
from pipeline.errors import UserError
from pipeline.files import atomic_write_text, read_json, sha256_json, write_json
from pipeline.scratch import root

ROOT = Path(__file__).resolve().parents[1]
ROWS = {
    "hints + labels + truth": ["phases=distilled"],
    "labels + truth": ["phases=labels"],
    "truth alone": ["phases=truth"],
}
METRICS = ("NSS", "CC", "KLDiv", "SIM", "AUC-Judd")
SHARED = ("sample", "data", "teachers", "labels")


def main() -> None:
    """Run what is missing, then print the table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("-S", dest="overrides", action="append", default=[], metavar="KEY=VALUE")
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1])
    parser.add_argument("--rows", nargs="+", choices=ROWS, default=list(ROWS))
    parser.add_argument("--out", type=Path, help="where to keep the table as JSON")
    arguments = parser.parse_args()
    try:
        results = run(arguments.overrides, arguments.rows, arguments.seeds)
    except UserError as error:
        sys.exit(f"error: {error}")
    print(table(results))
    if arguments.out:
        write_json(arguments.out, {"overrides": arguments.overrides, "rows": results})


def run(overrides: list[str], rows: list[str], seeds: list[int]) -> dict[str, Any]:
    """Metrics of every row and seed, by row; the teacher's and the prior's beside them."""
    base = prepare_base(overrides)
    budget = total_steps(configuration([*overrides, *ROWS["hints + labels + truth"]]), base)
    found: dict[str, Any] = {}
    for row in rows:
        for seed in seeds:
            chosen = [*overrides, *ROWS[row], f"seed={seed}"]
            epochs = finetune_epochs(configuration(chosen), base, budget)
            chosen.append(f"student.phases.finetune.epochs={epochs}")
            metrics = train_and_evaluate(base, chosen)
            entry = metrics["student"] | {"seed": seed, "finetune_epochs": epochs}
            found.setdefault(row, []).append(entry)
            for other, values in metrics.items():
                if other != "student":
                    found[other] = [values]
            print(f"{row}, seed {seed}: CC {entry['CC']:.4f} NSS {entry['NSS']:.4f}", flush=True)
    return found


def prepare_base(overrides: list[str]) -> Path:
    """A folder with data, teacher and labels for these overrides."""
    config = configuration(overrides)
    tree = OmegaConf.to_container(compose_raw(overrides, ROOT / "conf"))
    assert isinstance(tree, dict)
    parts = [tree["data"], tree["sample"], tree["student"]["teachers"], tree["seed"]]
    folder = root() / "compare" / sha256_json(parts)[:16]
    write_params(folder, overrides)
    stage(folder, "sample")
    stage(folder, "prepare")
    for name in config.student.teachers:
        stage(folder, "teacher", name)
        stage(folder, "label", name)
    return folder


def train_and_evaluate(base: Path, overrides: list[str]) -> dict[str, Any]:
    """Train all phases and evaluate in a folder of its own beside `base`."""
    config = configuration(overrides)
    tree = OmegaConf.to_container(compose_raw(overrides, ROOT / "conf"))
    assert isinstance(tree, dict)
    student = {k: v for k, v in tree["student"].items() if k != "teachers"}
    folder = base / "rows" / sha256_json([student, tree["seed"]])[:16]
    write_params(folder, overrides)
    for name in SHARED:
        link = folder / "outputs" / name
        link.parent.mkdir(parents=True, exist_ok=True)
        if not link.is_symlink() and (base / "outputs" / name).exists():
            link.symlink_to(base / "outputs" / name)
    for name in config.student.phases:
        stage(folder, "train", name)
    stage(folder, "evaluate")
    metrics: dict[str, Any] = read_json(folder / "outputs/metrics.json")
    return metrics


def stage(folder: Path, *command: str) -> None:
    """Run a stage in `folder` unless it has already succeeded there."""
    stamp = folder / f".done-{'-'.join(command)}"
    if stamp.exists():
        return
    print("running " + " ".join(command), flush=True)
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    line = [sys.executable, "-m", f"pipeline.stages.{command[0]}", *command[1:]]
    done = subprocess.run(line, cwd=folder, env=environment, check=False)
    if done.returncode != 0:
        raise UserError(f"{' '.join(command)} stopped in {folder}; run the same command to go on")
    stamp.touch()


def total_steps(config: Config, base: Path) -> int:
    """Gradient steps of all phases."""
    return sum(
        phase.epochs * (images(config, name, base) // phase.batch)
        for name, phase in config.student.phases.items()
    )


def finetune_epochs(config: Config, base: Path, budget: int) -> int:
    """Epochs of fine-tuning that bring the row to `budget` steps, to the nearest epoch."""
    phases = config.student.phases
    others = sum(
        phase.epochs * (images(config, name, base) // phase.batch)
        for name, phase in phases.items()
        if name != "finetune"
    )
    per_epoch = images(config, "finetune", base) // phases["finetune"].batch
    return max(1, round((budget - others) / per_epoch))


def images(config: Config, phase: str, base: Path) -> int:
    """Images of one epoch of a phase."""
    roles = read_json(base / "outputs/data/manifest.json")["roles"]
    pooled = config.student.phases[phase].pool and "pool" in roles
    count: int = roles["train"]["count"] + (roles["pool"]["count"] if pooled else 0)
    return count


def configuration(overrides: list[str]) -> Config:
    """The composed configuration."""
    return compose(overrides, ROOT / "conf")


def write_params(folder: Path, overrides: list[str]) -> None:
    """params.yaml for `overrides` in `folder`."""
    tree = compose_raw(overrides, ROOT / "conf")
    atomic_write_text(folder / "params.yaml", OmegaConf.to_yaml(tree))


def table(results: dict[str, Any]) -> str:
    """Rows as Markdown: mean over seeds, and half the range where there are several."""
    lines = ["| | " + " | ".join(METRICS) + " |", "|---" * (len(METRICS) + 1) + "|"]
    for row, entries in results.items():
        cells = [cell([entry[metric] for entry in entries]) for metric in METRICS]
        lines.append(f"| {row} | " + " | ".join(cells) + " |")
    return "\n".join(lines)


def cell(values: list[float]) -> str:
    """`mean ± half the range`."""
    mean = f"{statistics.fmean(values):.4f}"
    return mean if len(values) == 1 else f"{mean} ± {(max(values) - min(values)) / 2:.4f}"


if __name__ == "__main__":
    main()
