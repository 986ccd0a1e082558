"""Make a teacher: load its released weights, or train it phase by phase."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from torch import nn

import teachers
from pipeline import checkpoint, provenance, ranks, tasks, teacher_phases
from pipeline.config import Config
from pipeline.config.check import check_share, one_of
from pipeline.config.schema import Teacher, TeacherPhase
from pipeline.data import manifest
from pipeline.data.dataset import ImageSet
from pipeline.data.evaluation import samples
from pipeline.data.loader import Batches
from pipeline.engine import device as devices
from pipeline.engine.distributed import together
from pipeline.engine.history import Row, write_curve
from pipeline.engine.loop import Plan, train
from pipeline.engine.runtime import Runtime, rounding, runtime
from pipeline.errors import UserError
from pipeline.files import sha256_file
from pipeline.likelihood import centre_biases
from pipeline.paths import DATA, MODEL, TEACHERS
from pipeline.scratch import scratch_of_first
from pipeline.stages.entry import joint
from pipeline.tasks.task import torch_predictor
from pipeline.weights import NONE, weights_hash, weights_path
from students.registry import ModelSpec
from teachers.deepgaze2 import DeepGaze2

Validate = Callable[[], dict[str, float]]


@joint
def main(config: Config, name: str) -> None:
    """Write outputs/teachers/NAME."""
    one_of("teacher", name, config.student.teachers)
    settings = config.student.teachers[name]
    rank, machine = ranks.in_step(), config.machine
    first = rank.number == 0
    if settings.model not in teachers.names() or settings.weights != "none":
        if first:
            take(config, name, settings)
        return
    for key, phase in settings.phases.items():
        one_of(f"student.teachers.{name}.phases", key, teacher_phases.names())
        check_share(f"student.teachers.{name}.phases.{key}", phase.batch, rank.world)
    wanted = [dataclasses.asdict(settings), config.seed, rounding(machine)]
    with scratch_of_first(first, f"teacher-{name}", wanted, [DATA]) as folder:
        device = devices.choose(machine.device)
        with together(device, machine.timeout_minutes) as group:
            how = runtime(machine, device, group)
            teacher, history = trained(config, name, how, group.share(folder))
        if first:
            write(config, name, teacher.state_dict(), history)


def trained(config: Config, name: str, how: Runtime, folder: Path) -> tuple[nn.Module, list[Row]]:
    """Train the teacher phase by phase, going on from what `folder` holds of it."""
    settings = config.student.teachers[name]
    devices.keep_freed_memory()
    teacher = fresh(config, name)
    validate = validation(config, teacher, settings, how.device)
    history: list[Row] = []
    for key, phase in settings.phases.items():
        if phase.epochs > 0:
            run = (validate, how, folder / key)
            history += run_phase(config, settings, teacher, key, phase, *run)
    return teacher, history


def fresh(config: Config, name: str) -> nn.Module:
    """The teacher before it learns anything here: its backbone filled, or as a checkpoint is."""
    settings = config.student.teachers[name]
    torch.manual_seed(config.seed)
    key, options = f"student.teachers.{name}.overrides", dict(settings.overrides)
    if settings.backbone != NONE:
        key = f"student.teachers.{name}.backbone={settings.backbone}"
        options["weights"] = weights_path(settings.backbone)
    teacher = checkpoint.fresh(teachers.build, settings.model, key, **options)
    if settings.init != NONE:
        path = weights_path(settings.init)
        earlier, header = checkpoint.load_model(Path(str(path)), "teacher", settings.model)
        if header["overrides"] != settings.overrides:
            raise UserError(
                f"student.teachers.{name}.init={settings.init} was built with "
                f"{header['overrides']}, not {settings.overrides}; give it the same overrides"
            )
        teacher.load_state_dict(earlier.state_dict())
    return teacher


def take(config: Config, name: str, settings: Teacher) -> None:
    """Take a teacher that needs no training."""
    if settings.model not in teachers.names():
        adopt(config, name, settings)
        return
    teacher = fresh(config, name)
    load_released(teacher, settings)
    write(config, name, teacher.state_dict(), [])


def run_phase(
    config: Config,
    settings: Teacher,
    teacher: nn.Module,
    name: str,
    phase: TeacherPhase,
    validate: Validate,
    how: Runtime,
    folder: Path,
) -> list[Row]:
    """Train one phase and leave its best weights in `teacher`."""
    spec = teachers.spec(settings.model)
    records = manifest.load_role(DATA, "train").records
    grid = teacher.map_size if isinstance(teacher, DeepGaze2) else None
    if isinstance(teacher, DeepGaze2):
        teacher.set_centre_bias(centre_biases(records, teacher.folds, *teacher.map_size))
    images = ImageSet(records, spec.height, spec.width, truth=grid is None, fixations=grid)
    batches = Batches(
        images,
        phase.batch,
        config.seed,
        flip=phase.flip,
        drop_last=True,
        workers=config.machine.workers,
        rank=how.group.rank,
        world=how.group.world,
    )
    trainable = teacher_phases.build(name, teacher, phase, len(batches), how)
    title = f"{settings.model} {name}"
    select = teacher_phases.selected_by(name)
    plan = Plan(name, phase.epochs, config.seed, select, larger_is_better=True, title=title)
    result = train(trainable, batches, validate, plan, folder, how.group)
    teacher.load_state_dict(result.best)
    return result.history


def validation(
    config: Config, teacher: nn.Module, settings: Teacher, device: torch.device
) -> Validate:
    """NSS and CC on the validation images, and the likelihood of their fixations (LL)."""
    spec = teachers.spec(settings.model)
    task = dataclasses.replace(tasks.get(config.student.task), output=spec.output)
    records = manifest.load_role(DATA, "val").records

    def validate() -> dict[str, float]:
        teacher.eval()
        held_out = samples(records, spec.height, spec.width, config.machine.workers)
        return task.evaluate(torch_predictor(teacher, device), held_out, quick=True).means()

    return validate


def adopt(config: Config, name: str, settings: Teacher) -> None:
    """Take a trained student's checkpoint as the teacher."""
    path = weights_path(settings.weights)
    if not isinstance(path, Path):
        raise UserError(
            f"student.teachers.{name}.weights={settings.weights!r} is no checkpoint of "
            f"{settings.model}; register one: fovea weights add NAME PATH/{MODEL}"
        )
    student, header = checkpoint.load_model(path, "student", settings.model)
    adopted = dataclasses.replace(settings, overrides=header["overrides"])
    config.student.teachers[name] = adopted
    write(config, name, student.state_dict(), [], checkpoint.spec_of(header))


