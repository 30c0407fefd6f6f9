"""Is what was received read well?  Judged by the tables themselves: their rows, ids, times and letters, not by ingest's word."""

from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Final

import polars as pl
from pydantic import Field

from checks.gate import Limit, at_least, at_most
from checks.parts import Counts, EachPart, dropped_ids, every_part, ids_where
from pipeline.params import Section
from pipeline.tables import Part, Table

EARLIEST: Final = datetime(1990, 1, 1, tzinfo=UTC)
"""No help desk has logs from before; a time read in the wrong unit falls into January 1970."""

MOJIBAKE: Final = "\ufffd|Ã[\u0080-\u00bf‚ƒ„…†‡ˆ‰Š‹ŒŽ‘’“”•–—˜™š›œžŸ]|â€|Â[\u00a0-\u00bf]"  # noqa: RUF001  # the letters meant
"""U+FFFD, and UTF-8 that was read as Windows-1252: two-byte letters, quotes and dashes, Latin-1 signs."""

MARKUP: Final = (
    r"(?i)</?(?:a|b|br|body|div|font|head|html|i|img|li|ol|p|span|style|strong|table|tbody|td|tr|u|ul)(?:\s[^<>]*)?/?>"
)
"""A tag of those that mails and help desks write: HTML that was declared to be plain text."""

CONTROL: Final = r"[\x00-\x08\x0b-\x1f\x7f]"


class Bounds(Section):
    """Bounds on the ingested table. Shares are of 1."""

    min_conversations: int = Field(ge=0)
    """Fewer conversations than this cannot make a set."""
    max_quarantined_share: float = Field(ge=0, le=1)
    """Rows that could not be read, of all rows; rows of a conversation that was delivered again do not count."""
    max_unreadable_files: int = Field(ge=0)
    """Files that were set aside as a whole."""
    max_dropped_share: float = Field(ge=0, le=1)
    """Conversations dropped, of all: more than this hints at messages that were not recognised as such."""
    max_without_customer_share: float = Field(ge=0, le=1)
    """Conversations in which no customer speaks, of those kept: many hint at speakers that were mixed up."""
    min_customer_turn_share: float = Field(ge=0, le=1)
    """Turns of customers, of all turns."""
    max_implausible_time_share: float = Field(ge=0, le=1)
    """Turns from before 1990 or later than a day from now, of those with a time."""
    max_backward_share: float = Field(ge=0, le=1)
    """Conversations in which a turn is earlier than the one before it, of those kept."""
    max_mojibake_share: float = Field(ge=0, le=1)
    """Turns with replacement characters or doubly encoded letters, of all turns."""
    max_markup_share: float = Field(ge=0, le=1)
    """Turns with HTML tags, of all turns."""
    max_sources_without_answers: int = Field(ge=0)
    """Sources in none of whose conversations anybody answers: questions alone, or nobody was declared to be staff."""


