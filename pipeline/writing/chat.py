"""What a training row is made of, and what its consumer asks of it: where formats, emit and the file checker meet."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from hashlib import sha256
from itertools import islice
from typing import Any, Final, Literal, NamedTuple

import orjson

from pipeline.writing.fitting import Room


class LookUp(NamedTuple):
    """What an agent asked a tool before an answer, and what came back."""

    turn_id: str
    name: str
    arguments: Sequence[tuple[str, str]]
    result: str


class Turn(NamedTuple):
    """One message of an example."""

    turn_id: str
    role: str
    """user or assistant."""

    content: str
    trained: bool = True
    """Whether a model should learn to say it; only an assistant's can be."""

    look_ups: Sequence[LookUp] = ()
    """What was looked up for it, in order; only an assistant's."""


@dataclass(frozen=True, slots=True)
class Example:
    """One conversation as every format is told it: the user first, roles in turn, the assistant last."""

    turns: Sequence[Turn]
    system: str | None = None
    """What the assistant is told before the conversation."""

    look_ups: Literal["fold", "drop"] = "drop"
    """What becomes of look-ups where the consumer knows no tools: their words join what the user said, or nothing does."""

    liked: bool | None = None
    """Whether the customer was content with how it ended; None where the source does not say."""

    rejected: Sequence[str] = ()
    """Answers that were not accepted in place of the last turn."""

    room: Room | None = None
    """How much a row may hold, where that is less than the whole example; None where all of it fits."""


class Row(NamedTuple):
    """One line of a training file."""

    content: dict[str, Any]
    reply: str | None = None
    """The turn it trains, where a format has a row for each; None when the row trains all it may."""

    left_out: Sequence[str] = ()
    """Turns that do not stand in it, because the trainer would not get as far as the answer."""


class Fault(NamedTuple):
    """What a consumer would refuse, skip or silently misread."""

    name: str
    """One word of conformance.FIXES."""

    where: str
    """Path inside the row, such as messages[2].role; never a value."""


class Text(NamedTuple):
    """One text of a row, in the order in which a trainer reads them."""

    content: str
    trained: bool


@dataclass(frozen=True)
class Format:
    """One consumer's rows: how to write them, and how to tell a bad one."""

    rows: Callable[[Example], Iterator[Row]]
    """The rows of one example."""

    faults: Callable[[Mapping[str, Any]], Iterator[Fault]]
    """What the consumer would not take, of one parsed row."""

    texts: Callable[[Mapping[str, Any]], Iterator[Text]]
    """The texts of a row without faults, to be counted in tokens."""

    source: str
    """Where the rules were read: page, or repository, version and file."""

    read: date
    """When they were read: vendors change them."""

    tools: bool = False
    """Whether rows hold tool calls; the look-ups of others are folded into the text or dropped."""

    needs: Literal["rating", "rejected_answer"] | None = None
    """What only some conversations have; those without it have no row, and are not lost."""

    min_rows: int = 1
    """Fewest rows the consumer trains on; its hard floor."""

    max_rows: int | None = None
    """Most rows it takes."""

    max_file_bytes: int | None = None
    """Largest file it takes."""

    default_max_tokens: int | None = None
    """Where it cuts or drops a row unless told otherwise, in its own tokens."""

    over_length: Literal["cut", "dropped"] = "cut"
    """What it does to a row over that length."""

    byte_order_mark: bool = False
    """Whether files start with one."""

    container: Literal["jsonl", "parquet"] = "jsonl"

    beside: Callable[[Mapping[str, Sequence[str]], int | None], Mapping[str, Any]] | None = None
    """Further JSON files the consumer wants in the folder: from split -> file names, and the tokens a row may have, to name ->
    content."""


@dataclass(frozen=True)
class Calls:
    """How a consumer wants tool calls in its messages."""

    arguments: Literal["text", "object"] = "text"
    """As JSON text or as an object."""

    content: bool = False
    """Whether a message with calls has a content too, an empty one: without it some loaders fail, and templates print None."""

    def messages(self, look_up: LookUp) -> list[dict[str, Any]]:
        """The assistant's call, and the tool's result."""
        given = dict(look_up.arguments)
        function = {"name": look_up.name, "arguments": given if self.arguments == "object" else orjson.dumps(given).decode()}
        call = {"id": call_id(look_up), "type": "function", "function": function}
        result = {"role": "tool", "tool_call_id": call["id"], "name": look_up.name, "content": look_up.result}
        said = {"content": ""} if self.content else {}
        return [{"role": "assistant", **said, "tool_calls": [call]}, result]


