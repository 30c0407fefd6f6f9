"""What audits say of the export as it is now: which judgements still stand, and which conversations have to be judged again.

An audit is of the text that the auditor saw, so a judgement stands as long as its conversation reads the same but for the
stand-ins of scrub: a new version, key or report voids nothing by itself, another find of scrub voids that one conversation.
Three things may not make a bound better than it is:

- a conversation that reads otherwise now and was not judged again counts as if it were at fault;
- so does one that was found at fault and mended since: the sample that led to the mend cannot show how far the mend reaches;
- so does one that was found at fault and is no longer exported, while its raw conversation is still there.

With these the bound is that of Clopper and Pearson for "at fault then or now", which is never below that for "at fault now".
"""

from typing import Final

import polars as pl

from checks.readiness.corpus import Corpus

MIN_SOURCE: Final = 0.05
"""Share of the export from which on a source must have been audited: a sample bounds only what it was drawn from."""


def audited(corpus: Corpus, audit: pl.DataFrame, fault: pl.Expr) -> pl.DataFrame:
    """One row per conversation that somebody judged, sorted by id.

    Args:
        corpus: the export as it is now.
        audit: evidence of the kind `audit`, several rows per conversation where several judged or one judged again.
        fault: true, false, or null where the row does not say.
    Returns:
        conversation_id; topic, source (null where it is no longer exported); is_of_whole (drawn from the whole set, not from
        one topic); stands_at_fault (the text as it is now); was_at_fault (that or an earlier text); is_changed (the text as it
        is now was not judged); counts (as a fault in a bound).
    """
    now = corpus.conversations.select("conversation_id", "topic", "source", now="text_digest")
    one_each = (
        audit.select("conversation_id", "text_digest", "drawn_from", fault=fault)
        .drop_nulls("fault")
        .join(now, on="conversation_id", how="left")
        .with_columns(stands=(pl.col("text_digest") == pl.col("now")).fill_null(value=False))
        .group_by("conversation_id")
        .agg(
            pl.col("topic", "source").first(),
            is_exported=pl.col("now").is_not_null().any(),
            is_of_whole=pl.col("drawn_from").is_null().any(),
            stands_at_fault=(pl.col("fault") & pl.col("stands")).any(),
            is_changed=~pl.col("stands").any() & pl.col("now").is_not_null().any(),
            was_at_fault=pl.col("fault").any(),
        )
    )
    there = now["conversation_id"] if corpus.raw is None else corpus.raw["conversation_id"]
    was_dropped = ~pl.col("is_exported") & pl.col("was_at_fault") & pl.col("conversation_id").is_in(there.implode())
    return (
        one_each.filter(pl.col("is_exported") | was_dropped)
        .with_columns(counts=pl.col("was_at_fault") | pl.col("is_changed"))
        .drop("is_exported")
        .sort("conversation_id")
    )


def unaudited_source(corpus: Corpus, judged: pl.DataFrame) -> str | None:
    """The largest source of the export, MIN_SOURCE of it or more, of which nobody judged a conversation; None: there is none."""
    seen = judged["source"].drop_nulls().unique()
    sizes = corpus.conversations.filter(~pl.col("source").is_in(seen.implode())).group_by("source").len()
    large = sizes.filter(pl.col("len") >= MIN_SOURCE * corpus.conversations.height)
    return None if large.is_empty() else str(large.sort(["len", "source"], descending=[True, False])["source"][0])
