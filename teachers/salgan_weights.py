"""Read SalGAN generator weights in every form they are published in.

Lasagne archives (`.npz`), PyTorch files of the flat `Sequential` (`.pt`) and safetensors are told
apart by content, never by file name, and checked layer by layer before the model is touched.
"""

from __future__ import annotations

import functools
import pickle
import re
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

import numpy as np
import safetensors
import torch
from numpy.typing import NDArray
from torch import Tensor

from teachers.salgan import CONVS, ENCODER_CONVS, SalGAN

Format = Literal["lasagne", "torch", "safetensors"]

_FLAT_KEY = re.compile(r"(?:module\.)?(?:layers\.)?(\d+)\.(weight|bias)")
_VGG_KEY = re.compile(r"(?:module\.)?(?:features\.)?(\d+)\.(weight|bias)")
_TORCH_MEMBER = "data.pkl"


def load_weights(model: SalGAN, path: Path) -> Format:
    """Fill `model` from the file at `path` and say which format it was.

    Published weights (`lasagne`, `torch`) were trained on BGR minus mean, so they need a model of
    `normalisation="caffe"`. Nothing is changed unless the whole file fits.

    Raises:
        ValueError: unreadable file, wrong normalisation, or the first layer that does not fit.
    """
    kind = detect_format(path)
    if kind != "safetensors" and model.normalisation != "caffe":
        raise ValueError(
            f"{path} holds published SalGAN weights, trained on BGR images minus their mean; "
            f"build the model with normalisation='caffe', not {model.normalisation!r}"
        )
    if kind == "lasagne":
        state = from_lasagne(_read_npz(path), model)
    elif kind == "torch":
        state = from_flat(_read_torch(path), model)
    else:
        tensors, written = _read_safetensors(path)
        _require_options(path, written, model)
        state = from_flat(tensors, model)
    model.load_state_dict(state)
    return kind


def header(model: SalGAN) -> dict[str, str]:
    """Safetensors metadata that lets `load_weights` refuse a model built with other options."""
    return {"salgan.width": f"{model.width:g}", "salgan.normalisation": model.normalisation}


def load_vgg16(model: SalGAN, path: Path) -> None:
    """Fill the encoder from a torchvision `vgg16` state dict (`.pth` or safetensors).

    Raises:
        ValueError: a thin model, one without `normalisation="imagenet"`, or a layer that is wrong.
    """
    ours = detect_format(path) == "safetensors"
    raw = _read_safetensors(path)[0] if ours else _read_torch(path)
    model.load_state_dict(from_vgg16(raw, model), strict=False)


def detect_format(path: Path) -> Format:
    """Which of the three formats the file's content has. Raises `ValueError` when none."""
    try:
        with path.open("rb") as stream:
            head = stream.read(9)
        if zipfile.is_zipfile(path):
            names = zipfile.ZipFile(path).namelist()
            if any(name.rpartition("/")[2] == _TORCH_MEMBER for name in names):
                return "torch"
            if names and all(name.endswith(".npy") for name in names):
                return "lasagne"
        elif head[8:] == b"{" and int.from_bytes(head[:8], "little") < path.stat().st_size:
            return "safetensors"
        elif head[:1] == b"\x80":  # a pickle: PyTorch before 1.6
            return "torch"
    except (OSError, zipfile.BadZipFile) as error:
        raise ValueError(f"cannot read SalGAN weights from {path}: {error}") from error
    raise ValueError(
        f"{path} holds no SalGAN weights this can read; expected a Lasagne .npz, a PyTorch state "
        "dict or safetensors"
    )


def from_lasagne(arrays: Mapping[str, NDArray[Any]], model: SalGAN) -> dict[str, Tensor]:
    """State dict of `model` from `arr_0`, `arr_1`, …: W `(out, in, kh, kw)` and b of each layer.

    Lasagne's default layer convolves in the mathematical sense, turning its kernel by half a turn;
    PyTorch correlates. The VGG16 layers were built with `flip_filters=False` and stay as they are.
    """
    _require_names(arrays, {f"arr_{index}" for index in range(2 * len(CONVS))}, "a Lasagne SalGAN")
    state: dict[str, Tensor] = {}
    for position, key in enumerate(model.state_dict()):
        values = np.asarray(arrays[f"arr_{position}"])
        if values.dtype.kind != "f":
            raise ValueError(
                f"{_describe(position)}: expected floating point, found {values.dtype}"
            )
        if values.ndim == 4 and position // 2 >= ENCODER_CONVS:
            values = values[:, :, ::-1, ::-1]
        state[key] = torch.from_numpy(np.array(values, dtype=np.float32, order="C"))
    return _checked(state, model)


def from_flat(raw: Mapping[str, Tensor], model: SalGAN) -> dict[str, Tensor]:
    """State dict of `model` from keys `0.weight`, `0.bias`, `2.weight`, … of the flat network.

    Prefixes `module.` (data parallel) and `layers.` (ours) are accepted.
    """
    found = {
        f"layers.{match[1]}.{match[2]}" if (match := _FLAT_KEY.fullmatch(key)) else key: value
        for key, value in raw.items()
    }
    _require_names(found, set(model.state_dict()), "a flat SalGAN")
    return _checked({key: found[key] for key in model.state_dict()}, model)


