"""Whether reading keeps up: loader, labelling and training against the models they feed.

    python -m benchmarks.throughput                          all three, on generated scenes
    python -m benchmarks.throughput loader --data salicon    one, on registered photographs
    python -m benchmarks.throughput label --teacher-width 1
    python -m benchmarks.throughput -S student=fastsal_c -S profile.batch=30 train --workers 16

loader: the loader alone, photograph, annotated map and pseudo-label, by the number of its
        processes, against training steps on a batch that is there already.
label:  the label stage's way from files to shards against the teacher's forward pass alone.
train:  steps on what the loader brings against steps on a batch that is there already.

`times by wall` and `times by processor` compare the two, in turns within one run: on a machine
with other work, and where loader and model share the cores, believe the second; on a GPU the
first. A GPU also gets bf16, and each part the share of its steps, taken one after the other, and
what 330,000 images take. FLOP utilisation counts two operations for each multiply-add, against
a large matrix product or convolution in the same precision and, where we know it, the maker's
figure.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path
from typing import Any

import torch

from benchmarks import arithmetic, feeding, photographs
from benchmarks.feeding import Setting
from benchmarks.interleaved import in_turns, keep, row, table
from pipeline.config.load import compose
from pipeline.data import roots
from pipeline.engine import device as devices
from pipeline.errors import UserError

CONF = Path(__file__).resolve().parents[1] / "conf"
IMAGES = 330_000
PARTS = ("loader", "label", "train")


def main() -> int:
    """Measure and print; status 2 for what cannot be used."""
    arguments = _arguments()
    with tempfile.TemporaryDirectory() as scratch:
        try:
            return _run(arguments, Path(scratch))
        except UserError as error:
            print(f"error: {error}", file=sys.stderr)
            return 2


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("parts", nargs="*", metavar="PART", help=f"of {', '.join(PARTS)} (all)")
    photographs.add_arguments(parser)
    parser.add_argument(
        "-S", dest="overrides", action="append", default=[], metavar="KEY=VALUE",
        help="as for `dvc exp run`; profile=small unless given",
    )  # fmt: skip
    parser.add_argument("--workers", type=int, nargs="+", default=[1, 2], help="loader processes")
    parser.add_argument("--device", default="auto", help="auto, cpu or cuda")
    parser.add_argument(
        "--precision", nargs="+", choices=["fp32", "bf16"], help="default: fp32, on a GPU both"
    )
    parser.add_argument(
        "--teacher-width", type=float, help="SalGAN's; default: 0.125, on a GPU 1.0 as published"
    )
    parser.add_argument("--threads", type=int, help="the model's on a CPU; default: every core")
    parser.add_argument("--seconds", type=float, default=6.0, help="about, of each turn")
    parser.add_argument("--repeats", type=int, default=3, help="turns of each")
    parser.add_argument("--json", type=Path, help="where to keep all figures")
    arguments = parser.parse_args()
    if unknown := set(arguments.parts) - set(PARTS):
        parser.error(f"no part is called {', '.join(sorted(unknown))}; choose {', '.join(PARTS)}")
    return arguments


def _run(arguments: argparse.Namespace, scratch: Path) -> int:
    device = devices.choose(arguments.device)
    devices.keep_freed_memory()  # as the stages do
    if arguments.threads:
        torch.set_num_threads(arguments.threads)
    gpu = device.type == "cuda"
    width = arguments.teacher_width or (1.0 if gpu else 0.125)
    records = photographs.find(arguments, scratch)
    weights = "mobilenet_v2" if "mobilenet_v2" in roots.registered("weights") else "none"
    chosen = ["profile=small", f"profile.weights={weights}", "phases=labels", *arguments.overrides]
    config = compose(chosen, CONF)
    name = torch.cuda.get_device_name(device) if gpu else f"CPU, {torch.get_num_threads()} threads"
    print(f"{len(records)} photographs; {name}; {photographs.machine()}; backbone {weights}\n")
    kept: dict[str, Any] = {"device": name, "machine": photographs.machine(), "parts": {}}
    for precision in arguments.precision or (["fp32", "bf16"] if gpu else ["fp32"]):
        setting = Setting(
            config, device, precision, records, scratch, max(arguments.workers), arguments.seconds
        )
        for part in arguments.parts or PARTS:
            print(f"## {part}, {precision}\n", flush=True)
            if part == "loader":
                found = _loader(setting, arguments.workers, arguments.repeats)
            elif part == "label":
                found = _label(setting, width, arguments.repeats)
            else:
                found = _train(setting, arguments.repeats)
            kept["parts"][f"{part} {precision}"] = found
            print(flush=True)
    print(f"at the end: {photographs.machine()}")
    keep(arguments.json, kept)
    return 0


def _loader(setting: Setting, workers: list[int], repeats: int) -> dict[str, Any]:
    names = ("fastsal_a", "fastsal_c")
    works = {f"step of {name}": feeding.Training(setting, name).alone for name in names}
    works |= {f"loader, {n} processes": feeding.loader(setting, n) for n in workers}
    turns = in_turns(works, repeats)
    rows = []
    for base in (f"step of {name}" for name in names):
        rows += [row(base, turns[base], turns[base]) | {"against": base}]
        for n in workers:
            found = row(f"loader, {n} processes", turns[f"loader, {n} processes"], turns[base])
            rows.append(found | {"against": base})
    print(table(rows))
    return {"rows": rows}


def _label(setting: Setting, width: float, repeats: int) -> dict[str, Any]:
    labelling = feeding.Labelling(setting, width)
    turns = in_turns({"teacher": labelling.alone, "label": labelling.whole}, repeats)
    rows = [
        row(f"SalGAN at width {width:g}, forward alone", turns["teacher"], turns["teacher"]),
        row(f"label, {setting.workers} processes", turns["label"], turns["teacher"]),
    ]
    print(table(rows))
    return _more(setting, rows, labelling.operations(), labelling.shares(), "labelling once")


def _train(setting: Setting, repeats: int) -> dict[str, Any]:
    name = setting.config.student.name
    training = feeding.Training(setting, name)
    turns = in_turns({"step": training.alone, "train": training.whole}, repeats)
    rows = [
        row(f"step of {name}, batch {training.batch}", turns["step"], turns["step"]),
        row(f"train, {setting.workers} processes", turns["train"], turns["step"]),
    ]
    print(table(rows))
    return _more(setting, rows, training.operations(), training.shares(), "one epoch")


def _more(
    setting: Setting,
    rows: list[dict[str, Any]],
    operations: float,
    shares: dict[str, float],
    what: str,
) -> dict[str, Any]:
    """Utilisation, shares and an estimate, printed and returned with the rows."""
    rates = [found["images_per_s"] for found in rows]
    device, precision = setting.device, setting.precision
    used = [arithmetic.utilisation(operations, r, device, precision) for r in rates]
    hours = round(IMAGES / rates[1] / 3600, 2)
    print(f"\nmodel FLOP utilisation: alone {used[0]}\n                      whole {used[1]}")
    print(f"one after the other: {shares}")
    print(f"{what} over {IMAGES:,} images at {rates[1]} a second: {hours} hours")
    return {"rows": rows, "utilisation": used, "shares": shares, "hours": hours}


if __name__ == "__main__":
    sys.exit(main())
