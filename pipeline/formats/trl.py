"""Hugging Face TRL: a `messages` column. TRL knows no weights, so a chat with an answer not to be learnt has no row here.

A file may also hold `prompt` and `completion`, as texts or messages, or a `text` per row; those are checked.

Source: TRL 1.9 docs/source/dataset_formats.md and trl/trainer/sft_config.py: `max_length` 1024, cut at the end; further
columns are ignored; arguments of tool calls are objects.
"""

from collections.abc import Iterator, Mapping
from datetime import date
from typing import Any, Final

from pipeline.formats import trl_prompt_completion
from pipeline.writing.chat import (
    Calls,
    Example,
    Fault,
    Format,
    Row,
    Text,
    is_all_trained,
    messages_of,
    texts_of_messages,
    texts_of_prompt,
    tools_beside,
)
from pipeline.writing.conformance import Messages, key_faults, message_faults, text_faults, tools_or_json_faults

ASKED: Final = Messages(
    roles=("system", "user", "assistant", "tool"),
    other_keys="ignored",
    tools=True,
    arguments="object",
    assistant_last=False,
)


CALLS: Final = Calls(arguments="object", content=True)


def rows(example: Example) -> Iterator[Row]:
    """One row of messages.

    >>> from pipeline.writing.chat import Turn
    >>> [row.content for row in rows(Example([Turn("t0", "user", "Hi"), Turn("t1", "assistant", "Hello.")], "Be kind."))]
    ... # doctest: +NORMALIZE_WHITESPACE
    [{'messages': [{'role': 'system', 'content': 'Be kind.'}, {'role': 'user', 'content': 'Hi'},
                   {'role': 'assistant', 'content': 'Hello.'}]}]
    """
    if is_all_trained(example):
        yield Row({"messages": messages_of(example, CALLS), **tools_beside(example)})


def faults(row: Mapping[str, Any]) -> Iterator[Fault]:
    """What chat templates refuse, and what TRL would learn although it should not."""
    if "messages" not in row and row.keys() & {"prompt", "completion"}:
        yield from trl_prompt_completion.faults(row)
        return
    if "messages" not in row and "text" in row:
        yield from text_faults(row, "text")
        return
    yield from key_faults(row, ("messages",))
    if "messages" in row:
        yield from message_faults(row["messages"], ASKED)
    yield from tools_or_json_faults(row)


def texts(row: Mapping[str, Any]) -> Iterator[Text]:
    """The texts of whichever shape it is."""
    if "messages" in row:
        return texts_of_messages(row)
    return texts_of_prompt(row) if "prompt" in row else iter([Text(row["text"], trained=True)])


FORMAT: Final = Format(
    rows=rows,
    faults=faults,
    texts=texts,
    tools=True,
    source="TRL 1.9 docs/source/dataset_formats.md, trl/trainer/sft_config.py",
    read=date(2026, 11, 20),
    default_max_tokens=1024,
)
