"""Unsloth: the ShareGPT shape that its `standardize_sharegpt` turns into chats.

`train_on_responses_only` needs the exact turn markers of the model's template; nothing in the data can help there.
Source: unsloth.ai/docs, datasets guide; limits as TRL, which trains.
"""

from collections.abc import Iterator, Mapping
from datetime import date
from typing import Any, Final

from pipeline.writing.chat import Example, Fault, Format, Row, is_all_trained
from pipeline.writing.conformance import key_faults
from pipeline.writing.sharegpt import texts_of, turn_faults, turns_of


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
    """What the chat template refuses."""
    yield from key_faults(row, ("conversations",))
    if "conversations" in row:
        yield from turn_faults(row["conversations"])


FORMAT: Final = Format(
    rows=rows,
    faults=faults,
    texts=texts_of,
    source="unsloth.ai/docs datasets guide; TRL 1.9 trl/trainer/sft_config.py",
    read=date(2026, 11, 20),
    default_max_tokens=1024,
)
