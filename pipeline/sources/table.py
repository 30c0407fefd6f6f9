"""Rows of a CSV, JSON lines, XML or Parquet file: one row per turn, per question and answer, or per transcript.

ticket,from,body,at
81,customer,Where is my order?,2026-01-05 12:00:00
81,agent,It left on Monday.,2026-01-05 12:04:00

Where a row names no conversation but the row that it answers, as posts and tweets do, all that hang on one are one.
"""

import re
from array import array
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from functools import cached_property
from hashlib import sha256
from operator import itemgetter
from typing import Any, Final, Literal, Self

import numpy as np
import orjson
from pydantic import Field, model_validator

from pipeline.errors import SourceError
from pipeline.mail.threads import Threads, node_of
from pipeline.params import Section
from pipeline.reading.csv_rows import Dialect, csv_rows
from pipeline.reading.drafts import (
    Detail,
    Draft,
    DraftTurn,
    FindReferent,
    Limits,
    Read,
    ReceivedFile,
    Refused,
    Row,
    Source,
    fault,
)
from pipeline.reading.files import Layout, json_lines, json_records, layout_of
from pipeline.reading.mapped import STARTER, MappedSettings, Pair, Speakers, named_by_starter
from pipeline.reading.nested_replies import standing, unfolded
from pipeline.reading.parquet_rows import parquet_rows
from pipeline.reading.paths import Path as Steps
from pipeline.reading.paths import first, known, parse, shown, unknown
from pipeline.reading.rich_text import as_message
from pipeline.reading.times import microseconds
from pipeline.reading.transcripts import TranscriptLabels, add_transcript
from pipeline.reading.values import as_text, joined_id, native_id, stated
from pipeline.reading.xml_records import xml_records
from pipeline.text import clean


class TurnColumns(Section):
    """One row is one turn."""

    speaker: Speakers
    """Column of the speaker, and what its values mean; a row with any other value makes its conversation unreadable."""
    guest: str | None = None
    """Column that names the speaker where that of the speaker is empty: a guest, or a member who left."""
    text: str | list[str]
    """Column of the message; of several the first that holds something, where questions and answers have theirs apart."""
    subject: str | None = None
    """Column of a title, put before the message that opens the conversation."""
    sent_at: str | None = None
    """Column of the time; null where the source has none."""
    order: str | None = None
    """Column of a number that orders the turns; null to order by time, then by row."""
    author: str | None = None
    """Column with the id of who wrote the turn."""
    parent: str | None = None
    """Column with the id of the row that this one answers, empty where it answers none; `id` is then that of the row itself,
    with Reddit's kind before it (t1_, t3_) or without."""
    rank: str | None = None
    """Column of a number that ranks the rows that answer the same one, the least being the best: only that is read, with what
    answers it, and the others are counted. Null reads all."""

    def fields(self) -> list[str | None]:
        """Every column that is read."""
        return [
            self.speaker.at,
            self.guest,
            *self.texts,
            self.subject,
            self.sent_at,
            self.order,
            self.author,
            self.parent,
            self.rank,
        ]

    @cached_property
    def texts(self) -> list[str]:
        """The columns of the message."""
        return [self.text] if isinstance(self.text, str) else self.text


class PairColumns(Pair):
    """One row is a question and its answer; a bot's log has several of one conversation."""

    several: Literal["refuse", "join"] = "refuse"
    """What several rows of one id are: unreadable, or a conversation, in the order of `asked_at`, then of the rows."""


class TranscriptColumn(TranscriptLabels):
    """One cell is a whole conversation: "Customer: Where is it?", a line break, "Agent: On its way."."""

    at: str
    """Column of the transcript."""

    def fields(self) -> list[str | None]:
        """Every column that is read."""
        return [self.at]


