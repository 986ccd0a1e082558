"""A bundle: one student's exported files with everything an app needs to run and check them.

manifest.json                        what, how, from what, how good, how fast
artefacts/<recipe>/model.<suffix>    the exported files
golden/<name>.png                    inputs at model size, lossless
golden/<name>.torch.npy              the student's own output, float32
golden/<name>.<recipe>.npy           each artefact's output on the machine that built it
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
from PIL import Image

from mobile import manifest, recipes
from mobile.backend import Array, get_backend
from mobile.contract.layers import hexadecimal
from mobile.export import ExportReport, open_runner
from mobile.latency_row import LatencyRow
from mobile.parity import torch_output
from pipeline.data.classes import colours_of
from pipeline.errors import UserError
from pipeline.files import replace_tree, tree_hash, write_json

if TYPE_CHECKING:
    from torch import nn

    from students import ModelSpec


@dataclass(frozen=True)
class Artefact:
    """One exported file and what was measured on it."""

    folder: Path
    """Holds the file and its `export.json`."""
    parity: Mapping[str, Any] | None = None
    metrics: Mapping[str, Any] | None = None
    """Task metrics computed from this file's outputs."""
    latency: Sequence[LatencyRow] = field(default_factory=tuple)
    reason: str | None = None
    """Why the file was not executed where it was made and checked; None when it was."""
    inspection: Mapping[str, Any] | None = None
    """What was read from the file without running it."""
    executor: str | None = None
    """What ran it: its runtime, or a reference interpreter; None where nothing did."""
    untimed: str | None = None
    """Why its time was not taken; None where it counts."""


def assemble(
    target: Path,
    spec: ModelSpec,
    student: nn.Module,
    artefacts: Sequence[Artefact],
    golden: Mapping[str, npt.NDArray[np.uint8]],
    lineage: Mapping[str, Any],
    classes: Sequence[str] = (),
) -> dict[str, Any]:
    """Build the bundle `target` and return its manifest; `target` is whole or as it was before.

    `golden` maps names to (H, W, 3) uint8 images at model size; they are run through `student`
    (eval mode) and every artefact that can run on this machine. `lineage` (teachers, labels,
    checkpoint, calibration …) is written as given; `classes` names what class logits are of. Raises
    `UserError` for no artefacts, two of one recipe, a file that is not the one of its report, a
    golden image of another size, or as many classes as the output has not.
    """
    _check(spec, artefacts, golden)
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=target.parent, prefix=f".{target.name}.") as temporary:
        folder = Path(temporary) / "bundle"
        folder.mkdir()
        entries = [_add_artefact(folder, artefact) for artefact in artefacts]
        golden_entries = _add_golden(folder, student, entries, golden)
        content = {
            "schema": manifest.SCHEMA,
            "spec": asdict(spec),
            "input": manifest.input_contract(spec.height, spec.width),
            "output": _output(spec, entries[0]["output"]["shape"], classes),
            "artefacts": {entry["recipe"]: entry for entry in entries},
            "golden": golden_entries,
            "lineage": dict(lineage),
            "versions": _versions(entries),
            "files": _files(folder),
        }
        write_json(folder / manifest.NAME, content)
        replace_tree(folder, target)
    return content


def verify(bundle: Path) -> list[str]:
    """Everything wrong with a bundle, one line each; empty when it is whole."""
    try:
        content = manifest.load(bundle)
    except UserError as error:
        return [str(error)]
    listed = content["files"]
    problems = [
        problem
        for name, entry in sorted(listed.items())
        if (problem := manifest.file_problem(bundle, name, entry)) is not None
    ]
    present = {_name(bundle, path) for path in bundle.rglob("*") if path.is_file()}
    extra = sorted(present - listed.keys() - {manifest.NAME})
    problems += [f"{name} is not listed in {manifest.NAME}" for name in extra]
    for recipe, entry in sorted(content["artefacts"].items()):
        path = entry.get("path", "")
        if not any(name == path or name.startswith(f"{path}/") for name in listed):
            problems.append(f"artefact {recipe}: {path or 'no path'} is not a listed file")
    return problems


def _output(spec: ModelSpec, shape: Sequence[int], classes: Sequence[str]) -> dict[str, Any]:
    said: dict[str, Any] = {"shape": shape, "meaning": spec.output}
    if not classes:
        return said
    if len(classes) != shape[1]:
        raise UserError(f"{spec.name} gives {shape[1]} classes; {len(classes)} were named")
    colours = hexadecimal(colours_of(classes))
    paired = zip(classes, colours, strict=True)
    return said | {"classes": [{"name": name, "colour": colour} for name, colour in paired]}


