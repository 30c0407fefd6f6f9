"""Vertex AI Gemini: `contents` of parts, roles user and model, `systemInstruction` apart.

Source: cloud.google.com gemini-supervised-tuning-prepare; 131,072 tokens per example, 1 GB and 1,000,000 text examples for
the current Flash models; 100 examples advised.
"""

from collections.abc import Iterator, Mapping
from datetime import date
from typing import Any, Final

from pipeline.writing.chat import Example, Fault, Format, Row, Text, is_all_trained
from pipeline.writing.conformance import key_faults, turn_order_faults

OTHER_PARTS: Final = {"functionCall", "functionResponse", "fileData", "inlineData", "executableCode", "codeExecutionResult"}
"""What a part may hold in place of text."""
ROLES: Final = {"user": "user", "assistant": "model"}


def rows(example: Example) -> Iterator[Row]:
    """One row of contents.

    >>> from pipeline.writing.chat import Turn
    >>> [row.content for row in rows(Example([Turn("t0", "user", "Hi"), Turn("t1", "assistant", "Hello.")]))]
    [{'contents': [{'role': 'user', 'parts': [{'text': 'Hi'}]}, {'role': 'model', 'parts': [{'text': 'Hello.'}]}]}]
    """
    if is_all_trained(example):
        system = {} if example.system is None else {"systemInstruction": {"parts": [{"text": example.system}]}}
        contents = [{"role": ROLES[turn.role], "parts": [{"text": turn.content}]} for turn in example.turns]
        yield Row({**system, "contents": contents})


def faults(row: Mapping[str, Any]) -> Iterator[Fault]:
    """What tuning refuses."""
    yield from key_faults(row, ("contents",), ("systemInstruction", "tools"))
    if "systemInstruction" in row:
        yield from _part_faults(row["systemInstruction"], "systemInstruction")
    if "contents" in row:
        if not isinstance(row["contents"], list):
            yield Fault("not_a_list", "contents")
            return
        for place, content in enumerate(row["contents"]):
            yield from _part_faults(content, f"contents[{place}]")
        yield from turn_order_faults(row["contents"], "contents", user="user", model="model", alternates=False)


def _part_faults(content: Any, where: str) -> Iterator[Fault]:
    parts = content.get("parts") if isinstance(content, dict) else None
    if isinstance(content, dict) and content.keys() - {"role", "parts"}:  # google-genai 3.6 google/genai/types.py, Content
        yield Fault("message_key_unknown", where)
    if not isinstance(parts, list) or not parts:
        yield Fault("content_missing", where)
        return
    for place, part in enumerate(parts):
        text = part.get("text") if isinstance(part, dict) else None
        if isinstance(part, dict) and part.keys() & OTHER_PARTS and "text" not in part:
            continue
        if not isinstance(text, str):
            yield Fault("content_not_text", f"{where}.parts[{place}]")
        elif not text.strip():
            yield Fault("content_empty", f"{where}.parts[{place}]")


def texts_of(row: Mapping[str, Any]) -> Iterator[Text]:
    """The texts of all parts; the model's are trained."""
    for content in (row.get("systemInstruction", {"parts": []}), *row["contents"]):
        for part in content["parts"]:
            yield Text(part.get("text", ""), content.get("role") == "model")


FORMAT: Final = Format(
    rows=rows,
    faults=faults,
    texts=texts_of,
    source="cloud.google.com gemini-supervised-tuning-prepare",
    read=date(2026, 11, 20),
    max_rows=1_000_000,
    max_file_bytes=1_000_000_000,
    default_max_tokens=131_072,
)