class TableSettings(MappedSettings):
    """A source in rows."""

    format: Literal["table"]
    """table"""
    csv: Dialect = Dialect()
    """How CSV files are written."""
    turn: TurnColumns | None = None
    """Where one row is one turn."""
    pair: PairColumns | None = None
    """Where one row is a question and its answer."""
    replies: str | None = None
    """Path, from a record of JSON, of the list of those that answer it, nested to any depth: each is a row, of the number of the
    record in which it stands."""
    ignore_columns: list[str] = Field(default_factory=list)
    """Columns that are known and not read. A column that is neither mapped nor here is refused."""

    transcript: TranscriptColumn | None = None
    """Where one cell is a whole conversation."""

    @model_validator(mode="after")
    def _has_one_shape(self) -> Self:
        if sum(shape is not None for shape in (self.turn, self.pair, self.transcript)) != 1:
            raise ValueError(
                "map either 'turn' (one row per turn), 'pair' (one row per question and answer) "
                "or 'transcript' (one cell per conversation)"
            )
        if self.pair and self.pair.several == "join" and not self.id_fields:
            raise ValueError("'several: join' needs 'id', the column that ties the pairs of a conversation together")
        if self.turn and not self.id_fields:
            raise ValueError("'turn' needs 'id', the column that ties the turns of a conversation together")
        if self.turn and self.turn.parent and len(self.id_fields) > 1:
            raise ValueError("'parent' needs one column as 'id', by which other rows name the row")
        if self.turn and self.turn.rank and not self.turn.parent:
            raise ValueError("'rank' tells which of several rows that answer one is read: map 'parent', too")
        return self

    @property
    def joins_folder(self) -> bool:
        """Whether a row may answer one of another file."""
        return self.turn is not None and self.turn.parent is not None

    @cached_property
    def columns(self) -> tuple[str, ...]:
        """Every column that is mapped, in one order."""
        shape = self.turn or self.pair or self.transcript
        names = {*(shape.fields() if shape else []), *self.messages, self.kind, *self.of_conversation()}
        return tuple(sorted(name for name in names if name is not None))


def read(file: ReceivedFile, number: int, settings: TableSettings, limits: Limits) -> Iterator[Row]:
    """The rows of one file, mapped columns only."""
    layout = layout_of(file)
    if layout == "jsonl":
        yield from _read_records(file, number, settings, json_lines(file, number, limits))
    elif layout == "json":
        found = json_records(file, number, [settings.record_steps], settings.ignore_beside, limits)
        yield from _read_records(file, number, settings, (row if isinstance(row, Row) else row[1:] for row in found))
    elif layout == "xml":
        elements = xml_records(file, number, settings.record_elements, settings.ignore_beside, limits)
        yield from _read_records(file, number, settings, elements)
    else:
        yield from _read_cells(file, number, settings, limits, layout)


def open_unit(files: Sequence[ReceivedFile], settings: TableSettings, limits: Limits) -> Read | None:
    """Where rows name the row they answer: a `read` whose native ids are those of threads, 40 bytes a row in memory."""
    if settings.turn is None or settings.turn.parent is None:
        return None
    place = settings.columns.index(settings.turn.parent)
    rows, kind_rows, is_answer, answered = array("Q"), array("Q"), array("q"), array("Q")
    lacks_kinds = False
    for number, file in enumerate(files):
        with suppress(SourceError):  # reading it will say why
            for row in read(file, number, settings, limits):
                if row.reason:
                    continue
                parent = _parent(row, place)
                rows.append(node_of(row.native))
                kind_rows.append(node_of(_with_kind(row.native, parent)))
                is_answer.append(parent is not None)
                if parent is not None:
                    answered.append(node_of(parent))
                    lacks_kinds |= _KIND.match(parent) is not None and _KIND.match(row.native) is None
    nodes, answers = np.array(kind_rows if lacks_kinds else rows, np.uint64), np.array(is_answer, np.int64)
    # named by the row that answers none
    threads = Threads(nodes, answers, nodes[answers == 1], np.array(answered, np.uint64))

    def read_threads(file: ReceivedFile, number: int, settings: TableSettings, limits: Limits) -> Iterator[Row]:
        for row in read(file, number, settings, limits):
            own = row.native if row.reason or not lacks_kinds else _with_kind(row.native, _parent(row, place))
            yield row if row.reason else row._replace(native=threads.of(own))

    return read_threads


_KIND: Final = re.compile(r"t[1-6]_")
"""Before an id of Reddit: of a comment (1), of a post (3)."""


def _parent(row: Row, place: int) -> str | None:
    return native_id(orjson.loads(row.payload)[place])


def _with_kind(own: str, parent: str | None) -> str:
    """The id by which others name a row of Reddit's that states its own without the kind: what answers nothing is a post."""
    return f"t3_{own}" if parent is None else f"t1_{own}"


def _read_cells(file: ReceivedFile, number: int, settings: TableSettings, limits: Limits, layout: Layout) -> Iterator[Row]:
    rows = csv_rows(file, number, settings.csv, limits) if layout == "csv" else parquet_rows(file)
    columns = settings.columns
    pick: Callable[[Sequence[Any]], Sequence[Any]] = list
    names: list[str] = []
    at_id: list[int] = []
    for row in rows:
        if isinstance(row, Row):
            yield row
        elif isinstance(row, list):
            names = row
            _check_columns(file, names, settings)
            places = [names.index(column) for column in columns]
            pick = itemgetter(*places) if len(places) > 1 else lambda cells, only=places[0]: (cells[only],)  # type: ignore[misc]
            at_id = [names.index(column) for column in settings.id_fields]
        else:
            position, cells = row
            native = joined_id(cells[place] for place in at_id) if at_id else None
            if not at_id or (native is None and _is_apart(dict(zip(names, cells, strict=True)), settings)):
                native = _content_id(file, zip(names, cells, strict=True))
            payload = orjson.dumps(pick(cells), default=str)
            yield _row(number, position, native, payload)


