"""The recipes of Core ML."""

from __future__ import annotations

from mobile.recipes import Recipe, register

register(
    Recipe(
        name="coreml_fp16",
        backend="coreml",
        precision="fp16",
        suffix=".mlpackage",
        calibrated=False,
        # By the interpreter on 100 photographs, trained FastSals differ by up to 0.5 where logits
        # reach -35, least CC 0.99996; the rest is room for devices that sum in float16, too.
        max_abs=2.0,
        min_cc=0.999,
        summary="Core ML program, float16, iOS 16",
    )
)
register(
    Recipe(
        name="coreml_int8_weights",
        backend="coreml",
        precision="int8 weights",
        suffix=".mlpackage",
        calibrated=False,
        max_abs=None,
        min_cc=0.99,
        summary="Core ML program, float16 with int8 weights per channel, iOS 16",
    )
)
register(
    Recipe(
        name="coreml_palette6",
        backend="coreml",
        precision="palette6",
        suffix=".mlpackage",
        calibrated=False,
        max_abs=None,
        min_cc=0.95,
        summary="Core ML program, float16 with palettes of 64 weights per layer, iOS 16",
    )
)
register(
    Recipe(
        name="coreml_palette4",
        backend="coreml",
        precision="palette4",
        suffix=".mlpackage",
        calibrated=False,
        max_abs=None,
        # On photographs the least is 0.63: what says whether it may ship is the budget.
        min_cc=0.5,
        summary="Core ML program, float16 with palettes of 16 weights per layer, iOS 16",
    )
)
register(
    Recipe(
        name="coreml_w8a8",
        backend="coreml",
        precision="w8a8",
        suffix=".mlpackage",
        calibrated=True,
        max_abs=None,
        min_cc=0.95,
        summary="Core ML program, int8 weights and activations, iOS 17",
    )
)
