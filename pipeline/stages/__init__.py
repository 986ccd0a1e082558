"""Entry points that DVC runs, one per stage: `python -m pipeline.stages.<name>`."""

from __future__ import annotations

import os
import sys

# Read once, when torch loads its OpenMP. By default its threads spin while they wait for others,
# which beside loader processes and other programs costs a run most of its speed.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

if sys.argv[0] == "-m":  # what Python writes there while it looks for the stage to run
    from pipeline.stages.interrupt import end_quietly

    end_quietly()  # importing torch takes seconds, in which people change their minds