def _read_records(
    file: ReceivedFile, number: int, settings: TableSettings, rows: Iterator[tuple[int, bytes, Any] | Row]
) -> Iterator[Row]:
    columns = settings.columns
    known_names = {*columns, *settings.ignore_columns, *([settings.replies] if settings.replies else [])}
    tree = known(known_names)
    paths = {column: parse(column) for column in columns if "." in column}
    for row in rows if settings.replies is None else _unfolded(number, rows, parse(settings.replies)):
        if isinstance(row, Row):
            yield row
            continue
        position, raw, record = row
        if left := record.keys() - known_names:
            found = unknown({name: record[name] for name in sorted(left)}, tree)
            if found is not None:
                yield fault(number, position, raw, "unknown_field", found)
                continue
        if paths:
            record = {**record, **{column: first(record, path) for column, path in paths.items() if column not in record}}
        native = joined_id(record.get(column) for column in settings.id_fields) if settings.id_fields else None
        if not settings.id_fields or (native is None and _is_apart(record, settings)):
            native = _content_id(file, row[2].items())
        yield _row(number, position, native, orjson.dumps([record.get(column) for column in columns]))


def _unfolded(number: int, rows: Iterator[tuple[int, bytes, Any] | Row], at: Steps) -> Iterator[tuple[int, bytes, Any] | Row]:
    """Each record, and behind it whatever answers it."""
    for row in rows:
        if isinstance(row, Row):
            yield row
            continue
        for record in unfolded([row[2]], at)[0]:
            if isinstance(record, dict):
                yield row[0], orjson.dumps(record), record
            else:
                yield fault(number, row[0], orjson.dumps(record), "not_a_record")


def _row(number: int, position: int, native: str | None, payload: bytes) -> Row:
    return fault(number, position, payload, "no_id") if native is None else Row(number, position, native, payload)


def _is_apart(record: Mapping[str, Any], settings: TableSettings) -> bool:
    """Whether a row is no message and may therefore belong to no conversation."""
    return bool(settings.messages) and not settings.is_message(record.get)


def _content_id(file: ReceivedFile, cells: Any) -> str:
    """Of the row's own content and its file: equal rows of one file are told apart by ingest, which counts them."""
    content = orjson.dumps(sorted((name, value) for name, value in cells if value not in (None, "")), default=str)
    return sha256(file.label.encode() + b"\0" + content).hexdigest()


def _check_columns(file: ReceivedFile, names: Sequence[str], settings: TableSettings) -> None:
    mapped = settings.columns
    if missing := [column for column in mapped if column not in names]:
        raise SourceError(f"{file.label}: has no column {missing[0]!r}; correct the mapping in params")
    if left := [name for name in names if name not in mapped and name not in settings.ignore_columns]:
        raise SourceError(f"{file.label}: unknown column {shown(left[0])!r}; map it or list it in ignore_columns")
    if twice := [column for column in mapped if names.count(column) > 1]:
        raise SourceError(f"{file.label}: has two columns {twice[0]!r}; rename one in the file")


def assemble(rows: Sequence[Row], settings: TableSettings, _find_referent: FindReferent) -> Draft:
    """One conversation from its rows."""
    columns = settings.columns
    records = [dict(zip(columns, orjson.loads(row.payload), strict=True)) for row in rows]
    draft = Draft()
    messages = [record for record in records if settings.is_message(record.__getitem__)]
    for record in records:
        if not settings.is_message(record.__getitem__):
            settings.leave_out(draft, record.__getitem__)
    if settings.turn:
        _add_turns(draft, _best(draft, messages, settings, settings.turn), settings, settings.turn)
    elif len(records) > 1 and not (settings.pair and settings.pair.several == "join"):
        raise Refused("repeated_id", f"{len(records)} rows")
    elif settings.pair:
        for turn in settings.pair.turns((record.__getitem__ for record in messages), settings):
            _add(draft, turn)
    elif messages and settings.transcript:
        text = clean(as_text(messages[0][settings.transcript.at], settings.transcript.at), settings.text_format)
        add_transcript(draft, text, settings.transcript, settings.transcript.at)
    _add_conversation(draft, records, settings)
    return draft


