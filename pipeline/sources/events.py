r"""Nested JSON, one conversation per record: a list of events of which some are messages, or of questions with their answers.

    {"DialogueID": 7, "Events": [{"Agent": "User", "Action": "utter", "Text": "Hello?", "UnixTime": 1767614400},
                                 {"Agent": "Wizard", "Action": "query", "Constraints": [{"FullName": "\"Jo Fox\""}]}]}
    {"id": 8, "history": [["Hello?", "Hi, what can I do?"]], "instruction": "My tent leaks.", "output": "Please send a photo."}

Records stand one per line (JSON lines), as one JSON document each, or in a list inside a document.
"""

from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property, partial
from hashlib import sha256
from itertools import chain
from operator import itemgetter
from typing import Any, Literal, Self

import orjson
from pydantic import Field, model_validator

from pipeline.errors import SourceError
from pipeline.params import Section
from pipeline.reading.drafts import (
    Detail,
    Draft,
    DraftTurn,
    FindReferent,
    Limits,
    ReceivedFile,
    Refused,
    Row,
    Source,
    fault,
)
from pipeline.reading.files import json_lines, json_records, layout_of
from pipeline.reading.look_ups import LookUpFields
from pipeline.reading.mapped import MappedSettings, Pair, Speakers, named_by_starter
from pipeline.reading.nested_replies import at_names, replaced, unfolded
from pipeline.reading.paths import EACH, Known, find, first, known, parse, unknown
from pipeline.reading.paths import Path as Steps
from pipeline.reading.rich_text import as_message
from pipeline.reading.times import microseconds
from pipeline.reading.values import as_text, joined_id, native_id, stated
from pipeline.reading.xml_records import xml_records
from pipeline.text import clean


class Participants(Section):
    """A list of a record's people, where events name by its id alone who spoke."""

    at: str
    """Path of the list, from the record."""
    id: str
    """Path of the id, from the item."""
    role: str
    """Path, from the item, of what that one is."""


class EventsSettings(MappedSettings):
    """A source of nested records. Paths are dotted steps: a field, a position from 0, or `*` for each."""

    format: Literal["events"]
    """events"""
    opening: str | None = None
    """Path, from the record, of the customer's first message where it stands outside the turns: the question of a thread. It
    was written at `opened_at`, by `customer`."""
    turns: str
    """Path of the list of events, from the record; of several with `*`: those of each thread of a chat."""
    pair: Pair | None = None
    """Where each event is a question and its answer, as paths from it; it takes the place of `speaker` and `text`."""
    replies: str | None = None
    """Path, from an event, of the list of those that answer it, nested to any depth; `turns` may then lead to a single event."""
    rank: str | None = None
    """Path, from an event, of a number that ranks those that answer the same one, the least being the best: only that is read,
    with what answers it, and the others are counted. Null reads all."""
    closing: Pair | None = None
    """Paths, from the record, of a question and its answer that stand outside the turns, behind them."""
    speaker: Speakers | None = None
    """Path from the event of who spoke, and what its values mean."""
    participants: Participants | None = None
    """Where it stands what those are whose ids `speaker.at` holds; what it says of them is then what `speaker` lists."""
    text: str | None = None
    """Path from the event of the message."""
    sent_at: str | None = None
    """Path from the event of its time; null where the source has none."""
    author: str | None = None
    """Path from the event of the id of who wrote it."""
    calls: LookUpFields | None = None
    """Which events are look-ups of the agent's, to be kept as turns of a tool; null: they are counted like the others."""
    agent: str | None = None
    """Path of the agent's id, for messages without an author of their own."""
    ignore_fields: list[str] = Field(default_factory=list)
    """Paths, from the record, of what is known and not read. A field that is neither mapped nor here is refused."""

    @model_validator(mode="after")
    def _has_one_shape(self) -> Self:
        of_messages = (self.speaker, self.text, self.sent_at, self.author, self.participants, self.calls)
        if self.pair is None and (self.speaker is None or self.text is None):
            raise ValueError("map 'speaker' and 'text' (each event is a message), or 'pair' (each is a question and its answer)")
        if self.pair is not None and any(each is not None for each in of_messages):
            raise ValueError(
                "'pair' says who speaks, what and when: leave out speaker, text, sent_at, author, participants, calls"
            )
        if self.rank is not None and self.replies is None:
            raise ValueError("'rank' tells which of several 'replies' is read: map these, too")
        return self

    @cached_property
    def in_event(self) -> list[str]:
        """Paths of what is read of each event, look-ups apart."""
        of_message = [self.kind, self.speaker and self.speaker.at, self.text, self.sent_at, self.author, self.replies, self.rank]
        return [path for path in (*self.messages, *of_message, *(self.pair.fields() if self.pair else ())) if path is not None]

    @cached_property
    def in_record(self) -> list[str]:
        """Paths of what is read beside the events."""
        beside = [self.opening, self.agent, *(self.closing.fields() if self.closing else ())]
        return [*self.of_conversation(), *(path for path in beside if path is not None)]

    @cached_property
    def tree(self) -> Known:
        """Every known path, from the record."""
        in_event = [*(self.calls.fields() if self.calls else ()), *self.in_event]
        events = [f"{self.turns}.*.{path}" for path in in_event]
        people = self.participants
        of_people = [f"{people.at}.*.{people.id}", f"{people.at}.*.{people.role}"] if people else []
        return known([*self.in_record, *self.ignore_fields, *events, *of_people])

    @cached_property
    def steps(self) -> dict[str, Steps]:
        """Every path that is walked, split once."""
        return {path: parse(path) for path in (self.turns, *self.in_event, *self.in_record)}


