"""The trained network as an ONNX graph of onnxruntime's fused operators, written node by node.

An exported graph has some 300 nodes, and for one short text their overhead is half the time; this one has 90.
Operators: https://github.com/microsoft/onnxruntime/blob/main/docs/ContribOperators.md
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import onnx
from onnx import TensorProto, helper, numpy_helper

if TYPE_CHECKING:
    from transformers import BertForTokenClassification

FUSED = "com.microsoft"
EPSILON = 1e-12

Array = npt.NDArray[np.float32] | npt.NDArray[np.int64]


class Graph:
    """Nodes and weights in the order they were added; a node is known by the name of its one output."""

    def __init__(self) -> None:
        self.nodes: list[onnx.NodeProto] = []
        self.weights: list[onnx.TensorProto] = []

    def weight(self, name: str, values: Array) -> str:
        """Add a constant; returns its name."""
        self.weights.append(numpy_helper.from_array(np.ascontiguousarray(values), name))
        return name

    def node(self, operator: str, inputs: list[str], output: str, **attributes: Any) -> str:
        """Add an operator; returns the name of its output."""
        domain = FUSED if operator in ("Attention", "BiasGelu") else ""
        self.nodes.append(helper.make_node(operator, inputs, [output], name=output, domain=domain, **attributes))
        return output


def build(model: BertForTokenClassification) -> onnx.ModelProto:
    """Inputs: input_ids and token_type_ids, [texts, tokens], without padding. Output: logits, [texts, tokens, tags]."""
    trained = {name: tensor.detach().numpy() for name, tensor in model.state_dict().items()}
    graph = Graph()

    def given(name: str, *, transposed: bool = False) -> str:
        return graph.weight(name, trained[name].T if transposed else trained[name])

    def add_and_normalise(changed: str, kept: str, prefix: str) -> str:
        norm = [given(f"{prefix}.LayerNorm.weight"), given(f"{prefix}.LayerNorm.bias")]
        biased = graph.node("Add", [changed, given(f"{prefix}.dense.bias")], f"{prefix}.biased")
        summed = graph.node("Add", [biased, kept], f"{prefix}.raw")  # SkipLayerNormalization would take five times as long
        return graph.node("LayerNormalization", [summed, *norm], f"{prefix}.sum", axis=-1, epsilon=EPSILON)

    states = _embed(graph, trained)
    for i in range(model.config.num_hidden_layers):
        layer = f"bert.encoder.layer.{i}"
        parts = [f"{layer}.attention.self.{part}" for part in ("query", "key", "value")]
        weights = graph.weight(f"{layer}.qkv", np.concatenate([trained[f"{part}.weight"].T for part in parts], axis=1))
        biases = graph.weight(f"{layer}.qkv_bias", np.concatenate([trained[f"{part}.bias"] for part in parts]))
        seen = graph.node(
            "Attention", [states, weights, biases], f"{layer}.attention", num_heads=model.config.num_attention_heads
        )
        mixed = graph.node("MatMul", [seen, given(f"{layer}.attention.output.dense.weight", transposed=True)], f"{layer}.mixed")
        states = add_and_normalise(mixed, states, f"{layer}.attention.output")
        wide = graph.node("MatMul", [states, given(f"{layer}.intermediate.dense.weight", transposed=True)], f"{layer}.wide")
        bent = graph.node("BiasGelu", [wide, given(f"{layer}.intermediate.dense.bias")], f"{layer}.bent")
        narrow = graph.node("MatMul", [bent, given(f"{layer}.output.dense.weight", transposed=True)], f"{layer}.narrow")
        states = add_and_normalise(narrow, states, f"{layer}.output")
    scores = graph.node("MatMul", [states, given("classifier.weight", transposed=True)], "scores")
    graph.node("Add", [scores, given("classifier.bias")], "logits")

    inputs = [
        helper.make_tensor_value_info(name, TensorProto.INT64, ["texts", "tokens"]) for name in ("input_ids", "token_type_ids")
    ]
    output = helper.make_tensor_value_info("logits", TensorProto.FLOAT, ["texts", "tokens", model.config.num_labels])
    body = helper.make_graph(graph.nodes, "names", inputs, [output], graph.weights)
    return helper.make_model(body, opset_imports=[helper.make_opsetid("", 17), helper.make_opsetid(FUSED, 1)], ir_version=9)


def _embed(graph: Graph, trained: dict[str, npt.NDArray[np.float32]]) -> str:
    """Word + shape + position, normalised."""
    prefix = "bert.embeddings"

    def table(name: str) -> str:
        return graph.weight(name, trained[f"{prefix}.{name}.weight"])

    words = graph.node("Gather", [table("word_embeddings"), "input_ids"], "words")
    shapes = graph.node("Gather", [table("token_type_embeddings"), "token_type_ids"], "shapes")
    graph.node("Shape", ["input_ids"], "size")
    first, second, axis = (graph.weight(name, np.array([i], dtype=np.int64)) for name, i in (("one", 1), ("two", 2), ("zero", 0)))
    graph.node("Slice", ["size", first, second], "tokens")
    positions = graph.node("Slice", [table("position_embeddings"), axis, "tokens", axis], "positions")
    summed = graph.node("Add", [graph.node("Add", [words, shapes], "shaped_words"), positions], "embedded")
    norm = [graph.weight(f"embedded.{part}", trained[f"{prefix}.LayerNorm.{part}"]) for part in ("weight", "bias")]
    return graph.node("LayerNormalization", [summed, *norm], "normalised", axis=-1, epsilon=EPSILON)
