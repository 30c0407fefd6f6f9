"""The limits of readiness as gates: the same measures, judged by Great Expectations like those of any stage."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import polars as pl

from checks.gate import Limit, Verdict, at_least, at_most, judge
from checks.readiness.assess import Assessment
from checks.readiness.settings import ReadinessParams
from checks.readiness.verdict import limit_of, limits, metric_by_measure
from pipeline.errors import ParamsError
from pipeline.params import Section
from pipeline.tables import Table

EVERY = "all"
"""In `readiness.gates`: every limit there is."""


@dataclass(frozen=True)
class LimitCheck:
    """An assessment as a check: what `checks.gate.judge` asks of a stage."""

    assessment: Assessment
    names: Sequence[str]
    Bounds: type[Section] = ReadinessParams

    def measure(self, _table: Table, _bounds: Section, _each: object = None) -> pl.DataFrame:
        """One row, one column per measure of the whole set; null where unknown, and null fails a gate."""
        values = self.assessment.values
        row = {each.measure: each.value for each in values if each.topic is None}
        of_topics = [each.value or 0 for each in values if each.topic is not None and each.measure == "effective_examples"]
        row["smallest_topic_examples"] = min(of_topics, default=None)
        return pl.DataFrame([row], schema=dict.fromkeys(row, pl.Float64))

    def expectations(self, _bounds: Section) -> list[Limit]:
        """The limits of these names, each once; those of metrics that do not apply are left out."""
        found: list[Limit] = []
        for name in self.names:
            for side, measures in limits()[name]["gate"].items():
                bound = 0.0 if side == "none" else limit_of(name, self.assessment.params)
                applying = [one for one in measures if metric_by_measure().get(one) not in self.assessment.not_applicable]
                found += [at_least(one, bound) if side == "least" else at_most(one, bound) for one in applying]
        return list(dict.fromkeys(found))

    def where(self, *_: object) -> Iterator[str]:
        """Nowhere: the pages of readiness name the records that each measure rests on."""
        return iter(())


def judge_limits(assessment: Assessment, table: Table, names: Sequence[str]) -> Verdict:
    """Judge the limits of these names (`all`: every one) by themselves.

    Raises:
        ParamsError: a name is no limit.
    """
    known = list(limits())
    if strange := [name for name in names if name not in {EVERY, *known}]:
        raise ParamsError(f"readiness.gates: {strange[0]!r} is no limit of readiness.limits; `all` is every one of them")
    check = LimitCheck(assessment, known if EVERY in names else names)
    return judge(check, table, assessment.params)  # type: ignore[arg-type]  # a module to the protocol, an object here
