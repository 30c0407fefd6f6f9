"""What the verdict table says, row by row; unknown never passes; what gets better is never judged worse."""

from itertools import combinations
from typing import Any

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from checks.readiness.advice import advise
from checks.readiness.assess import meets
from checks.readiness.measured import Measured
from checks.readiness.settings import Limits
from checks.readiness.verdict import limits, metric_by_measure, order, table
from tests.checks.readiness.lines import ROOT, params
from tests.checks.readiness.rules import SOUND, values, verdict_of

FIXTURES: list[tuple[str, str, dict[str, Any]]] = [
    ("1.1", "do-not-fine-tune:privacy", {"secrets": 1}),
    ("1.2", "do-not-fine-tune:privacy", {"repeated_residuals": 1}),
    ("1.3", "do-not-fine-tune:privacy", {"leaks_found": 2, "leak_upper": 0.02}),
    ("1.4", "do-not-fine-tune:privacy", {"planted_shortfall": 0.02, "planted_shortfall_with_misses": 0.02}),
    ("1.5", "do-not-fine-tune:privacy", {"unscrubbed_sent": 1}),
    ("1.6", "do-not-fine-tune:privacy", {"provenance": 0.99}),
    ("2.1", "do-not-fine-tune:privacy-unmeasured", {"leak_upper": None, "leaks_found": None}),
    ("2.2", "do-not-fine-tune:privacy-unmeasured", {"planted_shortfall": None, "planted_shortfall_with_misses": None}),
    ("2.3", "do-not-fine-tune:privacy-unmeasured", {"leaks_found": 0, "leak_upper": 0.02}),
    ("2.4", "do-not-fine-tune:privacy-unmeasured", {"planted_shortfall": 0.02}),
    ("2.5", "do-not-fine-tune:privacy-unmeasured", {"secrets": None}),
    ("2.6", "do-not-fine-tune:privacy-unmeasured", {"unscrubbed_sent": None}),
    ("2.7", "do-not-fine-tune:privacy-unmeasured", {"provenance": None}),
    ("3.1", "collect-or-repair", {"invalid_examples": 1}),
    ("3.2", "collect-or-repair", {"shared_between_splits": 1}),
    ("3.3", "collect-or-repair", {"format_conformity": 0.97}),
    ("3.4", "collect-or-repair", {"multi_turn_ratio": 0.7}),
    ("3.5", "collect-or-repair", {"defect_share": 0.08, "defect_upper": 0.11}),
    ("3.6", "collect-or-repair", {"agreement": 0.4, "value_agreement": 0.4}),
    ("4.1", "use-rag-or-prompting", {"baseline_surplus": 0.0}),
    ("4.2", "use-rag-or-prompting", {"settings": {"goal": "knowledge"}}),
    ("4.3", "use-rag-or-prompting", {"outdated_share": 0.11}),
    ("4.4", "use-rag-or-prompting", {"ungrounded_share": 0.25}),
    ("4.5", "use-rag-or-prompting", {"faq_share": 0.8, "baseline_near_miss": 0.0}),
    ("4.5", "use-rag-or-prompting", {"faq_share": 0.8, "baseline_surplus": None, "baseline_near_miss": None}),
    ("5.1", "collect-or-repair", {"effective_examples": 49}),
    ("5.3", "collect-or-repair", {"coverage": 0.4}),
    ("5.4", "collect-or-repair", {"traffic_in_full_topics": 0.4}),
    ("5.5", "collect-or-repair", {"boundary_share": 0.02, "settings": {"target": "production"}}),
    ("5.6", "collect-or-repair", {"marginal_gain": 0.05, "effective_examples": 900, "pilot_gain_lower": -0.01}),
    ("6.1", "pilot-first", {"baseline_surplus": None}),
    ("6.2", "pilot-first", {"pilot_gain_lower": None}),
    ("6.3", "pilot-first", {"pilot_gain_lower": 0.03}),
    ("6.4", "pilot-first", {"judges_in_doubt": 1}),
    ("6.5", "pilot-first", {"defect_upper": None, "defect_share": None}),
    ("6.6", "pilot-first", {"defect_upper": 0.06}),
    ("6.7", "pilot-first", {"effective_examples": 999}),
    ("6.7", "pilot-first", {"effective_examples": 4_000, "settings": {"task_complexity": "high"}}),
    ("6.8", "pilot-first", {"coverage": 0.7}),
    ("6.9", "pilot-first", {"traffic_in_full_topics": 0.7}),
    ("6.10", "pilot-first", {"agreement": 0.6}),
    ("6.11", "pilot-first", {"leak_upper": 0.002}),
    ("6.12", "pilot-first", {"recall_gap": 0.04}),
    ("6.13", "pilot-first", {"near_copies": 0.03}),
    ("6.14", "pilot-first", {"moved_traffic_flagged": 1}),
    ("6.15", "pilot-first", {"lost_slices": 1}),
    ("6.16", "pilot-first", {"synthetic_in_held_out": 1}),
    ("6.17", "pilot-first", {"refusal_ratio": 3}),
    ("6.18", "pilot-first", {"refusal_ratio": 0.2}),
    ("6.19", "pilot-first", {"name_swap_gaps": 1}),
    ("6.20", "pilot-first", {"general_drop_upper": 0.03}),
    ("6.21", "pilot-first", {"safety_drop_upper": 0.03}),
]


