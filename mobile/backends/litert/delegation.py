"""How many of a file's operators the interpreter's delegate replaced."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from mobile.backend import Delegation


def count_delegated(details: Sequence[Mapping[str, Any]]) -> Delegation:
    """Count operators that delegate nodes replaced, from an interpreter's list of nodes.

    The list keeps replaced operators beside the DELEGATE nodes. What a DELEGATE node replaced is
    what its outputs need, followed backwards to its inputs.
    """
    operators = [d for d in details if d["op_name"] != "DELEGATE"]
    delegates = [d for d in details if d["op_name"] == "DELEGATE"]
    producer = {int(t): d["index"] for d in operators for t in d["outputs"]}
    by_index = {d["index"]: d for d in operators}
    replaced: set[int] = set()
    for delegate in delegates:
        inputs = {int(t) for t in delegate["inputs"]}
        pending = [int(t) for t in delegate["outputs"]]
        while pending:
            index = producer.get(pending.pop())
            if index is None or index in replaced:
                continue
            replaced.add(index)
            pending += [int(t) for t in by_index[index]["inputs"] if int(t) not in inputs]
    left = Counter(str(d["op_name"]) for d in operators if d["index"] not in replaced)
    return Delegation(
        delegate="XNNPACK",
        unit="LiteRT operators",
        delegated=len(replaced),
        total=len(operators),
        partitions=len(delegates),
        undelegated=dict(sorted(left.items())),
    )
