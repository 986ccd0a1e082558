"""A Core ML package says what it is, is the same every time, and runs everywhere."""

from __future__ import annotations

import os
import platform
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from mobile import recipes
from mobile.backend import Array, get_backend
from mobile.backends.coreml import package
from mobile.backends.coreml.interpreter.program import Program
from mobile.export import export, open_runner
from mobile.latency import measure
from mobile.parity import compare
from pipeline.errors import UserError
from pipeline.files import tree_hash
from tests.mobile.conftest import Export
from tests.mobile.tiny import SPEC, TinyStudent

RECIPES = ("coreml_fp16", "coreml_int8_weights")
SMALLER = ("coreml_palette6", "coreml_palette4", "coreml_w8a8")
pytestmark = pytest.mark.filterwarnings("ignore")


def specification(path: Path) -> Any:
    from coremltools.proto import Model_pb2

    model = Model_pb2.Model()
    model.ParseFromString((path / package.MODEL).read_bytes())
    return model


@pytest.mark.parametrize("name", RECIPES + SMALLER)
def test_inputs_and_outputs_follow_the_input_contract(
    name: str, exports: dict[str, Export]
) -> None:
    model = specification(exports[name].file)
    (given,), (made,) = model.description.input, model.description.output
    assert (given.name, list(given.type.multiArrayType.shape)) == ("images", [1, 3, 32, 64])
    assert (made.name, list(made.type.multiArrayType.shape)) == ("output", [1, 1, 32, 64])
    array = given.type.multiArrayType
    assert array.dataType == made.type.multiArrayType.dataType == array.FLOAT32
    report = exports[name].report
    assert (report.input.name, report.output.name) == ("images", "output")
    assert report.delegation is None


@pytest.mark.parametrize("name", RECIPES)
def test_metadata_says_what_it_is_and_holds_no_date(name: str, exports: dict[str, Export]) -> None:
    model = specification(exports[name].file)
    metadata = model.description.metadata
    assert metadata.shortDescription.startswith("tiny: saliency, Core ML program")
    assert metadata.author == "Fovea"
    assert metadata.versionString
    about = dict(metadata.userDefined)
    assert about["fovea.recipe"] == name
    assert (about["fovea.student"], about["fovea.task"]) == ("tiny", "saliency")
    assert about["fovea.version"] == metadata.versionString
    assert not [key for key in about if "date" in key]
    assert "RGB, float32 0-255" in model.description.input[0].shortDescription
    assert "saliency logits" in model.description.output[0].shortDescription


