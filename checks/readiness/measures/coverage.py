"""M02 coverage: do later questions resemble anything in training?"""

from typing import Final

import numpy as np
import polars as pl

from checks.bounds import interval
from checks.readiness.corpus import Corpus, draw
from checks.readiness.evidence import Evidence
from checks.readiness.measured import Measured, Reading, unknown
from checks.readiness.neighbours import nearest, vectorize
from checks.readiness.settings import ReadinessParams
from pipeline.similarity.minhash import Array

LATER: Final = 0.2
"""Share of the dated conversations that are the later ones."""

FRACTIONS: Final = (1 / 32, 1 / 16, 1 / 8, 1 / 4, 1 / 2, 1)
MIN_HELD_OUT: Final = 50
MIN_HELD_OUT_OF_TOPIC: Final = 30
MAX_CLUSTERED: Final = 3_000
"""Questions of the Good-Turing estimate."""


def read(corpus: Corpus, _evidence: Evidence, params: ReadinessParams) -> Reading:
    """Share of later questions, answered or not, that have a like one in training; on growing nested subsets."""
    names = ("coverage", "coverage_gain_per_doubling", "good_turing")
    train, later = _cut(corpus.asked, params)
    if train.is_empty() or later.height < MIN_HELD_OUT:
        why = f"{later.height} later conversations and {train.height} in training, {MIN_HELD_OUT} and 1 are needed"
        return Reading(tuple(unknown("M02", why, *names)))
    order = train.with_columns(draw=draw(train["conversation_id"], params.seed)).sort("draw")
    sizes = tuple(sorted({max(1, int(train.height * fraction)) for fraction in FRACTIONS}))
    found = nearest(order["question"], later["question"], sizes)
    covered = found.cosine >= params.similarity.covered_cosine
    shares = covered.mean(axis=1)
    curve = pl.DataFrame({"examples": list(found.sizes), "coverage": shares.tolist()})
    gain = float(shares[-1] - shares[-2]) if len(shares) > 1 else None
    values = [
        _share(covered[-1], None),
        Measured("M02", "coverage_gain_per_doubling", gain, n=later.height, unknown="one size only" if gain is None else None),
        _good_turing(order, params),
    ]
    values += [
        _share(covered[-1][rows["row"].to_numpy()], str(topic))
        for (topic,), rows in later.with_row_index("row").drop_nulls("topic").group_by("topic", maintain_order=True)
        if rows.height >= MIN_HELD_OUT_OF_TOPIC
    ]
    return Reading(tuple(values), {"coverage": curve, "uncovered": _uncovered(later, covered[-1], train, params)})


def _cut(asked: pl.DataFrame, params: ReadinessParams) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Exported conversations before the cut, and a sample of all after it; undated ones are cut by hash of the id."""
    dated = asked.drop_nulls("opened_at")
    drawn = asked.with_columns(draw=draw(asked["conversation_id"], params.seed + 2))
    if 2 * dated.height >= asked.height and dated["opened_at"].n_unique() > 1:
        cut = dated["opened_at"].sort()[int(dated.height * (1 - LATER))]
        train, later = drawn.filter(pl.col("opened_at") < cut), drawn.filter(pl.col("opened_at") >= cut)
    else:
        limit = int(2**64 * LATER)
        train, later = drawn.filter(pl.col("draw") >= limit), drawn.filter(pl.col("draw") < limit)
    return train.filter("exported"), later.sort("draw").head(params.samples.held_out)


def _share(covered: Array, topic: str | None) -> Measured:
    low, high = interval(int(covered.sum()), len(covered))
    return Measured("M02", "coverage", float(covered.mean()), topic, low, high, len(covered))


def _good_turing(train: pl.DataFrame, params: ReadinessParams) -> Measured:
    """Over topics where they are tags, else over threshold clusters: k-means would hide every rare question."""
    sample = train.head(MAX_CLUSTERED)
    if sample["topic"].null_count() == 0:
        counts = sample["topic"].value_counts()["count"]
    else:
        counts = threshold_clusters(sample["question"], params.similarity.covered_cosine).value_counts()["count"]
    return Measured("M02", "good_turing", good_turing(counts), n=sample.height)


def threshold_clusters(texts: pl.Series, min_cosine: float) -> pl.Series:
    """Single-link clusters of texts whose TF-IDF cosine is `min_cosine` or more."""
    from scipy.sparse.csgraph import connected_components  # noqa: PLC0415  # 0.2 s, only where something is measured

    vectors, _ = vectorize(texts, texts.head(0))
    likeness = vectors @ vectors.T
    likeness.data = np.where(likeness.data >= min_cosine, likeness.data, 0)
    likeness.eliminate_zeros()
    _, labels = connected_components(likeness, directed=False)
    return pl.Series("cluster", labels)


def good_turing(counts: pl.Series) -> float:
    """Share of traffic whose kind was seen, from how many kinds were seen once and twice.

    Source: Chao and Jost, "Coverage-based rarefaction and extrapolation", 2012, equation 4a.
    """
    n, once, twice = int(counts.sum()), int((counts == 1).sum()), int((counts == 2).sum())  # noqa: PLR2004  # twice
    if n == 0 or once == 0:
        return 1.0 if n else 0.0
    rest = (n - 1) * once / ((n - 1) * once + 2 * twice) if twice else (n - 1) * (once - 1) / ((n - 1) * (once - 1) + 2)
    return 1 - once / n * rest


def _uncovered(later: pl.DataFrame, covered: Array, train: pl.DataFrame, params: ReadinessParams) -> pl.DataFrame:
    """Topics by how many of their later questions nothing resembles; `wanted`: examples up to the floor of a topic."""
    have = train.group_by("topic").agg(in_training=pl.len())
    return (
        later.with_columns(covered=pl.Series(covered))
        .group_by("topic")
        .agg(later=pl.len(), uncovered=(~pl.col("covered")).sum())
        .join(have, on="topic", how="left", nulls_equal=True)
        .with_columns(pl.col("in_training").fill_null(0))
        .with_columns(wanted=(int(params.limits.min_topic_examples) - pl.col("in_training").cast(pl.Int64)).clip(0))
        .filter(pl.col("uncovered") > 0)
        .sort(["uncovered", "topic"], descending=[True, False])
    )
