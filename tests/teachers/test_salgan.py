"""The generator is the published network, and thin instances keep what hints need."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn

import teachers
from teachers.salgan import BASE_RATE, CONVS, ENCODER_CONVS, Normalisation, SalGAN

# In, out, kernel side and stride of every convolution, written out from the paper's table.
PUBLISHED = [
    (3, 64, 3, 1), (64, 64, 3, 1),
    (64, 128, 3, 2), (128, 128, 3, 2),
    (128, 256, 3, 4), (256, 256, 3, 4), (256, 256, 3, 4),
    (256, 512, 3, 8), (512, 512, 3, 8), (512, 512, 3, 8),
    (512, 512, 3, 16), (512, 512, 3, 16), (512, 512, 3, 16),
    (512, 512, 3, 16), (512, 512, 3, 16), (512, 512, 3, 16),
    (512, 512, 3, 8), (512, 512, 3, 8), (512, 512, 3, 8),
    (512, 256, 3, 4), (256, 256, 3, 4), (256, 256, 3, 4),
    (256, 128, 3, 2), (128, 128, 3, 2),
    (128, 64, 3, 1), (64, 64, 3, 1), (64, 1, 1, 1),
]  # fmt: skip


@pytest.fixture(scope="module")
def published() -> SalGAN:
    with torch.device("meta"):
        return SalGAN()


@pytest.fixture(scope="module")
def thin() -> SalGAN:
    torch.manual_seed(0)
    return SalGAN(0.125)


def photographs(batch: int = 2, height: int = 48, width: int = 64) -> Tensor:
    return torch.randint(0, 256, (batch, 3, height, width)).float()


def parameters(model: nn.Module) -> int:
    return sum(parameter.numel() for parameter in model.parameters())


def test_published_parameter_count(published: SalGAN) -> None:
    assert parameters(published) == 31_787_009


def test_published_convolutions_one_by_one(published: SalGAN) -> None:
    built = [(c.in_channels, c.out_channels, c.kernel_size[0]) for c in published.convolutions()]
    assert built == [row[:3] for row in PUBLISHED]


def test_published_multiply_adds_at_192x256(published: SalGAN) -> None:
    """The table gives 39.95 G; the shapes the network really produces give the same number."""
    by_table = sum(i * o * k * k * (192 // s) * (256 // s) for i, o, k, s in PUBLISHED)
    assert by_table / 1e9 == pytest.approx(39.95, abs=0.005)

    counted = 0

    def count(layer: nn.Module, _: object, output: Tensor) -> None:
        nonlocal counted
        assert isinstance(layer, nn.Conv2d)
        counted += output.numel() * layer.weight[0].numel()

    hooks = [layer.register_forward_hook(count) for layer in published.convolutions()]
    published(torch.empty(1, 3, 192, 256, device="meta"))
    for hook in hooks:
        hook.remove()
    assert counted == by_table


def test_flat_order_of_the_public_sequential(published: SalGAN) -> None:
    layers = published.layers
    assert len(layers) == 62
    pools = [i for i, layer in enumerate(layers) if isinstance(layer, nn.MaxPool2d)]
    ups = [i for i, layer in enumerate(layers) if isinstance(layer, nn.Upsample)]
    assert pools == [4, 9, 16, 23]
    assert ups == [36, 43, 50, 55]
    assert all(layers[i].mode == "nearest" for i in ups)
    assert all(isinstance(layers[i], nn.ReLU) for i in (29, 35, 42, 49, 54, 59))
    assert isinstance(layers[60], nn.Conv2d)
    assert isinstance(layers[61], nn.Sigmoid)
    assert not any(isinstance(layer, nn.BatchNorm2d) for layer in layers)


@pytest.mark.parametrize("width", [0.05, 0.125, 0.25, 0.6])
def test_taps_keep_their_channels_at_every_width(width: float) -> None:
    model = SalGAN(width)
    shapes = [tuple(f.shape[1:]) for f in model.features(photographs())]
    assert shapes == [(128, 24, 32), (256, 12, 16), (512, 6, 8), (512, 3, 4)]
    assert parameters(model) < 31_787_009


def test_features_are_the_relu_outputs_before_each_upsampling(thin: SalGAN) -> None:
    images = photographs()
    seen: dict[int, Tensor] = {}
    x = images.flip(1) - torch.tensor([103.939, 116.779, 123.68]).view(1, 3, 1, 1)
    for index, layer in enumerate(thin.layers):
        x = seen[index] = layer(x)
    features, logits = thin.features_and_logits(images)
    for index, feature in zip((54, 49, 42, 35), features, strict=True):
        torch.testing.assert_close(feature, seen[index])
        assert feature.min() >= 0
    torch.testing.assert_close(logits, seen[60])
    torch.testing.assert_close(thin.predict(images), seen[61])


def test_forward_gives_logits_at_input_size(thin: SalGAN) -> None:
    images = photographs(height=32, width=80)
    logits = thin(images)
    assert logits.shape == (2, 1, 32, 80)
    assert torch.equal(logits, thin.features_and_logits(images)[1])
    assert torch.equal(thin.predict(images), logits.sigmoid())


def test_imagenet_normalisation_is_rgb_with_unit_deviation() -> None:
    model = SalGAN(0.05, normalisation="imagenet")
    images = photographs()
    mean = 255 * torch.tensor([0.485, 0.456, 0.406]).view(1, 3, 1, 1)
    std = 255 * torch.tensor([0.229, 0.224, 0.225]).view(1, 3, 1, 1)
    expected = model.layers[:-1]((images - mean) / std)
    torch.testing.assert_close(model(images), expected)


@pytest.mark.parametrize("normalisation", ["caffe", "imagenet"])
def test_kaiming_start_keeps_the_scale_and_predicts_the_base_rate(
    normalisation: Normalisation,
) -> None:
    torch.manual_seed(0)
    model = SalGAN(0.25, normalisation=normalisation)
    features, logits = model.features_and_logits(photographs(4, 96, 128))
    for feature in features:
        assert 0.05 < float(feature.detach().square().mean().sqrt()) < 20
    assert logits.sigmoid().mean().item() == pytest.approx(BASE_RATE, abs=0.03)


def test_encoder_and_decoder_parameters_divide_the_network(published: SalGAN) -> None:
    encoder, decoder = published.encoder_parameters(), published.decoder_parameters()
    assert len(encoder) == 2 * ENCODER_CONVS
    assert [id(p) for p in encoder + decoder] == [id(p) for p in published.parameters()]
    first_three = published.encoder_parameters(blocks=3)
    assert sum(p.numel() for p in first_three) == sum(
        o * (i * k * k + 1) for i, o, k, _ in PUBLISHED[:7]
    )


def test_registered_with_a_spec_that_matches_the_network() -> None:
    spec = teachers.spec("salgan")
    assert (spec.task, spec.height, spec.width, spec.multiple_of) == ("saliency", 192, 256, 16)
    assert spec.mean == (123.68, 116.779, 103.939)
    assert spec.output == "logits"
    built = teachers.build("salgan", width=0.05)
    assert isinstance(built, SalGAN)
    assert built.width == 0.05
    assert built.mean.flatten().tolist() == pytest.approx(spec.mean)
    assert [conv.name for conv in CONVS][-1] == "output"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"width": 0.0}, r"\(0, 1\]"),
        ({"width": 1.5}, r"\(0, 1\]"),
        ({"normalisation": "bgr"}, "choose one of caffe, imagenet"),
        ({"initialisation": "zeros"}, "choose one of kaiming, glorot"),
    ],
)
def test_unknown_options_are_named(arguments: dict[str, object], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        SalGAN(**arguments)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("shape", "message"),
    [
        ((1, 3, 50, 64), "multiples of 16, not 50x64"),
        ((1, 4, 48, 64), r"not a tensor of shape \(1, 4, 48, 64\)"),
        ((3, 48, 64), r"not a tensor of shape \(3, 48, 64\)"),
    ],
)
def test_wrong_inputs_are_named(thin: SalGAN, shape: tuple[int, ...], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        thin(torch.zeros(shape))


def test_trains_from_scratch_below_the_best_constant_map() -> None:
    """Without batch norm a bad start would leave 27 layers dead or at a constant."""
    torch.manual_seed(0)
    images = photographs(4, 32, 48)
    truth = torch.zeros(4, 1, 32, 48)
    for index in range(4):
        images[index, :, 4 : 4 + 12, 6 * index : 6 * index + 12] = 255.0
        truth[index, :, 4 : 4 + 12, 6 * index : 6 * index + 12] = 0.9
    model = SalGAN(0.125, normalisation="imagenet")
    optimizer = torch.optim.Adam(model.parameters(), lr=3e-4)
    loss_of = nn.BCEWithLogitsLoss()
    constant = loss_of(torch.full_like(truth, truth.mean().item()).logit(), truth).item()
    for _ in range(40):
        optimizer.zero_grad()
        loss = loss_of(model(images), truth)
        loss.backward()
        optimizer.step()
    assert loss.item() < 0.9 * constant
