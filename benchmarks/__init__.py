"""Every figure of speed or quality in the docs, one command each."""

import os

os.environ.setdefault("GOMP_SPINCOUNT", "1000")  # before torch is loaded, as in the stages
