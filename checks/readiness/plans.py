"""What to do next: a collection plan, a pilot plan with nested subsets and arms, and the subsets themselves."""

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

import polars as pl

from checks.bounds import clean_sample
from checks.readiness.assess import Assessment
from checks.readiness.corpus import Corpus, draw
from checks.readiness.settings import ReadinessParams
from pipeline.errors import TableError
from pipeline.tables import translated_errors, write_json

FRACTIONS: Final = (0.25, 0.5, 1.0)
MIN_TEST: Final = 300
ARMS: Final = ("prompt", "prompt+rag", "tuned-small", "tuned-large")
MAX_EPOCHS: Final = 3


@dataclass(frozen=True)
class Collect:
    """What is missing of one topic."""

    topic: str
    share: float
    effective_examples: int
    wanted: int
    """More effective examples up to the floor of a topic."""
    uncovered: int
    """Later questions of it that nothing in training resembles."""


def collection_plan(assessment: Assessment) -> list[Collect]:
    """Topics with too few examples or too many uncovered questions, most traffic first; none where topics are clusters."""
    if assessment.approximate_topics:
        return []
    uncovered = assessment.tables.get("uncovered", pl.DataFrame(schema={"topic": pl.String, "uncovered": pl.Int64}))
    missing = dict(uncovered.select("topic", "uncovered").drop_nulls().iter_rows())
    floor = int(assessment.params.limits.min_topic_examples)
    plan = []
    for each in assessment.judged.topics:
        found = assessment.values.own("effective_examples", each.topic)
        have = int(found.value or 0) if found else 0
        if have < floor or missing.get(each.topic):
            plan.append(Collect(each.topic, round(each.share, 6), have, max(0, floor - have), int(missing.get(each.topic, 0))))
    return plan


def pilot_plan(assessment: Assessment) -> dict[str, Any]:
    """Sizes, arms and rules of a pilot; what it needs before it can decide anything."""
    pooled = assessment.values.own("effective_examples", None)
    examples = int(pooled.value or 0) if pooled else 0
    limits = assessment.params.limits
    passes = assessment.values.own("suggested_epochs", None)
    return {
        "subsets": [int(examples * fraction) for fraction in FRACTIONS],
        "subset_unit": "effective examples, nested: each subset holds the one before",
        "arms": list(ARMS),
        "test": {"at_least": MIN_TEST, "what": "the latest slice, every answer approved by a person, no synthetic one"},
        "design": "paired: every arm answers the same items; scores go to evidence/scores.csv",
        "sets": {"task": "decides", "general": "regression", "safety": "regression"},
        "method": "LoRA first: it weakens what copies do to memory (arXiv 2506.20856), which is no excuse for copies",
        "epochs": {
            "at_most": MAX_EPOCHS,
            "suggested": int(passes.value) if passes and passes.value else 1,
            "stop": "early, on validation",
        },
        "passes_if": f"lower bound of the gain over the best baseline is above {limits.min_gain:g}; "
        f"drops on general and safety are at most {limits.max_regression:g}",
        "extrapolate": "two doublings at most",
        "audit_before": {
            "leaks_for_pilot": clean_sample(limits.max_leak_upper_pilot),
            "leaks_for_production": clean_sample(limits.max_leak_upper_production),
        },
        "canary": "none: planted canaries are for a pilot only, and off unless asked for",
    }


def write_plan(assessment: Assessment, target: Path) -> dict[str, Any]:
    """Write plan.json and plan.md into `target`; returns what plan.json holds."""
    collect, pilot = collection_plan(assessment), pilot_plan(assessment)
    content = {"verdict": assessment.verdict, "collect": [asdict(each) for each in collect], "pilot": pilot}
    lines = [f"# Plan (verdict today: {assessment.verdict})", "", "## Collect", ""]
    if collect:
        lines += ["| topic | traffic | effective examples | more wanted | later questions uncovered |", "|---|---|---|---|---|"]
        lines += [
            f"| {each.topic} | {each.share:.1%} | {each.effective_examples:,} | {each.wanted:,} | {each.uncovered:,} |"
            for each in collect
        ]
    else:
        lines.append("Nothing by topic." if not assessment.approximate_topics else "No plan by topic: there are no tags.")
    sizes = ", ".join(f"{size:,}" for size in pilot["subsets"])
    lines += [
        "",
        "## Pilot",
        "",
        f"- Subsets of {sizes} effective examples, nested (`ticketmill readiness pilot-split`).",
        f"- Arms: {', '.join(pilot['arms'])}; every arm answers the same items.",
        f"- Test: {MIN_TEST} or more, {pilot['test']['what']}.",
        f"- {pilot['method']}; at most {MAX_EPOCHS} epochs, {pilot['epochs']['suggested']} suggested, stopping early.",
        f"- Passes if the {pilot['passes_if']}.",
        (
            f"- Audit {pilot['audit_before']['leaks_for_pilot']:,} conversations before a pilot, "
            f"{pilot['audit_before']['leaks_for_production']:,} before production."
        ),
        "",
    ]
    with translated_errors(target):
        target.mkdir(parents=True, exist_ok=True)
        write_json(target / "plan.json", content)
        (target / "plan.md").write_text("\n".join(lines), "utf-8")
    return content


def pilot_split(corpus: Corpus, params: ReadinessParams, labels: pl.Series) -> pl.DataFrame:
    """conversation_id, subset (the smallest of 25, 50, 100 that holds it; null outside), test.

    Subsets are of whole near-duplicate clusters of the training split, drawn by hash, so each holds the one before. The test
    is the latest 300 or more of the held-out conversations in which no model wrote.

    Raises:
        TableError: there is no training split.
    """
    rows = corpus.conversations.select("conversation_id", "split", "opened_at", "synthetic").with_columns(cluster=labels)
    train = rows.filter(pl.col("split") == "train")
    if train.is_empty():
        raise TableError("readiness: there is no training split; run emit first")
    anchors = train.group_by("cluster").agg(anchor=pl.col("conversation_id").min())
    ranked = anchors.with_columns(draw=draw(anchors["anchor"], params.seed)).sort("draw").with_row_index("rank")
    part = (pl.col("rank") + 1) / ranked.height
    subset = pl.when(part <= FRACTIONS[0]).then(25).when(part <= FRACTIONS[1]).then(50).otherwise(100)
    subsets = train.join(ranked.select("cluster", subset=subset.cast(pl.Int64)), on="cluster", how="left")
    held_out = rows.filter(pl.col("split").is_in(["validation", "test"]) & ~pl.col("synthetic"))
    latest = held_out.sort("opened_at", "conversation_id", descending=[True, False], nulls_last=True).head(MIN_TEST)
    return (
        rows.select("conversation_id")
        .join(subsets.select("conversation_id", "subset"), on="conversation_id", how="left")
        .with_columns(test=pl.col("conversation_id").is_in(latest["conversation_id"].implode()))
        .filter(pl.col("subset").is_not_null() | pl.col("test"))
        .sort("conversation_id")
    )
