"""M11 multi-turn fidelity, and whether every exported conversation is a chat at all."""

import polars as pl

from checks.readiness.corpus import Corpus
from checks.readiness.evidence import Evidence
from checks.readiness.masking import words_of
from checks.readiness.measured import MAX_RECORDS, Measured, Reading, share_of, unknown
from checks.readiness.settings import ReadinessParams

STOP_LENGTH = 4
"""Shorter words are no content words: without a list of stop words the measure works in any language with spaces."""


def read(corpus: Corpus, _evidence: Evidence, params: ReadinessParams) -> Reading:
    """Multi-turn share of the export against the raw logs; answers that need earlier turns; what trainers would cut."""
    shape = _shape(corpus.turns).join(corpus.conversations.select("conversation_id", "tokens"), on="conversation_id")
    values = [*_validity(corpus, shape), *_fidelity(corpus, shape)]
    values.append(_context(corpus.turns))
    known = shape.filter(pl.col("tokens").is_not_null())
    if known.is_empty():
        values += unknown("M11", "no token counts", "truncated_share")
    else:
        values.append(Measured("M11", "truncated_share", share_of(known["tokens"] > params.max_tokens), n=known.height))
    bins = shape.group_by(exchanges=pl.col("exchanges").clip(0, 20)).agg(exported=pl.len())
    if corpus.raw is not None:
        raw = corpus.raw.group_by(exchanges=pl.col("exchanges").cast(pl.Int64).clip(0, 20)).agg(raw=pl.len())
        bins = bins.join(raw, on="exchanges", how="full", coalesce=True)
    return Reading(tuple(values), {"exchanges": bins.fill_null(0).sort("exchanges")})


def _shape(turns: pl.DataFrame) -> pl.DataFrame:
    """Per conversation: exchanges (an answer after a question), and whether it is a chat that a trainer takes."""
    spoken = turns.filter(pl.col("speaker") != "tool")
    return spoken.group_by("conversation_id", maintain_order=True).agg(
        exchanges=((pl.col("speaker") == "agent") & (pl.col("speaker").shift() == "customer")).sum().cast(pl.Int64),
        sound=(pl.col("speaker").first() == "customer")
        & (pl.col("speaker").last() == "agent")
        & (pl.col("speaker") != pl.col("speaker").shift()).fill_null(value=True).all()
        & (pl.col("text").str.strip_chars() != "").all(),
    )


def _validity(corpus: Corpus, shape: pl.DataFrame) -> list[Measured]:
    unsound = set(corpus.conversations["conversation_id"]) - set(shape.filter("sound")["conversation_id"])
    records = tuple(sorted(unsound)[:MAX_RECORDS])
    return [Measured("M11", "invalid_examples", float(len(unsound)), n=corpus.conversations.height, records=records)]


def _fidelity(corpus: Corpus, shape: pl.DataFrame) -> list[Measured]:
    exported = share_of(shape["exchanges"] > 1) if shape.height else 0.0
    values = [Measured("M11", "multi_turn_share", exported, n=shape.height)]
    if corpus.raw is None:
        return [*values, *unknown("M11", "the ingested table is not in the line", "multi_turn_ratio", "raw_unanswered_share")]
    spoken = corpus.raw.filter(pl.col("exchanges").is_not_null())
    answered = spoken.filter(pl.col("exchanges") > 0)
    values.append(Measured("M11", "raw_unanswered_share", share_of(spoken["trailing"]), n=spoken.height))
    raw = share_of(answered["exchanges"] > 1)
    if raw == 0:  # nothing was multi-turn, so nothing of it can have been lost
        return [*values, Measured("M11", "multi_turn_ratio", 1.0, n=answered.height)]
    return [*values, Measured("M11", "multi_turn_ratio", exported / raw, n=answered.height)]


def _context(turns: pl.DataFrame) -> Measured:
    """Share of answers with earlier turns that reuse a content word found only before the customer's last turn."""
    needing = answers = 0
    current, before, last = "", set[str](), set[str]()
    rows = turns.filter(pl.col("speaker") != "tool").select("conversation_id", "speaker", "masked")
    for conversation, speaker, text in rows.iter_rows():
        if conversation != current:
            current, before, last = conversation, set(), set()
        words = {word for word in words_of(text) if len(word) >= STOP_LENGTH and not word.startswith("<")}
        if speaker == "agent":
            if before:
                answers += 1
                needing += bool(words & (before - last))
            before = before | last | words
            last = set()
        else:
            last = last | words
    if not answers:
        return unknown("M11", "no answer has earlier turns", "context_dependence")[0]
    return Measured("M11", "context_dependence", needing / answers, n=answers)
