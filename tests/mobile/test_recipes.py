"""Recipes are found by name, cheaply, and come from the backend modules alone."""

from __future__ import annotations

import subprocess
import sys

import pytest

from mobile import recipes
from mobile.backend import backend_for, get_backend, not_timed, register_backend
from mobile.recipes import Recipe
from pipeline.errors import UserError
from tests.conftest import ROOT


def test_every_phone_format_is_there() -> None:
    assert {
        "coreml_fp16",
        "coreml_int8_weights",
        "coreml_palette4",
        "coreml_palette6",
        "coreml_w8a8",
        "executorch_coreml",
        "executorch_fp32",
        "executorch_int8",
        "litert_fp32",
        "litert_int8",
    } <= set(recipes.names())


@pytest.mark.parametrize("name", recipes.names())
def test_every_recipe_names_a_backend_of_its_suffix(name: str) -> None:
    recipe = recipes.get(name)
    assert get_backend(recipe.backend).suffix == recipe.suffix
    assert recipe.calibrated == (recipe.precision in {"int8", "16x8", "w8a8"})
    assert recipe.summary


def test_an_unknown_recipe_names_the_nearest() -> None:
    with pytest.raises(UserError, match="did you mean 'executorch_int8'"):
        recipes.get("executorch_int")


def test_a_second_recipe_of_a_name_is_refused() -> None:
    with pytest.raises(ValueError, match="twice"):
        recipes.register(recipes.get("litert_fp32"))


def test_a_second_backend_of_a_suffix_is_refused() -> None:
    with pytest.raises(ValueError, match="clashes"):
        register_backend(get_backend("litert"))


def test_a_backend_refuses_where_its_runtime_is_not(monkeypatch) -> None:
    refusals = {name: get_backend(name).refusal() for name in ("executorch", "litert")}
    assert refusals == {"executorch": None, "litert": None}
    monkeypatch.setattr("platform.system", lambda: "Linux")
    delegate, package = get_backend("executorch_coreml"), get_backend("coreml")
    assert (delegate.refusal() or "").endswith("runs on Apple's systems only, this is Linux")
    assert package.refusal() is None
    assert package.executor().startswith("reference interpreter")
    assert not_timed(package) == package.untimed() is not None
    monkeypatch.setattr("platform.system", lambda: "Darwin")
    assert delegate.refusal() is None
    assert (package.executor(), not_timed(package)) == ("Core ML", None)


def test_the_longer_ending_decides(tmp_path) -> None:
    assert backend_for(tmp_path / "model.coreml.pte").name == "executorch_coreml"
    assert backend_for(tmp_path / "model.pte").name == "executorch"


def test_an_unknown_ending_lists_the_known_ones(tmp_path) -> None:
    with pytest.raises(UserError, match=r"none of .*\.pte.*\.tflite"):
        backend_for(tmp_path / "model.onnx")


def test_listing_recipes_imports_no_framework() -> None:
    code = (
        "import sys; from mobile import recipes; recipes.names();"
        "assert not {'torch', 'executorch', 'litert_torch', 'coremltools'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_a_recipe_is_immutable() -> None:
    recipe = recipes.get("litert_fp32")
    with pytest.raises(AttributeError):
        recipe.name = "other"  # type: ignore[misc]
    assert isinstance(recipe, Recipe)


def test_every_recipe_has_its_line_in_the_decision_table() -> None:
    text = (ROOT / "docs/recipes.md").read_text()
    told = {line.split("`")[1] for line in text.splitlines() if line.startswith("| `")}
    assert told == set(recipes.names())
