"""A text log of a channel is known by its lines."""

import re
from collections.abc import Iterator, Sequence
from typing import Final

from pipeline.doctor.candidates import Candidate
from pipeline.doctor.sampling import alike, beginning, spread
from pipeline.reading.drafts import ReceivedFile
from pipeline.sources import SOURCES

_CHAT_LINE: Final = re.compile(r"^\[?(?:\d{4}-\d\d-\d\d[T ])?\d{1,2}:\d\d(?::\d\d)?\]?\s+<[^<>\s]{1,64}>")


def look(files: Sequence[ReceivedFile]) -> Iterator[Candidate]:
    """Files most of whose lines are a time, a nick and a text."""
    found = []
    for file in spread(files):
        lines = beginning(file).decode("utf-8", "replace").splitlines()[:50]
        if lines and sum(bool(_CHAT_LINE.match(line)) for line in lines) * 2 > len(lines):
            found.append(file)
    if found and "irc" in SOURCES:
        yield Candidate(
            "irc",
            alike(files, found),
            {"zone": "UTC", "sessions": "channel", "gap_minutes": 60, "staff": []},
            [f"lines of {len(found)} files are a time, a nick in <> and a text"],
            ["name in `staff` the nicks that answer", "date: where neither file names nor lines state one, put it there"],
        )
