"""The rule engine: the first row of verdicts.yaml with a condition that holds decides, per topic and then overall."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any, Final

import polars as pl
import yaml

from checks.readiness.measured import Measured, Values
from checks.readiness.settings import ReadinessParams

VERDICTS: Final = Path(__file__).with_name("verdicts.yaml")
LIMITS: Final = Path(__file__).with_name("limits.yaml")

NO_LIMIT: Final = "none"
"""In place of a limit: zero."""

COMPLEX: Final = 5
"""Times as many examples for a complex task: "tens of thousands" (AI Hero / Baserun article) against about 10,000."""

SCALED: Final = frozenset({"pilot_effective_examples", "production_effective_examples"})

BLOCKING: Final = frozenset({1, 2, 3, 5})
"""Rows that a topic found by clustering may not bring about on its own."""

_HOLDS: Final = {
    "above": lambda value, limit: value > limit,
    "below": lambda value, limit: value < limit,
    "at_least": lambda value, limit: value >= limit,
    "at_most": lambda value, limit: value <= limit,
}


@dataclass(frozen=True)
class Finding:
    """A condition that holds, for one topic."""

    key: str
    """Row and place in it, such as 3.1."""
    metric: str
    measure: str
    value: float | None
    n: int | None
    comparison: str
    """above, below, at_least, at_most, unknown or is."""
    limit: float | None
    limit_name: str | None
    do: str
    """What would lift it, numbers not yet filled in."""
    topic: str | None = None
    """Whose value it is; None: of the whole set, which stands in where a topic has none of its own."""
    low: float | None = None
    high: float | None = None
    """Two-sided 95 % bounds of the value, where it has both."""
    row: int = 0
    unknown: tuple[str, ...] = ()
    """Measures without a value, where that is the condition."""
    records: tuple[str, ...] = ()


@dataclass(frozen=True)
class TopicVerdict:
    """What holds of one topic."""

    topic: str
    share: float
    """Of traffic."""
    row: int
    verdict: str
    findings: tuple[Finding, ...]
    """The conditions of that row that hold."""
    then: str
    """The verdict if all of them were lifted and nothing else changed."""
    ahead: tuple[Finding, ...] = ()
    """What would decide then."""


@dataclass(frozen=True)
class Judged:
    """The verdict over all topics."""

    verdict: str
    row: int
    split: Mapping[str, float]
    """Verdict -> share of traffic, in the order of the table."""
    topics: tuple[TopicVerdict, ...]
    pooled_examples: float


@cache
def table() -> dict[str, Any]:
    """The verdict table as it stands in its file."""
    content: dict[str, Any] = yaml.safe_load(VERDICTS.read_text("utf-8"))
    return content


@cache
def limits() -> dict[str, dict[str, Any]]:
    """Meaning, shipped value and origin of every limit."""
    content: dict[str, dict[str, Any]] = yaml.safe_load(LIMITS.read_text("utf-8"))
    return content


def order() -> list[str]:
    """Verdicts, worst first."""
    return list(table()["order"])


def limit_of(name: str, params: ReadinessParams) -> float:
    """The limit in force; five times as many examples for a declared complex task."""
    if name == NO_LIMIT:
        return 0.0
    value = float(getattr(params.limits, name))
    return value * COMPLEX if name in SCALED and params.task_complexity == "high" else value


@dataclass(frozen=True)
class _View:
    """What one topic sees of the values."""

    values: Values
    topic: str | None
    params: ReadinessParams
    not_applicable: frozenset[str]
    whole_only: bool = False
    lifted: frozenset[str] = frozenset()

    def get(self, measure: str) -> Measured:
        found = self.values.own(measure, None) if self.whole_only else self.values.get(measure, self.topic)
        return found or Measured("", measure, None, unknown="not measured")


def judge(
    values: Values, traffic: pl.DataFrame, params: ReadinessParams, not_applicable: Iterable[str], *, approximate: bool
) -> Judged:
    """Apply the table to every topic of `traffic` (topic, share), then by traffic to the whole.

    Rows from 5 on look at the effective examples of all topics that came that far: training is joint.
    """
    silenced = frozenset(not_applicable)
    topics: list[str | None] = list(traffic["topic"]) or [None]
    shares: list[float] = list(traffic["share"]) or [1.0]
    views = [_View(values, topic, params, silenced) for topic in topics]
    early = [_decide(view, approximate, rows=range(1, 5)) for view in views]
    pooled = _pool(values, [topic for topic, decided in zip(topics, early, strict=True) if decided is None], approximate)
    pooled_values = values.changed(Measured("M01", "pooled_examples", pooled))
    decided = [_decide(replace(view, values=pooled_values), approximate) or (_last_row(), ()) for view in views]
    # what would come next, every topic having what it lacks now: more topics may get as far as the joint training
    later = [replace(view, lifted=frozenset(one.key for one in found)) for view, (_, found) in zip(views, decided, strict=True)]
    joined = [view.topic for view in later if _decide(view, approximate, rows=range(1, 5)) is None]
    later_values = values.changed(Measured("M01", "pooled_examples", _pool(values, joined, approximate)))
    verdicts = []
    for view, share, (row, found) in zip(later, shares, decided, strict=True):
        then, ahead = _decide(replace(view, values=later_values), approximate) or (_last_row(), ())
        name = view.topic or "(whole set)"
        verdicts.append(TopicVerdict(name, share, row, _verdict_of(row), tuple(found), _verdict_of(then), tuple(ahead)))
    return _overall(verdicts, pooled)


def _pool(values: Values, topics: Sequence[str | None], approximate: bool) -> float:
    if approximate or topics == [None]:
        whole = values.own("effective_examples", None)
        return float(whole.value or 0) if whole and topics else 0.0
    found = [values.own("effective_examples", topic) for topic in topics]
    return float(sum(one.value or 0 for one in found if one))


def _overall(verdicts: Sequence[TopicVerdict], pooled: float) -> Judged:
    split = {name: sum(each.share for each in verdicts if each.verdict == name) for name in order()}
    split = {name: share for name, share in split.items() if any(each.verdict == name for each in verdicts)}
    blocked = [each for each in verdicts if each.row in {1, 2}]
    if blocked:
        chosen = min(blocked, key=lambda each: each.row)
    else:
        # the most traffic; of equals the worse one
        name = max(split, key=lambda each: (round(split[each], 9), -order().index(each)))
        chosen = max((each for each in verdicts if each.verdict == name), key=lambda each: each.share)
    return Judged(chosen.verdict, chosen.row, split, tuple(verdicts), pooled)


def _verdict_of(row: int) -> str:
    return str(next(each["verdict"] for each in table()["rows"] if each["row"] == row))


def _last_row() -> int:
    return int(table()["rows"][-1]["row"])


def _decide(view: _View, approximate: bool, rows: range = range(1, 7)) -> tuple[int, list[Finding]] | None:
    """The first row of `rows` with a condition that holds, and all its conditions that do."""
    for row in table()["rows"]:
        number = row["row"]
        if number not in rows or ("overridden_by" in row and getattr(view.params, row["overridden_by"])):
            continue
        seen = replace(view, whole_only=approximate and number in BLOCKING)
        findings: list[Finding] = []
        for place, condition in enumerate(row["conditions"], 1):
            key = f"{number}.{place}"
            if key in view.lifted:
                continue
            # 5.2 is about topics; where they are only clusters there is nothing to hold it against
            if seen.whole_only and condition.get("measure") == "effective_examples":
                continue
            if found := _finding(seen, condition, key):
                findings.append(found)
        if findings:
            return number, findings
    return None


def _finding(view: _View, condition: Mapping[str, Any], key: str) -> Finding | None:
    holds, shown = _test(view, condition, key)
    if not holds or shown is None:
        return None
    return replace(shown, row=int(key.partition(".")[0]), do=str(condition.get("do", shown.do)))


def _test(view: _View, condition: Mapping[str, Any], key: str) -> tuple[bool, Finding | None]:
    """Whether a condition holds, and what shows it. What compares an unknown value does not: `unknown` looks for that."""
    if "all" in condition:
        tested = [_test(view, each, key) for each in condition["all"]]
        shown = [finding for _, finding in tested if finding]
        return (True, _with_records(shown)) if all(holds for holds, _ in tested) else (False, None)
    if "any" in condition:
        tested = [_test(view, each, key) for each in condition["any"]]
        return next(((holds, finding) for holds, finding in tested if holds), (False, None))
    if "setting" in condition:
        value = getattr(view.params, condition["setting"])
        shown_setting = Finding(key, "", condition["setting"], None, None, "is", None, None, "")
        return value == condition["is"], shown_setting
    return _test_unknown(view, condition, key) if "unknown" in condition else _compare(view, condition, key)


def _compare(view: _View, condition: Mapping[str, Any], key: str) -> tuple[bool, Finding]:
    (comparison,) = condition.keys() & _HOLDS.keys()
    measured = view.get(condition["measure"])
    limit = limit_of(condition[comparison], view.params)
    finding = Finding(
        key,
        measured.metric,
        measured.measure,
        measured.value,
        measured.n,
        comparison,
        limit,
        None if condition[comparison] == NO_LIMIT else condition[comparison],
        "",
        topic=measured.topic,
        low=measured.low,
        high=measured.high,
        records=measured.records,
    )
    return measured.value is not None and bool(_HOLDS[comparison](measured.value, limit)), finding


def _with_records(shown: Sequence[Finding]) -> Finding | None:
    if not shown:
        return None
    chosen = next((each for each in shown if each.metric), shown[0])  # the first of them tells most
    return replace(chosen, records=next((each.records for each in shown if each.records), ()))


def _test_unknown(view: _View, condition: Mapping[str, Any], key: str) -> tuple[bool, Finding | None]:
    names = condition["unknown"]
    names = [names] if isinstance(names, str) else names
    missing = [
        one for one in (view.get(name) for name in names) if one.value is None and metric_of(one) not in view.not_applicable
    ]
    if not missing:
        return False, None
    first = missing[0]
    measures = tuple(one.measure for one in missing)
    shown = Finding(key, metric_of(first), first.measure, None, None, "unknown", None, None, "", first.topic, unknown=measures)
    return True, shown


def metric_of(measured: Measured) -> str:
    """The metric a measure belongs to, also where nothing measured it."""
    return measured.metric or metric_by_measure().get(measured.measure, "")


@cache
def metric_by_measure() -> dict[str, str]:
    """Measure -> metric, from metrics.yaml."""
    return {measure: metric for metric, entry in metrics().items() for measure in entry["measures"]}


@cache
def metrics() -> dict[str, dict[str, Any]]:
    """The catalogue: title, tier, definition and measures of every metric."""
    content: dict[str, dict[str, Any]] = yaml.safe_load(Path(__file__).with_name("metrics.yaml").read_text("utf-8"))
    return content
