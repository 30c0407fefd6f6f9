"""What would move a verdict, in numbers: fills in the `do` of a condition that holds."""

import math
from collections.abc import Callable, Mapping
from typing import Final

from checks.bounds import clean_sample
from checks.readiness.measured import Measured, Values
from checks.readiness.settings import ReadinessParams
from checks.readiness.verdict import Finding, limit_of, metrics


def advise(finding: Finding, topic: str | None, values: Values, params: ReadinessParams) -> str:
    """One sentence: what to do, how much of it."""
    more = _more(finding, topic, values, params) if "{more}" in finding.do else ""
    listed = ", ".join(finding.unknown) if finding.unknown else show(finding.value, finding.measure)
    found = values.get(finding.measure, topic)
    detail = found.detail if found else ""
    return finding.do.format(more=more, value=listed, limit=show(finding.limit, finding.measure), detail=detail)


def unit_of(measure: str) -> str:
    """count, share, days, ratio, points or number."""
    return next((entry["measures"][measure] for entry in metrics().values() if measure in entry["measures"]), "number")


def show(value: float | None, measure: str) -> str:
    """A value as people read it, by the unit of its measure."""
    if value is None:
        return "unknown"
    match unit_of(measure):
        case "count":
            return f"{value:,.0f}"
        case "share":
            percent = 100 * value
            return f"{percent:.0f} %" if percent in {0, 100} else f"{percent:.1f} %" if abs(percent) >= 1 else f"{percent:.2g} %"
        case "days":
            return f"{value:,.0f} days" if math.isfinite(value) else "no end"
        case "points":
            return f"{value:.3g}"
        case _:
            return f"{value:,.2f}"


def bounds_of(found: Finding | Measured) -> str:
    """Both 95 % bounds of a value as people read them; empty where it has only one or none."""
    if found.low is None or found.high is None:
        return ""
    return f"{show(found.low, found.measure)} to {show(found.high, found.measure)}"


def _more(finding: Finding, topic: str | None, values: Values, params: ReadinessParams) -> str:
    if (work := WORK.get(finding.measure)) is None:
        return "some"
    return work(finding, lambda name: values.get(name, topic), params)


Lookup = Callable[[str], Measured | None]


def _audits(finding: Finding, look: Lookup, params: ReadinessParams) -> str:
    """Clean audits still needed for the bound, those counted that read otherwise since and have to be judged again."""
    limit = limit_of(finding.limit_name or "max_leak_upper_pilot", params)
    n = finding.n or 0
    again, found = (int((one and one.value) or 0) for one in (look("audits_changed"), look("leaks_ever_found")))
    return f"{max(again + clean_sample(limit, found) - n, 1):,}"


def _plants(_finding: Finding, _look: Lookup, params: ReadinessParams) -> str:
    return f"{clean_sample(1 - params.limits.min_recall_ids):,}"


def _gap(finding: Finding, _look: Lookup, _params: ReadinessParams) -> str:
    """Things that lie between the value and the limit, of the n it was measured on."""
    distance = abs((finding.limit or 0) - (finding.value or 0))
    return f"{max(math.ceil(distance * (finding.n or 0) - 1e-9), 1):,}"


def _difference(finding: Finding, _look: Lookup, _params: ReadinessParams) -> str:
    return f"{math.ceil(abs((finding.limit or 0) - (finding.value or 0))):,}"


def _points(finding: Finding, _look: Lookup, _params: ReadinessParams) -> str:
    return f"{100 * abs((finding.limit or 0) - (finding.value or 0)):.1f} points"


def _cycle(_finding: Finding, look: Lookup, _params: ReadinessParams) -> str:
    days = look("safe_cycle_days")
    return f"{days.value:,.1f}" if days and days.value is not None else "few"


def _boundary(_finding: Finding, look: Lookup, params: ReadinessParams) -> str:
    examples, have = look("examples"), look("boundary_examples")
    wanted = max(params.limits.min_boundary_examples, params.limits.min_boundary_share * ((examples and examples.value) or 0))
    return f"{max(math.ceil(wanted - ((have and have.value) or 0)), 1):,}"


def _defects(finding: Finding, look: Lookup, params: ReadinessParams) -> str:
    share = look("defect_share")
    found = round((share.value or 0) * (share.n or 0)) if share else 0
    return f"{max(clean_sample(params.limits.max_defect_upper, found) - (finding.n or 0), 1):,}"


def _examples(finding: Finding, look: Lookup, params: ReadinessParams) -> str:
    have = look("pooled_examples")
    wanted = limit_of("pilot_effective_examples", params)
    return _difference(finding, look, params) if finding.limit else f"{math.ceil(wanted - ((have and have.value) or 0)):,}"


WORK: Final[Mapping[str, Callable[[Finding, Lookup, ReadinessParams], str]]] = {
    "leak_upper": _audits,
    "planted_shortfall": _plants,
    "provenance": _gap,
    "format_conformity": _gap,
    "ungrounded_share": _gap,
    "pooled_examples": _difference,
    "effective_examples": _difference,
    "coverage": _points,
    "traffic_in_full_topics": _points,
    "outdated_share": _cycle,
    "boundary_share": _boundary,
    "boundary_examples": _boundary,
    "defect_upper": _defects,
    "pilot_gain_lower": _examples,
}
"""Measure -> how {more} is worked out."""
