"""DuckDB over every table of a line as views, behind the wall: nothing outside the curated tables can be read, nor any server.

Views, by the stage that made them: `ingested`, `scrubbed`, `deduped`, `generated`, `validated`, `chat` hold the kept
conversations; `<view>_<frame>` what stands beside them (`scrubbed_findings`, `deduped_clusters`, `validated_edits`, …).
Of `ingested` only the columns of OUTSIDE_THE_WALL are there, and of its turns who spoke and when.
Over all stages: `kept`, `dropped`, `added`, `parts`, `counts`, `line`, `state`; of the gates `gates`, `measures`, `judgements`;
`consumers`; and, where they are given, `spending`, `planted`, `readiness`, `readiness_*` and `runs`.
"""

import re
import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import duckdb
import polars as pl

from pipeline.errors import CurationError
from pipeline.formats import FORMATS
from pipeline.tables import Table

NOUNS: Final[Mapping[str, str]] = {
    "ingest": "ingested",
    "scrub": "scrubbed",
    "dedupe": "deduped",
    "generate": "generated",
    "validate": "validated",
    "emit": "chat",
}
"""Stage -> view over the conversations that it kept, in the order of the line."""

OUTSIDE_THE_WALL: Final = "conversation_id, source, source_row, opened_at, customer_key, outcome"
"""Columns of ingested that name and quote nobody; scrub has not looked at channel, product, topics and file names yet."""

SHARED: Final[Mapping[str, str]] = {
    "line": "position INTEGER, stage VARCHAR, fingerprint VARCHAR, checksum VARCHAR, is_stale BOOLEAN",
    "parts": "stage VARCHAR, part VARCHAR, frame VARCHAR, rows BIGINT",
    "counts": "stage VARCHAR, name VARCHAR, value BIGINT",
    "gates": "position INTEGER, stage VARCHAR, passed BOOLEAN, is_current BOOLEAN",
    "measures": "stage VARCHAR, measure VARCHAR, value DOUBLE",
    "judgements": (
        "stage VARCHAR, measure VARCHAR, value DOUBLE, least DOUBLE, most DOUBLE, margin DOUBLE, "
        "passed BOOLEAN, severity VARCHAR, place INTEGER, meaning VARCHAR, at_fault VARCHAR"
    ),
    "consumers": "format VARCHAR, cuts_at_tokens BIGINT, min_rows BIGINT, max_rows BIGINT, is_written BOOLEAN",
    "spending": "budget VARCHAR, requests BIGINT, tokens BIGINT, cost DOUBLE, held_requests BIGINT",
    "planted": "entity_type VARCHAR, planted_group VARCHAR, oddity VARCHAR, n BIGINT, found BIGINT",
    "readiness": "verdict VARCHAR, is_current BOOLEAN, exported BIGINT, looked_at BIGINT, data_until VARCHAR",
    "readiness_missing": "kind VARCHAR, what VARCHAR",
    "readiness_topics": "topic VARCHAR, share DOUBLE, verdict VARCHAR, once_done VARCHAR, next VARCHAR",
    "readiness_values": ("metric VARCHAR, measure VARCHAR, value DOUBLE, low DOUBLE, high DOUBLE, n BIGINT, unknown VARCHAR"),
    "runs": "run INTEGER, stage VARCHAR, name VARCHAR, value DOUBLE",
}
"""Tables over all stages. `is_current`: the gate judged the table that is there now. `runs`: kept conversations and measures
of earlier runs, numbered from the first. `cost` in the currency of the user's price table."""


LOOK_SECONDS: Final = 0.2
"""How often a query that takes long is left for a look whether somebody pressed Ctrl-C."""

OVER_ALL: Final = ("kept", "dropped", "added", "state")
"""Views over all stages. `state`: what a run remembers, of the line as it is now; the columns of `runs` without the run."""


class SqlError(CurationError):
    """A query that DuckDB refuses."""


class UnknownColumn(SqlError):  # noqa: N818  # says what is wrong
    """A query for a column that a table of this line does not have."""


Rows = Mapping[str, Sequence[tuple[Any, ...]]]