def test_the_package_holds_three_files_and_opens_without_coremltools(
    exports: dict[str, Export],
) -> None:
    path = exports["coreml_fp16"].file
    files = {file.relative_to(path).as_posix() for file in path.rglob("*") if file.is_file()}
    assert files == {package.MANIFEST, package.MODEL, package.WEIGHTS}
    code = (
        "import sys; from pathlib import Path; from mobile.backends.coreml import package;"
        f"package.check(Path({str(path)!r}));"
        "assert not {'torch', 'coremltools'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


@pytest.mark.parametrize("name", RECIPES)
def test_coremltools_opens_the_rewritten_package(name: str, exports: dict[str, Export]) -> None:
    import coremltools

    model = coremltools.models.MLModel(str(exports[name].file), skip_model_load=True)
    assert model.author == "Fovea"
    assert set(model.input_description) == {"images"}
    assert model.user_defined_metadata["fovea.recipe"] == name


def test_another_process_writes_the_same_bytes(tmp_path: Path) -> None:
    # Another seed of Python's hashes: no set or map may decide the order of anything. Both are
    # processes of their own, as stages are: nothing that ran before in this one counts.
    code = (
        "import sys, torch; from pathlib import Path; from mobile import recipes;"
        "from mobile.export import export; from tests.mobile.tiny import SPEC, TinyStudent;"
        "torch.manual_seed(0); student = TinyStudent().eval();"
        "[export(student, SPEC, recipes.get(n), None, Path(sys.argv[1]) / n) for n in sys.argv[2:]]"
    )
    for seed in ("1", "4321"):
        subprocess.run(
            [sys.executable, "-c", code, str(tmp_path / seed), *RECIPES],
            env={**os.environ, "PYTHONHASHSEED": seed},
            check=True,
            capture_output=True,
        )
    for name in RECIPES:
        file = Path(name) / "model.mlpackage"
        assert tree_hash(tmp_path / "1" / file) == tree_hash(tmp_path / "4321" / file)


def test_other_weights_give_other_bytes(exports: dict[str, Export], tmp_path: Path) -> None:
    made = export(TinyStudent().eval(), SPEC, recipes.get("coreml_fp16"), None, tmp_path)
    assert made.sha256 != exports["coreml_fp16"].report.sha256


@pytest.mark.skipif(platform.system() == "Darwin", reason="there Core ML runs it")
@pytest.mark.parametrize("name", RECIPES + SMALLER)
def test_the_reference_interpreter_runs_it_without_coremltools(
    name: str, exports: dict[str, Export]
) -> None:
    backend = get_backend("coreml")
    assert backend.executor() == "reference interpreter (not Core ML's runtime)"
    assert "not Core ML's: time it on macOS" in (backend.untimed() or "")
    code = (
        "import sys; import numpy as np; from pathlib import Path;"
        "from mobile.export import open_runner;"
        f"runner = open_runner(Path({str(exports[name].file)!r}));"
        "assert runner.run(np.ones(runner.shape, np.float32)).shape == (1, 1, 32, 64);"
        "assert 'coremltools' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
    with pytest.raises(UserError, match="takes float32 RGB"):
        open_runner(exports[name].file).run(np.zeros((1, 3, 64, 32), np.float32))


def test_a_file_that_its_own_runtime_does_not_run_is_never_timed(
    exports: dict[str, Export], latency_input: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("platform.system", lambda: "Linux")
    made = exports["coreml_fp16"]
    with pytest.raises(UserError, match=r"is not timed on this machine: run by the reference int"):
        measure(made.file, made.report, latency_input, 1)


@pytest.mark.skipif(platform.system() == "Darwin", reason="there the delegate runs")
def test_executorch_with_core_ml_is_made_but_not_run_here(exports: dict[str, Export]) -> None:
    made = exports["executorch_coreml"]
    assert made.file.name == "model.coreml.pte"
    assert made.report.delegation is not None
    assert made.report.delegation.delegate == "Core ML"
    with pytest.raises(UserError, match="ExecuTorch's Core ML delegate runs on Apple's systems"):
        open_runner(made.file)


def test_each_recipe_states_the_system_and_types_it_needs(exports: dict[str, Export]) -> None:
    for name in RECIPES + SMALLER:
        program = Program(exports[name].file)
        kinds = {operation.kind for operation in program.operations}
        computed = {o.outputs[0].dtype for o in program.operations if not o.constant}
        assert program.target == ("iOS17" if name == "coreml_w8a8" else "iOS16")
        assert ("constexpr_lut_to_dense" in kinds) == name.startswith("coreml_palette")
        assert ("quantize" in kinds) == (name == "coreml_w8a8")
        assert bool(computed & {"int8", "uint8"}) == (name == "coreml_w8a8")


@pytest.mark.macos
@pytest.mark.skipif(platform.system() != "Darwin", reason="Core ML runs on Apple's systems only")
@pytest.mark.parametrize("name", RECIPES)
def test_the_package_agrees_with_torch_on_macos(
    name: str, exports: dict[str, Export], student: TinyStudent, images: list[Array]
) -> None:
    runner = open_runner(exports[name].file)
    report = compare(runner, student, images[8:], ["a", "b", "c", "d"])
    assert report.problems(recipes.get(name)) == []
    with pytest.raises(UserError, match="takes float32 RGB"):
        runner.run(np.zeros((1, 3, 64, 32), np.float32))
