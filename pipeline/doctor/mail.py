"""Mail is known by how its files begin."""

# ruff: noqa: PLR2004  # it judges by rules of thumb; the comments beside the numbers say which

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from pipeline.doctor.candidates import NAME_STAFF, STAFF, Candidate
from pipeline.doctor.sampling import beginning
from pipeline.reading.drafts import ReceivedFile
from pipeline.sources import SOURCES

_FROM_LINE: Final = re.compile(rb"From \S.*\d{1,2}:\d{2}")
_MAIL_HEADER: Final = re.compile(rb"^(?:from|to|subject|date|message-id|received|return-path|delivered-to):", re.IGNORECASE)

_TO_DECIDE: Final[Mapping[str, Any]] = {
    "join": "source",
    "staff": STAFF,
    "subject": "prepend",
    "thread_gap_days": 30,
    "zone": "UTC",
    "clean_mail": True,
}
"""A start for settings that only people can decide."""


def look(files: Sequence[ReceivedFile]) -> Iterator[Candidate]:
    """Files that begin with the header of a mail, or with the line that begins a mailbox."""
    boxes, mails = [], []
    for file in files:
        head = beginning(file)
        lines = head.split(b"\n", 30)
        if _FROM_LINE.match(head):
            boxes.append(file)
        elif sum(bool(_MAIL_HEADER.match(line)) for line in lines) >= 2:  # one may be prose
            mails.append(file)
    for kind, found in (("mbox", boxes), ("eml", mails)):
        if found and kind in SOURCES:
            yield Candidate(
                kind,
                found,
                {**_TO_DECIDE, "undated": "refuse" if kind == "mbox" else "keep"},
                [f"{len(found)} of {len(files)} files begin as mails do"],
                [NAME_STAFF],
            )
