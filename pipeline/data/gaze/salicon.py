"""SALICON's `.mat` files, one per image."""

from __future__ import annotations

from pipeline.data.fixations import Fixations, read_mat
from pipeline.data.gaze.registry import file_of, reader
from pipeline.data.records import Record


@reader("salicon")
def salicon(record: Record) -> Fixations:
    """`gaze(viewer).fixations`; see `pipeline.data.fixations`."""
    return read_mat(file_of(record))
