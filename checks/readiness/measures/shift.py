"""M13 population shift: is what was collected what is asked?"""

import math
from typing import Final

import numpy as np
import polars as pl

from checks.readiness.corpus import Corpus, draw
from checks.readiness.evidence import Evidence
from checks.readiness.measured import Measured, Reading, unknown
from checks.readiness.settings import ReadinessParams
from pipeline.similarity.minhash import Array

MAX_CLASSIFIED: Final = 2_000
"""Questions per window of the domain classifier."""

FOLDS: Final = 5


def read(corpus: Corpus, evidence: Evidence, params: ReadinessParams) -> Reading:
    """Topics in training against topics live, and the earlier half of the log against the later one."""
    live, moved = _against_live(corpus, evidence, params)
    return Reading((*live, *_over_time(corpus, params)), {"moved_topics": moved})


def moved_traffic(one: Array, other: Array, permutations: int, seed: int) -> tuple[float, float]:
    """Share of traffic that changed topic, and the permutation p of it.

    sqrt(max(0, V^2 - V0^2)) with V half the sum of differences and V0 its median when labels are permuted: two samples of one
    population differ too, and subtracting V0 itself would be biased low (benchmarks/results/readiness.md).
    """
    first, second = int(one.sum()), int(other.sum())
    observed = _distance(one / first, other / second)
    drawn = np.random.default_rng(seed).multivariate_hypergeometric(one + other, first, size=permutations, method="marginals")
    by_chance = 0.5 * np.abs(drawn / first - (one + other - drawn) / second).sum(axis=1)
    p = (1 + int((by_chance >= observed - 1e-12).sum())) / (1 + permutations)
    return math.sqrt(max(0.0, observed**2 - float(np.median(by_chance)) ** 2)), p


def _distance(p: Array, q: Array) -> float:
    return float(0.5 * np.abs(p - q).sum())


def _against_live(corpus: Corpus, evidence: Evidence, params: ReadinessParams) -> tuple[list[Measured], pl.DataFrame]:
    names = ("moved_traffic", "shift_p", "moved_traffic_flagged")
    empty = pl.DataFrame(schema={"topic": pl.String, "in_training": pl.Int64, "live": pl.Int64})
    live = evidence.get("live")
    if live is None:
        return unknown("M13", "what is asked live is not stated (evidence/live.csv)", *names), empty
    if corpus.approximate_topics:
        return unknown("M13", "topics are clusters, which live traffic does not name", *names), empty
    seen = corpus.conversations if corpus.raw is None else corpus.raw
    trained = seen.group_by("topic").agg(in_training=pl.len().cast(pl.Int64))
    asked = live.group_by("topic").agg(live=pl.col("conversations").sum())
    both = trained.join(asked, on="topic", how="full", coalesce=True).fill_null(0).sort("topic")
    windows = (int(both["in_training"].sum()), int(both["live"].sum()))
    if min(windows) < params.samples.min_window:
        return unknown("M13", f"{min(windows)} conversations in a window, {params.samples.min_window} are needed", *names), both
    moved, p = moved_traffic(both["in_training"].to_numpy(), both["live"].to_numpy(), params.samples.permutations, params.seed)
    flagged = p < params.limits.max_shift_p and moved >= params.limits.max_moved_traffic
    values = [
        Measured("M13", "moved_traffic", moved, n=sum(windows)),
        Measured("M13", "shift_p", p, n=sum(windows)),
        Measured("M13", "moved_traffic_flagged", float(flagged), n=sum(windows)),
    ]
    shares = both.with_columns(
        training_share=pl.col("in_training") / windows[0], live_share=pl.col("live") / windows[1]
    ).with_columns(gained=pl.col("live_share") - pl.col("training_share"))
    return values, shares.sort(pl.col("gained").abs(), "topic", descending=[True, False])


def _over_time(corpus: Corpus, params: ReadinessParams) -> list[Measured]:
    names = ("moved_over_time", "shift_over_time_p", "domain_auc")
    seen = (
        (corpus.conversations if corpus.raw is None else corpus.raw).drop_nulls("opened_at").sort("opened_at", "conversation_id")
    )
    half = seen.height // 2
    if half < params.samples.min_window:
        return unknown("M13", f"{half} dated conversations per half of the log, {params.samples.min_window} are needed", *names)
    values = []
    if corpus.approximate_topics:
        values += unknown("M13", "topics are clusters: they see about half of a shift", *names[:2])
    else:
        windows = [rows.group_by("topic").len() for rows in (seen.head(half), seen.tail(seen.height - half))]
        both = windows[0].join(windows[1], on="topic", how="full", coalesce=True, suffix="_later").fill_null(0).sort("topic")
        moved, p = moved_traffic(
            both["len"].cast(pl.Int64).to_numpy(),
            both["len_later"].cast(pl.Int64).to_numpy(),
            params.samples.permutations,
            params.seed,
        )
        values += [
            Measured("M13", "moved_over_time", moved, n=seen.height),
            Measured("M13", "shift_over_time_p", p, n=seen.height),
        ]
    return [*values, _domain_auc(corpus, params)]


def _domain_auc(corpus: Corpus, params: ReadinessParams) -> Measured:
    """How well a classifier tells the later half from the earlier one by the first question: 0.5 is not at all."""
    asked = corpus.asked.drop_nulls("opened_at").sort("opened_at", "conversation_id")
    half = asked.height // 2
    if half < params.samples.min_window:
        return unknown("M13", f"{half} dated questions per half of the log", "domain_auc")[0]
    windows = [
        rows.with_columns(draw=draw(rows["conversation_id"], params.seed)).sort("draw").head(MAX_CLASSIFIED)
        for rows in (asked.head(half), asked.tail(asked.height - half))
    ]
    texts = pl.concat([rows["question"] for rows in windows])
    later = np.repeat([0, 1], [rows.height for rows in windows])
    return Measured("M13", "domain_auc", domain_auc(texts, later), n=len(texts))


def domain_auc(texts: pl.Series, later: Array) -> float:
    """Area under the curve over grouped folds: texts of equal words stay in one fold, so none is known by heart."""
    # sklearn takes a second, and is needed only here; it ships no types
    from sklearn.feature_extraction.text import TfidfVectorizer  # type: ignore[import-untyped]  # noqa: PLC0415
    from sklearn.linear_model import LogisticRegression  # type: ignore[import-untyped]  # noqa: PLC0415
    from sklearn.metrics import roc_auc_score  # type: ignore[import-untyped]  # noqa: PLC0415

    words = r"<\w+>|\w+"
    # a word more, so that no text is without one
    vectors = TfidfVectorizer(sublinear_tf=True, token_pattern=words).fit_transform([f"{text} x" for text in texts.to_list()])
    fold = texts.rank("dense").cast(pl.Int64).to_numpy() * 2654435761 % 2**32 % FOLDS
    scores = np.zeros(len(texts))
    for number in range(FOLDS):
        held = fold == number
        if held.any() and len(set(later[~held].tolist())) == 2:  # noqa: PLR2004  # both windows
            model = LogisticRegression(max_iter=200).fit(vectors[~held], later[~held])
            scores[held] = model.decision_function(vectors[held])
    return float(roc_auc_score(later, scores))
