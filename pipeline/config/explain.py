"""What Hydra refuses, said in one line with the nearest choice that exists."""

from __future__ import annotations

import difflib
from collections.abc import Collection, Sequence
from pathlib import Path

from omegaconf import DictConfig
from omegaconf.errors import ConfigAttributeError, ConfigKeyError


def explain(error: Exception, overrides: Sequence[str], conf: Path) -> str:
    """Why `overrides` do not compose, as Hydra found in `error`."""
    for override in overrides:
        key, sign, value = override.lstrip("+~").partition("=")
        if not sign or not key:
            return f"{override!r} is no override; write KEY=VALUE"
        known = sorted(p.stem for p in (conf / key).glob("[!_]*.yaml"))
        if known and value not in known:
            near = difflib.get_close_matches(value, known, n=1, cutoff=0.0)
            return f"{key}={value} is not known; did you mean {key}={near[0]}? {_choices(known)}"
    cause = error.__cause__
    if isinstance(cause, (ConfigAttributeError, ConfigKeyError)):
        return _unknown_key(cause)
    reason = f": {str(cause).splitlines()[0]}" if cause is not None else ""
    return f"{str(error).splitlines()[0]}{reason}"


def _unknown_key(error: ConfigAttributeError | ConfigKeyError) -> str:
    parent = error.parent_node
    known = [str(key) for key in parent if key != "hydra"] if isinstance(parent, DictConfig) else []
    near = difflib.get_close_matches(str(error.key), known, n=1, cutoff=0.0)
    hint = f"; did you mean {near[0]!r}? {_choices(known)}" if near else ""
    return f"there is no key {error.full_key!r}{hint}"


def _choices(known: Collection[str]) -> str:
    return f"Choices: {', '.join(known)}"
