"""`ticketmill forget CUSTOMER`: one customer less, from the received files to the chat files, and a tombstone that proves it.

Four steps, each of which may be killed and run again. The customer goes on the list that ingest applies to every delivery
(`pipeline/forgotten.py`). Their rows are cut out of the received files. The line is run. Then everything is searched for
them: received files, tables, reports, DVC's cache, from which old versions that hold them are removed.
"""

import json
import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import polars as pl
import yaml

from pipeline import ingest, scrub
from pipeline.errors import CurationError, SourceError
from pipeline.forgotten import LIST, Entry, add, draws_of, email_hash, keep_draws, read_forgotten
from pipeline.key import Key
from pipeline.reading.cutting import Cut, cut, holds
from pipeline.reading.drafts import Looked, ReceivedFile
from pipeline.reading.files import Dialect
from pipeline.replacing.keyed import Surrogates
from pipeline.tables import Table

DVC_CACHE: Final = Path(".dvc/cache/files/md5")
SEARCHED: Final = (Path("data/raw/ingested"), Path("data/curated"), Path(".ticketmill"))
"""Where the ids of somebody who is forgotten may no longer stand."""

SESSION_OR_REPEAT: Final = re.compile(r"[~#]\d+\Z")
"""What ingest appends to a native id for a later session, or for a row that stands twice."""

MIN_TELLING: Final = 6
"""Characters of a stated value that is searched for in received files; names are not, others bear them too."""


VALUE_LEFT: Final = "an address or a number of theirs"


@dataclass
class Customer:
    """Somebody who is to be forgotten; held in memory only."""

    entry: Entry
    natives: Mapping[str, set[str]] = field(default_factory=dict)
    """Source -> native ids of their conversations."""

    values: set[str] = field(default_factory=set)
    """Addresses and numbers that the export states of them."""

    elsewhere: int = 0
    """Conversations of others that state one of their addresses: replaced there as any other, and not removed."""

    @property
    def ids(self) -> list[str]:
        """What stands for them in tables."""
        return [*self.entry.customers, *self.entry.conversations]


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
    columns = ["conversation_id", "source", "customer_key", "native_id", "participants"]
    address = who.strip().casefold() if "@" in who else None
    sources = ingested.scan().select(pl.col("source").unique()).collect()["source"].to_list() if ingested.manifest.parts else []
    keys = {who, *(key.hash("person", f"{source}\0{who}") for source in sources)}
    if address:
        keys = set()
        for row in _rows(ingested, columns):
            if row["customer_key"] and address in _addresses(row):
                keys.add(row["customer_key"])
    natives: dict[str, set[str]] = {}
    conversations, customers, values, elsewhere = [], set(), set(), 0
    for row in _rows(ingested, columns):
        own = _addresses(row)
        is_theirs = row["customer_key"] in keys or (address and address in own) or row["conversation_id"] == who
        if not is_theirs:
            elsewhere += bool(address and address in _addresses(row, role=None))
            continue
        conversations.append(row["conversation_id"])
        customers |= {row["customer_key"]} - {None}
        natives.setdefault(row["source"], set()).add(SESSION_OR_REPEAT.sub("", row["native_id"]))
        natives[row["source"]].add(row["native_id"])
        values |= {each["value"] for each in _stated(row) if each["kind"] != "PERSON" and len(each["value"]) >= MIN_TELLING}
    if not conversations:
        return None
    emails = [email_hash(key, address)] if address else []
    entry = Entry(sorted(customers), sorted(conversations), emails, key.fingerprint)
    return Customer(entry, natives, values | ({address} if address else set()), elsewhere)


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


# --- received files -----------------------------------------------------------------------------------------------------


def erase(received: Path, params: ingest.IngestParams, customer: Customer, key: Key) -> Erased:
    """Cut a customer's rows out of the received files, and say where something of them is left."""
    erased = Erased()
    for unit, file, wanted in _wanted(received, params, customer, key):
        dialect = getattr(params.sources[unit.source], "csv", None) or Dialect()
        if number := cut(file, wanted, dialect):
            erased.cut[file.label] = number
    for _, file, wanted in _wanted(received, params, customer, key):
        if wanted.rows:
            rows = sorted(wanted.rows)
            erased.left[file.label] = f"rows {', '.join(map(str, rows[:10]))}{' and more' if len(rows) > 10 else ''}"  # noqa: PLR2004
    for file in _files(received, params, key):
        if file.label not in erased.left and customer.values and holds(file, customer.values):
            erased.left[file.label] = VALUE_LEFT
    return erased


def _files(received: Path, params: ingest.IngestParams, key: Key) -> Iterator[ReceivedFile]:
    for unit in _units(received, params, key):
        yield from unit.files


