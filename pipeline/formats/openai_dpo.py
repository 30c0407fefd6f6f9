"""OpenAI's preference shape: `input`, `preferred_output`, `non_preferred_output`.

Checked, not written: no table holds a rejected answer yet.
Source: developers.openai.com direct preference optimization guide; OpenAPI `FineTunePreferenceRequestInput`.
"""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import date
from typing import Any, Final

from pipeline.formats.openai import ASKED
from pipeline.writing.chat import Fault, Format, Text, texts_of_messages
from pipeline.writing.conformance import Messages, key_faults, message_faults, reply_faults

INPUT: Final = replace(ASKED, has_answer=False)
OUTPUT: Final = Messages(roles=("assistant",), user_first=False, other_keys="ignored")


KEYS: Final = ("input", "preferred_output", "non_preferred_output")


def faults(row: Mapping[str, Any]) -> Iterator[Fault]:
    """An input that ends with the user, and exactly one answer on either side."""
    yield from key_faults(row, KEYS, ())
    given = row.get("input")
    if isinstance(given, dict):
        yield from (
            Fault(name, f"input.{key}") for name, key in key_faults(given, ("messages",), ("tools", "parallel_tool_calls"))
        )
        if "messages" in given:
            yield from message_faults(given["messages"], INPUT, "input.messages")
            yield from reply_faults(given["messages"], "input.messages")
    elif "input" in row:
        yield Fault("not_an_object", "input")
    for key in ("preferred_output", "non_preferred_output"):
        if key in row:
            yield from message_faults(row[key], OUTPUT, key)
            if isinstance(row[key], list) and len(row[key]) != 1:
                yield Fault("one_message_needed", key)


def texts_of(row: Mapping[str, Any]) -> Iterator[Text]:
    """The input, then the preferred answer, which is trained."""
    yield from (Text(content, trained=False) for content, _ in texts_of_messages(row["input"]))
    yield from texts_of_messages(row, "preferred_output")


FORMAT: Final = Format(
    faults=faults,
    texts=texts_of,
    source="developers.openai.com direct preference optimization guide",
    read=date(2026, 11, 20),
    min_rows=10,
    max_file_bytes=512 * 1024 * 1024,
)
