"""`ticketmill forget CUSTOMER`: one customer less, from the received files to the chat files, and a tombstone that proves it.

Four steps, each of which may be killed and run again. The customer goes on the list that ingest applies to every delivery
(`pipeline/forgotten.py`). Their rows are cut out of the received files, found by the ids on that list, so that a second call
knows as much as the first. The line is run. Then everything is searched for them: received files, tables, reports, evidence,
DVC's cache, from which old versions that hold them are removed.
"""

import json
import sqlite3
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import closing, suppress
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, datetime
from functools import lru_cache
from hashlib import sha256
from pathlib import Path
from shutil import rmtree
from typing import Any, Final

import polars as pl
import yaml

from pipeline import ingest, scrub
from pipeline.answering.replies import FILE as REPLIES
from pipeline.errors import CurationError, SourceError
from pipeline.forgotten import FOLDER, LIST, Entry, add, draws_of, email_hash, keep_draws, read_forgotten
from pipeline.key import Key
from pipeline.reading.csv_rows import Dialect
from pipeline.reading.cutting import Cut, cut
from pipeline.reading.drafts import FORGOTTEN, ReceivedFile, Referent, Unit, Without
from pipeline.reading.files import Layout, layout_of
from pipeline.reading.xml_records import without_elements
from pipeline.replacing.keyed import Surrogates
from pipeline.searching import names_any
from pipeline.sources import SOURCES
from pipeline.tables import Table, write_json

DVC_CACHE: Final = Path(".dvc/cache/files/md5")
SEARCHED: Final = (Path("data/raw/ingested"), Path("data/curated"), Path(".ticketmill"))
"""Where the ids of somebody who is forgotten may no longer stand; beside them the folders of evidence and replies in params."""

MIN_TELLING: Final = 6
"""Characters of a stated value that is searched for in received files; names are not, others bear them too."""

VALUE_LEFT: Final = "an address or a number of theirs"
RECORD_LEFT: Final = "a record about them"
UNREADABLE: Final = "cannot be read, so nobody knows"
REPLIES_LEFT: Final = "replies that were asked for while they were there; delete the folder"

PEOPLE: Final = frozenset({"user", "contact", "actor", "agent", "admin"})
"""Kinds of records about people that rows refer to; ids of brands and groups may be equal to theirs."""

CUTTING: Final = ".cutting"
"""Hidden folder beside received files for those that are about to take their place."""

BEGUN: Final = ".forgetting"
"""Hidden folder in data/raw: what has to be searched for until a customer is gone. The values stand there in plain, as they do
in the received files beside it; a file of it goes as soon as the proof is whole."""

KNOWN_REPLIES: Final = 16
"""Keys of replies by which the folder they lay in is known again."""


@dataclass
class Customer:
    """Somebody who is to be forgotten."""

    entry: Entry
    values: set[str] = field(default_factory=set)
    """Addresses and numbers that the export states of them."""

    elsewhere: int = 0
    """Conversations of others that state one of their addresses: replaced there as any other, and not removed."""

    rows_cut: dict[str, int] = field(default_factory=dict)
    """Received file -> rows that calls before this one cut out."""

    replies: list[str] = field(default_factory=list)
    """Keys of replies that were kept before they were forgotten."""

    @property
    def ids(self) -> list[str]:
        """What stands for them in tables."""
        return [*self.entry.customers, *self.entry.conversations]

    @property
    def name(self) -> str:
        """Of the files about them."""
        return f"{sha256(repr(self.entry).encode()).hexdigest()[:16]}.json"


@dataclass
class Erased:
    """What was done to the received files."""

    cut: dict[str, int] = field(default_factory=dict)
    """File -> rows that were cut out."""

    left: dict[str, str] = field(default_factory=dict)
    """File -> what of the customer still stands there and has to be removed by hand."""


