"""What a manifest holds, and how it notices that data changed or splits overlap."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest

from pipeline.data import manifest
from pipeline.data.fixations import write_mat
from pipeline.data.manifest import Source
from pipeline.errors import UserError
from tests.data import trees

ROLES = {
    "train": Source("salicon", "photos", "train"),
    "pool": Source("coco", "more", "train2017"),
    "val": Source("salicon", "photos", "val", limit=2),
}


@pytest.fixture
def photos(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    trees.salicon(tmp_path / "photos", "train", 6)
    trees.salicon(tmp_path / "photos", "val", 3, first=20)
    trees.coco(tmp_path / "more", "train2017", 4)
    monkeypatch.setenv("FOVEA_DATA_PHOTOS", str(tmp_path / "photos"))
    monkeypatch.setenv("FOVEA_DATA_MORE", str(tmp_path / "more"))
    return tmp_path / "photos"


def test_roles_come_back_as_records(photos: Path, tmp_path: Path) -> None:
    done: list[int] = []
    manifest.write(tmp_path / "out", ROLES, done.append)
    assert sum(done) == 6 + 4 + 2
    role = manifest.load_role(tmp_path / "out", "val")
    assert (role.layout, role.root_name, role.split) == ("salicon", "photos", "val")
    assert [record.id for record in role.records] == ["val_020", "val_021"]
    assert role.records[0].map == photos / "maps/val/val_020.png"
    assert role.records[0].fixations == photos / "fixations/val/val_020.mat"
    assert manifest.load_role(tmp_path / "out", "pool").records[0].map is None


def test_the_same_data_elsewhere_has_the_same_manifest(
    photos: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    manifest.write(tmp_path / "a", ROLES)
    shutil.move(photos, tmp_path / "moved")
    monkeypatch.setenv("FOVEA_DATA_PHOTOS", str(tmp_path / "moved"))
    manifest.write(tmp_path / "b", ROLES)
    for file in ("manifest.json", "train.jsonl", "pool.jsonl", "val.jsonl"):
        text = (tmp_path / "a" / file).read_text()
        assert text == (tmp_path / "b" / file).read_text()
        assert str(tmp_path) not in text


@pytest.mark.parametrize("part", ["images/train/train_003.jpg", "maps/train/train_003.png"])
def test_missing_and_changed_files_are_named(photos: Path, tmp_path: Path, part: str) -> None:
    manifest.write(tmp_path / "out", ROLES)
    with (photos / part).open("ab") as stream:
        stream.write(b"more")
    with pytest.raises(UserError, match=f"{part} has .* bytes where"):
        manifest.load_role(tmp_path / "out", "train")
    (photos / part).unlink()
    with pytest.raises(UserError, match=f"{part} is missing"):
        manifest.load_role(tmp_path / "out", "train")


def test_fingerprints_see_content_of_equal_size(photos: Path, tmp_path: Path) -> None:
    manifest.write(tmp_path / "a", ROLES)
    path = photos / "images/train/train_000.jpg"
    data = bytearray(path.read_bytes())
    data[-10] ^= 1
    path.write_bytes(data)
    manifest.write(tmp_path / "b", ROLES)
    before, after = (manifest.roles(tmp_path / n)["train"]["sha256"] for n in "ab")
    assert before != after


def test_an_edited_manifest_is_refused(photos: Path, tmp_path: Path) -> None:
    manifest.write(tmp_path / "out", ROLES)
    path = tmp_path / "out" / "train.jsonl"
    path.write_text("".join(path.read_text().splitlines(keepends=True)[1:]))
    with pytest.raises(UserError, match=r"train\.jsonl was changed"):
        manifest.read_rows(tmp_path / "out", "train")
    path.unlink()
    with pytest.raises(UserError, match=r"train\.jsonl is missing; run `dvc repro prepare`"):
        manifest.read_rows(tmp_path / "out", "train")
    with pytest.raises(UserError, match="no role 'test'"):
        manifest.load_role(tmp_path / "out", "test")


def test_nobody_trains_on_validation_images(photos: Path, tmp_path: Path) -> None:
    for folder, suffix in (("images", "jpg"), ("maps", "png"), ("fixations", "mat")):
        shutil.copy(
            photos / folder / "val" / f"val_021.{suffix}",
            photos / folder / "train" / f"another.{suffix}",
        )
    with pytest.raises(UserError, match="training image 'another' is also in val"):
        manifest.write(tmp_path / "out", ROLES)
    assert not (tmp_path / "out").exists()


def test_validation_images_are_held_out_of_the_pool(photos: Path, tmp_path: Path) -> None:
    pool = tmp_path / "more/train2017"
    shutil.copy(photos / "images/val/val_020.jpg", pool / "000000000100.jpg")
    manifest.write(tmp_path / "out", ROLES)
    assert manifest.roles(tmp_path / "out")["pool"]["held_out"] == 1
    ids = [record.id for record in manifest.load_role(tmp_path / "out", "pool").records]
    assert ids == ["000000000101", "000000000102", "000000000103"]


def test_labels_can_tell_training_and_pool_images_apart(photos: Path, tmp_path: Path) -> None:
    roles = ROLES | {"pool": Source("pairs", "photos", "train")}
    with pytest.raises(UserError, match="'train_000' occurs in train and in pool"):
        manifest.write(tmp_path / "out", roles)


def test_calibration_is_a_stable_choice_from_training(photos: Path, tmp_path: Path) -> None:
    manifest.write(tmp_path / "out", ROLES)
    rows = manifest.read_rows(tmp_path / "out", "train")
    chosen = manifest.calibration(rows, 3, seed=0, resize="triangle")
    assert len(set(chosen["ids"])) == chosen["count"] == 3
    assert set(chosen["ids"]) <= {row.id for row in rows}
    assert chosen == manifest.calibration(rows[::-1], 3, seed=0, resize="triangle")
    others = [manifest.calibration(rows, 3, s, "triangle")["ids"] for s in range(1, 9)]
    assert any(ids != chosen["ids"] for ids in others)
    json.dumps(chosen)


def test_calibration_says_how_many_images_there_are(photos: Path, tmp_path: Path) -> None:
    manifest.write(tmp_path / "out", ROLES)
    rows = manifest.read_rows(tmp_path / "out", "train")
    with pytest.raises(UserError, match=r"set data\.calibration to 6 or less"):
        manifest.calibration(rows, 7, 0, "triangle")


@pytest.mark.parametrize(
    ("part", "content", "message"),
    [
        ("images/train/train_003.jpg", b"", r"data\.train: image .*train_003\.jpg is empty"),
        ("images/train/train_003.jpg", b"hello", r"data\.train: .*train_003\.jpg is not an image"),
        (
            "images/val/val_020.jpg",
            None,
            r"data\.val: image .*val_020\.jpg is damaged \(",
        ),
        ("maps/train/train_003.png", None, r"data\.train: image .*train_003\.png is damaged"),
        ("fixations/val/val_020.mat", None, r"data\.val: fixation file .*val_020\.mat is damaged"),
    ],
)
def test_files_that_cannot_be_used_are_found_before_anything_is_written(
    photos: Path, tmp_path: Path, part: str, content: bytes | None, message: str
) -> None:
    whole = (photos / part).read_bytes()
    (photos / part).write_bytes(whole[: len(whole) // 2] if content is None else content)
    with pytest.raises(UserError, match=message):
        manifest.write(tmp_path / "out", ROLES)
    assert not (tmp_path / "out").exists()


def test_many_such_files_are_counted(photos: Path, tmp_path: Path) -> None:
    for path in (photos / "maps/train").iterdir():
        path.write_bytes(b"")
    with pytest.raises(
        UserError, match=r"train_004\.png is empty .*; and 1 more: fovea data check"
    ):
        manifest.write(tmp_path / "out", ROLES)


def test_a_map_of_another_shape_is_found_at_once(photos: Path, tmp_path: Path) -> None:
    trees.Image.new("L", (64, 64)).save(photos / "maps/train/train_002.png")
    with pytest.raises(
        UserError, match=r"data\.train: .*train_002\.png is 64x64 .*of another shape"
    ):
        manifest.write(tmp_path / "out", ROLES)


def test_what_is_left_out_is_remarked(photos: Path) -> None:
    file = photos / "fixations/val/val_020.mat"
    write_mat(file, "x", trees.HEIGHT, trees.WIDTH, [np.array([[1, 1], [-4, 1]])])
    listed = manifest.collect(ROLES)
    assert listed["val"].remarks == [
        f"{file}: 1 of 2 fixations lie outside the image or are no numbers; left out",
    ]
    assert listed["train"].remarks == []
