"""The command line: quick to help, one line for a mistake, quiet when its reader has enough."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from fovea.cli import COMMANDS, main
from tests.fovea.conftest import command

ROOT = Path(__file__).resolve().parents[2]
NAMES = tuple(module.__name__.rpartition(".")[2] for module in COMMANDS)


@pytest.mark.parametrize("name", NAMES)
def test_every_command_has_help_with_examples(
    name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as stop:
        main([name, "--help"])
    assert stop.value.code == 0
    said = capsys.readouterr().out
    assert "examples:" in said
    assert f"fovea {name}" in said


def test_help_names_every_command(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["--help"])
    said = capsys.readouterr().out
    assert all(f"\n    {name} " in said for name in NAMES)


def test_help_imports_nothing_heavy() -> None:
    code = (
        "import sys; from fovea.cli import parser; parser().format_help(); "
        "print(sorted(sys.modules.keys() & {'numpy', 'torch', 'PIL', 'rich', 'scipy', 'yaml'}))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "[]"


@pytest.mark.parametrize("arguments", [[], ["prdict"], ["shelf"], ["predict", "--depth", "3"]])
def test_a_wrong_command_is_told_its_usage(
    arguments: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as stop:
        main(arguments)
    assert stop.value.code == 2
    assert "usage: fovea" in capsys.readouterr().err


def test_a_reader_that_has_enough_ends_it_quietly() -> None:
    listing = subprocess.Popen(
        [sys.executable, "-m", "fovea", "config", "--list"],
        cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    )  # fmt: skip
    assert listing.stdout is not None
    listing.stdout.close()
    _, said = listing.communicate(timeout=60)
    assert (listing.returncode, said) == (0, b"")


def test_a_mistake_is_one_line_and_status_2() -> None:
    done = command("weights", "remove", "mobilenet_v2")
    assert done.returncode == 2
    assert done.stderr.decode().startswith("error: no weights called 'mobilenet_v2'")
    assert done.stderr.count(b"\n") == 1
