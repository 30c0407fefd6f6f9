"""M29 evidence from baselines and pilots: scores of the same items under different arms."""

from typing import Final

import numpy as np
import polars as pl

from checks.readiness.corpus import Corpus
from checks.readiness.evidence import Evidence
from checks.readiness.measured import Measured, Reading, unknown
from checks.readiness.measures.audits import judges
from checks.readiness.settings import ReadinessParams
from pipeline.similarity.minhash import Array

DRAWS: Final = 4_000
MIN_ITEMS: Final = 30
"""Fewer items scored under both arms say nothing."""

TUNED: Final = "tuned"
"""Arms whose name begins so are pilots; all others (prompt, prompt+rag, …) are baselines."""


def read(_corpus: Corpus, evidence: Evidence, params: ReadinessParams) -> Reading:
    """The best pilot against the best baseline, item by item; what it lost in general ability and safety."""
    names = ("best_baseline", "baseline_surplus", "baseline_near_miss")
    tuned = ("pilot_gain", "pilot_gain_lower", "general_drop_upper", "safety_drop_upper")
    scores = evidence.get("scores")
    if scores is None:
        return Reading(tuple(unknown("M29", "no scores of baselines and pilots (evidence/scores.csv)", *names, *tuned)))
    shown = _arms(scores, judges(evidence, params).filter(~pl.col("may_be_shown"))["judge"])
    blind = judges(evidence, params).filter(~pl.col("may_decide"))["judge"]
    scores = scores.filter(~pl.col("judge").is_in(blind.implode()).fill_null(value=False))
    if scores.is_empty():
        why = f"every score is of a judge that is not validated ({', '.join(blind.to_list())}; M24)"
        return Reading(tuple(unknown("M29", why, *names, *tuned)), {"arms": shown})
    arms = _arms(scores, blind)
    task = arms.filter((pl.col("set") == "task") & (pl.col("items") >= MIN_ITEMS))
    is_pilot = pl.col("arm").str.starts_with(TUNED)
    values: list[Measured] = []
    baselines = task.filter(~is_pilot).sort(["mean", "arm"], descending=[True, False])
    if baselines.is_empty():
        values += unknown("M29", f"no baseline is scored on {MIN_ITEMS} items of the set `task`", *names)
    else:
        values += _baseline(float(baselines["mean"][0]), int(baselines["items"][0]), params)
    pilots = task.filter(is_pilot).sort(["mean", "arm", "size"], descending=[True, False, False])
    if pilots.is_empty() or baselines.is_empty():
        values += unknown("M29", f"no pilot (arm `{TUNED}…`) is scored on {MIN_ITEMS} items beside a baseline", *tuned)
        return Reading(tuple(values), {"arms": shown})
    best, pilot = _arm(baselines, 0), _arm(pilots, 0)
    gains = _paired(scores, "task", pilot, best)
    if gains is None:
        values += unknown(
            "M29", f"fewer than {MIN_ITEMS} items are scored under both the pilot and the best baseline", *tuned[:2]
        )
    else:
        # the best of several pilots was chosen by these very scores: each has its share of the 5 %
        level = 0.05 / pilots.height
        low = float(np.quantile(_bootstrap(gains, params.seed), level))
        values.append(Measured("M29", "pilot_gain", float(gains.mean()), n=len(gains)))
        values.append(Measured("M29", "pilot_gain_lower", low, n=len(gains)))
    for name in ("general", "safety"):
        drops = _paired(scores, name, best, pilot)
        measure = f"{name}_drop_upper"
        if drops is None:
            values += unknown("M29", f"the set `{name}` is not scored under both the pilot and the best baseline", measure)
        else:
            high = float(np.quantile(_bootstrap(drops, params.seed), 0.95))
            values.append(Measured("M29", measure, high, n=len(drops)))
    return Reading(tuple(values), {"arms": shown, "forecast": _forecast(task.filter(is_pilot))})


def _arms(scores: pl.DataFrame, hidden: pl.Series) -> pl.DataFrame:
    """set, arm, size, items, mean; no mean where a judge in `hidden` had a hand in it."""
    arms = (
        scores.with_columns(pl.col("size").fill_null(0), is_hidden=pl.col("judge").is_in(hidden.implode()).fill_null(value=False))
        .group_by("set", "arm", "size")
        .agg(items=pl.col("item_id").n_unique().cast(pl.Int64), mean=pl.col("score").mean(), is_hidden=pl.col("is_hidden").any())
        .sort("set", "arm", "size")
    )
    return arms.with_columns(mean=pl.when("is_hidden").then(None).otherwise("mean")).drop("is_hidden")


def _baseline(score: float, items: int, params: ReadinessParams) -> list[Measured]:
    best = Measured("M29", "best_baseline", score, n=items)
    if params.baseline_target is None:
        why = "the score that would satisfy is not stated (readiness.baseline_target)"
        return [best, *unknown("M29", why, "baseline_surplus", "baseline_near_miss")]
    surplus = round(score - params.baseline_target, 9)
    return [
        best,
        Measured("M29", "baseline_surplus", surplus, n=items),
        Measured("M29", "baseline_near_miss", round(surplus + params.baseline_margin, 9), n=items),
    ]


def _arm(rows: pl.DataFrame, number: int) -> tuple[str, int]:
    return str(rows["arm"][number]), int(rows["size"][number])


def _paired(scores: pl.DataFrame, name: str, one: tuple[str, int], other: tuple[str, int]) -> Array | None:
    """Score under `one` less that under `other`, per item that both have; None for too few."""
    sides = [
        scores.filter((pl.col("set") == name) & (pl.col("arm") == arm) & (pl.col("size").fill_null(0) == size))
        .group_by("item_id")
        .agg(pl.col("score").mean())
        for arm, size in (one, other)
    ]
    both = sides[0].join(sides[1], on="item_id", how="inner", suffix="_other").sort("item_id")
    return (both["score"] - both["score_other"]).to_numpy() if both.height >= MIN_ITEMS else None


def _bootstrap(differences: Array, seed: int) -> Array:
    generator = np.random.default_rng(seed)
    drawn = generator.integers(0, len(differences), (DRAWS, len(differences)))
    means: Array = differences[drawn].mean(axis=1)
    return means


def _forecast(pilots: pl.DataFrame) -> pl.DataFrame:
    """Per arm with two sizes or more: the score one and two doublings on, by the last step; never further."""
    rows = []
    for (arm,), sizes in pilots.sort("arm", "size").group_by("arm", maintain_order=True):
        if sizes.height > 1 and sizes["size"][-2] > 0:
            steps = float(np.log2(sizes["size"][-1] / sizes["size"][-2]))
            slope = (sizes["mean"][-1] - sizes["mean"][-2]) / steps
            rows += [
                {"arm": arm, "size": int(sizes["size"][-1]) * 2**k, "forecast": float(sizes["mean"][-1] + k * slope)}
                for k in (1, 2)
            ]
    return pl.DataFrame(rows, schema={"arm": pl.String, "size": pl.Int64, "forecast": pl.Float64})
