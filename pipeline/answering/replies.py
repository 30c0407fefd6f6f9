"""Replies that were paid for, kept by the hash of the whole request: a second run asks nothing.

One SQLite file with a write-ahead log: a reply is there whole or not at all, after kill -9 at any byte, and several
processes may share it. It holds replies to scrubbed prompts under hashes; the prompts themselves are not kept.
"""

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final, Self

from pipeline.answering.request import Reply
from pipeline.errors import TableError

FILE: Final = "replies.sqlite"
WAIT_SECONDS: Final = 60.0
"""How long one process waits for another's write; a write takes well under a millisecond."""

KEYS_PER_QUERY: Final = 500


class Replies:
    """The replies of one folder. Use in a `with` block, in one thread."""

    def __init__(self, folder: Path) -> None:
        """Open or make the file.

        Raises:
            TableError: the folder cannot be written, or the file is no SQLite database.
        """
        self.path = folder / FILE
        with self._translated():
            folder.mkdir(parents=True, exist_ok=True)
            self.connection = sqlite3.connect(self.path, timeout=WAIT_SECONDS, isolation_level=None)
            # NORMAL: no wait for the disk on every reply; a power cut may lose the last ones, a killed process none
            self.connection.executescript(
                "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL;"
                "CREATE TABLE IF NOT EXISTS reply (key TEXT PRIMARY KEY, reply TEXT NOT NULL) WITHOUT ROWID;"
            )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.connection.close()

    def find(self, keys: Sequence[str]) -> dict[str, Reply]:
        """The replies that are there, by key."""
        found: dict[str, Reply] = {}
        with self._translated():
            for start in range(0, len(keys), KEYS_PER_QUERY):
                some = keys[start : start + KEYS_PER_QUERY]
                marks = ",".join("?" * len(some))
                rows = self.connection.execute(f"SELECT key, reply FROM reply WHERE key IN ({marks})", some)  # noqa: S608  # marks only
                found |= {key: Reply.from_json(reply) for key, reply in rows}
        return found

    def keep(self, key: str, reply: Reply) -> None:
        """Keep one reply; the first one under a key stays."""
        with self._translated():
            self.connection.execute("INSERT OR IGNORE INTO reply VALUES (?, ?)", (key, reply.to_json()))

    @contextmanager
    def together(self) -> Iterator[None]:
        """What is written inside is there whole or not at all."""
        with self._translated():
            self.connection.execute("BEGIN IMMEDIATE")
            try:
                yield
            except BaseException:
                self.connection.execute("ROLLBACK")
                raise
            self.connection.execute("COMMIT")

    @contextmanager
    def _translated(self) -> Iterator[None]:
        try:
            yield
        except (OSError, sqlite3.Error) as error:
            raise TableError(f"{self.path}: the kept replies cannot be read or written ({type(error).__name__})") from error