def test_a_set_with_all_evidence_and_every_limit_met_may_be_tuned() -> None:
    assert (verdict_of().verdict, verdict_of().row) == ("fine-tune-now", 7)


@pytest.mark.parametrize(("condition", "verdict", "changes"), FIXTURES, ids=[f"{c}-{n}" for n, (c, *_) in enumerate(FIXTURES)])
def test_each_condition_of_the_table_alone_decides(condition: str, verdict: str, changes: dict[str, Any]) -> None:
    judged = verdict_of(**changes)

    assert (judged.verdict, condition in [found.key for found in judged.topics[0].findings]) == (verdict, True)


def test_every_condition_of_the_table_has_a_fixture() -> None:
    keys = {f"{row['row']}.{place}" for row in table()["rows"] for place, _ in enumerate(row["conditions"], 1)}

    assert keys - {condition for condition, *_ in FIXTURES} == {"5.2", "6.22"}  # topics, and every unknown: tests of their own


ONE_OF_ROW: dict[int, dict[str, float | None]] = {
    1: {"secrets": 1},
    2: {"leak_upper": None, "leaks_found": None},
    3: {"invalid_examples": 1},
    4: {"ungrounded_share": 0.25},
    5: {"coverage": 0.4},
    6: {"general_drop_upper": 0.03},
}
"""Changes that each bring about one row, whatever else holds."""


@pytest.mark.parametrize(("row", "later"), list(combinations(ONE_OF_ROW, 2)))
def test_of_two_rows_that_hold_the_earlier_decides(row: int, later: int) -> None:
    both = verdict_of(**ONE_OF_ROW[row], **ONE_OF_ROW[later])

    assert (verdict_of(**ONE_OF_ROW[later]).row, both.row) == (later, row)


def test_the_rows_of_the_table_stand_in_the_order_of_their_numbers() -> None:
    assert [row["row"] for row in table()["rows"]] == [1, 2, 3, 4, 5, 6, 7]


@pytest.mark.parametrize("measure", table()["rows"][5]["conditions"][-1]["unknown"])
def test_an_unknown_tier_a_value_is_never_a_pass(measure: str) -> None:
    assert verdict_of(**{measure: None}).verdict in {"pilot-first", "collect-or-repair"}


COMPANIONS = {
    "leaks_found",
    "value_agreement",
    "planted_shortfall_with_misses",
    "defect_share",
    "baseline_near_miss",
    "boundary_examples",
}
"""Come from the same evidence as a measure that is looked for: one is never unknown alone."""

DIAGNOSES = {"examples", "safe_cycle_days", "faq_share"}
"""Decide nothing, or only beside a measure that does."""


@pytest.mark.parametrize("measure", sorted(set(SOUND) - COMPANIONS - DIAGNOSES))
def test_what_is_unknown_never_ends_in_fine_tune_now(measure: str) -> None:
    assert verdict_of(**{measure: None}).verdict != "fine-tune-now"


