"""The shell script that runs a packed run: plain stages in a row, no DVC."""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence

from pipeline.data.roots import variable
from scripts.elsewhere.steps import Step

_TEMPLATE = """\
#!/bin/sh
# Runs the packed stages one after the other, then writes what they made to results/.
#   sh run.sh
#   PYTHON=/path/to/python3.12 RESULTS=/some/folder sh run.sh --max-files 20
# Stages that are done are not run again; one that was stopped goes on where it was.
set -eu
cd "$(dirname "$0")"
HERE=$(pwd)
PYTHON=${PYTHON:-python3}
RESULTS=${RESULTS:-$HERE/results}
OPTIONS="$*"
export PYTHONPATH="$HERE:$HERE/vendor" PYTHONUNBUFFERED=1
export FOVEA_SCRATCH="${FOVEA_SCRATCH:-$HERE/scratch}" FOVEA_CONFIG_DIR="$HERE/config"
@EXPORTS@
child=
finish() {
  status=$?
  trap - EXIT INT TERM
  # shellcheck disable=SC2086
  "$PYTHON" scripts/remote.py collect --into "$RESULTS" $OPTIONS || status=$?
  exit "$status"
}
stop() {
  [ -n "$child" ] || return 0
  kill "$child" || :
  wait "$child" || :
}
stage() {
  mark="done/$1${2:+@$2}"
  if [ -e "$mark" ]; then
    echo "== ${mark#done/} was done before" >&2
    return
  fi
  echo "== ${mark#done/}" >&2
  "$PYTHON" -m "pipeline.stages.$1" ${2:+"$2"} &
  child=$!
  wait "$child"
  child=
  : > "$mark"
}

"$PYTHON" scripts/remote.py check
mkdir -p done
trap finish EXIT
trap 'stop; exit 130' INT
trap 'stop; exit 143' TERM
@STAGES@
"""


def run_script(steps: Sequence[Step], data: Mapping[str, str], weights: Mapping[str, str]) -> str:
    """The script; `data` and `weights` are paths inside the archive by registered name."""
    exports = [_export("data", name, path) for name, path in sorted(data.items())]
    exports += [_export("weights", name, path) for name, path in sorted(weights.items())]
    stages = [
        shlex.join(["stage", step.stage, *([step.key] if step.key else [])]) for step in steps
    ]
    text = _TEMPLATE.replace("@EXPORTS@\n", "".join(f"{line}\n" for line in exports))
    return text.replace("@STAGES@", "\n".join(stages))


def _export(kind: str, name: str, path: str) -> str:
    return f'export {variable(kind, name)}="$HERE/"{shlex.quote(path)}'