class Line:
    """A connection to the views of one line. Use through `open_line`."""

    def __init__(self, connection: duckdb.DuckDBPyConnection, views: Iterable[str]) -> None:
        """Take a connection whose views are made."""
        self._connection = connection
        self.views = frozenset(views)

    def ask(self, query: str) -> tuple[list[str], list[tuple[Any, ...]]]:
        """Names of the columns, and the rows.

        Raises:
            SqlError: DuckDB refuses the query; its message names places in the query, and no value of a row.
        """
        with ThreadPoolExecutor(1) as beside:  # DuckDB looks for no Ctrl-C; a thread that only waits does
            asked = beside.submit(self._ask, query)
            try:
                while not wait([asked], LOOK_SECONDS).done:  # polars has system calls that a signal breaks off begin again
                    pass
                return asked.result()
            finally:
                if not asked.done():
                    self._connection.interrupt()

    def _ask(self, query: str) -> tuple[list[str], list[tuple[Any, ...]]]:
        try:
            relation = self._connection.sql(query)
            if relation is None:  # a statement without an answer
                return [], []
            frame = pl.DataFrame(relation.to_arrow_table())
            return frame.columns, frame.rows()
        except duckdb.BinderException as error:
            raise UnknownColumn(f"sql: {str(error).splitlines()[0]}") from error
        except (duckdb.ParserException, duckdb.CatalogException, duckdb.PermissionException) as error:
            raise SqlError(f"sql: {str(error).splitlines()[0]}; views: {', '.join(sorted(self.views))}") from error
        except duckdb.Error as error:  # a conversion error quotes the value it failed on
            raise SqlError(f"sql: {type(error).__name__}; the message is withheld, it may quote a text") from error


@contextmanager
def open_line(tables: Sequence[Table], verdicts: Mapping[str, Mapping[str, Any]], more: Rows | None = None) -> Iterator[Line]:
    """Open the tables of one line, first stage first, and the verdicts on them (stage -> verdict as JSON).

    `more`: rows of `spending`, `planted` and `runs`. Once the views are made, the connection can read no other file, load no
    extension and reach no server, and its settings are locked.
    """
    with tempfile.TemporaryDirectory() as spill, duckdb.connect(config=_config(spill)) as connection:
        connection.execute("SET TimeZone = 'UTC'")
        connection.execute("SET enable_progress_bar = false")
        connection.execute("SET parquet_metadata_cache = true")  # every figure asks the same files
        rows = {**_shared_rows(tables, verdicts), **(more or {})}
        for name, columns in SHARED.items():
            connection.execute(f"CREATE TABLE {name} ({columns})")
            if rows.get(name):  # as one table: row by row, a thousand take half a second
                given = pl.DataFrame([list(column) for column in zip(*rows[name], strict=True)], strict=False)
                connection.from_arrow(given.to_arrow()).insert_into(name)
        views = [name for table in tables for name in _views(connection, table)]
        _over_all_stages(connection, tables)
        readable = [str(path.resolve()) for table in tables if table.manifest.stage != "ingest" for path in _files(table)]
        connection.execute(f"SET allowed_paths = {_list(readable)}")
        connection.execute("SET enable_external_access = false")
        connection.execute("SET lock_configuration = true")
        yield Line(connection, [*SHARED, *OVER_ALL, *views])


def _config(spill: str) -> dict[str, str | bool | int | float | list[str]]:
    """Out of core above 2 GB, and no extension is ever fetched."""
    return {
        "memory_limit": "2GB",
        "temp_directory": spill,
        "autoinstall_known_extensions": False,
        "autoload_known_extensions": False,
    }


def names_in(query: str) -> set[str]:
    """The views a query speaks of, by name."""
    nouns = "|".join(NOUNS.values())
    shared = "|".join([*SHARED, *OVER_ALL])
    return set(re.findall(rf"(?:FROM|JOIN)\s+((?:{nouns})(?:_\w+)?|{shared})\b", query))


