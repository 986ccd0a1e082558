"""The encoder can start from torchvision's VGG16, whose convolutions are numbered alike."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file
from torchvision.models import vgg16

from teachers.salgan import ENCODER_CONVS, SalGAN
from teachers.salgan_weights import from_vgg16, load_vgg16


@pytest.mark.parametrize("container", ["pth", "safetensors"])
def test_a_file_fills_the_encoder_and_nothing_else(tmp_path: Path, container: str) -> None:
    """The file's own features, run by torchvision, equal the generator's first thirty modules."""
    torch.manual_seed(0)
    features = vgg16().features.eval()
    state = {**features.state_dict(prefix="features."), "classifier.6.bias": torch.zeros(1000)}
    path = tmp_path / f"vgg16.{container}"
    if container == "pth":
        torch.save(state, path)
    else:
        save_file(state, path)
    model = SalGAN(normalisation="imagenet")
    decoder = [parameter.clone() for parameter in model.decoder_parameters()]
    load_vgg16(model, path)
    images = torch.rand(1, 3, 32, 32)
    with torch.no_grad():
        assert torch.equal(model.layers[:30](images), features[:30](images))
    assert all(map(torch.equal, model.decoder_parameters(), decoder))


def test_mistakes_are_named() -> None:
    with torch.device("meta"):
        state = vgg16().features.state_dict(prefix="features.")
        model = SalGAN(normalisation="imagenet")
        thin = SalGAN(0.5, normalisation="imagenet")
        caffe = SalGAN()
    assert len(state) == 2 * ENCODER_CONVS
    with pytest.raises(ValueError, match="normalisation='imagenet', not 'caffe'"):
        from_vgg16(state, caffe)
    with pytest.raises(ValueError, match=r"conv1_1 weight: expected \(32, 3, 3, 3\) at width 0.5"):
        from_vgg16(state, thin)
    del state["features.5.bias"]
    with pytest.raises(ValueError, match=r"conv2_1 bias \(5\.bias\) is missing; VGG16 has 26"):
        from_vgg16(state, model)
