"""Shapes, slices, gathers, resizing: random programs against torch and numpy."""

from __future__ import annotations

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from hypothesis import given
from hypothesis import strategies as st

from tests.mobile.interpreter.programs import RANDOM, close, folded, normal, run, seeds

pytestmark = pytest.mark.filterwarnings("ignore")


def tensor(array: np.ndarray) -> torch.Tensor:
    return torch.from_numpy(array)


@RANDOM
@given(seeds, st.permutations([0, 1, 2, 3]))
def test_transpose_reshape_squeeze_expand(seed, order) -> None:
    from coremltools.converters.mil import Builder

    x = normal(seed, 2, 3, 1, 4)
    close(run(lambda x: Builder.transpose(x=x, perm=order), x=x)[0], x.transpose(order))
    close(run(lambda x: Builder.reshape(x=x, shape=[0, -1, 2, 2]), x=x)[0], x.reshape(2, 3, 2, 2))
    close(run(lambda x: Builder.squeeze(x=x, axes=[2]), x=x)[0], x[:, :, 0])
    close(run(lambda x: Builder.expand_dims(x=x, axes=[0]), x=x)[0], x[None])
    close(run(lambda x: Builder.flatten2d(x=x, axis=2), x=x)[0], x.reshape(6, 4))
    close(run(lambda x: Builder.reverse(x=x, axes=[1, 3]), x=x)[0], x[:, ::-1, :, ::-1])
    close(run(lambda x: Builder.tile(x=x, reps=[1, 2, 3, 1]), x=x)[0], np.tile(x, (1, 2, 3, 1)))


@RANDOM
@given(seeds, st.integers(-4, 3), st.booleans())
def test_concat_split_stack(seed, axis, interleaved) -> None:
    from coremltools.converters.mil import Builder

    x, y = normal(seed, 2, 4, 2, 6), normal(seed + 1, 2, 4, 2, 6)
    (got,) = run(
        lambda x, y: Builder.concat(values=(x, y), axis=axis, interleave=interleaved), x=x, y=y
    )
    wanted = np.concatenate([x, y], axis)
    if interleaved:
        wanted = np.stack([x, y], axis % 4 + 1).reshape(wanted.shape)
    close(got, wanted)
    for got, part in zip(
        run(lambda x: Builder.split(x=x, num_splits=2, axis=axis), x=x),
        np.split(x, 2, axis),
        strict=True,
    ):
        close(got, part)
    sizes = run(lambda x: Builder.split(x=x, split_sizes=[1, 5], axis=3), x=x)
    close(sizes[0], x[..., :1])
    close(sizes[1], x[..., 1:])
    close(run(lambda x, y: Builder.stack(values=(x, y), axis=1), x=x, y=y)[0], np.stack([x, y], 1))


