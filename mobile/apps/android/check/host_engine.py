"""Runs bundles' files for tests on a computer: float32 tensors in, float32 outputs out, by pipes.

Each line of standard input is one of

    load LAYOUT HEIGHT WIDTH PATH    answered by the file's number, or -1 where it does not load
    run NUMBER                       followed by one tensor in the file's own layout; answered by
                                     the number of values and the values

Numbers of answers are little-endian int32.
"""

from __future__ import annotations

import os
import struct
import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from mobile.backend import Array, Runner, backend_for


@dataclass
class Loaded:
    """A file and the form of its input."""

    runner: Runner
    layout: str
    height: int
    width: int

    def run(self, data: bytes) -> Array:
        """The output of a tensor in the file's layout."""
        values = np.frombuffer(data, "<f4").copy()
        if self.layout == "NHWC":
            image = values.reshape(1, self.height, self.width, 3).transpose(0, 3, 1, 2)
        else:
            image = values.reshape(1, 3, self.height, self.width)
        return np.ascontiguousarray(self.runner.run(np.ascontiguousarray(image)), "<f4")


def load(words: list[bytes]) -> Loaded:
    """What a line asks to load."""
    layout, height, width, name = (word.decode() for word in words)
    path = Path(name)
    return Loaded(backend_for(path).load(path, 1), layout, int(height), int(width))


def main() -> None:
    """Answer until standard input ends."""
    # Runtimes greet on standard output; answers have that pipe to themselves.
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    loaded: dict[int, Loaded] = {}
    while line := sys.stdin.buffer.readline():
        command, *words = line.rstrip(b"\n").split(b" ", 4)
        if command == b"load":
            number = len(loaded)
            try:
                loaded[number] = load(words)
            except Exception as error:  # a test wants to know that it failed, whatever failed
                print(error, file=sys.stderr)
                number = -1
            answers.write(struct.pack("<i", number))
        elif command == b"run":
            file = loaded[int(words[0])]
            output = file.run(sys.stdin.buffer.read(3 * file.height * file.width * 4))
            answers.write(struct.pack("<i", output.size) + output.tobytes())
        answers.flush()


if __name__ == "__main__":
    main()