def _best(
    draft: Draft, records: Sequence[Mapping[str, Any]], settings: TableSettings, shape: TurnColumns
) -> Sequence[Mapping[str, Any]]:
    """Of rows that answer the same one the best, and what answers that; all where nothing ranks them."""
    rank = shape.rank
    if rank is None or shape.parent is None:
        return records
    answers: dict[str | None, list[Mapping[str, Any]]] = {}
    for record in records:
        answers.setdefault(native_id(record[shape.parent]), []).append(record)
    own = {native_id(record[settings.id_fields[0]]) for record in records}
    waiting = [record for parent, below in answers.items() if parent not in own for record in below]
    found: list[Mapping[str, Any]] = []
    while waiting:
        record = waiting.pop()
        found.append(record)
        below = answers.pop(native_id(record[settings.id_fields[0]]), [])
        waiting += [min(below, key=lambda each: standing(each[rank]))] if below else []
    if left_out := len(records) - len(found):
        draft.count("events.alternative", left_out)
    return found


def _add_turns(draft: Draft, records: Sequence[Mapping[str, Any]], settings: TableSettings, shape: TurnColumns) -> None:
    turns: list[tuple[Any, DraftTurn]] = []
    for position, record in enumerate(records):
        who = record[shape.speaker.at]
        speaker = shape.speaker.of(record[shape.guest] if shape.guest and who in (None, "") else who)
        sent_at = _time(record, shape.sent_at, settings)
        author = native_id(record[shape.author]) if shape.author else None
        column = next((each for each in shape.texts if record[each] not in (None, "")), shape.texts[0])
        text = clean(as_message(record[column], column), settings.text_format)
        if shape.sent_at and sent_at is None:
            raise Refused("bad_time", shape.sent_at)
        place = (_number(record, shape.order) if shape.order else sent_at or 0, position)
        turns.append((place, DraftTurn(speaker, text, sent_at, author)))
    turns.sort(key=itemgetter(0))
    opens = {place for place, _ in enumerate(records) if not shape.parent or native_id(records[place][shape.parent]) is None}
    if shape.subject and turns and (at := turns[0][0][1]) in opens:
        subject = clean(as_text(records[at][shape.subject], shape.subject), settings.text_format)
        opening = turns[0][1]
        if not opening.text.startswith(subject):
            turns[0] = turns[0][0], opening._replace(text=f"{subject}\n\n{opening.text}".strip())
    if turns and not opens and any(turn.speaker.startswith(STARTER) for _, turn in turns):
        draft.drop = "opening_not_delivered"  # who asked is not known
    starter = native_id(_one(records, settings.customer)) if settings.customer else None
    ordered = named_by_starter([turn for _, turn in turns], starter)
    for turn in ordered:
        _add(draft, turn)
    if not settings.customer:
        draft.customer = next((turn.author for turn in ordered if turn.speaker == "customer" and turn.author), None)


def _add(draft: Draft, turn: DraftTurn) -> None:
    if turn.text:
        draft.turns.append(turn)
    else:
        draft.count("empty_texts")


def _add_conversation(draft: Draft, records: Sequence[Mapping[str, Any]], settings: TableSettings) -> None:
    def get(column: str) -> Any:
        return _one(records, column)

    settings.describe(draft, get)
    topics = (as_text(record[column], column) for column in settings.topics for record in records)
    draft.topics = list(dict.fromkeys(topic for topic in topics if topic))
    for role, column, kind in settings.identifiers.items():
        for record in records:
            if (value := stated(record[column])) is not None:
                draft.people.append(Detail(draft.customer if role == "customer" else None, role, kind, value))


def _one(records: Sequence[Mapping[str, Any]], column: str) -> Any:
    """What the rows of a conversation say in a column; null where none says anything."""
    values = [record[column] for record in records if record[column] not in (None, "")]
    if any(isinstance(value, list | dict) for value in values):
        raise Refused("wrong_type", column)
    if len(set(values)) > 1:
        raise Refused("contradicting_rows", column)
    return values[0] if values else None


def _time(record: Mapping[str, Any], column: str | None, settings: TableSettings) -> int | None:
    return microseconds(record[column], settings.zone, settings.time_format, column) if column else None


def _number(record: Mapping[str, Any], column: str) -> float:
    try:
        return float(record[column])
    except (TypeError, ValueError):
        raise Refused("bad_order", column) from None


SOURCE = Source(read, assemble, open_unit, cuts="layout")
