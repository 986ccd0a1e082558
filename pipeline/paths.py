"""Where stages put things, relative to the workspace. Student-free: a workspace is one student."""

from __future__ import annotations

from pathlib import Path

OUTPUTS = Path("outputs")
SAMPLE = OUTPUTS / "sample"
DATA = OUTPUTS / "data"
CALIBRATION = OUTPUTS / "calibration.json"
TEACHERS = OUTPUTS / "teachers"
LABELS = OUTPUTS / "labels"
TRAIN = OUTPUTS / "train"
EVALUATE = OUTPUTS / "evaluate"
BASELINES = "baselines.npz"
"""In `EVALUATE`: what shuffled AUC and information gain compare with."""
STRATA = "strata.json"
"""In `EVALUATE`: ids of the images of each stratum."""
METRICS = OUTPUTS / "metrics.json"
EXPORTS = OUTPUTS / "exports"
CHECK = OUTPUTS / "check"
INSPECTION = "inspection.json"
"""In a recipe's folder of `CHECK`: what was read in a file that cannot run here, or null."""
LATENCY = OUTPUTS / "latency.json"
LATENCY_ROWS = OUTPUTS / "latency.jsonl"
HOST = OUTPUTS / "host.json"
BUNDLE = OUTPUTS / "bundle"
REPORT = OUTPUTS / "report"

MODEL = "model.safetensors"
"""Checkpoint name in a phase's or teacher's folder: the best epoch's weights."""
