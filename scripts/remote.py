"""Train on another machine: pack a run, run it there, bring the results back.

Three steps, the first and the last in the project's folder:

  python scripts/remote.py pack --out run.tar.gz -S data=salicon -S profile=small
  (there)  tar xf run.tar.gz && sh fovea-run/run.sh
  python scripts/remote.py unpack results --into outputs

`pack` takes the same -S as `dvc exp run`. The other machine needs Python 3.11 or newer with torch
and torchvision, but no DVC, no converters and no network. See docs/train-elsewhere.md.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

_PACK = """\
examples:
  # a few hundred photographs and a small model
  python scripts/remote.py pack --out run.tar.gz -S data=salicon -S profile=small
  # part of a large set, in half precision with more loader processes
  python scripts/remote.py pack --out run.tar.gz --limit-mib 500 -S data=salicon \\
      -S data.train.limit=2000 -S data.val.limit=500 -S machine.precision=bf16 -S machine.workers=8
  # images byte for byte, so that the list of images there is the list here
  python scripts/remote.py pack --out run.tar.gz --size original -S data=salicon -S profile=small
  # only the last phase; teacher and labels are taken from outputs/
  python scripts/remote.py pack --out run.tar.gz --stages train@finetune
"""
_UNPACK = """\
example:
  python scripts/remote.py unpack results --into outputs --params
"""


def main(arguments: list[str] | None = None) -> int:
    """Run one command; returns the exit status, 2 for what the user can mend."""
    chosen = parser().parse_args(arguments)
    from pipeline.errors import UserError

    commands = {"pack": _pack, "check": _check, "collect": _collect, "unpack": _unpack}
    try:
        print(commands[chosen.command](chosen))
    except UserError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("\nstopped; nothing half-written is left", file=sys.stderr)
        return 130
    return 0


def parser() -> argparse.ArgumentParser:
    """Commands and options."""
    plain = argparse.RawDescriptionHelpFormatter
    top = argparse.ArgumentParser(prog="remote.py", description=__doc__, formatter_class=plain)
    commands = top.add_subparsers(dest="command", required=True)
    pack = commands.add_parser(
        "pack", help="write the archive", epilog=_PACK, formatter_class=plain
    )
    pack.add_argument("--out", type=Path, default=Path("run.tar.gz"), help=".tar.gz or .tar")
    pack.add_argument(
        "-S", action="append", default=[], dest="overrides", metavar="KEY=VALUE",
        help="configuration, as for `dvc exp run`; may be given again",
    )  # fmt: skip
    pack.add_argument(
        "--size", type=_size, metavar="WIDTH|original",
        help="shrink images for a model input of this width (default: the models' own)",
    )  # fmt: skip
    pack.add_argument("--limit-mib", type=float, default=60, help="largest archive (default 60)")
    pack.add_argument(
        "--stages", nargs="+", default=[], metavar="STAGE",
        help="run these, named as in DVC (default: prepare, every teacher@, label@ and train@)",
    )  # fmt: skip
    commands.add_parser("check", help="(run.sh does this) verify an unpacked run")
    collect = commands.add_parser("collect", help="(run.sh does this) write results")
    collect.add_argument("--into", type=Path, default=Path("results"))
    collect.add_argument("--max-files", type=int, default=8, help="files at most (default 8)")
    collect.add_argument("--part-mib", type=float, default=15, help="MiB per file (default 15)")
    unpack = commands.add_parser(
        "unpack", help="take results over", epilog=_UNPACK, formatter_class=plain
    )
    unpack.add_argument("results", type=Path, help="the folder run.sh wrote")
    unpack.add_argument("--into", type=Path, default=Path("outputs"), help="default: outputs")
    unpack.add_argument("--force", action="store_true", help="replace folders that differ")
    unpack.add_argument("--params", action="store_true", help="write the run's params.yaml too")
    return top


def _size(text: str) -> int | str:
    return text if text == "original" else int(text)


def _pack(chosen: argparse.Namespace) -> str:
    from scripts.elsewhere.pack import Request, pack

    original = chosen.size == "original"
    size = None if original else chosen.size
    request = Request(chosen.out, chosen.overrides, size, original, chosen.limit_mib, chosen.stages)
    packed = pack(request)
    lines = [f"{chosen.out}: {chosen.out.stat().st_size / (1 << 20):.1f} MiB"]
    for name, role in packed["images"]["roles"].items():
        how = "as they are" if role["original"] else "shrunk"
        lines.append(f"  {name}: {role['count']} images {how}, {role['bytes'] / (1 << 20):.1f} MiB")
    lines.append(f"  runs: {' '.join(packed['stages'])}")
    if packed["downloads_weights"]:
        lines.append("  the other machine must reach the network: weights=torchvision downloads")
    return "\n".join([*lines, f"there: tar xf {chosen.out.name} && sh fovea-run/run.sh"])


def _check(_chosen: argparse.Namespace) -> str:
    from scripts.elsewhere.check import check

    return check(ROOT)


def _collect(chosen: argparse.Namespace) -> str:
    from scripts.elsewhere.collect import Limits, collect

    index = collect(ROOT, chosen.into, Limits(chosen.max_files, chosen.part_mib))
    lines = [f"{chosen.into}: {len(index['parts']) + 2} files to bring back"]
    for unit in index["left_out"]:
        size = f"{unit['bytes'] / (1 << 20):.1f} MiB"
        lines.append(f"  left out, {size}: {unit['name']}; --max-files or --part-mib make room")
    return "\n".join(lines)


def _unpack(chosen: argparse.Namespace) -> str:
    from scripts.elsewhere.unpack import unpack

    return unpack(chosen.results, chosen.into, force=chosen.force, params=chosen.params)


if __name__ == "__main__":
    sys.exit(main())
