"""From a trained student to files that phones run, and the proof of what they cost and lost."""