def look_for(ingested: Table, who: str, key: Key) -> Customer | None:
    """Everything in the table of ingest that belongs to a customer; None when nobody is meant.

    Args:
        ingested: what was received, in one form.
        who: an e-mail address, a customer_key, the customer's id in a help desk, or a conversation_id of a source that
            names no customers.
        key: of the project.
    """
    columns = ["conversation_id", "source", "source_file", "source_row", "customer_key", "native_id", "participants"]
    address = who.strip().casefold() if "@" in who else None
    sources = ingested.scan().select(pl.col("source").unique()).collect()["source"].to_list() if ingested.manifest.parts else []
    keys = set() if address else {who, *(key.hash("person", f"{source}\0{who}") for source in sources)}
    for row in _rows(ingested, columns):
        if row["customer_key"] and (row["conversation_id"] == who or (address and address in _addresses(row))):
            keys.add(row["customer_key"])
    origins: set[tuple[Any, ...]] = set()
    for row in _rows(ingested, columns):
        if row["customer_key"] in keys or (address and address in _addresses(row)) or row["conversation_id"] == who:
            origins.add(_origin(row))
    conversations, customers, values, elsewhere = set(), set(), set(), 0
    for row in _rows(ingested, columns):
        if _origin(row) not in origins:  # all sessions of one thread stand in the same rows, and go with them
            elsewhere += bool(address and address in _addresses(row, role=None))
            continue
        conversations |= {row["conversation_id"]}
        customers |= {row["customer_key"]} - {None}
        values |= {each["value"] for each in _stated(row) if each["kind"] != "PERSON" and len(each["value"]) >= MIN_TELLING}
    if not conversations:
        return None
    emails = [email_hash(key, address)] if address else []
    entry = Entry(sorted(customers), sorted(conversations), emails, key.fingerprint)
    return Customer(entry, values | ({address} if address else set()), elsewhere)


def _origin(row: Mapping[str, Any]) -> tuple[Any, ...]:
    return row["source"], row["source_file"], row["source_row"]


def _rows(ingested: Table, columns: Sequence[str]) -> Iterator[dict[str, Any]]:
    for part in ingested.manifest.parts:
        yield from ingested.read(part, columns=columns).iter_rows(named=True)


def _stated(row: Mapping[str, Any], role: str | None = "customer") -> Iterator[Mapping[str, str]]:
    return (each for each in row["participants"] or [] if role is None or each["role"] == role)


def _addresses(row: Mapping[str, Any], role: str | None = "customer") -> set[str]:
    return {each["value"].strip().casefold() for each in _stated(row, role) if each["kind"] == "EMAIL_ADDRESS"}


def on_the_list(received: Path, who: str, key: Key) -> Customer | None:
    """A customer who was forgotten before."""
    address = email_hash(key, who) if "@" in who else None
    for entry in read_forgotten(received, key).entries:
        sources = {one.rpartition("-")[0] for one in entry.conversations}
        keys = {who, *(key.hash("person", f"{source}\0{who}") for source in sources)}
        if keys & {*entry.customers, *entry.conversations} or address in entry.emails:
            return Customer(entry, values={who} if address else set())
    return None


# --- what has begun -----------------------------------------------------------------------------------------------------


def begin(received: Path, customer: Customer, replies: Path) -> None:
    """Take up what a call before this one knew of the customer, and write down what the next one has to."""
    path = received.parent / BEGUN / customer.name
    if path.is_file():
        before = json.loads(path.read_text("utf-8"))
        customer.values |= set(before["values"])
        customer.elsewhere = max(customer.elsewhere, before["elsewhere"])
        customer.rows_cut, customer.replies = before["rows_cut"], before["replies"]
    else:
        customer.replies = _kept_replies(replies)
    path.parent.mkdir(exist_ok=True)
    write_json(path, _known(customer))


def _known(customer: Customer) -> dict[str, Any]:
    values = sorted(customer.values)
    return {"values": values, "elsewhere": customer.elsewhere, "rows_cut": customer.rows_cut, "replies": customer.replies}


def end(received: Path, customer: Customer) -> None:
    """Forget what had to be searched for: the proof is whole."""
    (received.parent / BEGUN / customer.name).unlink(missing_ok=True)
    with suppress(OSError):  # others are still there
        (received.parent / BEGUN).rmdir()


def _kept_replies(folder: Path) -> list[str]:
    if not (folder / REPLIES).is_file():
        return []
    try:
        with closing(sqlite3.connect(f"{(folder / REPLIES).absolute().as_uri()}?mode=ro", uri=True)) as connection:
            rows = connection.execute("SELECT key FROM reply ORDER BY key LIMIT ?", [KNOWN_REPLIES]).fetchall()
    except sqlite3.Error as error:
        raise CurationError(f"{folder / REPLIES}: cannot be read ({type(error).__name__}); mend or delete the folder") from error
    return [key for (key,) in rows]


def _still_kept(folder: Path, customer: Customer) -> dict[str, str]:
    return {folder.as_posix(): REPLIES_LEFT} if set(customer.replies) & set(_kept_replies(folder)) else {}


# --- received files -----------------------------------------------------------------------------------------------------


