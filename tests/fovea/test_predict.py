"""`fovea predict` on photographs: what is written, from which model, and what is refused."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from fovea.cli import main
from mobile.export import open_runner
from pipeline import checkpoint
from pipeline.data.images import read_rgb
from pipeline.data.resize import resize
from pipeline.files import read_json
from tests.fovea.conftest import Made, copied, photo, pixels
from tests.mobile.tiny import SPEC


def expected(file: Path, image: Path, size: tuple[int, int] = (SPEC.height, SPEC.width)):
    """Logits of the file's own runtime for a photograph, by the project's own reader and resize."""
    small = resize(read_rgb(image), *size).transpose(2, 0, 1)[None]
    return open_runner(file).run(np.ascontiguousarray(small))[0, 0]


def sigmoid(logits: np.ndarray) -> np.ndarray:
    return 1 / (1 + np.exp(-logits.astype(np.float64)))


def predict(*arguments: object) -> int:
    return main(["predict", *map(str, arguments)])


@pytest.mark.parametrize("recipe", ["executorch_int8", "executorch_fp32", "litert_fp32"])
def test_a_photograph_becomes_a_map_an_overlay_and_logits(
    recipe: str, made: Made, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    image, out = photo(tmp_path / "dog.jpg", 70, 130), tmp_path / "out"
    assert predict(image, "-o", out, "--model", made.file(recipe), "--npy") == 0
    written = [out / f"dog{end}" for end in (".overlay.jpg", ".map.png", ".logits.npy")]
    assert capsys.readouterr().out.split() == list(map(str, written))
    logits = expected(made.file(recipe), image)
    assert np.array_equal(np.load(written[2]), logits)
    levels = np.asarray(Image.open(written[1]))
    assert levels.dtype == np.uint8
    assert np.abs(levels - 255 * resize(sigmoid(logits), 70, 130)).max() <= 0.51
    with Image.open(written[0]) as overlay:
        assert (overlay.format, overlay.size) == ("JPEG", (130, 70))


def test_16_bit_maps_and_bounded_overlays(made: Made, tmp_path: Path) -> None:
    image, out = photo(tmp_path / "dog.png", 60, 90), tmp_path / "out"
    model = made.file("executorch_fp32")
    assert predict(image, "-o", out, "--model", model, "--depth", 16, "--size", 45) == 0
    levels = np.asarray(Image.open(out / "dog.map.png"))
    assert levels.dtype == np.uint16
    full = resize(sigmoid(expected(model, image)), 60, 90)
    assert np.abs(levels - 65535 * full).max() <= 1
    with Image.open(out / "dog.overlay.jpg") as overlay:
        assert overlay.size == (45, 30)
    assert predict(image, "-o", out, "--model", model, "--size", "full", "--no-map") == 0
    with Image.open(out / "dog.overlay.jpg") as overlay:
        assert overlay.size == (90, 60)


@pytest.mark.parametrize("mode", ["L", "RGBA", "P", "CMYK", "I;16"])
def test_every_kind_of_photograph_is_taken(mode: str, made: Made, tmp_path: Path) -> None:
    image = tmp_path / "in" / ("photo.tif" if mode == "CMYK" else "photo.png")
    image.parent.mkdir()
    source = Image.fromarray(pixels(40, 50))
    if mode == "I;16":
        source = Image.fromarray(np.asarray(source.convert("L")).astype(np.uint16) * 257)
    else:
        source = source.convert(mode)
    source.save(image)
    assert predict(image, "-o", tmp_path, "--model", made.bundle) == 0
    assert Image.open(tmp_path / "photo.map.png").size == (50, 40)


def test_a_turned_photograph_gets_an_upright_map(made: Made, tmp_path: Path) -> None:
    image, exif = tmp_path / "photo.jpg", Image.Exif()
    exif[0x0112] = 6
    Image.fromarray(pixels(40, 80)).save(image, exif=exif)
    assert predict(image, "-o", tmp_path, "--model", made.bundle) == 0
    assert Image.open(tmp_path / "photo.map.png").size == (40, 80)
    assert Image.open(tmp_path / "photo.overlay.jpg").size == (40, 80)


def test_a_fast_decode_is_smaller_and_nearly_the_same_map(made: Made, tmp_path: Path) -> None:
    image = photo(tmp_path / "large.jpg", 600, 900)
    model = made.file("executorch_fp32")
    assert predict(image, "-o", tmp_path / "slow", "--model", model) == 0
    assert predict(image, "-o", tmp_path / "fast", "--model", model, "--fast") == 0
    slow, fast = (Image.open(tmp_path / kind / "large.map.png") for kind in ("slow", "fast"))
    assert slow.size == (900, 600)
    assert 2 * SPEC.width <= fast.size[0] <= 450
    shrunk = resize(np.asarray(slow), *fast.size[::-1])
    assert np.corrcoef(shrunk.ravel(), np.asarray(fast).ravel())[0, 1] > 0.99


def test_a_checkpoint_predicts_as_its_student(trained: Path, tmp_path: Path) -> None:
    import torch

    image = photo(tmp_path / "dog.png")
    for given in (trained, trained.parent):
        assert predict(image, "-o", tmp_path / "out", "--model", given, "--npy") == 0
    model, _ = checkpoint.load_model(trained, "student")
    small = resize(read_rgb(image), 64, 64).transpose(2, 0, 1)[None]
    with torch.inference_mode():
        logits = model(torch.from_numpy(np.ascontiguousarray(small)))[0, 0].numpy()
    assert np.allclose(np.load(tmp_path / "out" / "dog.logits.npy"), logits, atol=1e-4)


def test_the_best_file_of_a_bundle_is_taken_or_the_chosen_one(
    made: Made, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    image = photo(tmp_path / "dog.png")
    assert predict(image, "-o", tmp_path, "--model", made.bundle) == 0
    assert "tiny executorch_int8" in capsys.readouterr().err
    assert predict(image, "-o", tmp_path, "--model", made.bundle, "--recipe", "litert_fp32") == 0
    assert "tiny litert_fp32" in capsys.readouterr().err
    assert predict(image, "-o", tmp_path, "--model", made.bundle, "--recipe", "litert_fp23") == 2
    assert "did you mean 'litert_fp32'?" in capsys.readouterr().err


def test_without_a_model_the_workspace_comes_before_the_shelf(
    made: Made,
    shelve: Callable[..., Path],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    image = photo(tmp_path / "dog.png")
    monkeypatch.chdir(tmp_path)
    assert predict(image, "-o", "out") == 2
    assert "no model here" in capsys.readouterr().err
    home = shelve()
    assert predict(image, "-o", "out") == 0
    assert str(home) in capsys.readouterr().err
    copied(made.bundle, tmp_path / "outputs" / "bundle")
    assert predict(image, "-o", "out") == 0
    assert "(outputs/bundle/" in capsys.readouterr().err
    assert predict(image, "-o", "out", "--model", home.name[:6]) == 0
    assert str(home) in capsys.readouterr().err


@pytest.mark.parametrize("recipe", ["executorch_int8", "litert_fp32"])
def test_a_file_without_contract_takes_its_own_size(
    recipe: str, made: Made, tmp_path: Path
) -> None:
    image, file = photo(tmp_path / "dog.png"), made.file(recipe)
    alone = copied(file, tmp_path / "alone" / file.name)
    assert predict(image, "-o", tmp_path, "--model", alone, "--npy") == 0
    assert np.array_equal(np.load(tmp_path / "dog.logits.npy"), expected(file, image))


@pytest.mark.parametrize("recipe", ["executorch_int8", "litert_fp32"])
def test_a_damaged_file_is_refused_before_it_runs(
    recipe: str, made: Made, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    bundle = copied(made.bundle, tmp_path / "bundle")
    file = next((bundle / "artefacts" / recipe).glob("model.*"))
    data = bytearray(file.read_bytes())
    data[len(data) // 2] ^= 1
    file.write_bytes(data)
    image, out = photo(tmp_path / "dog.png"), tmp_path / "out"
    for given in (["--model", bundle, "--recipe", recipe], ["--model", file]):
        assert predict(image, "-o", out, *given) == 2
        assert "is damaged or was replaced" in capsys.readouterr().err
    assert not out.exists()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["{photo}"], "where to? Give -o FOLDER"),
        (["-o", "{out}"], "what of?"),
        (["{tmp}/none.jpg", "-o", "{out}"], "none.jpg does not exist"),
        (["{tmp}/empty", "-o", "{out}"], "no photograph (.jpg"),
        (["{photo}", "-o", "{out}", "--size", "huge"], "--size huge"),
        (["{photo}", "-o", "{out}", "--no-map", "--no-overlay"], "leaves nothing to write"),
        (["{photo}", "-o", "{out}", "--raw"], "--raw is for stdout"),
        (["{photo}", "-o", "{photo}"], "is a file; -o takes a folder"),
        (["{photo}", "-o", "{out}", "--model", "{tmp}/no.pte"], "no.pte does not exist"),
        (["{photo}", "-o", "{out}", "--model", "{photo}"], "is not a model file"),
        (["{photo}", "-o", "{out}", "--model", "{tmp}/empty"], "holds no model"),
        (["{photo}", "-o", "{out}", "--model", "{fake}"], "is not an ExecuTorch program"),
        (["{photo}", "-o", "{out}", "--model", "{fake}", "--recipe", "x"], "is a file itself"),
        (["{photo}", "-o", "{out}", "--model", "abc"], "no entry of the shelf"),
    ],
)
def test_mistakes_cost_one_line_and_leave_nothing(
    arguments: list[str],
    message: str,
    made: Made,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    (tmp_path / "empty").mkdir()
    (tmp_path / "fake.pte").write_bytes(b"no program at all")
    names = {
        "photo": photo(tmp_path / "dog.jpg"), "out": tmp_path / "out", "tmp": tmp_path,
        "fake": tmp_path / "fake.pte",
    }  # fmt: skip
    before = sorted(tmp_path.iterdir())
    given = [argument.format(**names) for argument in arguments]
    if "--model" not in given:
        given += ["--model", str(made.bundle)]
    assert predict(*given) == 2
    said = capsys.readouterr().err.splitlines()[-1]
    assert said.startswith("error: ")
    assert message in said
    left = [path for path in sorted(tmp_path.rglob("*")) if path.is_file()]
    assert [path for path in left if "out" in path.relative_to(tmp_path).parts] == [
        path for path in left if path.name == "predict.json"
    ]
    assert before[0] in sorted(tmp_path.iterdir())


def test_a_damaged_core_ml_package_is_refused_in_one_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    package = tmp_path / "model.mlpackage"
    package.mkdir()
    (package / "Manifest.json").write_text("{}")
    assert predict(photo(tmp_path / "dog.jpg"), "-o", tmp_path, "--model", package) == 2
    assert "is not a whole Core ML package: " in capsys.readouterr().err


def test_the_folder_says_what_made_it(made: Made, tmp_path: Path) -> None:
    image = photo(tmp_path / "dog.png")
    assert predict(image, "-o", tmp_path / "out", "--model", made.bundle) == 0
    record = read_json(tmp_path / "out" / "predict.json")
    manifest = read_json(made.bundle / "manifest.json")
    assert record["sha256"] == manifest["artefacts"]["executorch_int8"]["sha256"]
    assert record["model"] == "tiny executorch_int8"
