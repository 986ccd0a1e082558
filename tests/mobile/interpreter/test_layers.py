"""Convolutions, products, pooling and normalisation: random programs against torch's layers."""

from __future__ import annotations

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from hypothesis import assume, given
from hypothesis import strategies as st

from tests.mobile.interpreter.programs import RANDOM, close, normal, run, seeds

pytestmark = pytest.mark.filterwarnings("ignore")
small = st.integers(1, 3)


def tensor(array: np.ndarray) -> torch.Tensor:
    return torch.from_numpy(array)


@RANDOM
@given(
    seeds, st.integers(1, 2), small, small, small, small, small, st.booleans(),
    st.lists(st.integers(0, 2), min_size=4, max_size=4), st.integers(5, 9),
)  # fmt: skip
def test_conv(seed, batch, groups, cin, cout, stride, dilation, biased, pads, side) -> None:
    from coremltools.converters.mil import Builder

    kernel = 1 + seed % 3
    x = normal(seed, batch, groups * cin, side + 2, side + 4)
    weight = normal(seed + 1, groups * cout, cin, kernel, kernel)
    bias = normal(seed + 2, groups * cout) if biased else None
    given_bias = {} if bias is None else {"bias": bias}

    def build(x):
        return Builder.conv(
            x=x, weight=weight, strides=[stride, 1], dilations=[1, dilation], groups=groups,
            pad_type="custom", pad=pads, **given_bias,
        )  # fmt: skip

    top, bottom, left, right = pads
    wanted = F.conv2d(
        F.pad(tensor(x), (left, right, top, bottom)), tensor(weight),
        None if bias is None else tensor(bias), (stride, 1), 0, (1, dilation), groups,
    )  # fmt: skip
    close(run(build, x=x)[0], wanted)


