"""What must hold after validate, read again in SQL: the rules are expressions of polars, this is another hand."""

import tempfile
from collections.abc import Sequence
from functools import partial
from typing import Final

import duckdb
import polars as pl
from pydantic import Field

from checks.gate import Limit, at_least, at_most
from checks.parts import Counts, EachPart, every_part
from pipeline.params import Section
from pipeline.tables import Part, Table


class Bounds(Section):
    """How many conversations the rules may cost."""

    min_kept: int = Field(ge=0)
    """Fewest conversations that are worth going on with."""

    min_kept_share: float = Field(ge=0, le=1)
    """Smallest share of the given conversations that must be kept."""

    max_dropped_share: dict[str, float]
    """Reason -> largest share of the given conversations it may cost. A reason that is not named here stops the line."""

    max_cut_share: float = Field(ge=0, le=1)
    """Largest share of the characters of the kept conversations that edits may have taken away."""

    min_characters_per_token: float = Field(gt=0)
    """Fewest characters a token may stand for, over the whole table; far outside, the counts are wrong."""

    max_characters_per_token: float = Field(gt=0)
    """Most characters a token may stand for, over the whole table."""


JUDGED_AGAIN: Final = """
select
    count(*) as kept,
    sum((len(said) % 2 <> 0 or len(said) = 0 or exists (
        select 1 from unnest(range(1, len(said) + 1)) as places(place)
        where (said[place].speaker = 'customer') <> (place % 2 = 1)
    ))::int) as not_alternating,
    sum(exists (
        select 1 from unnest(range(1, len(turns) + 1)) as places(place)
        where turns[place].speaker = 'tool'
        and (coalesce(turns[place - 1].speaker, '') not in ('customer', 'tool')
             or coalesce(turns[place + 1].speaker, '') not in ('agent', 'bot', 'tool'))
    )::int) as with_misplaced_look_up,
    sum(list_bool_or(list_transform(turns, lambda t: trim(t.text, ' \t\n\r') = ''))::int) as with_empty_turn,
    sum(list_bool_or(list_transform(turns, lambda t: regexp_matches(t.text, '\\{\\{\\s*[A-Za-z][\\w .]*\\}\\}')))::int)
        as with_placeholder,
    sum(list_bool_or(list_transform(turns, lambda t: coalesce(list_bool_or(list_transform(
        regexp_extract_all(lower(t.text), '[a-z0-9._%+-]+@([a-z0-9-]+(?:\\.[a-z0-9-]+)*\\.[a-z]{2,})', 1),
        lambda domain: not regexp_matches(domain, '(^|\\.)example\\.(com|org|net)$|\\.(test|invalid|example)$'))), false)))::int)
        as with_address,
    sum((tokens is null or tokens <= 0)::int) as without_tokens,
    sum(list_sum(list_transform(turns, lambda t: length(t.text)))) as characters,
    sum(tokens) as tokens
from (select *, list_filter(turns, lambda t: t.speaker <> 'tool') as said from read_parquet($kept))
"""

LENGTHS: Final = """
select sum(list_sum(list_transform(after.turns, lambda t: length(t.text)))) as left_characters,
       sum(list_sum(list_transform(before.turns, lambda t: length(t.text)))) as given_characters
from read_parquet($kept) as after join read_parquet($given) as before using (conversation_id)
"""


def measure(table: Table, bounds: Bounds, each: EachPart = every_part) -> pl.DataFrame:
    """One row: what was kept, dropped by reason and cut, and how many kept conversations break a rule all the same."""
    manifest = table.manifest
    kept, reasons = manifest.total("kept"), manifest.reasons
    given = kept + sum(reasons.values())
    measures: dict[str, float | None] = {
        "given": given,
        "kept_share": kept / given if given else None,
        **{f"dropped_{reason}_share": reasons.get(reason, 0) / given if given else None for reason in bounds.max_dropped_share},
        "reasons_without_bound": len(reasons.keys() - bounds.max_dropped_share.keys()),
    }
    return pl.DataFrame({**measures, **_read_again(table, each)})


def _read_again(table: Table, each: EachPart) -> dict[str, float | None]:
    before = table.previous()
    with tempfile.TemporaryDirectory() as spill, duckdb.connect(config=_config(spill)) as connection:
        counts = each(table, partial(_count, connection, table, before))
    if not counts:
        return {"kept": 0.0, **dict.fromkeys((*FAULTS, "characters_per_token", "cut_share"))}
    total = {name: sum(part[name] or 0 for part in counts) for name in counts[0]}
    is_known = all(part["given_characters"] is not None for part in counts)
    given, tokens = total["given_characters"], total["tokens"]
    return {
        "kept": total["kept"],
        **{fault: total[fault] if total["kept"] else None for fault in FAULTS},
        "characters_per_token": total["characters"] / tokens if tokens else None,
        "cut_share": 1 - total["left_characters"] / given if is_known and given else None,
    }


def _count(connection: duckdb.DuckDBPyConnection, table: Table, before: Table | None, part: Part, source: Part | None) -> Counts:
    files = {"kept": str(table.path(part))}
    counted = dict(zip(COLUMNS, connection.execute(JUDGED_AGAIN, files).fetchone() or (), strict=True))
    lengths: Sequence[int | None] = (None, None)
    if before and source:
        files["given"] = str(before.path(source))
        lengths = [length or 0 for length in connection.execute(LENGTHS, files).fetchone() or ()]
    return counted | dict(zip(("left_characters", "given_characters"), lengths, strict=True))


FAULTS: Final = (
    "not_alternating",
    "with_misplaced_look_up",
    "with_empty_turn",
    "with_placeholder",
    "with_address",
    "without_tokens",
)
COLUMNS: Final = ("kept", *FAULTS, "characters", "tokens")


def _config(spill: str) -> dict[str, str | bool | int | float | list[str]]:
    """Out of core above 1 GB, and no extension is ever fetched."""
    return {
        "memory_limit": "1GB",
        "temp_directory": spill,
        "threads": 2,
        "autoinstall_known_extensions": False,
        "autoload_known_extensions": False,
    }


def expectations(bounds: Bounds) -> list[Limit]:
    """Enough is kept, no reason costs more than it may, and no kept conversation breaks a rule."""
    return [
        at_least("kept", bounds.min_kept),
        at_least("kept_share", bounds.min_kept_share),
        *(at_most(f"dropped_{reason}_share", share) for reason, share in bounds.max_dropped_share.items()),
        at_most("reasons_without_bound", 0),
        *(at_most(fault, 0) for fault in FAULTS),
        at_most("cut_share", bounds.max_cut_share),
        at_least("characters_per_token", bounds.min_characters_per_token),
        at_most("characters_per_token", bounds.max_characters_per_token),
    ]
