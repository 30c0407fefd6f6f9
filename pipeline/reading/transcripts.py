"""A text that is a whole conversation: where somebody begins to speak, and who that is.

    [10:02] Jane Fox: Where is my order?
    [10:04] Al Roe (Agent): It left on Monday.

Labels are told from other words before a colon by coming again, by a time before them, or because every line has one.
"""

import re
from collections import Counter
from collections.abc import Mapping
from functools import cached_property
from typing import Final, Literal, NamedTuple, Self

from pydantic import Field, model_validator

from pipeline.params import Section
from pipeline.reading.drafts import Detail, Draft, DraftTurn, Refused
from pipeline.reading.field_words import names_a_field
from pipeline.reading.mapped import STARTER, named_by_starter

TIME: Final = r"(?P<time>[\[(]?[\d:./ -]{4,20}(?:[AaPp][Mm])?[\])]?[ ,-]*|\( ?(?:\d{1,3}[hms] ?){1,3}\) *)?"
"""What may stand before a label: a time, or how long the chat had lasted, as Salesforce writes ( 1m 20s )."""

_WHO: Final = r"(?P<who>[^\W\d_][\w .'\u2019@-]{0,40}?)\**[ \t]*(?:[(\[](?P<mark>[^()\[\]\n]{0,60})[)\]])?"
_LABEL: Final = re.compile(rf"^[ \t>*-]{{0,4}}{TIME}{_WHO}[ \t]*[:\uff1a](?!//)\**[ \t]*", re.MULTILINE)
_MOST_WORDS: Final = 4
"""A label of more is a sentence."""

STAFF: Final = frozenset({"agent", "bot"})
LEFT_OUT: Final = "left_out"
"""Stands for the speaker of what is no message."""


class Label(NamedTuple):
    """Where somebody begins to speak."""

    start: int
    """Where the label begins."""
    end: int
    """Where what is said begins."""
    role: str
    """Who that is; empty where neither the label nor what stands in parentheses says it."""
    who: str = ""
    """The label, without what stands in parentheses; empty where it only says the role."""
    word: str = ""
    """What of it says that somebody is staff; empty where nothing does."""
    is_name: bool = False
    """Whether the label is what somebody is called."""


def _staff_word(who: str, mark: str | None, roles: Mapping[str, str]) -> str:
    """What of a label says that somebody is staff: "agent" of "Al Roe (Agent)", "support" of "Acme Support"; or nothing."""
    words = who.casefold().split()
    return next((word for word in ((mark or "").strip().casefold(), words[-1], words[0]) if roles.get(word) in STAFF), "")


def named_labels(text: str, roles: Mapping[str, str], *, are_names: bool) -> tuple[list[Label], bool]:
    """The labels that `roles` does not name, and whether there may be more of them than can be told from other words.

    Where labels are not expected to be names, only those that come again or have a time count.
    """
    every = [match for match in _LABEL.finditer(text) if len(match["who"].split()) <= _MOST_WORDS]
    found = [match for match in every if match["who"].casefold() not in roles]
    often = Counter(match["who"].casefold() for match in found)
    is_each_line = len(every) == sum(bool(line.strip()) for line in text.splitlines())
    labels: list[Label] = []
    doubtful: list[Label] = []
    for match in found:
        who, mark = match["who"], (match["mark"] or "").strip().casefold()
        word = _staff_word(who, mark, roles)
        role = roles.get(word or mark, "")
        is_name = not names_a_field(who)
        begins = is_each_line or not text[: match.start()].strip()
        label = Label(match.start(), match.end(), role, who, word, is_name and word in {"", mark})
        if role or often[who.casefold()] > 1 or match["time"] or (are_names and is_name and begins):
            labels.append(label)
        elif are_names and is_name:
            doubtful.append(label)
    if len(doubtful) == 1 and labels and all(label.role in STAFF for label in labels):
        return sorted([*labels, *doubtful]), False  # somebody was answered
    return labels, bool(doubtful)


