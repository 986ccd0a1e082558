"""Images with a class each: folders, the lists that ImageNet comes with, what is refused."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from scipy.io import savemat

from pipeline.data import image_classes, layouts, manifest
from pipeline.data.layouts import Record
from pipeline.data.manifest import Source
from pipeline.data.sample import generate
from pipeline.data.survey import survey
from pipeline.errors import UserError

KEYS = ("n01", "n02", "n03")
KIT = Path("ILSVRC2012_devkit_t12/data")


def write(*paths: Path) -> None:
    generator = np.random.default_rng(len(str(paths)))
    for path in paths:
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(generator.integers(0, 256, (8, 10, 3), dtype=np.uint8)).save(path, "JPEG")


def foldered(root: Path, split: str, keys: tuple[str, ...] = KEYS, each: int = 2) -> None:
    write(*(root / split / key / f"{key}_{split}{i}.JPEG" for key in keys for i in range(each)))


def flat(root: Path, names: str = "abc") -> None:
    """A validation set as ImageNet's archive unpacks: no folders of classes."""
    foldered(root, "train")
    write(*(root / "val" / f"val_{name}.JPEG" for name in names))


def targets(root: Path, split: str) -> dict[str, int | None]:
    return {record.id: record.target for record in layouts.scan("imagenet", root, split)}


def test_each_folder_is_a_class_in_the_order_of_their_names(tmp_path: Path) -> None:
    foldered(tmp_path, "train")
    foldered(tmp_path, "val", ("n03",), 1)
    assert layouts.get("imagenet").classes(tmp_path) == KEYS
    assert targets(tmp_path, "train") == {
        f"{key}/{key}_train{i}": index for index, key in enumerate(KEYS) for i in range(2)
    }
    assert targets(tmp_path, "val") == {"n03/n03_val0": 2}
    assert survey(tmp_path).layout == "imagenet"
    assert survey(tmp_path).splits == {"train": 6, "val": 1}


@pytest.mark.parametrize("name", image_classes.LISTS)
def test_a_list_gives_classes_names_and_their_order(tmp_path: Path, name: str) -> None:
    foldered(tmp_path, "train")
    lines = ["n03 crane", "n01 tench, Tinca tinca", "", "n02 crane, a machine"]
    (tmp_path / name).write_text("\n".join(lines))
    found = image_classes.read(tmp_path)
    assert found.keys == ("n03", "n01", "n02")
    assert found.names == ("crane (n03)", "tench", "crane (n02)")
    assert targets(tmp_path, "train")["n03/n03_train0"] == 0


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("val.txt", "val_a.JPEG 2\nval_b.JPEG 0\nval_c.JPEG 1\n"),
        ("val.txt", "val_c n02\n\nval/val_a.JPEG n03\nval_b n01\n"),
        (
            "LOC_val_solution.csv",
            "ImageId,PredictionString\nval_b,n01 1 2 3 4\nval_a,n03 8 1 9 2\nval_c,n02 1 1 2 2\n",
        ),
    ],
)
def test_a_list_says_the_class_of_every_image(tmp_path: Path, name: str, text: str) -> None:
    flat(tmp_path)
    (tmp_path / name).write_text(text)
    assert targets(tmp_path, "val") == {"val_a": 2, "val_b": 0, "val_c": 1}
    assert survey(tmp_path).splits == {"train": 6, "val": 3}


def kit(root: Path, ids: list[int], order: tuple[str, ...] = ("n02", "n03", "n01")) -> Path:
    """The development kit: classes in an order of their own, a line for each image by name."""
    folder = root / KIT
    folder.mkdir(parents=True)
    rows = [(i + 1, key, f"name of {key}") for i, key in enumerate(order)]
    types = [("ILSVRC2012_ID", "O"), ("WNID", "O"), ("words", "O")]
    savemat(folder / "meta.mat", {"synsets": np.array(rows, dtype=types)}, do_compression=True)
    path = folder / "ILSVRC2012_validation_ground_truth.txt"
    path.write_text("".join(f"{each}\n" for each in ids))
    return path


def test_ids_of_the_development_kit_are_not_places_of_folders(tmp_path: Path) -> None:
    flat(tmp_path)
    kit(tmp_path, [2, 3, 1])
    assert targets(tmp_path, "val") == {"val_a": 2, "val_b": 0, "val_c": 1}


@pytest.mark.parametrize(
    ("text", "match"),
    [
        ("val_a 3\nval_b 0\n", r"line 1 of .*val.txt: '3' is no class of .*train, which has 3"),
        ("val_a n09\n", r"line 1 of .*'n09' is no class of .*or its place, 0 to 2"),
        ("val_a -1\n", "line 1 of .*'-1' is no class"),
        ("val_a 0\nval_x 0\n", r"line 2 of .*val.txt names val_x, which is not in .*val"),
        ("val_a 0\n\nval_a 1\n", "line 3 of .*val.txt names val_a again"),
        ("val_a\n", "line 1 of .*names val_a and no class"),
        ("val_b 1\n", r"says no class of .*val_a.JPEG, nor of 1 more images"),
    ],
)
def test_a_line_that_says_nothing_usable_is_told(tmp_path: Path, text: str, match: str) -> None:
    flat(tmp_path)
    (tmp_path / "val.txt").write_text(text)
    with pytest.raises(UserError, match=match):
        layouts.scan("imagenet", tmp_path, "val")


