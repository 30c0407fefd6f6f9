"""Replies that were paid for, kept by the hash of the whole request: a second run asks nothing.

One SQLite file with a write-ahead log: a reply is there whole or not at all, after kill -9 at any byte, and several
processes may share it. It holds replies to scrubbed prompts under hashes; the prompts themselves are not kept.

A request that is under way is claimed, so that of several processes only one pays for it. A claim lasts as long as the
process that holds it: every process holds a lock on a file of its own, which the kernel lifts when it ends, killed or not.
"""

import fcntl
import os
import secrets
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final, Self

from pipeline.answering.request import Reply
from pipeline.errors import TableError

FILE: Final = "replies.sqlite"
WAIT_SECONDS: Final = 60.0
"""How long one process waits for another's write; a write takes well under a millisecond."""

OWNERS: Final = "owner-*.lock"

PAGES_BETWEEN_CHECKPOINTS: Final = 4_000
"""16 MB of log: copying it back waits for the disk, and everything else waits with it."""

TABLES: Final = """
CREATE TABLE IF NOT EXISTS reply (key TEXT PRIMARY KEY, reply TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS claim (key TEXT PRIMARY KEY, owner TEXT NOT NULL) WITHOUT ROWID;
"""


class Replies:
    """The replies of one folder. Use in a `with` block, in one thread."""

    def __init__(self, folder: Path) -> None:
        """Open or make the file.

        Raises:
            TableError: the folder cannot be written, or the file is no SQLite database.
        """
        self._folder = folder
        self.path = folder / FILE
        with self._translated():
            folder.mkdir(parents=True, exist_ok=True)
            self.connection = sqlite3.connect(self.path, timeout=WAIT_SECONDS, isolation_level=None)
            # NORMAL: no wait for the disk on every reply; a power cut may lose the last ones, a killed process none
            self.connection.executescript(
                "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL; "
                f"PRAGMA wal_autocheckpoint={PAGES_BETWEEN_CHECKPOINTS}; {TABLES}"
            )
            self.owner, self._lock = _lock_a_new_file(folder)
            for path in folder.glob(OWNERS):
                if not self.is_alive(path.name):
                    self._bury(path.name)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        try:
            with self._translated():
                self._bury(self.owner)
        finally:
            self.connection.close()
            os.close(self._lock)

    def find(self, key: str) -> Reply | None:
        """The reply under a key, if it is there."""
        with self._translated():
            row = self.connection.execute("SELECT reply FROM reply WHERE key = ?", (key,)).fetchone()
        return Reply.from_json(row[0]) if row else None

    def keep(self, key: str, reply: Reply) -> None:
        """Keep one reply; the first one under a key stays."""
        with self._translated():
            self.connection.execute("INSERT OR IGNORE INTO reply VALUES (?, ?)", (key, reply.to_json()))
            self.connection.execute("DELETE FROM claim WHERE key = ?", (key,))

    def claim(self, key: str) -> bool:
        """Whether the request under this key is ours to send; False while another living process is at it.

        Inside `together`.
        """
        insert = "INSERT OR IGNORE INTO claim VALUES (?, ?)"
        if self.connection.execute(insert, (key, self.owner)).rowcount:
            return True
        (owner,) = self.connection.execute("SELECT owner FROM claim WHERE key = ?", (key,)).fetchone()
        if owner == self.owner:
            return True
        if self.is_alive(owner):
            return False
        self._bury(owner)
        self.connection.execute(insert, (key, self.owner))
        return True

    def _bury(self, owner: str) -> None:
        self.connection.execute("DELETE FROM claim WHERE owner = ?", (owner,))
        (self._folder / owner).unlink(missing_ok=True)

    def disclaim(self, key: str) -> None:
        """Anybody may send this request again."""
        self.connection.execute("DELETE FROM claim WHERE key = ? AND owner = ?", (key, self.owner))

    def is_alive(self, owner: str) -> bool:
        """Whether the process that claims under this name still runs."""
        if owner == self.owner:
            return True
        try:
            other = os.open(self._folder / owner, os.O_RDWR)
        except FileNotFoundError:
            return False
        try:
            fcntl.flock(other, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
        finally:
            os.close(other)
        return False

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


def _lock_a_new_file(folder: Path) -> tuple[str, int]:
    """Name and descriptor of a locked file; a name is drawn once, so a dead owner never comes back."""
    while True:
        name = OWNERS.replace("*", f"{os.getpid()}-{secrets.token_hex(8)}")
        lock = os.open(folder / name, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600)
        fcntl.flock(lock, fcntl.LOCK_EX)
        if (folder / name).exists():  # else another process took it for a dead one's before it was locked
            return name, lock
        os.close(lock)
