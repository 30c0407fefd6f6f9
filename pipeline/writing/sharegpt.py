"""The ShareGPT shape, `conversations` of from and value, as LLaMA-Factory and Unsloth read it.

Source: LLaMA-Factory 0.9.5 data/README.md and src/llamafactory/data/converter.py: people at odd places, the model at even
ones, and rows that break it are skipped with a warning.
"""

from collections.abc import Iterator, Mapping
from typing import Any, Final

import orjson

from pipeline.writing.chat import Example, Fault, Text
from pipeline.writing.conformance import text_faults

NAMES: Final = {"user": "human", "assistant": "gpt"}
ODD: Final = ("human", "observation", "user")
EVEN: Final = ("gpt", "function_call", "assistant")


def turns_of(example: Example) -> list[dict[str, str]]:
    """The turns as from and value, a look-up as its call and what came back.

    >>> from pipeline.writing.chat import Turn
    >>> turns_of(Example([Turn("t0", "user", "Hi"), Turn("t1", "assistant", "Hello.")]))
    [{'from': 'human', 'value': 'Hi'}, {'from': 'gpt', 'value': 'Hello.'}]
    """
    turns: list[dict[str, str]] = []
    for turn in example.turns:
        for look_up in turn.look_ups:
            call = {"name": look_up.name, "arguments": dict(look_up.arguments)}
            turns += [{"from": "function_call", "value": orjson.dumps(call).decode()}]
            turns += [{"from": "observation", "value": look_up.result}]
        turns.append({"from": NAMES[turn.role], "value": turn.content})
    return turns


def turn_faults(turns: Any) -> Iterator[Fault]:
    """What the converter would skip."""
    where = "conversations"
    if not isinstance(turns, list):
        yield Fault("not_a_list", where)
        return
    for place, turn in enumerate(turns):
        at = f"{where}[{place}]"
        if not isinstance(turn, dict):
            yield Fault("message_not_an_object", at)
            return
        if "from" not in turn:
            yield Fault("role_missing", at)
        elif turn["from"] not in (*ODD, *EVEN, "system"):
            yield Fault("role_unknown", f"{at}.from")
        if "value" not in turn:
            yield Fault("content_missing", at)
        yield from (Fault(name, f"{at}.{key}") for name, key in text_faults(turn, "value"))
    yield from _order(turns)


def _order(turns: list[dict[str, Any]]) -> Iterator[Fault]:
    start = 1 if turns and turns[0].get("from") == "system" else 0
    said = [turn.get("from") for turn in turns[start:]]
    if not said:
        yield Fault("no_messages", "conversations")
        return
    if said[0] not in ODD:
        yield Fault("first_not_user", f"conversations[{start}]")
    elif any(name not in (EVEN if place % 2 else ODD) for place, name in enumerate(said)):
        place = next(place for place, name in enumerate(said) if name not in (EVEN if place % 2 else ODD))
        yield Fault("not_alternating", f"conversations[{start + place}]")
    if not any(name in EVEN for name in said):
        yield Fault("no_assistant", "conversations")
    elif len(said) % 2:
        yield Fault("odd_number_of_messages", "conversations")


def texts_of(row: Mapping[str, Any]) -> Iterator[Text]:
    """The values, the model's are trained."""
    if isinstance(row.get("system"), str):
        yield Text(row["system"], trained=False)
    for turn in row["conversations"]:
        yield Text(turn["value"], turn["from"] in EVEN)