def _units(received: Path, params: ingest.IngestParams, key: Key) -> list[ingest.Unit]:
    try:
        return ingest.plan(received, params, key)
    except SourceError:
        return []  # no file of a source is left: the run of the line will say so


def _wanted(
    received: Path, params: ingest.IngestParams, customer: Customer, key: Key
) -> list[tuple[ingest.Unit, ReceivedFile, Cut]]:
    """What of every file is the customer's; nothing where nothing is."""
    found = []
    for unit in _units(received, params, key):
        natives = customer.natives.get(unit.source)
        if not natives:
            continue
        rows: dict[int, set[int]] = {}
        payloads: dict[int, list[bytes]] = {}
        totals: dict[int, int] = {}
        looked: list[bytes] = []
        for row in ingest.rows_of(unit, params):
            if isinstance(row, Looked):
                if key.hash("person", f"{unit.source}\0{row.key}") in customer.entry.customers:
                    looked.append(row.payload)
                continue
            totals[row.file] = totals.get(row.file, 0) + 1
            if not row.reason and row.native in natives:
                rows.setdefault(row.file, set()).add(row.number)
                payloads.setdefault(row.file, []).append(row.payload)
        for number, file in enumerate(unit.files):
            own = rows.get(number, set())
            if own or looked:
                is_all = bool(own) and len(own) == totals[number]
                found.append((unit, file, Cut(frozenset(own), [*payloads.get(number, []), *looked], is_all)))
    return found


def leave_out(line: Sequence[Table], received: Path, params: ingest.IngestParams, customer: Customer, key: Key) -> Erased:
    """Put a customer on the list, with the draws that others keep, and cut their rows out of the received files."""
    scrubbed = next((each for each in line if each.manifest.stage == "scrub"), None)
    draws = draws_of_others(line[0], scrubbed, customer, key) if scrubbed else {}
    add(received, customer.entry)
    if draws:
        keep_draws(received, draws)
    return erase(received, params, customer, key)


def still_holding(received: Path, params: ingest.IngestParams, customer: Customer, key: Key) -> Erased:
    """Of somebody who was forgotten before: the received files in which an address or a number of theirs stands again."""
    left = (file.label for file in _files(received, params, key) if customer.values and holds(file, customer.values))
    return Erased(left=dict.fromkeys(left, VALUE_LEFT))


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


def holding(path: Path, ids: Collection[str]) -> bool:
    """Whether a file names one of these ids: Parquet and Arrow files are unpacked, others read as they are."""
    with path.open("rb") as file:
        magic = file.read(6)
    try:
        if magic[:4] == b"PAR1":
            content = pl.read_parquet(path, glob=False).write_ndjson().encode()
        elif magic == b"ARROW1":
            content = pl.read_ipc(path).write_ndjson().encode()
        else:
            content = path.read_bytes()
    except pl.exceptions.PolarsError:
        content = path.read_bytes()
    return any(one.encode() in content for one in ids)


def search(places: Iterable[Path], ids: Collection[str]) -> tuple[int, list[str]]:
    """How many files were looked through, and which of them name the customer.

    Left out are the lists of the forgotten, the tombstones, and what ingest dropped: there the ids say that somebody is gone.
    """
    looked = 0
    hits: list[str] = []
    for place in places:
        for path in sorted(path for path in place.rglob("*") if path.is_file()):
            steps = path.parts
            if LIST in steps or "forgotten" in steps or (place.name == "ingested" and "dropped" in steps):
                continue
            looked += 1
            if holding(path, ids):
                hits.append(path.as_posix())
    return looked, hits


def clear_cache(cache: Path, lock: Path, ids: Collection[str]) -> int:
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
    naming = {name for name, path in objects.items() if name not in in_use and not name.endswith(".dir") and holding(path, ids)}
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


def prove(customer: Customer, erased: Erased, tables: Sequence[Path]) -> dict[str, Any]:
    """The tombstone: what was removed, what was searched, what is left; nothing that names anybody without the key."""
    removed = clear_cache(DVC_CACHE, Path("dvc.lock"), customer.ids)
    looked, hits = search(SEARCHED, customer.ids)
    cached = [path for path in DVC_CACHE.rglob("*") if path.is_file()] if DVC_CACHE.is_dir() else []
    hits += [path.as_posix() for path in cached if holding(path, customer.ids)]
    return {
        "forgotten_at": datetime.now(UTC).isoformat(timespec="seconds"),
        **asdict(customer.entry),
        "rows_cut": erased.cut,
        "left_in_received": erased.left,
        "conversations_of_others_that_state_an_address": customer.elsewhere,
        "files_searched": looked + len(cached),
        "files_that_still_name_them": hits,
        "cache_objects_removed": removed,
        "tables": {folder.as_posix(): Table(folder).checksum for folder in tables if folder.exists()},
        "is_complete": not erased.left and not hits,
    }
