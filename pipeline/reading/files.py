"""Received files, whatever their compression: opened, decoded, and read row by row where they hold JSON.

Nothing here holds more than one row, one batch, or one document of `WHOLE_DOCUMENT_BYTES`. What programs write although no
standard has it is read where it can mean one thing only: a byte order mark says the encoding, NaN is null, half a surrogate
pair is U+FFFD, a comma after a line of JSON lines is none of it, documents one after another are a list.
"""

import codecs
import gzip
import io
import json
import re
import tarfile
import zipfile
import zlib
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import PurePath
from typing import IO, Any, Final, Literal

import orjson
import zstandard

from pipeline.errors import SourceError
from pipeline.reading.archives import member
from pipeline.reading.drafts import FORGOTTEN, MARK, Limits, ReceivedFile, Row, fault
from pipeline.reading.paths import EACH, shown
from pipeline.reading.paths import Path as Steps
from pipeline.reading.unpacking import decompressed, unpacked

Layout = Literal["csv", "jsonl", "json", "parquet", "xml"]

WHOLE_DOCUMENT_BYTES: Final = 16 * 2**20
"""A JSON document up to this size is parsed at once, a larger one as a stream: about ten times slower, but bounded."""


DECODER: Final = json.JSONDecoder(strict=False, parse_constant=lambda _name: None)
"""Of JSON as programs write it: control characters inside strings, NaN."""

BOM: Final = b"\xef\xbb\xbf"
SURROGATE: Final = re.compile(r"[\ud800-\udfff]")
_COMPRESSED: Final = (".gz", ".zst")
_LAYOUTS: Final[dict[str, Layout]] = {
    ".csv": "csv",
    ".tsv": "csv",
    ".jsonl": "jsonl",
    ".ndjson": "jsonl",
    ".json": "json",
    ".parquet": "parquet",
    ".xml": "xml",
}
_ANY: Final = frozenset({".txt", ".dat", ".log", ".out"})
"""Endings that promise nothing: JSON where the file begins as JSON does, CSV otherwise."""
_OTHERS: Final = {
    ".xlsx": "an Excel workbook; save each sheet as CSV UTF-8",
    ".xls": "an Excel workbook; save each sheet as CSV UTF-8",
    ".ods": "a workbook; save each sheet as CSV UTF-8",
    ".html": "HTML; export it as JSON or CSV",
    ".sql": "a dump of a database; load it and export its tables as CSV or Parquet",
    ".msg": "an Outlook message; save it as .eml",
    ".pst": "an Outlook store; convert it to mbox, with readpst for one",
    ".7z": "a 7z archive; pack it again as .zip or .tar.gz",
    ".rar": "a RAR archive; pack it again as .zip or .tar.gz",
    **dict.fromkeys((".zip", ".tar", ".tgz"), "an archive inside an archive; unpack the outer one"),
    ".bz2": "packed with bzip2; pack it again with gzip or zstd",
    ".xz": "packed with xz; pack it again with gzip or zstd",
    ".pdf": "a PDF; export its source as JSON or CSV",
}
"""Endings of what is not read -> what it is and what to do."""


def layout_of(file: ReceivedFile) -> Layout:
    """The layout a file's name promises; a `.json` that holds one record per line counts as JSON lines.

    Raises:
        SourceError: the name has no ending we know, or one of what is not read.
    """
    suffixes = [suffix.lower() for suffix in PurePath(file.name).suffixes]
    if suffixes and suffixes[-1] in _COMPRESSED:
        suffixes.pop()
    ending = suffixes[-1] if suffixes else ""
    if ending in _OTHERS:
        raise SourceError(f"{file.label}: is {_OTHERS[ending]}")
    layout = _LAYOUTS.get(ending)
    if ending in _ANY:
        layout = "json" if _begins_as_json(file) else "csv"
    if layout is None:
        raise SourceError(
            f"{file.label}: its name does not end in {', '.join(_LAYOUTS)} (or with .gz, .zst); rename or ignore it"
        )
    if layout == "json" and _is_lines(file):
        return "jsonl"
    return layout


def _begins_as_json(file: ReceivedFile) -> bool:
    with opened(file) as stream:
        return stream.read(1000).removeprefix(BOM).lstrip().startswith((b"{", b"["))


