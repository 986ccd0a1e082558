"""Normalisations, which int8 leaves in float (`mobile.norms`), as nodes of an exported graph."""

from __future__ import annotations

from torch.fx import GraphModule, Node

from mobile.norms import Step, of_normalisations


def normalisations(graph: GraphModule) -> list[Node]:
    """Nodes of all of them, in order; none where a model has no written-out normalisation."""
    steps: dict[int, Step] = {}
    numbers: dict[Node, int] = {}
    nodes = list(graph.graph.nodes)
    for number, node in enumerate(nodes):
        # What is made of constants alone is a constant, such as a scale that is reshaped.
        inputs = [numbers[used] for used in node.all_input_nodes if used in numbers]
        if node.op == "placeholder":
            numbers[node] = number
            steps[number] = Step("input", ())
        elif node.op == "call_function" and inputs:
            numbers[node] = number
            steps[number] = Step(_kind(node), inputs)
    return [nodes[number] for number in sorted(of_normalisations(steps))]


def _kind(node: Node) -> str:
    """`mul` of `aten.mul.Tensor` and of its in-place twin."""
    return str(node.target).split(".")[1].rstrip("_")
