"""Compressed weights and quantised activations: unfolded as coremltools itself unfolds them."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mobile.backends.coreml.interpreter import blob
from tests.mobile.interpreter.programs import RANDOM, close, normal, run, seeds

pytestmark = pytest.mark.filterwarnings("ignore")
WEIGHT = (6, 4, 3, 2)


def unfolded(build: Any, target: str) -> tuple[np.ndarray, np.ndarray]:
    """The constant that `build()` makes, by the interpreter and by coremltools."""
    from coremltools.converters.mil import Builder

    kept: list[Any] = []

    def program(x: Any) -> Any:
        weight = build()
        kept.append(weight.op.materialized_val_inference())
        return Builder.mul(x=Builder.cast(x=weight, dtype="fp32"), y=x)

    (got,) = run(program, target, x=np.ones(1, np.float32))
    return got, np.asarray(kept[0], np.float32)


def rng(seed: int) -> np.random.Generator:
    return np.random.default_rng(seed)


@RANDOM
@given(seeds, st.sampled_from(["int8", "uint8"]), st.integers(0, 3), st.booleans())
def test_affine_weights(seed, kind, axis, single) -> None:
    from coremltools.converters.mil import Builder

    levels = rng(seed).integers(*((-128, 128) if kind == "int8" else (0, 256)), WEIGHT).astype(kind)
    count = () if single else (WEIGHT[axis],)
    zero = np.asarray(rng(seed).integers(0, 9, count), kind)
    scale = np.abs(np.asarray(rng(seed).normal(size=count), np.float32)) + np.float32(0.01)
    zero = zero if count else zero.reshape(())[()]
    scale = scale if count else np.float32(scale)

    def build():
        return Builder.constexpr_affine_dequantize(
            quantized_data=levels, zero_point=zero, scale=scale, axis=axis
        )

    close(*unfolded(build, "iOS16"), tolerance=1e-6)


@RANDOM
@given(seeds, st.sampled_from([1, 2, 4, 6, 8]))
def test_palettes_of_a_layer(seed, bits) -> None:
    from coremltools.converters.mil import Builder
    from coremltools.optimize import _utils

    indices = rng(seed).integers(0, 2**bits, WEIGHT).astype(np.uint8)
    packed = _utils.pack_elements_into_bits(indices, bits)
    table = normal(seed, 2**bits)

    def build():
        return Builder.constexpr_lut_to_dense(indices=packed, lut=table, shape=np.uint32(WEIGHT))

    got, wanted = unfolded(build, "iOS16")
    close(got, wanted)
    close(got, table[indices])


@RANDOM
@given(seeds, st.sampled_from([1, 2, 4, 6]), st.sampled_from([(1, 1), (2, 1), (3, 2), (6, 4)]))
def test_palettes_of_groups_ios18(seed, bits, groups) -> None:
    from coremltools.converters.mil import Builder
    from coremltools.converters.mil.mil import types

    kind = types.type_mapping.builtin_to_string(getattr(types, f"uint{bits}"))
    dtype = types.nptype_from_builtin(types.string_to_builtin(kind))
    indices = rng(seed).integers(0, 2**bits, WEIGHT).astype(dtype)
    table = normal(seed, *groups, 1, 1, 2**bits, 1)
    close(*unfolded(lambda: Builder.constexpr_lut_to_dense(indices=indices, lut=table), "iOS18"))


@RANDOM
@given(seeds, st.sampled_from(["int4", "uint4", "int8", "uint8"]), st.booleans(),
       st.sampled_from([(6, 1, 1, 1), (3, 2, 1, 1), (1, 4, 3, 2), (1, 1, 1, 1)]))  # fmt: skip
def test_blockwise_scales_ios18(seed, kind, shifted, blocks) -> None:
    from coremltools.converters.mil import Builder
    from coremltools.converters.mil.mil import types

    low, high = {"int4": (-8, 8), "uint4": (0, 16), "int8": (-128, 128), "uint8": (0, 256)}[kind]
    dtype = types.nptype_from_builtin(types.string_to_builtin(kind))
    data = rng(seed).integers(low, high, WEIGHT).astype(dtype)
    scale = np.abs(normal(seed, *blocks)) + np.float32(0.01)
    offset = {"offset": rng(seed).integers(0, 7, blocks).astype(dtype)} if shifted else {}

    def build():
        return Builder.constexpr_blockwise_shift_scale(data=data, scale=scale, **offset)

    close(*unfolded(build, "iOS18"))


@RANDOM
@given(seeds, st.booleans())
def test_sparse_weights(seed, newer) -> None:
    from coremltools.converters.mil import Builder
    from coremltools.converters.mil.mil import types

    mask = rng(seed).random(WEIGHT) < 0.4
    mask[0, 0, 0, 0] = True
    values = normal(seed, int(mask.sum()))

    def build():
        if newer:
            bits = mask.astype(types.nptype_from_builtin(types.uint1))
            return Builder.constexpr_sparse_to_dense(nonzero_data=values, mask=bits)
        packed = np.packbits(mask.reshape(-1), bitorder="little")
        return Builder.constexpr_sparse_to_dense(
            nonzero_data=values, mask=packed, shape=np.uint32(WEIGHT)
        )

    close(*unfolded(build, "iOS18" if newer else "iOS16"))


@RANDOM
@given(seeds, st.sampled_from(["int8", "uint8"]), st.booleans(), st.booleans())
def test_quantise_and_back(seed, kind, along, zeroed) -> None:
    from coremltools.converters.mil import Builder

    x = 3 * normal(seed, 2, 3, 4)
    scale = np.abs(normal(seed, 3)) / 20 + np.float32(0.01) if along else np.float32(0.03)
    zero = (np.full(3, 5, kind) if along else np.array(5, kind)[()]) if zeroed else None
    more = (
        {"scale": scale} | ({"zero_point": zero} if zeroed else {}) | ({"axis": 1} if along else {})
    )

    def build(x):
        levels = Builder.quantize(input=x, output_dtype=kind, **more)
        return Builder.dequantize(input=levels, **more)

    wide = scale.reshape(3, 1) if along else scale
    low, high = (-128, 127) if kind == "int8" else (0, 255)
    shift = 5 if zeroed else 0
    levels = np.clip(np.round(x / wide) + shift, low, high)
    close(run(build, x=x)[0], wide * (levels - shift))


@given(seeds, st.integers(1, 8), st.integers(1, 40))
@RANDOM
def test_packed_integers_are_read_from_the_lowest_bits(seed, bits, count) -> None:
    values = rng(seed).integers(0, 2**bits, count)
    number = sum(int(value) << (bits * i) for i, value in enumerate(values))
    data = number.to_bytes(-(-bits * count // 8), "little")
    assert blob.unpack(data, bits, count).tolist() == values.tolist()


def test_signed_nibbles() -> None:
    assert blob.decode(bytes([0x8F, 0x07]), "int4", (3,)).tolist() == [-1, -8, 7]
