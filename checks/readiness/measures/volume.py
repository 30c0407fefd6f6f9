"""M01 effective examples, M04 per-topic floor."""

import math

import polars as pl

from checks.readiness.clusters import cluster
from checks.readiness.corpus import Corpus
from checks.readiness.evidence import Evidence
from checks.readiness.measured import Measured, Reading
from checks.readiness.settings import ReadinessParams

SHINGLE = 5


def read(corpus: Corpus, _evidence: Evidence, params: ReadinessParams) -> Reading:
    """Near-duplicate clusters of (masked question, answer) count, not rows: one template copied ten times teaches once."""
    examples = corpus.examples
    labels = clusters_of(corpus, params)
    templates = cluster(examples["first_answer"], params.similarity.min_jaccard, SHINGLE, params.seed)
    frame = examples.select("topic").with_columns(cluster=labels, template=templates)
    # scaled up where only a sample was looked at: clusters of a sample are at most those of the set, so this is no overstatement
    # of the rows but may be one of the clusters; the report says that a sample was looked at
    effective = frame["cluster"].n_unique() if frame.height else 0
    topics = frame.group_by("topic").agg(rows=pl.len(), effective=pl.col("cluster").n_unique()).sort("topic")
    counts = frame["template"].value_counts()["count"].to_list()
    one, two = hill_numbers(counts)
    values = [
        Measured("M01", "examples", float(corpus.exported)),
        Measured("M01", "effective_examples", float(effective), n=frame.height),
        Measured(
            "M01", "inflation", frame.height / effective if effective else None, unknown=None if effective else "no example"
        ),
        Measured("M01", "answer_templates_1d", one),
        Measured("M01", "answer_templates_2d", two),
    ]
    for topic, rows, found in topics.iter_rows():
        values += [
            Measured("M01", "examples", float(rows), topic=topic),
            Measured("M01", "effective_examples", float(found), topic=topic, n=rows),
        ]
    values += _floor(corpus, topics, params)
    return Reading(tuple(values), {"waterfall": _waterfall(corpus, effective)})


def clusters_of(corpus: Corpus, params: ReadinessParams) -> pl.Series:
    """The near-duplicate cluster of every conversation, in the order of `corpus.conversations`."""
    whole = corpus.examples.select(text=pl.col("question") + "\n" + pl.col("answer"))["text"]
    return cluster(whole, params.similarity.min_jaccard, SHINGLE, params.seed)


def _floor(corpus: Corpus, topics: pl.DataFrame, params: ReadinessParams) -> list[Measured]:
    floor = params.limits.min_topic_examples
    joined = corpus.traffic.join(topics, on="topic", how="left").with_columns(pl.col("effective").fill_null(0))
    missing = [
        Measured("M01", "effective_examples", 0.0, topic=topic, n=0)
        for topic in joined.filter(pl.col("rows").is_null())["topic"].to_list()
    ]
    if joined.is_empty():
        return [Measured("M04", "traffic_in_full_topics", None, unknown="no conversation"), *missing]
    share = float(joined.filter(pl.col("effective") >= floor)["share"].sum())
    return [Measured("M04", "traffic_in_full_topics", min(share, 1.0), n=joined.height), *missing]


def hill_numbers(counts: list[int]) -> tuple[float, float]:
    """Effective numbers of kinds, of order 1 and 2 (Hill, "Diversity and evenness", 1973).

    >>> hill_numbers([5, 5])
    (2.0, 2.0)
    """
    total = sum(counts)
    if not total:
        return 0.0, 0.0
    shares = [count / total for count in sorted(counts)]
    return round(math.exp(-math.fsum(p * math.log(p) for p in shares)), 6), round(1 / math.fsum(p * p for p in shares), 6)


def _waterfall(corpus: Corpus, effective: int) -> pl.DataFrame:
    """step, conversations: what is left after every stage, and what of it counts."""
    steps = [(stage, table.manifest.total("kept")) for stage, table in corpus.line.items()]
    if corpus.is_sample:
        steps.append(("looked at (sample)", corpus.conversations.height))
    return pl.DataFrame([*steps, ("effective", effective)], schema={"step": pl.String, "conversations": pl.Int64}, orient="row")
