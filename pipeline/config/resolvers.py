"""What configuration files can compute.

`${classes:camvid}` is the number of classes of a list, of pixels or of images; `${labels_of:NAME}`
and `${taught:NAME}` are where a teacher's labels lie and what they weigh, which is nothing without
a teacher.
"""

from __future__ import annotations

from omegaconf import OmegaConf

from pipeline.data.class_names import COUNTS, IMAGE_COUNTS


def register() -> None:
    """Make the resolvers known to OmegaConf; again is fine."""
    # 0 for a list that is not known: the check of the whole configuration says so in a sentence.
    OmegaConf.register_new_resolver("classes", classes_of, replace=True)
    OmegaConf.register_new_resolver("labels_of", labels_of, replace=True)
    OmegaConf.register_new_resolver("taught", taught, replace=True)


def classes_of(name: str | None) -> int:
    """How many classes a list has; 0 for one that is not known."""
    return (COUNTS | IMAGE_COUNTS).get(name or "", 0)


def labels_of(teacher: str) -> str:
    """Output folder of a teacher's labels; that of the images alone for `none`."""
    return "outputs/data" if teacher == "none" else f"outputs/labels/{teacher}"


def taught(teacher: str) -> float:
    """Weight of a teacher's term: 1, or 0 where there is none."""
    return 0.0 if teacher == "none" else 1.0
