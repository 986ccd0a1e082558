"""Which of a student's equal forms an export takes, and that the report says so."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn

from mobile import recipes
from mobile.export import ExportReport, export, exported_form
from mobile.rewrites import forms
from mobile.rewrites.forms import Form
from pipeline.errors import UserError
from pipeline.files import read_json
from tests.mobile.tiny import SPEC, TinyStudent


class Doubled(TinyStudent):
    """A student with a second, equal form."""

    def export_forms(self) -> dict[str, nn.Module]:
        return {"as written": self, "summed": Summed(self)}


class Summed(nn.Module):
    def __init__(self, student: TinyStudent) -> None:
        super().__init__()
        self.student = student

    def forward(self, images: Tensor) -> Tensor:
        half: Tensor = self.student(images) * 0.5
        return half + half


def test_a_student_without_forms_has_one() -> None:
    student = TinyStudent().train()
    offered = forms.of(student)
    assert list(offered) == [forms.ONLY]
    assert not offered[forms.ONLY].training
    assert student.training
    assert forms.choose("tiny", "litert_fp32", [forms.ONLY]).name == forms.ONLY


def test_the_quickest_measured_form_is_taken(monkeypatch) -> None:
    times = {"x litert_fp32": {"one": 3.0, "two": 2.0}, "x litert_int8": {"one": 1.0}}
    monkeypatch.setattr(forms, "_measured", lambda: times)
    assert forms.choose("x", "litert_fp32", ["one", "two"]) == Form(
        "two", "measured quickest; times as long: one 1.50"
    )
    assert forms.choose("x", "litert_int8", ["one", "two"]).name == "one"
    assert "not measured" in forms.choose("x", "litert_int8", ["one", "two"]).reason
    assert forms.choose("y", "litert_fp32", ["one", "two"]).name == "one"


def test_what_was_measured_names_forms_and_recipes_there_are() -> None:
    import students

    measured = read_json(forms.MEASURED)["ms"]
    assert measured
    for key, times in measured.items():
        student, recipe = key.split()
        assert recipe in recipes.names()
        assert set(times) == set(forms.of(students.build(student)))


def test_a_form_can_be_asked_for_and_is_told(tmp_path) -> None:
    student = Doubled().eval()
    report = export(student, SPEC, recipes.get("litert_fp32"), None, tmp_path, "summed")
    assert report.form == Form("summed", "asked for")
    assert ExportReport.read(tmp_path / "export.json") == report
    image = torch.rand(1, 3, SPEC.height, SPEC.width) * 255
    again = exported_form(tmp_path / report.file, student)
    assert isinstance(again, Summed)
    torch.testing.assert_close(again(image), student(image))


def test_an_unknown_form_names_those_there_are(tmp_path) -> None:
    with pytest.raises(UserError, match="this student has as written, summed"):
        export(Doubled().eval(), SPEC, recipes.get("litert_fp32"), None, tmp_path, "other")
