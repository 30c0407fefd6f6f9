"""Judge a table: measure, compare with bounds in Great Expectations, report, and let the line go on or stop it.

The measures of a stage live in `checks/<stage>.py`; here they are only judged. A measure that could not be taken is null,
and null fails: unmeasured is never a pass.
"""

import math
import os
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from itertools import islice
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, Any, Final, Literal, Protocol

import polars as pl
from pydantic import Field

from checks.parts import EachPart, every_part
from pipeline.errors import CurationError, SchemaError
from pipeline.params import Section
from pipeline.tables import Table, translated_errors, write_json

if TYPE_CHECKING:
    from great_expectations.datasource.fluent.interfaces import Batch
    from great_expectations.expectations.expectation import Expectation


@dataclass(frozen=True)
class Limit:
    """One bound on one measure; either side may be open."""

    measure: str
    least: float | None = None
    most: float | None = None
    meaning: str = ""
    """What the measure counts, for whoever meets it at night; docs/gates.md says the same, with causes and remedies."""


def at_least(measure: str, bound: float, meaning: str = "") -> Limit:
    """The measure must not lie below `bound`."""
    return Limit(measure, bound, None, meaning)


def at_most(measure: str, bound: float, meaning: str = "") -> Limit:
    """The measure must not lie above `bound`."""
    return Limit(measure, None, bound, meaning)


class Policy(Section):
    """Section `judging` of params.yaml: what every gate does with its limits. docs/night.md says when to change it."""

    warn: list[str]
    """Measures, as `stage.measure`, beyond whose bounds a gate warns and does not stop the line."""

    max_change: dict[str, float]
    """Measure, as `stage.measure` -> largest distance from the median of the last runs, as a share of that median."""

    runs: int = Field(ge=1)
    """Good runs that the median is taken of; before there are so many, nothing is compared."""

    def of_history(self, stage: str, history: Sequence[Mapping[str, float | None]]) -> list[Limit]:
        """Limits relative to what the stage measured in earlier good runs, oldest first."""
        limits = []
        for name, share in self.max_change.items():
            own, _, measure = name.partition(".")
            values = [value for run in history if (value := run.get(measure)) is not None][-self.runs :]
            if own == stage and len(values) == self.runs:
                usual = median(values)
                meaning = f"held against the median of the last {self.runs} good runs (judging.max_change)"
                limits.append(Limit(measure, usual - share * abs(usual), usual + share * abs(usual), meaning))
        return limits


UNCHANGED: Final = Policy(warn=[], max_change={}, runs=1)
"""Every limit stops the line, and none comes from the history."""


class Check(Protocol):
    """What a module `checks/<stage>.py` offers."""

    Bounds: type[Section]

    @staticmethod
    def measure(table: Table, bounds: Any, each: EachPart = ...) -> pl.DataFrame:
        """One row, one column per measure: numbers only; null where a measure could not be taken.

        `each` has every part counted; one that remembers makes a night's gate cost what is new.
        """

    @staticmethod
    def expectations(bounds: Any) -> list[Limit]:
        """The bounds as limits on measures."""

    @staticmethod
    def where(table: Table, measure: str, bounds: Any, each: EachPart = ...) -> Iterator[str]:
        """What made the measure what it is, one by one: ids, reasons, parts, lines; no text, no name of a received file.

        Only asked for a limit that is not met. Nothing where that cannot be told.
        """


@dataclass(frozen=True)
class Judgement:
    """One measure against its bound."""

    measure: str
    value: float | None
    least: float | None
    most: float | None
    passed: bool
    severity: Literal["stop", "warn"] = "stop"
    """Whether the line stops when it is not met."""

    meaning: str = ""
    """What the measure counts."""

    where: Sequence[str] = ()
    """Of a limit that is not met: a few of the conversations, reasons, parts or lines that made it so."""

    @property
    def margin(self) -> float | None:
        """Distance to the nearer bound, negative beyond it; None for a measure that could not be taken."""
        if self.value is None:
            return None
        above = math.inf if self.least is None else self.value - self.least
        below = math.inf if self.most is None else self.most - self.value
        return min(above, below)


@dataclass(frozen=True)
class Verdict:
    """What a gate said of a table."""

    stage: str
    table: str
    """Checksum of the table that was judged."""

    passed: bool
    judgements: Sequence[Judgement]
    measures: dict[str, float | None]
    """Every measure taken, those without a bound too."""

    kept: int
    dropped: dict[str, int]
    """Conversations by reason."""

    counts: dict[str, int]

    def to_json(self) -> dict[str, Any]:
        """The verdict as plain JSON values."""
        return {**asdict(self), "judgements": [{**asdict(each), "margin": each.margin} for each in self.judgements]}


