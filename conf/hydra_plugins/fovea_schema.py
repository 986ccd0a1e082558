"""Registers the typed schema with Hydra; DVC loads this before it composes the configuration."""

from hydra.core.config_store import ConfigStore

from pipeline.config.schema import Config

ConfigStore.instance().store(name="schema", node=Config)
