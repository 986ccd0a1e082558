"""What types cannot say about a configuration: names that exist, values that fit together."""

from __future__ import annotations

import difflib
import math
from collections.abc import Collection

from pipeline.config.schema import Config, Data, Inference, Phase, Student, Teacher
from pipeline.data import class_names
from pipeline.errors import UserError

SELECT = {
    "hint": ("hint",),
    "saliency": ("NSS", "CC"),
    "objects": ("S", "F"),
    "semantic": ("mIoU", "accuracy"),
    "classification": ("top1", "mAcc", "P"),
    "smoothed": ("top1", "mAcc", "P"),
}
"""Objectives, and the validation results of each that can decide which epoch is best."""
TASKS = {
    "saliency": ("hint", "saliency"),
    "salient_object": ("hint", "objects"),
    "semantic": ("hint", "semantic"),
    "classification": ("classification", "smoothed"),
}
"""Tasks, and the objectives that their phases may have."""
IOU_FORMS = ("image", "batch")
OPTIMISERS = ("sgd", "adamw")
TEACHER_OPTIMISERS = ("sgd", "nesterov", "adam", "adagrad")
ARITHMETICS = ("float", "int8")
SCHEDULES = ("steps", "cosine", "poly")
READOUTS = {
    "saliency": ("sigmoid", "softmax"),
    "salient_object": ("sigmoid",),
    "semantic": ("classes",),
    "classification": ("classes",),
}
LABELS_LOSSES = ("bce", "density")
DENSITY_WEIGHTS = ("paper", "authors")
NOTHING = "outputs/data"
"""Dependency of a phase that needs nothing more than the images."""


def check(config: Config) -> None:
    """Raise `UserError` for the first value that cannot work, with the nearest one that can."""
    _at_least("seed", config.seed, 0)
    _check_data(config)
    _check_student(config.student)
    _check_inference(config.inference, config.student)
    _check_measuring(config)
    one_of("machine.device", config.machine.device, ("auto", "cpu", "cuda"))
    one_of("machine.precision", config.machine.precision, ("fp32", "bf16"))
    _at_least("machine.workers", config.machine.workers, 0)
    _at_least("machine.processes", config.machine.processes, 1)
    _above("machine.timeout_minutes", config.machine.timeout_minutes)
    if config.machine.processes > 1:
        check_shares(config.student, config.machine.processes)


def check_shares(student: Student, processes: int) -> None:
    """Raise `UserError` for a batch that cannot be shared out equally."""
    for name, phase in student.phases.items():
        check_share(f"student.phases.{name}", phase.batch, processes, phase.accumulate)
    for name, teacher in student.teachers.items():
        for key, part in teacher.phases.items():
            check_share(f"student.teachers.{name}.phases.{key}", part.batch, processes)


def check_share(key: str, batch: int, processes: int, accumulate: int = 1) -> None:
    """Raise `UserError` unless `batch` makes equal pieces."""
    pieces = processes * accumulate
    if batch % pieces:
        raise UserError(
            f"{key}.batch={batch} is for all processes together and cannot be shared out to "
            f"{processes} processes x accumulate {accumulate}; use a multiple of {pieces}"
        )


def one_of(key: str, value: str, known: Collection[str]) -> None:
    """Raise `UserError` with the nearest of `known` unless `value` is one of them."""
    if value in known:
        return
    near = difflib.get_close_matches(value, known, n=1, cutoff=0.0)
    hint = f"; did you mean {near[0]!r}?" if near else ""
    raise UserError(f"{key}={value!r} is not known{hint} Choices: {', '.join(sorted(known))}")