def load_released(teacher: nn.Module, settings: Teacher) -> None:
    """Fill `teacher` from its registered weights file, whichever known layout that has."""
    path = weights_path(settings.weights)
    load: Any = getattr(teacher, "load_released", None)
    if not isinstance(path, Path) or load is None:
        raise UserError(f"{settings.model} has no released weights called {settings.weights!r}")
    try:
        load(path)
    except ValueError as error:
        raise UserError(str(error)) from error


def write(
    config: Config,
    name: str,
    weights: dict[str, torch.Tensor],
    history: list[Row],
    spec: ModelSpec | None = None,
) -> None:
    """Checkpoint and curves; `spec` tells a trained student's own input size and meaning."""
    settings = config.student.teachers[name]
    spec = spec or checkpoint.spec_named(settings.model)
    header: dict[str, Any] = {
        "kind": "teacher",
        "model": spec.name,
        "overrides": settings.overrides,
        "height": spec.height,
        "width": spec.width,
        "output": spec.output,
        "seed": config.seed,
        "config_sha256": provenance.settings_hash(settings),
        "lineage": {
            "data": sha256_file(DATA / manifest.MANIFEST),
            "weights": weights_hash(settings.weights),
            "init": weights_hash(settings.init),
            "backbone": weights_hash(settings.backbone),
        },
        "versions": provenance.versions(),
    }
    folder = TEACHERS / name
    checkpoint.write(folder / MODEL, weights, header)
    write_curve(history, "epoch", folder / "epochs.csv")
    write_curve(history, "step", folder / "steps.csv")
    epochs = [row for row in history if row["kind"] == "epoch"]
    if epochs:
        select = teacher_phases.selected_by(epochs[-1]["phase"])
        best = max(row[f"val_{select}"] for row in epochs if row["phase"] == epochs[-1]["phase"])
        print(f"{name}: best validation {select} {best:.4f}")


if __name__ == "__main__":
    main()
