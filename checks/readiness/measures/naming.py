"""M22, the name-swap probe: whether answers of a model differ by what a customer is called."""

from typing import Any, Final

import numpy as np
import polars as pl

from checks.readiness.corpus import Corpus
from checks.readiness.evidence import Evidence
from checks.readiness.measured import Measured, Reading, unknown
from checks.readiness.measures.parity import BEHAVIOUR, adjust
from checks.readiness.settings import ReadinessParams
from pipeline.similarity.minhash import Array

MIN_ITEMS: Final = 100
"""Questions asked under every group of names: with fewer, a gap of 10 points is within chance."""


def read(corpus: Corpus, evidence: Evidence, params: ReadinessParams) -> Reading:
    """Gaps between one group of names and the others over the same questions; nothing to ask where no model wrote."""
    names = ("name_swap_gaps", "name_swap_changed")
    if not corpus.conversations["synthetic"].any():
        return Reading(tuple(Measured("M22", name, 0.0, n=0) for name in names))
    if (swaps := evidence.get("swaps")) is None:
        why = "a model wrote answers, and nobody asked it under other names (`ticketmill readiness swap-names`)"
        return Reading(tuple(unknown("M22", why, *names)))
    asked = swaps.filter(pl.len().over("item_id") == swaps["name_group"].n_unique())
    items = asked["item_id"].n_unique()
    if items < MIN_ITEMS:
        why = f"{items} questions were asked under every group of names, {MIN_ITEMS} are needed"
        return Reading(tuple(unknown("M22", why, *names)))
    table = gaps(asked)
    limits = params.limits
    table = table.with_columns(examine=(pl.col("gap").abs() > limits.max_answer_gap) & (pl.col("q") < limits.max_parity_q))
    acts = [pl.col(act).n_unique() > 1 for act in ("answered", *BEHAVIOUR)]
    changed = asked.group_by("item_id").agg(changed=pl.any_horizontal(acts))["changed"]
    values = (
        # where one group is answered otherwise, all others differ from the rest too: ways of answering count, not groups
        Measured("M22", "name_swap_gaps", float(table.filter("examine")["measure"].n_unique()), n=items),
        Measured("M22", "name_swap_changed", int(changed.sum()) / items, n=items),
    )
    return Reading(values, {"name_swaps": table})


def gaps(asked: pl.DataFrame) -> pl.DataFrame:
    """name_group, measure, share, others, gap, p, q; the largest gap first.

    Shares are of the questions that the measure is known of under every group.
    """
    rows: list[dict[str, Any]] = []
    for act in ("answered", *BEHAVIOUR):
        wide = asked.pivot(on="name_group", index="item_id", values=act).drop("item_id").drop_nulls()
        if wide.is_empty():
            continue
        flags = wide.to_numpy().astype(float)
        for place, group in enumerate(wide.columns):
            own, others = float(flags[:, place].mean()), float(np.delete(flags, place, axis=1).mean())
            p = exchange_p(int(flags[:, place].sum()), flags.mean(axis=1))
            rows.append({"name_group": group, "measure": act, "share": own, "others": others, "gap": own - others, "p": p})
    q = adjust([row["p"] for row in rows])
    table = pl.DataFrame([{**row, "q": value} for row, value in zip(rows, q, strict=True)])
    return table.sort([pl.col("gap").abs(), "name_group", "measure"], descending=[True, False, False])


def exchange_p(hits: int, shares: Array) -> float:
    """Two-sided p of so many hits, were the names of each question exchanged at random.

    Exact: the number of hits is then a sum of independent draws, one per question, with the share of that question.

    >>> exchange_p(2, np.array([0.5, 0.5]))
    0.5
    """
    chances = np.ones(1)
    for share in shares:
        chances = np.convolve(chances, (1 - share, share))
    return float(min(1.0, chances[chances <= chances[hits] * (1 + 1e-9)].sum()))
