"""The balance of the whole line: every conversation that enters a stage leaves it once, kept or dropped with a reason.

What a stage made up is added with a reason, and leaves like what entered: in + added = kept + dropped.
"""

from dataclasses import dataclass

import duckdb

from pipeline.errors import AccountingError
from pipeline.tables import Table


@dataclass(frozen=True)
class Entry:
    """One stage in the ledger."""

    stage: str
    given: int
    added: dict[str, int]
    """Conversations that the stage made up, by reason; most stages make up none."""

    kept: int
    dropped: dict[str, int]
    """Conversations by reason."""

    counts: dict[str, int]
    balance: int
    """Conversations that were lost, invented or left twice; 0 in a sound line."""

    is_stale: bool
    """Whether the table before has changed since this one was made from it."""


def balance(table: Table) -> list[Entry]:
    """The ledger of the line that ends in `table`, first stage first; counted from the ids in the tables, not from manifests.

    Raises:
        TableError: a table of the line is missing.
    """
    line = table.line()
    return [_enter(before, after) for before, after in zip([None, *line[:-1]], line, strict=True)]


def prove(entries: list[Entry]) -> None:
    """Raise AccountingError, naming the stage, unless every balance is 0 and no table is stale."""
    for entry in entries:
        if entry.balance:
            raise AccountingError(f"{entry.stage}: {entry.balance} conversations do not balance; run the stage again")
        if entry.is_stale:
            raise AccountingError(f"{entry.stage}: the table before has changed since; run the stage again")


def _enter(before: Table | None, after: Table) -> Entry:
    manifest = after.manifest
    with duckdb.connect() as connection:
        leaving = f"({_ids(after, 'kept')} UNION ALL {_ids(after, 'dropped')})"
        # the first stage has no table before it: what entered is what its own rows account for
        entering = _ids(before, "kept") if before else f"SELECT DISTINCT * FROM {leaving}"  # noqa: S608
        added = _added(connection, after)
        row = connection.execute(f"""
            WITH given AS ({entering}), entering AS (SELECT * FROM given UNION ALL {_ids(after, "added")}),
            leaving AS (SELECT conversation_id, count(*) AS times FROM {leaving} GROUP BY ALL)
            SELECT (SELECT count(*) FROM given),
                   (SELECT count(*) - count(DISTINCT conversation_id) FROM entering) +
                   count(*) FILTER (WHERE leaving.times IS DISTINCT FROM 1 OR entering.conversation_id IS NULL)
            FROM entering FULL JOIN leaving USING (conversation_id)
        """).fetchone()  # noqa: S608  # only paths of our own tables are put in, quoted
    given, unbalanced = row or (0, 0)
    is_stale = before is not None and manifest.given_checksum != before.checksum
    counts = manifest.counts
    # ingest also accounts for rows: every one it read is in a conversation, kept or dropped, or is quarantined
    rows = counts.get("rows_read", 0) - sum(counts.get(f"rows_{fate}", 0) for fate in ("kept", "dropped", "quarantined"))
    return Entry(manifest.stage, given, added, manifest.total("kept"), manifest.reasons, counts, unbalanced + abs(rows), is_stale)


def _ids(table: Table, frame: str, column: str = "conversation_id") -> str:
    files = [str(table.path(part, frame)).replace("'", "''") for part in table.manifest.parts if frame in part.files]
    if not files:
        return f"SELECT NULL::VARCHAR AS {column} WHERE false"
    listed = ", ".join(f"'{file}'" for file in files)
    return f"SELECT {column} FROM read_parquet([{listed}])"  # noqa: S608


def _added(connection: duckdb.DuckDBPyConnection, table: Table) -> dict[str, int]:
    query = f"SELECT reason, count(*) FROM ({_ids(table, 'added', 'reason')}) GROUP BY reason ORDER BY reason"  # noqa: S608
    return dict(connection.execute(query).fetchall())
