"""What a training row is made of, and what its consumer asks of it: where formats, emit and the file checker meet."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, NamedTuple


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


class Row(NamedTuple):
    """One line of a training file."""

    content: dict[str, Any]
    reply: str | None = None
    """The turn it trains, where a format has a row for each; None when the row trains all it may."""


class Fault(NamedTuple):
    """What a consumer would refuse, skip or silently misread."""

    name: str
    where: str
    """Path inside the row, such as messages[2].role; never a value."""


@dataclass(frozen=True)
class Format:
    """One consumer's rows: how to write them, and how to tell a bad one."""

    rows: Callable[[Example], Iterable[Row]]
    """The rows of one example; none where the format has no use for it."""

    faults: Callable[[Mapping[str, Any]], Iterator[Fault]]
    """What the consumer would not take, of one parsed row."""

    source: str
    """Where the rules were read: page, or repository, version and file."""

    read: date
    """When they were read: vendors change them."""

    min_rows: int
    """Fewest rows the consumer trains on; its hard floor."""

    max_file_bytes: int | None = None
    """Largest file it takes."""

    default_max_tokens: int | None = None
    """Where it cuts or drops a row unless told otherwise."""

    byte_order_mark: bool = False
    """Whether files start with one."""


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
