"""Packages that cannot be interpreted are refused in one line that says where."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from mobile.backends.coreml import package
from mobile.backends.coreml.interpreter.run import Interpreter
from mobile.backends.coreml.interpreter.wire import Message
from pipeline.errors import UserError
from tests.mobile.conftest import Export
from tests.mobile.interpreter.programs import normal, save

pytestmark = pytest.mark.filterwarnings("ignore")


def saved(build: Any, folder: Path, **inputs: np.ndarray) -> Path:
    folder.mkdir()
    return save(build, inputs, folder, "iOS17")


def test_an_unknown_operator_is_named_with_its_output_and_file(tmp_path: Path) -> None:
    from coremltools.converters.mil import Builder

    def build(x):
        return Builder.reverse_sequence(x=x, lengths=np.array([2], np.int32), name="turned")

    path = saved(build, tmp_path / "a", x=normal(0, 1, 5))
    with pytest.raises(UserError) as caught:
        Interpreter(path)
    assert str(path) in str(caught.value)
    assert "'reverse_sequence' of turned" in str(caught.value)


def test_known_operators_with_unknown_arguments_are_named(tmp_path: Path) -> None:
    from coremltools.converters.mil import Builder

    index = np.zeros((1, 1), np.int32)
    path = saved(
        lambda x: Builder.gather(x=x, indices=index, axis=1, batch_dims=1, name="picked"),
        tmp_path / "a", x=normal(0, 1, 3),
    )  # fmt: skip
    with pytest.raises(UserError, match=r"gather of picked is not one .* knows: batch_dims"):
        Interpreter(path).evaluate({"x": normal(0, 1, 3)})


def test_changed_bytes_are_one_line_or_another_result(
    exports: dict[str, Export], tmp_path: Path
) -> None:
    whole = exports["coreml_palette6"].file
    path = Path(shutil.copytree(whole, tmp_path / "model.mlpackage"))
    model, weights = (path / name for name in (package.MODEL, package.WEIGHTS))
    kept = model.read_bytes(), weights.read_bytes()
    refused = 0
    image = np.full((1, 3, 32, 64), 99, np.float32)
    for seed in range(60):
        random = np.random.default_rng(seed)
        for file, data in zip((model, weights), kept, strict=True):
            damaged = np.frombuffer(data, np.uint8).copy()
            at = random.integers(0, len(data), 6)
            damaged[at] = random.integers(0, 256, 6)
            file.write_bytes(damaged.tobytes())
        try:
            Interpreter(path).run(image)
        except UserError as error:
            assert "\n" not in str(error)  # noqa: PT017
            refused += 1
    assert refused > 20


@pytest.mark.parametrize("data", [b"\x08", b"\x0a\x05ab", b"\x0b", b"\xff" * 11])
def test_bytes_that_are_no_message(data: bytes) -> None:
    with pytest.raises(ValueError, match=r"ends after its message|without an end"):
        Message(data)


def test_the_reader_finds_what_protobuf_finds(exports: dict[str, Export]) -> None:
    from coremltools.proto import Model_pb2

    for name in ("coreml_fp16", "coreml_w8a8"):
        file = exports[name].file
        model = Model_pb2.Model()
        model.ParseFromString((file / package.MODEL).read_bytes())
        function = model.mlProgram.functions["main"]
        block = function.block_specializations[function.opset]
        program = Interpreter(file).program
        assert program.results == list(block.outputs)
        for ours, theirs in zip(program.operations, block.operations, strict=True):
            assert ours.kind == theirs.type
            assert [made.name for made in ours.outputs] == [o.name for o in theirs.outputs]
            named = {key: value for key, value in theirs.attributes.items() if key != "name"}
            assert ours.inputs.keys() == {*theirs.inputs, *named}
            for made, output in zip(ours.outputs, theirs.outputs, strict=True):
                sides = output.type.tensorType.dimensions
                assert made.shape == tuple(side.constant.size for side in sides)