def call_id(look_up: LookUp) -> str:
    """The same for the same turn, in every row and run: 9 letters or digits, as Mistral has them.

    >>> call_id(LookUp("t2", "order_status", (), "shipped"))
    'c44474038'
    """
    return sha256(look_up.turn_id.encode()).hexdigest()[:9]


def tools_of(example: Example) -> list[dict[str, Any]]:
    """The functions that the look-ups of an example call, with every argument that one of them has; by name.

    >>> asked = LookUp("t1", "order_status", [("order", "4411")], "shipped")
    >>> tools_of(Example([Turn("t2", "assistant", "It is on its way.", look_ups=[asked])]))[0]["function"]["parameters"]
    {'type': 'object', 'properties': {'order': {'type': 'string'}}}
    """
    arguments: dict[str, dict[str, None]] = {}
    for turn in example.turns:
        for look_up in turn.look_ups:
            arguments.setdefault(look_up.name, {}).update(dict.fromkeys(name for name, _ in look_up.arguments))
    return [
        {
            "type": "function",
            "function": {
                "name": name,
                "description": f"Looks up {name.replace('_', ' ').replace('-', ' ')}.",
                "parameters": {"type": "object", "properties": {each: {"type": "string"} for each in arguments[name]}},
            },
        }
        for name in sorted(arguments)
    ]


def without_calls(example: Example) -> Example:
    r"""The same example for a consumer that knows no tools: what was looked up stands below what the user said, or nowhere.

    >>> asked = LookUp("t1", "order_status", [("order", "4411")], "shipped")
    >>> turns = [Turn("t0", "user", "Where is it?"), Turn("t2", "assistant", "On its way.", look_ups=[asked])]
    >>> without_calls(Example(turns, look_ups="fold")).turns[0].content
    'Where is it?\n\n[order_status(order: 4411)]\nshipped'
    """
    turns = [turn._replace(look_ups=()) for turn in example.turns]
    for place, turn in enumerate(example.turns):
        if turn.look_ups and place and example.look_ups == "fold":
            asked = turns[place - 1]
            turns[place - 1] = asked._replace(content="\n\n".join([asked.content, *map(_in_words, turn.look_ups)]))
    return replace(example, turns=turns)


def _in_words(look_up: LookUp) -> str:
    return f"[{look_up.name}({', '.join(f'{name}: {value}' for name, value in look_up.arguments)})]\n{look_up.result}"


AS_TEXT: Final = Calls()


def messages_of(example: Example, calls: Calls = AS_TEXT) -> list[dict[str, Any]]:
    """Messages of role and content, the system text first, look-ups as tool calls before the answer they were made for.

    >>> messages_of(Example([Turn("t0", "user", "Hi"), Turn("t1", "assistant", "Hello.")]))
    [{'role': 'user', 'content': 'Hi'}, {'role': 'assistant', 'content': 'Hello.'}]
    """
    messages: list[dict[str, Any]] = [] if example.system is None else [{"role": "system", "content": example.system}]
    for turn in example.turns:
        for look_up in turn.look_ups:
            messages += calls.messages(look_up)
        messages.append({"role": turn.role, "content": turn.content})
    return messages


def weighted_messages_of(example: Example, calls: Calls = AS_TEXT) -> list[dict[str, Any]]:
    """Messages as `messages_of` gives them; an assistant's that should not be trained have weight 0.

    >>> weighted_messages_of(Example([Turn("t0", "user", "Hi"), Turn("t1", "assistant", "I am a bot.", trained=False)]))
    [{'role': 'user', 'content': 'Hi'}, {'role': 'assistant', 'content': 'I am a bot.', 'weight': 0}]
    """
    messages = messages_of(example, calls)
    if not is_all_trained(example):
        own = iter(messages if example.system is None else messages[1:])
        for turn in example.turns:
            for message in islice(own, 2 * len(turn.look_ups) + 1):
                if message["role"] == "assistant" and not turn.trained:
                    message["weight"] = 0
    return messages


