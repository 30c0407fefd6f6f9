"""What params say of sources whose fields they map: rows of a table, nested records.

Where `table` has columns, `events` has paths; what they mean is the same, and stands here once.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import cached_property
from operator import itemgetter
from typing import Annotated, Any, Final, Literal

from pydantic import AfterValidator, Field

from pipeline.params import Section
from pipeline.reading.drafts import Draft, DraftTurn, Refused, SourceSettings
from pipeline.reading.paths import EACH, parse
from pipeline.reading.paths import Path as Steps
from pipeline.reading.rich_text import as_message
from pipeline.reading.times import microseconds
from pipeline.reading.values import as_number, as_text, native_id
from pipeline.reading.xml_records import ROOT
from pipeline.text import clean


class Csat(Section):
    """A satisfaction rating as a share: 1 = fully satisfied."""

    at: str
    """Where the rating stands."""
    lowest: float | None = None
    """The worst mark of a scale; null where `marks` names each."""
    highest: float | None = None
    """The best mark of a scale."""
    marks: dict[str | int, float] = Field(default_factory=dict)
    """Mark -> share in [0, 1], such as {good: 1, bad: 0}."""

    def share(self, value: Any) -> float | None:
        """The share a mark stands for; null for no mark.

        Raises:
            Refused: the mark is not on the scale.
        """
        if value in (None, ""):
            return None
        if isinstance(value, str | int) and value in self.marks:
            return self.marks[value]
        mark = as_number(value)
        if mark is None or self.lowest is None or self.highest is None or not self.lowest <= mark <= self.highest:
            raise Refused("unknown_value", self.at)
        return (mark - self.lowest) / (self.highest - self.lowest)


class Flag(Section):
    """A yes or no from a field."""

    at: str
    """Where it stands."""
    true_values: list[str | int | bool]
    """Values that mean yes."""
    false_values: list[str | int | bool] = Field(default_factory=list)
    """Values that mean no; any other value is unknown (null)."""

    def holds(self, value: Any) -> bool | None:
        """Yes, no, or null for neither."""
        if value in self.true_values:
            return True
        return False if value in self.false_values else None


class OutcomeFields(Section):
    """Where the source says how the conversation ended; what is not mapped stays null."""

    resolved: Flag | None = None
    """Whether the case was solved."""
    csat: Csat | None = None
    """The customer's rating."""
    reopened: Flag | None = None
    """Whether it was opened again after it was solved."""

    def fields(self) -> list[str]:
        """Every field that is read."""
        return [each.at for each in (self.resolved, self.csat, self.reopened) if each]

    def apply(self, draft: Draft, get: Callable[[str], Any]) -> None:
        """Set the outcome of `draft` from the fields that `get` reads."""
        if self.resolved:
            draft.resolved = self.resolved.holds(get(self.resolved.at))
        if self.csat:
            draft.csat = self.csat.share(get(self.csat.at))
        if self.reopened:
            draft.reopened = self.reopened.holds(get(self.reopened.at))


_OTHER_SPELLINGS: Final = {
    "EMAIL": "EMAIL_ADDRESS",
    "MAIL": "EMAIL_ADDRESS",
    "PHONE": "PHONE_NUMBER",
    "NAME": "PERSON",
    "USERNAME": "USER_NAME",
    "HANDLE": "USER_NAME",
    "ADDRESS": "STREET_ADDRESS",
    "IP": "IP_ADDRESS",
    "IBAN": "IBAN_CODE",
    "SSN": "US_SSN",
    "CARD": "CREDIT_CARD",
    "ORDER": "ORDER_NUMBER",
    "ACCOUNT": "ACCOUNT_NUMBER",
    "COMPANY": "ORGANIZATION",
    "CITY": "LOCATION",
}


def _entity_type(kind: str) -> str:
    if (meant := _OTHER_SPELLINGS.get(kind.upper(), kind)) != kind:
        message = f"the entity type {kind} is spelt {meant} here; a value of another type gets another stand-in"
        raise ValueError(message)
    return kind


Identifiers = Mapping[str, Annotated[str, AfterValidator(_entity_type)]]
"""Field -> entity type of the personal value in it, spelt as Presidio spells it: {email: EMAIL_ADDRESS}."""


