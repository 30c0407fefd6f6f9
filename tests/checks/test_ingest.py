"""The gate after ingest: the sample passes, and each fault put into a table is seen."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import polars as pl
import pytest

from checks.gate import judge
from checks.ingest import Bounds, expectations, measure
from pipeline import ingest
from pipeline.params import load_section
from pipeline.parts import Means
from pipeline.schema import DROPPED, INGESTED, QUARANTINED
from pipeline.stage import Outcome
from pipeline.tables import Table, new_table
from tests.build import KEY, conversation, conversations, turn

ROOT: Final = Path(__file__).parent.parent.parent
BOUNDS: Final = load_section(Bounds, "gates.ingest", [ROOT / "params.yaml"])
SOUND: Final = [conversation(number, "Where is my order?", "On its way.") for number in range(20)]


def table_of(
    folder: Path,
    found: list[dict[str, Any]],
    quarantined: list[tuple[str, int, str, str]] | None = None,
    dropped: list[tuple[str, str, str]] | None = None,
    **counts: int,
) -> Table:
    kept = conversations([{**row, "native_id": "n", "participants": []} for row in found], INGESTED)
    aside = pl.DataFrame(quarantined or [], schema=QUARANTINED, orient="row")
    rows = {"rows_kept": kept.height, "rows_dropped": len(dropped or []), "rows_quarantined": aside.height}
    outcome = Outcome(
        kept,
        pl.DataFrame(dropped or [], schema=DROPPED, orient="row"),
        {"quarantined": aside},
        {**rows, "rows_read": sum(rows.values()), **counts},
    )
    with new_table(folder / "ingested", "ingest", "x", given=None) as writer:
        writer.publish([writer.write("part-00000", {"a": "a"}, outcome)])
    return Table(folder / "ingested")


def failed(table: Table) -> set[str]:
    row = measure(table, BOUNDS).row(0, named=True)
    broken = set()
    for limit in expectations(BOUNDS):
        value = row[limit.measure]
        low, high = limit.least is not None and value < limit.least, limit.most is not None and value > limit.most
        if low or high:
            broken.add(limit.measure)
    return broken


def test_a_sound_table_passes(tmp_path: Path) -> None:
    assert failed(table_of(tmp_path, SOUND)) == set()


def test_the_sample_passes_with_great_expectations(tmp_path: Path) -> None:
    section = load_section(ingest.IngestParams, "ingest", [ROOT / "params.yaml"])
    ingest.run(ROOT / "data/raw/received", tmp_path / "ingested", section, Means(KEY))
    import checks.ingest as check  # noqa: PLC0415  # judged as a module, as the command line does

    verdict = judge(check, Table(tmp_path / "ingested"), BOUNDS)

    assert [each.measure for each in verdict.judgements if not each.passed] == []
    assert verdict.passed


def mutated(**change: Any) -> list[dict[str, Any]]:
    return [SOUND[0] | {"turns": [turn("customer", "Hi"), turn("agent", "Yes", 1) | change]}, *SOUND[1:]]


@pytest.mark.parametrize(
    ("found", "more", "measures"),
    [
        (SOUND[:3], {}, {"conversations"}),
        ([*SOUND, SOUND[0]], {}, {"repeated_ids"}),
        (SOUND, {"rows_read": 25}, {"unbalanced_rows"}),
        (SOUND, {"quarantined": [("a", 1, "bad_time", "at")]}, {"quarantined_share"}),
        (SOUND, {"quarantined": [("a", 1, "duplicate_id", "b")] * 9}, set()),
        (SOUND, {"quarantined": [("a", 0, "unreadable_file", "")] * 2}, {"quarantined_share", "unreadable_files"}),
        (SOUND, {"dropped": [(f"d{number}", "no_messages", "") for number in range(5)]}, {"dropped_share"}),
        ([row | {"turns": [turn("agent", "Yes")]} for row in SOUND], {}, {"without_customer_share", "customer_turn_share"}),
        (mutated(sent_at=datetime(1970, 1, 21, tzinfo=UTC)), {}, {"implausible_time_share", "backward_share"}),
        (mutated(sent_at=datetime(2970, 1, 21, tzinfo=UTC)), {}, {"implausible_time_share"}),
        (mutated(text="sch\u00c3\u00b6n"), {}, {"mojibake_share"}),
        (mutated(text="it\u00e2\u20ac\u2122s"), {}, {"mojibake_share"}),
        (mutated(text="bl\ufffdd"), {}, {"mojibake_share"}),
        (mutated(text="schön, Änderung, ÃO"), {}, set()),
        (mutated(text="<p>Hi</p>"), {}, {"markup_share"}),
        (mutated(text="a < b > c <3"), {}, set()),
        (mutated(text="a\x00b"), {}, {"control_turns"}),
        (mutated(text=" "), {}, {"empty_turns"}),
    ],
)
def test_each_fault_is_seen_and_nothing_else(
    tmp_path: Path, found: list[dict[str, Any]], more: dict[str, Any], measures: set[str]
) -> None:
    assert failed(table_of(tmp_path, found, **more)) == measures


def test_a_source_without_times_has_no_implausible_ones(tmp_path: Path) -> None:
    timeless = [
        row | {"opened_at": None, "turns": [turn(who, "Hi", sent_at=None) for who in ("customer", "agent")]} for row in SOUND
    ]

    assert failed(table_of(tmp_path, timeless)) == set()