def leave_out(line: Sequence[Table], received: Path, params: ingest.IngestParams, customer: Customer, key: Key) -> Erased:
    """Put a customer on the list, with the draws that others keep, and cut their rows out of the received files."""
    ingest.plan(received, params, key)  # what cannot be read is said before anything is changed
    scrubbed = next((each for each in line if each.manifest.stage == "scrub"), None)
    draws = draws_of_others(line[0], scrubbed, customer, key) if scrubbed else {}
    if draws:
        keep_draws(received, draws)  # before the list: a night between the two would free the draws of others
    add(received, customer.entry)
    return erase(line[0], received, params, customer, key)


def delivered(ingested: Table, received: Path, customer: Customer, key: Key) -> set[str]:
    """Conversations that ingest dropped as forgotten, so that their rows still stand in received files.

    Those of the customer, and new ones of which the list does not say whose they are: they go with the next who is forgotten.
    """
    others = {one for entry in read_forgotten(received, key).entries for one in entry.conversations}
    dropped = {
        one
        for part in ingested.manifest.parts
        for one, reason in ingested.read(part, "dropped", ["conversation_id", "reason"]).iter_rows()
        if reason == FORGOTTEN
    }
    return dropped - (others - set(customer.entry.conversations))


def erase(ingested: Table, received: Path, params: ingest.IngestParams, customer: Customer, key: Key) -> Erased:
    """Cut a customer's rows out of the received files, and say where something of them is left.

    Their rows are found by the ids on the list. A file takes the place of the old one only when ingest reads the same rows of
    others in it.

    Raises:
        SourceError: what was received is not what params say, or a file cannot be written.
    """
    for unfinished in list(received.rglob(CUTTING)):  # of a call that was killed
        rmtree(unfinished)
    erased = Erased()
    ids = {*customer.entry.conversations, *delivered(ingested, received, customer, key)}
    for unit in ingest.plan(received, params, key):
        _erase_unit(unit, params, _Wanted(ids, customer.entry.customers, key), erased)
    for path in sorted(path for path in received.rglob("*") if path.is_file() and FOLDER not in path.parts):
        label = path.relative_to(received).as_posix()
        if label not in erased.left and names_any(path, customer.values, any_case=True):
            erased.left[label] = VALUE_LEFT
    return erased


def _conversation_id(source: str, native: str, key: Key) -> str:
    return f"{source}-{key.hash('conversation', native)}"


@dataclass(frozen=True)
class _Wanted:
    """Whose rows are to go."""

    conversations: set[str]
    customers: Sequence[str]
    key: Key


@dataclass
class _Content:
    """What was read of a unit."""

    rows: dict[str, dict[int, bytes]] = field(default_factory=dict)
    """File -> number -> payload of the rows that are to go."""

    totals: dict[str, int] = field(default_factory=dict)
    """File -> all its rows."""

    referents: list[bytes] = field(default_factory=list)
    """Records about the customer that rows refer to."""

    has_referents: bool = False
    unread: set[str] = field(default_factory=set)
    others: str = ""
    """Over every row, and every record that rows refer to, that stays."""


def _read(unit: Unit, params: ingest.IngestParams, wanted: _Wanted) -> _Content:
    content, others = _Content(), sha256()
    is_theirs = lru_cache(1024)(lambda native: _conversation_id(unit.source, native, wanted.key) in wanted.conversations)
    for row in ingest.rows_of(unit, params):
        if isinstance(row, Referent):
            content.has_referents = True
            if row.kind in PEOPLE and wanted.key.hash("person", f"{unit.source}\0{row.key}") in wanted.customers:
                content.referents.append(row.payload)
            else:
                others.update(repr(row).encode("utf-8", "backslashreplace"))
            continue
        label = unit.files[row.file].label
        content.totals[label] = content.totals.get(label, 0) + 1
        if row.reason == "unreadable_file":
            content.unread.add(label)
        if not row.reason and is_theirs(row.native):
            content.rows.setdefault(label, {})[row.number] = row.payload
        elif row.reason != FORGOTTEN:  # the mark in the place of a row
            others.update(repr((label, row[1:])).encode("utf-8", "backslashreplace"))
    content.others = others.hexdigest()
    return content