class PeopleFields(Section):
    """Fields with values the source states about people: scrub looks for them in every turn of the conversation."""

    customer: Identifiers = Field(default_factory=dict)
    """About the customer."""
    agent: Identifiers = Field(default_factory=dict)
    """About the agent."""
    other: Identifiers = Field(default_factory=dict)
    """About third persons."""

    def items(self) -> Iterator[tuple[str, str, str]]:
        """(role, field, entity type) of every mapped value."""
        for role, fields in (("customer", self.customer), ("agent", self.agent), ("other", self.other)):
            for at, kind in fields.items():
                yield role, at, kind

    def fields(self) -> list[str]:
        """Every field that is read."""
        return [at for _, at, _ in self.items()]


class Speakers(Section):
    """What the source calls who spoke."""

    at: str
    """Field with the speaker."""
    customer: list[str | int | bool] = Field(default_factory=list)
    """Values that mean the customer."""
    agent: list[str | int | bool] = Field(default_factory=list)
    """Values that mean a human agent."""
    bot: list[str | int | bool] = Field(default_factory=list)
    """Values that mean a bot."""
    tool: list[str | int | bool] = Field(default_factory=list)
    """Values that mean a tool or a system that took part."""
    others: Literal["refuse", "starter"] = "refuse"
    """What any other value means: the conversation is refused, or, as in a forum, the field names the author. Where `agent` lists
    the staff, everybody else is then a customer; else whoever wrote first is the customer and everybody else an agent."""

    @cached_property
    def names(self) -> dict[Any, str]:
        """Value -> speaker."""
        lists = {"customer": self.customer, "agent": self.agent, "bot": self.bot, "tool": self.tool}
        return {value: speaker for speaker, values in lists.items() for value in values}

    def of(self, value: Any) -> str:
        """Who a value means; `STARTER` and the value where that shows only when the messages are in order.

        Raises:
            Refused: it is none of the known ones.
        """
        bare = None if isinstance(value, list | dict) else value
        if (speaker := self.names.get(bare)) is not None:
            return speaker
        if self.others == "refuse" or bare in (None, ""):
            raise Refused("unknown_speaker", self.at)
        return "customer" if self.agent else f"{STARTER}{bare}"


STARTER: Final = "starter:"
"""Begins the speaker of a turn that is not yet known to be the customer's or an agent's."""


def named_by_starter(turns: Sequence[DraftTurn], customer: str | None = None) -> list[DraftTurn]:
    """Turns in order, where whoever wrote first, or is known to be the customer, is that, and every other author an agent."""
    starter = next((turn.speaker for turn in turns if turn.speaker.startswith(STARTER)), None)
    if customer is not None:
        starter = f"{STARTER}{customer}"
    return [
        turn._replace(speaker="customer" if turn.speaker == starter else "agent") if turn.speaker.startswith(STARTER) else turn
        for turn in turns
    ]


_KIND: Final = re.compile(r"[A-Za-z_][\w.-]{0,39}")
"""What is no message may be counted by such a name; anything longer or odder counts as "other"."""

TRUE: Final = frozenset(
    {
        *("true", "t", "yes", "y", "1", "ja", "j", "wahr", "oui", "vrai", "sí", "si", "verdadero", "sì", "vero", "waar"),
        *("sim", "verdadeiro"),
    }
)
FALSE: Final = frozenset({"false", "f", "no", "n", "0", "nein", "falsch", "non", "faux", "falso", "nee", "onwaar", "não", "nao"})
"""How exports say yes and no: in English, German, French, Spanish, Italian, Dutch, Portuguese."""


def is_one_of(value: Any, wanted: Sequence[str | int | bool]) -> bool:
    """Whether a field holds one of these; `true` and `false` are also written as texts do, and "" is nothing at all."""
    bare = "" if value is None else value
    if bare in wanted:
        return True
    word = bare.strip().casefold() if isinstance(bare, str) else ""
    return any(word in (TRUE if each else FALSE) for each in wanted if isinstance(each, bool))