def _is_lines(file: ReceivedFile) -> bool:
    with opened(file) as stream:
        head = stream.readline(WHOLE_DOCUMENT_BYTES).removeprefix(BOM).strip()
        more = stream.readline(WHOLE_DOCUMENT_BYTES).strip()
    if not head.startswith(b"{") or not more.startswith(b"{"):
        return False
    return _read_anyway(head) is not None


@contextmanager
def opened(file: ReceivedFile) -> Iterator[IO[bytes]]:
    """The uncompressed bytes of a file, in UTF-8 where a byte order mark says that it is UTF-16 or UTF-32.

    Raises:
        SourceError: something is wrong with the file as a whole, now or while reading.
    """
    with readable(file):
        raw, packed = member(file) if file.member else (file.path.open("rb"), file.path.stat().st_size)
        with raw:
            stream = decompressed(raw, file.name)
            if stream is not raw and (limits := file.limits):
                stream = unpacked(stream, packed, file.label, limits.max_unpacked_bytes, limits.max_unpacked_ratio)
            yield _as_utf8(stream)


def _as_utf8(stream: IO[bytes]) -> IO[bytes]:
    head = b""
    while len(head) < 4 and (more := stream.read(4 - len(head))):  # noqa: PLR2004  # the longest mark
        head += more
    whole = io.BufferedReader(Joined(head, stream), 2**18)
    encoding = next((name for mark, name in _MARKS if head.startswith(mark)), None)
    return whole if encoding is None else io.BufferedReader(_Recoded(whole, encoding), 2**18)


