"""Turns as flat rows: what the rules judge, and the way there and back from the lists of a conversation.

A frame of turns has `row` (position of the conversation in its part), the conversation's `language`, the fields of TURN,
and `role`: customer, agent or tool, a bot being an agent. Rows keep the order of the conversations and of their turns.
"""

from typing import Final

import polars as pl

from pipeline.schema import TURN

WRITTEN: Final = pl.concat_str(
    pl.col("call").struct.field("name"),
    pl.col("call")
    .struct.field("arguments")
    .list.eval(pl.format("{} {}", pl.element().struct.field("name"), pl.element().struct.field("value")))
    .list.join("\n"),
    "text",
    separator="\n",
    ignore_nulls=True,
)
"""All that is written in a turn: its text and, of a look-up, what was asked."""

FIELDS: Final = [field.name for field in TURN.fields]


def flatten(conversations: pl.DataFrame) -> pl.DataFrame:
    """One row per turn. A conversation without turns has none."""
    return (
        conversations.select("language", "turns")
        .with_row_index("row")
        .filter(pl.col("turns").list.len() > 0)
        .explode("turns")
        .unnest("turns")
        .with_columns(role=pl.when(pl.col("speaker") == "bot").then(pl.lit("agent")).otherwise("speaker"))
    )


def gather(turns: pl.DataFrame) -> pl.DataFrame:
    """`row` and `turns`: the lists of turns again, for every conversation that still has one."""
    return turns.group_by("row", maintain_order=True).agg(turns=pl.struct(FIELDS))


def said(*turns: str) -> pl.DataFrame:
    """One conversation as a frame of turns, for examples: "customer: Where is it?", "agent: On its way."."""
    rows = [dict(zip(("speaker", "text"), turn.split(": ", 1), strict=True)) for turn in turns]
    blank: dict[str, str | None] = dict.fromkeys(FIELDS)
    numbered = [{**blank, **row, "turn_id": f"t{number}", "origin": "human"} for number, row in enumerate(rows)]
    return flatten(
        pl.DataFrame({"language": [None], "turns": [numbered]}, schema={"language": pl.String, "turns": pl.List(TURN)})
    )
