"""Cut rows out of received files, and leave every other byte as it is.

In the place of a row stands a mark (`MARK` in drafts), so that the rows after it keep their numbers, and with them every
conversation of others its `source_row`. Cut are JSON lines, JSON documents and CSV, packed or not, Parquet, and what formats
say how to cut themselves (`Source.cuts`). Nothing here is the last word: who cuts reads the new file and compares before it
takes the place of the old one (`pipeline/forget.py`).
"""

import csv
import gzip
import io
import os
import re
from collections.abc import Collection, Iterator, Sequence
from itertools import count
from pathlib import Path
from typing import IO, Any, Final, NamedTuple
from xml.parsers.expat import ExpatError

import orjson
import zstandard

from pipeline.errors import SourceError
from pipeline.reading.csv_rows import Dialect
from pipeline.reading.drafts import MARK, ReceivedFile, Without
from pipeline.reading.files import DECODER, Layout, is_packed, opened, plain
from pipeline.reading.parquet_rows import numbers_gone

RECORD: Final = orjson.dumps({MARK: True})

_BLANK: Final = re.compile(r"[ \t\r\n]*")
_BOM: Final = b"\xef\xbb\xbf"


class Cut(NamedTuple):
    """What is to go of one file."""

    rows: frozenset[int]
    """Numbers of its rows, as ingest counts them."""

    payloads: Sequence[bytes]
    """What ingest read of these rows, and of the records they refer to: finds them in a JSON document."""


def cut(file: ReceivedFile, wanted: Cut, layout: Layout | Without, dialect: Dialect, target: Path) -> int:
    """Write a file without these rows to `target`; returns how many were cut, 0 where it is not one that can be cut.

    CSV, JSON lines, logs and mailboxes pass as a stream, Parquet by row groups; a JSON document is held whole.

    Raises:
        SourceError: the file cannot be read, or `target` not written.
    """
    if layout == "parquet":
        return 0 if is_packed(file) else _cut_parquet(file, wanted.rows, target)
    try:
        with opened(file) as stream:
            if callable(layout):
                pieces = layout(stream, wanted.rows)
            elif layout == "jsonl":
                pieces = _without_lines(stream, wanted.rows)
            elif layout == "csv":
                pieces = _without_csv_rows(stream, wanted.rows, dialect)
            else:
                pieces = _without_elements(stream.read(), wanted.payloads)
            return _write(file, target, pieces)
    except (ValueError, TypeError, LookupError, RecursionError, csv.Error, ExpatError):
        return 0  # not written as these layouts are; ingest may know how to read it, this module does not know how to cut it


def _write(file: ReceivedFile, target: Path, pieces: Iterator[tuple[bytes, bool]]) -> int:
    """Every piece, packed as the file is; returns how many of them are marks."""
    name = file.path.name.lower()
    number = 0
    try:
        with target.open("wb") as raw:
            writing: Any = raw
            if name.endswith(".gz"):
                writing = gzip.GzipFile(filename="", mode="wb", fileobj=raw, mtime=0)
            elif name.endswith(".zst"):
                writing = zstandard.ZstdCompressor().stream_writer(raw, closefd=False)
            for piece, is_mark in pieces:
                writing.write(piece)
                number += is_mark
            if writing is not raw:
                writing.close()
            raw.flush()
            os.fsync(raw.fileno())
        target.chmod(file.path.stat().st_mode)
    except OSError as error:
        raise SourceError(f"{file.label}: cannot be written ({error.strerror}); nothing of it was changed") from error
    return number


def _cut_parquet(file: ReceivedFile, rows: Collection[int], target: Path) -> int:
    """The file without these rows, group by group; its metadata say which numbers are gone, so that the others keep theirs."""
    import pyarrow as pa  # type: ignore[import-untyped]  # ships no types  # noqa: PLC0415  # 0.3 s, for this layout only
    from pyarrow import parquet  # noqa: PLC0415  # as above

    number = 0
    try:
        with parquet.ParquetFile(file.path) as content:
            gone = numbers_gone(content.metadata.metadata)
            numbers = (each for each in count(1) if each not in gone)
            packing = {
                content.schema.column(at).path: content.metadata.row_group(0)
                .column(at)
                .compression.replace("UNCOMPRESSED", "NONE")
                for at in range(content.metadata.num_columns if content.num_row_groups else 0)
            }
            with parquet.ParquetWriter(target, content.schema_arrow, compression=packing or "NONE") as writer:
                for group in range(content.num_row_groups):
                    table = content.read_row_group(group)
                    stays = [next(numbers) not in rows for _ in range(table.num_rows)]
                    number += stays.count(False)
                    if any(stays):
                        writer.write_table(table.filter(pa.array(stays)), row_group_size=table.num_rows)
                writer.add_key_value_metadata({MARK: ",".join(map(str, sorted(gone | set(rows))))})
        target.chmod(file.path.stat().st_mode)
    except pa.ArrowException:
        return 0
    except OSError as error:
        raise SourceError(f"{file.label}: cannot be written ({error.strerror}); nothing of it was changed") from error
    return number


