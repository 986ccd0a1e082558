"""The `fovea` command: a thin layer on top that imports the rest lazily."""
