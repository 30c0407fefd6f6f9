"""Who is forgotten: a list of keyed hashes beside what was received, which ingest applies to every delivery.

It lies in the hidden folder `.forgotten` of the received folder, one JSON object per line, so that the next export, which
still holds the customer, brings nobody back. Beside it `draws.json`: which draws of stand-ins others hold, so that a draw
that becomes free changes nobody else's rows. There is no value and no name in either.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import cached_property
from hashlib import sha256
from pathlib import Path
from typing import Final

from pipeline.errors import SourceError
from pipeline.key import Key
from pipeline.tables import Table, write_json

FOLDER: Final = ".forgotten"
LIST: Final = "list.jsonl"
DRAWS: Final = "draws.json"

PUBLISHED: Final = "forgotten"
"""Folder of the table of ingest that holds copies of both files: what the table was made with, and what scrub reads."""


@dataclass(frozen=True, order=True)
class Entry:
    """One customer who is forgotten."""

    customers: Sequence[str] = ()
    """Customer keys."""

    conversations: Sequence[str] = ()
    """Ids of what was there when the customer was forgotten."""

    emails: Sequence[str] = ()
    """Keyed hashes of their addresses: whoever states one as a customer is dropped, in every source."""

    key: str = ""
    """Fingerprint of the project key of the hashes."""


@dataclass(frozen=True)
class Forgotten:
    """Everybody who is forgotten."""

    entries: Sequence[Entry] = ()

    @cached_property
    def _conversations(self) -> frozenset[str]:
        return frozenset(one for entry in self.entries for one in entry.conversations)

    @cached_property
    def _customers(self) -> frozenset[str]:
        return frozenset(one for entry in self.entries for one in entry.customers)

    @cached_property
    def _emails(self) -> frozenset[str]:
        return frozenset(one for entry in self.entries for one in entry.emails)

    def holds(self, conversation_id: str, customer: str | None, emails: Iterable[str]) -> bool:
        """Whether a conversation is a forgotten customer's; `emails` are hashes."""
        return conversation_id in self._conversations or customer in self._customers or not self._emails.isdisjoint(emails)

    def digest(self, source: str) -> str:
        """Over what may concern a source; empty where nothing does, so that a source nobody left is not read again."""
        own = [
            entry
            for entry in self.entries
            if entry.emails or entry.customers or any(one.rpartition("-")[0] == source for one in entry.conversations)
        ]
        return sha256(repr(own).encode()).hexdigest() if own else ""


def email_hash(key: Key, address: str) -> str:
    """What stands for an e-mail address in the list."""
    return key.hash("forgotten e-mail", address.strip().casefold())


def read_forgotten(received: Path, key: Key) -> Forgotten:
    """The list of a received folder; empty where there is none.

    Raises:
        SourceError: the list cannot be read, or is of another key: then nobody on it would be recognised.
    """
    path = received / FOLDER / LIST
    try:
        lines = path.read_text("utf-8").splitlines()
    except FileNotFoundError:
        return Forgotten()
    except (OSError, UnicodeDecodeError) as error:
        raise SourceError(f"{path}: cannot be read; restore it, or those it names come back") from error
    try:
        entries = [Entry(**json.loads(line)) for line in lines]
    except (ValueError, TypeError):
        raise SourceError(f"{path}: is not the list that ticketmill forget wrote; restore it") from None
    if any(entry.key != key.fingerprint for entry in entries):
        raise SourceError(f"{path}: was written under another project key; forget these customers again under this one")
    return Forgotten(tuple(entries))


def add(received: Path, entry: Entry) -> None:
    """Put a customer on the list; a customer who is on it already stays there once."""
    path = received / FOLDER / LIST
    path.parent.mkdir(exist_ok=True)
    line = json.dumps(asdict(entry), sort_keys=True)
    lines = set(path.read_text("utf-8").splitlines()) if path.exists() else set()
    unfinished = path.with_name(f"{LIST}.writing")
    unfinished.write_text("".join(f"{one}\n" for one in sorted(lines | {line})), "utf-8")
    unfinished.replace(path)


def keep_draws(received: Path, draws: Mapping[str, int]) -> None:
    """Write down which draws others hold."""
    path = received / FOLDER / DRAWS
    path.parent.mkdir(exist_ok=True)
    write_json(path, draws)


def digest_of_list(ingested: Table) -> str:
    """Over the list that the table of ingest was made with; empty where nobody was on it."""
    return ingested.manifest.extras.get(f"{PUBLISHED}/{LIST}", "")


def draws_of(ingested: Table) -> dict[str, int]:
    """The draws that were written down when the table of ingest was made."""
    name = f"{PUBLISHED}/{DRAWS}"
    if name not in ingested.manifest.extras:
        return {}
    draws: dict[str, int] = json.loads((ingested.folder / name).read_text("utf-8"))
    return draws


def publish(received: Path, folder: Path, before: Path) -> list[Path]:
    """Copy list and draws into a table of ingest in the making; returns the copies.

    Raises:
        SourceError: the list lost somebody whom the table `before` was made without.
    """
    lost = _lines(before / PUBLISHED / LIST) - _lines(received / FOLDER / LIST)
    if lost:
        raise SourceError(
            f"{received / FOLDER / LIST}: {len(lost)} forgotten customers are no longer on it; restore it from "
            f"{before / PUBLISHED / LIST}, or remove that file to take them back"
        )
    copies = []
    for name in (LIST, DRAWS):
        if (received / FOLDER / name).is_file():
            copy = folder / PUBLISHED / name
            copy.parent.mkdir(exist_ok=True)
            unfinished = copy.with_suffix(".writing")
            unfinished.write_bytes((received / FOLDER / name).read_bytes())
            unfinished.replace(copy)
            copies.append(copy)
    return copies


def _lines(path: Path) -> set[str]:
    return set(path.read_text("utf-8").splitlines()) if path.is_file() else set()
