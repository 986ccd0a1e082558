"""The `fovea` command: roots are registered per user, mistakes cost one line."""

from __future__ import annotations

from pathlib import Path

import pytest

from fovea.cli import main


@pytest.fixture(autouse=True)
def own_registry(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FOVEA_CONFIG_DIR", str(tmp_path / "config"))


def test_a_root_is_added_listed_and_removed(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    main(["data", "add", "salicon", str(tmp_path)])
    main(["data", "list"])
    assert f"salicon\t{tmp_path}" in capsys.readouterr().out
    main(["data", "remove", "salicon"])
    main(["data", "list"])
    assert "nothing yet" in capsys.readouterr().err


def test_a_path_that_does_not_exist_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as stop:
        main(["weights", "add", "mobilenet_v2", str(tmp_path / "nowhere")])
    assert stop.value.code == 2
    assert "nowhere is not a file" in capsys.readouterr().err


def test_help_shows_examples(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["--help"])
    assert "fovea data add salicon" in capsys.readouterr().out
