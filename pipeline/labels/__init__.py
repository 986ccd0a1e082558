"""Pseudo-label store: what a teacher said of many images, in few files, read at random.

Write with `write_shards` (one process or many), finish with `merge`, read with `LabelStore`.
"""

from pipeline.labels.merge import merge
from pipeline.labels.reader import image_reader
from pipeline.labels.spec import LabelSpec
from pipeline.labels.store import LabelStore
from pipeline.labels.writer import write_shards

__all__ = ["LabelSpec", "LabelStore", "image_reader", "merge", "write_shards"]
