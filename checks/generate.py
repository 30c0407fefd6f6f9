"""What must hold after generate: every question asked has an answer or a named gap, and no answer is a mere echo."""

from collections.abc import Iterator, Sequence
from functools import partial
from typing import Final

import polars as pl
from pydantic import Field

from checks.gate import Limit, at_most
from checks.parts import Counts, EachPart, every_part, ids_where, with_sources
from pipeline.params import Section
from pipeline.rules.residual_identifier import kinds
from pipeline.rules.unfilled_placeholder import PLACEHOLDER
from pipeline.tables import Part, Table

WORDS: Final = r"[^\W_]+"


class Bounds(Section):
    """How much of the table may be made up, left open, or bad."""

    max_synthetic_share: float = Field(ge=0, le=1)
    """Kept conversations that end in a synthetic answer. Share of the kept."""

    max_topic_synthetic_share: float = Field(ge=0, le=1)
    """The same within a topic; the largest of those with enough conversations. Share of the kept with that topic."""

    min_topic_conversations: int = Field(ge=1)
    """Kept conversations that a topic needs before its share is looked at."""

    max_paraphrase_share: float = Field(ge=0, le=1)
    """Conversations that a customer's question in other words was added as. Share of the kept."""

    max_boundary_share: float = Field(ge=0, le=1)
    """Conversations that were added for messages to turn away. Share of the kept."""

    max_gap_share: float = Field(ge=0, le=1)
    """Questions without an answer. Share of the questions asked."""

    max_provider_error_share: float = Field(ge=0, le=1)
    """Questions that failed at the endpoint and may pass next time. Share of the questions asked."""

    max_unanswered_share: float = Field(ge=0, le=1)
    """Kept conversations in which a customer speaks and nobody answers. Share of the kept."""

    max_echo_share: float = Field(ge=0, le=1)
    """Synthetic answers that say nothing but words of the last question. Share of the synthetic answers."""

    max_placeholders: int = Field(ge=0)
    """Synthetic answers with an unfilled placeholder. Count."""

    max_identifiers: int = Field(ge=0)
    """Synthetic answers with something shaped like a personal detail that stands nowhere before them. Count."""

    max_unbalanced: int = Field(ge=0)
    """Questions that are neither answered nor a named gap, answers nobody asked for, changed turns. Count."""


def measure(table: Table, bounds: Bounds, each: EachPart = every_part) -> pl.DataFrame:
    """One row; from the turns themselves and the table before, not from what the stage says of itself."""
    before = table.previous()
    counts = each(table, partial(_measure_part, table, before))
    sums = pl.DataFrame(counts, schema=dict.fromkeys(COUNTS, pl.Int64)).sum()
    asked = pl.col("asked")
    kept, synthetic = table.manifest.total("kept"), pl.col("synthetic")
    return sums.select(
        asked,
        synthetic,
        synthetic_share=synthetic / max(kept, 1),
        topic_synthetic_share=_share_in_a_topic(table, bounds.min_topic_conversations),
        paraphrase_share=pl.col("paraphrases") / max(kept, 1),
        boundary_share=pl.col("boundaries") / max(kept, 1),
        gap_share=pl.when(asked > 0).then((asked - pl.col("answered")) / asked).otherwise(0.0),
        provider_error_share=pl.when(asked > 0).then(pl.col("provider_errors") / asked).otherwise(0.0),
        unanswered_share=pl.col("unanswered") / max(kept, 1),
        echo_share=pl.when(synthetic > 0).then(pl.col("echoes") / synthetic).otherwise(0.0),
        placeholders="placeholders",
        identifiers="identifiers",
        unbalanced="unbalanced" if _is_all_of(table, before, counts) else pl.lit(None, pl.Int64),
    )


def expectations(bounds: Bounds) -> list[Limit]:
    """The bounds as limits on measures."""
    return [
        at_most("synthetic_share", bounds.max_synthetic_share, "conversations that end in a synthetic answer, of those kept"),
        at_most("topic_synthetic_share", bounds.max_topic_synthetic_share, "the same within the topic that has most of them"),
        at_most(
            "paraphrase_share", bounds.max_paraphrase_share, "conversations added as a question in other words, of those kept"
        ),
        at_most("boundary_share", bounds.max_boundary_share, "conversations added to be turned away politely, of those kept"),
        at_most("gap_share", bounds.max_gap_share, "questions without an answer, of those asked"),
        at_most("provider_error_share", bounds.max_provider_error_share, "questions that failed at the endpoint, of those asked"),
        at_most("unanswered_share", bounds.max_unanswered_share, "kept conversations in which nobody answers the customer"),
        at_most("echo_share", bounds.max_echo_share, "synthetic answers that only repeat words of the question"),
        at_most("placeholders", bounds.max_placeholders, "synthetic answers with an unfilled placeholder"),
        at_most(
            "identifiers", bounds.max_identifiers, "synthetic answers with a personal detail that stands nowhere before them"
        ),
        at_most(
            "unbalanced",
            bounds.max_unbalanced,
            "questions neither answered nor a named gap, answers nobody asked for, changed turns",
        ),
    ]


