"""CEDNet: exact sizes and costs, blocks against slow references, what decoders and heads read."""

from __future__ import annotations

import math
from pathlib import Path

import pytest
import torch
import torch.nn.functional as F
from safetensors.torch import save_file
from torch import Tensor, nn
from torch.utils.flop_counter import FlopCounterMode

import students
from students import cednet_blocks as blocks
from students.cednet import VARIANTS
from students.cednet_backbone import STYLES, CedNet, Plan
from students.cednet_norm import ChannelNorm, PointwiseNorm, with_pointwise_norms
from students.upernet import FcnHead, UPerHead

TINY = Plan((16, 24, 32, 40), 1, ((2, 2, 1), (2, 2, 1)), layer_scale=1.0)


def parameters(*modules: nn.Module | None) -> int:
    return sum(p.numel() for module in modules if module for p in module.parameters())


def meta(name: str, **options: object) -> nn.Module:
    with torch.device("meta"):
        return students.build(name, **options)


def settled(plan: Plan, seed: int = 0) -> CedNet:
    torch.manual_seed(seed)
    return CedNet(plan).eval()


# Sizes: the backbones and totals of the authors' code; 61, 83 and 123 million in Table 3.
@pytest.mark.parametrize(
    ("name", "backbone", "head", "auxiliary", "total"),
    [
        ("cednet_t", 30_718_336, 29_777_046, 481_430, 60_976_812),
        ("cednet_s", 53_067_008, 29_777_046, 481_430, 83_325_484),
        ("cednet_b", 91_114_496, 31_153_302, 628_886, 122_896_684),
        ("cednet_n", 1_310_400, 535_574, 23_446, 1_869_420),
    ],
)
def test_parameters(name: str, backbone: int, head: int, auxiliary: int, total: int) -> None:
    student = meta(name)
    parts = (student.backbone, student.head, student.auxiliary)
    assert [parameters(part) for part in parts] == [backbone, head, auxiliary]
    assert parameters(student) == total
    assert parameters(meta(name, aux=False)) == total - auxiliary


@pytest.mark.parametrize(
    ("options", "count"),
    [
        ({"last_decoder": True}, 30_967_776),
        # Table 8: 38.6 and 38.5 million with RetinaNet's 7.9.
        ({"lr_block": False}, 30_718_336 - 6 * (512 * 49 + 512 + 2 * 512)),
    ],
)
def test_options_cost_what_their_layers_are(options: dict[str, object], count: int) -> None:
    assert parameters(meta("cednet_t", **options).backbone) == count


@pytest.mark.parametrize(
    ("name", "giga"), [("cednet_t", 961.9), ("cednet_s", 1044.7), ("cednet_b", 1183.8)]
)
def test_multiply_accumulates_are_table_3s(name: str, giga: float) -> None:
    student = meta(name).eval()
    images = torch.zeros(1, 3, 512, 2048, device="meta")
    with FlopCounterMode(display=False) as counter, torch.no_grad():
        student(images)
    assert counter.get_total_flops() / 2e9 == pytest.approx(giga, abs=0.05)


def test_channel_norm_is_layer_norm_of_every_pixel() -> None:
    norm = blocks.ChannelNorm(12)
    nn.init.normal_(norm.weight)
    nn.init.normal_(norm.bias)
    x = 3 + 2 * torch.randn(2, 12, 4, 5)
    last = F.layer_norm(x.movedim(1, -1), (12,), norm.weight, norm.bias, 1e-6)
    torch.testing.assert_close(norm(x), last.movedim(-1, 1), rtol=1e-5, atol=1e-5)


def test_pointwise_norms_take_the_place_of_channel_norms_in_a_copy() -> None:
    norm = ChannelNorm(12)
    nn.init.normal_(norm.weight)
    nn.init.normal_(norm.bias)
    x = 3 + 2 * torch.randn(2, 12, 4, 5)
    torch.testing.assert_close(PointwiseNorm(norm)(x), norm(x), rtol=1e-5, atol=1e-5)
    backbone = settled(TINY)
    norms = sum(isinstance(module, ChannelNorm) for module in backbone.modules())
    copy = with_pointwise_norms(backbone)
    assert norms == sum(isinstance(module, PointwiseNorm) for module in copy.modules()) > 0
    assert norms == sum(isinstance(module, ChannelNorm) for module in backbone.modules())
    assert not any(isinstance(module, ChannelNorm) for module in copy.modules())