def _check(
    spec: ModelSpec,
    artefacts: Sequence[Artefact],
    golden: Mapping[str, npt.NDArray[np.uint8]],
) -> None:
    if not artefacts:
        raise UserError("a bundle needs at least one exported file; export first")
    if spec.task not in manifest.TASKS:
        raise UserError(f"{spec.name} has the unknown task {spec.task!r}")
    for name, image in golden.items():
        if image.shape != (spec.height, spec.width, 3) or image.dtype != np.uint8:
            raise UserError(
                f"golden image {name} is {image.dtype} of shape {image.shape}; "
                f"expected uint8 of shape {(spec.height, spec.width, 3)}"
            )


def _add_artefact(folder: Path, artefact: Artefact) -> dict[str, Any]:
    report = ExportReport.read(artefact.folder / "export.json")
    source = artefact.folder / report.file
    if not source.exists() or tree_hash(source) != report.sha256:
        raise UserError(
            f"{source} is not the file of its export report; export {report.recipe} again"
        )
    home = folder / "artefacts" / report.recipe
    if home.exists():
        raise UserError(f"two exports of recipe {report.recipe} given; keep one")
    home.mkdir(parents=True)
    if source.is_dir():
        shutil.copytree(source, home / report.file)
    else:
        shutil.copyfile(source, home / report.file)
    return {
        **asdict(report),
        "path": _name(folder, home / report.file),
        "executed": artefact.reason is None,
        "reason": artefact.reason,
        "executor": artefact.executor,
        "untimed": artefact.untimed,
        "bounds": bounds(report.recipe),
        "inspection": None if artefact.inspection is None else dict(artefact.inspection),
        "parity": None if artefact.parity is None else dict(artefact.parity),
        "metrics": None if artefact.metrics is None else dict(artefact.metrics),
        "latency": [row.row() for row in artefact.latency],
    }


def _add_golden(
    folder: Path,
    student: nn.Module,
    entries: Sequence[Mapping[str, Any]],
    golden: Mapping[str, npt.NDArray[np.uint8]],
) -> list[dict[str, Any]]:
    home = folder / "golden"
    home.mkdir()
    runners = {
        entry["recipe"]: open_runner(folder / entry["path"])
        for entry in entries
        if get_backend(entry["backend"]).refusal() is None
    }
    executors = {e["recipe"]: get_backend(e["backend"]).executor() for e in entries}
    listed = []
    for name, pixels in sorted(golden.items()):
        image = pixels.astype(np.float32).transpose(2, 0, 1)[None]
        Image.fromarray(pixels).save(home / f"{name}.png")
        expected = torch_output(student, image)
        _save(home / f"{name}.torch.npy", expected)
        outputs: dict[str, Any] = {}
        for recipe, runner in runners.items():
            obtained = runner.run(image)
            _save(home / f"{name}.{recipe}.npy", obtained)
            outputs[recipe] = {
                "path": f"golden/{name}.{recipe}.npy",
                "tolerance": tolerance(recipe, expected, obtained),
                "executor": executors[recipe],
            }
        listed.append(
            {
                "name": name,
                "input": f"golden/{name}.png",
                "torch": f"golden/{name}.torch.npy",
                "outputs": outputs,
            }
        )
    return listed


def bounds(recipe: str) -> dict[str, float | None]:
    """How far a file's output may be from torch's, the golden `.torch.npy`, on any device.

    `max_abs` in logits (None: no such bound), `min_cc` between sigmoid maps. The only tolerance of
    a file that was not executed where its bundle was built: it has no golden output of its own.
    """
    stated = recipes.get(recipe)
    return {"max_abs": stated.max_abs, "min_cc": stated.min_cc}


def tolerance(recipe: str, expected: Array, obtained: Array) -> dict[str, float]:
    """How far the same file's output may be from `obtained` on another device.

    `max_abs` in logits, `min_cc` between sigmoid maps: the recipe's own bounds against torch. A
    recipe without a logit bound may differ from itself as much as it differs from torch here
    (`expected`), because another processor's kernels may round each int8 step the other way.
    """
    stated = recipes.get(recipe)
    observed = float(np.abs(expected - obtained).max())
    largest = observed if stated.max_abs is None else stated.max_abs
    return {"max_abs": largest, "min_cc": stated.min_cc}


def _save(path: Path, output: Array) -> None:
    np.save(path, np.ascontiguousarray(output, np.float32), allow_pickle=False)


def _versions(entries: Sequence[Mapping[str, Any]]) -> dict[str, str]:
    return {name: text for entry in entries for name, text in entry["versions"].items()}


def _files(folder: Path) -> dict[str, dict[str, Any]]:
    return {
        _name(folder, path): {"sha256": tree_hash(path), "bytes": path.stat().st_size}
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def _name(folder: Path, path: Path) -> str:
    return path.relative_to(folder).as_posix()
