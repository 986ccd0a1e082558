"""Train one phase of the student."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, cast

import torch
from torch import Tensor, nn

import students
from pipeline import checkpoint, provenance, ranks, tasks
from pipeline.config import Config
from pipeline.config.check import NOTHING, check_share, one_of
from pipeline.config.schema import Phase
from pipeline.data import manifest
from pipeline.data.dataset import ImageSet, read_image
from pipeline.data.evaluation import samples
from pipeline.data.layouts import Record
from pipeline.data.loader import Batches, in_order
from pipeline.distil import AdaptationLayers, Hinting, Objective, hint_objective, pairs
from pipeline.engine import device as devices
from pipeline.engine.distributed import together
from pipeline.engine.history import write_curve
from pipeline.engine.int8 import int8_view
from pipeline.engine.loop import Plan, Result, train
from pipeline.engine.optim import build_optimiser, rate
from pipeline.engine.runtime import Runtime, rounding, runtime
from pipeline.engine.supervised import Supervised, to_device
from pipeline.errors import UserError
from pipeline.files import sha256_file
from pipeline.labels import LabelStore
from pipeline.paths import DATA, MODEL, TRAIN
from pipeline.scratch import scratch_of_first
from pipeline.stages.entry import joint
from pipeline.stages.label import expected_hashes
from pipeline.stages.names import sized
from pipeline.tasks.readout import MEANINGS
from pipeline.tasks.task import torch_predictor
from pipeline.weights import weights_path
from students.registry import ModelSpec

RANGES_START_ON = 64
"""Training images whose extremes int8 ranges start from."""
AUXILIARY = "auxiliary."
"""Weights of heads that only training sees; the shipped model is built with `aux=False`."""
Validate = Callable[[], dict[str, float]]


@joint
def main(config: Config, name: str) -> None:
    """Write outputs/train/NAME: best and last checkpoint, history, curves."""
    one_of("phase", name, config.student.phases)
    one_of("student.name", config.student.name, students.names())
    rank = ranks.in_step()
    phase, machine = config.student.phases[name], config.machine
    check_share(f"student.phases.{name}", phase.batch, rank.world, phase.accumulate)
    settings = [name, dataclasses.asdict(config.student), config.seed, rounding(machine)]
    first = rank.number == 0
    with scratch_of_first(first, f"train-{name}", settings, dependencies(phase)) as folder:
        device = devices.choose(machine.device)
        with together(device, machine.timeout_minutes) as group:
            result = trained(config, name, runtime(machine, device, group), group.share(folder))
        if first:
            write_results(config, name, sized(config.student), result, rank.world)


def trained(config: Config, name: str, how: Runtime, folder: Path) -> Result:
    """Train the phase, going on from what `folder` holds of it."""
    phase = config.student.phases[name]
    spec = sized(config.student)
    devices.keep_freed_memory()
    torch.manual_seed(config.seed)
    if phase.arithmetic == "int8":  # statistics stay, and rounding is no graph to compile
        how = dataclasses.replace(how, sync_batchnorm=False, compile_objective=False)
    with how.group.led():
        student = how.prepared(initial_student(config, phase))
    objective, helpers, validate = parts(config, phase, student, spec, how.device)
    trainable = Supervised(
        student,
        helpers,
        objective,
        build_optimiser([student, *helpers], phase.optimiser),
        rate(phase.schedule, phase.epochs),
        how.device,
        how.precision,
        phase.optimiser.grad_clip,
        torch.channels_last,  # depthwise convolutions: see benchmarks.training
        group=how.group,
        accumulate=phase.accumulate,
        ema=phase.ema,
        compile_objective=how.compile_objective,
    )
    batches = Batches(
        training_images(phase, spec),
        phase.batch,
        config.seed,
        flip=phase.flip,
        drop_last=True,
        scale=(phase.scale[0], phase.scale[1]),
        stretch=tasks.get(config.student.task).stretch,
        workers=config.machine.workers,
        rank=how.group.rank,
        world=how.group.world,
    )
    milestones = phase.schedule.milestones if phase.schedule.reload_best else []
    plan = Plan(
        name, phase.epochs, config.seed, phase.select, phase.objective != "hint", tuple(milestones)
    )

    def measured() -> dict[str, float]:
        with trainable.shown():
            return validate()

    return train(trainable, batches, measured, plan, folder, how.group)


def initial_student(config: Config, phase: Phase) -> nn.Module:
    """The student as `phase.init` and `phase.take` say."""
    name, overrides = config.student.name, config.student.overrides
    if phase.init == NOTHING:
        weights = weights_path(config.student.weights)
        return checkpoint.fresh(students.build, name, "student", weights=weights, **overrides)
    earlier, _ = checkpoint.load_model(Path(phase.init) / MODEL, "student", name)
    if phase.take == "all":
        return earlier
    student = checkpoint.fresh(students.build, name, "student.overrides", **overrides)
    kept = {k: v for k, v in earlier.state_dict().items() if k.startswith("backbone.")}
    student.load_state_dict(kept, strict=False)
    return student


def parts(
    config: Config, phase: Phase, student: nn.Module, spec: ModelSpec, device: torch.device
) -> tuple[Objective, list[nn.Module], Validate]:
    """Objective, training-only layers, and what is measured after each epoch."""
    records = manifest.load_role(DATA, "val").records
    if phase.objective == "hint":
        teacher, _ = checkpoint.load_model(Path(phase.teacher) / MODEL, "teacher")
        require_hinting(teacher, phase.teacher)
        teacher.to(device).requires_grad_(False)
        hinting, hinted = cast("Hinting", teacher), cast("Hinting", student)
        adapt = adaptation(hinted, hinting, phase.teacher)
        objective = hint_objective(hinted, adapt, hinting, phase.hint_scale)
        images = ImageSet(records, spec.height, spec.width, truth=False)
        return objective, [adapt], held_out_loss(student, objective, images, phase, device)
    task = tasks.of(config.student).informed(DATA)
    learner = student
    helpers: list[nn.Module] = []
    if phase.arithmetic == "int8":
        view = int8_view(student, first_images(spec))
        learner, helpers = view, [view.ranges]

    def validate() -> dict[str, float]:
        student.eval()
        held_out = samples(records, spec.height, spec.width, config.machine.workers)
        return task.evaluate(torch_predictor(learner, device), held_out, quick=True).means()

    return task.objective(learner, phase), helpers, validate


def first_images(spec: ModelSpec) -> Iterator[Tensor]:
    """A few training images (1, 3, H, W): where int8 ranges start, before they follow training."""
    for record in manifest.load_role(DATA, "train").records[:RANGES_START_ON]:
        yield read_image(record, spec.height, spec.width)[None]


def require_hinting(teacher: nn.Module, folder: str) -> None:
    """Raise `UserError` for a teacher that has maps, but no features to be hinted by."""
    if not hasattr(teacher, "feature_channels"):
        raise UserError(
            f"teacher {Path(folder).name} cannot hint: it has no features that a student's could "
            "match; take hints from another (student.hints=salgan), or use -S phases=labels"
        )


def adaptation(student: Hinting, teacher: Hinting, folder: str) -> AdaptationLayers:
    """Layers between the levels that both have; `UserError` where there are none."""
    try:
        matched = pairs(student, teacher)
    except ValueError as error:
        raise UserError(f"teacher {Path(folder).name} cannot hint this student: {error}") from error
    return AdaptationLayers(student.feature_channels, teacher.feature_channels, matched)


def held_out_loss(
    student: nn.Module, objective: Objective, images: ImageSet, phase: Phase, device: torch.device
) -> Validate:
    """Mean hint loss over the validation images."""

    def validate() -> dict[str, float]:
        student.eval()
        total = 0.0
        with torch.no_grad():
            for batch in in_order(images, phase.batch):
                loss = objective(to_device(batch, device))["loss"]
                total += loss.item() * len(batch["ids"])
        return {"hint": total / len(images)}

    return validate


def training_images(phase: Phase, spec: ModelSpec) -> ImageSet:
    """The images of this phase with whatever it learns from them."""
    uses_labels = phase.objective != "hint" and phase.teacher_weight > 0
    uses_truth = phase.objective != "hint" and phase.truth_weight > 0
    roles = ["train"]
    if phase.pool and (uses_labels or phase.objective == "hint"):
        roles += [name for name in ("pool",) if name in manifest.roles(DATA)]
    records: list[Record] = []
    for role in roles:
        records += manifest.load_role(DATA, role).records
    labels = None
    if uses_labels:
        folder = Path(phase.labels)
        labels = LabelStore(folder, **expected_hashes(folder.name, (spec.height, spec.width)))
        labels.verify()  # a damaged map would be learned from like any other
    return ImageSet(records, spec.height, spec.width, truth=uses_truth, labels=labels)


def dependencies(phase: Phase) -> list[Path]:
    """What the phase's result depends on, besides code and settings."""
    return [DATA, Path(phase.init), Path(phase.teacher), Path(phase.labels)]


