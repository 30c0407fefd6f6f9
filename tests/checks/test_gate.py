import json
from collections.abc import Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import polars as pl
import pytest

from checks.gate import UNCHANGED, Limit, Policy, Verdict, at_least, at_most, judge, record
from pipeline.errors import SchemaError
from pipeline.params import Section
from pipeline.stage import Outcome
from pipeline.tables import Table, new_table


@pytest.fixture
def table(tmp_path: Path) -> Table:
    with new_table(tmp_path / "deduped", "dedupe", "", None) as writer:
        kept = pl.DataFrame({"conversation_id": ["a"]})
        writer.publish([writer.write("part-00000", {"source": "h"}, Outcome(kept, counts={"pairs": 3}))])
    return Table(tmp_path / "deduped")


def judged(
    table: Table,
    measures: dict[str, float | None],
    *limits: Limit,
    policy: Policy = UNCHANGED,
    history: Sequence[dict[str, float | None]] = (),
) -> Verdict:
    frame = pl.DataFrame({name: [value] for name, value in measures.items()}, schema=dict.fromkeys(measures, pl.Float64))
    check: Any = SimpleNamespace(
        measure=lambda _table, _bounds, _each: frame,
        expectations=lambda _bounds: list(limits),
        where=lambda _table, measure, _bounds, _each: iter([f"{measure} of a"]),
    )
    return judge(check, table, Section(), policy=policy, history=history)


def test_a_table_within_its_bounds_passes_and_a_bound_is_within(table: Table) -> None:
    verdict = judged(table, {"share": 0.5, "rows": 10.0}, at_most("share", 0.5), at_least("rows", 10))

    assert verdict.passed
    assert [each.margin for each in verdict.judgements] == [0.0, 0.0]


@pytest.mark.parametrize(
    ("value", "limit"),
    [(0.51, at_most("m", 0.5)), (9.0, at_least("m", 10)), (None, at_most("m", 0.5)), (float("nan"), at_least("m", 0))],
)
def test_beyond_a_bound_or_unmeasured_is_a_no(table: Table, value: float | None, limit: Limit) -> None:
    verdict = judged(table, {"m": value, "fine": 1.0}, limit, at_least("fine", 1))

    assert [each.passed for each in verdict.judgements] == [False, True]
    assert not verdict.passed


def test_a_bound_on_a_measure_nobody_takes_is_an_error_and_no_pass(table: Table) -> None:
    with pytest.raises(SchemaError) as raised:
        judged(table, {"share": 0.1}, at_most("shares", 0.5))

    assert str(raised.value) == "checks/dedupe.py: bounds a measure it does not take: 'shares'"


def test_the_report_is_written_whatever_the_verdict_and_the_pass_goes_away(table: Table, tmp_path: Path) -> None:
    reports, passed = tmp_path / "reports", tmp_path / "passed"
    good = judged(table, {"m": 1.0}, at_least("m", 1))
    record(good, reports, passed)
    assert (passed / "dedupe").read_text() == f"{table.checksum}\n"

    record(judged(table, {"m": 0.0}, at_least("m", 1)), reports, passed)
    assert not (passed / "dedupe").exists()
    written = json.loads((reports / "dedupe.json").read_text())
    assert written["passed"] is False
    said = {"measure": "m", "value": 0.0, "least": 1, "most": None, "passed": False, "severity": "stop", "margin": -1.0}
    said |= {"meaning": "", "where": ["m of a"]}
    assert written["judgements"] == [said]
    assert written["counts"] == {"pairs": 3}


def test_the_same_table_and_bounds_give_the_same_bytes(table: Table, tmp_path: Path) -> None:
    for name in ("one", "two"):
        record(judged(table, {"m": 1.0}, at_least("m", 1)), tmp_path / name, tmp_path / name)

    assert (tmp_path / "one/dedupe.json").read_bytes() == (tmp_path / "two/dedupe.json").read_bytes()


def test_a_limit_that_only_warns_stops_nothing_and_stands_in_the_verdict(table: Table) -> None:
    policy = Policy(warn=["dedupe.m"], max_change={}, runs=1)
    verdict = judged(table, {"m": 2.0, "n": 1.0}, at_most("m", 1), at_most("n", 1), policy=policy)

    assert verdict.passed
    assert [(each.passed, each.severity) for each in verdict.judgements] == [(False, "warn"), (True, "stop")]
    assert not judged(table, {"m": 2.0, "n": 2.0}, at_most("m", 1), at_most("n", 1), policy=policy).passed


def test_a_warning_about_a_measure_without_a_bound_is_an_error(table: Table) -> None:
    with pytest.raises(SchemaError, match=r"judging\.warn: dedupe has no bound on 'shares'"):
        judged(table, {"m": 2.0}, at_most("m", 1), policy=Policy(warn=["dedupe.shares"], max_change={}, runs=1))


@pytest.mark.parametrize(
    ("before", "now", "passed"),
    [
        ([10.0, 12.0, 11.0], 13.0, True),
        ([10.0, 12.0, 11.0], 14.0, False),
        ([10.0, 12.0, 11.0], 8.0, False),
        ([90.0, 10.0, 12.0, 11.0], 14.0, False),  # the median of the last three
        ([10.0, 12.0], 99.0, True),  # too few to compare with
        ([10.0, None, 12.0, 11.0], 14.0, False),
    ],
)
def test_a_bound_may_follow_the_median_of_the_last_runs(
    table: Table, before: list[float | None], now: float, passed: bool
) -> None:
    policy = Policy(warn=[], max_change={"dedupe.m": 0.2, "emit.m": 0.0}, runs=3)

    assert judged(table, {"m": now}, policy=policy, history=[{"m": value} for value in before]).passed is passed