def _erase_unit(unit: Unit, params: ingest.IngestParams, wanted: _Wanted, erased: Erased) -> None:
    try:
        before = _read(unit, params, wanted)
    except SourceError:
        erased.left |= {file.label: UNREADABLE for file in unit.files}
        return
    after = before
    if before.rows or before.referents:
        staged: dict[str, tuple[ReceivedFile | None, int]] = {}
        try:
            for file in unit.files:
                if (new := _staged(file, unit, params, before)) is not None:
                    staged[file.label] = new
            after = _put_in_place(unit, params, wanted, before, staged, erased)
        finally:
            for folder in {file.path.parent / CUTTING for file in unit.files}:
                rmtree(folder, ignore_errors=True)
    for label, rows in after.rows.items():
        numbers = ", ".join(map(str, sorted(rows)[:10]))
        erased.left[label] = f"rows {numbers}{' and more' if len(rows) > 10 else ''}"  # noqa: PLR2004  # as many as shown
    erased.left |= dict.fromkeys(after.unread, UNREADABLE)
    if after.referents:
        erased.left[unit.label] = RECORD_LEFT


def _staged(
    file: ReceivedFile, unit: Unit, params: ingest.IngestParams, content: _Content
) -> tuple[ReceivedFile | None, int] | None:
    """The file without their rows, in a hidden folder, with their number; no file where all of it goes, null: it stays."""
    settings = params.sources[unit.source]
    cuts = SOURCES[settings.format].cuts
    rows = content.rows.get(file.label, {})
    if file.member or not (rows or content.referents):
        return None
    is_all = len(rows) == content.totals.get(file.label, 0) and not content.has_referents
    if cuts == "files":
        return (None, len(rows)) if is_all else None
    try:
        layout: Layout | Without = (
            "json"
            if cuts == "elements"
            else _layout(file, settings)
            if cuts == "layout"
            else lambda stream, gone: cuts(stream, gone, settings)
        )
    except SourceError:
        return None
    if layout == "parquet" and is_all:
        return None, len(rows)
    target = file.path.parent / CUTTING / file.path.name
    target.parent.mkdir(exist_ok=True)
    payloads = [*rows.values(), *content.referents]
    number = cut(file, Cut(frozenset(rows), payloads), layout, getattr(settings, "csv", None) or Dialect(), target)
    return (file._replace(path=target), number) if number else None


def _layout(file: ReceivedFile, settings: Any) -> Layout | Without:
    """How rows leave a file of this layout; elements of XML stand where the mapping says."""
    layout = layout_of(file)
    if layout != "xml":
        return layout
    return lambda stream, gone: without_elements(stream.read(), file, settings.record_elements, gone)


def _put_in_place(  # what was read before, what was made of it
    unit: Unit,
    params: ingest.IngestParams,
    wanted: _Wanted,
    before: _Content,
    staged: Mapping[str, tuple[ReceivedFile | None, int]],
    erased: Erased,
) -> _Content:
    """Put new files in the place of old ones, if ingest reads the same rows of others in them; returns what is there now."""
    new = [staged.get(file.label, (file, 0))[0] for file in unit.files]
    files = tuple(file for file in new if file is not None)
    try:
        after = _read(replace(unit, files=files), params, wanted) if files else _Content(others=sha256().hexdigest())
    except SourceError:
        return before
    if after.others != before.others:
        return before
    for file, other in zip(unit.files, new, strict=True):
        if file.label in staged:
            if other is None:
                file.path.unlink()
            else:
                other.path.replace(file.path)
            erased.cut[file.label] = staged[file.label][1]
    return after


# --- others keep their stand-ins ----------------------------------------------------------------------------------------


def draws_of_others(ingested: Table, scrubbed: Table, customer: Customer, key: Key) -> dict[str, int]:
    """The draws that stay taken: of all atoms but those that only this customer has.

    Raises:
        CurationError: the table of scrub was not made from this table of ingest.
    """
    found = Table(scrub.found_beside(scrubbed.folder))
    if found.manifest.given_checksum != ingested.checksum:
        raise CurationError(f"{scrubbed.folder}: was not made from {ingested.folder} as it is; run the line, then forget")
    section = scrub.ScrubParams.model_validate_json((scrubbed.folder / scrub.PARAMS).read_bytes())
    surrogates = Surrogates(key, countries=section.countries)
    moved = scrub.settled(found, surrogates, draws_of(ingested))
    if not moved:
        return {}
    seeds: set[str] = set()
    for part, found_part in zip(ingested.manifest.parts, found.manifest.parts, strict=True):
        ids = ingested.read(part, columns=["conversation_id"])["conversation_id"]
        theirs = pl.col("conversation_id").is_in(customer.entry.conversations)
        if ids.is_in(customer.entry.conversations).any():
            others = scrub.keyed(ingested.read(part).filter(~theirs), found.read(found_part).filter(~theirs), surrogates)
            seeds |= set(others.values["seed"])
        else:
            seeds |= set(found.read(found_part, "values", ["seed"])["seed"])
    return {seed: number for seed, number in moved.items() if seed in seeds}


