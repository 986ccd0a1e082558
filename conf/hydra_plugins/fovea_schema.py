"""Registers the typed schema and the resolvers; DVC loads this before it composes conf/."""

from hydra.core.config_store import ConfigStore

from pipeline.config.resolvers import register
from pipeline.config.schema import Config

register()
ConfigStore.instance().store(name="schema", node=Config)