def measure(table: Table, bounds: Bounds, each: EachPart = every_part) -> pl.DataFrame:  # noqa: ARG001  # bounds of other gates decide what is measured
    """One row of numbers over the whole table, part by part.

    Returns:
        conversations, repeated_ids, unbalanced_rows, quarantined_share, superseded_share, unreadable_files, dropped_share,
        without_customer_share, customer_turn_share, implausible_time_share, backward_share, mojibake_share, markup_share,
        control_turns, empty_turns, longest_turn, sources_without_answers.
    """

    def count(part: Part, _: Part | None) -> Counts:
        kept = table.read(part, columns=["conversation_id", "source", "turns"])
        counted = pl.concat([_of_kept(kept), _of_turns(kept), _of_rows(table, part)], how="horizontal")
        return {**counted.row(0, named=True), **_answers_by_source(kept)}

    # a time that lies ahead today may lie behind tomorrow
    counts = each(table, count, is_settled=lambda counts: not counts["implausible_times"])
    answers = Counter[str]()
    for of_part in counts:
        answers.update({name: count or 0 for name, count in of_part.items() if name.startswith(ANSWERS)})
    numbers = [{name: count for name, count in of_part.items() if name not in answers} for of_part in counts]
    total = pl.DataFrame(numbers).select(pl.all().exclude("longest_turn").sum(), pl.col("longest_turn").max())
    every = pl.concat(
        [
            table.read(part, frame, ["conversation_id"])["conversation_id"]
            for part in table.manifest.parts
            for frame in ("kept", "dropped")
        ]
    )

    def share(part: str, *of: str) -> pl.Expr:
        whole = pl.sum_horizontal(of)
        return pl.when(whole > 0).then(pl.col(part) / whole)

    return total.select(
        "conversations",
        pl.lit(every.len() - every.n_unique()).alias("repeated_ids"),
        pl.col("unbalanced_rows").abs(),
        share("quarantined", "rows").alias("quarantined_share"),
        share("superseded", "rows").alias("superseded_share"),
        "unreadable_files",
        share("dropped", "conversations", "dropped").alias("dropped_share"),
        share("without_customer", "conversations").alias("without_customer_share"),
        share("customer_turns", "turns").alias("customer_turn_share"),
        # a source may have no times at all: that is none out of none
        share("implausible_times", "timed_turns").fill_null(0.0).alias("implausible_time_share"),
        share("backward", "conversations").alias("backward_share"),
        share("mojibake", "turns").alias("mojibake_share"),
        share("markup", "turns").alias("markup_share"),
        "control_turns",
        "empty_turns",
        "longest_turn",
        pl.lit(sum(not count for count in answers.values()), pl.Int64).alias("sources_without_answers"),
    )


ANSWERS: Final = "answers in "


def _answers_by_source(kept: pl.DataFrame) -> dict[str, int]:
    """ANSWERS and the name of a source -> conversations of it in which an agent or a bot speaks."""
    answered = pl.col("turns").list.eval(_SPEAKER.is_in(["agent", "bot"])).list.any().fill_null(value=False)
    counted = kept.group_by("source").agg(answered.sum().cast(pl.Int64).alias("answers")).sort("source")
    return {f"{ANSWERS}{source}": count for source, count in counted.iter_rows()}


_TIMES: Final = pl.element().struct.field("sent_at").diff().dt.total_microseconds()
_SPEAKER: Final = pl.element().struct.field("speaker")
OF_A_CONVERSATION: Final = {
    "backward": pl.col("turns").list.eval(_TIMES < 0).list.any().fill_null(value=False),
    "without_customer": ~pl.col("turns").list.eval(_SPEAKER == "customer").list.any().fill_null(value=False),
}
"""What is counted of conversations."""


def _of_a_turn() -> dict[str, pl.Expr]:
    """What is counted of turns; nothing is later than tomorrow."""
    text, sent_at = pl.col("text"), pl.col("sent_at")
    latest = datetime.now(UTC) + timedelta(days=1)
    return {
        "implausible_times": (sent_at < EARLIEST) | (sent_at > latest),
        "mojibake": text.str.contains(MOJIBAKE),
        "markup": text.str.contains(MARKUP),
        "control_turns": text.str.contains(CONTROL),
        "empty_turns": text.is_null() | (text.str.strip_chars() == ""),
    }


def _of_kept(kept: pl.DataFrame) -> pl.DataFrame:
    faults = {name: fault.sum().cast(pl.Int64) for name, fault in OF_A_CONVERSATION.items()}
    return kept.select(conversations=pl.len().cast(pl.Int64), **faults)


def _of_turns(kept: pl.DataFrame) -> pl.DataFrame:
    turns = kept.select(pl.col("turns").explode(empty_as_null=False)).unnest("turns")
    return turns.select(
        turns=pl.len().cast(pl.Int64),
        customer_turns=(pl.col("speaker") == "customer").sum().cast(pl.Int64),
        timed_turns=pl.col("sent_at").is_not_null().sum().cast(pl.Int64),
        **{name: fault.sum().cast(pl.Int64) for name, fault in _of_a_turn().items()},
        longest_turn=pl.col("text").str.len_chars().max().cast(pl.Int64),
    )


