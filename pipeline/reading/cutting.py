"""Cut rows out of received files, and leave every other byte as it is.

In the place of a row stands a mark (`MARK` in drafts), so that the rows after it keep their numbers, and with them every
conversation of others its `source_row`. Cut are JSON lines, JSON documents and CSV, packed or not; of other formats only
a file all of whose rows go, which goes as a whole. What could not be cut is said, never passed over.
"""

import csv
import gzip
import io
import json
import os
import re
from collections.abc import Collection, Iterator, Sequence
from typing import Any, Final, NamedTuple

import orjson
import zstandard

from pipeline.errors import SourceError
from pipeline.reading.drafts import MARK, ReceivedFile
from pipeline.reading.files import Dialect, layout_of, opened

RECORD: Final = orjson.dumps({MARK: True})

_BLANK: Final = re.compile(r"[ \t\r\n]*")


class Cut(NamedTuple):
    """What is to go of one file."""

    rows: frozenset[int]
    """Numbers of its rows, as ingest counts them."""

    payloads: Sequence[bytes]
    """What ingest read of these rows, and of the records they refer to: finds them in a JSON document."""

    is_all: bool
    """Whether these are all rows of the file."""


def cut(file: ReceivedFile, wanted: Cut, dialect: Dialect) -> int:
    """Cut rows out of a file; returns how many. 0: the file is of a format that cannot be cut, and was left as it is.

    Raises:
        SourceError: the file cannot be read or written.
    """
    if file.member:
        return 0
    try:
        layout = layout_of(file)
    except SourceError:
        layout = None
    if wanted.is_all and layout not in {"jsonl", "csv"}:
        file.path.unlink()
        return len(wanted.rows)
    if layout not in {"jsonl", "json", "csv"}:
        return 0
    with opened(file) as stream:
        content = stream.read()
    if layout == "jsonl":
        after, number = _without_lines(content, wanted.rows)
    elif layout == "csv":
        after, number = _without_csv_rows(content, wanted.rows, dialect)
    else:
        after, number = _without_elements(content, wanted.payloads)
    if number:
        _write(file, after)
    return number


def _write(file: ReceivedFile, content: bytes) -> None:
    name = file.path.name.lower()
    if name.endswith(".gz"):
        content = gzip.compress(content, mtime=0)
    elif name.endswith(".zst"):
        content = zstandard.ZstdCompressor(write_content_size=True).compress(content)
    unfinished = file.path.with_name(f".{file.path.name}.writing")  # hidden: an ingest at the same time passes it over
    try:
        with unfinished.open("wb") as writing:
            writing.write(content)
            writing.flush()
            os.fsync(writing.fileno())
        unfinished.chmod(file.path.stat().st_mode)
        unfinished.replace(file.path)
    except OSError as error:
        unfinished.unlink(missing_ok=True)
        raise SourceError(f"{file.label}: cannot be written ({error.strerror}); nothing of it was changed") from error


def _without_lines(content: bytes, rows: Collection[int]) -> tuple[bytes, int]:
    lines = content.splitlines(keepends=True) if b"\r" not in content else re.findall(rb"[^\n]*\n|[^\n]+", content)
    position = number = 0
    for place, line in enumerate(lines):
        if not line.removeprefix(b"\xef\xbb\xbf").strip():
            continue
        position += 1
        if position in rows:
            lines[place] = RECORD + line[len(line.rstrip(b"\r\n")) :]
            number += 1
    return b"".join(lines), number


def _without_csv_rows(content: bytes, rows: Collection[int], dialect: Dialect) -> tuple[bytes, int]:
    text = content.decode(dialect.encoding, "surrogateescape")
    lines = io.StringIO(text, newline="").readlines()
    reader = csv.reader(
        iter(lines),
        delimiter=dialect.delimiter,
        quotechar=dialect.quote or None,
        escapechar=dialect.escape,
        quoting=csv.QUOTE_MINIMAL if dialect.quote else csv.QUOTE_NONE,
        doublequote=dialect.escape is None,
    )
    width = len(next(reader, []))
    kept = lines[: reader.line_num]
    position = number = 0
    begun = reader.line_num
    for cells in reader:
        own, begun = lines[begun : reader.line_num], reader.line_num
        position += bool(cells)
        if cells and position in rows:
            end = own[-1][len(own[-1].rstrip("\r\n")) :]
            own = [MARK + dialect.delimiter * (width - 1) + end]
            number += 1
        kept += own
    return "".join(kept).encode(dialect.encoding, "surrogateescape"), number


def _without_elements(content: bytes, payloads: Sequence[bytes]) -> tuple[bytes, int]:
    """Of every payload the largest object in a list of the document that it holds, whatever stands around it."""
    text = content.decode("utf-8-sig")
    found: dict[bytes, list[tuple[int, int]]] = {}
    for start, end, value in _objects(text):
        found.setdefault(orjson.dumps(value), []).append((start, end))
    # at least half of what was read: a small record that happens to stand inside another one is not that one
    largest = (
        max((one for one in found if 2 * len(one) >= len(payload) and one in payload), key=len, default=b"")
        for payload in payloads
    )
    spans = sorted({span for one in largest if one for span in found[one]})
    pieces, position = [], 0
    for start, end in spans:
        pieces += [text[position:start], RECORD.decode()]
        position = end
    head = content[: len(content) - len(text.encode())]
    return head + ("".join(pieces) + text[position:]).encode(), len(spans)


def _objects(text: str) -> Iterator[tuple[int, int, Any]]:
    """(start, end, value) of every object that is an element of a list, outermost first and not below one another's list."""
    decoder = json.JSONDecoder()

    def below(at: int) -> Iterator[tuple[int, int, Any]]:
        at = _skip(text, at)
        if text[at] == "[":
            at = _skip(text, at + 1)
            while text[at] != "]":
                value, end = decoder.raw_decode(text, at)
                if isinstance(value, dict):
                    yield at, end, value
                at = _next(text, end)
        elif text[at] == "{":
            at = _skip(text, at + 1)
            while text[at] != "}":
                _, end = decoder.raw_decode(text, at)
                at = _skip(text, _skip(text, end) + 1)
                yield from below(at)
                _, end = decoder.raw_decode(text, at)
                at = _next(text, end)

    yield from below(0)


def _skip(text: str, at: int) -> int:
    match = _BLANK.match(text, at)
    return match.end() if match else at


def _next(text: str, at: int) -> int:
    at = _skip(text, at)
    return _skip(text, at + 1) if text[at] == "," else at


def holds(file: ReceivedFile, values: Collection[str]) -> bool:
    """Whether any of these values still stands in a file, in any case; a file that cannot be read counts as one that does."""
    try:
        with opened(file) as stream:
            content = stream.read().decode("utf-8", "replace").casefold()
    except SourceError:
        return True
    return any(value.casefold() in content for value in values)