class TranscriptLabels(Section):
    """What stands before the colons of a text that is a whole conversation."""

    customer: list[str] = Field(default_factory=list)
    """What stands before the colon where the customer speaks, whatever its case."""
    agent: list[str] = Field(default_factory=list)
    """The same for a human agent: the whole label, its first or last word, or what stands in parentheses behind it."""
    bot: list[str] = Field(default_factory=list)
    """The same for a bot."""
    left_out: list[str] = Field(default_factory=list)
    """The same for what is no message, such as internal notes: it is counted."""
    others: Literal["refuse", "starter"] = "refuse"
    """What any other label means that comes again or has a time before it: the conversation is refused, or labels are names,
    the first of those that are not known is the customer, if no label says who is, and everybody else an agent."""

    @model_validator(mode="after")
    def _knows_a_customer(self) -> Self:
        if not self.customer and self.others == "refuse":
            raise ValueError(
                "needs 'customer', what the customer's lines begin with, or 'others: starter' where names stand there"
            )
        return self

    @cached_property
    def speakers(self) -> dict[str, str]:
        """Label, casefolded -> speaker."""
        lists = {"customer": self.customer, "agent": self.agent, "bot": self.bot, LEFT_OUT: self.left_out}
        return {label.casefold(): speaker for speaker, labels in lists.items() for label in labels}

    @cached_property
    def begins(self) -> re.Pattern[str]:
        """Where somebody begins to speak: a line or the end of a sentence, perhaps a time, a label, perhaps a name, a colon."""
        labels = "|".join(re.escape(label) for label in sorted(self.speakers, key=len, reverse=True)) or r"(?!)"
        begin = r"(?:^|(?<=[.!?])[ \t]+|[ \t]*[|\t][ \t]*)[ \t>*-]{0,4}"
        end = r"\**[ \t]*(?:\([^()\n]{0,60}\))?[ \t]*[:\uff1a]\**[ \t]*"
        return re.compile(f"{begin}{TIME}(?P<who>{labels}){end}", re.IGNORECASE | re.MULTILINE)


def add_transcript(draft: Draft, text: str, shape: TranscriptLabels, where: str) -> None:
    """Put the turns of a transcript, and the names of those who speak in it, into the draft.

    Raises:
        Refused: it cannot be told who speaks; `where` names the field.
    """
    known = [Label(found.start(), found.end(), shape.speakers[found["who"].casefold()]) for found in shape.begins.finditer(text)]
    named, is_doubtful = named_labels(text, shape.speakers, are_names=shape.others == "starter")
    labels = sorted([*known, *named])
    if shape.others == "refuse":
        is_doubtful = not all(label.role for label in labels)
    else:
        is_doubtful &= len({label.role or label.who.casefold() for label in labels}) == 1  # whoever answers is not told
    if is_doubtful or (text and not labels):
        raise Refused("unknown_speaker", where)
    if labels and text[: labels[0].start].strip():
        draft.count("texts_before_speakers")
    ends = (*(label.start for label in labels[1:]), len(text))
    turns = [
        DraftTurn(
            label.role or f"{STARTER}{label.who.casefold()}", text[label.end : end].strip(), None, label.who.casefold() or None
        )
        for label, end in zip(labels, ends, strict=False)  # an empty cell begins nowhere
    ]
    if left_out := sum(turn.speaker == LEFT_OUT for turn in turns):
        draft.count("events.left_out", left_out)
        labels = [label for label in labels if label.role != LEFT_OUT]
        turns = [turn for turn in turns if turn.speaker != LEFT_OUT]
    # where a label says who the customer is, no name stands for one
    turns = named_by_starter(turns, "" if any(turn.speaker == "customer" for turn in turns) else None)
    for turn in turns:
        if turn.text:
            draft.turns.append(turn)
        else:
            draft.count("empty_texts")
    draft.customer = next((turn.author for turn in turns if turn.speaker == "customer"), None)
    for label, turn in zip(labels, turns, strict=True):
        role = turn.speaker if turn.speaker in {"customer", "agent"} else "other"
        if label.is_name and (detail := Detail(turn.author, role, "PERSON", label.who)) not in draft.people:
            draft.people.append(detail)
