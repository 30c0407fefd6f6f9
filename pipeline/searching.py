"""Whether a file names somebody, however it is packed: looked through as a stream, nothing is unpacked to disk.

Looked into are gzip, zstandard, bzip2, xz, zip (with it xlsx and docx), tar, Parquet and Arrow, inside one another too, and
UTF-16 with its mark; everything else is read as it lies. What cannot be unpacked counts as naming them. Not seen through are
encodings of texts: base64 and quoted-printable in mails, escapes in JSON, PDF, 7z, RAR.
"""

import bz2
import codecs
import gzip
import io
import lzma
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from pathlib import Path
from typing import IO, Any, Final

import polars as pl
import zstandard

from pipeline.reading.unpacking import decompressed

CHUNK_BYTES: Final = 2**20
BATCH_ROWS: Final = 1024
PEEKED_BYTES: Final = 512

_BZIP2_BLOCK: Final = b"1AY&SY"
_TAR_MARK: Final = (257, b"ustar")
"""POSIX.1-1988: where the header of a tar names its format."""


def names_any(path: Path, wanted: Collection[str], *, any_case: bool = False) -> bool:
    """Whether a file holds any of these strings; a file that cannot be looked into counts as one that does."""
    needles = [(one.casefold() if any_case else one).encode() for one in wanted]
    if not needles:
        return False
    try:
        with path.open("rb") as file:
            return any(_holds(content, needles, any_case) for content in _contents(file))
    except (
        *(OSError, EOFError, ValueError, RuntimeError, NotImplementedError),  # of zipfile, too: a password, a method it lacks
        *(zlib.error, lzma.LZMAError, zipfile.BadZipFile, tarfile.TarError, zstandard.ZstdError, pl.exceptions.PolarsError),
    ):
        return True


def _holds(content: Iterable[bytes], needles: Collection[bytes], any_case: bool) -> bool:
    overlap = max(map(len, needles)) - 1
    decoder = codecs.getincrementaldecoder("utf-8")("replace")
    tail = b""
    for chunk in content:
        piece = tail + (decoder.decode(chunk).casefold().encode() if any_case else chunk)
        if any(needle in piece for needle in needles):
            return True
        tail = piece[-overlap:] if overlap else b""
    return False


_STREAMS: Final[Mapping[bytes, Callable[[Any], Any]]] = {
    b"\x1f\x8b\x08": lambda file: io.BufferedReader(gzip.GzipFile(fileobj=file)),
    b"\x28\xb5\x2f\xfd": lambda file: decompressed(file, ".zst"),
    b"BZh": lambda file: io.BufferedReader(bz2.BZ2File(file)),
    b"\xfd7zXZ\0": lambda file: io.BufferedReader(lzma.LZMAFile(file)),  # noqa: SIM115  # it ends with the file below it
}
"""Magic number -> what reads one packed stream."""


def _contents(file: Any) -> Iterator[Iterable[bytes]]:
    """What a file holds, member by member; `file` can peek."""
    head = file.peek(PEEKED_BYTES)[:PEEKED_BYTES]
    magic = next((magic for magic in _STREAMS if head.startswith(magic)), None)
    if magic is not None and (magic != b"BZh" or head[4:10] == _BZIP2_BLOCK):
        yield from _contents(_STREAMS[magic](file))
    elif head.startswith((b"PK\x03\x04", b"PK\x05\x06")):
        yield from _of_zip(_seekable(file))
    elif head[_TAR_MARK[0] :].startswith(_TAR_MARK[1]):
        yield from _of_tar(file)
    elif head.startswith(b"PAR1"):
        yield _of_parquet(_seekable(file))
    elif head.startswith(b"ARROW1"):
        yield _of_arrow(_seekable(file))
    elif head.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        yield (text.encode("utf-8", "replace") for text in codecs.iterdecode(_chunks(file), "utf-16", "replace"))
    else:
        yield _chunks(file)


def _of_zip(file: IO[bytes]) -> Iterator[Iterable[bytes]]:
    with zipfile.ZipFile(file) as archive:
        for info in archive.infolist():
            yield [info.filename.encode("utf-8", "surrogateescape")]
            with archive.open(info) as inner:
                yield from _contents(inner)


def _of_tar(file: IO[bytes]) -> Iterator[Iterable[bytes]]:
    with tarfile.open(fileobj=file, mode="r|") as archive:
        for member in archive:
            yield [member.name.encode("utf-8", "surrogateescape")]
            if (inner := archive.extractfile(member)) is not None:
                yield from _contents(inner)


def _chunks(file: IO[bytes]) -> Iterator[bytes]:
    return iter(lambda: file.read(CHUNK_BYTES), b"")


def _seekable(file: IO[bytes]) -> IO[bytes]:
    return file if file.seekable() else io.BytesIO(file.read())


def _of_parquet(file: IO[bytes]) -> Iterator[bytes]:
    from pyarrow import parquet  # type: ignore[import-untyped]  # ships no types  # noqa: PLC0415  # 0.3 s

    with parquet.ParquetFile(file) as content:
        yield from map(_as_text, content.iter_batches(BATCH_ROWS))


def _of_arrow(file: IO[bytes]) -> Iterator[bytes]:
    import pyarrow as pa  # noqa: PLC0415  # 0.3 s

    with pa.ipc.open_file(file) as content:
        yield from (_as_text(content.get_batch(number)) for number in range(content.num_record_batches))


def _as_text(batch: Any) -> bytes:
    try:
        frame = pl.from_arrow(batch)
        assert isinstance(frame, pl.DataFrame)  # it was a batch
        return frame.write_ndjson().encode()
    except pl.exceptions.PolarsError:  # bytes in a column
        return repr(batch.to_pylist()).encode("utf-8", "replace")
