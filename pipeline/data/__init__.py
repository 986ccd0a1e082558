"""Images and annotations: where they lie, how they are read, and in which order."""