def from_vgg16(raw: Mapping[str, Tensor], model: SalGAN) -> dict[str, Tensor]:
    """Return the encoder's part of `model`'s state dict from torchvision's `features.N.*` keys.

    Both networks number VGG16's convolutions alike. The classifier is ignored.
    """
    if model.normalisation != "imagenet":
        raise ValueError(
            "torchvision's VGG16 saw RGB images with ImageNet mean and deviation; build SalGAN "
            f"with normalisation='imagenet', not {model.normalisation!r}"
        )
    matches = ((_VGG_KEY.fullmatch(key), value) for key, value in raw.items())
    found = {f"layers.{match[1]}.{match[2]}": value for match, value in matches if match}
    wanted = list(model.state_dict())[: 2 * ENCODER_CONVS]
    _require_names({key: found[key] for key in wanted if key in found}, set(wanted), "VGG16")
    return _checked({key: found[key] for key in wanted}, model)


def _checked(state: dict[str, Tensor], model: SalGAN) -> dict[str, Tensor]:
    """`state` as float32, once every tensor is known to fit `model`."""
    target = model.state_dict()
    for position, (key, value) in enumerate(state.items()):
        expected = tuple(target[key].shape)
        if not isinstance(value, Tensor) or tuple(value.shape) != expected:
            found = tuple(value.shape) if isinstance(value, Tensor) else type(value).__name__
            raise ValueError(
                f"{_describe(position)}: expected {expected} at width {model.width:g}, "
                f"found {found}"
            )
        if not value.is_floating_point():
            raise ValueError(f"{_describe(position)}: expected floating point, found {value.dtype}")
        if not bool(torch.isfinite(value).all()):
            raise ValueError(f"{_describe(position)}: expected finite numbers, found NaN or inf")
    return {key: value.to(torch.float32) for key, value in state.items()}


def _require_names(found: Mapping[str, object], wanted: set[str], what: str) -> None:
    for name in sorted(wanted, key=_natural):
        if name not in found:
            raise ValueError(
                f"{_describe_name(name)} is missing; {what} has {len(wanted)} tensors, "
                f"this file {len(found)}"
            )
    for name in found:
        if name not in wanted:
            raise ValueError(f"{name!r} is no tensor of {what}; is this the right file?")


def _describe_name(name: str) -> str:
    """`layers.2.bias` and `arr_3` both as `conv1_2 bias`, followed by the name in the file."""
    digits = name.removeprefix("arr_")
    position = int(digits) if digits != name else _positions()[name]
    return f"{_describe(position)} ({name.removeprefix('layers.')})"


def _describe(position: int) -> str:
    return f"{CONVS[position // 2].name} {('weight', 'bias')[position % 2]}"


def _natural(name: str) -> tuple[int, str]:
    digits = re.search(r"\d+", name)
    # Weight before bias, as layers are laid out.
    return int(digits[0]) if digits else -1, "" if name.endswith("weight") else name


@functools.cache
def _positions() -> dict[str, int]:
    with torch.device("meta"):
        return {key: position for position, key in enumerate(SalGAN().state_dict())}


def _read_npz(path: Path) -> dict[str, NDArray[Any]]:
    try:
        with np.load(path, allow_pickle=False) as archive:
            return {name: archive[name] for name in archive.files}
    except (OSError, ValueError, zipfile.BadZipFile) as error:
        raise ValueError(f"{path} is a damaged Lasagne archive: {error}") from error


def _read_torch(path: Path) -> dict[str, Tensor]:
    try:
        raw = torch.load(path, map_location="cpu", weights_only=True)
    except (OSError, RuntimeError, EOFError, pickle.UnpicklingError) as error:
        raise ValueError(
            f"{path} does not load as plain tensors ({error}); save its state_dict alone"
        ) from error
    if isinstance(raw, Mapping) and isinstance(raw.get("state_dict"), Mapping):
        raw = raw["state_dict"]
    if not isinstance(raw, Mapping):
        found = type(raw).__name__
        raise ValueError(f"{path} holds a {found}, expected a state dict")  # noqa: TRY004
    return {str(key): value for key, value in raw.items()}


def _require_options(path: Path, written: Mapping[str, str], model: SalGAN) -> None:
    for name, value in header(model).items():
        if written.get(name, value) != value:
            option = name.removeprefix("salgan.")
            raise ValueError(
                f"{path} was written by a SalGAN of {option} {written[name]}, this model has "
                f"{value}; build it with the file's"
            )


def _read_safetensors(path: Path) -> tuple[dict[str, Tensor], dict[str, str]]:
    try:
        with safetensors.safe_open(path, framework="pt") as stream:
            tensors = {key: stream.get_tensor(key) for key in stream.keys()}  # noqa: SIM118
            return tensors, stream.metadata() or {}
    except (OSError, safetensors.SafetensorError) as error:
        raise ValueError(f"{path} is a damaged safetensors file: {error}") from error
