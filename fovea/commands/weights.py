"""`fovea weights`: where weights files lie, by the names that configurations use."""

from __future__ import annotations

from fovea.commands.arguments import Commands, add_actions, add_command
from fovea.commands.registry import add_registry

EXAMPLES = """examples:
  fovea weights add mobilenet_v2 ~/weights/mobilenet_v2.safetensors
  fovea weights list
  fovea weights remove mobilenet_v2      forgets it; the file stays

  FOVEA_WEIGHTS_MOBILENET_V2=FILE in the environment does the same for one run.
"""


def add(commands: Commands) -> None:
    """Describe the command."""
    parser = add_command(
        commands,
        "weights",
        "register weights files under names",
        "Names for weights files. They are remembered for this user and found from any checkout; "
        "no path enters a tracked file.",
        EXAMPLES,
    )
    add_registry(add_actions(parser), "weights", "a weights file")
