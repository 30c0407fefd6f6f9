"""M25 split leakage: what validation and test share with training."""

import polars as pl

from checks.bounds import interval
from checks.readiness.corpus import Corpus, draw
from checks.readiness.evidence import Evidence
from checks.readiness.measured import MAX_RECORDS, Measured, Reading, share_of, unknown
from checks.readiness.neighbours import nearest
from checks.readiness.settings import ReadinessParams

HELD_OUT = ("validation", "test")


def read(corpus: Corpus, _evidence: Evidence, params: ReadinessParams) -> Reading:
    """Ids, customers and clusters in two splits; near-copies; whether the test split is the latest."""
    rows = corpus.conversations.filter(pl.col("split").is_not_null())
    names = ("shared_between_splits", "near_copies", "later_in_test")
    if rows.filter(pl.col("split") == "train").is_empty() or rows.filter(pl.col("split").is_in(HELD_OUT)).is_empty():
        return Reading(tuple(unknown("M25", "no training split beside a held-out one; run emit with both", *names)))
    shared = _shared(rows)
    values = [
        Measured("M25", "shared_between_splits", float(len(shared)), n=rows.height, records=tuple(shared[:MAX_RECORDS])),
        _near_copies(corpus, params),
        _order(rows),
    ]
    return Reading(tuple(values))


def _shared(rows: pl.DataFrame) -> list[str]:
    """Held-out conversations whose id, customer or cluster stands in training or in the other held-out split too."""
    found: set[str] = set()
    for column in ("conversation_id", "customer_key", "cluster_id"):
        tied = rows.filter(pl.col(column).is_not_null()).filter(pl.col("split").n_unique().over(column) > 1)
        found |= set(tied.filter(pl.col("split").is_in(HELD_OUT))["conversation_id"].to_list())
    return sorted(found)


def _near_copies(corpus: Corpus, params: ReadinessParams) -> Measured:
    examples = corpus.examples.select("conversation_id", "split", text=pl.col("question") + "\n" + pl.col("answer"))
    train = examples.filter(pl.col("split") == "train")
    held_out = examples.filter(pl.col("split").is_in(HELD_OUT))
    held_out = (
        held_out.with_columns(draw=draw(held_out["conversation_id"], params.seed)).sort("draw").head(params.samples.held_out)
    )
    near = nearest(train["text"], held_out["text"]).cosine[-1] >= params.similarity.near_copy_cosine
    copies = held_out.filter(pl.Series(near))["conversation_id"].sort().to_list()
    low, high = interval(len(copies), held_out.height)
    share = len(copies) / held_out.height
    return Measured("M25", "near_copies", share, low=low, high=high, n=held_out.height, records=tuple(copies[:MAX_RECORDS]))


def _order(rows: pl.DataFrame) -> Measured:
    """Share of dated test conversations that were opened after the middle of the training ones: 1 in a split by time."""
    dated = rows.filter(pl.col("opened_at").is_not_null())
    train = dated.filter(pl.col("split") == "train")["opened_at"]
    test = dated.filter(pl.col("split") == "test")["opened_at"]
    if train.is_empty() or test.is_empty():
        return unknown("M25", "no dated conversations in both train and test", "later_in_test")[0]
    return Measured("M25", "later_in_test", share_of(test > train.median()), n=len(test))
