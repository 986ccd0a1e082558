"""Published weight files fill the generator exactly, whichever framework wrote them.

The files are made here with numpy and torch, in the published layouts.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from safetensors.torch import save_file
from torch import Tensor, nn

from teachers.salgan import CONVS, ENCODER_CONVS, SalGAN
from teachers.salgan_weights import detect_format, header, load_weights

WIDTH = 0.05
Arrays = dict[str, NDArray[Any]]


def random_model(seed: int, **options: Any) -> SalGAN:
    torch.manual_seed(seed)
    model = SalGAN(WIDTH, **options)
    for layer in model.convolutions():
        assert layer.bias is not None
        nn.init.normal_(layer.bias, std=0.1)
    return model


def lasagne_arrays(model: SalGAN) -> Arrays:
    """W and b in turn; Lasagne turns decoder kernels itself, so its files hold them turned."""
    arrays: Arrays = {}
    for index, layer in enumerate(model.convolutions()):
        assert layer.bias is not None
        weight = layer.weight.detach().numpy()
        if index >= ENCODER_CONVS:
            weight = np.rot90(weight, 2, axes=(2, 3))
        arrays[f"arr_{2 * index}"] = weight.copy()
        arrays[f"arr_{2 * index + 1}"] = layer.bias.detach().numpy()
    return arrays


def flat_state(model: SalGAN, prefix: str = "") -> dict[str, Tensor]:
    """Keys of the public flat `Sequential`: `0.weight`, `0.bias`, `2.weight`, …"""
    return {f"{prefix}{key}": value for key, value in model.layers.state_dict().items()}


def save_npz(path: Path, arrays: Arrays) -> Path:
    with path.open("wb") as stream:
        np.savez(stream, **arrays)  # type: ignore[arg-type]
    return path


def save_torch(path: Path, value: object, *, legacy: bool = False) -> Path:
    torch.save(value, path, _use_new_zipfile_serialization=not legacy)
    return path


def assert_same(first: SalGAN, second: SalGAN) -> None:
    images = torch.randint(0, 256, (1, 3, 32, 48)).float()
    assert torch.equal(first(images), second(images))
    for key, value in first.state_dict().items():
        assert torch.equal(value, second.state_dict()[key]), key


def true_convolution(
    image: NDArray[Any], kernels: NDArray[Any], bias: NDArray[Any]
) -> NDArray[Any]:
    """Textbook sum over image[y - i, x - j] * kernel[i, j], zero outside, one pixel at a time."""
    _, height, width = image.shape
    outputs, inputs, side, _ = kernels.shape
    half = side // 2
    result = np.zeros((outputs, height, width))
    for o, y, x in np.ndindex(outputs, height, width):
        total = float(bias[o])
        for c, i, j in np.ndindex(inputs, side, side):
            row, column = y - (i - half), x - (j - half)
            if 0 <= row < height and 0 <= column < width:
                total += image[c, row, column] * kernels[o, c, i, j]
        result[o, y, x] = total
    return result


def test_lasagne_archive_gives_the_same_network(tmp_path: Path) -> None:
    source, target = random_model(0), random_model(1)
    path = save_npz(tmp_path / "gen_modelWeights0090.npz", lasagne_arrays(source))
    assert load_weights(target, path) == "lasagne"
    assert_same(source, target)


@pytest.mark.parametrize("name", ["uconv3_3", "output"])
def test_decoder_layers_compute_lasagne_s_true_convolution(tmp_path: Path, name: str) -> None:
    arrays = lasagne_arrays(random_model(0))
    model = random_model(1)
    load_weights(model, save_npz(tmp_path / "w.npz", arrays))
    index = [conv.name for conv in CONVS].index(name)
    layer = model.convolutions()[index]
    image = np.random.default_rng(0).normal(size=(layer.in_channels, 3, 4))
    kernels, bias = arrays[f"arr_{2 * index}"][:2], arrays[f"arr_{2 * index + 1}"][:2]
    expected = true_convolution(image, kernels, bias)
    with torch.no_grad():
        found = layer(torch.from_numpy(image[None]).float())[0, :2].numpy()
    np.testing.assert_allclose(found, expected, atol=1e-4)


def test_encoder_layers_compute_a_correlation(tmp_path: Path) -> None:
    """`flip_filters=False`: the true convolution with the kernel turned by half a turn."""
    arrays = lasagne_arrays(random_model(0))
    model = random_model(1)
    load_weights(model, save_npz(tmp_path / "w.npz", arrays))
    image = np.random.default_rng(0).normal(size=(3, 4, 5))
    turned = np.rot90(arrays["arr_0"], 2, axes=(2, 3))
    expected = true_convolution(image, turned, arrays["arr_1"])
    with torch.no_grad():
        found = model.convolutions()[0](torch.from_numpy(image[None]).float())[0].numpy()
    np.testing.assert_allclose(found, expected, atol=1e-4)
    assert np.abs(found - true_convolution(image, arrays["arr_0"], arrays["arr_1"])).max() > 1e-2


@pytest.mark.parametrize("prefix", ["", "module.", "layers.", "module.layers."])
@pytest.mark.parametrize("nested", [False, True])
def test_torch_files_give_the_same_network(tmp_path: Path, prefix: str, nested: bool) -> None:
    source, target = random_model(0), random_model(1)
    state: dict[str, Any] = flat_state(source, prefix)
    content = {"state_dict": state, "epoch": 42} if nested else state
    assert load_weights(target, save_torch(tmp_path / "gen.pt", content)) == "torch"
    assert_same(source, target)


def test_torch_files_from_before_the_zip_format(tmp_path: Path) -> None:
    source, target = random_model(0), random_model(1)
    path = save_torch(tmp_path / "gen.pt", flat_state(source), legacy=True)
    assert load_weights(target, path) == "torch"
    assert_same(source, target)


def test_our_own_safetensors(tmp_path: Path) -> None:
    source = random_model(0, normalisation="imagenet")
    target = random_model(1, normalisation="imagenet")
    save_file(source.state_dict(), tmp_path / "model.safetensors")
    assert load_weights(target, tmp_path / "model.safetensors") == "safetensors"
    assert_same(source, target)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"normalisation": "caffe"}, "normalisation imagenet, this model has caffe"),
        ({"width": 0.125, "normalisation": "imagenet"}, "width 0.05, this model has 0.125"),
    ],
)
def test_our_own_header_guards_the_options(
    tmp_path: Path, options: dict[str, Any], message: str
) -> None:
    """Every shape would fit another normalisation; only the header can tell."""
    source = random_model(0, normalisation="imagenet")
    path = tmp_path / "model.safetensors"
    save_file(source.state_dict(), path, metadata=header(source))
    load_weights(random_model(1, normalisation="imagenet"), path)
    with pytest.raises(ValueError, match=message):
        load_weights(SalGAN(**{"width": WIDTH, **options}), path)


def test_half_precision_files_become_float32(tmp_path: Path) -> None:
    state = {key: value.half() for key, value in flat_state(random_model(0)).items()}
    model = random_model(1)
    load_weights(model, save_torch(tmp_path / "half.pt", state))
    assert {parameter.dtype for parameter in model.parameters()} == {torch.float32}


def test_the_name_of_a_file_decides_nothing(tmp_path: Path) -> None:
    model = random_model(0)
    assert detect_format(save_npz(tmp_path / "a.pt", lasagne_arrays(model))) == "lasagne"
    assert detect_format(save_torch(tmp_path / "a.npz", flat_state(model))) == "torch"
    save_file(model.state_dict(), tmp_path / "b.npz")
    assert detect_format(tmp_path / "b.npz") == "safetensors"


@pytest.mark.parametrize(
    ("array", "replacement", "message"),
    [
        (
            "arr_4",
            np.zeros((7, 7), np.float32),
            r"conv2_1 weight: expected \(6, 4, 3, 3\) at width 0.05, found \(7, 7\)",
        ),
        (
            "arr_53",
            np.zeros(2, np.float32),
            r"output bias: expected \(1,\) at width 0.05, found \(2,\)",
        ),
        ("arr_26", None, r"uconv5_3 weight \(arr_26\) is missing; .* 54 tensors, this file 53"),
        ("arr_54", np.zeros(1, np.float32), r"'arr_54' is no tensor of a Lasagne SalGAN"),
        ("arr_1", np.zeros(4, np.int64), "conv1_1 bias: expected floating point, found int64"),
        ("arr_1", np.full(4, np.nan, np.float32), "conv1_1 bias: expected finite numbers"),
    ],
)
def test_wrong_lasagne_layers_are_named(
    tmp_path: Path, array: str, replacement: NDArray[Any] | None, message: str
) -> None:
    arrays = lasagne_arrays(random_model(0))
    if replacement is None:
        del arrays[array]
    else:
        arrays[array] = replacement
    model = random_model(1)
    before = {key: value.clone() for key, value in model.state_dict().items()}
    with pytest.raises(ValueError, match=message):
        load_weights(model, save_npz(tmp_path / "w.npz", arrays))
    assert all(torch.equal(value, before[key]) for key, value in model.state_dict().items())


@pytest.mark.parametrize(
    ("key", "replacement", "message"),
    [
        (
            "10.weight",
            torch.zeros(3),
            r"conv3_1 weight: expected \(13, 6, 3, 3\) at .*, found \(3,\)",
        ),
        ("60.bias", None, r"output bias \(60.bias\) is missing; a flat SalGAN has 54 tensors"),
        ("3.weight", torch.zeros(1), r"'layers.3.weight' is no tensor of a flat SalGAN"),
        ("mean", torch.zeros(1), "'mean' is no tensor of a flat SalGAN"),
        ("0.bias", torch.zeros(4, dtype=torch.int8), "expected floating point, found torch.int8"),
        ("0.bias", "text", r"conv1_1 bias: expected \(4,\) at .*, found str"),
    ],
)
def test_wrong_torch_layers_are_named(
    tmp_path: Path, key: str, replacement: object, message: str
) -> None:
    state: dict[str, Any] = flat_state(random_model(0))
    if replacement is None:
        del state[key]
    else:
        state[key] = replacement
    with pytest.raises(ValueError, match=message):
        load_weights(random_model(1), save_torch(tmp_path / "w.pt", state))


def test_a_file_of_another_width_names_the_first_layer(tmp_path: Path) -> None:
    path = save_torch(tmp_path / "w.pt", flat_state(SalGAN(0.125)))
    with pytest.raises(
        ValueError, match=r"conv1_1 weight: expected \(4, 3, 3, 3\) at .*, found \(8, 3"
    ):
        load_weights(random_model(0), path)


def test_published_weights_need_caffe_normalisation(tmp_path: Path) -> None:
    path = save_npz(tmp_path / "w.npz", lasagne_arrays(random_model(0)))
    with pytest.raises(ValueError, match="build the model with normalisation='caffe'"):
        load_weights(random_model(1, normalisation="imagenet"), path)


class Arbitrary:
    """Anything but tensors: unpickling it could run code."""


def test_torch_files_that_hold_code_are_refused(tmp_path: Path) -> None:
    path = save_torch(tmp_path / "w.pt", {"0.weight": Arbitrary()})
    with pytest.raises(ValueError, match="does not load as plain tensors"):
        load_weights(random_model(0), path)


def test_pickled_arrays_in_an_archive_are_refused(tmp_path: Path) -> None:
    arrays = lasagne_arrays(random_model(0))
    arrays["arr_0"] = np.array([Arbitrary()], dtype=object)
    with pytest.raises(ValueError, match="damaged Lasagne archive"):
        load_weights(random_model(0), save_npz(tmp_path / "w.npz", arrays))


@pytest.mark.parametrize("content", [b"", b"hello", b"\x89PNG\r\n\x1a\n....", b"PK\x03\x04nope"])
def test_files_of_another_kind_are_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "w.npz"
    path.write_bytes(content)
    with pytest.raises(ValueError, match="holds no SalGAN weights this can read"):
        load_weights(random_model(0), path)


@pytest.mark.parametrize("kind", ["npz", "pt", "safetensors"])
def test_truncated_files_are_refused(tmp_path: Path, kind: str) -> None:
    model = random_model(0)
    path = tmp_path / "w"
    if kind == "npz":
        save_npz(path, lasagne_arrays(model))
    elif kind == "pt":
        save_torch(path, flat_state(model))
    else:
        save_file(model.state_dict(), path)
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    with pytest.raises(ValueError, match=str(path)):
        load_weights(model, path)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"cannot read SalGAN weights from .*none\.pt"):
        load_weights(random_model(0), tmp_path / "none.pt")