def _of_rows(table: Table, part: Part) -> pl.DataFrame:
    quarantined = table.read(part, "quarantined", ["source_row", "reason"])
    counts = part.counts
    accounted = counts.get("rows_kept", 0) + counts.get("rows_dropped", 0) + quarantined.height
    again = pl.col("reason") == "duplicate_id"
    return quarantined.select(
        rows=pl.lit(counts.get("rows_read", 0), pl.Int64),
        unbalanced_rows=pl.lit(counts.get("rows_read", 0) - accounted, pl.Int64).abs(),
        dropped=pl.lit(part.rows["dropped"], pl.Int64),
        superseded=again.sum().cast(pl.Int64),
        quarantined=(~again & (pl.col("reason") != "forgotten")).sum().cast(pl.Int64),  # who is forgotten is no fault of the data
        unreadable_files=((pl.col("source_row") == 0) & (pl.col("reason") == "unreadable_file")).sum().cast(pl.Int64),
    )


def expectations(bounds: Bounds) -> list[Limit]:
    """What must hold after ingest; ids, rows and letters have no tolerance."""
    return [
        at_least("conversations", bounds.min_conversations, "conversations that were read"),
        at_most("repeated_ids", 0, "conversations that have an id of another"),
        at_most("unbalanced_rows", 0, "rows that were read and are neither in a conversation, nor dropped, nor quarantined"),
        at_most("quarantined_share", bounds.max_quarantined_share, "rows that could not be read, of all rows"),
        at_most("unreadable_files", bounds.max_unreadable_files, "files that were set aside as a whole"),
        at_most("dropped_share", bounds.max_dropped_share, "conversations that were dropped, of all"),
        at_most(
            "without_customer_share",
            bounds.max_without_customer_share,
            "conversations in which no customer speaks, of those kept",
        ),
        at_least("customer_turn_share", bounds.min_customer_turn_share, "turns of customers, of all turns"),
        at_most(
            "implausible_time_share",
            bounds.max_implausible_time_share,
            "turns from before 1990 or later than tomorrow, of those with a time",
        ),
        at_most("backward_share", bounds.max_backward_share, "conversations in which a turn is earlier than the one before it"),
        at_most("mojibake_share", bounds.max_mojibake_share, "turns with replacement characters or doubly encoded letters"),
        at_most("markup_share", bounds.max_markup_share, "turns with HTML tags, of all turns"),
        at_most("control_turns", 0, "turns with control characters"),
        at_most("empty_turns", 0, "turns without a word"),
        at_most("sources_without_answers", bounds.max_sources_without_answers, "sources in which nobody answers"),
    ]


def where(table: Table, measure: str, _bounds: Bounds, _each: EachPart = every_part) -> Iterator[str]:
    """Ids of conversations; of rows that were not read, only reasons and numbers: names of files may be personal."""
    renamed = {"implausible_time_share": "implausible_times", "customer_turn_share": "without_customer"}
    name = renamed.get(measure, measure.removesuffix("_share"))
    if name in OF_A_CONVERSATION:
        yield from ids_where(OF_A_CONVERSATION[name], table, ["turns"])
    elif name in (faults := _of_a_turn()):
        for part in table.manifest.parts:
            turns = table.read(part, columns=["conversation_id", "turns"]).explode("turns", empty_as_null=False).unnest("turns")
            yield from turns.filter(faults[name])["conversation_id"].unique(maintain_order=True)
    elif name == "sources_without_answers":
        answers = Counter[str]()
        for part in table.manifest.parts:
            answers.update(_answers_by_source(table.read(part, columns=["source", "turns"])))
        yield from (name.removeprefix(ANSWERS) for name in sorted(answers) if not answers[name])
    elif name == "dropped":
        yield from dropped_ids(table)
    elif name == "repeated_ids":
        frames = [table.read(part, frame, ["conversation_id"]) for part in table.manifest.parts for frame in ("kept", "dropped")]
        ids = pl.concat(frames)["conversation_id"]
        yield from ids.filter(ids.is_duplicated()).unique().sort()
    elif name == "unbalanced_rows":
        yield from (part.name for part in table.manifest.parts if _of_rows(table, part)["unbalanced_rows"].item())
    elif name in {"quarantined", "unreadable_files"}:
        rows = pl.concat([table.read(part, "quarantined", ["reason"]) for part in table.manifest.parts])
        counted = rows.filter(~pl.col("reason").is_in(["duplicate_id", "forgotten"])).group_by("reason").len()
        yield from (f"{reason} ({count:,})" for reason, count in counted.sort("len", "reason", descending=True).iter_rows())
