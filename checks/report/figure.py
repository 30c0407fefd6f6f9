"""What a panel is made of: a question to the tables, and how its answer is drawn."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal

from pipeline.sql import Line, UnknownColumn, names_in

Look = Literal["table", "bars", "columns", "heat"]

FEWEST: Final = 5
"""A product, topic or channel seen in fewer conversations is not named: it may single somebody out."""


@dataclass(frozen=True)
class Figure:
    """One line of SQL and how its answer is shown."""

    name: str
    title: str
    sql: str
    note: str = ""
    """What to know before reading the numbers."""

    look: Look = "table"
    """bars: a bar beside each row, for the column `drawn`; columns: a chart over time, first column below, `drawn` as
    height; heat: first column down, second across, third in the cell."""

    drawn: str | None = None
    """Column that is drawn."""


@dataclass(frozen=True)
class Panel:
    """A section of the page."""

    name: str
    title: str
    about: str
    figures: Sequence[Figure]


Answer = dict[str, Any]
"""name, title, note, look, drawn, sql, columns, rows of a figure."""


def answer(figure: Figure, line: Line) -> Answer | None:
    """The figure with its numbers; None where a table or column that it asks is not there."""
    sql = " ".join(figure.sql.split())
    if names_in(sql) - line.views:
        return None
    try:
        columns, rows = line.ask(sql)
    except UnknownColumn:  # a table by another maker, with fewer columns
        return None
    return {
        "name": figure.name,
        "title": figure.title,
        "note": figure.note,
        "look": figure.look,
        "drawn": figure.drawn,
        "sql": sql,
        "columns": columns,
        "rows": [list(row) for row in rows],
    }


def named(column: str) -> str:
    """SQL: the value of a column, unless it is rare enough to single somebody out."""
    return (
        f"CASE WHEN {column} IS NULL THEN '(not stated)' WHEN count(*) OVER (PARTITION BY {column}) < {FEWEST} "
        f"THEN '(fewer than {FEWEST} each)' ELSE {column} END"
    )


def records(found: Answer | None) -> list[Mapping[str, Any]]:
    """The rows of an answer as mappings."""
    return [dict(zip(found["columns"], row, strict=True)) for row in found["rows"]] if found else []
