"""Together: `messages` that alternate strictly after an optional system text, contents as text, and no other column.

Source: together-python src/together/constants.py and utils/files.py (the checker of its command line: no tool calls, no
developer, no byte order mark); docs.together.ai fine-tuning data preparation.
"""

from collections.abc import Iterator, Mapping
from datetime import date
from typing import Any, Final

from pipeline.writing.chat import Example, Fault, Format, Row, texts_of_messages, weighted_messages_of
from pipeline.writing.conformance import Messages, key_faults, message_faults

ASKED: Final = Messages(weight="honoured", assistant_last=False, may_be_empty=True)


def rows(example: Example) -> Iterator[Row]:
    """One row of messages.

    >>> from pipeline.writing.chat import Turn
    >>> [row.content for row in rows(Example([Turn("t0", "user", "Hi"), Turn("t1", "assistant", "Hello.")]))]
    [{'messages': [{'role': 'user', 'content': 'Hi'}, {'role': 'assistant', 'content': 'Hello.'}]}]
    """
    yield Row({"messages": weighted_messages_of(example)})


def faults(row: Mapping[str, Any]) -> Iterator[Fault]:
    """What the checker of its command line refuses."""
    if "messages" in row and row.keys() & {"prompt", "completion", "text"}:
        yield Fault("several_shapes", "messages")
        return
    yield from key_faults(row, ("messages",), ())
    if "messages" in row:
        yield from message_faults(row["messages"], ASKED)


FORMAT: Final = Format(
    rows=rows,
    faults=faults,
    texts=texts_of_messages,
    source="together-python src/together/constants.py, utils/files.py; docs.together.ai data preparation",
    read=date(2026, 11, 20),
    max_file_bytes=50_100_000_000,
)
