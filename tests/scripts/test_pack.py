"""What goes into an archive, and what is refused before one is written."""

from __future__ import annotations

import tarfile
from pathlib import Path

import numpy as np
import pytest

from pipeline.config import compose
from pipeline.errors import UserError
from scripts import remote
from scripts.elsewhere import steps
from scripts.elsewhere.contents import total
from scripts.elsewhere.images import MIB, pack_images
from scripts.elsewhere.pack import Request, pack
from tests.data import official
from tests.scripts.elsewhere import OVERRIDES

SIZE = (192, 256)


@pytest.mark.usefixtures("here")
def test_equal_input_gives_an_equal_archive(archive: Path, tmp_path: Path) -> None:
    pack(Request(tmp_path / "again.tar.gz", OVERRIDES))
    assert (tmp_path / "again.tar.gz").read_bytes() == archive.read_bytes()


def test_holds_code_settings_and_small_packages(archive: Path) -> None:
    with tarfile.open(archive) as content:
        names = set(content.getnames())
    for name in ("pipeline/stages/train.py", "students/fastsal.py", "conf/config.yaml",
                 "scripts/remote.py", "params.yaml", "run.sh", "vendor/omegaconf/__init__.py",
                 "data/salicon/images/train/train_000.jpg"):  # fmt: skip
        assert f"fovea-run/{name}" in names
    assert not [name for name in names if "__pycache__" in name or name.startswith("/")]


@pytest.mark.usefixtures("here")
def test_training_images_shrink_and_validation_stays() -> None:
    config = compose(OVERRIDES)
    shrunk = pack_images(config, SIZE, 100 * MIB)
    whole = pack_images(config, None, 100 * MIB)
    assert shrunk.roles["train"]["bytes"] < whole.roles["train"]["bytes"]
    assert shrunk.roles["val"] == whole.roles["val"]
    assert shrunk.roots == {"salicon": "data/salicon"}


@pytest.mark.usefixtures("here")
def test_validation_images_shrink_where_room_is_short() -> None:
    config = compose(OVERRIDES)
    enough = sum(role["bytes"] for role in pack_images(config, SIZE, 100 * MIB).roles.values())
    tight = pack_images(config, SIZE, enough - 1)
    assert tight.roles["val"]["original"] is False
    annotations = [e for e in tight.entries if "/val/" in e.name and "images" not in e.name]
    assert len(annotations) == 6
    assert all(isinstance(entry.content, Path) for entry in annotations)


@pytest.mark.usefixtures("here")
def test_fixations_that_maps_are_made_of_go_along_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    looks = [np.array([[400.0, 300.0]])]
    official.osie(tmp_path / "osie", {f"{1001 + number}.jpg": looks for number in range(4)})
    monkeypatch.setenv("FOVEA_DATA_OSIE", str(tmp_path / "osie"))
    osie = [f"data.train.{key}" for key in ("layout=osie", "root=osie", "split=all")]
    found = pack_images(compose([*OVERRIDES, *osie]), SIZE, 100 * MIB)
    train = [entry for entry in found.entries if entry.name.startswith("data/osie/")]
    assert sorted(entry.name for entry in train) == [
        "data/osie/data/eye/fixations.mat",
        *(f"data/osie/data/stimuli/{1001 + number}.jpg" for number in range(4)),
    ]
    assert found.roles["train"]["bytes"] == total(train)


@pytest.mark.usefixtures("here")
def test_over_the_limit_says_by_how_much_and_what_to_lower() -> None:
    with pytest.raises(UserError, match=r"MiB over .* -S data\.val\.limit=N"):
        pack_images(compose(OVERRIDES), SIZE, 1000)
    config = compose(OVERRIDES)
    room = pack_images(config, None, 100 * MIB).roles["val"]["bytes"] + 1000
    with pytest.raises(UserError, match=r"train images .* -S data\.train\.limit=N"):
        pack_images(config, None, room)


@pytest.mark.usefixtures("here")
def test_command_refuses_and_leaves_no_file(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "run.tar.gz"
    chosen = [word for override in OVERRIDES for word in ("-S", override)]
    assert remote.main(["pack", "--out", str(out), "--limit-mib", "0.2", *chosen]) == 2
    assert "over the limit of 0.2 MiB" in capsys.readouterr().err
    assert not list(tmp_path.iterdir())


@pytest.mark.usefixtures("here")
@pytest.mark.parametrize(
    ("overrides", "message"),
    [
        (["data.calibration=9"], "data.calibration=9, but the train role has 8"),
        (["data.train.split=nowhere"], "no folder images/nowhere"),
        (["student.weights=absent"], "no weights called 'absent'"),
    ],
)
def test_what_would_fail_there_fails_here(
    tmp_path: Path, overrides: list[str], message: str
) -> None:
    with pytest.raises(UserError, match=message):
        pack(Request(tmp_path / "run.tar.gz", [*OVERRIDES, *overrides]))
    assert not list(tmp_path.iterdir())


def test_refuses_a_folder_that_is_no_workspace(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="run from the project's folder"):
        pack(Request(tmp_path / "run.tar.gz"), tmp_path)


def test_refuses_an_ending_it_cannot_write(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"must end in one of \.tar\.gz"):
        pack(Request(tmp_path / "run.tar.zst"))


def test_steps_come_in_the_order_of_the_pipeline() -> None:
    names = [step.name for step in steps.all_steps(compose())]
    assert names == ["prepare", "teacher@salgan", "label@salgan", "train@hint", "train@finetune"]
    chosen = steps.chosen(["train@hint", "teacher@salgan"], compose())
    assert [step.name for step in chosen] == ["prepare", "teacher@salgan", "train@hint"]
    with pytest.raises(UserError, match="did you mean 'train@hint'"):
        steps.chosen(["train@hunt"], compose())


def test_stages_left_out_must_have_been_made_here(tmp_path: Path) -> None:
    config = compose()
    finetune = steps.chosen(["train@finetune"], config)
    with pytest.raises(UserError, match="add label@salgan to --stages"):
        steps.needed(finetune, config, tmp_path)
    for folder in ("outputs/labels/salgan", "outputs/train/hint"):
        (tmp_path / folder).mkdir(parents=True)
    found = [path.as_posix() for path in steps.needed(finetune, config, tmp_path)]
    assert found == ["outputs/labels/salgan", "outputs/train/hint"]
