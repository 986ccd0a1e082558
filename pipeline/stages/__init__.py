"""One short entry per DVC stage; run as `python -m pipeline.stages.NAME`."""
