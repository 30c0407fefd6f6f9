"""The ShareGPT shape, `conversations` of from and value, as LLaMA-Factory and Unsloth read it, each with its own names."""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal

import orjson

from pipeline.writing.chat import Example, Fault, Text
from pipeline.writing.conformance import text_faults

NAMES: Final = {"user": "human", "assistant": "gpt"}


@dataclass(frozen=True)
class Turns:
    """What a consumer asks of a list of turns; people at odd places, the model at even ones."""

    people: Collection[str]
    model: Collection[str]
    other_keys: Literal["refused", "ignored"]
    model_last: bool
    """Whether a last turn without an answer costs the row."""


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


def turn_faults(turns: Any, asked: Turns) -> Iterator[Fault]:
    """What `asked` would not take of these turns."""
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
        elif turn["from"] not in (*asked.people, *asked.model, "system"):
            yield Fault("role_unknown", f"{at}.from")
        if asked.other_keys == "refused" and turn.keys() - {"from", "value"}:
            yield Fault("message_key_unknown", at)
        if "value" not in turn:
            yield Fault("content_missing", at)
        yield from (Fault(name, f"{at}.{key}") for name, key in text_faults(turn, "value"))
    yield from _order(turns, asked)


def _order(turns: list[dict[str, Any]], asked: Turns) -> Iterator[Fault]:
    start = 1 if turns and turns[0].get("from") == "system" else 0
    said = [turn.get("from") for turn in turns[start:]]
    if not said:
        yield Fault("no_messages", "conversations")
        return
    wrong = [place for place, name in enumerate(said) if name not in (asked.model if place % 2 else asked.people)]
    if wrong and wrong[0] == 0:
        yield Fault("first_not_user", f"conversations[{start}]")
    elif wrong:
        yield Fault("not_alternating", f"conversations[{start + wrong[0]}]")
    if not any(name in asked.model for name in said):
        yield Fault("no_assistant", "conversations")
    elif asked.model_last and len(said) % 2:
        yield Fault("odd_number_of_messages", "conversations")


def texts_of(row: Mapping[str, Any]) -> Iterator[Text]:
    """The values; what people and tools say is not trained."""
    if isinstance(row.get("system"), str):
        yield Text(row["system"], trained=False)
    for turn in row["conversations"]:
        yield Text(turn["value"], turn["from"] in TRAINED)


TRAINED: Final = {"gpt", "function_call", "assistant", "output"}
"""Names of the model, whoever reads it."""