class MappedSettings(SourceSettings):
    """Where the fields of a conversation stand: columns of a table, or dotted paths from a nested record."""

    records: str = ""
    """Path of the records inside a JSON document; empty where the document is a record or a list of them. In XML that of their
    elements below the root; empty where all in the root are records, "." where the root is one."""
    by_id: bool = False
    """Whether the records stand there by their ids, {"81": {...}, "82": {...}}, and not in a list."""
    ignore_beside: list[str] = Field(default_factory=list)
    """Fields of a JSON document beside its records that are known and not read; of XML elements, attributes and, as `text`, loose
    text in the elements around them."""
    id: str | list[str] | None = None
    """The native conversation id, or the fields that name it together, such as a channel and a topic in it; null makes every
    record a conversation of its own."""
    messages: dict[str, list[str | int | bool]] = Field(default_factory=dict)
    """Which events, or rows, are messages: field -> values; all must hold. All others, such as internal notes, are counted.
    Empty: every one is a message."""
    kind: str | None = None
    """What an event, or a row, is: those that are no messages are counted by it."""
    opened_at: str | None = None
    """The time the conversation began; null for the time of its first turn."""
    channel: str | None = None
    """The channel."""
    language: str | None = None
    """The language."""
    product: str | None = None
    """The product."""
    topics: list[str] = Field(default_factory=list)
    """Topics, labels, intents; where there is a list, each counts."""
    customer: str | None = None
    """The customer's id; null for the author of the customer's turns."""
    outcome: OutcomeFields = OutcomeFields()
    """What says how it ended."""
    identifiers: PeopleFields = PeopleFields()
    """Personal values."""

    @property
    def rows_have_ids(self) -> bool:
        """Without an id every record is a conversation."""
        return bool(self.id_fields)

    @cached_property
    def id_fields(self) -> tuple[str, ...]:
        """The fields that name a conversation together."""
        return () if self.id is None else (self.id,) if isinstance(self.id, str) else tuple(self.id)

    @cached_property
    def record_elements(self) -> Steps:
        """Where each record stands in XML, below its root."""
        return ROOT if (self.records,) == ROOT else parse(self.records)

    @cached_property
    def record_steps(self) -> Steps:
        """Where each record stands."""
        return (*parse(self.records), EACH) if self.records or self.by_id else ()

    def of_conversation(self) -> Iterator[str]:
        """Every field of the conversation that is read, the messages apart."""
        single = (*self.id_fields, self.opened_at, self.channel, self.language, self.product, self.customer)
        yield from (at for at in single if at is not None)
        yield from (*self.topics, *self.outcome.fields(), *self.identifiers.fields())

    def is_message(self, get: Callable[[str], Any]) -> bool:
        """Whether the event or row that `get` reads is a message."""
        return all(is_one_of(get(field), values) for field, values in self.messages.items())

    def leave_out(self, draft: Draft, get: Callable[[str], Any]) -> None:
        """Count the event or row that `get` reads, which is no message."""
        kind = get(self.kind) if self.kind else None
        draft.count(f"events.{kind if isinstance(kind, str) and _KIND.fullmatch(kind) else 'other'}")

    def describe(self, draft: Draft, get: Callable[[str], Any]) -> None:
        """Set what is known of the conversation, but for topics and people, from the fields that `get` reads."""
        for field, at in (("channel", self.channel), ("language", self.language), ("product", self.product)):
            if at:
                setattr(draft, field, as_text(get(at), at) or None)
        if self.customer:
            draft.customer = native_id(get(self.customer))
        if self.opened_at:
            draft.opened_at = microseconds(get(self.opened_at), self.zone, self.time_format, self.opened_at)
        self.outcome.apply(draft, get)


class Pair(Section):
    """A question and its answer that stand beside each other."""

    question: str
    """Field of what the customer wrote."""
    answer: str | None = None
    """Field of what the agent answered; empty ones, or null for a source without answers, leave it unanswered."""
    asked_at: str | None = None
    """Field of the time of the question; null where the source has none."""
    answered_at: str | None = None
    """Field of the time of the answer."""
    answered_by: Literal["agent", "bot"] = "agent"
    """Who answers."""

    def fields(self) -> list[str | None]:
        """Every field that is read."""
        return [self.question, self.answer, self.asked_at, self.answered_at]

    def turns(self, pairs: Iterable[Callable[[str], Any]], settings: MappedSettings) -> Iterator[DraftTurn]:
        """What was asked and answered in the pairs that these read, by their times, then as they came; a text may be empty."""

        def turn(speaker: str, get: Callable[[str], Any], at: str, sent: str | None) -> DraftTurn:
            sent_at = microseconds(get(sent), settings.zone, settings.time_format, sent) if sent else None
            return DraftTurn(speaker, clean(as_message(get(at), at), settings.text_format), sent_at, None)

        found: list[tuple[int, list[DraftTurn]]] = []
        now = 0
        for get in pairs:
            said = [turn("customer", get, self.question, self.asked_at)]
            said += [turn(self.answered_by, get, self.answer, self.answered_at)] if self.answer else []
            now = next((each.sent_at for each in said if each.sent_at is not None), now)  # a pair without a time follows the last
            found.append((now, said))
        for _, said in sorted(found, key=itemgetter(0)):
            yield from said
