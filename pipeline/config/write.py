"""Write params.yaml as conf/ composes to: `python -m pipeline.config.write [KEY=VALUE …]`."""

from __future__ import annotations

import sys

from omegaconf import OmegaConf

from pipeline.config.load import PARAMS, compose_raw, typed
from pipeline.errors import UserError
from pipeline.files import atomic_write_text


def main() -> None:
    """Compose, check, write."""
    try:
        tree = compose_raw(sys.argv[1:])
        typed(tree, "conf/")
    except UserError as error:
        sys.exit(f"error: {error}")
    atomic_write_text(PARAMS, OmegaConf.to_yaml(tree))


if __name__ == "__main__":
    main()