def where(table: Table, measure: str, bounds: Bounds, _each: EachPart = every_part) -> Iterator[str]:
    """Ids of conversations; the topics with most synthetic answers; the reasons of gaps."""
    name = measure.removesuffix("_share")
    if name == "topic_synthetic":
        topics = _by_topic(table, max(bounds.min_topic_conversations, NAMED_FROM)).sort("share", "topics", descending=True)
        yield from (f"{topic} ({made:,} of {of_all:,})" for topic, made, of_all, _ in topics.iter_rows())
    elif name in {"paraphrase", "boundary"}:
        yield from ids_where(_is_of(name), table, ["turns"])
    elif name == "gap":
        asked = pl.concat([table.read(part, "asked", ["fate", "reason"]) for part in table.manifest.parts])
        gaps = asked.filter(pl.col("fate") != "answered").group_by("reason").len().sort("len", "reason", descending=True)
        yield from (f"{reason} ({count:,})" for reason, count in gaps.iter_rows())
    elif name == "provider_error":
        yield from ids_where(pl.col("reason") == "provider_error", table, ["reason"], "asked")
    elif name == "unbalanced":
        before = table.previous()
        for part, source in with_sources(table, before):
            yield from _unbalanced(table, part, before, source) or ()
    else:
        for part in table.manifest.parts:
            yield from _of_answers(table.read(part, columns=["conversation_id", "turns"]))[name]


NAMED_FROM: Final = 5
"""Conversations that share a topic before it is named."""


COUNTS: Final = (
    "asked",
    "answered",
    "provider_errors",
    "synthetic",
    "paraphrases",
    "boundaries",
    "unanswered",
    "echoes",
    "placeholders",
    "identifiers",
    "unbalanced",
)


def _measure_part(table: Table, before: Table | None, part: Part, source: Part | None) -> Counts:
    asked = table.read(part, "asked", ["fate", "reason"])
    kept = table.read(part, columns=["conversation_id", "turns"])
    found = {name: len(ids) for name, ids in _of_answers(kept).items()}
    unbalanced = _unbalanced(table, part, before, source)
    return {
        "asked": asked.height,
        "answered": asked.filter(pl.col("fate") == "answered").height,
        "provider_errors": asked.filter(pl.col("reason") == "provider_error").height,
        "synthetic": found["synthetic"],
        "paraphrases": kept.filter(_is_of("paraphrase")).height,
        "boundaries": kept.filter(_is_of("boundary")).height,
        "unanswered": found["unanswered"],
        "echoes": found["echo"],
        "placeholders": found["placeholders"],
        "identifiers": found["identifiers"],
        "unbalanced": None if unbalanced is None else len(unbalanced),
    }


def _of_answers(kept: pl.DataFrame) -> dict[str, list[str]]:
    """Ids of the conversations that end in a synthetic answer, of those whose answer is at fault, and of those without any."""
    turns = kept.filter(pl.col("turns").list.len() > 0).explode("turns").unnest("turns")
    human = pl.col("origin").is_in(["human", "macro"])
    per = turns.group_by("conversation_id", maintain_order=True).agg(
        answer=pl.col("text").filter(pl.col("origin") == "synthetic").last(),
        question=pl.col("text").filter(human & (pl.col("speaker") == "customer")).last().fill_null(""),
        before=pl.col("text").filter(human).str.join("\n"),
        is_left_alone=(pl.col("speaker") == "customer").any() & ~pl.col("speaker").is_in(["agent", "bot"]).any(),
    )
    made = per.filter(pl.col("answer").is_not_null())
    echo = _words("answer").list.set_difference(_words("question")).list.len() == 0
    return {
        "synthetic": made["conversation_id"].to_list(),
        "unanswered": per.filter("is_left_alone")["conversation_id"].to_list(),
        "echo": made.filter(echo)["conversation_id"].to_list(),
        "placeholders": made.filter(pl.col("answer").str.contains(PLACEHOLDER))["conversation_id"].to_list(),
        "identifiers": [
            conversation_id
            for conversation_id, answer, said in made.select("conversation_id", "answer", "before").iter_rows()
            if set(kinds(answer)) - set(kinds(said))
        ],
    }


