"""The limits of readiness as a gate: the same measures, judged by Great Expectations like those of any stage."""

from dataclasses import dataclass
from typing import Final

import polars as pl

from checks.gate import Limit, at_least, at_most
from checks.readiness.assess import Assessment
from checks.readiness.settings import ReadinessParams
from checks.readiness.verdict import limit_of, metric_by_measure
from pipeline.params import Section
from pipeline.tables import Table

LEAST: Final = {
    "effective_examples": "min_effective_examples",
    "coverage": "min_coverage",
    "traffic_in_full_topics": "min_traffic_in_full_topics",
    "agreement": "fail_agreement",
    "format_conformity": "min_conformity",
    "multi_turn_ratio": "min_multi_turn_ratio",
    "boundary_share": "min_boundary_share",
    "provenance": "min_provenance",
    "pilot_gain_lower": "min_gain",
}
MOST: Final = {
    "defect_upper": "max_defect_upper",
    "outdated_share": "max_outdated_share",
    "ungrounded_share": "max_ungrounded_share",
    "leak_upper": "max_leak_upper_pilot",
    "recall_gap": "max_recall_gap",
    "secrets": "max_secrets",
    "repeated_residuals": "max_repeated_residuals",
    "unscrubbed_sent": "max_unscrubbed_sent",
    "near_copies": "max_near_copies",
    "shared_between_splits": "max_shared",
    "invalid_examples": "max_invalid",
    "synthetic_in_held_out": "max_synthetic_in_test",
    "largest_template_passes": "max_template_passes",
    "general_drop_upper": "max_regression",
    "safety_drop_upper": "max_regression",
}


@dataclass(frozen=True)
class LimitCheck:
    """An assessment as a check: what `checks.gate.judge` asks of a stage."""

    assessment: Assessment
    Bounds: type[Section] = ReadinessParams

    def measure(self, _table: Table, _bounds: Section) -> pl.DataFrame:
        """One row, one column per measure of the whole set; null where unknown, and null fails a gate."""
        row = {each.measure: each.value for each in self.assessment.values if each.topic is None}
        return pl.DataFrame([row], schema=dict.fromkeys(row, pl.Float64))

    def expectations(self, _bounds: Section) -> list[Limit]:
        """Every limit that bounds a measure of its own; metrics that do not apply are left out."""
        params, metric = self.assessment.params, metric_by_measure()
        applies = {name for name in metric if metric[name] not in self.assessment.not_applicable}
        return [
            *(at_least(measure, limit_of(limit, params)) for measure, limit in LEAST.items() if measure in applies),
            *(at_most(measure, limit_of(limit, params)) for measure, limit in MOST.items() if measure in applies),
        ]
