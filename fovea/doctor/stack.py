"""Python, PyTorch, the runtimes and converters, DVC, the browser."""

from __future__ import annotations

import importlib.metadata
import importlib.util
import platform
import shutil
import sys
from pathlib import Path

from fovea.doctor.finding import Finding, absent, broken, tried, works
from pipeline import dvc_lock

REINSTALL = "install the locked environment anew: make setup"
_TORCH = """
import torch
gpu = torch.cuda.get_device_name(0) if torch.cuda.is_available() else ""
print(torch.__version__, "with CUDA on " + gpu if gpu else "on the CPU, no CUDA device")
"""
_EXECUTORCH = """
import torch
from executorch.extension.pybindings import _C
names = _C._get_registered_backend_names()
assert "XnnpackBackend" in names, f"no XNNPACK among its backends {names}"
print("runs programs; backends: " + ", ".join(sorted(names)))
"""
_LITERT = """
from ai_edge_litert.interpreter import Interpreter
print("runs models")
"""


def python() -> Finding:
    """The version of Python."""
    version = platform.python_version()
    if (3, 11) <= sys.version_info[:2] <= (3, 13):
        return works("Python", version)
    return broken("Python", f"{version} is not supported", "use Python 3.11, 3.12 or 3.13")


def torch() -> Finding:
    """PyTorch and its device."""
    good, said = tried(_TORCH)
    return works("PyTorch", said) if good else broken("PyTorch", said, REINSTALL)


def executorch() -> Finding:
    """ExecuTorch's runtime, loaded."""
    return _runtime("ExecuTorch", "executorch", _EXECUTORCH)


def litert() -> Finding:
    """LiteRT's runtime, loaded."""
    return _runtime("LiteRT", "ai-edge-litert", _LITERT)


def native() -> Finding:
    """The C++ runner of `.pte` files, built if it is not there yet."""
    from fovea.native.build import UnavailableError, library

    what = "quick .pte runner"
    try:
        library()
    except UnavailableError as error:
        return absent(
            what,
            f"{error}; `fovea predict` uses ExecuTorch's Python binding and starts slower",
            "install a C++ compiler, such as g++",
        )
    return works(what, "built, loads in milliseconds")


def converters() -> list[Finding]:
    """What exports: installed in the locked versions (importing them takes long)."""
    found = []
    for what, package, module, says in (
        ("ExecuTorch export", "torchao", "torchao", "converts"),
        ("LiteRT export", "litert-torch", "litert_torch", "converts"),
        ("LiteRT int8", "ai-edge-quantizer", "ai_edge_quantizer", "quantises"),
        ("Core ML", "coremltools", "coremltools", _coreml()),
    ):
        version = _version(package)
        if version is None or importlib.util.find_spec(module) is None:
            found.append(broken(what, f"{package} is not installed", REINSTALL))
        else:
            found.append(works(what, f"{package} {version}: {says}"))
    return found


def dvc() -> Finding:
    """DVC, and Hydra's composition of conf/ with the typed schema."""
    version = _version("dvc")
    if version is None or _version("hydra-core") is None:
        return broken("DVC", "dvc or hydra-core is not installed", REINSTALL)
    if dvc_lock.damaged():
        return broken(
            "DVC",
            f"{version}, but {dvc_lock.FILE} was left half written by a killed run, and every run "
            "ends with it",
            "python -m pipeline.dvc_lock",
        )
    settings, schema = Path(".dvc/config"), Path("conf/hydra_plugins/fovea_schema.py")
    if not settings.is_file():
        return absent("DVC", f"{version}; this folder is no checkout", "cd into the project")
    if "plugins_path = conf" not in settings.read_text() or not schema.is_file():
        return broken(
            "DVC",
            f"{version}, but {settings} does not load {schema}: wrong types would pass silently",
            f"restore both: git checkout {settings} {schema}",
        )
    return works("DVC", f"{version}, composes conf/ with the typed schema")


def chromium() -> Finding:
    """The browser that the report's tests use."""
    for name in ("chromium", "chromium-browser", "google-chrome"):
        found = shutil.which(name)
        if found:
            return works("Chromium", f"{found}, for the report's tests")
    return absent(
        "Chromium", "not found: the report's browser tests skip", "install it: apt install chromium"
    )


def opencv() -> Finding:
    """The optional reader of films and webcams."""
    what = "films and webcams"
    if importlib.util.find_spec("cv2") is not None:
        return works(what, "OpenCV is there")
    return absent(
        what, "no OpenCV: `fovea predict` reads photographs, GIF and WebP only",
        "pip install opencv-python-headless",
    )  # fmt: skip


def torchvision() -> Finding:
    """Downloads are never tried here."""
    return absent(
        "torchvision weights",
        "not tried: nothing is downloaded unless you ask for it",
        "profile.weights=torchvision downloads; `fovea weights add` needs no network",
    )


def _coreml() -> str:
    if platform.system() == "Darwin":
        return "converts and runs packages"
    return "converts; a reference interpreter runs packages, Core ML itself is on macOS only"


def _runtime(what: str, package: str, code: str) -> Finding:
    version = _version(package)
    if version is None:
        return broken(what, f"{package} is not installed", REINSTALL)
    good, said = tried(code)
    return works(what, f"{version} {said}") if good else broken(what, said, REINSTALL)


def _version(package: str) -> str | None:
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return None