def _check_data(config: Config) -> None:
    data: Data = config.data
    if data.real and config.profile.name == "sample" and not config.profile.force:
        raise UserError(
            f"data={data.name} is real, but profile=sample is thinned for generated scenes; "
            "use -S profile=small or -S profile=paper, or -S profile.force=true"
        )
    _at_least("data.calibration", data.calibration, 1)
    _check_classes(config)
    for name, teacher in config.student.teachers.items():
        sources = (teacher.backbone, teacher.weights, teacher.init)
        if teacher.model.startswith("deepgaze2") and data.real and set(sources) == {"none"}:
            raise UserError(
                f"student.teachers.{name}: a readout on random features learns nothing worth "
                f"teaching; register its backbone (fovea weights add NAME FILE) and set "
                f"student.teachers.{name}.backbone=NAME, or =torchvision to download it"
            )
    for name, role in (("train", data.train), ("pool", data.pool), ("val", data.val)):
        if role is not None and role.limit is not None:
            _at_least(f"data.{name}.limit", role.limit, 1)
    for name in ("train", "val"):
        _at_least(f"sample.{name}", getattr(config.sample, name), 1)
    _at_least("sample.seed", config.sample.seed, 0)
    both = {*data.train.split.split("+")} & {*data.val.split.split("+")}
    if data.train.root == data.val.root and both:
        raise UserError(f"data.train and data.val are both {data.val.root}:{min(both)}")


def _check_classes(config: Config) -> None:
    name, student = config.data.classes, config.student
    if name is not None:
        one_of("data.classes", name, [*class_names.COUNTS, *class_names.IMAGE_COUNTS])
    if student.task == "classification":
        _check_image_classes(config)
    if student.task != "semantic":
        return
    if name in class_names.IMAGE_COUNTS:
        raise UserError(
            f"student={student.name} learns a class for every pixel, but data={config.data.name} "
            "has one for each image; choose other data, such as -S data=camvid, or a classifier"
        )
    if name is None:
        raise UserError(
            f"student={student.name} learns classes, but data={config.data.name} has none "
            "(data.classes is null); choose data with a class for every pixel, such as "
            "-S data=camvid"
        )
    given = student.overrides.get("classes")
    if given != class_names.COUNTS[name]:
        raise UserError(
            f"student.overrides.classes is {given}, but data.classes={name} has "
            f"{class_names.COUNTS[name]} classes"
        )


def _check_image_classes(config: Config) -> None:
    """Of images: as many as `data.classes` has or, where it is null, as the user says."""
    name, student = config.data.classes, config.student
    given = student.overrides.get("classes")
    if name in class_names.COUNTS:
        raise UserError(
            f"student={student.name} learns a class for each image, but data={config.data.name} "
            "has one for every pixel; choose other data, such as -S data=imagenet"
        )
    if name is None and (not isinstance(given, int) or given < 2):
        raise UserError(
            f"data={config.data.name} does not say how many classes its images have "
            "(data.classes is null); say it: -S student.overrides.classes=N, or choose other data, "
            "such as -S data=sample_classes"
        )
    if name is not None and given != class_names.IMAGE_COUNTS[name]:
        raise UserError(
            f"student.overrides.classes is {given}, but data.classes={name} has "
            f"{class_names.IMAGE_COUNTS[name]} classes"
        )


def _check_inference(asked: Inference, student: Student) -> None:
    one_of("inference.mode", asked.mode, ("whole", "slide"))
    if asked.size and (len(asked.size) != 2 or min(asked.size) < 1):
        raise UserError(f"inference.size is {asked.size}; give height and width, or []")
    if not 0 <= asked.overlap < 1:
        raise UserError(f"inference.overlap is {asked.overlap}; use a share from 0 to below 1")
    if not asked.scales:
        raise UserError("inference.scales is empty; give one at least, such as [1.0]")
    for scale in asked.scales:
        _above("inference.scales", scale)
    if student.task != "semantic" and asked != Inference(overlap=asked.overlap):
        raise UserError(
            f"student={student.name} is of the task {student.task}, and inference is for semantic "
            "students alone; leave inference as it is by default"
        )


