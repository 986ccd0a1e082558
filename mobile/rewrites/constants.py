"""Constants that a model makes while it runs, handed to its operators as what they are.

`x.new_tensor([...])` is traced as a constant that is copied and detached before it is used. Behind
those two nodes XNNPACK knows no weight: a product with it is left to portable kernels, one more
cut of the graph each, and what lowers a graph takes time by the product of cuts and nodes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch.export import ExportedProgram
    from torch.fx import Node


def bare_constants(program: ExportedProgram) -> int:
    """Take copies and detachments of constants out of `program`, in place; of how many constants.

    Exact: nothing that is exported writes into its constants.
    """
    import torch

    aten = torch.ops.aten
    passed = (aten.lift_fresh_copy.default, aten.detach_.default, aten.detach.default)
    constants = program.graph_signature.inputs_to_lifted_tensor_constants
    bare: set[Node] = {
        node for node in program.graph.nodes if node.op == "placeholder" and node.name in constants
    }
    found = 0
    for node in list(program.graph.nodes):
        if node.target in passed and node.args[0] in bare:
            node.replace_all_uses_with(node.args[0])
            program.graph.erase_node(node)
            found += node.target is aten.lift_fresh_copy.default
    if found:
        program.graph_module.recompile()
    return found
