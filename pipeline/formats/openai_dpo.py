"""OpenAI's preference shape: `input`, `preferred_output`, `non_preferred_output`.

Written where generate rejected an answer before it accepted another.
Source: developers.openai.com direct preference optimization guide; OpenAPI `FineTunePreferenceRequestInput`.
"""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import date
from typing import Any, Final

from pipeline.formats.openai import ASKED
from pipeline.writing.chat import Example, Fault, Format, Row, Text, pairs_of, texts_of_messages
from pipeline.writing.conformance import Messages, key_faults, message_faults, reply_faults, tool_faults

INPUT: Final = replace(ASKED, has_answer=False)
OUTPUT: Final = Messages(roles=("assistant",), user_first=False, other_keys="ignored")


KEYS: Final = ("input", "preferred_output", "non_preferred_output")


def rows(example: Example) -> Iterator[Row]:
    """One row for each answer that was rejected for the last reply.

    >>> from pipeline.writing.chat import Turn
    >>> turns = [Turn("t0", "user", "Hi"), Turn("a0", "assistant", "Hello.")]
    >>> [row.content["non_preferred_output"] for row in rows(Example(turns, rejected=["Hi Hi Hi"]))]
    [[{'role': 'assistant', 'content': 'Hi Hi Hi'}]]
    """
    for (before, reply, left_out), rejected in pairs_of(example):
        answers = [[{"role": "assistant", "content": text}] for text in (reply.content, rejected)]
        yield Row(dict(zip(KEYS, ({"messages": before}, *answers), strict=True)), reply.turn_id, left_out)


def faults(row: Mapping[str, Any]) -> Iterator[Fault]:
    """An input that ends with the user, and exactly one answer on either side."""
    yield from key_faults(row, KEYS, ())
    given = row.get("input")
    if isinstance(given, dict):
        yield from (
            Fault(name, f"input.{key}") for name, key in key_faults(given, ("messages",), ("tools", "parallel_tool_calls"))
        )
        if "tools" in given:
            yield from tool_faults(given["tools"], "input.tools")
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
    rows=rows,
    faults=faults,
    texts=texts_of,
    source="developers.openai.com direct preference optimization guide",
    read=date(2026, 11, 20),
    needs="rejected_answer",
    min_rows=10,
    max_file_bytes=512 * 1024 * 1024,
)