def read(file: ReceivedFile, number: int, settings: EventsSettings, limits: Limits) -> Iterator[Row]:
    """The records of one file."""
    layout = layout_of(file)
    at_id = [settings.steps[path] for path in settings.id_fields]
    if layout == "jsonl":
        for row in json_lines(file, number, limits):
            yield row if isinstance(row, Row) else _row(number, *row, at_id)
    elif layout == "json":
        for found in json_records(file, number, [settings.record_steps], settings.ignore_beside, limits):
            yield found if isinstance(found, Row) else _row(number, *found[1:], at_id)
    elif layout == "xml":
        for row in xml_records(file, number, settings.record_elements, settings.ignore_beside, limits):
            yield row if isinstance(row, Row) else _row(number, *row, at_id)
    else:
        raise SourceError(f"{file.label}: is {layout}, not JSON; read it as format: table")


def _row(number: int, position: int, raw: bytes, record: Any, at_id: Sequence[Steps]) -> Row:
    native = joined_id(first(record, path) for path in at_id) if at_id else sha256(raw).hexdigest()
    return fault(number, position, raw, "no_id") if native is None else Row(number, position, native, raw)


def assemble(rows: Sequence[Row], settings: EventsSettings, _find_referent: FindReferent) -> Draft:
    """One conversation from its record; equal records of one file count once."""
    if any(row.payload != rows[0].payload for row in rows):
        raise Refused("contradicting_rows", f"{len(rows)} rows")
    draft = Draft()
    record = _unfolded(draft, orjson.loads(rows[0].payload), settings)
    if (field := unknown(record, settings.tree)) is not None:
        raise Refused("unknown_field", field)
    if len(rows) > 1:
        draft.count("repeated_rows", len(rows) - 1)

    def get(path: str | None) -> Any:
        return None if path is None else first(record, settings.steps[path])

    settings.describe(draft, get)
    draft.topics = list(dict.fromkeys(_topics(record, settings)))
    agent = native_id(get(settings.agent))
    _add_turns(draft, record, settings, {"customer": draft.customer, "agent": agent})
    if draft.customer is None:
        draft.customer = next((turn.author for turn in draft.turns if turn.speaker == "customer" and turn.author), None)
    persons = {"customer": draft.customer, "agent": agent}
    for role, path, kind in settings.identifiers.items():
        for found in find(record, settings.steps[path]):
            for value in found if isinstance(found, list) else (found,):
                if (bare := stated(value)) is not None:
                    draft.people.append(Detail(persons.get(role), role, kind, bare))
    return draft


def _unfolded(draft: Draft, record: Any, settings: EventsSettings) -> Any:
    """The record with what answers an event behind it in the list of events."""
    if settings.replies is None:
        return record
    turns = settings.steps[settings.turns]
    events = at_names(record, turns)
    listed = events if isinstance(events, list) else [events] if isinstance(events, dict) else None
    if listed is None:
        return record
    rank = settings.steps[settings.rank] if settings.rank else None
    every, left_out = unfolded(listed, settings.steps[settings.replies], rank)
    if left_out:
        draft.count("events.alternative", left_out)
    return replaced(record, turns, every)


def _topics(record: Any, settings: EventsSettings) -> Iterator[str]:
    for path in settings.topics:
        for found in find(record, settings.steps[path]):
            for topic in found if isinstance(found, list) else (found,):
                if text := as_text(topic, path):
                    yield text


def _add_turns(draft: Draft, record: Any, settings: EventsSettings, authors: Mapping[str, str | None]) -> None:
    lists = [each for each in find(record, settings.steps[settings.turns]) if each is not None]
    if any(not isinstance(each, list) for each in lists):
        raise Refused("wrong_type", settings.turns)
    said = _paired if settings.pair else _messages
    ordered = said(draft, record, list(chain.from_iterable(lists)), settings)
    if settings.opening is not None:
        text = clean(as_message(first(record, settings.steps[settings.opening]), settings.opening), settings.text_format)
        if text:
            ordered.insert(0, DraftTurn("customer", text, draft.opened_at, None))
    if settings.closing is not None:
        ordered += _of_pairs(draft, [record], settings.closing, settings)
    # where the question stands apart, whoever is not known to have asked it answers
    known = authors["customer"] or ("" if settings.opening is not None else None)
    for turn in named_by_starter(ordered, known):
        author = turn.author or authors.get("agent" if turn.call else turn.speaker)  # a look-up is the agent's
        draft.turns.append(turn._replace(author=author))


