"""Entry points that DVC runs, one per stage: `python -m pipeline.stages.<name>`."""

from __future__ import annotations

import os
import sys

# Read once, when torch loads its OpenMP. Its threads spin for a while before they sleep; doing so
# less leaves a training its speed on idle cores, and much more of it on busy ones.
os.environ.setdefault("GOMP_SPINCOUNT", "1000")

if os.environ.get("WORLD_SIZE", "1") != "1":
    # What a process that others went away from has to tell is told in words, not in C++ traces.
    os.environ.setdefault("TORCH_CPP_LOG_LEVEL", "FATAL")

if sys.argv[0] == "-m":  # what Python writes there while it looks for the stage to run
    from pipeline.stages.interrupt import end_quietly

    end_quietly()  # importing torch takes seconds, in which people change their minds
