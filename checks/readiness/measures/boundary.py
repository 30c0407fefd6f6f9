"""M12 boundary and refusal balance, by an English lexicon."""

import polars as pl

from checks.bounds import interval
from checks.readiness.corpus import Corpus
from checks.readiness.evidence import Evidence
from checks.readiness.lexicon import ESCALATION, OUT_OF_BOUNDS, REFUSAL, SCOPE
from checks.readiness.measured import Measured, Reading, unknown
from checks.readiness.settings import ReadinessParams


def read(corpus: Corpus, evidence: Evidence, params: ReadinessParams) -> Reading:
    """Conversations that answer a bad request well; refusals against those expected live."""
    names = ("boundary_share", "boundary_examples", "refusal_share", "refusal_ratio")
    english = corpus.conversations.filter(pl.col("language").str.to_lowercase().str.starts_with("en"))
    if english.height < params.samples.min_judged_language:
        why = f"{english.height} conversations are in English, the one language of the lexicon; "
        return Reading(tuple(unknown("M12", f"{why}{params.samples.min_judged_language} are needed", *names)))
    judged = _judge(corpus.turns, english)
    good, refused, n = int(judged["boundary"].sum()), int(judged["refuses"].sum()), english.height
    low, high = interval(good, n)
    # of the English ones, as a share of all: a lexicon that cannot read the others must not count them as refusing nothing
    values = [
        Measured("M12", "boundary_share", good / n, low=low, high=high, n=n),
        Measured("M12", "boundary_examples", float(good), n=n),
        Measured("M12", "refusal_share", refused / n, n=n),
        _ratio(refused / n, evidence),
    ]
    return Reading(tuple(values))


def _judge(turns: pl.DataFrame, chosen: pl.DataFrame) -> pl.DataFrame:
    spoken = turns.filter(pl.col("speaker") != "tool").join(chosen.select("conversation_id"), on="conversation_id", how="semi")
    text, agent = pl.col("text"), pl.col("speaker") == "agent"
    flagged = spoken.select(
        "conversation_id",
        bad=~agent & text.str.contains(OUT_OF_BOUNDS),
        refuses=agent & text.str.contains(REFUSAL),
        scope=agent & text.str.contains(SCOPE),
        hands_on=agent & text.str.contains(ESCALATION),
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
