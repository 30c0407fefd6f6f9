"""Measure everything, apply the verdict table, work out what would move it."""

from collections.abc import Callable
from dataclasses import asdict, dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any, Final

import polars as pl

from checks.readiness.advice import advise, bounds_of, show
from checks.readiness.corpus import Corpus
from checks.readiness.evidence import KINDS, Evidence, read_evidence
from checks.readiness.measured import Measured, Values
from checks.readiness.measures import MEASURES
from checks.readiness.reading import read_corpus
from checks.readiness.settings import ReadinessParams
from checks.readiness.verdict import Finding, Judged, TopicVerdict, judge, limit_of, limits, metric_by_measure, metrics, order
from pipeline.errors import ParamsError
from pipeline.tables import Table

DECIMALS: Final = 6
"""Every number is rounded when it leaves: the order of a sum may not reach a file."""

NEUTRAL: Final = "use-rag-or-prompting"

EVIDENCE_FOR: Final = {
    "audit": "M05 defects and M15 leaks, by people",
    "planted": "M16 recall of scrub",
    "scores": "M29 baselines and pilots",
    "judges": "M24, only where a model judged",
    "sent": "M19, only where records were sent outside this line",
    "swaps": "M22, only where a model wrote answers",
    "live": "M12 and M13, what customers ask today",
}


@dataclass(frozen=True)
class Assessment:
    """All that was measured and what follows from it; numbers, ids and names only."""

    judged: Judged
    values: Values
    tables: dict[str, pl.DataFrame]
    params: ReadinessParams
    not_applicable: dict[str, str]
    table: str
    """Checksum of the last table of the line: what was assessed."""
    fingerprint: str
    """Of the tables, the params and the evidence."""
    data_until: str | None
    """Day of the latest exported conversation."""
    exported: int
    looked_at: int
    approximate_topics: bool
    missing_evidence: dict[str, str]
    stages: tuple[str, ...]

    @property
    def verdict(self) -> str:
        """One of the verdicts of the table."""
        return self.judged.verdict

    def metrics(self) -> dict[str, Any]:
        """Flat: what `dvc metrics diff` compares; null is unknown."""
        flat: dict[str, Any] = {
            each.measure: tidy(each.value) for each in sorted(self.values, key=lambda v: v.measure) if each.topic is None
        }
        shares = {f"traffic {name}": tidy(self.judged.split.get(name, 0.0)) for name in order()}
        return {"verdict": self.verdict, "verdict_rank": order().index(self.verdict), **shares, **flat}

    def limits(self) -> list[dict[str, Any]]:
        """Every limit in force: name, value, shipped value, meaning, origin."""
        return [
            {
                "name": name,
                "value": limit_of(name, self.params),
                "shipped": entry["shipped"],
                "means": entry["means"],
                "origin": entry["origin"]
                if float(getattr(self.params.limits, name)) == float(entry["shipped"])
                else "set by the owner",
            }
            for name, entry in limits().items()
        ]

    def findings_of(self, topic: TopicVerdict, *, ahead: bool = False) -> list[dict[str, Any]]:
        """The conditions that decided a topic, or would decide next, with what would lift them."""
        named = None if topic.topic == "(whole set)" else topic.topic
        return [_describe(finding, named, self) for finding in (topic.ahead if ahead else topic.findings)]

    @property
    def then(self) -> dict[str, float]:
        """Verdict -> share of traffic, if every topic had what it lacks now."""
        shares = {name: sum(each.share for each in self.judged.topics if each.then == name) for name in order()}
        return {name: share for name, share in shares.items() if share}

    def to_json(self) -> dict[str, Any]:
        """Everything, as plain JSON values."""
        measured = sorted(self.values, key=lambda v: (v.metric, v.measure, v.topic or ""))
        return {
            "verdict": self.verdict,
            "row": self.judged.row,
            "traffic": {name: tidy(share) for name, share in self.judged.split.items()},
            "data_until": self.data_until,
            "table": self.table,
            "fingerprint": self.fingerprint,
            "stages": list(self.stages),
            "exported": self.exported,
            "looked_at": self.looked_at,
            "approximate_topics": self.approximate_topics,
            "override_privacy_unmeasured": self.params.override_privacy_unmeasured,
            "goal": self.params.goal,
            "target": self.params.target,
            "missing_evidence": self.missing_evidence,
            "not_applicable": self.not_applicable,
            "then": {name: tidy(share) for name, share in self.then.items()},
            "topics": [
                {
                    "topic": each.topic,
                    "share": tidy(each.share),
                    "row": each.row,
                    "verdict": each.verdict,
                    "then": each.then,
                    "because": self.findings_of(each),
                    "ahead": self.findings_of(each, ahead=True),
                }
                for each in self.judged.topics
            ],
            "values": [_plain(each) for each in measured],
            "limits": self.limits(),
            "tables": {
                name: [_tidy_row(row) for row in table.iter_rows(named=True)] for name, table in sorted(self.tables.items())
            },
        }