def _without_lines(stream: IO[bytes], rows: Collection[int]) -> Iterator[tuple[bytes, bool]]:
    position = 0
    for line in stream:
        position += bool(line.removeprefix(_BOM).strip())
        if position in rows and line.strip():
            head = _BOM if line.startswith(_BOM) else b""
            yield head + RECORD + line[len(line.rstrip(b"\r\n")) :], True
        else:
            yield line, False


def _without_csv_rows(stream: IO[bytes], rows: Collection[int], dialect: Dialect) -> Iterator[tuple[bytes, bool]]:
    marked = stream.peek(3)[:3] == _BOM  # type: ignore[attr-defined]  # what `opened` yields is buffered
    encoding = "utf-8" if marked else {"utf-16": "utf-16-le"}.get(dialect.encoding, dialect.encoding)
    text = io.TextIOWrapper(stream, encoding=encoding, errors="surrogateescape", newline="")
    held: list[str] = []

    def lines() -> Iterator[str]:
        for line in text:
            held.append(line)
            yield line

    def taken() -> str:
        own = "".join(held)
        held.clear()
        return own

    for _ in range(dialect.skip_lines):
        yield text.readline().encode(encoding, "surrogateescape"), False
    reader = csv.reader(
        lines(),
        delimiter=dialect.delimiter,
        quotechar=dialect.quote or None,
        escapechar=dialect.escape,
        quoting=csv.QUOTE_MINIMAL if dialect.quote else csv.QUOTE_NONE,
        doublequote=dialect.escape is None,
    )
    width = len(next(reader, []))
    yield taken().encode(encoding, "surrogateescape"), False
    position = 0
    for cells in reader:
        own = taken()
        position += any(cells)
        is_mark = any(cells) and position in rows
        if is_mark:
            own = MARK + dialect.delimiter * (width - 1) + own[len(own.rstrip("\r\n")) :]
        yield own.encode(encoding, "surrogateescape"), is_mark
    text.detach()


def _without_elements(content: bytes, payloads: Sequence[bytes]) -> Iterator[tuple[bytes, bool]]:
    """Of every payload the largest object in a list of the documents that it holds, whatever stands around it."""
    text = content.decode("utf-8-sig")
    found: dict[bytes, list[tuple[int, int]]] = {}
    for start, end, value in _objects(text):
        found.setdefault(_dumped(value), []).append((start, end))
    # at least half of what was read: a small record that happens to stand inside another one is not that one
    largest = (
        max((one for one in found if 2 * len(one) >= len(payload) and one in payload), key=len, default=b"")
        for payload in payloads
    )
    spans = sorted({span for one in largest if one for span in found[one]})
    yield content[: len(content) - len(text.encode())], False
    position = 0
    for start, end in spans:
        if start < position:
            continue  # inside one that went
        yield text[position:start].encode(), False
        yield RECORD, True
        position = end
    yield text[position:].encode(), False


def _dumped(value: Any) -> bytes:
    try:
        return orjson.dumps(value)
    except TypeError:  # half a surrogate pair, or an integer of more than 64 bits
        return orjson.dumps(plain(value))


def _objects(text: str) -> Iterator[tuple[int, int, Any]]:
    """(start, end, value) of every object that is a document or an element of a list in one, not below one another's list."""

    def below(at: int) -> Iterator[tuple[int, int, Any]]:
        if text[at] == "[":
            at = _skip(text, at + 1)
            while text[at] != "]":
                value, end = DECODER.raw_decode(text, at)
                if isinstance(value, dict):
                    yield at, end, value
                at = _next(text, end)
        elif text[at] == "{":
            at = _skip(text, at + 1)
            while text[at] != "}":
                _, end = DECODER.raw_decode(text, at)
                at = _skip(text, _skip(text, end) + 1)
                yield from below(at)
                _, end = DECODER.raw_decode(text, at)
                at = _next(text, end)

    at = _skip(text, 0)
    while at < len(text):
        value, end = DECODER.raw_decode(text, at)
        if isinstance(value, dict):
            yield at, end, value
        yield from below(at)
        at = _skip(text, end)


def _skip(text: str, at: int) -> int:
    match = _BLANK.match(text, at)
    return match.end() if match else at


def _next(text: str, at: int) -> int:
    at = _skip(text, at)
    return _skip(text, at + 1) if text[at] == "," else at