@RANDOM
@given(seeds, st.sampled_from([1, 3]), small, st.sampled_from(["same", "same_lower", "valid"]))
def test_conv_in_one_and_three_dimensions_padded_by_name(seed, rank, stride, kind) -> None:
    from coremltools.converters.mil import Builder

    kernel, side = 2 + seed % 3, 6
    x, weight = normal(seed, 1, 2, *[side] * rank), normal(seed, 4, 2, *[kernel] * rank)
    (got,) = run(
        lambda x: Builder.conv(x=x, weight=weight, strides=[stride] * rank, pad_type=kind), x=x
    )
    total = max(0, -(-side // stride) * stride - side + kernel - stride) * (kind != "valid")
    ends = [total // 2, total - total // 2][:: -1 if kind == "same_lower" else 1]
    padded = F.pad(tensor(x), ends * rank)
    close(got, {1: F.conv1d, 3: F.conv3d}[rank](padded, tensor(weight), stride=stride))


@RANDOM
@given(seeds, st.sampled_from([1, 2]), small, small, st.integers(0, 1), small, st.booleans())
def test_conv_transpose(seed, groups, cin, cout, padding, stride, stated) -> None:
    from coremltools.converters.mil import Builder

    kernel, dilation = 2 + seed % 3, 1 + seed % 2
    more = min(stride, dilation) - 1 if stated else 0
    layer = torch.nn.ConvTranspose2d(
        groups * cin, groups * cout, kernel, stride, padding, more, groups, dilation=dilation
    )
    x = normal(seed, 1, groups * cin, 5, 4)
    with torch.no_grad():
        wanted = layer(tensor(x))
    weight, bias = (p.detach().numpy() for p in (layer.weight, layer.bias))
    shape = {"output_shape": list(wanted.shape)} if stated else {}

    def build(x):
        return Builder.conv_transpose(
            x=x, weight=weight, bias=bias, pad=[padding] * 4, pad_type="custom",
            strides=[stride] * 2, dilations=[dilation] * 2, groups=groups, **shape,
        )  # fmt: skip

    close(run(build, x=x)[0], wanted)


@RANDOM
@given(seeds, st.booleans(), st.booleans(), st.booleans())
def test_products(seed, across, turned, biased) -> None:
    from coremltools.converters.mil import Builder

    a = normal(seed, 2, 1, 4, 3) if not across else normal(seed, 2, 1, 3, 4)
    b = normal(seed + 1, 5, 3, 2) if not turned else normal(seed + 1, 5, 2, 3)
    (got,) = run(
        lambda x, y: Builder.matmul(x=x, y=y, transpose_x=across, transpose_y=turned), x=a, y=b
    )
    left = tensor(a).mT if across else tensor(a)
    close(got, left @ (tensor(b).mT if turned else tensor(b)))

    x, weight, bias = normal(seed, 2, 3, 4), normal(seed, 5, 4), normal(seed, 5)
    more = {"bias": bias} if biased else {}
    (got,) = run(lambda x: Builder.linear(x=x, weight=weight, **more), x=x)
    close(got, tensor(x) @ tensor(weight).T + (tensor(bias) if biased else 0))


def test_attention_is_torchs() -> None:
    from coremltools.converters.mil import Builder

    q, k, v = (normal(seed, 1, 2, 4, 8) for seed in range(3))
    build = Builder.scaled_dot_product_attention
    (got,) = run(lambda q, k, v: build(query=q, key=k, value=v), "iOS18", q=q, k=k, v=v)
    close(got, F.scaled_dot_product_attention(tensor(q), tensor(k), tensor(v)))


@RANDOM
@given(seeds, st.integers(2, 3), small, st.integers(0, 1), st.booleans(), st.booleans())
def test_pooling(seed, kernel, stride, padding, ceiling, outside) -> None:
    from coremltools.converters.mil import Builder

    x = normal(seed, 1, 2, 7 + seed % 3, 8)
    shared = {
        "kernel_sizes": [kernel] * 2, "strides": [stride] * 2, "pad": [padding] * 4,
        "pad_type": "custom", "ceil_mode": ceiling,
    }  # fmt: skip
    # Without padding Core ML counts a last window that begins behind the input, torch does not.
    assume(padding or not ceiling or stride <= kernel)
    (largest,) = run(lambda x: Builder.max_pool(x=x, **shared), x=x)
    close(largest, F.max_pool2d(tensor(x), kernel, stride, padding, ceil_mode=ceiling))
    (mean,) = run(
        lambda x: Builder.avg_pool(x=x, exclude_padding_from_average=not outside, **shared), x=x
    )
    wanted = F.avg_pool2d(tensor(x), kernel, stride, padding, ceiling, count_include_pad=outside)
    close(mean, wanted)


@RANDOM
@given(seeds, st.integers(3, 5), st.booleans())
def test_batch_and_instance_norm(seed, rank, scaled) -> None:
    from coremltools.converters.mil import Builder

    x = normal(seed, 2, 3, *[4] * (rank - 2))
    gamma, beta, mean = (normal(seed + i, 3) for i in range(3))
    variance = np.abs(normal(seed + 4, 3)) + 0.1
    scales = {"gamma": gamma, "beta": beta} if scaled else {}
    torch_scales = (tensor(gamma), tensor(beta)) if scaled else (None, None)
    (got,) = run(
        lambda x: Builder.batch_norm(x=x, mean=mean, variance=variance, epsilon=1e-3, **scales), x=x
    )
    close(got, F.batch_norm(tensor(x), tensor(mean), tensor(variance), *torch_scales, eps=1e-3))
    if rank < 5:
        (got,) = run(lambda x: Builder.instance_norm(x=x, epsilon=1e-3, **scales), x=x)
        wanted = F.instance_norm(tensor(x), None, None, *torch_scales, eps=1e-3)
        close(got, wanted)


@RANDOM
@given(seeds, st.sampled_from([[-1], [2, 3], [1, 2, 3], [1]]))
def test_layer_norm(seed, axes) -> None:
    from coremltools.converters.mil import Builder

    x = normal(seed, 2, 3, 4, 5)
    shape = [x.shape[axis] for axis in axes]
    gamma, beta = normal(seed + 1, *shape), normal(seed + 2, *shape)
    (got,) = run(
        lambda x: Builder.layer_norm(x=x, axes=axes, gamma=gamma, beta=beta, epsilon=1e-4), x=x
    )
    places = [axis % 4 for axis in axes]
    moved = tensor(x).movedim(places, list(range(4 - len(axes), 4)))
    wanted = F.layer_norm(moved, shape, tensor(gamma), tensor(beta), 1e-4)
    close(got, wanted.movedim(list(range(4 - len(axes), 4)), places))


def test_einsum_and_l2_pooling() -> None:
    from coremltools.converters.mil import Builder

    x, y = normal(0, 1, 2, 3, 4), normal(1, 1, 4, 3, 5)
    equation = "nchw,nwhu->nchu"
    (got,) = run(lambda x, y: Builder.einsum(values=(x, y), equation=equation), x=x, y=y)
    close(got, torch.einsum(equation, tensor(x), tensor(y)))
    (got,) = run(
        lambda x: Builder.l2_pool(x=x, kernel_sizes=[2, 2], strides=[1, 2], pad_type="valid"), x=x
    )
    close(got, F.lp_pool2d(tensor(x), 2, (2, 2), (1, 2)))


def test_local_response_and_l2_norm() -> None:
    from coremltools.converters.mil import Builder

    x = normal(0, 2, 5, 3, 4)
    (got,) = run(
        lambda x: Builder.local_response_norm(x=x, size=3, alpha=0.1, beta=0.7, k=1.5), x=x
    )
    close(got, F.local_response_norm(tensor(x), 3, 0.1, 0.7, 1.5))
    (got,) = run(lambda x: Builder.l2_norm(x=x, epsilon=1e-6), x=x)
    close(got, x / np.sqrt((x**2).sum((1, 2, 3), keepdims=True) + 1e-6))
