"""Rows on their way from the file they stand in to the part their conversation belongs to.

One pass over the received files writes every row into one of 64 buckets by the hash of its native id; a part then reads
only the buckets that its range of ids touches. So rows of one conversation may lie anywhere in a file of any size, and
memory holds no more than one flush. The spill holds personal data and lives below the table in the making, behind the
wall; what remains of a unit once the table is published is its index: which ids, how many rows each.
"""

import struct
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Final

import orjson
import polars as pl
import zstandard

from pipeline.errors import TableError
from pipeline.reading.drafts import Row
from pipeline.tables import write_json

BUCKET_BITS: Final = 6
BUCKETS: Final = 1 << BUCKET_BITS
FLUSH_BYTES: Final = 64 * 2**20
COMPACT_ROWS: Final = 4_000_000

INDEX: Final = {"id": pl.UInt64, "rows": pl.UInt32, "bytes": pl.UInt64}
"""What a unit holds: hashed native ids, in order, how many rows belong to each, and how large they are."""

_HEADER: Final = struct.Struct("<QIQHHHI")


class SpillWriter:
    """Takes the rows of one unit; `finish` makes the spill visible, whole or not at all."""

    def __init__(self, path: Path) -> None:
        """Start an empty spill at `path`."""
        self._path = path
        self._unfinished = path.with_suffix(".writing")
        path.parent.mkdir(parents=True, exist_ok=True)
        self._file = self._unfinished.open("wb")
        self._buckets = [bytearray() for _ in range(BUCKETS)]
        self._held = 0
        self._ids: list[int] = []
        self._sizes: list[int] = []
        self._counted: list[pl.DataFrame] = []
        self._blocks: list[tuple[int, int, int]] = []
        self._packer = zstandard.ZstdCompressor(level=1)

    def add(self, row_id: int, row: Row) -> None:
        """Put one row, under 64 bits of its hashed native id."""
        native, reason, detail = row.native.encode(), row.reason.encode(), row.detail.encode()[:1000]
        size = len(row.payload)
        bucket = self._buckets[row_id >> (64 - BUCKET_BITS)]
        bucket += _HEADER.pack(row_id, row.file, row.number, len(native), len(reason), len(detail), size)
        bucket += native
        bucket += reason
        bucket += detail
        bucket += row.payload
        self._ids.append(row_id)
        self._sizes.append(size)
        self._held += size + 100
        if self._held > FLUSH_BYTES:
            self._flush()

    def _flush(self) -> None:
        for number, bucket in enumerate(self._buckets):
            if bucket:
                packed = self._packer.compress(bucket)
                self._blocks.append((number, self._file.tell(), len(packed)))
                self._file.write(packed)
        self._buckets = [bytearray() for _ in range(BUCKETS)]
        rows = pl.DataFrame({"id": self._ids, "rows": [1] * len(self._ids), "bytes": self._sizes}, schema=INDEX)
        self._counted.append(_count(rows))
        self._ids, self._sizes, self._held = [], [], 0
        if sum(frame.height for frame in self._counted) > COMPACT_ROWS:
            self._counted = [_count(pl.concat(self._counted))]

    def finish(self) -> pl.DataFrame:
        """End the spill; returns its index."""
        self._flush()
        self._file.close()
        self._unfinished.replace(self._path)
        write_json(_directory(self._path), self._blocks)  # last: a spill without one is not finished
        return _count(pl.concat(self._counted))

    def abandon(self) -> None:
        """Remove what was written."""
        with suppress(OSError):  # closing writes what is buffered, which a full disk refuses again
            self._file.close()
        self._unfinished.unlink(missing_ok=True)


def _count(frame: pl.DataFrame) -> pl.DataFrame:
    return frame.group_by("id").agg(pl.col("rows", "bytes").sum()).cast(INDEX).sort("id")  # type: ignore[arg-type]  # names to types


def _directory(path: Path) -> Path:
    return path.with_suffix(".json")


def is_finished(path: Path) -> bool:
    """Whether a spill is there, whole."""
    return path.is_file() and _directory(path).is_file()


def rows_between(path: Path, least: int, most: int) -> Iterator[tuple[int, Row]]:
    """(id, row) of every row with an id in [least, most], in no order."""
    wanted = range(least >> (64 - BUCKET_BITS), (most >> (64 - BUCKET_BITS)) + 1)
    unpacker = zstandard.ZstdDecompressor()
    try:
        with path.open("rb") as file:
            for number, offset, length in orjson.loads(_directory(path).read_bytes()):
                if number in wanted:
                    file.seek(offset)
                    yield from _unpacked(unpacker.decompress(file.read(length)), least, most)
    except (OSError, ValueError, struct.error, zstandard.ZstdError) as error:
        raise TableError(f"{path}: cannot be read back; run ingest again") from error


def _unpacked(block: bytes, least: int, most: int) -> Iterator[tuple[int, Row]]:
    at, end = 0, len(block)
    while at < end:
        row_id, file, number, native, reason, detail, payload = _HEADER.unpack_from(block, at)
        at += _HEADER.size
        if least <= row_id <= most:
            a, b, c = at + native, at + native + reason, at + native + reason + detail
            texts = block[at:a].decode(), block[c : c + payload], block[a:b].decode(), block[b:c].decode()
            yield row_id, Row(file, number, *texts)
        at += native + reason + detail + payload
