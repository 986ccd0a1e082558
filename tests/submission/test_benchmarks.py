"""Which images a benchmark has, and that a submission lacks none of them."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipeline.errors import UserError
from pipeline.submission.benchmarks import BENCHMARKS, Stimulus, find, require_whole

MIT300 = [f"i{number}" for number in range(1, 301)]
CAT2000 = [f"Kind{chr(65 + c)}/{number:03d}" for c in range(20) for number in range(101, 201)]
SALICON = [f"COCO_test2014_{7 * number:012d}" for number in range(5_000)]
WHOLE = {"mit300": MIT300, "cat2000-test": CAT2000, "salicon-test": SALICON}


def stimuli(names: list[str]) -> list[Stimulus]:
    return [Stimulus(Path("images") / f"{name}.jpg", name) for name in names]


def touch(root: Path, names: list[str], suffix: str = ".jpg") -> Path:
    for name in names:
        path = root / f"{name}{suffix}"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    return root


@pytest.mark.parametrize("name", BENCHMARKS)
def test_a_whole_set_is_whole(name: str) -> None:
    benchmark = BENCHMARKS[name]
    names = WHOLE[name]
    assert len(names) == benchmark.count
    assert all(benchmark.names.fullmatch(each) for each in names)
    require_whole(benchmark, stimuli(names))


LACKING = [
    ("mit300", MIT300[:16] + MIT300[17:], r"has 300 images, here are 299: i17 missing"),
    ("mit300", MIT300[:100], r"i101, i102, i103, i104, i105 and 195 more missing"),
    ("cat2000-test", CAT2000[1:], r"has 2,000 images, here are 1,999: KindA has 99 of 100"),
    ("cat2000-test", CAT2000[:1900], r"19 of 20 categories"),
    ("cat2000-test", [*CAT2000[1:], "KindB/999"], r"KindA has 99 of 100, KindB has 101 of 100"),
    ("salicon-test", SALICON[3:], r"has 5,000 images, here are 4,997: 3 missing"),
    ("salicon-test", [*SALICON, "COCO_test2014_000000999999"], "1 too many"),
]


@pytest.mark.parametrize(("name", "names", "message"), LACKING)
def test_what_is_missing_is_named(name: str, names: list[str], message: str) -> None:
    with pytest.raises(UserError, match=message) as error:
        require_whole(BENCHMARKS[name], stimuli(names))
    assert "--partial" in str(error.value)


FOUND = [
    ("mit300", "BenchmarkIMAGES", ["i1", "i2", "i10"], "BenchmarkIMAGES/SM/i1_SM.jpg"),
    ("cat2000-test", "testSet/Stimuli", ["Action/101", "Social/200"],
     "testSet/Stimuli/Action/Output/101_SM.jpg"),
    ("salicon-test", "images/test", SALICON[:2], "images/val/COCO_val2014_000000000133.jpg"),
]  # fmt: skip


@pytest.mark.parametrize(("name", "inside", "names", "other"), FOUND)
def test_images_are_found_from_the_root_and_from_their_own_folder(
    tmp_path: Path, name: str, inside: str, names: list[str], other: str
) -> None:
    touch(tmp_path / inside, names)
    touch(tmp_path, [other.removesuffix(".jpg")])
    for root in (tmp_path, tmp_path / inside):
        found = find(BENCHMARKS[name], root)
        assert [stimulus.name for stimulus in found] == sorted(names)
        assert found[0].path == tmp_path / inside / f"{min(names)}.jpg"


def test_strange_names_and_names_twice_are_refused(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"no image in .*give the folder of mit300's images \(i1\."):
        find(BENCHMARKS["mit300"], tmp_path)
    touch(tmp_path, ["i1", "i301", "i0", "holiday"])
    with pytest.raises(UserError, match=r"holds holiday\.jpg, i0\.jpg, i301\.jpg, no image of mit"):
        find(BENCHMARKS["mit300"], tmp_path)
    touch(tmp_path / "twice", ["i1"])
    touch(tmp_path / "twice", ["i1"], ".png")
    with pytest.raises(UserError) as error:
        find(BENCHMARKS["mit300"], tmp_path / "twice")
    assert str(tmp_path / "twice/i1.jpg") in str(error.value)
    assert str(tmp_path / "twice/i1.png") in str(error.value)