def _is_of(origin: str) -> pl.Expr:
    return pl.col("turns").list.eval(pl.element().struct.field("origin") == origin).list.any()


def _wrongly_added(table: Table, part: Part) -> list[str]:
    """Conversations that were made up and not said to be, or whose turns do not say so."""
    kept = table.read(part, columns=["conversation_id", "turns"])
    added = table.read(part, "added", ["conversation_id", "reason"])
    origins = pl.col("turns").list.eval(pl.element().struct.field("origin"))
    joined = kept.join(added, on="conversation_id", how="full", coalesce=True)
    wrong = joined.filter(~origins.list.contains(pl.col("reason")).fill_null(value=False))
    return wrong["conversation_id"].to_list()


def _share_in_a_topic(table: Table, min_conversations: int) -> float:
    """The largest share of synthetic answers in any topic of at least so many conversations; 0 when there is none."""
    share = _by_topic(table, min_conversations)["share"].max()
    return share if isinstance(share, float) else 0.0


def _by_topic(table: Table, min_conversations: int) -> pl.DataFrame:
    """topics, made, all, share: of the topics with at least so many conversations."""
    counted = [pl.DataFrame(schema={"topics": pl.String, "made": pl.UInt32, "all": pl.UInt32})]
    for part in table.manifest.parts:
        kept = table.read(part, columns=["topics", "turns"])
        topics = kept.select("topics", made=_is_of("synthetic").fill_null(value=False)).explode("topics").drop_nulls("topics")
        counted.append(topics.group_by("topics").agg(made=pl.col("made").sum().cast(pl.UInt32), all=pl.len().cast(pl.UInt32)))
    summed = pl.concat(counted).group_by("topics").sum().filter(pl.col("all") >= min_conversations)
    return summed.with_columns(share=pl.col("made") / pl.col("all"))


def _words(column: str) -> pl.Expr:
    return pl.col(column).str.to_lowercase().str.extract_all(WORDS)


def _is_all_of(table: Table, before: Table | None, counts: Sequence[Counts]) -> bool:
    """Whether every part was held against one of the table before, and none of those is missing."""
    parts = len(before.manifest.parts) if before else None
    made = [part for part in table.manifest.parts if "added" not in part.files]
    return len(made) == parts and all(each["unbalanced"] is not None for each in counts)


def _unbalanced(table: Table, part: Part, before: Table | None, source: Part | None) -> list[str] | None:
    """Conversations whose fate does not follow from what went in; None where that is not there to be read."""
    if "added" in part.files:
        return _wrongly_added(table, part)
    if before is None or source is None:
        return None
    given = before.read(source, columns=["conversation_id", "turns"])
    kept = table.read(part, columns=["conversation_id", "turns"])
    gone = table.read(part, "dropped", ["conversation_id", "reason"])
    asked = table.read(part, "asked", ["conversation_id", "fate"])
    joined = given.join(kept, on="conversation_id", how="full", coalesce=True, suffix="_new").join(
        asked, on="conversation_id", how="full", coalesce=True
    )
    added = pl.col("turns_new").list.len() - pl.col("turns").list.len()
    is_same = pl.col("turns_new") == pl.col("turns")
    grew = (added == 1) & (pl.col("turns_new").list.head(pl.col("turns").list.len()) == pl.col("turns"))
    # a look-up is nothing that is said to anybody
    speakers = pl.col("turns").list.eval(pl.element().struct.field("speaker"))
    is_open = speakers.list.eval(pl.element().filter(pl.element() != "tool")).list.last() == "customer"
    right = (
        pl.when(pl.col("fate").is_null())
        .then(is_same & ~is_open)
        .when(pl.col("fate") == "answered")
        .then(grew)
        .when(pl.col("fate") == "left_open")
        .then(is_same)
        .otherwise(pl.col("conversation_id").is_in(gone["conversation_id"].implode()) & pl.col("turns_new").is_null())
    )
    return joined.filter(~right.fill_null(value=False))["conversation_id"].to_list()
