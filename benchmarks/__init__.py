"""Every figure of speed or quality in the docs, one command each."""
