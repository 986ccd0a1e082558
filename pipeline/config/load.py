"""From params.yaml, or from conf/, to a typed and checked `Config`."""

from __future__ import annotations

import difflib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import yaml
from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import (
    ConfigKeyError,
    MissingMandatoryValue,
    OmegaConfBaseException,
    ValidationError,
)

from pipeline.config.check import check
from pipeline.config.schema import Config
from pipeline.errors import UserError

PARAMS = Path("params.yaml")
CONF = Path("conf")


def load(path: Path = PARAMS) -> Config:
    """The checked configuration of this workspace.

    Raises `UserError` naming the key, the value and the nearest valid choice.
    """
    if not path.exists():
        raise UserError(f"{path} is missing; run from the project's folder")
    return typed(OmegaConf.load(path), str(path))


def compose(overrides: Sequence[str] = (), conf: Path = CONF) -> Config:
    """Compose conf/ as `dvc exp run -S …` does, without writing params.yaml."""
    return typed(compose_raw(overrides, conf), "conf/")


def compose_raw(overrides: Sequence[str] = (), conf: Path = CONF) -> DictConfig:
    """Compose conf/ to an OmegaConf tree with every interpolation resolved."""
    import hydra
    from hydra.core.config_store import ConfigStore
    from hydra.errors import HydraException

    ConfigStore.instance().store(name="schema", node=Config)
    try:
        with hydra.initialize_config_dir(str(conf.resolve()), version_base=None):
            tree: DictConfig = hydra.compose("config", list(overrides))
    except HydraException as error:
        raise UserError(f"{error}{_nearest_group(overrides, conf)}") from error
    except yaml.YAMLError as error:
        raise UserError(f"a file in {conf}/ is not valid YAML: {error}") from error
    OmegaConf.resolve(tree)
    return tree


def typed(tree: Any, source: str) -> Config:
    """Merge `tree` into the schema, check it, and return plain dataclasses."""
    try:
        merged = OmegaConf.merge(OmegaConf.structured(Config), tree)
        config = OmegaConf.to_object(merged)
    except ConfigKeyError as error:
        raise UserError(f"{source}: unknown key {error.full_key!r}{_nearest_key(error)}") from error
    except MissingMandatoryValue as error:
        raise UserError(f"{source}: {error.full_key} has no value; set it with -S") from error
    except ValidationError as error:
        raise UserError(f"{source}: {error.full_key}: {str(error).splitlines()[0]}") from error
    except OmegaConfBaseException as error:
        raise UserError(f"{source}: {error}") from error
    assert isinstance(config, Config)
    check(config)
    return config


def _nearest_key(error: ConfigKeyError) -> str:
    known = list(getattr(error.object_type, "__dataclass_fields__", {}))
    near = difflib.get_close_matches(str(error.key), known, n=1, cutoff=0.0)
    return f"; did you mean {near[0]!r}? Known here: {', '.join(known)}" if near else ""


def _nearest_group(overrides: Sequence[str], conf: Path) -> str:
    """Nearest choice for the first `group=choice` whose file does not exist."""
    for override in overrides:
        group, _, choice = override.partition("=")
        folder = conf / group
        if not folder.is_dir() or (folder / f"{choice}.yaml").exists():
            continue
        known = sorted(p.stem for p in folder.glob("[!_]*.yaml"))
        near = difflib.get_close_matches(choice, known, n=1, cutoff=0.0)
        return f"\ndid you mean {group}={near[0]}?" if near else ""
    return ""