def slow_depthwise(x: Tensor, conv: nn.Conv2d, dilation: int) -> Tensor:
    """Shifted copies of x, weighted and summed."""
    side, (height, width) = conv.weight.shape[-1], x.shape[-2:]
    reach = dilation * (side // 2)
    padded = F.pad(x, [reach] * 4)
    total = conv.bias.view(1, -1, 1, 1).expand_as(x).clone()
    for i in range(side):
        for j in range(side):
            y, z = i * dilation, j * dilation
            weight = conv.weight[:, 0, i, j].view(1, -1, 1, 1)
            total += weight * padded[:, :, y : y + height, z : z + width]
    return total


def slow_gelu(x: Tensor) -> Tensor:
    return x * 0.5 * (1 + torch.erf(x / math.sqrt(2)))


def slow_norm(x: Tensor, norm: blocks.ChannelNorm) -> Tensor:
    mean, variance = x.mean(1, keepdim=True), x.var(1, keepdim=True, unbiased=False)
    shape = (1, -1, 1, 1)
    return (x - mean) / (variance + 1e-6).sqrt() * norm.weight.view(shape) + norm.bias.view(shape)


def slow_branch(x: Tensor, branch: blocks.Branch) -> Tensor:
    """Linear layers on the last axis, as the paper has them."""
    first, _, last = branch.mlp
    x = slow_gelu(F.linear(x.movedim(1, -1), first.weight[:, :, 0, 0], first.bias))
    return (F.linear(x, last.weight[:, :, 0, 0], last.bias) * branch.scale).movedim(-1, 1)


def test_blocks_are_figure_3() -> None:
    torch.manual_seed(0)
    x = torch.randn(2, 8, 9, 11)
    mix = blocks.depthwise(8, 7)
    plain = blocks.CedBlock(mix, 8, 0.0, 0.7).eval()
    far = blocks.LongRangeBlock(mix, 8, 0.0, 0.7).eval()
    for module in (*plain.modules(), *far.modules()):
        if isinstance(module, blocks.ChannelNorm):
            nn.init.normal_(module.weight)
            nn.init.normal_(module.bias)
    mixed = slow_depthwise(x, mix, 1)
    expected = x + slow_branch(slow_norm(mixed, plain.norm), plain.branch)
    torch.testing.assert_close(plain(x), expected, rtol=1e-4, atol=1e-5)
    a = x + slow_gelu(slow_norm(mixed, far.norm))
    b = a + slow_gelu(slow_norm(slow_depthwise(a, far.dilated, 3), far.dilated_norm))
    torch.testing.assert_close(far(x), x + slow_branch(b, far.branch), rtol=1e-4, atol=1e-5)


def test_only_the_coarsest_blocks_are_long_range() -> None:
    named = CedNet(TINY).named_modules()
    far = [name for name, module in named if isinstance(module, blocks.LongRangeBlock)]
    assert far == ["stages.0.coarse.0", "stages.1.coarse.0"]


def test_drop_path_leaves_out_whole_images_and_keeps_the_mean() -> None:
    drop, x = blocks.DropPath(0.25), torch.ones(4000, 2, 1, 1)
    torch.manual_seed(0)
    found = drop.train()(x)
    assert found.unique().tolist() == pytest.approx([0, 4 / 3])
    assert torch.equal(found[:, 0], found[:, 1])
    assert found.mean().item() == pytest.approx(1, abs=0.05)
    torch.manual_seed(0)
    assert torch.equal(drop(x), found)
    assert torch.equal(drop.eval()(x), x)


def test_drop_path_grows_evenly_over_the_blocks() -> None:
    plan = Plan((16, 24, 32, 40), 1, ((2, 2, 1), (2, 2, 1)), drop_path=0.5)
    rates = [m.rate for m in CedNet(plan).modules() if isinstance(m, blocks.DropPath)]
    assert rates == pytest.approx([i / 20 for i in range(11)])


def slow_windows(x: Tensor, window: Tensor, module: nn.Module, bias: Tensor | None) -> Tensor:
    """Attention over the whole map (1, 3C, H, W) -> (1, C, H, W), masked to pixels of a window."""
    q, k, v = (part[0].flatten(1).unflatten(0, (module.heads, -1)) for part in x.chunk(3, 1))
    scores = torch.einsum("hcn,hcm->hnm", q, k) / math.sqrt(q.shape[1])
    scores = scores if bias is None else scores + bias
    scores = scores.masked_fill(window[:, None] != window[None], -math.inf)
    mixed = torch.einsum("hnm,hcm->hcn", scores.softmax(-1), v)
    return mixed.flatten(0, 1).unflatten(1, x.shape[-2:])[None]


@pytest.mark.parametrize("position", [0, 1])
def test_window_attention_sees_its_window_and_no_more(position: int) -> None:
    torch.manual_seed(0)
    height, width, shift = 9, 12, 3 * position
    module = blocks.build_mixer("window", 64, 1, position)
    nn.init.normal_(module.position_bias)
    x = torch.randn(1, 64, height, width)
    y, z = torch.arange(height).repeat_interleave(width), torch.arange(width).repeat(height)
    window = (y + shift) // 7 * 10 + (z + shift) // 7
    down, right = ((a[:, None] - a[None] + 6).clamp(0, 12) for a in (y, z))
    qkv = module.qkv(module.norm(x))
    mixed = slow_windows(qkv, window, module, module.position_bias[:, 13 * down + right])
    torch.testing.assert_close(module(x), module.project(mixed), rtol=1e-4, atol=1e-5)


def test_cross_attention_sees_a_stripe_of_rows_and_one_of_columns() -> None:
    torch.manual_seed(0)
    height, width = 9, 10
    module = blocks.build_mixer("cross", 64, 2)
    x = torch.randn(1, 64, height, width)
    y, z = torch.arange(height).repeat_interleave(width), torch.arange(width).repeat(height)
    rows, columns = (layer(module.norm(x)) for layer in (module.rows, module.columns))
    mixed = torch.cat(
        [slow_windows(rows, y // 7, module, None), slow_windows(columns, z // 7, module, None)], 1
    )
    values = torch.cat([rows[:, 64:], columns[:, 64:]], 1)
    expected = module.project(mixed + slow_depthwise(values, module.local, 1))
    torch.testing.assert_close(module(x), expected, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("name", blocks.mixers())
def test_every_mixer_keeps_the_shape_and_learns(name: str) -> None:
    student = students.build("cednet_n", mixer=name, layer_scale=1.0).train()
    levels = student.features(torch.rand(2, 3, 64, 96) * 255)
    sum(level.square().mean() for level in levels).backward()
    silent = [n for n, p in student.backbone.named_parameters() if p.grad is None]
    assert silent == []
    assert all(level.isfinite().all() for level in levels)


@pytest.mark.parametrize("last", [False, True])
@pytest.mark.parametrize("style", STYLES)
def test_levels_have_the_stated_strides_and_widths(style: str, last: bool) -> None:
    student = students.build("cednet_n", style=style, last_decoder=last).eval()
    with torch.no_grad():
        levels = student.features(torch.zeros(1, 3, 64, 96))
    assert tuple(level.shape[1] for level in levels) == student.feature_channels
    sizes = [(64 // stride, 96 // stride) for stride in student.strides]
    assert [tuple(level.shape[-2:]) for level in levels] == sizes


@pytest.mark.parametrize("style", STYLES)
def test_a_stage_hands_on_what_its_decoder_made(style: str) -> None:
    """c4 = LN(skip + up(c5)), c3 = LN(skip + up(c4)), then blocks; only c3 goes on."""
    plan = Plan((16, 24, 32, 40), 1, ((2, 2, 1), (2, 2, 1)), style=style, layer_scale=1.0)
    net = settled(plan)
    with torch.no_grad():
        _, (first, second), guide = net.trace(torch.randn(1, 3, 64, 64))
        stage = net.stages[0]
        x = net.stem(torch.zeros(1, 3, 64, 64))[1]
        encoded = [stage.fine(x)]
        encoded.append(stage.middle(stage.to_middle(encoded[0])))
        c5 = stage.coarse(stage.to_coarse(encoded[1]))
        expected = [c5]
        for step, skip in zip(stage.decoder, reversed(encoded)):
            up = F.interpolate(
                step.reduce(expected[0]), scale_factor=2, mode="bilinear", align_corners=False
            )
            expected.insert(0, step.blocks(step.norm(step.skip(skip) + up)))
        torch.testing.assert_close(stage(x), expected, rtol=1e-5, atol=1e-5)
    assert guide is first[0]
    assert [len(step.blocks) for step in stage.decoder] == [0 if style == "fpn" else 1] * 2
    assert [len(step.skip) for step in stage.decoder] == [int(style == "hourglass")] * 2
    assert len(net.stages[1].decoder) == 0
    assert second[0].shape == guide.shape


def test_stages_and_blocks_may_be_others() -> None:
    one = students.build("cednet_n", stages=1, blocks=None)
    assert len(one.backbone.stages) == 1
    assert len(one.outputs(torch.zeros(2, 3, 64, 64))[1]) == 1  # of what the stem gives
    uneven = students.build("cednet_n", blocks=[[1, 1, 1], [2, 3, 1]]).backbone
    assert [len(stage.middle) for stage in uneven.stages] == [1, 3]
    assert [len(plan.blocks) for plan, _ in VARIANTS.values()] == [3, 3, 4, 4]


def test_logits_at_the_size_of_the_input_and_auxiliary_ones_beside() -> None:
    student = students.build("cednet_n", classes=7).eval()
    images = torch.rand(2, 3, 64, 96) * 255
    with torch.no_grad():
        logits = student(images)
        main, (auxiliary,) = student.outputs(images)
        student.auxiliary = None
        alone, none = student.outputs(images)
        again = student(images)
    assert logits.shape == auxiliary.shape == (2, 7, 64, 96)
    assert torch.equal(main, logits)
    assert torch.equal(again, logits)
    assert torch.equal(alone, logits)
    assert none == []
    assert not torch.allclose(auxiliary, logits)


def test_the_auxiliary_head_teaches_all_but_the_last_stage() -> None:
    student = students.build("cednet_n", classes=7, layer_scale=1.0).train()
    _, (auxiliary,) = student.outputs(torch.rand(2, 3, 64, 64) * 255)
    auxiliary.square().mean().backward()
    silent = {n for n, p in student.backbone.named_parameters() if p.grad is None}
    assert silent == {n for n, _ in student.backbone.named_parameters() if "stages.2." in n}


def test_uperhead_reads_every_level() -> None:
    torch.manual_seed(0)
    head = UPerHead((8, 16, 24, 32), classes=5, width=8).eval()
    levels = [torch.randn(1, c, 24 // 2**i, 48 // 2**i) for i, c in enumerate((8, 16, 24, 32))]
    before = head(levels)
    assert before.shape == (1, 5, 24, 48)
    for i in range(4):
        changed = [level + (j == i) for j, level in enumerate(levels)]
        assert not torch.allclose(head(changed), before)
    assert FcnHead(16, 5, width=8).eval()(levels[1]).shape == (1, 5, 12, 24)


def test_weights_fill_the_backbone(tmp_path: Path) -> None:
    source = students.build("cednet_n").backbone.state_dict()
    save_file(source, tmp_path / "w.safetensors")
    own = students.build("cednet_n", weights=tmp_path / "w.safetensors").backbone.state_dict()
    assert all(torch.equal(own[name], value) for name, value in source.items())
    with pytest.raises(ValueError, match="it lacks stages"):
        students.build("cednet_n", weights=tmp_path / "w.safetensors", stages=4)
    with pytest.raises(ValueError, match=r"has shape .*, expected"):
        wider = [40, 64, 96, 128]
        students.build("cednet_n", weights=tmp_path / "w.safetensors", channels=wider)
    with pytest.raises(ValueError, match="torchvision publishes no CEDNet"):
        students.build("cednet_n", weights="torchvision")


def test_sizes_names_and_numbers_it_cannot_take_are_told() -> None:
    with pytest.raises(ValueError, match=r"cednet_n takes sides that are multiples of 32.*nearest"):
        students.build("cednet_n").outputs(torch.zeros(1, 3, 48, 64))
    with pytest.raises(ValueError, match="no style is called 'v'; known: fpn, unet, hourglass"):
        students.build("cednet_n", style="v")
    with pytest.raises(ValueError, match="'dw5'; known: conv3, cross, dw7, window"):
        students.build("cednet_n", mixer="dw5")
    with pytest.raises(ValueError, match="one stage or more"):
        students.build("cednet_n", stages=0)


def test_exports_strictly() -> None:
    student = students.build("cednet_n", classes=4, stages=2, layer_scale=1.0).eval()
    images = torch.rand(1, 3, 64, 96) * 255
    with torch.no_grad():
        exported = torch.export.export(student, (images,), strict=True).module()
        torch.testing.assert_close(exported(images), student(images), rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("name", ["window", "cross"])
def test_attention_exports_strictly_and_within_five_axes(name: str) -> None:
    mix, x = blocks.build_mixer(name, 32, 2, 1).eval(), torch.randn(1, 32, 9, 12)
    with torch.no_grad():
        program = torch.export.export(mix, (x,), strict=True)
        torch.testing.assert_close(program.module()(x), mix(x), rtol=1e-4, atol=1e-5)
    values = (node.meta.get("val") for node in program.graph.nodes)
    assert max(value.ndim for value in values if isinstance(value, Tensor)) <= 5
