"""Values for tests of the verdict table: a set that may be tuned, and ways to spoil it."""

from typing import Any, Final

import polars as pl

from checks.readiness.measured import Measured, Values
from checks.readiness.verdict import Judged, judge, metric_by_measure
from tests.checks.readiness.lines import params

SOUND: Final[dict[str, float | None]] = {
    "examples": 20_000,
    "effective_examples": 12_000,
    "coverage": 0.9,
    "marginal_gain": 0.02,
    "traffic_in_full_topics": 1.0,
    "defect_share": 0.01,
    "defect_upper": 0.02,
    "agreement": 0.9,
    "value_agreement": 0.9,
    "outdated_share": 0.02,
    "safe_cycle_days": 100,
    "ungrounded_share": 0.01,
    "format_conformity": 1.0,
    "faq_share": 0.2,
    "invalid_examples": 0,
    "multi_turn_ratio": 1.0,
    "boundary_share": 0.05,
    "boundary_examples": 500,
    "refusal_ratio": 1.0,
    "moved_traffic_flagged": 0,
    "leaks_found": 0,
    "leak_upper": 0.0009,
    "planted_shortfall": 0,
    "planted_shortfall_with_misses": 0,
    "recall_gap": 0.01,
    "secrets": 0,
    "repeated_residuals": 0,
    "unscrubbed_sent": 0,
    "provenance": 1.0,
    "lost_slices": 0,
    "name_swap_gaps": 0,
    "synthetic_in_held_out": 0,
    "judges_in_doubt": 0,
    "shared_between_splits": 0,
    "near_copies": 0.01,
    "baseline_surplus": -0.1,
    "baseline_near_miss": -0.07,
    "pilot_gain_lower": 0.05,
    "general_drop_upper": 0.01,
    "safety_drop_upper": 0.01,
}
"""Every tier-A measure within its limit: the only way to fine-tune-now."""


def values(*topical: Measured, **changes: float | None) -> Values:
    """SOUND with these values in their place; None is unknown."""
    merged = {**SOUND, **changes}
    found = [
        Measured(metric_by_measure()[name], name, value, n=300, unknown=None if value is not None else "not measured here")
        for name, value in merged.items()
    ]
    return Values([*found, *topical])


def verdict_of(
    *topical: Measured,
    traffic: dict[str, float] | None = None,
    not_applicable: tuple[str, ...] = (),
    approximate: bool = False,
    settings: dict[str, Any] | None = None,
    **changes: float | None,
) -> Judged:
    """What the shipped table says of `values(...)`, by default over one topic."""
    shares = traffic or {"orders": 1.0}
    frame = pl.DataFrame({"topic": list(shares), "share": list(shares.values())})
    own = [one for one in topical if one.measure == "effective_examples"]
    given = [one.topic for one in own]
    effective = changes.get("effective_examples", SOUND["effective_examples"])
    spread = [
        Measured("M01", "effective_examples", None if effective is None else effective * share, topic=topic)
        for topic, share in shares.items()
        if topic not in given
    ]
    return judge(values(*topical, *spread, **changes), frame, params(**(settings or {})), not_applicable, approximate=approximate)
