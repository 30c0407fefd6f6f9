"""A token classifier of the user's own, exported to ONNX, is loaded from disk and read like our model."""

import json
import struct
from pathlib import Path
from typing import Any, Final

import pytest
from tokenizers import Tokenizer, models, pre_tokenizers, processors

from pipeline.errors import ParamsError
from pipeline.scrub import make_look
from tests.pipeline.scrubbing import PATTERNS

VOCABULARY: Final = {"[UNK]": 0, "[CLS]": 1, "[SEP]": 2, "Quorvik": 3, "Zyxand": 4, "Brimland": 5, "noon": 6}
LABELS: Final = ["O", "B-PER", "I-PER", "B-LOC", "B-TIME"]
TOLD: Final = {"Quorvik": "B-PER", "Zyxand": "I-PER", "Brimland": "B-LOC", "noon": "B-TIME"}


def field(number: int, value: int | str | bytes) -> bytes:
    """One field of a Protocol Buffers message."""
    if isinstance(value, int):
        return varint(number << 3) + varint(value)
    content = value.encode() if isinstance(value, str) else value
    return varint(number << 3 | 2) + varint(len(content)) + content


def varint(value: int) -> bytes:
    return bytes([value]) if value < 128 else bytes([value & 127 | 128]) + varint(value >> 7)


def tensor(name: str, kind: int, *dimensions: str | int) -> bytes:
    shape = b"".join(field(1, field(1 if isinstance(each, int) else 2, each)) for each in dimensions)
    return field(1, name) + field(2, field(1, field(1, kind) + field(2, shape)))


def classifier() -> bytes:
    """An ONNX model that looks the logits of every token up in a table: `Gather`, opset 13 (onnx.proto of ONNX 1.15)."""
    rows = [[0.0] * len(LABELS) for _ in VOCABULARY]
    for word, number in VOCABULARY.items():
        rows[number][LABELS.index(TOLD.get(word, "O"))] = 9.0
    values = struct.pack(f"<{len(rows) * len(LABELS)}f", *(each for row in rows for each in row))
    table = field(1, len(rows)) + field(1, len(LABELS)) + field(2, 1) + field(8, "table") + field(9, values)
    node = field(1, "table") + field(1, "input_ids") + field(2, "logits") + field(4, "Gather")
    ends = field(11, tensor("input_ids", 7, "n", "tokens")) + field(12, tensor("logits", 1, "n", "tokens", len(LABELS)))
    graph = field(1, node) + field(2, "tiny") + field(5, table) + ends
    return field(1, 8) + field(7, graph) + field(8, field(1, "") + field(2, 13))


@pytest.fixture
def model(tmp_path: Path) -> Path:
    tokenizer = Tokenizer(models.WordLevel(VOCABULARY, unk_token="[UNK]"))
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()  # type: ignore[assignment]  # its stubs know no setter
    tokenizer.post_processor = processors.TemplateProcessing(single="[CLS] $A [SEP]", special_tokens=[("[CLS]", 1), ("[SEP]", 2)])
    folder = tmp_path / "model"
    folder.mkdir()
    tokenizer.save(str(folder / "tokenizer.json"))
    (folder / "model.onnx").write_bytes(classifier())
    write_config(folder, LABELS)
    return folder


def write_config(folder: Path, labels: list[str], positions: int | None = 512) -> None:
    config = {
        "id2label": {str(number): label for number, label in enumerate(labels) if label},
        "max_position_embeddings": positions,
    }
    (folder / "config.json").write_text(json.dumps(config))


def found(model: Path, text: str) -> list[Any]:
    look = make_look(PATTERNS.model_copy(update={"models": [f"transformers:{model}"]}))
    return [(text[span.start : span.end], span.entity_type) for span in look([text])[0]]


def test_what_a_classifier_of_ones_own_finds_is_found(model: Path) -> None:
    text = "at noon Quorvik Zyxand left Brimland with Quorvik Quorvik"
    assert found(model, text) == [
        ("Quorvik Zyxand", "PERSON"),
        ("Brimland", "LOCATION"),
        ("Quorvik", "PERSON"),
        ("Quorvik", "PERSON"),
    ]
    assert found(model, "") == []


def test_a_text_longer_than_its_window_is_read_to_the_end(model: Path) -> None:
    assert found(model, "so " * 1700 + "Brimland" + " so" * 440 + " Quorvik Zyxand") == [
        ("Brimland", "LOCATION"),
        ("Quorvik Zyxand", "PERSON"),
    ]


def test_a_class_without_a_label_is_no_type_and_moves_no_other(model: Path) -> None:
    write_config(model, ["O", "B-PER", "", "B-LOC"])  # neither I-PER nor the last one
    assert found(model, "Quorvik Zyxand left Brimland at noon") == [("Quorvik", "PERSON"), ("Brimland", "LOCATION")]


@pytest.mark.parametrize("positions", [6, 20, 66, -1, None])
def test_a_classifier_of_few_or_relative_positions_reads_a_text_to_the_end(model: Path, positions: int | None) -> None:
    write_config(model, LABELS, positions)
    assert found(model, "so " * 90 + "Brimland" + " so" * 90 + " Quorvik Zyxand") == [
        ("Brimland", "LOCATION"),
        ("Quorvik Zyxand", "PERSON"),
    ]


def test_a_classifier_that_reads_less_than_a_name_is_refused(model: Path) -> None:
    write_config(model, LABELS, 5)
    with pytest.raises(ParamsError, match="reads 5 tokens at a time, too few for a name"):
        found(model, "noon")


def test_a_classifier_that_cannot_be_read_is_one_clear_error(model: Path) -> None:
    write_config(model, ["O", "B-TIME", "I-TIME", "B-MONEY", "I-MONEY"])
    with pytest.raises(ParamsError, match="has no label for people, places or organisations"):
        found(model, "noon")
    (model / "model.onnx").write_bytes(b"no model")
    with pytest.raises(ParamsError, match=r"cannot be loaded \(.+\); export it to ONNX again"):
        found(model, "noon")
    (model / "config.json").unlink()
    with pytest.raises(ParamsError, match=r"lacks config\.json; name the folder that `optimum-cli export onnx"):
        found(model, "noon")
