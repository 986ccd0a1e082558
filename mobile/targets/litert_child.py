"""Run by another environment's own Python, which has numpy and a runtime and nothing of ours.

    python litert_child.py FILE IN.npy OUT.npy        (N, …) as the file takes them -> (N, 1, H, W)

Ends with status 3 and the runtime's words where it does not take the file.
"""

import sys

import numpy as np

try:
    from tflite_runtime.interpreter import Interpreter  # type: ignore[import-not-found]
except ImportError:  # the environment of another target, with the runtime's present name
    from ai_edge_litert.interpreter import Interpreter


def main() -> int:
    """Run all images."""
    path, given, found = sys.argv[1:]
    try:
        interpreter = Interpreter(path, num_threads=1)
        interpreter.allocate_tensors()
        source = interpreter.get_input_details()[0]["index"]
        target = interpreter.get_output_details()[0]["index"]
        outputs = []
        for image in np.load(given):
            interpreter.set_tensor(source, image)
            interpreter.invoke()
            outputs.append(interpreter.get_tensor(target))
    except (RuntimeError, ValueError) as error:
        print(" ".join(str(error).split()))
        return 3
    np.save(found, np.stack(outputs))
    return 0


if __name__ == "__main__":
    sys.exit(main())
