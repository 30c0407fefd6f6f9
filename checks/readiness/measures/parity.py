"""M21 funnel parity: which filter removed whom; M22 answer parity: who is answered otherwise."""

from collections.abc import Sequence
from typing import Any, Final

import numpy as np
import polars as pl

from checks.readiness.corpus import Corpus
from checks.readiness.evidence import Evidence
from checks.readiness.lexicon import Act, says
from checks.readiness.measured import Measured, Reading, unknown
from checks.readiness.settings import ReadinessParams
from pipeline.errors import ParamsError

DEDUPE: Final = "dedupe"
"""What it drops is not lost: its keeper says the same."""

BEHAVIOUR: Final[tuple[Act, ...]] = ("refusal", "escalation", "apology", "hedge")

MAX_VALUES: Final = 200
"""Values of a slice at most, the largest first; more are ids and no groups."""


def read(corpus: Corpus, _evidence: Evidence, params: ReadinessParams) -> Reading:
    """Slices of customers that survive less often than the others, with the stage that removed them; gaps in answers."""
    lost, table = _funnel(corpus, params)
    gaps, answers = _answers(corpus, params)
    return Reading((*lost, *gaps), {"lost": table, "answer_parity": answers})


def _sliced(rows: pl.DataFrame, name: str) -> pl.Expr:
    if name == "month":
        return pl.col("opened_at").dt.strftime("%Y-%m")
    column = "agent_key" if name == "agent" else name
    if column not in rows.columns:
        raise ParamsError(f"readiness.slices: no column {name!r}; use source, language, channel, product, topic, agent, month")
    return pl.col(column)


def _funnel(corpus: Corpus, params: ReadinessParams) -> tuple[list[Measured], pl.DataFrame]:
    names = ("lost_slices", "worst_survival_ratio")
    empty = pl.DataFrame(schema={"slice": pl.String, "value": pl.String, "raw": pl.Int64})
    if corpus.raw is None or corpus.fates is None or corpus.raw.is_empty():
        return unknown("M21", "the raw table is not in the line", *names), empty
    first = corpus.fates.sort("conversation_id", "stage").unique("conversation_id", keep="first", maintain_order=True)
    everyone = corpus.raw.join(first, on="conversation_id", how="left")
    lost = pl.col("stage").is_not_null() & (pl.col("stage") != DEDUPE)
    everyone = everyone.with_columns(lost=lost, survived=~lost)
    rows: list[dict[str, Any]] = []
    for name in params.slices:
        if corpus.approximate_topics and name == "topic":
            continue
        rows += _compare(everyone.with_columns(value=_sliced(everyone, name)), name, params)
    if not rows:
        return unknown("M21", f"no slice has {params.samples.min_slice} raw conversations and others beside it", *names), empty
    q = adjust([row["p"] for row in rows])
    table = pl.DataFrame([{**row, "q": value} for row, value in zip(rows, q, strict=True)])
    limits = params.limits
    table = table.with_columns(flagged=(pl.col("ratio") < limits.min_survival_ratio) & (pl.col("q") < limits.max_parity_q))
    values = [
        Measured("M21", "lost_slices", float(table["flagged"].sum()), n=table.height),
        Measured("M21", "worst_survival_ratio", float(table["ratio"].min()), n=table.height),  # type: ignore[arg-type]  # of a Float64 column
    ]
    return values, table.sort(["flagged", "ratio", "slice", "value"], descending=[True, False, False, False])


def _compare(everyone: pl.DataFrame, name: str, params: ReadinessParams) -> list[dict[str, Any]]:
    """Every value of one slice against all others."""
    known = everyone.filter(pl.col("value").is_not_null() & (pl.col("value") != ""))
    groups = known.group_by("value").agg(raw=pl.len(), survived=pl.col("survived").sum())
    groups = (
        groups.filter(pl.col("raw") >= params.samples.min_slice).sort(["raw", "value"], descending=[True, False]).head(MAX_VALUES)
    )
    n, alive = known.height, int(known["survived"].sum())
    compared = []
    for value, raw, survived in groups.iter_rows():
        if raw == n:  # nobody to be compared with
            continue
        share, overall = survived / raw, alive / n
        own, others = known.filter(pl.col("value") == value), known.filter(pl.col("value") != value)
        stage, reason = _culprit(own, others)
        compared.append(
            {
                "slice": name,
                "value": value,
                "raw": raw,
                "survival": share,
                "ratio": share / overall if overall else 1.0,
                "p": fisher(survived, raw, alive - survived, n - raw),
                "stage": stage,
                "reason": reason,
            }
        )
    return compared


