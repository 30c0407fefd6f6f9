"""Give the int8 activations of an exported model fixed ranges, measured over training texts.

    python ranges.py --texts /tmp/names/ranges.jsonl --model ../../pipeline/models/names/model.onnx

`quantize_dynamic` takes the range of every activation over all texts of one run, so that texts would have to be read one by
one for each to be found the same whatever stands beside it. The encoder's ranges hardly move: [CLS], [SEP] and a few channels
set them, in every text alike. With constants, texts of one length are read together, which takes half the time.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterable, Mapping
from pathlib import Path

import numpy as np
import onnx
import onnxruntime  # type: ignore[import-untyped]
from graph import FUSED
from onnx import TensorProto, helper, numpy_helper

from pipeline.recognizers.names import NamesRecognizer, encode

Ranges = Mapping[str, tuple[float, float]]
"""Activation -> its least and greatest value."""

STEPS = 255
"""Of an activation in eight bits."""


def texts_of(path: Path) -> list[str]:
    """The texts that `write_data.py` wrote."""
    with path.open(encoding="utf-8") as lines:
        return [json.loads(line)[0] for line in lines]


def measured(model: onnx.ModelProto, folder: Path, texts: Iterable[str]) -> Ranges:
    """The range over all texts of each activation whose range is dynamic; `folder` holds the tokenizer."""
    open_model = onnx.ModelProto()
    open_model.CopyFrom(model)
    names = [node.input[0] for node in model.graph.node if node.op_type == "DynamicQuantizeLinear"]
    open_model.graph.output.extend(helper.make_tensor_value_info(name, TensorProto.FLOAT, None) for name in names)
    session = onnxruntime.InferenceSession(open_model.SerializeToString(), providers=["CPUExecutionProvider"])
    recognizer = NamesRecognizer(folder)
    lowest, highest = dict.fromkeys(names, 0.0), dict.fromkeys(names, 0.0)
    for text in texts:
        encoded = encode(recognizer.tokenizer, text)
        ids, shapes = (np.array([column[: recognizer.window]]) for column in (encoded.ids, encoded.shapes))
        seen = session.run(names, {"input_ids": ids, "token_type_ids": shapes})
        for name, values in zip(names, seen, strict=True):
            lowest[name] = min(lowest[name], float(values.min()))
            highest[name] = max(highest[name], float(values.max()))
    return {name: (lowest[name], highest[name]) for name in names}


def fixed(model: onnx.ModelProto, ranges: Ranges) -> onnx.ModelProto:
    """The same network with these ranges; an integer product, its scale and its bias become one operator."""
    folded, replaced = _products(model)
    made = onnx.ModelProto()
    made.CopyFrom(model)
    del made.graph.node[:]
    for node in model.graph.node:
        if node.op_type == "DynamicQuantizeLinear":
            quantized, scale, zero = node.output
            low, high = ranges[node.input[0]]
            step = np.float32((high - low) / STEPS)
            constants = ((scale, np.array(step)), (zero, np.array(np.uint8(np.rint(-low / step)))))
            made.graph.initializer.extend(numpy_helper.from_array(value, name) for name, value in constants)
            made.graph.node.append(helper.make_node("QuantizeLinear", [node.input[0], scale, zero], [quantized], name=quantized))
        elif node.output[0] not in folded:
            made.graph.node.append(replaced.get(node.output[0], node))
    return made


def _products(model: onnx.ModelProto) -> tuple[set[str], Mapping[str, onnx.NodeProto]]:
    """Outputs of nodes that are no longer needed, and what stands in for each integer product, by its output."""
    weights = {each.name for each in model.graph.initializer}
    made_by = {name: node for node in model.graph.node for name in node.output}
    reader = {name: node for node in model.graph.node for name in node.input}
    folded, replaced = set(), {}
    for node in model.graph.node:
        if node.op_type != "MatMulInteger":
            continue
        given, weight, given_zero, weight_zero = node.input
        cast = reader[node.output[0]].output[0]
        scaled = reader[cast]
        scales = made_by[next(name for name in scaled.input if name != cast)]  # of the activation times of the weights
        plus = reader[scaled.output[0]]  # the bias, or an operator that adds it itself
        bias = [name for name in plus.input if name in weights] if plus.op_type == "Add" else []
        last = plus if bias else scaled
        inputs = [given, weight, *sorted(scales.input, key=weights.__contains__), given_zero, weight_zero, *bias]
        folded |= {cast, scales.output[0], scaled.output[0], last.output[0]}
        replaced[node.output[0]] = helper.make_node(
            "MatMulIntegerToFloat", inputs, [last.output[0]], name=last.output[0], domain=FUSED
        )
    return folded, replaced


def main() -> None:
    """Fix the ranges of a model file in place."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--texts", type=Path, required=True)
    parser.add_argument("--model", type=Path, required=True)
    arguments = parser.parse_args()
    model = onnx.load(arguments.model)
    ranges = measured(model, arguments.model.parent, texts_of(arguments.texts))
    for name, (low, high) in ranges.items():
        print(f"{name}: {low:.2f} to {high:.2f}")
    onnx.save(fixed(model, ranges), arguments.model)


if __name__ == "__main__":
    main()
