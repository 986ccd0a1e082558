"""Operators that an int8 file computes in float: normalisations, and what XNNPACK has only so.

A GELU in int8 is left to the interpreter, which cuts the graph in two; in float the delegate takes
it, with the conversions around it.
"""

from __future__ import annotations

import re

from mobile.norms import Step, of_normalisations

FLOAT_ALONE = {"gelu"}


def float_operators(data: bytes) -> str:
    """Regular expression of the scopes of those in the float file `data`; empty for none.

    A scope is what ai-edge-quantizer matches: the names of an operator's outputs, a ; behind each.
    """
    from ai_edge_litert.interpreter import Interpreter, OpResolverType

    plain = OpResolverType.BUILTIN_WITHOUT_DEFAULT_DELEGATES
    interpreter = Interpreter(model_content=data, experimental_op_resolver_type=plain)
    operators = interpreter._get_ops_details()  # noqa: SLF001
    names = {found["index"]: found["name"] for found in interpreter.get_tensor_details()}
    maker = {int(t): found["index"] for found in operators for t in found["outputs"]}
    steps = {
        found["index"]: Step(
            found["op_name"].lower(), [maker[int(t)] for t in found["inputs"] if int(t) in maker]
        )
        for found in operators
    }
    kept = of_normalisations(steps) | {n for n, step in steps.items() if step.kind in FLOAT_ALONE}
    scopes = [
        "".join(f"{names[int(t)]};" for t in found["outputs"])
        for found in operators
        if found["index"] in kept
    ]
    return "|".join(f"^{re.escape(scope)}$" for scope in scopes)