def test_a_reason_silences_what_is_unknown_but_not_what_was_measured() -> None:
    assert verdict_of(format_conformity=None, not_applicable=("M08",)).verdict == "fine-tune-now"
    assert verdict_of(format_conformity=0.5, not_applicable=("M08",)).verdict == "collect-or-repair"
    assert verdict_of(secrets=1, not_applicable=("M17",)).verdict == "do-not-fine-tune:privacy"


def test_an_owner_may_go_past_what_is_unmeasured_but_not_past_what_was_found() -> None:
    override = {"override_privacy_unmeasured": True}

    assert verdict_of(leak_upper=None, leaks_found=None, settings=override).verdict == "fine-tune-now"
    assert verdict_of(secrets=1, settings=override).verdict == "do-not-fine-tune:privacy"


def test_a_small_clean_audit_is_no_reason_to_repair() -> None:
    assert verdict_of(defect_share=0.0, defect_upper=0.14).verdict == "pilot-first"


def test_dropping_a_topic_to_49_examples_flips_that_topic_only() -> None:
    few = Measured("M01", "effective_examples", 49, topic="refunds")
    judged = verdict_of(few, traffic={"orders": 0.9, "refunds": 0.1})

    assert {each.topic: each.verdict for each in judged.topics} == {"orders": "fine-tune-now", "refunds": "collect-or-repair"}
    assert judged.verdict == "fine-tune-now"


def test_a_privacy_block_of_one_topic_blocks_the_whole() -> None:
    leak = Measured("M17", "secrets", 1, topic="refunds")

    assert verdict_of(leak, traffic={"orders": 0.99, "refunds": 0.01}).verdict == "do-not-fine-tune:privacy"


def test_the_verdict_with_most_traffic_is_the_whole_ones_and_the_split_is_shown() -> None:
    stale = Measured("M06", "outdated_share", 0.5, topic="prices")
    judged = verdict_of(stale, traffic={"prices": 0.6, "orders": 0.4})

    assert judged.verdict == "use-rag-or-prompting"
    assert judged.split == {"use-rag-or-prompting": 0.6, "fine-tune-now": 0.4}


def test_examples_of_a_topic_that_goes_to_retrieval_do_not_count_for_the_training_of_the_others() -> None:
    stale = Measured("M06", "outdated_share", 0.5, topic="prices")
    judged = verdict_of(stale, traffic={"prices": 0.6, "orders": 0.4}, effective_examples=2_000)

    assert judged.pooled_examples == 800
    assert judged.topics[1].verdict == "pilot-first"


def test_a_cluster_found_by_machine_blocks_nothing_on_its_own() -> None:
    few = Measured("M01", "effective_examples", 5, topic="cluster 02")
    style = Measured("M08", "format_conformity", 0.5, topic="cluster 02")
    traffic = {"cluster 01": 0.4, "cluster 02": 0.6}

    assert verdict_of(few, style, traffic=traffic, approximate=True).verdict == "fine-tune-now"
    assert verdict_of(few, style, traffic=traffic).verdict == "collect-or-repair"


def test_lifting_what_decides_says_what_comes_next() -> None:
    judged = verdict_of(secrets=3, coverage=0.7)

    assert (judged.topics[0].then, [found.key for found in judged.topics[0].ahead]) == ("pilot-first", ["6.8"])


@pytest.mark.parametrize(
    ("changes", "advice"),
    [
        ({"leak_upper": None, "leaks_found": None}, "audit 299 conversations: `ticketmill readiness sample --n 299`"),
        ({"leak_upper": 0.02}, "audit 1 more conversations"),
        ({"provenance": 0.9}, "state source, date, purpose, legal basis and erase-by date of 30 records (readiness.statements)"),
        ({"ungrounded_share": 0.3}, "attach what the agent looked up to 15 answers, or drop them"),
        ({"coverage": 0.7}, "cover 10.0 points more of the later questions"),
        ({"effective_examples": 180}, "collect 820 more examples that are not near-duplicates"),
    ],
)
def test_advice_says_how_much(changes: dict[str, Any], advice: str) -> None:
    finding = verdict_of(**changes).topics[0].findings[0]

    assert advise(finding, "orders", values(**changes), params()) == advice


