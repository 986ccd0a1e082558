"""Where a user keeps data sets and weights: names in configuration, paths on this computer only.

A name is looked up in the environment first (FOVEA_DATA_SALICON for `salicon`), then in a file of
the user's configuration folder, so no path ever enters the repository.
"""

from __future__ import annotations

import difflib
import os
import re
from pathlib import Path

import platformdirs

from pipeline import paths
from pipeline.errors import UserError
from pipeline.files import read_json, write_json

KINDS = ("data", "weights")
_NAME = re.compile(r"[a-z0-9][a-z0-9_]*")
_SAMPLE = "sample/"


def resolve(name: str, kind: str = "data") -> Path:
    """The absolute path registered under `name`.

    `sample/SUB` is the generated data in this workspace. Raises `UserError` when nothing is
    registered or the path is gone, saying how to register it.
    """
    if kind == "data" and name.startswith(_SAMPLE):
        return _sample(name)
    known = registered(kind)
    if name not in known:
        near = difflib.get_close_matches(name, known, n=1)
        hint = f"did you mean {near[0]!r}? " if near else ""
        raise UserError(
            f"no {kind} called {name!r} on this computer; {hint}"
            f"Register it once: fovea {kind} add {name} PATH, or set {variable(kind, name)}"
            f"{_fetchable(kind, name)}"
        )
    path = known[name]
    if kind == "weights" and path.is_dir():
        raise UserError(f"weights {name!r} are the folder {path}; give the file inside it")
    if not path.exists():
        raise UserError(
            f"{kind} {name!r} should lie in {path}, which does not exist; "
            f"fovea {kind} add {name} PATH, or set {variable(kind, name)}"
        )
    return path


def add(kind: str, name: str, path: Path) -> Path:
    """Register `path` under `name` for this user; returns it as stored (absolute).

    Raises `UserError` for a name with other characters than a-z, 0-9 and `_` (which a variable of
    the environment could not hold), for data that is no folder, and for weights that are no file.
    """
    _require_kind(kind)
    if not _NAME.fullmatch(name) or name == "sample":
        raise UserError(f"{name!r} cannot name {kind}; use a-z, 0-9 and _ (and not 'sample')")
    found = path.expanduser().resolve()
    if not (found.is_dir() if kind == "data" else found.is_file()):
        wanted = "a folder" if kind == "data" else "a file"
        raise UserError(f"{found} is not {wanted}; give the path that {name} lies in")
    content = _read()
    content[kind][name] = str(found)
    write_json(_file(), content)
    return found


def remove(kind: str, name: str) -> None:
    """Forget `name`; the files stay. Raises `UserError` when it was not registered."""
    _require_kind(kind)
    content = _read()
    if name not in content[kind]:
        near = difflib.get_close_matches(name, content[kind], n=1)
        hint = f"; did you mean {near[0]!r}?" if near else f"; fovea {kind} list shows all"
        raise UserError(f"no {kind} called {name!r} is registered in {_file()}{hint}")
    del content[kind][name]
    write_json(_file(), content)


def registered(kind: str) -> dict[str, Path]:
    """All names of `kind` and their paths; the environment's win over the file's."""
    _require_kind(kind)
    known = {name: Path(path) for name, path in _read()[kind].items()}
    prefix = f"FOVEA_{kind.upper()}_"
    for key, value in os.environ.items():
        if key.startswith(prefix) and value:
            known[key.removeprefix(prefix).lower()] = Path(value).expanduser().absolute()
    return dict(sorted(known.items()))


def variable(kind: str, name: str) -> str:
    """The environment variable that overrides `name`."""
    return f"FOVEA_{kind.upper()}_{name.upper()}"


def _fetchable(kind: str, name: str) -> str:
    from pipeline.data.fetch.catalogue import names  # which needs to know of roots

    return (
        f"; or download it: fovea data fetch {name}" if kind == "data" and name in names() else ""
    )


def _require_kind(kind: str) -> None:
    if kind not in KINDS:
        raise ValueError(f"no kind of root is called {kind!r}; choose {' or '.join(KINDS)}")


def _sample(name: str) -> Path:
    path = (Path.cwd() / paths.SAMPLE / name.removeprefix(_SAMPLE)).absolute()
    if not path.is_dir():
        raise UserError(f"generated data {path} is missing; run `dvc repro sample`")
    return path


def config_folder() -> Path:
    """Where this user's settings are kept: FOVEA_CONFIG_DIR, or the system's folder for them."""
    return Path(os.environ.get("FOVEA_CONFIG_DIR") or platformdirs.user_config_dir("fovea"))


def _file() -> Path:
    return config_folder() / "roots.json"


def _read() -> dict[str, dict[str, str]]:
    path = _file()
    content = read_json(path) if path.is_file() else {}
    if not isinstance(content, dict) or any(
        not isinstance(content.get(kind, {}), dict) for kind in KINDS
    ):
        raise UserError(f"{path} is not a list of roots; remove it and register them again")
    return {kind: dict(content.get(kind, {})) for kind in KINDS}
