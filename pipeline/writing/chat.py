"""What a training row is made of, and what its consumer asks of it: where formats, emit and the file checker meet."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Literal, NamedTuple


class Turn(NamedTuple):
    """One message of an example."""

    turn_id: str
    role: str
    """user or assistant."""

    content: str
    trained: bool = True
    """Whether a model should learn to say it; only an assistant's can be."""


@dataclass(frozen=True, slots=True)
class Example:
    """One conversation as every format is told it: the user first, roles in turn, the assistant last."""

    turns: Sequence[Turn]
    system: str | None = None
    """What the assistant is told before the conversation."""

    liked: bool | None = None
    """Whether the customer was content with how it ended; None where the source does not say."""


class Row(NamedTuple):
    """One line of a training file."""

    content: dict[str, Any]
    reply: str | None = None
    """The turn it trains, where a format has a row for each; None when the row trains all it may."""


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

    faults: Callable[[Mapping[str, Any]], Iterator[Fault]]
    """What the consumer would not take, of one parsed row."""

    texts: Callable[[Mapping[str, Any]], Iterator[Text]]
    """The texts of a row without faults, to be counted in tokens."""

    source: str
    """Where the rules were read: page, or repository, version and file."""

    read: date
    """When they were read: vendors change them."""

    rows: Callable[[Example], Iterator[Row]] | None = None
    """The rows of one example; None where no table holds what the format needs, so that it can only be checked."""

    rated_only: bool = False
    """Whether only rated conversations have rows; those without are then not lost."""

    min_rows: int = 1
    """Fewest rows the consumer trains on; its hard floor."""

    max_rows: int | None = None
    """Most rows it takes."""

    max_file_bytes: int | None = None
    """Largest file it takes."""

    default_max_tokens: int | None = None
    """Where it cuts or drops a row unless told otherwise, in its own tokens."""

    byte_order_mark: bool = False
    """Whether files start with one."""

    container: Literal["jsonl", "parquet"] = "jsonl"

    beside: Callable[[Mapping[str, Sequence[str]]], Mapping[str, Any]] | None = None
    """Further JSON files the consumer wants in the folder: from split -> file names to name -> content."""


def messages_of(example: Example) -> list[dict[str, Any]]:
    """Messages of role and content, the system text first.

    >>> messages_of(Example([Turn("t0", "user", "Hi"), Turn("t1", "assistant", "Hello.")]))
    [{'role': 'user', 'content': 'Hi'}, {'role': 'assistant', 'content': 'Hello.'}]
    """
    said = [{"role": turn.role, "content": turn.content} for turn in example.turns]
    return said if example.system is None else [{"role": "system", "content": example.system}, *said]


def weighted_messages_of(example: Example) -> list[dict[str, Any]]:
    """Messages as `messages_of` gives them; an assistant's that should not be trained has weight 0.

    >>> weighted_messages_of(Example([Turn("t0", "user", "Hi"), Turn("t1", "assistant", "I am a bot.", trained=False)]))
    [{'role': 'user', 'content': 'Hi'}, {'role': 'assistant', 'content': 'I am a bot.', 'weight': 0}]
    """
    messages = messages_of(example)
    for message, turn in zip(reversed(messages), reversed(example.turns), strict=False):  # the system text is none
        if not turn.trained and turn.role == "assistant":
            message["weight"] = 0
    return messages


def replies_of(example: Example) -> Iterator[tuple[list[dict[str, Any]], Turn]]:
    """Every reply that should be trained, with the messages before it.

    >>> asked, answered = Turn("t0", "user", "Hi"), Turn("t1", "assistant", "Hello.")
    >>> [(len(before), reply.turn_id) for before, reply in replies_of(Example([asked, answered, asked, answered]))]
    [(1, 't1'), (3, 't1')]
    """
    messages = messages_of(example)
    offset = len(messages) - len(example.turns)
    for place, turn in enumerate(example.turns):
        if turn.role == "assistant" and turn.trained:
            yield messages[: place + offset], turn


def is_all_trained(example: Example) -> bool:
    """Whether every answer may be learnt: a consumer without weights would learn them all."""
    return all(turn.trained for turn in example.turns if turn.role == "assistant")


def texts_of_messages(row: Mapping[str, Any], key: str = "messages") -> Iterator[Text]:
    """The contents of `messages`; an assistant's are trained unless they weigh 0."""
    for message in row[key]:
        content = message.get("content")
        yield Text(content if isinstance(content, str) else "", message["role"] == "assistant" and message.get("weight") != 0)


def texts_of_prompt(row: Mapping[str, Any]) -> Iterator[Text]:
    """The contents of `prompt`, then of `completion` or `chosen`, which are trained; each a text or messages."""
    for key, trained in (("prompt", False), ("completion", True), ("chosen", True)):
        value = row.get(key, ())
        for message in [{"content": value}] if isinstance(value, str) else value:
            yield Text(message.get("content") or "", trained)
