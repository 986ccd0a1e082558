"""Photographs in, attention maps out: what `fovea predict` does, without its command line."""
