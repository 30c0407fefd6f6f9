"""M12 boundary and refusal balance, by the lexicons of the declared languages."""

import polars as pl

from checks.bounds import interval
from checks.readiness.corpus import Corpus
from checks.readiness.evidence import Evidence
from checks.readiness.lexicon import code, is_read, says, unread
from checks.readiness.measured import Measured, Reading, unknown
from checks.readiness.settings import ReadinessParams


def read(corpus: Corpus, evidence: Evidence, params: ReadinessParams) -> Reading:
    """Conversations that answer a bad request well; refusals against those expected live."""
    names = ("boundary_share", "boundary_examples", "refusal_share", "refusal_ratio")
    everyone = corpus.conversations.select("conversation_id", "language")
    judged = everyone.filter(is_read())
    found = judged.join(_judge(corpus.turns, judged), on="conversation_id", how="left").with_columns(
        pl.col("boundary", "refuses").fill_null(value=False)
    )
    by_language = (
        everyone.join(found.drop("language"), on="conversation_id", how="left")
        .group_by(code().fill_null("not declared"))
        .agg(conversations=pl.len(), boundary=pl.col("boundary").mean(), refusals=pl.col("refuses").mean())
        .sort(["conversations", "language"], descending=[True, False])
    )
    tables = {"boundary": by_language}
    if why := unread(everyone, params.samples.max_unread_share, params.samples.min_judged_language):
        return Reading(tuple(unknown("M12", why, *names)), tables)
    good, refused, n = int(found["boundary"].sum()), int(found["refuses"].sum()), found.height
    low, high = interval(good, n)
    # of those that a lexicon reads, as a share of all: the others must not count as refusing nothing
    values = [
        Measured("M12", "boundary_share", good / n, low=low, high=high, n=n),
        Measured("M12", "boundary_examples", float(good), n=n),
        Measured("M12", "refusal_share", refused / n, n=n),
        _ratio(refused / n, evidence),
    ]
    return Reading(tuple(values), tables)


def _judge(turns: pl.DataFrame, chosen: pl.DataFrame) -> pl.DataFrame:
    spoken = turns.filter(pl.col("speaker") != "tool").join(chosen, on="conversation_id", how="inner", maintain_order="left")
    agent = pl.col("speaker") == "agent"
    flagged = spoken.select(
        "conversation_id",
        bad=~agent & says("out_of_bounds"),
        refuses=agent & says("refusal"),
        scope=agent & says("scope"),
        hands_on=agent & says("escalation"),
    ).with_columns(asked_badly=pl.col("bad").shift(fill_value=False).over("conversation_id"))
    answered = pl.col("scope") | (pl.col("asked_badly") & (pl.col("refuses") | pl.col("hands_on")))
    return flagged.group_by("conversation_id").agg(boundary=answered.any(), refuses=(pl.col("refuses") | pl.col("scope")).any())


def _ratio(share: float, evidence: Evidence) -> Measured:
    live = evidence.get("live")
    known = None if live is None else live.drop_nulls("refused")
    if known is None or known.is_empty() or not known["refused"].sum():
        return unknown("M12", "how many requests are refused live is not stated (evidence/live.csv)", "refusal_ratio")[0]
    refused, asked = int(known["refused"].sum()), int(known["conversations"].sum())
    return Measured("M12", "refusal_ratio", share * asked / refused, n=asked)
