"""Together: `messages` that alternate strictly after an optional system text, contents as text, and no other column.

A file may also hold pairs of `prompt` and `completion`, a `text` per row, or preferences as OpenAI has them; those are checked.

Source: together-python src/together/constants.py and utils/files.py (the checker of its command line: no tool calls, no
developer, no byte order mark); docs.together.ai fine-tuning data preparation.
"""

from collections.abc import Iterator, Mapping
from datetime import date
from typing import Any, Final

from pipeline.formats import openai_dpo
from pipeline.writing.chat import Example, Fault, Format, Row, Text, texts_of_messages, texts_of_prompt, weighted_messages_of
from pipeline.writing.conformance import Messages, key_faults, message_faults, text_faults

ASKED: Final = Messages(weight="honoured", any_weight=True, other_keys="ignored", assistant_last=False, may_be_empty=True)

SHAPES: Final = (("messages",), ("prompt", "completion"), ("text",), ("input", "preferred_output", "non_preferred_output"))
"""A row has the keys of one of them, and no others."""


def rows(example: Example) -> Iterator[Row]:
    """One row of messages.

    >>> from pipeline.writing.chat import Turn
    >>> [row.content for row in rows(Example([Turn("t0", "user", "Hi"), Turn("t1", "assistant", "Hello.")]))]
    [{'messages': [{'role': 'user', 'content': 'Hi'}, {'role': 'assistant', 'content': 'Hello.'}]}]
    """
    yield Row({"messages": weighted_messages_of(example)})


def faults(row: Mapping[str, Any]) -> Iterator[Fault]:
    """What the checker of its command line refuses."""
    shapes = [shape for shape in SHAPES if row.keys() & set(shape)]
    if len(shapes) > 1:
        yield Fault("several_shapes", shapes[0][0])
        return
    shape = shapes[0] if shapes else SHAPES[0]
    if shape == openai_dpo.KEYS:
        yield from openai_dpo.faults(row)
        return
    yield from key_faults(row, shape, ())
    if "messages" in row:
        yield from message_faults(row["messages"], ASKED)
    else:
        yield from text_faults(row, *shape)


def texts_of(row: Mapping[str, Any]) -> Iterator[Text]:
    """Of chats the messages, of a pair the completion is trained, of a text all of it."""
    if "messages" in row:
        yield from texts_of_messages(row)
    elif "text" in row:
        yield Text(row["text"], trained=True)
    elif "input" in row:
        yield from openai_dpo.texts_of(row)
    else:
        yield from texts_of_prompt(row)


FORMAT: Final = Format(
    rows=rows,
    faults=faults,
    texts=texts_of,
    source="together-python src/together/constants.py, utils/files.py; docs.together.ai data preparation",
    read=date(2026, 11, 20),
    max_file_bytes=50_100_000_000,
)