BETTER: dict[str, tuple[float, float, float]] = {
    # measure -> worst, best, and a value between: privacy, quality and volume inputs
    "secrets": (5, 0, 1),
    "repeated_residuals": (5, 0, 1),
    "leak_upper": (0.2, 0.0001, 0.005),
    "planted_shortfall": (0.2, 0, 0.01),
    "unscrubbed_sent": (9, 0, 1),
    "provenance": (0.2, 1.0, 0.999),
    "invalid_examples": (9, 0, 1),
    "shared_between_splits": (9, 0, 1),
    "format_conformity": (0.1, 1.0, 0.97),
    "multi_turn_ratio": (0.1, 1.0, 0.79),
    "defect_upper": (0.5, 0.01, 0.07),
    "effective_examples": (10, 50_000, 400),
    "coverage": (0.1, 0.99, 0.6),
    "traffic_in_full_topics": (0.1, 1.0, 0.6),
    "boundary_share": (0.0, 0.2, 0.02),
    "recall_gap": (0.2, 0.0, 0.05),
    "near_copies": (0.3, 0.0, 0.03),
    "general_drop_upper": (0.2, 0.0, 0.03),
    "safety_drop_upper": (0.2, 0.0, 0.03),
    "pilot_gain_lower": (-0.1, 0.2, 0.01),
    "synthetic_in_held_out": (9, 0, 1),
    "judges_in_doubt": (2, 0, 1),
    "name_swap_gaps": (4, 0, 1),
}


# too slow is how long the machine took to draw 23 values, not what is judged
@settings(suppress_health_check=[HealthCheck.too_slow])
@given(
    start=st.fixed_dictionaries({name: st.sampled_from(levels) for name, levels in BETTER.items()}),
    name=st.sampled_from(sorted(BETTER)),
    where=st.floats(0, 1),
    goal=st.sampled_from(["style", "knowledge"]),
    target=st.sampled_from(["pilot", "production"]),
)
def test_a_better_privacy_quality_or_volume_value_is_never_judged_worse(
    start: dict[str, float], name: str, where: float, goal: str, target: str
) -> None:
    given_settings = {"goal": goal, "target": target}
    better = start[name] + where * (BETTER[name][1] - start[name])
    before, after = verdict_of(settings=given_settings, **start), verdict_of(settings=given_settings, **{**start, name: better})

    assert order().index(after.verdict) >= order().index(before.verdict)


def test_the_shipped_params_hold_the_values_that_limits_yaml_calls_shipped() -> None:
    section = yaml.safe_load((ROOT / "params.yaml").read_text("utf-8"))["readiness"]["limits"]

    assert section == {name: entry["shipped"] for name, entry in limits().items()}
    assert set(Limits.model_fields) == set(limits())


def test_every_limit_bounds_a_measure_that_is_taken() -> None:
    bounded = {one for entry in limits().values() for measures in entry["gate"].values() for one in measures}

    assert bounded - set(metric_by_measure()) == {"smallest_topic_examples"}
    assert {side for entry in limits().values() for side in entry["gate"]} == {"least", "most", "none"}


def test_every_measure_of_the_table_is_in_the_catalogue() -> None:
    def measures(condition: Any) -> set[str]:
        if isinstance(condition, list):
            return set().union(*map(measures, condition)) if condition else set()
        if "unknown" in condition:
            return {condition["unknown"]} if isinstance(condition["unknown"], str) else set(condition["unknown"])
        return {condition["measure"]} if "measure" in condition else measures(condition.get("all", condition.get("any", [])))

    assert measures([row["conditions"] for row in table()["rows"]]) - set(metric_by_measure()) == set()


@pytest.mark.parametrize(
    ("verdict", "required", "met"),
    [
        ("fine-tune-now", "pilot-first", True),
        ("pilot-first", "pilot-first", True),
        ("collect-or-repair", "pilot-first", False),
        ("use-rag-or-prompting", "pilot-first", False),
        ("use-rag-or-prompting", "use-rag-or-prompting", True),
        ("use-rag-or-prompting", "collect-or-repair", True),
        ("do-not-fine-tune:privacy", "collect-or-repair", False),
    ],
)
def test_a_requirement_is_met_at_or_above_its_verdict(verdict: str, required: str, met: bool) -> None:
    assert meets(verdict, required) is met