def judge(
    check: Check,
    table: Table,
    bounds: Section,
    each: EachPart = every_part,
    policy: Policy = UNCHANGED,
    history: Sequence[Mapping[str, float | None]] = (),
) -> Verdict:
    """Measure a table, its parts by means of `each`, and judge the measures.

    `history`: the measures of this gate in earlier good runs, oldest first.

    Raises:
        SchemaError: the check or the policy bounds a measure that is not taken, or it took no single row of numbers.
    """
    stage = table.manifest.stage
    measures = check.measure(table, bounds, each)
    limits = [*check.expectations(bounds), *policy.of_history(stage, history)]
    if measures.height != 1:
        raise SchemaError(f"checks/{stage}.py: measured {measures.height} rows, needs exactly 1")
    if unknown := {limit.measure for limit in limits} - set(measures.columns):
        raise SchemaError(f"checks/{stage}.py: bounds a measure it does not take: {min(unknown)!r}")
    warned = {name.removeprefix(f"{stage}.") for name in policy.warn if name.startswith(f"{stage}.")}
    if unknown := warned - {limit.measure for limit in limits}:
        raise SchemaError(f"judging.warn: {stage} has no bound on {min(unknown)!r}; correct the params")
    values = {
        name: None if value is None or math.isnan(value) else float(value) for name, value in measures.row(0, named=True).items()
    }
    fulfilled = met(values, limits)
    judgements = [
        Judgement(
            limit.measure,
            values[limit.measure],
            limit.least,
            limit.most,
            ok,
            "warn" if limit.measure in warned else "stop",
            limit.meaning,
            () if ok else _few(check.where(table, limit.measure, bounds, each)),
        )
        for limit, ok in zip(limits, fulfilled, strict=True)
    ]
    return Verdict(
        stage=stage,
        table=table.checksum,
        passed=all(each.passed or each.severity == "warn" for each in judgements),
        judgements=judgements,
        measures=values,
        kept=table.manifest.total("kept"),
        dropped=table.manifest.reasons,
        counts=table.manifest.counts,
    )


FEW: Final = 5


def _few(places: Iterator[str]) -> tuple[str, ...]:
    try:
        first = tuple(islice(places, FEW + 1))
    except (CurationError, OSError):  # what cannot be read is the finding itself
        return ()
    return first if len(first) <= FEW else (*first[:FEW], "…")


def met(values: Mapping[str, float | None], limits: Sequence[Limit]) -> list[bool]:
    """Ask Great Expectations whether each limit is met."""
    if not limits:
        return []
    batch, expectations = asked_of_great_expectations(values, limits)
    successes = [bool(batch.validate(expectation).success) for expectation in expectations]
    return [there and within for there, within in zip(successes[::2], successes[1::2], strict=True)]


def asked_of_great_expectations(
    values: Mapping[str, float | None], limits: Sequence[Limit], warned: Collection[str] = ()
) -> "tuple[Batch, list[Expectation]]":
    """The measures as a batch of one row, and two expectations per limit.

    The context of it leaves nothing behind and calls nobody.

    `warned`: measures whose expectations are marked as warnings.
    """
    os.environ["GX_ANALYTICS_ENABLED"] = "false"  # read when great_expectations is imported
    import great_expectations as gx  # noqa: PLC0415  # takes seconds; only a gate needs it
    import pandas as pd  # noqa: PLC0415  # comes with great_expectations
    from great_expectations.expectations.core.expect_column_values_to_be_between import (  # noqa: PLC0415
        ExpectColumnValuesToBeBetween,
    )
    from great_expectations.expectations.core.expect_column_values_to_not_be_null import (  # noqa: PLC0415
        ExpectColumnValuesToNotBeNull,
    )
    from great_expectations.expectations.metadata_types import FailureSeverity  # noqa: PLC0415

    context = gx.get_context(mode="ephemeral")
    context.variables.progress_bars = {"globally": False}  # type: ignore[assignment]  # accepts a mapping, typed as its own class
    frame = pd.DataFrame({name: [math.nan if value is None else value] for name, value in values.items()}, dtype="float64")
    definition = (
        context.data_sources.add_pandas("measures")
        .add_dataframe_asset("measures")
        .add_batch_definition_whole_dataframe("one row")
    )
    batch = definition.get_batch({"dataframe": frame})
    expectations: list[Expectation] = []
    for limit in limits:
        severity = FailureSeverity.WARNING if limit.measure in warned else FailureSeverity.CRITICAL
        # a comparison with a missing value passes in Great Expectations, so being there is an expectation of its own
        expectations += [
            ExpectColumnValuesToNotBeNull(column=limit.measure, severity=severity),
            ExpectColumnValuesToBeBetween(column=limit.measure, min_value=limit.least, max_value=limit.most, severity=severity),
        ]
    return batch, expectations


def record(verdict: Verdict, reports: Path | None, passed: Path | None) -> None:
    """Write the report, its numbers alone for `dvc metrics`, and the pass where there is one; None: that one is not kept.

    `passed/<stage>` holds the checksum of the table.

    A pass names the table and not the verdict, so a moved bound does not make the stages after it run again.
    """
    if passed:
        with translated_errors(passed):
            passed.mkdir(parents=True, exist_ok=True)
            (passed / verdict.stage).unlink(missing_ok=True)
    if reports:
        with translated_errors(reports):
            (reports / "metrics").mkdir(parents=True, exist_ok=True)
            write_json(reports / f"{verdict.stage}.json", verdict.to_json())
            numbers = {name: value for name, value in verdict.measures.items() if value is not None}
            write_json(reports / "metrics" / f"{verdict.stage}.json", {"passed": int(verdict.passed), **numbers})
    if passed and verdict.passed:
        with translated_errors(passed):
            (passed / verdict.stage).write_text(verdict.table + "\n", "ascii")
