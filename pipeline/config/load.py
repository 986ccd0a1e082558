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
from pipeline.config.explain import explain
from pipeline.config.resolvers import register
from pipeline.config.schema import Config
from pipeline.errors import UserError

PARAMS = Path("params.yaml")
CONF = Path("conf")


def load(path: Path = PARAMS) -> Config:
    """The checked configuration of this workspace.

    Raises `UserError` naming the key, the value and the nearest valid choice.
    """
    try:
        tree = OmegaConf.load(path)
    except FileNotFoundError as error:
        raise UserError(f"{path} is missing; run from the project's folder") from error
    except OSError as error:
        raise UserError(f"{path} cannot be read: {error.strerror or error}") from error
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise UserError(f"{path} is not valid YAML: {_one_line(error)}; {_ANEW}") from error
    if not isinstance(tree, DictConfig) or not tree:
        raise UserError(f"{path} is empty or no mapping of keys to values; {_ANEW}")
    return typed(tree, str(path))


def compose(overrides: Sequence[str] = (), conf: Path = CONF) -> Config:
    """Compose conf/ as `dvc exp run -S …` does, without writing params.yaml."""
    return typed(compose_raw(overrides, conf), "conf/")


def compose_raw(overrides: Sequence[str] = (), conf: Path = CONF) -> DictConfig:
    """Compose conf/ to an OmegaConf tree with every interpolation resolved."""
    import hydra
    from hydra.core.config_store import ConfigStore
    from hydra.errors import HydraException

    register()
    ConfigStore.instance().store(name="schema", node=Config)
    try:
        with hydra.initialize_config_dir(str(conf.resolve()), version_base=None):
            tree: DictConfig = hydra.compose("config", list(overrides))
        OmegaConf.resolve(tree)
    except HydraException as error:
        raise UserError(explain(error, overrides, conf)) from error
    except yaml.YAMLError as error:
        raise UserError(f"a file in {conf}/ is not valid YAML: {_one_line(error)}") from error
    except (OmegaConfBaseException, AttributeError, TypeError, ValueError) as error:
        # Some values break Hydra before it can say so, such as a mapping where null was.
        raise UserError(f"{conf}/ with {' '.join(overrides)}: {_one_line(error)}") from error
    return tree


def typed(tree: Any, source: str) -> Config:
    """Merge `tree` into the schema, check it, and return plain dataclasses."""
    try:
        # As plain values: a key that Hydra let through on top of the schema is to be seen here.
        plain = OmegaConf.create(OmegaConf.to_container(tree))
        merged = OmegaConf.merge(OmegaConf.structured(Config), plain)
        config = OmegaConf.to_object(merged)
    except ConfigKeyError as error:
        raise UserError(f"{source}: unknown key {error.full_key!r}{_nearest_key(error)}") from error
    except MissingMandatoryValue as error:
        raise UserError(f"{source}: {error.full_key} has no value; set it with -S") from error
    except ValidationError as error:
        raise UserError(f"{source}: {error.full_key}: {str(error).splitlines()[0]}") from error
    except OmegaConfBaseException as error:
        raise UserError(f"{source}: {_one_line(error)}") from error
    assert isinstance(config, Config)
    check(config)
    return config


_ANEW = "mend it, or write it anew from conf/: make params"


def _one_line(error: Exception) -> str:
    lines = (line.strip() for line in str(error).splitlines())
    return ", ".join(line for line in lines if line and "object_type=" not in line)


def _nearest_key(error: ConfigKeyError) -> str:
    known = list(getattr(error.object_type, "__dataclass_fields__", {}))
    near = difflib.get_close_matches(str(error.key), known, n=1, cutoff=0.0)
    return f"; did you mean {near[0]!r}? Known here: {', '.join(known)}" if near else ""
