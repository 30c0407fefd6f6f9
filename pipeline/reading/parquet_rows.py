"""Parquet, batch by batch."""

import io
from collections.abc import Iterator, Mapping
from itertools import count
from typing import Any, Final

from pipeline.errors import SourceError
from pipeline.reading.drafts import MARK, ReceivedFile
from pipeline.reading.files import is_packed, opened

PARQUET_BATCH_ROWS: Final = 1024
HELD_PARQUET_BYTES: Final = 128 * 2**20
"""A Parquet file inside an archive is held whole up to this size, and refused beyond: nothing is unpacked to disk."""


def numbers_gone(metadata: Mapping[bytes, bytes] | None) -> set[int]:
    """Numbers of the rows of forgotten customers that a Parquet file no longer has."""
    listed = (metadata or {}).get(MARK.encode(), b"").split(b",")
    return {int(each) for each in listed if each.isdigit()}


def parquet_rows(file: ReceivedFile) -> Iterator[list[str] | tuple[int, list[Any]]]:
    """First the column names, then (row, values) of every row, batch by batch.

    Raises:
        SourceError: the file is no Parquet or is cut off.
    """
    import pyarrow as pa  # type: ignore[import-untyped]  # ships no types  # noqa: PLC0415  # 0.3 s, for this layout only
    from pyarrow import parquet  # noqa: PLC0415  # as above

    packed: io.BytesIO | None = None
    if file.member or is_packed(file):  # Parquet is read from its end
        with opened(file) as stream:
            packed = io.BytesIO(stream.read(HELD_PARQUET_BYTES + 1))
        if packed.getbuffer().nbytes > HELD_PARQUET_BYTES:
            raise SourceError(f"{file.label}: is a packed Parquet file of more than {HELD_PARQUET_BYTES >> 20} MiB; unpack it")
    try:
        with parquet.ParquetFile(packed or file.path) as content:
            names = list(content.schema_arrow.names)
            yield names
            gone = numbers_gone(content.metadata.metadata)
            positions = (each for each in count(1) if each not in gone)
            for batch in content.iter_batches(PARQUET_BATCH_ROWS):
                for values in zip(*(column.to_pylist() for column in batch.columns), strict=True):
                    yield next(positions), list(values)
    except (pa.ArrowException, OSError):
        raise SourceError(f"{file.label}: is not a Parquet file, or is cut off; fetch it again") from None