def write_results(
    config: Config, name: str, spec: ModelSpec, result: Result, processes: int = 1
) -> None:
    """Best and last checkpoint with their lineage, history and curves."""
    folder = TRAIN / name
    phase = config.student.phases[name]
    shipped = {key: v for key, v in result.best.items() if not key.startswith(AUXILIARY)}
    overrides = config.student.overrides
    if len(shipped) < len(result.best):
        overrides = overrides | {"aux": False}
    header: dict[str, Any] = {
        "kind": "student",
        "model": spec.name,
        "overrides": overrides,
        "height": spec.height,
        "width": spec.width,
        "phase": name,
        "seed": config.seed,
        "output": MEANINGS[config.student.readout],
        "config_sha256": provenance.settings_hash(config.student),
        "lineage": {
            "data": sha256_file(DATA / manifest.MANIFEST),
            **provenance.lineage({"init": Path(phase.init) / MODEL}),
            **provenance.lineage({"teacher": Path(phase.teacher) / MODEL}),
            **provenance.lineage({"labels": Path(phase.labels) / "labels.json"}),
        },
        "versions": provenance.versions(),
        **({"processes": processes} if processes > 1 else {}),
    }
    best = {"epoch": result.best_epoch, phase.select: result.best_value}
    checkpoint.write(folder / MODEL, shipped, header | {"best": best})
    whole = header | {"overrides": config.student.overrides}
    checkpoint.write(folder / "last.safetensors", result.last, whole)
    write_curve(result.history, "epoch", folder / "epochs.csv")
    write_curve(result.history, "step", folder / "steps.csv")
    print(f"{name}: best epoch {result.best_epoch + 1} with {phase.select} {result.best_value:.4f}")


if __name__ == "__main__":
    main()
