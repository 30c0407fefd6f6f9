"""One question to a model, its reply, and its cache key; what a provider is asked and what it gives back."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, fields
from functools import cached_property
from hashlib import sha256
from typing import Any, ClassVar, Final

import orjson


@dataclass(frozen=True)
class Message:
    """One message of a chat request."""

    role: str
    """system, user or assistant."""

    content: str


@dataclass(frozen=True)
class Request:
    """Everything that decides what a model replies. Scrubbed text only."""

    endpoint: str
    model: str
    messages: tuple[Message, ...]
    temperature: float | None
    """None: not sent."""

    max_tokens: int
    length_field: str = "max_tokens"
    """What the endpoint calls `max_tokens`."""

    seed: int | None = None
    extra: Mapping[str, Any] = field(default_factory=dict)
    """Further fields of the body, such as `response_format` or what one vendor alone understands."""

    path: ClassVar[str] = "/chat/completions"

    def body(self) -> dict[str, Any]:
        """The body of a chat completion request."""
        drawn = {"temperature": self.temperature, "seed": self.seed}
        return {
            "model": self.model,
            "messages": [{"role": message.role, "content": message.content} for message in self.messages],
            self.length_field: self.max_tokens,
            **{name: value for name, value in drawn.items() if value is not None},
            **self.extra,
        }

    @cached_property
    def encoded(self) -> bytes:
        """The body as it is sent."""
        return orjson.dumps(self.body())

    @cached_property
    def key(self) -> str:
        """Cache key over every field, so that none can be forgotten; 64 hexadecimal digits."""
        values = {"path": self.path, **{field.name: getattr(self, field.name) for field in fields(self)}}
        return sha256(orjson.dumps(values, option=orjson.OPT_SORT_KEYS)).hexdigest()


@dataclass(frozen=True)
class EmbeddingRequest(Request):
    """One text, to be made a vector; the reply's text is that vector, 4 bytes a number, little-endian, in base64."""

    path: ClassVar[str] = "/embeddings"

    def body(self) -> dict[str, Any]:
        """The body of an embeddings request."""
        return {"model": self.model, "input": self.messages[0].content, "encoding_format": "float"}


@dataclass(frozen=True)
class Choice:
    """One text of a reply."""

    text: str
    finish_reason: str
    """stop, length, content_filter or refusal."""

    def read_json(self) -> Any:
        """The object that the text is, or holds: models in a chat put it into a code fence, or a sentence before it.

        Raises:
            ValueError: it is none; half a surrogate pair, which could not be written to a table, is none either.
        """
        return orjson.loads(self.text[self.text.find("{") : self.text.rfind("}") + 1])


@dataclass(frozen=True)
class Reply:
    """What a model answered to one request."""

    choices: tuple[Choice, ...]
    """One, unless the request asked for more (`n`)."""

    model: str
    """As the endpoint names it, which may say more than was asked for."""

    input_tokens: int
    """0: the endpoint did not say."""

    output_tokens: int

    without: tuple[str, ...] = ()
    """Fields of the request that the endpoint did not take; `system`: the instructions stood in the first message of the user."""

    def to_json(self) -> str:
        """One line of JSON; equal replies, equal lines."""
        return orjson.dumps(self, option=orjson.OPT_SORT_KEYS).decode()

    @classmethod
    def from_json(cls, line: str) -> "Reply":
        """What `to_json` wrote."""
        content = orjson.loads(line)
        content["choices"] = tuple(Choice(**choice) for choice in content["choices"])
        return cls(**{**content, "without": tuple(content.get("without", ()))})


@dataclass(frozen=True)
class Hit:
    """An exchange of the team's own, or a passage of its knowledge, that resembles a question."""

    id: str
    score: float
    """Similarity to the question in [0, 1]."""

    question: str
    """What was asked; the heading of a passage."""

    answer: str

    is_exchange: bool = True
    """True: an agent said it to another customer; False: it stands in the team's knowledge."""


@dataclass(frozen=True)
class Turn:
    """What was said before, as a provider sees it."""

    turn_id: str
    speaker: str
    text: str


@dataclass(frozen=True)
class Question:
    """A conversation that waits for an answer. Scrubbed text only."""

    conversation_id: str
    turn_id: str
    """The last turn: the one nobody answered."""

    language: str | None
    turns: tuple[Turn, ...]
    hits: tuple[Hit, ...]
    """What the answer may rest on, best first."""

    style: tuple[Hit, ...] = ()
    """How the team writes: nothing that the answer may rest on."""

    asked_by: int = 1
    """Conversations that came in with these words, or nearly: this one, and those that dedupe dropped for it."""

    @property
    def hash(self) -> str:
        """Over everything said so far: an answer to other words is no answer to these.

        A letter and 16 hexadecimal digits: without it one hash in 800 is a number to a spreadsheet, such as 12345678901234e5.
        """
        said = orjson.dumps([[turn.speaker, turn.text] for turn in self.turns])
        return f"h{sha256(said).hexdigest()[:16]}"


@dataclass(frozen=True)
class Answer:
    """What the next turn of a conversation says, and how it came to be."""

    text: str
    provider: str
    model: str
    prompt_version: str | None
    grounding: tuple[Hit, ...]
    is_human: bool = False
    """A person wrote it for this question: its turn has origin human, and nothing was generated."""

    without: tuple[str, ...] = ()
    """As with the reply that it is."""


@dataclass(frozen=True)
class Gap:
    """No answer, and why."""

    reason: str
    """Names the fault: unanswered, refused, cut_off, provider_error, …"""

    detail: str = ""
    """A count, status or id; never text."""

    may_pass: bool = False
    """The next run may get an answer: its part is not used again."""


PASSING: Final = "gaps_that_may_pass"
"""Count in a manifest of gaps that the next run may fill."""

Candidates = tuple[Answer, ...]
"""Answers to one question, the first choice first; at least one."""


@dataclass(frozen=True)
class Settled:
    """What became of one question."""

    given: Answer | Gap
    rejected: tuple[tuple[str, str], ...] = ()
    """Answers that were not taken: reason, text."""

    judged: str | None = None
    """What the judge said of `given`, where one was asked: accept, reject or unparsable; flipped: both, by the order."""


Settle = Callable[[Question, Candidates], Settled]
"""Chooses among the answers to one question; deterministic, and asks nobody."""

Answerer = Callable[[Iterable[Question], Settle], Sequence[Settled]]
"""What a provider is to the stage: what became of every question, in their order. Takes each when it is about to ask it, and
settles it as soon as it has answers."""
