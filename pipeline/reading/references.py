"""What rows refer to, such as users, on disk: memory does not grow with the number of a help desk's customers."""

import sqlite3
from collections.abc import Callable
from functools import lru_cache
from pathlib import Path
from typing import Any, Final

import orjson

from pipeline.errors import TableError
from pipeline.reading.drafts import FindReferent, Referent

CACHED: Final = 20_000


class ReferentWriter:
    """Takes what rows refer to; a file is made only when there is something."""

    def __init__(self, path: Path) -> None:
        """Start empty; a left-over of a killed run goes."""
        self._path = path
        path.unlink(missing_ok=True)
        self._database: sqlite3.Connection | None = None

    def add(self, referent: Referent) -> None:
        """Put one; a later one of the same kind and key takes its place.

        Raises:
            TableError: it cannot be written.
        """
        try:
            self._add(referent)
        except sqlite3.Error as error:
            raise TableError(f"{self._path.parent}: users cannot be written; free some space and run again") from error

    def _add(self, referent: Referent) -> None:
        if self._database is None:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            self._database = sqlite3.connect(self._path)
            self._database.execute("pragma synchronous = off")  # a killed run reads its files again
            self._database.execute("pragma journal_mode = off")
            self._database.execute(
                "create table referents (kind text, key text, payload blob, primary key (kind, key)) without rowid"
            )
        self._database.execute("insert or replace into referents values (?, ?, ?)", referent)

    def finish(self) -> None:
        """Write everything."""
        if self._database is not None:
            self._database.commit()
            self._database.close()


def open_referents(path: Path) -> FindReferent:
    """What finds that which was written to `path`; it finds nothing when there is no such file."""
    if not path.is_file():
        return lambda _kind, _key: None
    database = sqlite3.connect(f"file:{path}?mode=ro&immutable=1", uri=True)
    find: Callable[[str, str], Any] = lru_cache(CACHED)(lambda kind, key: _find(database, kind, key))
    return find


def _find(database: sqlite3.Connection, kind: str, key: str) -> Any:
    row = database.execute("select payload from referents where kind = ? and key = ?", (kind, key)).fetchone()
    return orjson.loads(row[0]) if row else None
