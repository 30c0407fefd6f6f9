"""A text log of a channel is known by its lines."""

import re
from collections.abc import Iterator, Sequence
from typing import Final

from pipeline.doctor.candidates import Candidate
from pipeline.doctor.sampling import alike, beginning, spread
from pipeline.reading.drafts import ReceivedFile
from pipeline.sources import SOURCES

_CHAT_LINE: Final = re.compile(
    r"^\[?(?:\d{4}-\d\d-\d\d[T ])?\d{1,2}:\d\d(?::\d\d)?\]?\s+<[~&@%+ ]?(?P<nick>[^<>\s][^<>]{0,63})>"
    r"\s?(?:@?(?P<to>[^\s<>]+?)[:,]\s)?"
)


def look(files: Sequence[ReceivedFile]) -> Iterator[Candidate]:
    """Files most of whose lines are a time, a nick and a text."""
    found = []
    said: list[re.Match[str]] = []
    for file in spread(files):
        lines = beginning(file).decode("utf-8", "replace").splitlines()
        if lines and sum(bool(_CHAT_LINE.match(line)) for line in lines[:50]) * 2 > len(lines[:50]):
            found.append(file)
            said += [match for line in lines if (match := _CHAT_LINE.match(line))]
    if not found or "irc" not in SOURCES:
        return
    nicks = {match["nick"].strip() for match in said}
    addressed = sum(match["to"] in nicks for match in said)
    are_pairs = addressed * 5 > len(said)  # a fifth: who is addressed once goes on without a name
    yield Candidate(
        "irc",
        alike(files, found),
        {"zone": "UTC", "sessions": "pairs" if are_pairs else "channel", "gap_minutes": 60, "staff": []},
        [
            f"lines of {len(found)} files are a time, a nick in <> and a text",
            *([f"{addressed:,} of {len(said):,} messages begin with somebody's nick"] if are_pairs else []),
        ],
        [
            "sessions: two who address each other are one conversation, and who asked first is the customer; with `staff` known, "
            "channel reads everything said until a silence as one"
            if are_pairs
            else "name in `staff` the nicks that answer",
            "date: where neither file names nor lines state one, put it there",
        ],
    )
