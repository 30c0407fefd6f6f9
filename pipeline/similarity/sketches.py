"""What is left of the text of one part, in memory or on disk, and some conversations of several parts as one corpus."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
import polars as pl
import pyarrow as pa  # type: ignore[import-untyped]  # it has no types

from pipeline.similarity.arrow_files import numbers_of, to_arrow, to_frame
from pipeline.similarity.clusters import ShingleSets
from pipeline.similarity.minhash import Array
from pipeline.similarity.verdicts import ROWS


@dataclass(frozen=True)
class PartSketch:
    """The sketches of the conversations of one part, in its order."""

    table: pa.Table
    """ROWS, and `end`, where the shingles of every conversation end."""
    keys: Array
    """64-bit, one row per band."""
    shingles: Array | Path
    """32-bit hashes, in the order of the text, with repetitions; or the file of them, mapped only while it is looked into."""

    @classmethod
    def of(cls, rows: pl.DataFrame, keys: Array, ends: Array, shingles: Array) -> "PartSketch":
        """Of a part that was sketched just now."""
        return cls(to_arrow(rows.select(list(ROWS)).with_columns(pl.Series("end", ends))), keys, shingles)

    @property
    def count(self) -> int:
        """Number of conversations."""
        return int(self.table.num_rows)

    def column(self, name: str) -> Array:
        """A column of numbers; of a part on disk only this column is read."""
        return numbers_of(self.table, name)

    def rows(self, numbers: Array | None = None) -> pl.DataFrame:
        """ROWS of these conversations, or of all."""
        rows = to_frame(self.table.select(list(ROWS)))
        return rows if numbers is None else rows[numbers]

    def runs(self, rows: Array) -> tuple[Array, Array]:
        """A copy of the shingles of these rows, one after the other, and their numbers."""
        ends = self.column("end")
        starts = np.concatenate([np.zeros(min(1, len(ends)), np.int64), ends[:-1]])
        lengths = ends[rows] - starts[rows]
        before = np.cumsum(lengths) - lengths
        places = np.repeat(starts[rows] - before, lengths) + np.arange(int(lengths.sum()))
        values = self.shingles
        if isinstance(values, Path):
            values = np.memmap(values, "<u4", "r") if len(places) else np.empty(0, np.uint32)
        return np.asarray(values[places]), lengths


@dataclass(frozen=True)
class Places:
    """Some conversations of some parts, as one corpus."""

    parts: Sequence[PartSketch]
    chosen: Sequence[Array]
    """Row numbers per part."""

    @classmethod
    def all_of(cls, parts: Sequence[PartSketch]) -> "Places":
        """Every conversation."""
        return cls(parts, [np.arange(part.count) for part in parts])

    def rows(self) -> pl.DataFrame:
        """ROWS."""
        taken = [
            part.rows(None if len(rows) == part.count else rows)
            for part, rows in zip(self.parts, self.chosen, strict=True)
            if len(rows)
        ]
        return pl.concat(taken) if taken else pl.DataFrame(schema=ROWS)

    def keys_of(self, band: int) -> Array:
        """The keys of a band."""
        taken = [part.keys[band][rows] for part, rows in zip(self.parts, self.chosen, strict=True) if len(rows)]
        return np.concatenate(taken) if taken else np.empty(0, np.uint64)

    @cached_property
    def _owner(self) -> Array:
        return np.repeat(np.arange(len(self.parts)), [len(rows) for rows in self.chosen])

    def sets_of(self, numbers: Array) -> ShingleSets:
        """The shingle sets of the conversations with these numbers, which count through all parts, in their order."""
        flat = np.concatenate([*self.chosen, np.empty(0, np.int64)])
        owner = self._owner[numbers]
        runs, lengths = [], np.empty(len(numbers), np.int64)
        by_part = np.argsort(owner, kind="stable")
        for number in np.unique(owner).tolist():
            mine = by_part[np.searchsorted(owner[by_part], number) : np.searchsorted(owner[by_part], number, "right")]
            values, lengths[mine] = self.parts[number].runs(flat[numbers[mine]])
            runs.append(values)
        ends = np.empty(len(numbers), np.int64)
        ends[by_part] = np.cumsum(lengths[by_part])
        return ShingleSets.of(np.concatenate([*runs, np.empty(0, np.uint32)]), ends - lengths, ends)
