"""`fovea config`: what a student, a data set and a profile compose to, without running anything."""

from __future__ import annotations

import argparse
from pathlib import Path

from fovea.commands.arguments import Commands, add_command
from pipeline.errors import UserError

EXAMPLES = """examples:
  fovea config                                 the defaults
  fovea config --student fastsal_c             what choosing a student brings along
  fovea config data=salicon profile=small student.phases.finetune.epochs=12
  fovea config --list                          every choice of every group

The same KEY=VALUE after `dvc exp run -S` runs it.
"""


def add(commands: Commands) -> None:
    """Describe the command."""
    parser = add_command(
        commands,
        "config",
        "what a student composes to; the choices there are",
        "Composes conf/ as `dvc exp run -S …` does, checks it, and prints it. Nothing is run and "
        "nothing written.",
        EXAMPLES,
    )
    parser.add_argument("overrides", nargs="*", metavar="KEY=VALUE", help="as after -S")
    parser.add_argument("--student", metavar="NAME", help="short for student=NAME")
    parser.add_argument("--list", action="store_true", help="groups and their choices")
    parser.set_defaults(run=run)


def run(parsed: argparse.Namespace) -> None:
    """Print the composed configuration, or the choices."""
    from pipeline.config.load import CONF

    if not CONF.is_dir():
        raise UserError(f"{CONF}/ is not here; run from the project's folder")
    print(choices(CONF) if parsed.list else composed(parsed.overrides, parsed.student), end="")


def composed(overrides: list[str], student: str | None) -> str:
    """The checked configuration as YAML; `UserError` with the nearest name for a wrong one."""
    from omegaconf import OmegaConf

    from pipeline.config.load import compose_raw, typed

    chosen = [*([f"student={student}"] if student else []), *overrides]
    for text in chosen:
        if "=" not in text:
            raise UserError(f"{text!r} is no KEY=VALUE, such as data=salicon or seed=1")
    tree = compose_raw(chosen)
    typed(tree, "conf/")
    return OmegaConf.to_yaml(tree)


def choices(conf: Path) -> str:
    """Every group with its choices, each with the first line of its file."""
    lines = []
    for group in sorted(folder for folder in conf.iterdir() if folder.is_dir()):
        files = sorted(group.glob("[!_]*.yaml"))
        if not files:
            continue
        lines.append(f"{group.name}:")
        wide = max(len(file.stem) for file in files)
        lines += [f"  {file.stem.ljust(wide)}  {first_comment(file)}".rstrip() for file in files]
    return "\n".join(lines) + "\n"


def first_comment(path: Path) -> str:
    """The first line of a configuration that says what it is; empty without one."""
    for line in path.read_text().splitlines():
        text = line.removeprefix("#").strip()
        if line.startswith("#") and not text.startswith("@package"):
            return text
    return ""
