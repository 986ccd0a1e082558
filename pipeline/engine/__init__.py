"""The training loop: knows batches, progress, checkpoints and resuming; knows no task by name."""
