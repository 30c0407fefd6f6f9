"""How files may be read: a mapping, and what speaks for it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from pipeline.reading.drafts import ReceivedFile

STAFF: Final[Mapping[str, Any]] = {"domains": ["support.example.com"]}
"""Stands where only people know who writes for the company."""
NAME_STAFF: Final = "staff: put every domain and address from which your team and its programs write; mail among them is left out"


@dataclass
class Candidate:
    """One way to read some of the files; the last two fields are known once it was tried."""

    format: str
    """A format of ingest."""
    files: Sequence[ReceivedFile]
    """Those it reads."""
    mapping: dict[str, Any]
    """The entry of `ingest.sources`, but for what says which files it reads."""
    reasons: list[str]
    """What speaks for it."""
    remarks: list[str] = field(default_factory=list)
    """What to decide or to check."""
    read: Mapping[str, int] = field(default_factory=dict)
    """What came of reading a sample: rows and conversations kept, dropped, refused by reason."""
    examples: list[list[str]] = field(default_factory=list)
    """Up to three conversations of it, masked."""
