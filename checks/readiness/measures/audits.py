"""M05 audited defect rate, M24 judge validity."""

from typing import Final

import numpy as np
import polars as pl

from checks.bounds import lower, upper
from checks.readiness.audited import audited
from checks.readiness.corpus import Corpus
from checks.readiness.evidence import RUBRIC, Evidence
from checks.readiness.measured import MAX_RECORDS, Measured, Reading, share_of, unknown
from checks.readiness.settings import ReadinessParams
from pipeline.similarity.minhash import Array

MIN_AUDITED_OF_TOPIC: Final = 300
"""A topic stands for itself from as many audits on as the whole needs, or when all of it was audited; see `_of_topics`."""

DRAWS: Final = 2_000
"""Bootstrap samples."""


def read(corpus: Corpus, evidence: Evidence, params: ReadinessParams) -> Reading:
    """What people found in a random sample of answers, and whether a model that judges agrees with people."""
    defects, by_stratum = _defects(corpus, evidence)
    validity, table = _judges(evidence, params)
    return Reading((*defects, *validity), {"audit": by_stratum, "judges": table})


def _defects(corpus: Corpus, evidence: Evidence) -> tuple[list[Measured], pl.DataFrame]:
    names = ("defect_share", "defect_upper")
    empty = pl.DataFrame(schema={"topic": pl.String, "source": pl.String, "audited": pl.Int64, "defects": pl.Int64})
    audit = evidence.get("audit")
    if audit is None:
        return unknown("M05", "no audit; draw a sheet with `ticketmill readiness sample`", *names), empty
    says = pl.any_horizontal(pl.col(RUBRIC).is_not_null())
    judged = audited(corpus, audit, pl.when(says).then(pl.any_horizontal(~pl.col(RUBRIC).fill_null(value=True))))
    whole = judged.filter("is_of_whole")
    values = _bounded(whole, None) if whole.height else unknown("M05", "no audited conversation is in this export", *names)
    strata = (
        judged.drop_nulls("topic")
        .group_by("topic", "source")
        .agg(
            audited=pl.len(),
            changed=pl.col("is_changed").sum(),
            defects=pl.col("stands_at_fault").sum(),
            counts=pl.col("counts").sum(),
        )
        .sort("topic", "source")
    )
    bounds = [upper(counts, n) for n, counts in strata.select("audited", "counts").iter_rows()]
    table = strata.drop("counts").with_columns(defect_upper=pl.Series(bounds, dtype=pl.Float64))
    return [*values, *_of_topics(corpus, judged, whole)], table


def _of_topics(corpus: Corpus, judged: pl.DataFrame, whole: pl.DataFrame) -> list[Measured]:
    """The topics that stand for themselves; for the others the whole stands.

    Those with MIN_AUDITED_OF_TOPIC audits, those audited to the last conversation, and those that are worse than the whole beyond
    chance (lower bound above the upper one of the whole): a small bad topic must not hide behind a large good set.
    """
    sizes = dict(corpus.conversations.group_by("topic").len().iter_rows())
    of_all = upper(int(whole["counts"].sum()), whole.height)
    values: list[Measured] = []
    for (topic,), rows in judged.drop_nulls("topic").group_by("topic", maintain_order=True):
        is_enough = rows.height >= min(MIN_AUDITED_OF_TOPIC, sizes[topic])
        if is_enough or lower(int(rows["stands_at_fault"].sum()), rows.height) > of_all:
            values += _bounded(rows, str(topic))
    return sorted(values, key=lambda each: str(each.topic))


def _bounded(judged: pl.DataFrame, topic: str | None) -> list[Measured]:
    bad = judged.filter("stands_at_fault")["conversation_id"].to_list()
    n, standing = judged.height, judged.height - int(judged["is_changed"].sum())
    share = Measured("M05", "defect_share", len(bad) / max(standing, 1), topic, n=n, records=tuple(bad[:MAX_RECORDS]))
    return [share, Measured("M05", "defect_upper", upper(int(judged["counts"].sum()), n), topic, n=n)]


