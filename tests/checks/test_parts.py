from collections.abc import Callable, Sequence
from pathlib import Path

import polars as pl
import pytest

from checks import ingest
from checks.parts import Counts, every_part, remembering
from pipeline.params import load_section
from pipeline.stage import Outcome
from pipeline.tables import Part, Table, new_table
from tests.build import turn
from tests.checks.test_ingest import SOUND, table_of


@pytest.fixture
def table(tmp_path: Path) -> Callable[..., Table]:
    """Makes a table of one part per argument, which holds the conversations of those ids."""

    def make(*parts: list[str]) -> Table:
        with new_table(tmp_path / "table", "validate", "", None) as writer:
            written = [
                writer.write(f"part-{number:05d}", {"source": repr(ids)}, Outcome(pl.DataFrame({"conversation_id": ids})))
                for number, ids in enumerate(parts)
            ]
            writer.publish(written)
        return Table(tmp_path / "table")

    return make


def counted(table: Table, memory: Path, decides: str = "", *, is_settled: bool = True) -> tuple[list[Counts], list[str]]:
    """What was found, and the parts that were read for it."""
    read: list[str] = []

    def count(part: Part, _: Part | None) -> Counts:
        read.append(part.name)
        return {"rows": table.read(part).height}

    return remembering(memory)(table, count, [decides], lambda _: is_settled), read


def test_only_new_parts_are_counted_again(table: Callable[..., Table], tmp_path: Path) -> None:
    assert counted(table(["a"], ["b", "c"]), tmp_path / "m") == ([{"rows": 1}, {"rows": 2}], ["part-00000", "part-00001"])
    assert counted(table(["a"], ["b", "c"]), tmp_path / "m") == ([{"rows": 1}, {"rows": 2}], [])
    assert counted(table(["a"], ["b"], ["d"]), tmp_path / "m") == ([{"rows": 1}] * 3, ["part-00001", "part-00002"])


def test_a_file_changed_behind_the_manifests_back_is_counted_again(table: Callable[..., Table], tmp_path: Path) -> None:
    made = table(["a"], ["b"])
    counted(made, tmp_path / "m")
    pl.DataFrame({"conversation_id": ["b", "x"]}).write_parquet(made.path(made.manifest.parts[1]))

    assert counted(made, tmp_path / "m") == ([{"rows": 1}, {"rows": 2}], ["part-00001"])


def test_what_else_decides_the_counts_and_what_another_day_may_change_is_counted_again(
    table: Callable[..., Table], tmp_path: Path
) -> None:
    made = table(["a"])
    counted(made, tmp_path / "m", "one bound")

    assert counted(made, tmp_path / "m", "another", is_settled=False)[1] == ["part-00000"]
    assert counted(made, tmp_path / "m", "another")[1] == ["part-00000"]


def test_a_memory_cut_off_is_counted_again_and_mended(table: Callable[..., Table], tmp_path: Path) -> None:
    (tmp_path / "m").write_text('{"cut')

    assert counted(table(["a"]), tmp_path / "m") == ([{"rows": 1}], ["part-00000"])
    assert counted(table(["a"]), tmp_path / "m")[1] == []


def test_remembered_counts_give_the_measures_that_fresh_ones_give(tmp_path: Path) -> None:
    bounds = load_section(ingest.Bounds, "gates.ingest", [Path("params.yaml")])
    found = table_of(tmp_path, [*SOUND, {**SOUND[0], "conversation_id": "z", "turns": [turn("customer", "caf\ufffd <br>")]}])
    fresh = ingest.measure(found, bounds, every_part)

    for _ in range(2):
        assert ingest.measure(found, bounds, remembering(tmp_path / "m")).equals(fresh)


def test_what_is_decided_by_the_same_is_counted_once_and_what_nobody_asks_for_is_forgotten(tmp_path: Path) -> None:
    def night(*asked: str) -> list[str]:
        counted: list[str] = []

        def count(numbers: Sequence[int]) -> list[Counts]:
            counted.extend(asked[number] for number in numbers)
            return [{"length": len(asked[number])} for number in numbers]

        found = remembering(tmp_path / "m").of_each(asked, count)
        assert found == [{"length": len(name)} for name in asked]
        return counted

    assert night("a", "bb") == ["a", "bb"]
    assert night("bb", "ccc") == ["ccc"]
    assert night("a", "bb") == ["a"]
