"""The runtimes' arm64 builds under qemu, where qemu and Debian's packages can be had."""

from __future__ import annotations

from pathlib import Path

import pytest

from fovea.cli import main
from mobile.backend import Array
from mobile.targets.arm64 import Arm64, root
from mobile.targets.check import check
from mobile.targets.registry import RefusedError
from pipeline.errors import UserError
from tests.mobile.conftest import Export


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("cache")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("FOVEA_CACHE", str(made))
        try:
            Arm64().setup()
        except UserError as error:
            pytest.skip(f"arm64 cannot be emulated here: {error}")
    return made


@pytest.fixture
def arm64(folder: Path, monkeypatch) -> Arm64:
    monkeypatch.setenv("FOVEA_CACHE", str(folder))
    return Arm64()


@pytest.mark.parametrize(
    "recipe", ["litert_fp32", "litert_int8", "executorch_fp32", "executorch_int8"]
)
def test_kernels_of_arm_compute_alike(
    recipe: str, arm64: Arm64, exports: dict[str, Export], images: list[Array]
) -> None:
    found = check(arm64, exports[recipe].file, images[:1])
    assert found.runs, found.refused
    assert found.alike


@pytest.mark.parametrize("recipe", ["litert_fp32", "executorch_fp32"])
def test_a_file_it_does_not_take_is_told_in_its_words(
    recipe: str, folder: Path, arm64: Arm64, exports: dict[str, Export], images: list[Array],
    tmp_path: Path, monkeypatch,
) -> None:  # fmt: skip
    file = exports[recipe].file
    damaged = tmp_path / file.name
    damaged.write_bytes(file.read_bytes()[:2000])
    from mobile.targets.arm64 import target

    run = target._tflite if file.suffix == ".tflite" else target._pte
    with pytest.raises(RefusedError) as refused:
        run(damaged, [images[0]], tmp_path)
    assert str(refused.value)


def test_what_is_missing_is_said(monkeypatch, tmp_path: Path) -> None:
    monkeypatch.setenv("FOVEA_CACHE", str(tmp_path))
    monkeypatch.setattr(root, "EMULATORS", ("sh",))
    assert "fovea target setup arm64" in (Arm64().refusal() or "")
    monkeypatch.setattr(root, "COMPILER", "no-such-compiler")
    with pytest.raises(UserError, match=r"no-such-compiler|apt-get|dpkg --add-architecture"):
        Arm64().setup()
    monkeypatch.setattr(root, "EMULATORS", ("no-such-emulator",))
    assert "apt install qemu-user-static" in (Arm64().refusal() or "")
    with pytest.raises(UserError, match="apt install qemu-user-static"):
        Arm64().setup()
    assert list(tmp_path.iterdir()) == []


def test_it_is_never_timed(exports: dict[str, Export], capsys) -> None:
    assert main(["bench", str(exports["litert_fp32"].file), "--on", "arm64"]) == 2
    assert "arm64 is never timed" in capsys.readouterr().err