_MARKS: Final = (
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
"""Byte order marks, those that begin with another first."""


class _Recoded(io.RawIOBase):
    """A stream in UTF-8 with its mark; what is no character of the old encoding is U+FFFD."""

    def __init__(self, stream: IO[bytes], encoding: str) -> None:
        self._stream = stream
        self._decoder = codecs.getincrementaldecoder(encoding)("replace")
        self._ready = BOM

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        while not self._ready:
            more = self._stream.read(2**16)
            self._ready = self._decoder.decode(more, final=not more).encode("utf-8", "replace")
            if not more and not self._ready:
                return 0
        count = min(len(buffer), len(self._ready))
        buffer[:count], self._ready = self._ready[:count], self._ready[count:]
        return count


@contextmanager
def readable(file: ReceivedFile) -> Iterator[None]:
    """Turn what a file system or a packed file refuses into a SourceError that says what to do."""
    try:
        yield
    except EOFError:
        raise SourceError(f"{file.label}: the compressed data is cut off; fetch the file again") from None
    except (gzip.BadGzipFile, zlib.error, zstandard.ZstdError, zipfile.BadZipFile, tarfile.TarError):
        raise SourceError(f"{file.label}: is not the compressed file its name promises, or is damaged; fetch it again") from None
    except IsADirectoryError:
        raise SourceError(f"{file.label}: is a folder, not a file") from None
    except PermissionError:
        raise SourceError(f"{file.label}: may not be read; change its permissions") from None
    except OSError as error:
        raise SourceError(f"{file.label}: cannot be read ({error.strerror})") from error


class Joined(io.RawIOBase):
    """Bytes that were read already, and the rest of their stream."""

    def __init__(self, head: bytes, rest: IO[bytes]) -> None:
        self._head, self._rest = memoryview(head), rest

    def readable(self) -> bool:
        """Yes."""
        return True

    def readinto(self, buffer: Any) -> int:
        """The bytes read before, then those of the stream."""
        if self._head:
            count = min(len(buffer), len(self._head))
            buffer[:count], self._head = self._head[:count], self._head[count:]
            return count
        more = self._rest.read(len(buffer))
        buffer[: len(more)] = more
        return len(more)


def json_lines(file: ReceivedFile, number: int, limits: Limits) -> Iterator[tuple[int, bytes, Any] | Row]:
    """(row, its bytes, its record) of every line; a line that is no JSON record comes as a fault. Blank lines are none."""
    with opened(file) as stream:
        for position, line in _lines(stream, limits.max_row_bytes):
            if line is None:
                yield fault(file=number, number=position, raw=b"%d" % position, reason="too_long")
                continue
            try:
                raw, record = line, orjson.loads(line)
            except orjson.JSONDecodeError as error:
                read_anyway = _read_anyway(line)
                if read_anyway is None:
                    yield fault(number, position, line, *_explain(line, error))
                    continue
                raw, record = read_anyway
            if isinstance(record, dict) and MARK not in record:
                yield position, raw, record
            else:
                yield fault(number, position, raw, FORGOTTEN if isinstance(record, dict) else "not_a_record")


def _lines(stream: IO[bytes], most: int) -> Iterator[tuple[int, bytes | None]]:
    """(row, line) of every line that is not blank; None for one that is too long, which is passed over unread."""
    position = 0
    for chunk in iter(lambda: stream.readline(most + 1), b""):
        line: bytes | None = chunk
        if len(chunk) > most and not chunk.endswith(b"\n"):
            line = None
            for rest in iter(lambda: stream.readline(2**20), b""):
                if rest.endswith(b"\n"):
                    break
        elif position == 0:
            line = chunk.removeprefix(BOM)
        if line is None or line.strip():
            position += 1
            yield position, line.rstrip(b"\r\n") if line else None


def _read_anyway(line: bytes) -> tuple[bytes, Any] | None:
    """The bytes and the record of a line that is JSON but for what programs are known to write; null for none."""
    try:
        found = documents_in(line.decode().removesuffix(","))
    except ValueError:
        return None
    return (orjson.dumps(found[0]), found[0]) if len(found) == 1 else None


class NestedTooDeepError(ValueError):
    """JSON of thousands of brackets within each other."""


def documents_in(text: str) -> list[Any]:
    """The JSON documents that stand one after another in a text; null for NaN, U+FFFD for half a surrogate pair.

    Raises:
        ValueError: it is none.
    """
    found, at = [], len(text) - len(text.lstrip())
    while at < len(text):
        try:
            document, at = DECODER.raw_decode(text, at)
        except RecursionError:
            raise NestedTooDeepError from None
        found.append(document)
        at += len(text[at : at + 2**16]) - len(text[at : at + 2**16].lstrip())
    documents = plain(found)
    assert isinstance(documents, list)  # it was one
    return documents


def plain(value: Any) -> Any:
    """What `DECODER` read, as orjson would have: no half surrogate pair, no integer of more than 64 bits.

    Raises:
        ValueError: a number is too large for any float.
    """
    return orjson.loads(SURROGATE.sub("\ufffd", json.dumps(value, ensure_ascii=False, allow_nan=False)))


def _explain(raw: bytes, error: orjson.JSONDecodeError) -> tuple[str, str]:
    try:
        raw.decode()
    except UnicodeDecodeError as fault_at:
        return "not_utf8", f"byte {fault_at.start + 1}"
    if "depth limit" in error.msg:
        return "nested_too_deep", ""
    return "not_json", f"column {error.pos + 1}"


def json_records(
    file: ReceivedFile, number: int, records: Sequence[Steps], ignored: Iterable[str], limits: Limits
) -> Iterator[tuple[Steps, int, bytes, dict[str, Any]] | Row]:
    """(path, row, bytes, record) of every record below the `records` paths of one JSON document.

    Args:
        file: the document.
        number: of the file in its unit.
        records: where records stand: () with the document itself being one or a list of them, ("tickets", "*") for a list.
        ignored: other fields at the top of the document, passed over.
    Raises:
        SourceError: the document is no JSON, or has a field at its top that is neither on a path nor ignored.
    """
    with opened(file) as stream:
        head = stream.read(WHOLE_DOCUMENT_BYTES + 1).removeprefix(BOM)
        if len(head) <= WHOLE_DOCUMENT_BYTES:
            found = _in_whole(file, head, records, frozenset(ignored))
        else:
            whole = io.BufferedReader(Joined(head, stream), 2**18)
            found = _in_stream(file, whole, records, frozenset(ignored), limits.max_row_bytes)
        for position, (path, record) in enumerate(found, start=1):
            try:
                raw = orjson.dumps(record)
            except TypeError as error:  # too deep, or from the stream: a lone surrogate, an integer of more than 64 bits
                reason = "nested_too_deep" if "ecursion" in str(error) else "not_json"
                yield fault(number, position, b"%d" % position, reason)
                continue
            if isinstance(record, dict) and MARK not in record:
                yield path, position, raw, record
            else:
                yield fault(number, position, raw, FORGOTTEN if isinstance(record, dict) else "not_a_record")


def _in_whole(
    file: ReceivedFile, content: bytes, records: Sequence[Steps], ignored: frozenset[str]
) -> Iterator[tuple[Steps, Any]]:
    try:
        document = orjson.loads(content)
    except orjson.JSONDecodeError as error:
        with suppress(ValueError):
            documents = documents_in(content.decode())
            for each in documents:
                yield from _below(file, each, (), records, ignored)
            if documents:
                return
        reason, detail = _explain(content, error)
        words = {
            "not_utf8": f"is not UTF-8 at {detail}",
            "nested_too_deep": "is nested more than 1024 deep",
            "not_json": f"is not JSON at line {error.lineno}, column {error.colno}",
        }[reason]
        raise SourceError(f"{file.label}: {words}; fetch the file again, or correct its format in params") from None
    yield from _below(file, document, (), records, ignored)


def _below(
    file: ReceivedFile, value: Any, above: Steps, records: Sequence[Steps], ignored: frozenset[str]
) -> Iterator[tuple[Steps, Any]]:
    if above in records:
        if not above and isinstance(value, list):  # the document is a list of records
            yield from ((above, each) for each in value)
        else:
            yield above, value
        return
    wanted = {path[len(above)] for path in records if path[: len(above)] == above}
    if isinstance(value, list) and EACH in wanted:
        for each in value:
            yield from _below(file, each, (*above, EACH), records, ignored)
    elif isinstance(value, dict):
        for key, below in value.items():
            if key in wanted or EACH in wanted:
                yield from _below(file, below, (*above, key if key in wanted else EACH), records, ignored)
            elif key not in ignored:
                raise _unknown(file, key, above)
    elif value is not None or not above:
        raise SourceError(f"{file.label}: has no records at {'.'.join(above) or 'its top'!r}; correct the mapping in params")


def _unknown(file: ReceivedFile, key: str, above: Steps) -> SourceError:
    where = ".".join(map(shown, (*above, key)))
    return SourceError(f"{file.label}: unknown field {where!r} beside the records; map it or list it as ignored in params")


def _in_stream(  # noqa: C901  # one loop over the events of a parser, with the states it has
    file: ReceivedFile, whole: IO[bytes], records: Sequence[Steps], ignored: frozenset[str], most: int
) -> Iterator[tuple[Steps, Any]]:
    import ijson  # type: ignore[import-untyped]  # ships no types  # noqa: PLC0415  # only documents too large for memory need it

    taken = [(path, _matcher(path)) for path in records]
    on_the_way = [_matcher(path[:depth]) for path in records for depth in range(len(path) + 1)]
    builder: Any = None
    size = 0
    begun = ""
    steps: Steps = ()
    try:
        for prefix, event, value in ijson.parse(whole, use_float=True):
            if builder is not None:
                builder.event(event, value)
                size += len(value) if isinstance(value, str) else 1
                if size > most:
                    raise SourceError(
                        f"{file.label}: a record is longer than max_row_bytes; raise it in params or ignore the file"
                    )
                if prefix == begun and event in {"end_map", "end_array"}:
                    yield steps, builder.value
                    builder = None
            elif event == "map_key":
                if value not in ignored and prefix.partition(".")[0] not in ignored:
                    below = f"{prefix}.{value}" if prefix else value
                    if not any(way.fullmatch(below) for way in on_the_way):
                        raise _unknown(file, value, tuple(prefix.split(".")) if prefix else ())
            else:
                path = next(
                    (each for each, match in taken if match.fullmatch(prefix) and (prefix or event != "start_array")), None
                )
                if path is None:
                    continue
                if event in {"start_map", "start_array"}:
                    builder, size, begun, steps = ijson.common.ObjectBuilder(), 0, prefix, path
                    builder.event(event, value)
                elif event not in {"end_map", "end_array"}:
                    yield path, value
    except (ijson.JSONError, UnicodeDecodeError):
        raise SourceError(f"{file.label}: is not JSON, or is cut off; fetch the file again") from None


def _matcher(path: Steps) -> re.Pattern[str]:
    """Matches ijson's spelling of a path, where "item" is an element of a list."""
    return (
        re.compile("(item)?")
        if not path
        else re.compile(r"\.".join("[^.]+" if step == EACH else re.escape(step) for step in path))
    )


def is_packed(file: ReceivedFile) -> bool:
    """Whether it is one stream of compressed bytes."""
    return file.name.lower().endswith(_COMPRESSED)
