"""FastSal (A) and (C) against the paper's figures and an independent reading of the equations."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
import torch.nn.functional as F
from safetensors.torch import save_file
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

import students
from students.backbones import MobileNetV2
from students.fastsal import AdditionBlock, FastSalC
from students.subpixel import subpixel_kernel

PARAMETERS = {"fastsal_a": 3_646_715, "fastsal_c": 2_574_049}
GIGA_MACS = {"fastsal_a": 0.6383, "fastsal_c": 0.6166}


@pytest.mark.parametrize("name", PARAMETERS)
def test_parameters(name: str) -> None:
    assert sum(p.numel() for p in students.build(name).parameters()) == PARAMETERS[name]


@pytest.mark.parametrize("name", GIGA_MACS)
def test_macs_of_the_paper_graph_at_192_by_256(name: str) -> None:
    options = {"form": "paper"} if name == "fastsal_c" else {}
    student = students.build(name, **options).eval()
    with torch.no_grad(), FlopCounterMode(display=False) as counter:
        student(torch.zeros(1, 3, 192, 256))
    assert counter.get_total_flops() / 2e9 == pytest.approx(GIGA_MACS[name], abs=5e-5)


def test_backbone_has_18_taps_and_the_stem_is_not_one() -> None:
    backbone = MobileNetV2().eval()
    taps = backbone(torch.zeros(1, 3, 64, 64))
    assert [t.shape[1] for t in taps] == (
        [16] + [24] * 2 + [32] * 3 + [64] * 4 + [96] * 3 + [160] * 3 + [320, 1280]
    )
    assert sum(p.numel() for p in backbone.parameters()) == 2_223_872


def test_groups_are_28_24_136_520_channels_at_halving_sizes() -> None:
    groups = students.build("fastsal_a").eval().groups(torch.zeros(1, 3, 192, 256))
    assert [tuple(g.shape[1:]) for g in groups] == [
        (28, 96, 128), (24, 48, 64), (136, 24, 32), (520, 12, 16),
    ]  # fmt: skip


def test_hint_features_of_c_have_the_shapes_of_the_teachers_taps() -> None:
    features = students.build("fastsal_c").eval().features(torch.zeros(1, 3, 192, 256))
    assert [tuple(f.shape[1:]) for f in features] == [
        (128, 96, 128), (256, 48, 64), (512, 24, 32), (512, 12, 16),
    ]  # fmt: skip


@pytest.mark.parametrize("name", ["fastsal_a", "fastsal_c"])
def test_every_export_form_equals_the_student_in_float64(name: str) -> None:
    torch.manual_seed(0)
    student = students.build(name, init="kaiming").double().eval()
    images = torch.rand(2, 3, 64, 96, dtype=torch.float64) * 255
    expected = student(images)
    assert expected.abs().max() > 1e-3
    forms = student.export_forms()
    assert len(forms) == 2
    for form in forms.values():
        torch.testing.assert_close(form(images), expected, rtol=1e-10, atol=1e-10)


def test_taps_form_equals_the_paper_form_in_float64() -> None:
    torch.manual_seed(0)
    student = students.build("fastsal_c", init="kaiming").double().eval()
    nn.init.normal_(student.merger.weight)
    images = torch.rand(2, 3, 64, 96, dtype=torch.float64) * 255
    taps = student(images)
    exported = student.export_forms()["taps"](images)
    student.form = "paper"
    paper = student(images)
    assert paper.abs().max() > 1e-3
    torch.testing.assert_close(taps, paper, rtol=1e-10, atol=1e-10)
    torch.testing.assert_close(exported, paper, rtol=1e-10, atol=1e-10)


def test_gradients_agree_between_the_forms() -> None:
    gradients = []
    for form in ("taps", "paper"):
        torch.manual_seed(0)
        student = FastSalC(form).double()
        student(torch.linspace(0, 255, 3 * 64 * 64).view(1, 3, 64, 64).double()).sum().backward()
        gradients.append(student.merger.weight.grad)
    torch.testing.assert_close(gradients[0], gradients[1], rtol=1e-8, atol=1e-8)


def test_subpixel_kernel_entry_by_entry() -> None:
    """Every entry of the moved kernel, from the definition of PixelShuffle, in plain loops."""
    weight = torch.randn(1, 3, 3, 3, dtype=torch.float64)
    expected = torch.zeros(4, 12, 3, 3, dtype=torch.float64)
    for a in (0, 1):
        for b in (0, 1):
            for channel in range(3):
                for dy in (-1, 0, 1):
                    for dx in (-1, 0, 1):
                        row, i = divmod(a + dy, 2)
                        column, j = divmod(b + dx, 2)
                        source = 4 * channel + 2 * i + j
                        expected[2 * a + b, source, row + 1, column + 1] += weight[
                            0, channel, dy + 1, dx + 1
                        ]
    torch.testing.assert_close(subpixel_kernel(weight), expected)


def test_convolution_after_pixel_shuffle_equals_pixel_shuffle_after_moved_convolution() -> None:
    weight = torch.randn(1, 5, 3, 3, dtype=torch.float64)
    x = torch.randn(2, 20, 6, 7, dtype=torch.float64)
    after = F.conv2d(F.pixel_shuffle(x, 2), weight, padding=1)
    before = F.pixel_shuffle(F.conv2d(x, subpixel_kernel(weight), padding=1), 2)
    torch.testing.assert_close(before, after)


@pytest.mark.parametrize(("skip", "times"), [("paper", 1), ("authors", 2)])
def test_addition_block_adds_its_input_once_by_the_paper_twice_by_the_code(
    skip: str, times: int
) -> None:
    block = AdditionBlock(8, skip).eval()
    for parameter in block.parameters():
        nn.init.zeros_(parameter)
    x, previous = torch.randn(1, 8, 4, 4), torch.randn(1, 8, 4, 4)
    torch.testing.assert_close(block(x, previous), times * (x + previous))


def test_authors_initialisation_scales_batch_norm_to_nearly_nothing() -> None:
    student = students.build("fastsal_a", init="authors")
    decoder = torch.cat(
        [p.flatten() for n, p in student.named_parameters()
         if not n.startswith("backbone.") and n.endswith("weight")]
    )  # fmt: skip
    assert decoder.std().item() == pytest.approx(0.01, rel=0.01)


def test_backbone_weights_come_from_a_file(tmp_path: Path) -> None:
    torch.manual_seed(1)
    source = MobileNetV2().state_dict()
    save_file(source, tmp_path / "w.safetensors")
    student = students.build("fastsal_a", weights=tmp_path / "w.safetensors")
    own = student.backbone.state_dict()
    assert all(torch.equal(own[name], value) for name, value in source.items())


def test_a_file_of_another_network_is_refused(tmp_path: Path) -> None:
    save_file({"conv.weight": torch.zeros(1)}, tmp_path / "w.safetensors")
    with pytest.raises(ValueError, match=r"no MobileNetV2 file: it lacks features\.0"):
        students.build("fastsal_a", weights=tmp_path / "w.safetensors")


def test_unknown_init_is_refused() -> None:
    with pytest.raises(ValueError, match="'authors' or 'kaiming'"):
        students.build("fastsal_a", init="xavier")