# --- search -------------------------------------------------------------------------------------------------------------


def search(places: Iterable[Path], ids: Sequence[str]) -> tuple[int, list[str]]:
    """How many files were looked through, and which of them name the customer.

    Left out are the lists of the forgotten, the tombstones, and what ingest dropped: there the ids say that somebody is gone,
    and `delivered` says whether their rows still come.
    """
    looked = 0
    hits: list[str] = []
    for place in dict.fromkeys(places):
        for path in sorted(path for path in place.rglob("*") if path.is_file()):
            steps = path.relative_to(place).parts
            if LIST in steps or "forgotten" in steps or (place.name == "ingested" and "dropped" in steps):
                continue
            looked += 1
            if names_any(path, ids):
                hits.append(path.as_posix())
    return looked, sorted(set(hits))


def clear_cache(cache: Path, lock: Path, ids: Sequence[str]) -> int:
    """Remove old versions of outputs that hold the customer from DVC's cache; returns how many objects went.

    A version is a folder: where one of its files names the customer, all of them go, but those that the present version
    has too.
    """
    if not cache.is_dir():
        return 0
    objects = {f"{path.parent.name}{path.name}": path for path in cache.rglob("*") if path.is_file()}
    present = _present(lock)
    listed = {name: _members(path) for name, path in objects.items() if name.endswith(".dir")}
    in_use = present | {member for name in present for member in listed.get(name, ())}
    naming = {name for name, path in objects.items() if name not in in_use and not name.endswith(".dir") and names_any(path, ids)}
    old = {name for name, members in listed.items() if name not in present and naming & members}
    going = (naming | old | {member for name in old for member in listed[name]}) - in_use
    for name in going & objects.keys():
        objects[name].unlink()
    return len(going & objects.keys())


def _present(lock: Path) -> set[str]:
    if not lock.is_file():
        return set()
    stages = yaml.safe_load(lock.read_text("utf-8")).get("stages", {})
    return {out["md5"] for stage in stages.values() for out in stage.get("outs", ()) if "md5" in out}


def _members(path: Path) -> set[str]:
    with suppress(ValueError, TypeError, KeyError):
        return {each["md5"] for each in json.loads(path.read_bytes())}
    return set()


def prove(
    customer: Customer, erased: Erased, line: Sequence[Table], received: Path, places: tuple[Path, Path], key: Key
) -> dict[str, Any]:
    """The tombstone: what was removed, what was searched, what is left; nothing that names anybody without the key.

    Args:
        customer: who is forgotten.
        erased: what was cut out of the received files, and what is left there.
        line: every table, as it is now.
        received: folder of what was received.
        places: folders of evidence and of replies.
        key: of the project.
    """
    removed = clear_cache(DVC_CACHE, Path("dvc.lock"), customer.ids)
    looked, hits = search((*SEARCHED, *places), customer.ids)
    cached = [path for path in DVC_CACHE.rglob("*") if path.is_file()] if DVC_CACHE.is_dir() else []
    hits += [path.as_posix() for path in cached if names_any(path, customer.ids)]
    still = len(delivered(line[0], received, customer, key))
    left = erased.left | _still_kept(places[1], customer)
    return {
        "forgotten_at": datetime.now(UTC).isoformat(timespec="seconds"),
        **asdict(customer.entry),
        "rows_cut": customer.rows_cut,
        "left_in_received": left,
        "conversations_still_delivered": still,
        "conversations_of_others_that_state_an_address": customer.elsewhere,
        "values_searched_for": len(customer.values),
        "files_searched": looked + len(cached),
        "files_that_still_name_them": hits,
        "cache_objects_removed": removed,
        "tables": {table.folder.as_posix(): table.checksum for table in line},
        "is_complete": not left and not hits and not still,
    }


def note(received: Path, customer: Customer, erased: Erased) -> None:
    """Add what was cut to what calls before this one cut, where the next call finds it."""
    customer.rows_cut |= {label: customer.rows_cut.get(label, 0) + number for label, number in erased.cut.items()}
    write_json(received.parent / BEGUN / customer.name, _known(customer))
