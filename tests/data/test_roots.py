"""Names to paths: the environment before the user's file, never the repository."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipeline.data import roots
from pipeline.errors import UserError


@pytest.fixture(autouse=True)
def config(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("FOVEA_CONFIG_DIR", str(tmp_path / "config"))
    monkeypatch.delenv("FOVEA_DATA_SALICON", raising=False)
    return tmp_path / "config"


def test_registered_once_found_from_anywhere(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "photos").mkdir()
    monkeypatch.chdir(tmp_path)
    stored = roots.add("data", "salicon", Path("photos"))
    monkeypatch.chdir("/")
    assert roots.resolve("salicon") == stored == tmp_path / "photos"
    assert roots.registered("data") == {"salicon": stored}
    assert roots.registered("weights") == {}


def test_the_environment_wins(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
    roots.add("data", "salicon", tmp_path / "a")
    monkeypatch.setenv("FOVEA_DATA_SALICON", str(tmp_path / "b"))
    assert roots.resolve("salicon") == tmp_path / "b"
    assert roots.variable("data", "salicon") == "FOVEA_DATA_SALICON"


def test_weights_are_files_of_their_own_kind(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "vgg.safetensors"
    file.write_bytes(b"w")
    roots.add("weights", "vgg", file)
    monkeypatch.setenv("FOVEA_WEIGHTS_OTHER", str(file))
    assert roots.registered("weights") == {"other": file, "vgg": file}
    assert roots.resolve("vgg", "weights") == file
    with pytest.raises(UserError, match="no data called 'vgg'"):
        roots.resolve("vgg")


def test_removed_names_are_gone(tmp_path: Path) -> None:
    roots.add("data", "salicon", tmp_path)
    with pytest.raises(UserError, match="did you mean 'salicon'"):
        roots.remove("data", "salicn")
    roots.remove("data", "salicon")
    assert roots.registered("data") == {}
    assert tmp_path.is_dir()


def test_unknown_names_say_how_to_register(tmp_path: Path) -> None:
    roots.add("data", "salicon", tmp_path)
    expected = r"did you mean 'salicon'\? .*fovea data add salican PATH, or set FOVEA_DATA_SALICAN"
    with pytest.raises(UserError, match=expected):
        roots.resolve("salican")


def test_paths_that_went_away(tmp_path: Path) -> None:
    (tmp_path / "photos").mkdir()
    roots.add("data", "salicon", tmp_path / "photos")
    (tmp_path / "photos").rmdir()
    with pytest.raises(UserError, match=r"photos, which does not exist; fovea data add salicon"):
        roots.resolve("salicon")


def test_what_can_be_fetched_is_said(config: Path) -> None:
    with pytest.raises(UserError, match=r"or download it: fovea data fetch salicon$"):
        roots.resolve("salicon")
    with pytest.raises(UserError, match=r"or set FOVEA_DATA_PHOTOS$"):
        roots.resolve("photos")


@pytest.mark.parametrize("name", ["My Set", "../x", "", "a-b", "sample"])
def test_names_fit_into_a_variable(tmp_path: Path, name: str) -> None:
    with pytest.raises(UserError, match="cannot name data"):
        roots.add("data", name, tmp_path)


def test_only_what_exists_is_registered(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    for path in (tmp_path / "gone", tmp_path / "file"):
        with pytest.raises(UserError, match="is not a folder"):
            roots.add("data", "salicon", path)


def test_sample_data_lies_in_the_workspace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UserError, match="dvc repro sample"):
        roots.resolve("sample/salicon")
    (tmp_path / "outputs/sample/salicon").mkdir(parents=True)
    assert roots.resolve("sample/salicon") == tmp_path / "outputs/sample/salicon"


@pytest.mark.parametrize("text", ["[1, 2]", '{"data": 3}', "{"])
def test_a_broken_registry_is_named(config: Path, text: str) -> None:
    config.mkdir()
    (config / "roots.json").write_text(text)
    with pytest.raises(UserError, match=r"roots\.json"):
        roots.registered("data")


def test_weights_are_no_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(UserError, match="is not a file; give the path that vgg lies in"):
        roots.add("weights", "vgg", tmp_path)
    monkeypatch.setenv("FOVEA_WEIGHTS_VGG", str(tmp_path))
    with pytest.raises(UserError, match=r"weights 'vgg' are the folder .*; give the file inside"):
        roots.resolve("vgg", "weights")
