"""What LiteRT files there are."""

from __future__ import annotations

from mobile.recipes import Recipe, register

register(
    Recipe(
        name="litert_fp32",
        backend="litert",
        precision="fp32",
        suffix=".tflite",
        calibrated=False,
        max_abs=1e-3,
        min_cc=0.9999,
        summary="LiteRT on XNNPACK, float32",
    )
)
register(
    Recipe(
        name="litert_fp16",
        backend="litert",
        precision="fp16 weights",
        suffix=".tflite",
        calibrated=False,
        max_abs=2.0,
        min_cc=0.999,
        summary="LiteRT, float32 arithmetic on weights stored as float16",
    )
)
register(
    Recipe(
        name="litert_int8_weights",
        backend="litert",
        precision="int8 weights",
        suffix=".tflite",
        calibrated=False,
        max_abs=None,
        min_cc=0.98,
        summary="LiteRT, float32 arithmetic on weights stored as int8 per channel",
    )
)
register(
    Recipe(
        name="litert_int8",
        backend="litert",
        precision="int8",
        suffix=".tflite",
        calibrated=True,
        max_abs=None,
        min_cc=0.98,
        summary="LiteRT on XNNPACK, static int8, weights per channel, float32 input and output",
    )
)
register(
    Recipe(
        name="litert_16x8",
        backend="litert",
        precision="16x8",
        suffix=".tflite",
        calibrated=True,
        max_abs=None,
        min_cc=0.99,
        summary="LiteRT, int16 activations on int8 weights, for accuracy: no delegate takes it",
        delegate=False,
    )
)
