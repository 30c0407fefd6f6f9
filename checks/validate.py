"""What must hold after validate, read again in SQL: the rules are expressions of polars, this is another hand."""

import tempfile
from collections.abc import Iterator, Sequence
from functools import partial
from typing import Final

import duckdb
import polars as pl
from pydantic import Field

from checks.gate import Limit, at_least, at_most
from checks.parts import Counts, EachPart, dropped_ids, every_part, with_sources
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


FAULTS: Final = {
    "not_alternating": "kept conversations in which customer and agent do not take turns, the customer first",
    "with_misplaced_look_up": "kept conversations with a look-up that stands before no answer",
    "with_empty_turn": "kept conversations with a turn that says nothing",
    "with_placeholder": "kept conversations with an unfilled placeholder",
    "with_address": "kept conversations with a mail address outside the domains reserved for examples",
    "without_tokens": "kept conversations whose tokens were not counted",
}

_JUDGED: Final = {
    "not_alternating": """len(said) % 2 <> 0 or len(said) = 0 or exists (
        select 1 from unnest(range(1, len(said) + 1)) as places(place)
        where (said[place].speaker = 'customer') <> (place % 2 = 1)
    )""",
    "with_misplaced_look_up": """exists (
        select 1 from unnest(range(1, len(turns) + 1)) as places(place)
        where turns[place].speaker = 'tool'
        and (coalesce(turns[place - 1].speaker, '') not in ('customer', 'tool')
             or coalesce(turns[place + 1].speaker, '') not in ('agent', 'bot', 'tool'))
    )""",
    "with_empty_turn": "list_bool_or(list_transform(turns, lambda t: trim(t.text, ' \t\n\r') = ''))",
    "with_placeholder": r"list_bool_or(list_transform(turns, lambda t: regexp_matches(t.text, '\{\{\s*[A-Za-z][\w .]*\}\}')))",
    "with_address": r"""list_bool_or(list_transform(turns, lambda t: coalesce(list_bool_or(list_transform(
        regexp_extract_all(lower(t.text), '[a-z0-9._%+-]+@([a-z0-9-]+(?:\.[a-z0-9-]+)*\.[a-z]{2,})', 1),
        lambda domain: not regexp_matches(domain, '(^|\.)example\.(com|org|net)$|\.(test|invalid|example)$'))), false)))""",
    "without_tokens": "tokens is null or tokens <= 0",
}
"""Each fault as a condition on a kept conversation."""

KEPT: Final = "select *, list_filter(turns, lambda t: t.speaker <> 'tool') as said from read_parquet($kept)"

JUDGED_AGAIN: Final = f"""
select
    count(*) as kept,
    {"".join(f"sum(({_JUDGED[fault]})::int) as {fault}, " for fault in FAULTS)}
    sum(list_sum(list_transform(turns, lambda t: length(t.text)))) as characters,
    sum(tokens) as tokens
from ({KEPT})
"""  # noqa: S608  # of the constants above

LENGTHS: Final = """
select sum(list_sum(list_transform(after.turns, lambda t: length(t.text)))) as left_characters,
       sum(list_sum(list_transform(before.turns, lambda t: length(t.text)))) as given_characters
from read_parquet($kept) as after join read_parquet($given) as before using (conversation_id)
"""


MOST_CUT: Final = """
select conversation_id, coalesce(list_sum(list_transform(before.turns, lambda t: length(t.text))), 0)
    - coalesce(list_sum(list_transform(after.turns, lambda t: length(t.text))), 0) as cut
from read_parquet($kept) as after join read_parquet($given) as before using (conversation_id)
where cut > 0 order by cut desc, conversation_id limit 10
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
    letters = "characters of the kept conversations, per token"
    return [
        at_least("kept", bounds.min_kept, "conversations that are kept"),
        at_least("kept_share", bounds.min_kept_share, "conversations that are kept, of those given"),
        *(
            at_most(f"dropped_{reason}_share", share, f"conversations dropped for {reason}, of those given")
            for reason, share in bounds.max_dropped_share.items()
        ),
        at_most("reasons_without_bound", 0, "reasons of drops that gates.validate.max_dropped_share does not name"),
        *(at_most(fault, 0, meaning) for fault, meaning in FAULTS.items()),
        at_most("cut_share", bounds.max_cut_share, "characters of the kept conversations that edits took away"),
        at_least("characters_per_token", bounds.min_characters_per_token, letters),
        at_most("characters_per_token", bounds.max_characters_per_token, letters),
    ]


def where(table: Table, measure: str, bounds: Bounds, _each: EachPart = every_part) -> Iterator[str]:
    """Ids of conversations, those that edits took most of first; reasons and how many each cost."""
    reasons = table.manifest.reasons
    if measure in FAULTS:
        yield from _ask(table, f"select conversation_id from ({KEPT}) where {_JUDGED[measure]}")  # noqa: S608  # of constants
    elif measure == "cut_share":
        yield from _ask(table, MOST_CUT)
    elif measure == "reasons_without_bound":
        yield from sorted(reasons.keys() - bounds.max_dropped_share.keys())
    elif measure in {"kept", "kept_share"}:
        most_first = sorted(reasons.items(), key=lambda each: -each[1])
        yield from (f"{reason} ({count:,})" for reason, count in most_first)
    elif measure.startswith("dropped_"):
        yield from dropped_ids(table, measure.removeprefix("dropped_").removesuffix("_share"))


def _ask(table: Table, query: str) -> Iterator[str]:
    before = table.previous()
    sources = with_sources(table, before)
    with tempfile.TemporaryDirectory() as spill, duckdb.connect(config=_config(spill)) as connection:
        for part, source in sources:
            files = {"kept": str(table.path(part))}
            if "$given" in query:
                if not before or not source:
                    continue
                files["given"] = str(before.path(source))
            yield from (conversation_id for conversation_id, *_ in connection.execute(query, files).fetchall())
