"""How a file or folder may be read: a mapping, and what speaks for it."""

from dataclasses import dataclass, field
from typing import Any


@dataclass
class Candidate:
    """One way to read the files, before it is tried."""

    format: str
    """A format of ingest."""
    mapping: dict[str, Any]
    """The entry of `ingest.sources`."""
    reasons: list[str]
    """What speaks for it."""
    remarks: list[str] = field(default_factory=list)
    """What to decide or to check."""
