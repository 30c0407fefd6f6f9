"""The project key: people and values become keyed hashes, so that nobody without the key can look one up by guessing."""

import hmac
import os
import secrets
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import Final

from pipeline.errors import KeyFileError

VARIABLE: Final = "TICKETMILL_KEY"
KEY_FILE: Final = Path(".ticketmill/key")
MIN_CHARACTERS: Final = 32
"""128 bits as hexadecimal digits: below that a key can be searched for."""


@dataclass(frozen=True)
class Key:
    """A secret that turns values into hashes; the same value under the same key is the same hash, in every run."""

    secret: bytes = field(repr=False)

    def digest(self, kind: str, value: str) -> bytes:
        """32 bytes: HMAC-SHA256 (RFC 2104) of the value under the key, apart for every `kind`."""
        return hmac.digest(self.secret, f"{kind}\0{value}".encode("utf-8", "surrogatepass"), sha256)

    def hash(self, kind: str, value: str) -> str:
        """16 hexadecimal digits of `digest`: 64 bits, so 1,000,000 people collide with probability 3e-8."""
        return self.digest(kind, value).hex()[:16]

    @property
    def fingerprint(self) -> str:
        """Names the key without giving it away; part of the fingerprint of every table that depends on it."""
        return self.hash("fingerprint", "")


def load_key(root: Path = Path()) -> Key:
    """Read the key from $TICKETMILL_KEY or `.ticketmill/key` below `root`; make that file (mode 0600) when there is none.

    Raises:
        KeyFileError: the key is too short, or the file can be neither read nor made.
    """
    if value := os.environ.get(VARIABLE):
        return _checked(value, f"${VARIABLE}")
    path = root / KEY_FILE
    try:
        if not path.exists():
            _create(path)
        return _checked(path.read_text("ascii").strip(), str(path))
    except (OSError, UnicodeDecodeError) as error:
        raise KeyFileError(f"{path}: cannot read or make the project key; set ${VARIABLE} or mend the file") from error


def _checked(value: str, where: str) -> Key:
    if len(value) < MIN_CHARACTERS:
        raise KeyFileError(f"{where}: the key has {len(value)} characters, needs {MIN_CHARACTERS}; use 64 hexadecimal digits")
    return Key(value.encode())


def _create(path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_name(f"{path.name}.{os.getpid()}")
    unfinished.touch(mode=0o600)
    unfinished.write_text(secrets.token_hex(32) + "\n", "ascii")
    try:
        os.link(unfinished, path)  # not rename: of two first runs at once, one key wins and the other run reads it
    except FileExistsError:
        pass
    finally:
        unfinished.unlink()
