"""One module per command: `add` describes it to argparse, its `run` does it."""