def _judges(evidence: Evidence, params: ReadinessParams) -> tuple[list[Measured], pl.DataFrame]:
    """Every judge that scored anything must be labelled against people; one in doubt is enough to hold back."""
    table = judges(evidence, params)
    if table.is_empty():
        return unknown("M24", "no model judged anything", *TOLD, "judges_in_doubt"), table
    in_doubt = table.filter(pl.col("used") & ~pl.col("may_decide")).height
    values = [Measured("M24", "judges_in_doubt", float(in_doubt), n=table.height)]
    measured = table.drop_nulls("judge_kappa")
    if measured.is_empty():
        return [*values, *unknown("M24", "no item was labelled by judge and people (evidence/judges.csv)", *TOLD)], table
    worst = measured.sort("judge_kappa_lower").row(0, named=True)
    for name in TOLD:
        why = None if worst[name] is not None else f"not labelled for {name}"
        values.append(Measured("M24", name, worst[name], n=worst["items"], unknown=why))
    return values, table


TOLD: Final = ("judge_kappa", "judge_kappa_lower", "order_flips", "length_slope")


def judges(evidence: Evidence, params: ReadinessParams) -> pl.DataFrame:
    """One row per model that judged: judge, items, TOLD, may_decide, may_be_shown, used (for scores)."""
    scores, labels = evidence.get("scores"), evidence.get("judges")
    used = set() if scores is None else set(scores["judge"].drop_nulls().to_list())
    rows = []
    for judge in sorted(used | (set() if labels is None else set(labels["judge"].to_list()))):
        items = (
            pl.DataFrame() if labels is None else labels.filter(pl.col("judge") == judge).unique("item_id", maintain_order=True)
        )
        rows.append({"judge": judge, **_validity(items, params)})
    schema = {
        "judge": pl.String,
        "items": pl.Int64,
        **dict.fromkeys(TOLD, pl.Float64),
        "may_decide": pl.Boolean,
        "may_be_shown": pl.Boolean,
        "used": pl.Boolean,
    }
    return pl.DataFrame([{**row, "used": row["judge"] in used} for row in rows], schema=schema)


def _validity(items: pl.DataFrame, params: ReadinessParams) -> dict[str, float | int | bool | None]:
    limits = params.limits
    if items.is_empty():
        return {"items": 0, "may_decide": False, "may_be_shown": False}
    human, verdict = items["human"].to_numpy(), items["verdict"].to_numpy()
    kappas = _bootstrap(human, verdict, params.seed)
    low = float(np.quantile(kappas, 0.025))
    swapped = items.drop_nulls("swapped")
    flips = share_of(swapped["swapped"] != swapped["verdict"]) if swapped.height else None
    lengths = items.drop_nulls("length")
    slope = _slope(lengths) if lengths.height else None
    good = (
        items.height >= limits.min_judged_items
        and low >= limits.min_kappa_gate
        and flips is not None
        and flips <= limits.max_order_flips
    )
    return {
        "items": items.height,
        "judge_kappa": kappa(human, verdict),
        "judge_kappa_lower": low,
        "order_flips": flips,
        "length_slope": slope,
        "may_decide": good,
        "may_be_shown": low >= limits.min_kappa_shown,
    }


def kappa(one: Array, other: Array) -> float:
    """Agreement beyond chance; 0 where there is nothing to agree on beyond it.

    Source: Cohen, "A coefficient of agreement for nominal scales", 1960.
    """
    agreed = float((one == other).mean())
    chance = float(one.mean() * other.mean() + (1 - one.mean()) * (1 - other.mean()))
    return 0.0 if chance > 1 - 1e-12 else (agreed - chance) / (1 - chance)


def _bootstrap(one: Array, other: Array, seed: int) -> Array:
    drawn = np.random.default_rng(seed).integers(0, len(one), (DRAWS, len(one)))
    first, second = one[drawn].astype(float), other[drawn].astype(float)
    agreed = (first == second).mean(axis=1)
    p, q = first.mean(axis=1), second.mean(axis=1)
    chance = p * q + (1 - p) * (1 - q)
    return np.where(chance > 1 - 1e-12, 0.0, (agreed - chance) / np.where(chance > 1 - 1e-12, 1, 1 - chance))


def _slope(items: pl.DataFrame) -> float:
    """How much more often the judge approves than people do, per 1,000 characters of answer."""
    length = items["length"].cast(pl.Float64).to_numpy() / 1000
    excess = items["verdict"].cast(pl.Float64).to_numpy() - items["human"].cast(pl.Float64).to_numpy()
    spread = float(((length - length.mean()) ** 2).sum())
    return 0.0 if spread == 0 else float(((length - length.mean()) * (excess - excess.mean())).sum() / spread)
