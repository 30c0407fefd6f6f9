"""Files that appear whole: Arrow tables that are mapped into memory instead of read, and anything else by rename."""

from collections.abc import Callable
from hashlib import file_digest
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pyarrow as pa  # type: ignore[import-untyped]  # it has no types
from pyarrow.ipc import new_file, open_file  # type: ignore[import-untyped]  # nor has this

from pipeline.similarity.minhash import Array


def to_arrow(frame: pl.DataFrame) -> pa.Table:
    """In one chunk, and its strings as 64-bit offsets and bytes."""
    return frame.rechunk().to_arrow(compat_level=pl.CompatLevel.oldest()).combine_chunks()


def to_frame(table: pa.Table) -> pl.DataFrame:
    """The same rows for polars."""
    frame = pl.from_arrow(table)
    assert isinstance(frame, pl.DataFrame)  # of a table; a Series is what it makes of an array
    return frame


def numbers_of(table: pa.Table, name: str) -> Array:
    """A column without nulls, as it lies in memory or in the file."""
    column = table.column(name)
    dtype = np.dtype(str(column.type))
    if len(column) == 0:
        return np.empty(0, dtype)
    assert column.num_chunks == 1  # as `to_arrow` makes it
    values = column.chunk(0)
    # not `to_numpy`, which imports pandas: 0.3 s
    return np.frombuffer(values.buffers()[1], dtype, len(values), values.offset * dtype.itemsize)


def map_arrow(path: Path) -> pa.Table:
    """A table whose columns are read from the disk when they are looked at."""
    with pa.memory_map(str(path)) as file, open_file(file) as reader:
        return reader.read_all()


def write_arrow(table: pa.Table, path: Path) -> None:
    """Uncompressed, so that it can be mapped; by pyarrow, which writes strings without what they were cut from."""

    def write(file: Path) -> None:
        with new_file(str(file), table.schema) as writer:
            writer.write_table(table)

    write_whole(path, write)


def map_array(path: Path, dtype: str) -> Array:
    """Numbers that are read from the disk when they are looked at; the file is not empty."""
    return np.asarray(np.memmap(path, dtype, "r"))


def write_array(values: Array, path: Path) -> None:
    """The numbers alone, as they lie in memory."""
    write_whole(path, lambda file: file.write_bytes(np.ascontiguousarray(values).data))


def write_whole(path: Path, write: Callable[[Path], Any]) -> None:
    """Write beside the path, then rename."""
    unfinished = path.with_name(f"{path.name}.writing")
    write(unfinished)
    unfinished.replace(path)


def sign(path: Path) -> tuple[int, str]:
    """Bytes and sha256 of a file."""
    with path.open("rb") as file:
        digest = file_digest(file, "sha256").hexdigest()
        return file.tell(), digest
