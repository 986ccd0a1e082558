"""Programs of one operator, made with coremltools' own builder and saved as it saves them."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from hypothesis import settings
from hypothesis import strategies as st

from mobile.backends.coreml import package
from mobile.backends.coreml.interpreter.run import Interpreter

Build = Callable[..., Any]
RANDOM = settings(max_examples=25)
"""Programs take milliseconds."""
VERSIONS = {"iOS15": 6, "iOS16": 7, "iOS17": 8, "iOS18": 9}
seeds = st.integers(0, 2**32 - 1)


def normal(seed: int, *shape: int) -> np.ndarray:
    """Normal numbers, float32."""
    return np.random.default_rng(seed).normal(size=shape).astype(np.float32)


def save(build: Build, inputs: dict[str, np.ndarray], folder: Path, target: str) -> Path:
    """The package of `build(**inputs)`; inputs have the arrays' shapes and types."""
    import coremltools as ct
    from coremltools.converters.mil import Builder
    from coremltools.converters.mil.backend.mil.load import load
    from coremltools.converters.mil.mil import types

    specs = [
        Builder.TensorSpec(array.shape, dtype=types.numpy_type_to_builtin_type(array.dtype))
        for array in inputs.values()
    ]
    names = list(inputs)

    def declarable(**variables: Any) -> Any:
        """Outputs of `build`, truth values as integers: a program may not give them."""
        made = build(**variables)
        cast = [
            Builder.cast(x=v, dtype="int32") if v.dtype is types.bool else v for v in several(made)
        ]
        return tuple(cast) if len(cast) > 1 else cast[0]

    # The builder names inputs by the function's own parameters.
    scope: dict[str, Any] = {"build": declarable}
    exec(
        f"def program({', '.join(names)}): return build({', '.join(f'{n}={n}' for n in names)})",
        scope,
    )
    made = Builder.program(input_specs=specs, opset_version=ct.target[target])(scope["program"])
    # Whatever folding or fusing a converter does would test the converter.
    path = folder / "model.mlpackage"
    weights = path / package.WEIGHTS
    weights.parent.mkdir(parents=True)
    proto = load(made, str(weights.parent), specification_version=VERSIONS[target])
    (path / package.MODEL).write_bytes(proto.SerializeToString())
    items = {"model": {"path": f"{package.ROOT}/model.mlmodel"}}
    manifest = {"itemInfoEntries": items, "rootModelIdentifier": "model"}
    (path / package.MANIFEST).write_text(json.dumps(manifest))
    if not weights.exists():  # all numbers are in the specification
        weights.parent.rmdir()
    return path


def run(
    build: Build, target: str = "iOS17", arithmetic: Any = "fp32", **inputs: np.ndarray
) -> list[np.ndarray]:
    """Outputs of the saved program on `inputs`, by the interpreter."""
    with tempfile.TemporaryDirectory() as folder:
        path = save(build, inputs, Path(folder), target)
        interpreter = Interpreter(path, arithmetic)
        stated = {
            made.name: made for step in interpreter.program.operations for made in step.outputs
        }
        found = interpreter.evaluate(inputs)
    for name, output in found.items():
        assert output.shape == stated[name].shape, (
            f"{name}: the program states {stated[name].shape}"
        )
    return list(found.values())


def folded(build: Build, **inputs: np.ndarray) -> list[np.ndarray]:
    """What coremltools' own numpy makes of the operator when its inputs are constants."""
    import coremltools as ct
    from coremltools.converters.mil import Builder

    kept: list[np.ndarray] = []

    @Builder.program(input_specs=[Builder.TensorSpec((1,))], opset_version=ct.target.iOS17)
    def _program(ignored: Any) -> Any:
        made = build(**{name: Builder.const(val=array) for name, array in inputs.items()})
        kept.extend(np.asarray(one.val) for one in several(made))
        return Builder.identity(x=ignored)

    return kept


def several(made: Any) -> tuple[Any, ...]:
    """One or more variables as a tuple."""
    return tuple(made) if isinstance(made, tuple | list) else (made,)


def close(got: Any, wanted: Any, tolerance: float = 2e-5) -> None:
    """Equal up to float32's rounding in a sum of a few hundred numbers."""
    np.testing.assert_allclose(got, np.asarray(wanted), rtol=tolerance, atol=tolerance)
