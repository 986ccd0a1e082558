"""Studies against the paper's tables: every row composes to what its line says it is."""

from __future__ import annotations

import pytest

from benchmarks.ablation import dots
from benchmarks.ablation.plan import composed, merged, overrides_of
from benchmarks.ablation.studies import STUDIES, Row, Study, chosen_rows, named
from pipeline.config.schema import Config
from pipeline.errors import UserError

ROWS = [(study, row) for study in STUDIES.values() for row in study.rows]


def configured(study: Study, row: Row) -> Config:
    return composed(merged(overrides_of(study, row, [], 0), row.measured)).config


@pytest.mark.parametrize(
    ("study", "row"), ROWS, ids=lambda each: each.key if isinstance(each, Row) else each.name
)
def test_every_row_composes_and_is_finetuned(study: Study, row: Row) -> None:
    config = configured(study, row)
    assert config.student.final == "outputs/train/finetune"
    assert config.seed == 0


@pytest.mark.parametrize(
    ("key", "pretrain", "labels", "truth"),
    [
        ("labels", 0, 1, 0),
        ("hints-labels", 1, 1, 0),
        ("truth", 0, 0, 1),
        ("labels-truth", 0, 1, 1),
        ("hints-labels-truth", 1, 1, 1),
    ],
)
def test_rows_of_table_5_are_its_five_combinations(
    key: str, pretrain: int, labels: int, truth: int
) -> None:
    study = STUDIES["table5"]
    row = study.row(key)
    student = configured(study, row).student
    last = student.phases["finetune"]
    learned = ("hint" in student.phases, last.teacher_weight > 0, last.truth_weight > 0)
    assert learned == (bool(pretrain), bool(labels), bool(truth))
    assert row.note == f"{pretrain} {labels} {truth}"
    assert last.init == ("outputs/train/hint" if pretrain else "outputs/data")
    assert student.name == "fastsal_c"


def test_table_4_differs_in_the_backbone_and_its_weights_alone() -> None:
    study = STUDIES["table4"]
    found = {row.key: configured(study, row).student for row in study.rows}
    assert {student.name for student in found.values()} == {
        "cnn_mobilenet_v2", "cnn_efficientnet_b0",
    }  # fmt: skip
    assert all(student.phases == found["mobilenet_v2"].phases for student in found.values())
    scratch = [student.weights for key, student in found.items() if key.endswith("scratch")]
    assert scratch == ["none", "none"]


def test_a_density_is_learned_by_equation_3_and_a_map_by_equation_2() -> None:
    for name in ("teachers", "readouts"):
        study = STUDIES[name]
        for row in study.rows:
            student = configured(study, row).student
            if student.phases["finetune"].teacher_weight > 0:
                expected = "density" if "deepgaze2" in student.labels else "bce"
                assert student.phases["finetune"].labels_loss == expected, row.key
                assert student.phases["finetune"].labels == f"outputs/labels/{student.labels}"


def test_the_read_outs_of_one_loss_share_their_training() -> None:
    study = STUDIES["readouts"]
    pairs: dict[str, list[Row]] = {}
    for row in study.rows:
        pairs.setdefault(row.key.rpartition("-")[0], []).append(row)
    assert len(pairs) == 3
    for sigmoid, softmax in pairs.values():
        assert overrides_of(study, sigmoid, [], 1) == overrides_of(study, softmax, [], 1)
        assert configured(study, sigmoid).student.readout == "sigmoid"
        assert configured(study, softmax).student.readout == "softmax"


@pytest.mark.parametrize("study", STUDIES.values(), ids=lambda study: study.name)
def test_the_papers_figures_belong_to_rows_and_fill_their_tables(study: Study) -> None:
    keys = {row.key for row in study.rows}
    assert len(keys) == len(study.rows)
    for table in study.published:
        assert set(table.figures) <= keys
        assert set(table.titles) == set(table.figures)
        assert all(len(values) == len(table.columns) for values in table.figures.values())


@pytest.mark.parametrize(("study", "row"), ROWS, ids=lambda each: getattr(each, "title", ""))
def test_a_title_leaves_room_for_its_figures_in_the_picture(study: Study, row: Row) -> None:
    character, figures = 6.6, 15 * 6.3
    assert len(row.title) * character + figures < dots.WIDTH - dots.LEFT - dots.RIGHT


def test_figures_are_printed_as_the_paper_prints_them() -> None:
    salicon = STUDIES["table5"].published[0]
    assert salicon.shown("labels-truth", "NSS") == "1.8004"
    assert salicon.best("CC", smallest=False) == "hints-labels-truth"
    assert STUDIES["readouts"].published[0].shown("density-softmax", "Paris") == "0.813"


def test_an_unknown_study_or_row_names_the_nearest() -> None:
    with pytest.raises(UserError, match="did you mean 'table5'"):
        named(["tabel5"])
    with pytest.raises(UserError, match="did you mean 'labels-truth'"):
        chosen_rows(named(["table5"]), ["labels_truth"])
    assert named([]) == named(["all"]) == list(STUDIES.values())
    assert [row.key for row in chosen_rows(named(["table5"]), ["truth"])["table5"]] == ["truth"]