def _culprit(own: pl.DataFrame, others: pl.DataFrame) -> tuple[str, str]:
    """Stage and reason that took more of this slice than of the others; the largest difference counts."""
    keys = ["stage", "reason"]
    here = own.filter("lost").group_by(keys).agg(share=pl.len() / own.height)
    there = others.filter("lost").group_by(keys).agg(share=pl.len() / others.height)
    excess = here.join(there, on=keys, how="left", suffix="_others").with_columns(
        more=pl.col("share") - pl.col("share_others").fill_null(0)
    )
    worst = excess.filter(pl.col("more") > 0).sort(["more", *keys], descending=[True, False, False]).head(1)
    return (worst["stage"][0], worst["reason"][0]) if worst.height else ("", "")


def fisher(hits: int, n: int, other_hits: int, other_n: int) -> float:
    """Two-sided p of Fisher's exact test; chi-squared with Yates' correction where all cells are large, which is as good."""
    from scipy.stats import chi2_contingency, fisher_exact  # noqa: PLC0415  # 0.5 s, only where slices are compared

    cells = np.array([[hits, n - hits], [other_hits, other_n - other_hits]])
    if (cells.sum(axis=0) == 0).any() or (cells.sum(axis=1) == 0).any():
        return 1.0
    if cells.min() > 1000:  # noqa: PLR2004  # exact tables of that size take seconds
        return float(chi2_contingency(cells).pvalue)
    return float(fisher_exact(cells).pvalue)


def adjust(p: Sequence[float]) -> list[float]:
    """False discovery rate of Benjamini and Hochberg, 1995: q of each p.

    >>> adjust([0.01, 0.02, 0.9])
    [0.03, 0.03, 0.9]
    """
    order = sorted(range(len(p)), key=lambda i: p[i], reverse=True)
    q, least = [1.0] * len(p), 1.0
    for place, i in enumerate(order):
        least = min(least, p[i] * len(p) / (len(p) - place))
        q[i] = round(least, 12)
    return q


def _answers(corpus: Corpus, params: ReadinessParams) -> tuple[list[Measured], pl.DataFrame]:
    """Shares of what answers do (BEHAVIOUR) and of good ends per slice; length is shown beside.

    What is said in a language without a lexicon is unknown: it is in no share, and no gap.
    """
    empty = pl.DataFrame(schema={"slice": pl.String, "value": pl.String, "measure": pl.String})
    said = corpus.turns.filter(pl.col("speaker") == "agent").join(
        corpus.conversations.select("conversation_id", "language"), on="conversation_id"
    )
    behaviour = said.group_by("conversation_id").agg(
        *(says(act).any(ignore_nulls=False).alias(act) for act in BEHAVIOUR), characters=pl.col("text").str.len_chars().mean()
    )
    rows = corpus.conversations.join(behaviour, on="conversation_id").with_columns(
        resolution=pl.col("outcome").struct.field("resolved")
    )
    found: list[dict[str, Any]] = []
    for name in params.slices:
        sliced = rows.with_columns(value=_sliced(rows, name)).filter(pl.col("value").is_not_null() & (pl.col("value") != ""))
        sizes = sliced["value"].value_counts().filter(pl.col("count") >= params.samples.min_slice)
        for value in sizes.sort(["count", "value"], descending=[True, False])["value"].to_list()[:MAX_VALUES]:
            own, others = sliced.filter(pl.col("value") == value), sliced.filter(pl.col("value") != value)
            if others.height >= params.samples.min_slice:
                found += [row for measure in (*BEHAVIOUR, "resolution") if (row := _gap(own, others, name, value, measure))]
    if not found:
        return unknown("M22", f"no two slices with {params.samples.min_slice} conversations", "answer_gaps"), empty
    q = adjust([row["p"] for row in found])
    table = pl.DataFrame([{**row, "q": one} for row, one in zip(found, q, strict=True)])
    limits = params.limits
    table = table.with_columns(examine=(pl.col("gap").abs() > limits.max_answer_gap) & (pl.col("q") < limits.max_parity_q))
    gaps = Measured("M22", "answer_gaps", float(table["examine"].sum()), n=table.height)
    return [gaps], table.filter("examine").sort(
        pl.col("gap").abs(), "slice", "value", "measure", descending=[True, False, False, False]
    )


def _gap(own: pl.DataFrame, others: pl.DataFrame, name: str, value: str, measure: str) -> dict[str, Any] | None:
    here, there = own[measure].drop_nulls(), others[measure].drop_nulls()
    if here.is_empty() or there.is_empty():
        return None
    share, other = float(here.sum()) / len(here), float(there.sum()) / len(there)
    return {
        "slice": name,
        "value": value,
        "measure": measure,
        "share": share,
        "others": other,
        "gap": share - other,
        "characters": own["characters"].mean(),
        "p": fisher(int(here.sum()), len(here), int(there.sum()), len(there)),
    }
