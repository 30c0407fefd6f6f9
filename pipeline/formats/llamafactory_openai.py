"""LLaMA-Factory, `openai` formatting: `messages` as OpenAI has them, strictly in turn and even in number.

Without tools its converter adds a "detailed thinking off" line to the system text; `llamafactory` does not suffer that, and
holds tool calls: here a message without any beside one with them is None to `datasets`, and None has no length.
Source: LLaMA-Factory 0.9.5 data/README.md, src/llamafactory/data/converter.py; a tool call without content is a KeyError.
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from typing import Any, Final

from pipeline.writing.chat import Example, Fault, Format, Row, is_all_trained, messages_of, texts_of_messages
from pipeline.writing.conformance import Messages, key_faults, message_faults

ASKED: Final = Messages(
    roles=("system", "user", "assistant", "tool"), other_keys="ignored", tools=True, content_beside_calls="needed"
)


def rows(example: Example) -> Iterator[Row]:
    """One row of messages.

    >>> from pipeline.writing.chat import Turn
    >>> [list(row.content) for row in rows(Example([Turn("t0", "user", "Hi"), Turn("t1", "assistant", "Hello.")]))]
    [['messages']]
    """
    if is_all_trained(example):
        yield Row({"messages": messages_of(example)})


def faults(row: Mapping[str, Any]) -> Iterator[Fault]:
    """What the converter would skip or trip over."""
    yield from key_faults(row, ("messages",))
    if "messages" in row:
        yield from message_faults(row["messages"], ASKED)


def dataset_info(files: Mapping[str, Sequence[str]], _max_tokens: int | None) -> dict[str, Any]:
    """The entries for LLaMA-Factory's data/dataset_info.json, one per file."""
    tags = {
        "role_tag": "role",
        "content_tag": "content",
        "user_tag": "user",
        "assistant_tag": "assistant",
        "observation_tag": "tool",
        "system_tag": "system",
    }
    entries = {
        f"ticketmill_{name.removesuffix('.jsonl').replace('-', '_')}": {
            "file_name": name,
            "formatting": "openai",
            "columns": {"messages": "messages"},
            "tags": tags,
        }
        for names in files.values()
        for name in names
    }
    return {"dataset_info.json": entries}


FORMAT: Final = Format(
    rows=rows,
    faults=faults,
    texts=texts_of_messages,
    source="LLaMA-Factory 0.9.5 data/README.md, src/llamafactory/data/converter.py",
    read=date(2026, 11, 20),
    default_max_tokens=2048,
    beside=dataset_info,
)
