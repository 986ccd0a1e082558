"""Fetching data sets from their publishers."""

from pipeline.data.fetch import catalogue as catalogue
from pipeline.data.fetch.flow import Options, Part, fetch
from pipeline.data.fetch.place import root_for
from pipeline.data.fetch.sources import Archive, Source, get, names, register

__all__ = ["Archive", "Options", "Part", "Source", "fetch", "get", "names", "register", "root_for"]
