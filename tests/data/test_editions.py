"""Which release of SALICON's annotation a tree is of, and that the wrong one is refused."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipeline.config import compose
from pipeline.data import layouts, manifest
from pipeline.data.editions import meant, recognise, require_edition, require_known
from pipeline.data.manifest import Source
from pipeline.data.survey import survey
from pipeline.errors import UserError
from pipeline.stages.names import check_names
from tests.data import official, trees

# Samples and fixations of an average training image in each release, as totals over the whole
# sets give them, and of its first image.
OF_2015 = [(6_899, 317), (6_928, 170), (8_244, 259)]
OF_2017 = [(21_529, 460), (24_496, 532), (23_961, 593)]


def published(root: Path, kind: list[tuple[int, int]]) -> Path:
    """A tree whose fixation files are as long as those of a release."""
    trees.salicon(root, "val", len(kind))
    for number, (samples, fixations) in enumerate(kind):
        official.mouse(root / f"fixations/val/val_{number:03d}.mat", samples, fixations)
    return root


@pytest.mark.parametrize(("kind", "edition"), [(OF_2015, 2015), (OF_2017, 2017)])
def test_the_samples_of_the_mouse_tell(
    tmp_path: Path, kind: list[tuple[int, int]], edition: int
) -> None:
    sign = recognise(layouts.scan("salicon", published(tmp_path, kind), "val"))
    assert sign is not None
    assert sign.edition == edition


def test_other_fixations_in_the_same_layout_are_of_neither(tmp_path: Path) -> None:
    trees.salicon(tmp_path / "eyes", "val", 3)
    assert recognise(layouts.scan("salicon", tmp_path / "eyes", "val")) is None
    # As many points as a release has samples, but no trajectory.
    published(tmp_path / "many", [(7_000, 7_000)])
    assert recognise(layouts.scan("salicon", tmp_path / "many", "val")) is None
    published(tmp_path / "more", [(60_000, 600)])
    assert recognise(layouts.scan("salicon", tmp_path / "more", "val")) is None


def test_without_fixation_files_nothing_tells(tmp_path: Path) -> None:
    trees.salicon(tmp_path, "test", 1)
    assert recognise(layouts.scan("salicon", tmp_path, "test")) is None
    trees.salicon(tmp_path, "val", 1)
    (tmp_path / "fixations/val/val_000.mat").write_bytes(b"damaged")
    assert recognise(layouts.scan("salicon", tmp_path, "val")) is None


def test_the_wrong_edition_is_refused_with_the_way_out(tmp_path: Path) -> None:
    older = layouts.scan("salicon", published(tmp_path / "old", OF_2015), "val")
    require_edition(older, "salicon", 2015)
    for wanted in (None, 2017):
        with pytest.raises(UserError, match=r"of 2015, not of 2017: .* 6,900 samples") as error:
            require_edition(older, "salicon", wanted)
        assert str(tmp_path / "old/fixations/val") in str(error.value)
        assert "set edition: 2015 if it is meant" in str(error.value)
    newer = layouts.scan("salicon", published(tmp_path / "new", OF_2017), "val")
    require_edition(newer, "salicon", None)
    with pytest.raises(UserError, match=r"release of 2017, not of 2015: .* get the fixations of"):
        require_edition(newer, "salicon", 2015)


def test_a_manifest_states_the_edition_and_refuses_another(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = tmp_path / "root"
    trees.salicon(root, "train", 2, first=50)
    published(root, OF_2015)
    for path in (root / "images/val").iterdir():
        trees.Image.new("RGB", (640, 480)).save(path)
    for path in (root / "maps/val").iterdir():
        trees.Image.new("L", (640, 480)).save(path)
    monkeypatch.setenv("FOVEA_DATA_OLD", str(root))
    train, val = (Source("salicon", "old", split, edition=2015) for split in ("train", "val"))
    manifest.write(tmp_path / "out", {"train": train, "val": val})
    assert manifest.roles(tmp_path / "out")["val"]["edition"] == 2015
    with pytest.raises(UserError, match=r"data\.val: .*release of 2015, not of 2017"):
        manifest.collect({"val": Source("salicon", "old", "val", edition=2017)})
    assert survey(root, "salicon").edition == (
        "2015 (its fixation files hold 6,900 samples of the mouse each)"
    )


def test_a_manifest_of_data_without_editions_says_nothing_of_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    trees.coco(tmp_path / "coco", "train2017", 1)
    monkeypatch.setenv("FOVEA_DATA_COCO", str(tmp_path / "coco"))
    manifest.write(tmp_path / "out", {"pool": Source("coco", "coco", "train2017")})
    assert "edition" not in manifest.roles(tmp_path / "out")["pool"]
    assert "reader" not in (tmp_path / "out/pool.jsonl").read_text()


MISTAKES = [
    ("salicon", 2016, "layout salicon has no edition 2016; choose 2015 or 2017"),
    ("salicon2015", 2017, "layout salicon2015 has no edition 2017; choose 2015"),
]


@pytest.mark.parametrize(("layout", "edition", "message"), MISTAKES)
def test_an_edition_that_a_layout_cannot_have_is_named(
    layout: str, edition: int, message: str
) -> None:
    with pytest.raises(UserError, match=message):
        require_known(layout, edition)


def test_a_role_means_its_layout_s_edition_unless_it_names_one() -> None:
    assert meant("salicon", "salicon", None) == 2017
    assert meant("salicon", "salicon", 2015) == 2015
    assert meant("salicon2015", "anything", None) == 2015
    # What has no editions states none, though a configuration was changed to another layout.
    assert meant("pairs", "density", 2017) is None
    assert meant("salicon", "sample/salicon", None) is None
    require_known("pairs", 2017)


def test_a_configuration_says_which_edition_it_means() -> None:
    config = compose(["data=salicon_coco"])
    assert (config.data.train.edition, config.data.val.edition) == (2017, 2017)
    check_names(config)
    config.data.val.edition = 2016
    with pytest.raises(UserError, match="no edition 2016"):
        check_names(config)
    config.data.val.edition, config.data.val.split = 2015, "val+val"
    with pytest.raises(UserError, match=r"different names joined by \+"):
        check_names(config)
