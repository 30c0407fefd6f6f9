"""What exports of help desks have in common: records of several kinds, told apart by their fields, in JSON or tables.

A kind is known by the fields that only it has. Every other field of it is mapped, ignored by name, or refused.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from email.utils import getaddresses
from fnmatch import fnmatchcase
from functools import lru_cache
from typing import Any, Final, Literal, NamedTuple

import orjson
from pydantic import Field

from pipeline.errors import SourceError
from pipeline.reading.csv_rows import Dialect, csv_rows
from pipeline.reading.drafts import (
    Detail,
    Draft,
    DraftTurn,
    FindReferent,
    Limits,
    ReceivedFile,
    Referent,
    Refused,
    Row,
    SourceSettings,
    fault,
)
from pipeline.reading.files import json_lines, json_records, layout_of, opened
from pipeline.reading.parquet_rows import parquet_rows
from pipeline.reading.paths import Path as Steps
from pipeline.reading.paths import parse, shown
from pipeline.reading.times import microseconds
from pipeline.reading.values import as_list, as_record, as_text, native_id, stated
from pipeline.text import clean

PEEKED_EVENTS: Final = 20_000
"""Events of a JSON parser within which a document shows what it is wrapped in."""

_WORD: Final = re.compile(r"[A-Za-z0-9_.:-]{1,40}")
_TRUE: Final = frozenset({"true", "t", "1", "yes"})
_FALSE: Final = frozenset({"false", "f", "0", "no"})
"""How warehouses and spreadsheets write yes and no."""


def is_true(value: Any) -> bool:
    """Whether a field says yes, however it is written."""
    return not isinstance(value, list | dict) and str(value).casefold() in _TRUE


def is_false(value: Any) -> bool:
    """Whether a field says no; an empty one says nothing."""
    return not isinstance(value, list | dict) and str(value).casefold() in _FALSE


def word(value: Any) -> str:
    """A value that may be counted by its name or looked for among known ones; "other" where it is no short word."""
    text = str(value) if isinstance(value, str | int) else ""
    return text if _WORD.fullmatch(text) else "other"


def names(text: str) -> frozenset[str]:
    """Field names, written one after another."""
    return frozenset(text.split())


@dataclass(frozen=True)
class Kind:
    """One kind of record."""

    telling: frozenset[str]
    """Fields that together only this kind has."""
    mapped: frozenset[str]
    """Fields that are read."""
    ignored: frozenset[str] = frozenset()
    """Fields that are known and not read; a name may end in `*`."""


Kinds = Mapping[str, Kind]
"""By name; the first whose telling fields are all there is meant."""


class ExportSettings(SourceSettings):
    """What the exports of all help desks need to know."""

    format: str
    """Its name on the shelf."""
    join: Literal["folder", "file"] = "folder"
    """folder: the files of one folder belong together; file: every file stands for itself."""
    subject: Literal["leave", "prepend"] = "leave"
    """Whether the subject is left out, or put above the text of the first turn when that does not begin with it."""
    csv: Dialect = Dialect()
    """How CSV files are written."""
    ignore_fields: list[str] = Field(default_factory=list)
    """Further fields and columns that are known and not read; a name may end in `*`."""

    @property
    def joins_folder(self) -> bool:
        """Whether rows of one conversation may stand in several files."""
        return self.join == "folder"


class CustomFieldSettings(ExportSettings):
    """A desk whose custom fields have names."""

    product_field: str | None = None
    """Name of the custom field that holds the product; null for what the desk itself calls the product, if anything."""
    topic_fields: list[str] = Field(default_factory=list)
    """Names of custom fields that hold topics, beside those of the desk."""
    identifier_fields: dict[str, str] = Field(default_factory=dict)
    """Names of custom fields with personal values -> entity type, such as {order: ORDER_NUMBER}."""


class Record(NamedTuple):
    """One record of a file."""

    kind: str
    position: int
    fields: dict[str, Any]

    def row(self, number: int, native: str | None) -> Row:
        """As a row of the conversation `native`."""
        raw = orjson.dumps(self.fields)
        if native is None:
            return fault(number, self.position, raw, "no_id")
        return Row(number, self.position, native, self.kind.encode() + b"\0" + raw)

    def referents(self, key: str | None, kind: Kind) -> Iterator[Referent]:
        """As something rows refer to; of its fields only those that are read."""
        if key is not None:
            fields = {name: value for name, value in self.fields.items() if name in kind.mapped or name in kind.telling}
            yield Referent(self.kind, key, orjson.dumps(fields))


def kind_of(fields: Iterable[str], kinds: Kinds) -> str | None:
    """The kind of a record with these fields; null for none."""
    present = frozenset(fields)
    return next((name for name, kind in kinds.items() if kind.telling <= present), None)


def unknown_field(fields: Iterable[str], kind: Kind, settings: ExportSettings) -> str | None:
    """The first field, by name and as `shown`, that is neither mapped nor ignored."""
    left = frozenset(fields) - kind.mapped - kind.telling - kind.ignored
    if left:
        globs = [name for name in (*kind.ignored, *settings.ignore_fields) if "*" in name]
        left = left - frozenset(settings.ignore_fields)
        left = frozenset(name for name in left if not any(fnmatchcase(name, glob) for glob in globs))
    return shown(min(left)) if left else None


def records(  # the file, what may stand in it, and what bounds reading it
    file: ReceivedFile,
    number: int,
    kinds: Kinds,
    wrappers: Sequence[str],
    beside: Iterable[str],
    settings: ExportSettings,
    limits: Limits,
) -> Iterator[Record | Row]:
    """Every record of a file, whatever its layout; what is none comes as a fault.

    Args:
        file: JSON lines, a JSON document, CSV or Parquet.
        number: of the file in its unit.
        kinds: that may stand in it.
        wrappers: fields at the top of a document that hold its records; without one, the document is a record or a list.
        beside: other fields at the top of a document, passed over.
        settings: of the source.
        limits: on one record.
    Raises:
        SourceError: a table has columns of no kind, or one that is neither mapped nor ignored.
    """
    layout = layout_of(file)
    if layout in {"csv", "parquet"}:
        yield from _of_table(file, number, kinds, settings, limits)
    elif layout == "jsonl":
        for line in json_lines(file, number, limits):
            yield line if isinstance(line, Row) else _record(number, line[0], line[1], line[2], kinds)
    else:
        paths: list[Steps] = [(*parse(name), "*") for name in _wrappers_of(file, wrappers, kinds)] or [()]
        known = [*beside, *settings.ignore_fields]
        for found in json_records(file, number, paths, known, limits):
            yield found if isinstance(found, Row) else _record(number, *found[1:], kinds)


def _record(number: int, position: int, raw: bytes, fields: dict[str, Any], kinds: Kinds) -> Record | Row:
    kind = kind_of(fields, kinds)
    if kind is None and len(fields) == 1 and isinstance(inner := next(iter(fields.values())), dict):
        kind, fields = kind_of(inner, kinds), inner  # each wrapped in a record of its own: {"helpdesk_ticket": {...}}
    return fault(number, position, raw, "unknown_kind") if kind is None else Record(kind, position, fields)


def _of_table(file: ReceivedFile, number: int, kinds: Kinds, settings: ExportSettings, limits: Limits) -> Iterator[Record | Row]:
    rows = csv_rows(file, number, settings.csv, limits) if layout_of(file) == "csv" else parquet_rows(file)
    columns: list[str] = []
    kind: str | None = None
    for row in rows:
        if isinstance(row, Row):
            yield row
        elif isinstance(row, list):
            columns = row
            kind = kind_of(columns, kinds)
            if kind is None:
                raise SourceError(
                    f"{file.label}: has the columns of no table of {settings.format}; ignore it, or correct its format"
                )
            if (unknown := unknown_field(columns, kinds[kind], settings)) is not None:
                raise SourceError(f"{file.label}: unknown column {unknown!r} of {kind}; list it in ignore_fields")
        elif kind is not None:
            position, cells = row
            fields = {name: _plain(cell) for name, cell in zip(columns, cells, strict=True) if cell not in (None, "")}
            yield Record(kind, position, fields)


def _plain(cell: Any) -> Any:
    return cell if isinstance(cell, str | int | float | bool | list | dict) else str(cell)


def _wrappers_of(file: ReceivedFile, wrappers: Sequence[str], kinds: Kinds) -> list[str]:
    """The lists at the top of a document that hold its records, as far as its beginning shows; none where it is a record."""
    import ijson  # type: ignore[import-untyped]  # ships no types  # noqa: PLC0415  # only documents need it

    found: list[str] = []
    top: list[str] = []
    with opened(file) as stream:
        try:
            for count, (prefix, event, value) in enumerate(ijson.parse(stream, use_float=True)):
                if (not count and event != "start_map") or count > PEEKED_EVENTS:
                    break
                if not prefix and event == "map_key":
                    top.append(value)
                elif event == "start_array" and prefix in wrappers:
                    found.append(prefix)
        except (ijson.JSONError, UnicodeDecodeError, ValueError):
            pass  # reading it will say what is wrong
    return [] if kind_of(top, kinds) else found


Found = Mapping[str, Sequence[tuple[Row, dict[str, Any]]]]
"""Kind -> the records of one conversation, with the rows they came in."""


@dataclass(frozen=True)
class Desk:
    """The exports of one help desk: with these answers, all of them are read alike."""

    kinds: Kinds
    """What may stand in them."""
    main: tuple[str, ...]
    """Kinds of which a conversation has one, the first for all in messages; empty where fields, not kinds, tell them apart."""
    native: Callable[[str, Mapping[str, Any]], str | None]
    """Kind and fields -> the native id of the conversation a record is of, or its own id where others refer to it."""
    referents: frozenset[str] = frozenset()
    """Kinds that others refer to, such as users."""
    wrappers: Sequence[str] = ()
    """Fields at the top of a document that hold records."""
    beside: frozenset[str] = frozenset()
    """Other fields at the top of a document, passed over."""

    def read(self, file: ReceivedFile, number: int, settings: ExportSettings, limits: Limits) -> Iterator[Row | Referent]:
        """The records of one file as rows, or to look up."""
        for found in records(file, number, self.kinds, self.wrappers, self.beside, settings, limits):
            if isinstance(found, Row):
                yield found
            elif found.kind in self.referents:
                yield from found.referents(self.native(found.kind, found.fields), self.kinds[found.kind])
            else:
                yield found.row(number, self.native(found.kind, found.fields))

    def unpacked(self, rows: Sequence[Row], settings: ExportSettings) -> Found:
        """The records of one conversation by kind, in file order.

        Raises:
            Refused: one has a field that is neither mapped nor ignored, or those of the main kinds are missing.
        """
        found = unpacked(rows, self.kinds, settings)
        if self.main and not any(found[kind] for kind in self.main):
            raise Refused("orphan", f"{len(rows)} rows without their {self.main[0]}")
        return found

    def nested(self, kind: str, listed: Any, at: str, settings: ExportSettings) -> list[dict[str, Any]]:
        """Records of a kind that stand in a list of another record.

        Raises:
            Refused: one has a field that is neither mapped nor ignored, or is none.
        """
        found = [as_record(each, at) for each in as_list(listed, at)]
        for each in found:
            check(kind, each, self.kinds, settings)
        return found


def unpacked(rows: Sequence[Row], kinds: Kinds, settings: ExportSettings) -> dict[str, list[tuple[Row, dict[str, Any]]]]:
    """The records of one conversation by kind, in file order.

    Raises:
        Refused: one has a field that is neither mapped nor ignored.
    """
    found: dict[str, list[tuple[Row, dict[str, Any]]]] = {name: [] for name in kinds}
    for row in rows:
        name, _, raw = row.payload.partition(b"\0")
        kind = name.decode()
        fields = orjson.loads(raw)
        check(kind, fields, kinds, settings)
        found[kind].append((row, fields))
    return found


def check(kind: str, fields: Mapping[str, Any], kinds: Kinds, settings: ExportSettings) -> None:
    """Refuse a record with a field that is neither mapped nor ignored."""
    if (unknown := unknown_field(fields, kinds[kind], settings)) is not None:
        raise Refused("unknown_field", f"{kind}.{unknown}")


def latest(
    versions: Sequence[tuple[Row, dict[str, Any]]], updated_at: str, settings: ExportSettings, draft: Draft
) -> dict[str, Any]:
    """Of several versions of a record the one updated last, which also stands for the conversation.

    Raises:
        Refused: two of them contradict each other.
    """
    timed = [(time_of(fields, updated_at, settings) or 0, row, fields) for row, fields in versions]
    newest = max(moment for moment, _, _ in timed)
    rivals = [(row, fields) for moment, row, fields in timed if moment == newest]
    if any(fields != rivals[0][1] for _, fields in rivals):
        raise Refused("contradicting_rows", f"{len(rivals)} versions of one update")
    if len(versions) > 1:
        draft.count("repeated_rows", len(versions) - 1)
    draft.origin = rivals[0][0]
    return rivals[0][1]


def time_of(fields: Mapping[str, Any], at: str, settings: SourceSettings) -> int | None:
    """The time in a field, as UTC microseconds; null for none."""
    return microseconds(fields.get(at), settings.zone, settings.time_format, at)


def text_of(fields: Mapping[str, Any], plain: Sequence[str], html: Sequence[str] = ()) -> str:
    """The first of these fields that holds any text, as people read it."""
    for at in plain:
        if text := clean(as_text(fields.get(at), at)):
            return text
    for at in html:
        if text := clean(as_text(fields.get(at), at), "html"):
            return text
    return ""


class People:
    """Who takes part in one conversation, and every value the export states about anybody."""

    def __init__(self) -> None:
        self._roles: dict[str, str] = {}
        self._stated: list[tuple[str | None, str, Any, str]] = []

    def know(self, person: str | None, role: str) -> None:
        """Somebody is the customer or an agent; what is known first holds."""
        if person is not None:
            self._roles.setdefault(person, role)

    def state(self, person: str | None, kind: str, value: Any, role: str = "other") -> None:
        """Note a value; `role` counts where nobody else says who the person is."""
        if isinstance(value, list):
            for each in value:
                self.state(person, kind, each, role)
        elif (bare := stated(value)) is not None:
            self._stated.append((person, kind, bare, role))

    def state_all(self, person: str | None, fields: Mapping[str, Any], where: Mapping[str, str], role: str = "other") -> None:
        """Note the values of several fields; `where`: field -> entity type."""
        for at, kind in where.items():
            self.state(person, kind, fields.get(at), role)

    def state_addresses(self, person: str | None, value: Any, role: str = "other") -> None:
        """Note mail addresses, alone or as `Jo Fox <jo@example.com>`, one or several."""
        if isinstance(value, list):
            for each in value:
                self.state_addresses(person, each, role)
        elif isinstance(value, dict):
            self.state_all(person, value, {"name": "PERSON", "email": "EMAIL_ADDRESS", "address": "EMAIL_ADDRESS"}, role)
        elif isinstance(value, str) and value:
            for name, address in mailboxes(value):
                self.state(person, "PERSON", name, role)
                self.state(person, "EMAIL_ADDRESS", address if "@" in address else None, role)

    def details(self) -> list[Detail]:
        """Every noted value once."""
        every = (
            Detail(person, self._roles.get(person, role) if person else role, kind, value)
            for person, kind, value, role in self._stated
        )
        return list(dict.fromkeys(every))


def mailboxes(value: Any) -> list[tuple[str, str]]:
    """Names and addresses of a text with one mailbox or several."""
    return getaddresses([value.replace(";", ",")]) if isinstance(value, str) else []


class Said(NamedTuple):
    """One message, before the messages of its conversation are put in order."""

    key: str | None
    """Its native id: what stands twice in an export is one message."""
    speaker: str
    text: str
    sent_at: int | None
    author: str | None


def add_turns(draft: Draft, said: Iterable[Said], *, timed: bool = True) -> None:
    """Put messages in order of time; repeated and empty ones are counted.

    Raises:
        Refused: one has no time, where all must have one.
    """
    turns: list[tuple[int, int, DraftTurn]] = []
    seen: set[str] = set()
    for position, each in enumerate(said):
        if each.key is not None and each.key in seen:
            draft.count("repeated_messages")
        elif not each.text:
            draft.count("empty_texts")
        elif timed and each.sent_at is None:
            raise Refused("bad_time", "time of a message")
        else:
            turns.append((each.sent_at or 0, position, DraftTurn(each.speaker, each.text, each.sent_at, each.author)))
        if each.key is not None:
            seen.add(each.key)
    draft.turns.extend(turn for _, _, turn in sorted(turns, key=lambda each: each[:2]))


def distinct(topics: Iterable[Any], where: str = "tags") -> list[str]:
    """The topics that say anything, each once, in their order."""
    return list(dict.fromkeys(text for topic in topics if (text := as_text(topic, where))))


def put_subject(draft: Draft, subject: Any, settings: ExportSettings) -> None:
    """Put the subject above the first turn, where params want it there."""
    heading = clean(as_text(subject, "subject"))
    if settings.subject == "prepend" and heading and draft.turns and not draft.turns[0].text.startswith(heading):
        draft.turns[0] = draft.turns[0]._replace(text=f"{heading}\n\n{draft.turns[0].text}")


def finder(find_referent: FindReferent, kind: str) -> Any:
    """Id -> record of a kind, or null."""
    return lru_cache(None)(lambda key: None if key is None else find_referent(kind, key))


def id_in(fields: Mapping[str, Any], at: str, below: str = "id") -> str | None:
    """The native id in a field, or in the record that stands there."""
    value = fields.get(at)
    return native_id(as_record(value, at).get(below) if isinstance(value, dict) else value)
