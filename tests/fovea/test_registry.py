"""Data sets and weights are registered per user, and data sets can be checked."""

from __future__ import annotations

from pathlib import Path

import pytest

from fovea.cli import main
from tests.fovea.conftest import photo


def test_a_root_is_added_listed_and_removed(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["data", "add", "salicon", str(tmp_path)]) == 0
    assert main(["data", "list"]) == 0
    assert f"salicon\t{tmp_path}" in capsys.readouterr().out
    assert main(["data", "remove", "salicon"]) == 0
    assert main(["data", "list"]) == 0
    assert "nothing yet" in capsys.readouterr().err


def test_weights_are_a_list_of_their_own(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "weights.npz").write_bytes(b"weights")
    assert main(["weights", "add", "salgan", str(tmp_path / "weights.npz")]) == 0
    assert main(["weights", "list"]) == 0
    assert "salgan\t" in capsys.readouterr().out
    assert main(["data", "remove", "salgan"]) == 2
    assert main(["weights", "remove", "salgan"]) == 0


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["weights", "add", "mobilenet_v2", "nowhere"], "nowhere is not a file"),
        (["data", "add", "salicon", "nowhere"], "nowhere is not a folder"),
        (["data", "add", "Salicon", "."], "'Salicon' cannot name data"),
        (["data", "remove", "salicon"], "no data called 'salicon' is registered"),
        (["data", "check", "salicon"], "no data called 'salicon' on this computer"),
    ],
)
def test_mistakes_are_named(
    arguments: list[str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(arguments) == 2
    assert message in capsys.readouterr().err


def test_a_root_that_is_gone_is_shown_as_missing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "photos").mkdir()
    main(["data", "add", "photos", str(tmp_path / "photos")])
    (tmp_path / "photos").rmdir()
    capsys.readouterr()
    main(["data", "list"])
    assert capsys.readouterr().out.endswith("photos\tmissing\n")


def test_check_counts_images_and_names_broken_ones(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    root = tmp_path / "photos"
    photo(root / "train" / "good.jpg")
    whole = photo(root / "train" / "cut.jpg").read_bytes()
    main(["data", "add", "photos", str(root)])
    assert main(["data", "check", "photos", "--layout", "folder"]) == 0
    assert "nothing is wrong" in capsys.readouterr().out
    (root / "train" / "cut.jpg").write_bytes(whole[: len(whole) // 2])
    assert main(["data", "check", str(root), "--layout", "folder"]) == 1
    assert "cut.jpg" in capsys.readouterr().err
