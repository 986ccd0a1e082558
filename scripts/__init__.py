"""Tools for developers, run as `python scripts/NAME.py` from the project's folder."""