@RANDOM
@given(
    seeds, st.lists(st.integers(0, 2), min_size=6, max_size=6),
    st.sampled_from(["constant", "reflect", "replicate"]), st.integers(1, 3),
)  # fmt: skip
def test_pad(seed, amounts, mode, axes) -> None:
    from coremltools.converters.mil import Builder

    x = normal(seed, 3, 4, 5)
    pad = amounts[: 2 * (min(axes, 2) if mode != "constant" else axes)]
    more = {"constant_val": np.float32(1.5)} if mode == "constant" else {}
    pairs = [(0, 0)] * (3 - len(pad) // 2) + list(zip(pad[::2], pad[1::2], strict=True))
    how = {"constant": "constant", "reflect": "reflect", "replicate": "edge"}[mode]
    wanted = np.pad(x, pairs, how, **({"constant_values": 1.5} if more else {}))
    close(run(lambda x: Builder.pad(x=x, pad=pad, mode=mode, **more), x=x)[0], wanted)


@RANDOM
@given(
    seeds,
    st.lists(st.tuples(st.integers(-4, 3), st.integers(1, 4), st.sampled_from([1, 2, 3]),
                       st.sampled_from(["plain", "from", "to", "one"])), min_size=3, max_size=3),
)  # fmt: skip
def test_slice_by_index(seed, axes) -> None:
    from coremltools.converters.mil import Builder

    x = normal(seed, 8, 8, 8)
    begin = [start for start, *_ in axes]
    end = [start % 8 + length for start, length, *_ in axes]
    stride = [step for *_, step, _ in axes]
    masks = {
        f"{mask}_mask": [how == kind for *_, how in axes]
        for mask, kind in (("begin", "from"), ("end", "to"), ("squeeze", "one"))
    }
    wanted = x[tuple(
        start if how == "one" else
        slice(None if how == "from" else start, None if how == "to" else start % 8 + length, step)
        for start, length, step, how in axes
    )]  # fmt: skip

    def build(x):
        return Builder.slice_by_index(x=x, begin=begin, end=end, stride=stride, **masks)

    if wanted.ndim == 0:
        return  # an output has an axis
    close(run(build, x=x)[0], wanted)


def test_slices_backwards_and_by_size() -> None:
    from coremltools.converters.mil import Builder

    x = normal(0, 5, 6)
    (got,) = run(
        lambda x: Builder.slice_by_index(x=x, begin=[-1, 4], end=[0, 1], stride=[-1, -2],
                                    end_mask=[True, False]), x=x
    )  # fmt: skip
    close(got, x[::-1, 4:1:-2])
    close(run(lambda x: Builder.slice_by_size(x=x, begin=[1, 2], size=[3, -1]), x=x)[0], x[1:4, 2:])
    (got,) = run(
        lambda x: Builder.crop(x=x, crop_height=[1, 2], crop_width=[0, 3]), x=normal(1, 1, 5, 6)
    )
    close(got, normal(1, 1, 5, 6)[:, 1:3, :3])


@RANDOM
@given(seeds, st.integers(-3, 2))
def test_gathers(seed, axis) -> None:
    from coremltools.converters.mil import Builder

    x = normal(seed, 4, 5, 6)
    indices = np.random.default_rng(seed).integers(0, 4, (2, 3)).astype(np.int32)
    (got,) = run(lambda x, i: Builder.gather(x=x, indices=i, axis=axis), "iOS16", x=x, i=indices)
    close(got, np.take(x, indices, axis))
    along = np.random.default_rng(seed).integers(0, 4, x.shape).astype(np.int32)
    (got,) = run(lambda x, i: Builder.gather_along_axis(x=x, indices=i, axis=axis), x=x, i=along)
    close(got, np.take_along_axis(x, along.astype(np.int64), axis))


def test_gathers_by_position_and_shapes_of_others() -> None:
    from coremltools.converters.mil import Builder

    x = normal(0, 3, 4, 5)
    at = np.array([[0, 1], [2, 3]], np.int32)
    (got,) = run(lambda x, i: Builder.gather_nd(x=x, indices=i), "iOS16", x=x, i=at)
    close(got, x[[0, 2], [1, 3]])
    (got,) = run(lambda x: Builder.fill_like(ref_tensor=x, value=2.5), x=x)
    close(got, np.full_like(x, 2.5))


def test_constants_of_shapes() -> None:
    from coremltools.converters.mil import Builder

    x = normal(0, 4, 5)
    for lower, upper in ((0, -1), (1, 2), (-1, 0)):

        def build(x, lower=lower, upper=upper):
            return Builder.band_part(x=x, lower=lower, upper=upper)

        close(run(build, x=x)[0], folded(build, x=x)[0])
    (got,) = run(lambda x: Builder.sliding_windows(x=x, axis=1, size=3, stride=2), x=x)
    close(got, np.lib.stride_tricks.sliding_window_view(x, 3, 1)[:, ::2])
    hot = np.array([1, 0, 2], np.int32)
    (got,) = run(lambda i: Builder.one_hot(indices=i, one_hot_vector_size=3, on_value=2.0,
                                      off_value=-1.0), i=hot)  # fmt: skip
    close(got, np.where(np.eye(3)[hot] > 0, 2, -1))
    (got,) = run(
        lambda x: Builder.select(cond=Builder.greater(x=x, y=0.0), a=x, b=Builder.mul(x=x, y=2.0)),
        x=x,
    )
    close(got, np.where(x > 0, x, 2 * x))


@RANDOM
@given(seeds, st.integers(1, 3), st.integers(1, 3), st.booleans())
def test_upsampling_by_whole_factors_is_torchs(seed, high, wide, aligned) -> None:
    from coremltools.converters.mil import Builder

    x = normal(seed, 1, 2, 5, 4)
    more = {"scale_factor_height": high, "scale_factor_width": wide}
    (got,) = run(lambda x: Builder.upsample_bilinear(x=x, align_corners=aligned, **more), x=x)
    size = (5 * high, 4 * wide)
    close(got, F.interpolate(tensor(x), size, mode="bilinear", align_corners=aligned))
    (got,) = run(lambda x: Builder.upsample_nearest_neighbor(x=x, **more), x=x)
    close(got, F.interpolate(tensor(x), size))


def spots(mode: str, size: int, wanted: int) -> list[float]:
    """Where samples lie, as coremltools documents `resize_bilinear`, number by number."""
    found = []
    for i in range(wanted):
        if mode in ("STRICT_ALIGN_CORNERS", "ALIGN_CORNERS"):
            at = i * (size - 1) / (wanted - 1) if wanted > 1 else 0.0
            if mode == "ALIGN_CORNERS" and wanted == 1:
                at = (size - 1) / 2
        elif mode == "DEFAULT":
            at = i * (size - size / wanted) / (wanted - 1) if wanted > 1 else 0.0
        elif mode == "OFFSET_CORNERS":
            at = 0.5 * max(1, size - 1) / wanted + i * max(1, size - 1) / wanted
        else:
            at = i * size / wanted + 0.5 * size / wanted - 0.5
        found.append(min(size - 1.0, max(0.0, at)))
    return found


@RANDOM
@given(
    seeds, st.integers(1, 9), st.integers(1, 9),
    st.sampled_from(["STRICT_ALIGN_CORNERS", "ALIGN_CORNERS", "DEFAULT", "OFFSET_CORNERS",
                     "UNALIGN_CORNERS"]), st.booleans(),
)  # fmt: skip
def test_resize_in_every_sampling_mode(seed, height, width, mode, newer) -> None:
    from coremltools.converters.mil import Builder

    x = normal(seed, 1, 2, 4, 5)

    def build(x):
        if newer:
            shape = np.array([height, width], np.int32)
            return Builder.resize(x=x, shape=shape, resized_dims=np.uint32(2), sampling_mode=mode)
        return Builder.resize_bilinear(
            x=x, target_size_height=height, target_size_width=width, sampling_mode=mode
        )

    rows = np.stack([
        [np.interp(spots(mode, 4, height), range(4), x[0, c, :, column]) for column in range(5)]
        for c in range(2)
    ])  # fmt: skip
    wanted = np.stack([
        [np.interp(spots(mode, 5, width), range(5), rows[c, :, row]) for row in range(height)]
        for c in range(2)
    ])[None]  # fmt: skip
    close(run(build, x=x)[0], wanted)


@pytest.mark.parametrize("block", [2, 3])
def test_shuffles_between_channels_and_space(block: int) -> None:
    from coremltools.converters.mil import Builder

    x = normal(1, 1, 2 * block**2, 2, 3)
    (shuffled,) = run(lambda x: Builder.pixel_shuffle(x=x, upscale_factor=block), x=x)
    close(shuffled, F.pixel_shuffle(tensor(x), block))
    (back,) = run(
        lambda x: Builder.pixel_unshuffle(x=x, downscale_factor=np.uint32(block)), x=shuffled
    )
    close(back, x)
    (deep,) = run(lambda x: Builder.depth_to_space(x=x, block_size=block), x=x)
    # Pixel (i, j) of a block takes channel (i · block + j) · C + c: TensorFlow's order.
    for i in range(block):
        for j in range(block):
            close(deep[0, :, i::block, j::block], x[0, 2 * (i * block + j) :][:2])
    close(run(lambda x: Builder.space_to_depth(x=x, block_size=block), x=deep)[0], x)
