"""Bundles for an app: those files that its runtimes can open, and a manifest cut to match.

APP_FOLDER/index.json            which bundles are there
APP_FOLDER/<student>/…           a bundle each, whole by its own manifest
"""

from __future__ import annotations

import difflib
import shutil
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mobile import manifest
from mobile.manifest import read_manifest
from pipeline.errors import UserError
from pipeline.files import replace_tree, write_json

INDEX, SCHEMA = "index.json", 1
_CHECKOUT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True)
class App:
    """Where an app keeps its bundles, and what it can run."""

    name: str
    home: str
    """Folder of bundles below the checkout."""
    backends: tuple[str, ...]
    """Of `mobile/backends`."""

    @property
    def folder(self) -> Path:
        """The folder of bundles in this checkout."""
        return _CHECKOUT / self.home


APPS = {
    app.name: app
    for app in (
        App("web", "mobile/apps/web/public/bundles", ("litert",)),
        App("android", "mobile/apps/android/app/src/main/assets/bundles", ("executorch", "litert")),
        App(
            "ios",
            "mobile/apps/ios/Fovea/Bundles",
            ("coreml", "executorch", "executorch_coreml"),
        ),
    )
}


def get(name: str) -> App:
    """The app called `name`; `UserError` with the nearest one for another."""
    if name not in APPS:
        near = difflib.get_close_matches(name, APPS, n=1, cutoff=0.0)[0]
        raise UserError(
            f"no app is called {name!r}; did you mean {near!r}? Known: {', '.join(APPS)}"
        )
    return APPS[name]


def install(bundle: Path, app: App, folder: Path | None = None) -> Path:
    """Copy `bundle` for `app` into `folder` (its own) and list it in the index there.

    Returns the installed bundle's folder; one of the same student is replaced. Raises `UserError`
    for a bundle that is not whole, or holds nothing that the app can run; nothing changes then.
    """
    content = read_manifest(bundle)
    kept = reduced(content, app)
    home = folder or app.folder
    name = str(content["spec"]["name"])
    if Path(name).name != name or name.startswith("."):
        raise UserError(f"{bundle}: the student's name {name!r} is no name of a folder")
    home.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=home, prefix=".new-") as temporary:
        staged = Path(temporary) / name
        for each in kept["files"]:
            (staged / each).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(bundle / each, staged / each)
        write_json(staged / manifest.NAME, kept)
        read_manifest(staged)
        replace_tree(staged, home / name)
    write_json(home / INDEX, {"schema": SCHEMA, "bundles": installed(home)})
    return home / name


def remove(name: str, folder: Path) -> None:
    """Take the bundle called `name` out of an app's `folder`; `UserError` where it is not there."""
    known = installed(folder)
    if name not in known:
        there = ", ".join(known) or "nothing"
        raise UserError(f"{folder} has no bundle called {name!r}; there is {there}")
    write_json(
        folder / INDEX, {"schema": SCHEMA, "bundles": [each for each in known if each != name]}
    )
    shutil.rmtree(folder / name)


def installed(folder: Path) -> list[str]:
    """Names of the bundles in an app's `folder`, sorted."""
    found = folder.glob(f"*/{manifest.NAME}")
    return sorted(path.parent.name for path in found if not path.parent.name.startswith("."))


def reduced(content: Mapping[str, Any], app: App) -> dict[str, Any]:
    """A manifest without the artefacts that `app` cannot run, and without their files.

    Raises `UserError` where none is left.
    """
    every: Mapping[str, Any] = content["artefacts"]
    kept = {name: each for name, each in every.items() if each.get("backend") in app.backends}
    if not kept:
        raise UserError(
            f"the bundle of {content['spec']['name']} has nothing the {app.name} app can run "
            f"({', '.join(app.backends)}); it has {', '.join(sorted(every))}. Export a recipe of "
            "those: dvc exp run -S 'export.recipes=[…]'"
        )
    golden = [
        {**each, "outputs": {name: out for name, out in each["outputs"].items() if name in kept}}
        for each in content["golden"]
    ]
    left_out = [str(each.get("path", "")) for name, each in every.items() if name not in kept]
    left_out += [
        str(out["path"])
        for each in content["golden"]
        for name, out in each["outputs"].items()
        if name not in kept
    ]
    files = {
        name: entry
        for name, entry in content["files"].items()
        if not any(name == path or name.startswith(f"{path}/") for path in left_out if path)
    }
    return {**content, "artefacts": kept, "golden": golden, "files": files}