def _check_measuring(config: Config) -> None:
    recipes, latency = config.export.recipes, config.latency
    if not recipes:
        raise UserError("export.recipes is empty; name at least one, such as litert_int8")
    twice = [name for name in recipes if recipes.count(name) > 1]
    if twice:
        raise UserError(f"export.recipes names {twice[0]} more than once")
    for name in ("threads", "repeats", "iterations"):
        _at_least(f"latency.{name}", getattr(latency, name), 1)
    _at_least("latency.warmup", latency.warmup, 0)
    _above("latency.seconds", latency.seconds)
    for name in ("metric_loss", "stratum_loss"):
        bound = getattr(config.budget, name)
        if bound is not None and not bound >= 0:
            raise UserError(f"budget.{name} is {bound}; use 0 or more")
    if not 0 <= config.budget.delegated <= 1:
        raise UserError(f"budget.delegated is {config.budget.delegated}; use a share from 0 to 1")
    for name in ("size_mib", "p95_ms", "bare_ratio"):
        bound = getattr(config.budget, name)
        if bound is not None and not bound > 0:
            raise UserError(f"budget.{name} is {bound}; use more than 0, or null for no bound")


def _check_student(student: Student) -> None:
    one_of("student.task", student.task, TASKS)
    one_of("student.readout", student.readout, READOUTS[student.task])
    if student.label_size and (len(student.label_size) != 2 or min(student.label_size) < 1):
        raise UserError(f"student.label_size is {student.label_size}; give height and width, or []")
    if student.input_size and (len(student.input_size) != 2 or min(student.input_size) < 1):
        raise UserError(f"student.input_size is {student.input_size}; give height and width, or []")
    if not student.phases:
        raise UserError("student.phases is empty; choose one, such as -S phases=distilled")
    finals = {f"outputs/train/{name}" for name in student.phases}
    one_of("student.final", student.final, finals)
    for name, teacher in student.teachers.items():
        _check_teacher(name, teacher)
    made = {NOTHING}
    for name, phase in student.phases.items():
        _check_phase(f"student.phases.{name}", phase, student, made)
        made.add(f"outputs/train/{name}")


def _check_teacher(name: str, teacher: Teacher) -> None:
    for phase_name, phase in teacher.phases.items():
        key = f"student.teachers.{name}.phases.{phase_name}"
        one_of(f"{key}.optimiser", phase.optimiser, TEACHER_OPTIMISERS)
        _at_least(f"{key}.batch", phase.batch, 1)
        _at_least(f"{key}.epochs", phase.epochs, 0)
        _above(f"{key}.lr", phase.lr)
    _at_least(f"student.teachers.{name}.shard", teacher.shard, 1)


