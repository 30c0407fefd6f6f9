"""Write the trained model as the package ships it: ONNX with int8 weights, tokenizer, thresholds.

Dynamic quantisation, one scale per output channel, weights in seven bits: with eight, the int8 kernels of processors
without VNNI saturate, and the same text would be scrubbed differently on two machines
(https://onnxruntime.ai/docs/performance/model-optimizations/quantization.html). `ranges.py` then makes the ranges of the
activations constants.
"""

from __future__ import annotations

import argparse
import json
import shutil
import tempfile
from pathlib import Path
from typing import Final

import numpy as np
import onnx
import onnxruntime  # type: ignore[import-untyped]
import torch
from features import TAGS
from graph import build
from onnx import TensorProto
from onnxruntime.quantization import QuantType, quantize_dynamic  # type: ignore[import-untyped]
from transformers import BertForTokenClassification

from pipeline.recognizers.names import SHAPES

VERSION = "1.1.0"
THRESHOLDS = {"PERSON": 0.2, "LOCATION": 0.25, "STREET_ADDRESS": 0.25, "ORGANIZATION": 0.2}
"""Low, for a name that is missed costs more than a word that is masked; `evaluate.py` shows the price."""
MAX_TOKENS, OVERLAP_TOKENS = 128, 32


def largest_difference(trained: BertForTokenClassification, exported: Path) -> float:
    """Of the logits of torch and onnxruntime, over random texts."""
    draw = np.random.default_rng(0)
    session = onnxruntime.InferenceSession(str(exported), providers=["CPUExecutionProvider"])
    largest = 0.0
    for tokens in (3, 17, 128):
        ids, shapes = draw.integers(1000, 30000, (1, tokens)), draw.integers(0, SHAPES, (1, tokens))
        with torch.no_grad():
            expected = trained(input_ids=torch.tensor(ids), token_type_ids=torch.tensor(shapes)).logits.numpy()
        found = session.run(["logits"], {"input_ids": ids, "token_type_ids": shapes})[0]
        largest = max(largest, float(np.abs(found - expected).max()))
    return largest


LARGEST_DIFFERENCE: Final = 1e-3
"""Of logits, from rounding alone."""


def export(model: Path, to: Path, *, quantize: bool = True) -> None:
    """Write model.onnx, tokenizer.json and config.json; stops when the graph is not the network."""
    trained = BertForTokenClassification.from_pretrained(model).eval()  # type: ignore[no-untyped-call]
    to.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        exact = Path(folder) / "exact.onnx"
        onnx.save(build(trained), exact)
        difference = largest_difference(trained, exact)
        if difference > LARGEST_DIFFERENCE:
            raise SystemExit(f"the graph is not the network: logits differ by {difference}")
        if quantize:
            options = {"DefaultTensorType": TensorProto.FLOAT}
            quantize_dynamic(
                exact, to / "model.onnx", weight_type=QuantType.QInt8, per_channel=True, reduce_range=True, extra_options=options
            )
        else:
            shutil.copy(exact, to / "model.onnx")
    print(f"exact graph differs by {difference:.1e}, shipped one by {largest_difference(trained, to / 'model.onnx'):.1e}")
    shutil.copy(model / "tokenizer.json", to / "tokenizer.json")
    settings = {
        "version": VERSION,
        "tags": list(TAGS),
        "thresholds": THRESHOLDS,
        "max_tokens": MAX_TOKENS,
        "overlap_tokens": OVERLAP_TOKENS,
    }
    (to / "config.json").write_text(json.dumps(settings, indent=2) + "\n", "utf-8")


def main() -> None:
    """Export by the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", type=Path, required=True)
    parser.add_argument("--to", type=Path, required=True)
    parser.add_argument("--float", action="store_true", help="without quantisation, to see what it costs")
    arguments = parser.parse_args()
    export(arguments.model, arguments.to, quantize=not arguments.float)


if __name__ == "__main__":
    main()