def tools_beside(example: Example) -> dict[str, Any]:
    """The column `tools` of a row with tool calls; nothing for other rows."""
    tools = tools_of(example)
    return {"tools": tools} if tools else {}


def weighted_rows(example: Example) -> Iterator[Row]:
    """One row of messages, and the tools they call: what OpenAI asks for, and others after it.

    >>> [row.content for row in weighted_rows(Example([Turn("t0", "user", "Hi"), Turn("t1", "assistant", "Hello.")]))]
    [{'messages': [{'role': 'user', 'content': 'Hi'}, {'role': 'assistant', 'content': 'Hello.'}]}]
    """
    yield Row({"messages": weighted_messages_of(example), **tools_beside(example)})


class Reply(NamedTuple):
    """An answer that should be trained."""

    before: list[dict[str, Any]]
    """The messages before it."""

    turn: Turn
    left_out: Sequence[str] = ()
    """Turns before it that found no room."""


def replies_of(example: Example) -> Iterator[Reply]:
    """Every reply that should be trained, with the messages before it, as far as there is room.

    >>> asked, answered = Turn("t0", "user", "Hi"), Turn("t1", "assistant", "Hello.")
    >>> [(len(reply.before), reply.turn.turn_id) for reply in replies_of(Example([asked, answered, asked, answered]))]
    [(1, 't1'), (3, 't1')]
    """
    messages = messages_of(example)
    offset = len(messages) - len(example.turns)
    for place, turn in enumerate(example.turns):
        if turn.role != "assistant" or not turn.trained:
            continue
        if example.room is None:
            yield Reply(messages[: place + offset], turn)
            continue
        kept = set(example.room.before(place))
        before = [*messages[:offset], *(messages[each + offset] for each in range(place) if each in kept)]
        yield Reply(before, turn, [example.turns[each].turn_id for each in range(place) if each not in kept])


def pairs_of(example: Example) -> Iterator[tuple[Reply, str]]:
    """The last reply, and each answer that was rejected for it.

    >>> turns = [Turn("t0", "user", "Hi"), Turn("a0", "assistant", "Hello.")]
    >>> [(reply.turn.content, rejected) for reply, rejected in pairs_of(Example(turns, rejected=["?"]))]
    [('Hello.', '?')]
    """
    replies = list(replies_of(example)) if example.rejected else []
    if replies and replies[-1].turn is example.turns[-1]:
        for rejected in example.rejected:
            if rejected != replies[-1].turn.content:
                yield replies[-1], rejected


def leading_part(example: Example) -> tuple[Example, Sequence[str]]:
    """The exchanges from the start for which there is room, and the turns after them: for a row that must not be longer."""
    if example.room is None:
        return example, ()
    end = example.room.leading()
    return replace(example, turns=example.turns[:end]), [turn.turn_id for turn in example.turns[end:]]


def is_all_trained(example: Example) -> bool:
    """Whether every answer may be learnt: a consumer without weights would learn them all."""
    return all(turn.trained for turn in example.turns if turn.role == "assistant")


def texts_of_messages(row: Mapping[str, Any], key: str = "messages") -> Iterator[Text]:
    """The contents of `messages`; an assistant's are trained unless they weigh 0."""
    for message in row[key]:
        content = message.get("content")
        text = content if isinstance(content, str) else ""
        if calls := message.get("tool_calls"):
            text += orjson.dumps(calls).decode()
        yield Text(text, message["role"] == "assistant" and message.get("weight") != 0)


def texts_of_prompt(row: Mapping[str, Any]) -> Iterator[Text]:
    """The contents of `prompt`, then of `completion` or `chosen`, which are trained; each a text or messages."""
    for key, trained in (("prompt", False), ("completion", True), ("chosen", True)):
        value = row.get(key, ())
        for message in [{"content": value}] if isinstance(value, str) else value:
            yield Text(message.get("content") or "", trained)