def _shared_rows(tables: Sequence[Table], verdicts: Mapping[str, Mapping[str, Any]]) -> dict[str, list[tuple[Any, ...]]]:
    order = list(NOUNS)
    by_stage = {table.manifest.stage: table for table in tables}
    line = [
        (
            order.index(table.manifest.stage),
            table.manifest.stage,
            table.manifest.fingerprint,
            table.checksum,
            before is not None and table.manifest.given_checksum != before.checksum,
        )
        for before, table in zip([None, *tables], tables, strict=False)  # the last is before nothing
    ]
    gates = [
        (
            order.index(stage),
            stage,
            verdict["passed"],
            verdict["table"] == by_stage[stage].checksum if stage in by_stage else None,
        )
        for stage, verdict in verdicts.items()
    ]
    return {
        "line": line,
        "parts": [
            (table.manifest.stage, part.name, frame, rows)
            for table in tables
            for part in table.manifest.parts
            for frame, rows in sorted(part.rows.items())
        ],
        "counts": [(table.manifest.stage, name, value) for table in tables for name, value in table.manifest.counts.items()],
        "gates": sorted(gates),
        "measures": [(stage, *item) for stage, verdict in verdicts.items() for item in verdict["measures"].items()],
        "judgements": [
            (
                stage,
                each["measure"],
                each["value"],
                each["least"],
                each["most"],
                each["margin"],
                each["passed"],
                each.get("severity", "stop"),
                place,
                each.get("meaning", ""),
                ", ".join(each.get("where", ())),
            )
            for stage, verdict in verdicts.items()
            for place, each in enumerate(verdict["judgements"])
        ],
        "consumers": [
            (name, one.default_max_tokens, one.min_rows, one.max_rows, one.rows is not None) for name, one in FORMATS.items()
        ],
    }


def _views(connection: duckdb.DuckDBPyConnection, table: Table) -> Iterator[str]:
    noun = NOUNS[table.manifest.stage]
    frames = sorted({frame for part in table.manifest.parts for frame in part.files})
    for frame in frames:
        name = noun if frame == "kept" else f"{noun}_{frame}"
        files = _list(str(table.path(part, frame).resolve()) for part in table.manifest.parts if frame in part.files)
        source = f"read_parquet({files})"
        if table.manifest.stage == "ingest":
            # a copy, so that the files behind the wall need not be readable
            there = pl.read_parquet_schema(table.path(table.manifest.parts[0]))
            named = ", ".join(name for name in OUTSIDE_THE_WALL.split(", ") if name in there)
            turns = ", [{'speaker': t.speaker, 'sent_at': t.sent_at, 'author_key': t.author_key} for t in turns] AS turns"
            columns = {
                "kept": named + (turns if "'speaker'" in str(there.get("turns")) else ""),
                "quarantined": "source_row, reason, detail",
                "dropped": "*",
            }.get(frame)
            if columns is None:
                continue
            connection.execute(f'CREATE TABLE "{name}" AS SELECT {columns} FROM {source}')  # noqa: S608  # our own paths, quoted
        else:
            connection.execute(f'CREATE VIEW "{name}" AS SELECT * FROM {source}')  # noqa: S608
        yield name


def _over_all_stages(connection: duckdb.DuckDBPyConnection, tables: Sequence[Table]) -> None:
    stages = [table.manifest.stage for table in tables if table.manifest.parts]
    nothing = "SELECT NULL::VARCHAR AS stage, NULL::VARCHAR AS conversation_id{} WHERE false"
    kept = [f"SELECT '{stage}' AS stage, conversation_id FROM {NOUNS[stage]}" for stage in stages]  # noqa: S608
    dropped = [
        f"SELECT '{stage}' AS stage, conversation_id, reason, detail FROM {NOUNS[stage]}_dropped"  # noqa: S608
        for stage in stages
    ]
    connection.execute(f"CREATE VIEW kept AS {' UNION ALL '.join([*kept, nothing.format('')])}")
    more = ", NULL::VARCHAR AS reason, NULL::VARCHAR AS detail"
    connection.execute(f"CREATE VIEW dropped AS {' UNION ALL '.join([*dropped, nothing.format(more)])}")
    added = [
        f"SELECT '{table.manifest.stage}' AS stage, conversation_id, reason, detail FROM {NOUNS[table.manifest.stage]}_added"  # noqa: S608
        for table in tables
        if table.manifest.total("added")
    ]
    connection.execute(f"CREATE VIEW added AS {' UNION ALL '.join([*added, nothing.format(more)])}")
    connection.execute("""
        CREATE VIEW state AS SELECT stage, measure AS name, value FROM measures WHERE measure <> 'kept'
        UNION ALL SELECT stage, frame, sum(rows)::DOUBLE FROM parts WHERE frame = 'kept' GROUP BY ALL
    """)


def _files(table: Table) -> Iterator[Path]:
    for part in table.manifest.parts:
        yield from (table.path(part, frame) for frame in sorted(part.files))


def _list(values: Iterable[str]) -> str:
    quoted = (value.replace("'", "''") for value in values)
    return "[" + ", ".join(f"'{value}'" for value in quoted) + "]"