def _check_phase(key: str, phase: Phase, student: Student, made: Collection[str]) -> None:
    one_of(f"{key}.objective", phase.objective, TASKS[student.task])
    one_of(f"{key}.select", phase.select, SELECT[phase.objective])
    one_of(f"{key}.init", phase.init, made)
    one_of(f"{key}.take", phase.take, ("all", "backbone"))
    one_of(f"{key}.hint_scale", phase.hint_scale, ("paper", "unit"))
    one_of(f"{key}.labels_loss", phase.labels_loss, LABELS_LOSSES)
    one_of(f"{key}.density_weights", phase.density_weights, DENSITY_WEIGHTS)
    one_of(f"{key}.arithmetic", phase.arithmetic, ARITHMETICS)
    if phase.objective == "hint" and phase.arithmetic != "float":
        raise UserError(
            f"{key}: hints are learned in float; set {key}.arithmetic=float and take int8 for a "
            "phase after fine-tuning, such as -S phases=distilled_int8"
        )
    one_of(f"{key}.optimiser.kind", phase.optimiser.kind, OPTIMISERS)
    one_of(f"{key}.schedule.kind", phase.schedule.kind, SCHEDULES)
    teachers = {f"outputs/teachers/{name}" for name in student.teachers}
    labels = {f"outputs/labels/{name}" for name in student.teachers}
    if phase.teacher == "outputs/teachers/none":
        raise UserError(
            f"{key}: hints need a teacher that has features to match, and student.hints is none; "
            "use -S phases=labels, or hints by SalGAN, such as -S teacher=salgan_deepgaze2"
        )
    one_of(f"{key}.teacher", phase.teacher, teachers | {NOTHING})
    one_of(f"{key}.labels", phase.labels, labels | {NOTHING})
    _at_least(f"{key}.batch", phase.batch, 1)
    _at_least(f"{key}.epochs", phase.epochs, 1)
    _at_least(f"{key}.accumulate", phase.accumulate, 1)
    check_share(key, phase.batch, 1, phase.accumulate)
    if phase.ema is not None and not 0 < phase.ema < 1:
        raise UserError(f"{key}.ema is {phase.ema}; use a decay between 0 and 1, or null")
    _above(f"{key}.optimiser.lr", phase.optimiser.lr)
    _at_least(f"{key}.schedule.warmup", phase.schedule.warmup, 0)
    _check_shown(key, phase)
    if phase.objective == "hint" and phase.teacher == NOTHING:
        raise UserError(f"{key}: hints need a teacher; set {key}.teacher=outputs/teachers/NAME")
    if phase.objective != "hint":
        _check_terms(key, phase)


def _check_shown(key: str, phase: Phase) -> None:
    if len(phase.scale) != 2 or not 0 < phase.scale[0] <= phase.scale[1] < math.inf:
        raise UserError(f"{key}.scale is {phase.scale}; give the smallest and the largest, above 0")
    if phase.objective == "saliency" and phase.scale != [1.0, 1.0]:
        raise UserError(
            f"{key}.scale is {phase.scale}, but a part of an image has another density of "
            "fixations than the whole; set it to [1.0, 1.0]"
        )
    one_of(f"{key}.iou", phase.iou, IOU_FORMS)
    if phase.ohem is not None and not 0 < phase.ohem < 1:
        raise UserError(f"{key}.ohem is {phase.ohem}; use a probability between 0 and 1, or null")
    if phase.balance is not None and not phase.balance > 1:
        raise UserError(f"{key}.balance is {phase.balance}; use more than 1, or null")
    if not 0 < phase.ohem_share <= 1:
        raise UserError(f"{key}.ohem_share is {phase.ohem_share}; use a share above 0, at most 1")
    decay = phase.optimiser.layer_decay
    if decay is not None and not 0 < decay <= 1:
        raise UserError(f"{key}.optimiser.layer_decay is {decay}; use at most 1, or null")


def _check_terms(key: str, phase: Phase) -> None:
    if phase.teacher_weight <= 0 and phase.truth_weight <= 0:
        raise UserError(f"{key}: teacher_weight and truth_weight are both 0: nothing to learn")
    if phase.objective in TASKS["classification"]:
        _check_of_images(key, phase)
    if phase.teacher_weight > 0 and phase.labels == NOTHING:
        raise UserError(f"{key}: teacher_weight needs labels; set {key}.labels or the weight to 0")


def _check_of_images(key: str, phase: Phase) -> None:
    """Refuse what is for maps."""
    if phase.teacher_weight > 0:
        raise UserError(
            f"{key}: labels of a teacher are maps, and {phase.objective} learns a class for each "
            f"image; set {key}.teacher_weight=0"
        )
    for name in ("ohem", "balance"):
        if getattr(phase, name) is not None:
            raise UserError(f"{key}.{name} is about pixels; set it to null for {phase.objective}")


def _at_least(key: str, value: float, least: int) -> None:
    if not value >= least:  # so written, NaN is refused too
        raise UserError(f"{key} is {value}; use at least {least}")


def _above(key: str, value: float) -> None:
    if not 0 < value < math.inf:
        raise UserError(f"{key} is {value}; use a number above 0")
