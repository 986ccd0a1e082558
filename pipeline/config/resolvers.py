"""What configuration files can compute: `${classes:camvid}` is the number of classes of a list."""

from __future__ import annotations

from omegaconf import OmegaConf

from pipeline.data.class_names import COUNTS


def register() -> None:
    """Make the resolvers known to OmegaConf; again is fine."""
    # 0 for a list that is not known: the check of the whole configuration says so in a sentence.
    OmegaConf.register_new_resolver("classes", lambda name: COUNTS.get(name, 0), replace=True)