def damage(path: Path, how: str) -> None:
    {
        "short": lambda: path.write_text("1\n2\n"),
        "unknown": lambda: path.write_text("1\n2\n9\n"),
        "alone": lambda: path.with_name("meta.mat").unlink(),
        "broken": lambda: path.with_name("meta.mat").write_bytes(b"nothing"),
    }[how]()


@pytest.mark.parametrize(
    ("how", "match"),
    [
        ("short", r"has 2 lines, but .*val 3 images"),
        ("unknown", r"line 3 of .*ground_truth.txt: .*meta.mat has no id '9'"),
        ("alone", r"meta.mat is missing, and .* counts classes in an order that only it tells"),
        ("broken", r"meta.mat is not the development kit's list of classes"),
    ],
)
def test_a_kit_that_is_not_whole_is_told(tmp_path: Path, how: str, match: str) -> None:
    flat(tmp_path)
    damage(kit(tmp_path, [2, 3, 1]), how)
    with pytest.raises(UserError, match=match):
        layouts.scan("imagenet", tmp_path, "val")


def test_a_folder_that_should_not_be_there_or_be_so_is_told(tmp_path: Path) -> None:
    foldered(tmp_path, "train")
    with pytest.raises(UserError, match=r"no folder val in .*; its splits are train"):
        layouts.scan("imagenet", tmp_path, "val")
    foldered(tmp_path, "val", ("n01", "n07"))
    with pytest.raises(UserError, match=r"val/n07 is a folder of the class 'n07', which .*train"):
        layouts.scan("imagenet", tmp_path, "val")
    (tmp_path / "train" / "n02x").mkdir()
    with pytest.raises(UserError, match=r"train/n02x has no image; fill it, or remove it"):
        layouts.scan("imagenet", tmp_path, "train")
    (tmp_path / "classes.txt").write_text("n01\nn02\nn02x\nn03\nn04\n")
    with pytest.raises(UserError, match=r"lists the class 'n04', but .*train has no such folder"):
        layouts.scan("imagenet", tmp_path, "train")


def test_images_of_which_nobody_says_the_class_are_told(tmp_path: Path) -> None:
    flat(tmp_path)
    with pytest.raises(UserError, match=r"so .*val.txt has to say the class of each"):
        layouts.scan("imagenet", tmp_path, "val")
    with pytest.raises(UserError, match=r"neither classes.txt nor a folder for each class"):
        image_classes.read(tmp_path / "val")


@pytest.mark.parametrize(
    ("text", "match"),
    [
        ("n01\nn02\nn01 again\n", "line 3 of .*classes.txt lists the class 'n01' again"),
        ("\n\n", "classes.txt lists no class"),
        (b"\xff\xfe\x00", "cannot be read as text"),
    ],
)
def test_a_list_of_classes_that_is_none_is_told(
    tmp_path: Path, text: str | bytes, match: str
) -> None:
    (tmp_path / "classes.txt").write_bytes(text if isinstance(text, bytes) else text.encode())
    with pytest.raises(UserError, match=match):
        image_classes.read(tmp_path)


def test_roles_with_other_classes_are_refused() -> None:
    both = {"train": ("a", "b"), "val": ("a", "c")}
    with pytest.raises(UserError, match=r"data.val has other classes .*class 1 is 'c', not 'b'"):
        image_classes.require_equal(both)
    with pytest.raises(UserError, match=r"class 2 is 'nothing', not 'c'"):
        image_classes.require_equal({"train": ("a", "b", "c"), "val": ("a", "b")})
    assert image_classes.require_equal({"train": ("a",), "val": ("a",)}) == ("a",)


def test_a_manifest_keeps_the_class_and_a_limit_keeps_them_all(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    foldered(tmp_path / "photos", "train", each=4)
    monkeypatch.setenv("FOVEA_DATA_PHOTOS", str(tmp_path / "photos"))
    manifest.write(tmp_path, {"train": Source("imagenet", "photos", "train", limit=6)})
    records = manifest.load_role(tmp_path, "train").records
    assert [record.target for record in records] == [0, 0, 1, 1, 2, 2]
    assert len({record.id for record in records}) == 6


def test_a_limit_of_other_data_takes_the_first() -> None:
    records = [Record(name, Path(name)) for name in "abcd"]
    assert manifest.limited(records, 2) == records[:2]
    assert manifest.limited(records, None) == records


def test_the_sample_has_four_pictures_of_one_thing_for_each_scene(tmp_path: Path) -> None:
    generate(tmp_path, seed=0, train=4, val=2, pool=0, processes=1)
    found = targets(tmp_path / "classes", "train")
    assert len(found) == 16
    assert sorted(found.values()) == sorted(2 * list(range(8)))
    assert len(targets(tmp_path / "classes", "val")) == 8
    with Image.open(next((tmp_path / "classes/train/car").iterdir())) as image:
        assert (image.format, image.size) == ("JPEG", (320, 240))