def _paired(draft: Draft, _record: Any, events: Sequence[Any], settings: EventsSettings) -> list[DraftTurn]:
    """What was asked and answered, pair by pair."""
    assert settings.pair is not None  # it has one shape or the other
    pairs = []
    for event in events:
        get = partial(_value, event, settings.steps)
        if settings.is_message(get):
            pairs.append(event)
        else:
            settings.leave_out(draft, get)
    return _of_pairs(draft, pairs, settings.pair, settings)


def _of_pairs(draft: Draft, values: Sequence[Any], pair: Pair, settings: EventsSettings) -> list[DraftTurn]:
    turns = list(pair.turns((partial(_value, each, settings.steps) for each in values), settings))
    said = [turn for turn in turns if turn.text]
    if empty := len(turns) - len(said):
        draft.count("empty_texts", empty)
    return said


def _messages(draft: Draft, record: Any, events: Sequence[Any], settings: EventsSettings) -> list[DraftTurn]:
    """What was written, message by message, and the look-ups among it."""
    assert settings.speaker is not None  # it has one shape or the other
    assert settings.text is not None  # as above
    steps = settings.steps
    speaker_at, text_at = steps[settings.speaker.at], steps[settings.text]
    sent = settings.sent_at and steps[settings.sent_at]
    author_at = settings.author and steps[settings.author]
    turns: list[tuple[tuple[int, ...], DraftTurn]] = []
    roles = _roles(record, settings.participants) if settings.participants else {}
    for position, event in enumerate(events):
        get = partial(_value, event, steps)
        is_message = settings.is_message(get)
        says = is_message and first(event, text_at) not in (None, "")
        if settings.calls and (settings.calls.answers(event) or (settings.calls.asks(event) and not says)):
            continue
        if not is_message:
            settings.leave_out(draft, get)
            continue
        who = first(event, speaker_at)
        speaker = settings.speaker.of(roles.get(native_id(who), who))
        text = clean(as_message(first(event, text_at), settings.text), settings.text_format)
        if not text:
            draft.count("empty_texts")
            continue
        sent_at = microseconds(first(event, sent), settings.zone, settings.time_format, settings.sent_at or "") if sent else None
        if sent and sent_at is None:
            raise Refused("bad_time", settings.sent_at or "")
        author = native_id(first(event, author_at)) if author_at else None
        turns.append(((sent_at or 0, position), DraftTurn(speaker, text, sent_at, author)))
    if turns and settings.calls:
        turns += _look_ups(draft, events, settings, settings.calls)
    return [turn for _, turn in sorted(turns, key=itemgetter(0))]


def _roles(record: Any, people: Participants) -> dict[str | None, Any]:
    """Id -> what that one is."""
    everybody = find(record, (*parse(people.at), EACH))
    named = ((native_id(first(each, parse(people.id))), each) for each in everybody)
    return {own: first(each, parse(people.role)) for own, each in named if own is not None}


def _value(event: Any, steps: dict[str, Steps], path: str) -> Any:
    return first(event, steps[path])


def _look_ups(
    draft: Draft, events: Sequence[Any], settings: EventsSettings, calls: LookUpFields
) -> Iterator[tuple[tuple[int, ...], DraftTurn]]:
    """A turn of each look-up that has a result; it stands where it was asked."""
    sent = settings.sent_at and settings.steps[settings.sent_at]
    now: int | None = None
    asked: list[tuple[str | None, tuple[int, ...], DraftTurn]] = []
    for position, event in enumerate(events):
        # what a program notes down may have no time of its own
        now = (sent and microseconds(first(event, sent), settings.zone, settings.time_format, settings.sent_at or "")) or now
        if calls.asks(event):
            _count_unanswered(draft, len(asked))
            asked = [
                (name, (now or 0, position, number), DraftTurn("tool", "", now, None, call=call))
                for number, (call, name) in enumerate(calls.calls_of(event))
            ]
            if calls.result_when:
                continue
        elif not calls.answers(event):
            continue
        name = calls.id_of(event)
        found = next((each for each in asked if each[0] == name), None)
        if found is None:
            draft.count("results_without_look_up")
            continue
        asked.remove(found)
        _, place, turn = found
        yield place, turn._replace(text=clean(calls.result_of(event), settings.text_format) or calls.nothing)
    _count_unanswered(draft, len(asked))


def _count_unanswered(draft: Draft, number: int) -> None:
    if number:
        draft.count("look_ups_without_result", number)


SOURCE = Source(read, assemble, cuts="layout")
