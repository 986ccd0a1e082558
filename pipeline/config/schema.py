"""The typed shape of params.yaml: every key, its type and what it means.

Registered with Hydra (see conf/hydra_plugins), so that `dvc exp run -S …` refuses an unknown key
or a wrong type before any work, and checked again by every stage.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from omegaconf import MISSING


@dataclass
class Role:
    """One part a data set plays: training, unlabelled pool or validation."""

    layout: str = MISSING
    """How files lie below the root: `salicon`, `coco`, `pairs`, `folder`, …"""
    root: str = MISSING
    """A registered root (`fovea data add NAME PATH`), or `sample/…` for generated data."""
    split: str = MISSING
    """Splits joined by `+` count as one: `train2017+test2017`."""
    edition: int | None = None
    """Of SALICON's annotation, 2015 or 2017; null: what the layout means (`salicon`: 2017). Other
    data sets have none."""
    limit: int | None = None
    """Take only the first N images by id, or of those with a class N that lie evenly among all."""


@dataclass
class Data:
    """Which images are learned from, labelled only by teachers, and measured on."""

    name: str = MISSING
    real: bool = True
    """False for generated data; the sample profile refuses real data."""
    train: Role = field(default_factory=Role)
    pool: Role | None = None
    val: Role = field(default_factory=Role)
    classes: str | None = None
    """Class list of label images, such as `camvid`, or what classes whole images have, such as
    `imagenet`; null for data sets without any, and for folders of your own for each class."""
    calibration: int = 100
    """Training images that calibrate static quantisation."""


@dataclass
class Optimiser:
    """Optimiser and the FastSal parameter groups."""

    kind: str = "sgd"
    """`sgd` (momentum) or `adamw`."""
    lr: float = 0.01
    momentum: float = 0.9
    weight_decay: float = 5e-4
    """Applied to weights, never to biases."""
    backbone_lr: float = 0.5
    """Learning-rate factor of backbone weights."""
    bias_lr: float = 2.0
    """Learning-rate factor of biases outside the backbone."""
    layer_decay: float | None = None
    """Learning-rate factor of each part of the backbone over the next one up (CEDNet: 0.9), in
    place of `backbone_lr` and `bias_lr`; no vector decays then. Null: all parts alike."""
    grad_clip: float | None = None
    """Largest gradient norm, or no clipping."""


@dataclass
class Schedule:
    """Learning rate over a phase; epochs count from 0."""

    kind: str = "steps"
    """`steps` (times gamma after each milestone epoch), `cosine` or `poly` (both to zero)."""
    milestones: list[int] = field(default_factory=list)
    gamma: float = 0.1
    power: float = 0.9
    """Of `poly`: (1 - share of the phase) to this power."""
    warmup: float = 0.0
    """Epochs of linear warm-up."""
    reload_best: bool = False
    """Reload the best checkpoint at each drop (the authors' code; the paper is silent)."""


@dataclass
class Phase:
    """One training phase of the student."""

    objective: str = MISSING
    """`hint` (Eq. 1), or by task `saliency` (Eq. 2), `objects`, `semantic`, `classification` or
    `smoothed`, the latter with 0.1 of the probability spread over all classes."""
    init: str = MISSING
    """Output folder of the phase this one starts from; `outputs/data` starts afresh."""
    take: str = "all"
    """What it takes from `init`: `all` weights (the paper's intent) or `backbone` (their code)."""
    teacher: str = MISSING
    """Output folder of the teacher whose features are the hints, or `outputs/data`."""
    labels: str = MISSING
    """Output folder of the pseudo-labels, or `outputs/data`."""
    hint_scale: str = "paper"
    """`paper`: Eq. 1 on the teacher's features as they are; `unit`: each layer divided by its root
    mean square, for teachers whose layers differ by orders of magnitude."""
    teacher_weight: float = 1.0
    """Weight of the teacher's term of Eq. 2; 0 leaves the teacher out."""
    truth_weight: float = 1.0
    """Weight of the ground-truth term of Eq. 2; 0 leaves the annotations out."""
    labels_loss: str = "bce"
    """How pseudo-labels are learned: `bce` (Eq. 2) or `density` (Eq. 3, for DeepGaze II)."""
    density_weights: str = "paper"
    """Weights of Eq. 3's three terms: `paper` (1, 1, 1) or `authors` (0.5, 0.2, 0.3)."""
    pool: bool = True
    """Also learn from the unlabelled pool, where the objective needs no annotation."""
    epochs: int = MISSING
    batch: int = MISSING
    accumulate: int = 1
    """Take each batch in so many equal pieces, one after the other, for want of memory: the same
    gradient, but batch norm (and `hint_scale=unit`) see a piece at a time."""
    arithmetic: str = "float"
    """What the forward pass computes in: `float`, or `int8`, which rounds as an int8 file does."""
    ema: float | None = None
    """Decay of a moving average of the weights, such as 0.999: it is then what is validated and
    kept. Batch-norm statistics are averaged along."""
    flip: bool = False
    """Mirror images left to right at random; FastSal's paper does not."""
    scale: list[float] = field(default_factory=lambda: [1.0, 1.0])
    """Smallest and largest size at which images are shown, drawn anew each epoch: of an enlarged
    one a random part is seen, a shrunk one is surrounded by nothing. Classifiers see parts that
    are up to 4/3 as wide or as narrow, too."""
    iou: str = "image"
    """IoU loss of `objects`: `image` (CII, Eq. 6) or `batch` (the authors' code)."""
    ohem: float | None = None
    """Learn only from pixels whose class has at most this probability (GALD: 0.7); null: all."""
    ohem_share: float = 0.17
    """Share of a batch's pixels, the hardest, that are learned from anyhow (GALD: 100,000 of a crop
    of 769x769)."""
    balance: float | None = None
    """c of the weights 1 / ln(c + share of the training pixels) of classes, by which rare ones
    count more (ENet: 1.02); null: all alike."""
    auxiliary_weight: float = 0.4
    """Weight of the loss of auxiliary heads, where a student has any."""
    optimiser: Optimiser = field(default_factory=Optimiser)
    schedule: Schedule = field(default_factory=Schedule)
    select: str = "CC"
    """Validation metric that decides which epoch is best."""


@dataclass
class TeacherPhase:
    """One training phase of a teacher that has no released weights."""

    epochs: int = 0
    batch: int = 8
    optimiser: str = "sgd"
    lr: float = 1e-3
    milestones: list[int] = field(default_factory=list)
    """Epochs (0-based) after which the likelihood phase divides its rate by ten; none: cosine."""
    alpha: float = 0.005
    """Weight of the content loss in the adversarial phase (paper 0.005; authors' code 0.05)."""
    flip: bool = False


@dataclass
class Teacher:
    """A frozen expert: released weights, a trained student, or trained here phase by phase."""

    model: str = MISSING
    """A teacher's name, or a student's: then `weights` names one of its checkpoints, or, as
    `shelf/STUDENT`, the newest one on the shelf."""
    weights: str = "none"
    """Registered weights to load, or `none`: train it."""
    init: str = "none"
    """A registered checkpoint of the same teacher that training starts from, or `none`."""
    backbone: str = "none"
    """Weights of a frozen backbone (DeepGaze II): a registered name, `torchvision`, or `none`."""
    overrides: dict[str, Any] = field(default_factory=dict)
    phases: dict[str, TeacherPhase] = field(default_factory=dict)
    shard: int = 256
    """Images per label shard."""


@dataclass
class Student:
    """The model to ship and how it comes to be."""

    name: str = MISSING
    task: str = MISSING
    weights: str = "none"
    """Backbone weights: a registered name, `torchvision` (downloads), or `none`."""
    overrides: dict[str, Any] = field(default_factory=dict)
    """Arguments of the student's builder."""
    hints: str = "none"
    """Teacher whose features the hint phase is taught by."""
    labels: str = "none"
    """Teacher whose maps are the pseudo-labels; another one than `hints`, if you like."""
    labels_loss: str = "bce"
    """What suits those maps: `bce` fixation maps (Eq. 2), `density` log densities (Eq. 3)."""
    readout: str = "sigmoid"
    """How the shipped output is read: `sigmoid` (per pixel), `softmax` (density, Table VI) or
    `classes` (semantic, classification)."""
    teachers: dict[str, Teacher] = field(default_factory=dict)
    phases: dict[str, Phase] = field(default_factory=dict)
    input_size: list[int] = field(default_factory=list)
    """Height and width it is trained and shipped for; empty: those of its spec."""
    label_size: list[int] = field(default_factory=lambda: [192, 256])
    """Height and width that pseudo-labels are stored at; empty: the student's own input."""
    final: str = MISSING
    """Output folder of the phase whose best checkpoint is shipped."""


@dataclass
class Profile:
    """Widths, schedules and epochs that belong together."""

    name: str = MISSING
    force: bool = False
    """Allow the sample profile on real data."""
    weights: str = "none"
    init: str = "authors"
    teacher_width: float = 1.0
    teacher_normalisation: str = "caffe"
    """`caffe`: what the released weights saw; `imagenet`: training from scratch."""
    teacher_batch: int = 32
    teacher_epochs: int = 20
    teacher_optimiser: str = "sgd"
    teacher_lr: float = 1e-3
    teacher_backbone: str = "none"
    """Weights of MobileNetV2 under a DeepGaze readout."""
    vgg19: str = "torchvision"
    """Weights of VGG-19 under DeepGaze II."""
    likelihood_epochs: int = 60
    likelihood_lr: float = 1e-3
    likelihood_milestones: list[int] = field(default_factory=list)
    folds: int = 10
    """Readouts of a DeepGaze, each of which holds out its share of the images."""
    adversarial_epochs: int = 10
    adversarial_lr: float = 3e-4
    adversarial_optimiser: str = "sgd"
    flip: bool = False
    batch: int = 30
    hint_epochs: int = 100
    hint_scale: str = "paper"
    hint_lr: float = 0.01
    hint_milestones: list[int] = field(default_factory=lambda: [15, 30, 60])
    finetune_epochs: int = 100
    finetune_lr: float = 0.01
    finetune_milestones: list[int] = field(default_factory=lambda: [15, 30, 60])
    resnet: str = "none"
    """Weights of the ResNet under a heavier student."""
    object_size: list[int] = field(default_factory=list)
    """Input of salient-object students; empty: their spec's 352x352."""
    object_scale: list[float] = field(default_factory=lambda: [1.0, 1.0])
    """As `Phase.scale`, of salient-object students."""
    semantic_size: list[int] = field(default_factory=list)
    """Input of semantic students; empty: their spec's."""
    semantic_scale: list[float] = field(default_factory=lambda: [0.7, 2.1])
    """As `Phase.scale`; GALD's."""
    semantic_epochs: int = 134
    """GALD's 50,000 steps of 8 images on Cityscapes."""
    semantic_batch: int = 8
    semantic_lr: float = 0.01
    ohem: float | None = 0.7
    balance: float | None = None
    class_size: list[int] = field(default_factory=list)
    """Input of classifiers; empty: their spec's 224x224."""
    class_scale: list[float] = field(default_factory=lambda: [1.0, 3.54])
    """As `Phase.scale`; 8 % of an image at least (Szegedy et al., CVPR 2015)."""
    class_epochs: int = 300
    class_batch: int = 4096
    class_lr: float = 4e-3
    class_warmup: float = 20.0
    class_ema: float | None = 0.9999
    full_epochs: int = 32
    """Of students trained in one phase (CII, Sec. 4.1)."""
    full_batch: int = 30
    full_lr: float = 0.05
    full_backbone_lr: float = 0.1
    full_warmup: float = 8.0
    int8_epochs: int = 10
    """Of training through int8 arithmetic after fine-tuning, where `phases` has that."""
    int8_lr: float = 1e-4
    optimiser: str = "sgd"
    schedule: str = "steps"
    warmup: float = 0.0
    reload_best: bool = False
    grad_clip: float | None = None


@dataclass
class Inference:
    """How a semantic student is measured once more, beside the plain whole image; as it stands:
    not at all.
    """

    mode: str = "whole"
    """`whole`, or `slide`: tiles of the model's input size."""
    size: list[int] = field(default_factory=list)
    """Height and width that images are brought to first; empty: the model's input size."""
    overlap: float = 0.333
    """Share of a tile that its neighbour sees too (GALD, CEDNet: a third)."""
    scales: list[float] = field(default_factory=lambda: [1.0])
    """Sizes the image is seen at, as factors of `size`; probabilities are averaged."""
    flip: bool = False
    """See the mirrored image, too."""


@dataclass
class Export:
    """Which files are made from the student, and what they are calibrated on."""

    recipes: list[str] = field(default_factory=list)


@dataclass
class Latency:
    """How latency is measured (per file, in a process of its own)."""

    threads: int = 2
    warmup: int = 5
    repeats: int = 3
    iterations: int = 20
    seconds: float = 20.0
    """Time bound per repeat, for slow models."""


@dataclass
class Budget:
    """What an exported file may cost; a breach is marked in report and bundle (`fovea gate`).

    Bounds on logits, maps and bytes per parameter belong to the recipe (`mobile/recipes.py`).
    """

    metric_loss: float = 0.01
    """Largest relative loss of NSS and CC against torch, at the bad end of its 95 % interval."""
    stratum_loss: float | None = None
    """The same on small regions, crowded and low-contrast images alone; null: not judged."""
    size_mib: float | None = None
    """Largest file."""
    delegated: float = 0.95
    """Least share of the graph's nodes that the delegate must have taken."""
    bare_ratio: float | None = None
    """Most of the bare backbone's time by the same recipe, on the host; null: not measured."""
    p95_ms: float | None = None
    """Slowest 95th percentile on a device; hosts are not judged by it."""
    enforce: bool = False
    """Whether a breach ends the `check` stage with an error."""


@dataclass
class Machine:
    """How work runs. The number of loader workers changes nothing that a stage makes; the rest
    changes rounding, and processes what batch norm sees, so a training begun one way is not gone
    on with another.
    """

    device: str = "auto"
    """`auto`, `cpu` or `cuda`."""
    precision: str = "fp32"
    """`fp32` or `bf16` (autocast; losses stay float32, as does SalGAN's adversarial phase)."""
    workers: int = 2
    """Loader processes (of each training process)."""
    processes: int = 1
    """Training and labelling processes on this machine, one for each GPU; `batch` is still what
    all of them learn from in one step. torchrun's ranks are counted instead where it starts."""
    sync_batchnorm: bool = False
    """Batch-norm statistics over all processes' images (CUDA alone), not each one's own."""
    compile: bool = False
    """`torch.compile` of student, teacher and loss; needs a C++ compiler or Triton."""
    timeout_minutes: float = 60.0
    """How long processes wait for one another, validation by the first one included."""


@dataclass
class Sample:
    """Size of the generated sample data."""

    seed: int = 0
    train: int = 120
    val: int = 32
    pool: int = 120


@dataclass
class Config:
    """The whole of params.yaml."""

    seed: int = 0
    sample: Sample = field(default_factory=Sample)
    data: Data = field(default_factory=Data)
    profile: Profile = field(default_factory=Profile)
    student: Student = field(default_factory=Student)
    inference: Inference = field(default_factory=Inference)
    export: Export = field(default_factory=Export)
    latency: Latency = field(default_factory=Latency)
    budget: Budget = field(default_factory=Budget)
    machine: Machine = field(default_factory=Machine)
