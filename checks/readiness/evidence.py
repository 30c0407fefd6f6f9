"""Evidence that the tables cannot give: audits, planted recall, scores, judges. CSV files in one folder.

A file is checked column by column when it is added and when it is read; what is missing leaves its measures unknown.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import polars as pl

from checks.readiness.cells import read_cells
from pipeline.errors import SourceError
from pipeline.tables import translated_errors

RUBRIC: Final = ("correct", "complete", "policy_true", "tone", "safe_to_say")

Columns = Mapping[str, pl.DataType | type[pl.DataType]]

KINDS: Final[Mapping[str, Columns]] = {
    "audit": {
        "conversation_id": pl.String,
        "auditor": pl.String,
        "text_digest": pl.String,
        "drawn_from": pl.String,
        **dict.fromkeys(RUBRIC, pl.Boolean),
        "identifier_left": pl.Boolean,
    },
    "planted": {
        "entity_type": pl.String,
        "group": pl.String,
        "oddity": pl.String,
        "planted": pl.Int64,
        "found": pl.Int64,
    },
    "scores": {
        "item_id": pl.String,
        "set": pl.String,
        "arm": pl.String,
        "size": pl.Int64,
        "score": pl.Float64,
        "judge": pl.String,
    },
    "judges": {
        "judge": pl.String,
        "item_id": pl.String,
        "human": pl.Boolean,
        "verdict": pl.Boolean,
        "swapped": pl.Boolean,
        "length": pl.Int64,
    },
    "sent": {"endpoint": pl.String, "model": pl.String, "records": pl.Int64, "scrubbed": pl.Boolean},
    "swaps": {
        "item_id": pl.String,
        "name_group": pl.String,
        "answered": pl.Boolean,
        "refusal": pl.Boolean,
        "escalation": pl.Boolean,
        "apology": pl.Boolean,
        "hedge": pl.Boolean,
        "characters": pl.Int64,
    },
    "live": {"topic": pl.String, "conversations": pl.Int64, "refused": pl.Int64},
}
"""Kind -> columns. What each means: docs/readiness.md."""

OPTIONAL: Final = {
    "audit": {"text_digest", "drawn_from", *RUBRIC, "identifier_left"},
    "planted": {"group", "oddity"},
    "scores": {"size", "judge"},
    "judges": {"swapped", "length"},
    "swaps": {"refusal", "escalation", "apology", "hedge", "characters"},
    "live": {"refused"},
}
"""Columns whose cells may be empty."""

YES: Final = frozenset({"yes", "y", "true", "1"})
NO: Final = frozenset({"no", "n", "false", "0"})


@dataclass(frozen=True)
class Evidence:
    """What the owner brought, by kind; a kind that is not there was not brought."""

    frames: Mapping[str, pl.DataFrame]

    def get(self, kind: str) -> pl.DataFrame | None:
        """The rows of a kind, None where none were brought."""
        return self.frames.get(kind)


def read_evidence(folder: Path) -> Evidence:
    """Read every evidence file of `folder`; there may be no such folder.

    Raises:
        SourceError: a file has an unknown or missing column, or a cell that is not what its column promises.
    """
    frames = {kind: read_kind(kind, path) for kind in KINDS if (path := folder / f"{kind}.csv").is_file()}
    return Evidence(frames)


def read_kind(kind: str, path: Path) -> pl.DataFrame:
    """Read one evidence file, strictly; see `read_evidence`."""
    if kind not in KINDS:
        raise SourceError(f"evidence: no kind {kind!r}; there are {', '.join(KINDS)}")
    columns = KINDS[kind]
    names, found = read_cells(path)
    lines = pl.Series([line for line, _ in found], dtype=pl.Int64)
    rows = pl.DataFrame([row for _, row in found], schema=dict.fromkeys(names, pl.String))
    if unknown := [name for name in rows.columns if name not in columns]:
        raise SourceError(f"{path}: unknown column {unknown[0]!r}; {kind} has {', '.join(columns)}")
    optional = OPTIONAL.get(kind, set())
    if missing := [name for name in columns if name not in rows.columns and name not in optional]:
        raise SourceError(f"{path}: column {missing[0]!r} is missing; {kind} has {', '.join(columns)}")
    rows = rows.with_columns(pl.lit(None, pl.String).alias(name) for name in columns if name not in rows.columns)
    typed = rows.select(_parse(rows[name], dtype, name in optional, path, lines) for name, dtype in columns.items())
    for few, many in (("found", "planted"), ("refused", "conversations")):
        if {few, many} <= set(columns) and (typed[few] > typed[many]).any():
            raise SourceError(f"{path}: a row has more {few} than {many}; correct it")
    return typed


def _parse(
    cells: pl.Series, dtype: pl.DataType | type[pl.DataType], may_be_empty: bool, path: Path, lines: pl.Series
) -> pl.Series:
    text = cells.str.strip_chars().replace("", None)
    if dtype == pl.Boolean:
        lower = text.str.to_lowercase()
        parsed = (
            pl.DataFrame({"cell": lower})
            .select(
                pl.when(pl.col("cell").is_in(list(YES)))
                .then(statement=True)
                .when(pl.col("cell").is_in(list(NO)))
                .then(statement=False)
                .otherwise(None)
                .alias(cells.name)
            )
            .to_series()
        )
    else:
        parsed = text.cast(dtype, strict=False)
    if dtype == pl.Int64 and (parsed < 0).any():
        raise SourceError(f"{path}: column {cells.name!r} has a negative number")
    wrong = text.is_not_null() & parsed.is_null() if may_be_empty else parsed.is_null()
    if wrong.any():
        raise SourceError(
            f"{path}: column {cells.name!r}, line {lines.filter(wrong)[0]}: is not {_called(dtype)}; correct the cell"
        )
    return parsed


def _called(dtype: pl.DataType | type[pl.DataType]) -> str:
    named: dict[object, str] = {pl.Boolean: "yes or no", pl.Int64: "a whole number", pl.Float64: "a number"}
    return named.get(dtype, "filled in")


def add_evidence(kind: str, file: Path, folder: Path) -> int:
    """Check a file and lay its rows into `folder`, after those that are there; a row that is there already counts once.

    Returns:
        the number of rows of that kind afterwards.
    """
    return store(kind, read_kind(kind, file), folder)


def store(kind: str, rows: pl.DataFrame, folder: Path) -> int:
    """As `add_evidence`, for rows in memory."""
    target = folder / f"{kind}.csv"
    before = [read_kind(kind, target)] if target.is_file() else []
    merged = pl.concat([*before, rows]).unique(maintain_order=True)
    replace_kind(kind, merged, folder)
    return merged.height


def replace_kind(kind: str, rows: pl.DataFrame, folder: Path) -> None:
    """Write the rows of a kind in place of those that are there."""
    target = folder / f"{kind}.csv"
    with translated_errors(target):
        folder.mkdir(parents=True, exist_ok=True)
        unfinished = target.with_name(f"{target.name}.writing")
        unfinished.write_text(rows.write_csv(), "utf-8")
        unfinished.replace(target)
