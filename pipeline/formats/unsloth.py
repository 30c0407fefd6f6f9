"""Unsloth: the ShareGPT shape that its `standardize_sharegpt` turns into chats.

Its standardising wants turns of exactly two keys, both text, and its own names for who speaks; function calls are none of them.
`train_on_responses_only` needs the exact turn markers of the model's template; nothing in the data can help there.
Source: unsloth_zoo 2026.10 dataset_utils.py `standardize_data_formats`; unsloth.ai/docs, datasets guide; limits as TRL.
"""

from collections.abc import Iterator, Mapping
from datetime import date
from typing import Any, Final

from pipeline.formats import trl
from pipeline.writing.chat import Example, Fault, Format, Row, Text, is_all_trained, texts_of_messages
from pipeline.writing.conformance import Messages, key_faults, message_faults
from pipeline.writing.sharegpt import Turns, texts_of, turn_faults, turns_of

ASKED: Final = Turns(
    people=("human", "user", "input"), model=("gpt", "assistant", "output"), other_keys="refused", model_last=False
)
CHAT: Final = Messages(assistant_last=False)


def rows(example: Example) -> Iterator[Row]:
    """One row, the system text as its first turn.

    >>> from pipeline.writing.chat import Turn
    >>> [row.content for row in rows(Example([Turn("t0", "user", "Hi"), Turn("t1", "assistant", "Hello.")]))]
    [{'conversations': [{'from': 'human', 'value': 'Hi'}, {'from': 'gpt', 'value': 'Hello.'}]}]
    """
    if is_all_trained(example):
        system = [] if example.system is None else [{"from": "system", "value": example.system}]
        yield Row({"conversations": [*system, *turns_of(example)]})


def faults(row: Mapping[str, Any]) -> Iterator[Fault]:
    """What its standardising refuses, or the chat template after it; a row may also be what TRL takes."""
    if "conversations" not in row and row.keys() & {"messages", "text", "prompt", "completion"}:
        yield from trl.faults(row)
    elif _is_chat(row.get("conversations")):
        yield from message_faults(row["conversations"], CHAT, "conversations")
    else:
        yield from key_faults(row, ("conversations",))
        if "conversations" in row:
            yield from turn_faults(row["conversations"], ASKED)


def _is_chat(turns: Any) -> bool:
    """Whether they are called role and content, which standardising takes too."""
    return isinstance(turns, list) and bool(turns) and isinstance(turns[0], dict) and "role" in turns[0]


def texts(row: Mapping[str, Any]) -> Iterator[Text]:
    """The texts of whichever shape it is."""
    if "conversations" not in row:
        return trl.FORMAT.texts(row)
    return texts_of_messages(row, "conversations") if _is_chat(row["conversations"]) else texts_of(row)


FORMAT: Final = Format(
    rows=rows,
    faults=faults,
    texts=texts,
    source="unsloth_zoo 2026.10 dataset_utils.py; unsloth.ai/docs datasets guide; TRL 1.9 trl/trainer/sft_config.py",
    read=date(2026, 11, 28),
    default_max_tokens=1024,
)
