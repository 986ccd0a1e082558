"""Entry points that DVC runs, one per stage: `python -m pipeline.stages.<name>`."""

from __future__ import annotations

import sys

if sys.argv[0] == "-m":  # what Python writes there while it looks for the stage to run
    from pipeline.stages.interrupt import end_quietly

    end_quietly()  # importing torch takes seconds, in which people change their minds
