"""Text files that are transcripts: a file is a conversation, or holds several with a line between them.

Customer: Where is my order?
Agent: It left on Monday.
-----
Customer: ...
"""

import re
from collections.abc import Collection, Iterator, Sequence
from functools import cached_property
from hashlib import sha256
from typing import IO, Literal, NamedTuple

import orjson
from pydantic import field_validator

from pipeline.reading.drafts import (
    FORGOTTEN,
    MARK,
    Draft,
    FindReferent,
    Limits,
    ReceivedFile,
    Row,
    Source,
    SourceSettings,
    fault,
)
from pipeline.reading.files import opened
from pipeline.reading.transcripts import TranscriptLabels, add_transcript
from pipeline.text import clean


class TranscriptsSettings(SourceSettings):
    """Text files of transcripts."""

    format: Literal["transcripts"]
    """transcripts"""
    transcript: TranscriptLabels
    """Who speaks, as it stands before the colons."""
    separator: str | None = None
    """Regular expression of the whole line that stands between two conversations; null where a file is one."""

    @field_validator("separator")
    @classmethod
    def _is_a_pattern(cls, value: str | None) -> str | None:
        try:
            re.compile(value or "")
        except re.error as error:
            raise ValueError("is not a regular expression") from error
        return value

    @cached_property
    def separates(self) -> re.Pattern[str] | None:
        """What a line between two conversations is like."""
        return re.compile(self.separator) if self.separator else None

    @property
    def rows_have_ids(self) -> bool:
        """A transcript is a conversation."""
        return False


class _Piece(NamedTuple):
    """A conversation, or what stands between two."""

    position: int
    """1 for the first conversation of the file; 0 for what is none."""
    raw: bytes
    is_cut: bool = False


def _pieces(stream: IO[bytes], separates: re.Pattern[str] | None, most: int) -> Iterator[_Piece]:
    position, size, has_text = 0, 0, False
    lines: list[bytes] = []

    def piece() -> _Piece:
        return _Piece(position + 1 if has_text else 0, b"".join(lines), size > most)

    is_whole = True
    for line in iter(lambda: stream.readline(most + 1), b""):
        begins, is_whole = (
            is_whole,
            line.endswith(b"\n") or len(line) <= most,
        )  # of an over-long line, the rest is none of its own
        if separates is not None and begins and is_whole and separates.fullmatch(_decoded(line).strip()):
            yield piece()
            yield _Piece(0, line)
            position += has_text
            lines, size, has_text = [], 0, False
            continue
        size += len(line)
        has_text = has_text or bool(line.removeprefix(b"\xef\xbb\xbf").strip())
        if size <= most:
            lines.append(line)
    yield piece()


def _decoded(raw: bytes) -> str:
    try:
        return raw.decode("utf-8").removeprefix("\ufeff")
    except UnicodeDecodeError:
        return raw.decode("cp1252", "replace")


def read(file: ReceivedFile, number: int, settings: TranscriptsSettings, limits: Limits) -> Iterator[Row]:
    """The conversations of one file."""
    with opened(file) as stream:
        for position, raw, is_cut in _pieces(stream, settings.separates, limits.max_row_bytes):
            if not position:
                continue
            if raw.startswith(MARK.encode()):
                yield fault(number, position, MARK.encode(), FORGOTTEN)
            elif is_cut:
                yield fault(number, position, raw, "too_long")
            else:
                native = sha256(file.label.encode() + b"\0" + raw.strip()).hexdigest()
                yield Row(number, position, native, orjson.dumps(_decoded(raw)))


def assemble(rows: Sequence[Row], settings: TranscriptsSettings, _find_referent: FindReferent) -> Draft:
    """The conversation of one transcript."""
    draft = Draft()
    add_transcript(draft, clean(orjson.loads(rows[0].payload), settings.text_format), settings.transcript, "transcript")
    return draft


def without(stream: IO[bytes], rows: Collection[int], settings: TranscriptsSettings) -> Iterator[tuple[bytes, bool]]:
    """A text without these conversations: of each a mark, so that those after it keep their numbers."""
    for position, raw, _ in _pieces(stream, settings.separates, 2**62):
        is_mark = position in rows
        yield (MARK.encode() + b"\n" if is_mark else raw), is_mark


SOURCE = Source(read, assemble, cuts=without)