def assess(last: Table, params: ReadinessParams, progress: Callable[[int, int], None] = lambda _done, _all: None) -> Assessment:
    """Assess the line that ends in `last`; reads only.

    Raises:
        TableError: the line has no validated table, or one of it is missing.
        ParamsError: a declaration names what does not exist.
        SourceError: an evidence file is not what its kind promises.
    """
    evidence = read_evidence(Path(params.evidence))
    corpus = read_corpus(last, params)
    values: list[Measured] = []
    tables: dict[str, pl.DataFrame] = {}
    for done, measure in enumerate(MEASURES.values(), 1):
        reading = measure(corpus, evidence, params)
        values += reading.values
        tables |= reading.tables
        progress(done, len(MEASURES))
    not_applicable = _not_applicable(params, evidence)
    looked_up = Values(_complete(values))
    judged = judge(looked_up, corpus.traffic, params, not_applicable, approximate=corpus.approximate_topics)
    looked_up = looked_up.changed(Measured("M01", "pooled_examples", judged.pooled_examples))
    latest = corpus.conversations["opened_at"].max()
    return Assessment(
        judged=judged,
        values=looked_up,
        tables=tables,
        params=params,
        not_applicable=not_applicable,
        table=last.checksum,
        fingerprint=_fingerprint(corpus, params, evidence),
        data_until=str(latest)[:10] if latest is not None else None,
        exported=corpus.exported,
        looked_at=corpus.conversations.height,
        approximate_topics=corpus.approximate_topics,
        missing_evidence={kind: EVIDENCE_FOR[kind] for kind in KINDS if evidence.get(kind) is None},
        stages=tuple(corpus.line),
    )


def meets(verdict: str, required: str) -> bool:
    """Whether a verdict is at or above what is asked for; the neutral one only where it is asked for, or less is."""
    ranks = order()
    if NEUTRAL in {verdict, required}:
        return (
            verdict == required
            or (verdict == NEUTRAL and ranks.index(required) < ranks.index(NEUTRAL))
            or (required == NEUTRAL and ranks.index(verdict) > ranks.index(NEUTRAL))
        )
    return ranks.index(verdict) >= ranks.index(required)


def tidy(value: float | None) -> float | int | None:
    """Rounded; whole numbers without a fraction; what is not finite is no number in JSON."""
    if value is None or value != value or value in {float("inf"), float("-inf")}:  # noqa: PLR0124  # NaN
        return None
    rounded = round(float(value), DECIMALS)
    return int(rounded) if rounded.is_integer() else rounded


def _tidy_row(row: dict[str, Any]) -> dict[str, Any]:
    return {name: tidy(value) if isinstance(value, float) else value for name, value in row.items()}


def _plain(each: Measured) -> dict[str, Any]:
    plain = {
        **asdict(each),
        "records": list(each.records),
        "value": tidy(each.value),
        "low": tidy(each.low),
        "high": tidy(each.high),
    }
    return {name: value for name, value in plain.items() if value not in (None, [], "") or name == "value"}


def _complete(values: list[Measured]) -> list[Measured]:
    """Every measure of the catalogue; what nothing measured is unknown, and says so."""
    there = {each.measure for each in values if each.topic is None}
    missing = [
        Measured(metric, measure, None, unknown="not measured")
        for measure, metric in metric_by_measure().items()
        if measure not in there and measure != "pooled_examples"
    ]
    return [*values, *missing]


def _not_applicable(params: ReadinessParams, evidence: Evidence) -> dict[str, str]:
    """Metric -> reason. It silences what is unknown; a value that was measured counts all the same."""
    known = metrics()
    if strange := [name for name in params.not_applicable if name not in known]:
        raise ParamsError(f"readiness.not_applicable: no metric {strange[0]!r}; there are {', '.join(known)}")
    if empty := [name for name, reason in params.not_applicable.items() if not reason.strip()]:
        raise ParamsError(f"readiness.not_applicable.{empty[0]}: needs a written reason")
    reasons = {name: f"owner: {reason}" for name, reason in params.not_applicable.items()}
    if not params.style.is_given:
        reasons.setdefault("M08", "no style is declared (readiness.style)")
    scores = evidence.get("scores")
    if evidence.get("judges") is None and (scores is None or scores["judge"].drop_nulls().is_empty()):
        reasons.setdefault("M24", "no model judged anything")
    return dict(sorted(reasons.items()))


def _describe(finding: Finding, topic: str | None, assessment: Assessment) -> dict[str, Any]:
    entry = limits().get(finding.limit_name or "", {})
    moved = entry and float(getattr(assessment.params.limits, str(finding.limit_name))) != float(entry["shipped"])
    return {
        "condition": finding.key,
        "metric": finding.metric,
        "measure": finding.measure,
        "topic": finding.topic,
        "value": tidy(finding.value),
        "shown": show(finding.value, finding.measure) if finding.value is not None else "unknown",
        "bounds": bounds_of(finding),
        "comparison": finding.comparison,
        "limit": tidy(finding.limit),
        "limit_shown": show(finding.limit, finding.measure) if finding.limit is not None else "",
        "limit_name": finding.limit_name,
        "origin": "set by the owner" if moved else entry.get("origin", ""),
        "n": finding.n,
        "unknown": [
            {"measure": name, "metric": metric_by_measure().get(name, ""), "why": _why(name, topic, assessment.values)}
            for name in finding.unknown
        ],
        "records": list(finding.records),
        "do": advise(finding, topic, assessment.values, assessment.params),
    }


def _why(measure: str, topic: str | None, values: Values) -> str:
    found = values.get(measure, topic)
    return (found.unknown or "not measured") if found else "not measured"


def _fingerprint(corpus: Corpus, params: ReadinessParams, evidence: Evidence) -> str:
    parts = [table.checksum for table in corpus.line.values()]
    parts += [f"{kind}{rows.write_csv()}" for kind, rows in sorted(evidence.frames.items())]
    # where the evidence lies is not what it says
    return sha256("\n".join([params.model_copy(update={"evidence": ""}).fingerprint(), *parts]).encode()).hexdigest()[:16]
