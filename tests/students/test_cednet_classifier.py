"""CEDNet's classifiers: exact sizes, a head on every stage, backbones for others to start from."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
import torch.nn.functional as F
from safetensors.torch import save_file
from torch import nn

import students
from students.cednet_classifier import ClassHead

SMALL = {"classes": 11, "neck": 64, "layer_scale": 1.0}


def parameters(module: nn.Module) -> int:
    return sum(p.numel() for p in module.parameters())


@pytest.mark.parametrize(
    ("name", "options", "millions"),
    [
        ("cednet_t", {}, 33.83),
        ("cednet_s", {}, 56.17),
        ("cednet_b", {}, 94.62),
        ("cednet_t", {"style": "unet"}, 31.50),
        ("cednet_t", {"style": "hourglass", "channels": [96, 160, 320, 512]}, 30.93),
        # Table 9's 34 million: with the last decoder, which the text says was removed.
        ("cednet_t", {"style": "unet", "last_decoder": True}, 34.08),
        (
            "cednet_t",
            {"style": "hourglass", "channels": [96, 160, 320, 512], "last_decoder": True},
            34.09,
        ),
    ],
)
def test_classifiers_have_the_sizes_of_the_authors(
    name: str, options: dict[str, object], millions: float
) -> None:
    with torch.device("meta"):
        model = students.build(f"{name}_classifier", **options)
    deployed = parameters(model) - parameters(model.auxiliary)
    assert round(deployed / 1e6, 2) == millions
    assert parameters(model.auxiliary) == (len(model.backbone.stages) - 1) * parameters(model.head)


def test_the_small_one_is_for_cpus() -> None:
    with torch.device("meta"):
        shipped = students.build("cednet_n_classifier", classes=8, aux=False)
    assert parameters(shipped) == 1_310_400 + 128 * 512 + 512 * (1 + 2 + 2) + 512 * 8 + 8


def test_a_head_is_sec_4_1s_on_vectors() -> None:
    torch.manual_seed(0)
    head = ClassHead(6, 5, 8).eval()
    for norm in (head.neck[1], head.norm):
        nn.init.normal_(norm.weight)
        nn.init.normal_(norm.bias)
    c5 = torch.randn(2, 6, 3, 4)
    reduce, first = head.neck[0], head.neck[1]
    wide = F.linear(c5.movedim(1, -1), reduce.weight[:, :, 0, 0], reduce.bias)
    wide = F.gelu(F.layer_norm(wide, (8,), first.weight, first.bias, 1e-6))
    mean = F.layer_norm(wide.flatten(1, 2).mean(1), (8,), head.norm.weight, head.norm.bias, 1e-6)
    expected = F.linear(mean, head.classify.weight[:, :, 0, 0], head.classify.bias)
    torch.testing.assert_close(head(c5)[:, :, 0, 0], expected, rtol=1e-4, atol=1e-5)


def test_there_is_a_head_on_every_stage_while_it_trains() -> None:
    torch.manual_seed(0)
    model = students.build("cednet_n_classifier", **SMALL).eval()
    images = torch.rand(2, 3, 64, 64) * 255
    with torch.no_grad():
        logits, earlier = model.outputs(images)
        torch.testing.assert_close(model(images), logits)
    assert [x.shape for x in (logits, *earlier)] == [(2, 11, 1, 1)] * 3
    shipped = students.build("cednet_n_classifier", **SMALL, aux=False)
    assert shipped.outputs(images)[1] == []
    assert not any(name.startswith("auxiliary.") for name in shipped.state_dict())


def test_each_auxiliary_head_teaches_its_stage_and_those_before() -> None:
    student = students.build("cednet_n_classifier", **SMALL).train()
    _, (first, _) = student.outputs(torch.rand(2, 3, 64, 64) * 255)
    first.square().mean().backward()
    named = student.backbone.stages.named_parameters()
    taught = {name for name, parameter in named if parameter.grad is not None}
    assert {name.split(".")[0] for name in taught} == {"0"}
    assert any(name.startswith("0.coarse.") for name in taught)


def test_its_backbone_is_what_another_cednet_starts_from(tmp_path: Path) -> None:
    path = tmp_path / "classifier.safetensors"
    source = students.build("cednet_n_classifier", **SMALL, aux=False)
    save_file(source.state_dict(), path)
    for name in ("cednet_n", "cednet_n_classifier"):
        own = students.build(name, weights=path).backbone.state_dict()
        assert all(torch.equal(own[key], v) for key, v in source.backbone.state_dict().items())


@pytest.mark.parametrize(
    ("name", "options", "match"),
    [
        ("cednet_t", {}, r"stem.layers.3.weight has shape \(32, 32, 3, 3\), expected \(96,"),
        ("cednet_n", {"stages": 4}, "is no file of this CEDNet: it lacks stages"),
        ("cednet_n", {"mixer": "conv3"}, r"has shape \(32, 1, 7, 7\), expected \(32, 32, 3, 3\)"),
    ],
)
def test_a_backbone_that_does_not_fit_names_the_tensor(
    tmp_path: Path, name: str, options: dict[str, object], match: str
) -> None:
    path = tmp_path / "classifier.safetensors"
    save_file(students.build("cednet_n_classifier", **SMALL, aux=False).state_dict(), path)
    with pytest.raises(ValueError, match=match):
        students.build(name, weights=path, **options)
