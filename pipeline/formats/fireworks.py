"""Fireworks: OpenAI's chat shape, the system text first or nowhere, weight 0 skips an answer.

Source: docs.fireworks.ai fine-tuning-models; 3 to 3,000,000 examples, under 150 MB when sent directly.
"""

from collections.abc import Iterator, Mapping
from datetime import date
from typing import Any, Final

from pipeline.writing.chat import Example, Fault, Format, Row, texts_of_messages, tools_beside, weighted_messages_of
from pipeline.writing.conformance import Messages, key_faults, message_faults, tool_faults

ASKED: Final = Messages(
    roles=("system", "user", "assistant", "tool"),
    more_keys=("reasoning_content", "name"),
    weight="honoured",
    tools=True,
    alternates=False,
    assistant_last=False,
)


def rows(example: Example) -> Iterator[Row]:
    """One row of messages.

    >>> from pipeline.writing.chat import Turn
    >>> [row.content for row in rows(Example([Turn("t0", "user", "Hi"), Turn("t1", "assistant", "Hello.")]))]
    [{'messages': [{'role': 'user', 'content': 'Hi'}, {'role': 'assistant', 'content': 'Hello.'}]}]
    """
    yield Row({"messages": weighted_messages_of(example), **tools_beside(example)})


def faults(row: Mapping[str, Any]) -> Iterator[Fault]:
    """What the service refuses."""
    yield from key_faults(row, ("messages",), ("tools",))
    if "messages" in row:
        yield from message_faults(row["messages"], ASKED)
    if "tools" in row:
        yield from tool_faults(row["tools"])


FORMAT: Final = Format(
    rows=rows,
    faults=faults,
    texts=texts_of_messages,
    tools=True,
    source="docs.fireworks.ai fine-tuning-models",
    read=date(2026, 11, 20),
    min_rows=3,
    max_rows=3_000_000,
    max_file_bytes=150 * 1000 * 1000,
)
