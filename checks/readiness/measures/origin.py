"""M10 outcome evidence, M23 synthetic share."""

import polars as pl

from checks.readiness.clusters import cluster
from checks.readiness.corpus import Corpus
from checks.readiness.evidence import Evidence
from checks.readiness.measured import MAX_RECORDS, Measured, Reading, share_of, unknown
from checks.readiness.measures.volume import SHINGLE
from checks.readiness.settings import ReadinessParams

GOOD_CSAT = 0.5
"""A customer more than half satisfied; `csat` is a share."""


def read(corpus: Corpus, _evidence: Evidence, params: ReadinessParams) -> Reading:
    """How conversations ended, and who wrote the answers."""
    synthetic, table = _synthetic(corpus, params)
    return Reading((*_outcome(corpus), *synthetic), {"synthetic": table})


def _outcome(corpus: Corpus) -> list[Measured]:
    names = ("outcome_known", "outcome_good", "would_remove")
    rows = corpus.conversations
    if rows.is_empty():
        return unknown("M10", "no conversation", *names)
    resolved, csat, reopened = (pl.col("outcome").struct.field(name) for name in ("resolved", "csat", "reopened"))
    known = resolved.is_not_null() | csat.is_not_null() | reopened.is_not_null()
    good = resolved.fill_null(value=True) & (csat.fill_null(1.0) > GOOD_CSAT) & ~reopened.fill_null(value=False)
    judged = rows.select("topic", known=known, good=good)
    ended = judged.filter("known")
    values = [Measured("M10", "outcome_known", share_of(judged["known"]), n=rows.height)]
    if ended.is_empty():
        return [*values, *unknown("M10", "no source says how a conversation ended", *names[1:])]
    values.append(Measured("M10", "outcome_good", share_of(ended["good"]), n=ended.height))
    values.append(Measured("M10", "would_remove", int((~ended["good"]).sum()) / rows.height, n=rows.height))
    by_topic = ended.group_by("topic").agg(share=pl.col("good").mean(), n=pl.len()).sort("topic")
    return [*values, *(Measured("M10", "outcome_good", share, topic, n=n) for topic, share, n in by_topic.iter_rows())]


def _synthetic(corpus: Corpus, params: ReadinessParams) -> tuple[list[Measured], pl.DataFrame]:
    rows = corpus.conversations
    table = (
        rows.group_by("topic")
        .agg(examples=pl.len(), synthetic=pl.col("synthetic").sum())
        .with_columns(share=pl.col("synthetic") / pl.col("examples"))
        .with_columns(warned=pl.col("share") > params.limits.max_synthetic_share)
        .sort(["share", "topic"], descending=[True, False])
    )
    if rows.is_empty():
        names = ("synthetic_share", "mostly_synthetic_topics", "synthetic_in_held_out", "human_effective_examples")
        return unknown("M23", "no conversation", *names), table
    values = [
        Measured("M23", "synthetic_share", share_of(rows["synthetic"]), n=rows.height),
        Measured("M23", "mostly_synthetic_topics", float(table["warned"].sum()), n=table.height),
    ]
    if rows["split"].null_count() == rows.height:
        values += unknown("M23", "there are no splits; run emit", "synthetic_in_held_out")
    else:
        held_out = rows.filter(pl.col("split").is_in(["validation", "test"]) & pl.col("synthetic"))
        ids = tuple(held_out["conversation_id"].to_list()[:MAX_RECORDS])
        values.append(Measured("M23", "synthetic_in_held_out", float(held_out.height), n=rows.height, records=ids))
    human = corpus.examples.join(rows.filter(~pl.col("synthetic")).select("conversation_id"), on="conversation_id", how="semi")
    texts = human.select(text=pl.col("question") + "\n" + pl.col("answer"))["text"]
    clusters = cluster(texts, params.similarity.min_jaccard, SHINGLE, params.seed).n_unique() if human.height else 0
    values.append(Measured("M23", "human_effective_examples", float(clusters), n=human.height))
    return values, table.filter(pl.col("synthetic") > 0)
