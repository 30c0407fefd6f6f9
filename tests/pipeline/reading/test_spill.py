"""The spill: every row comes back once, whatever the order and however often it was flushed."""

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.errors import TableError
from pipeline.reading import spill
from pipeline.reading.drafts import Referent, Row
from pipeline.reading.references import ReferentWriter, open_referents
from pipeline.reading.spill import SpillWriter, is_finished, rows_between

IDS = st.integers(0, 2**64 - 1)
ROWS = st.builds(Row, st.integers(0, 9), st.integers(0, 2**40), st.text(max_size=9), st.binary(max_size=99), st.text(max_size=9))


@settings(deadline=None)
@given(rows=st.lists(st.tuples(IDS, ROWS), max_size=40), flush=st.integers(1, 4000), least=IDS, most=IDS)
def test_every_row_of_a_range_comes_back_once(
    tmp_path_factory: pytest.TempPathFactory, rows: list[tuple[int, Row]], flush: int, least: int, most: int
) -> None:
    path = tmp_path_factory.mktemp("spill") / "unit.rows"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(spill, "FLUSH_BYTES", flush)
        patch.setattr(spill, "COMPACT_ROWS", 3)
        writer = SpillWriter(path)
        for row_id, row in rows:
            writer.add(row_id, row)
        index = writer.finish()

    assert sorted(rows_between(path, least, most)) == sorted(each for each in rows if least <= each[0] <= most)
    sizes: dict[int, list[int]] = {}
    for row_id, row in rows:
        sizes.setdefault(row_id, []).append(len(row.payload))
    assert list(index.iter_rows()) == [(row_id, len(each), sum(each)) for row_id, each in sorted(sizes.items())]


def test_a_spill_that_was_not_finished_is_none(tmp_path: Path) -> None:
    writer = SpillWriter(tmp_path / "unit.rows")
    writer.add(1, Row(0, 1, "a", b"{}"))

    assert not is_finished(tmp_path / "unit.rows")
    writer.abandon()
    assert list(tmp_path.iterdir()) == []


def test_a_damaged_spill_is_named(tmp_path: Path) -> None:
    writer = SpillWriter(tmp_path / "unit.rows")
    writer.add(1, Row(0, 1, "a", b"{}"))
    writer.finish()
    (tmp_path / "unit.rows").write_bytes(b"")

    with pytest.raises(TableError, match=r"unit.rows: cannot be read back; run ingest again$"):
        list(rows_between(tmp_path / "unit.rows", 0, 2**64 - 1))


def test_of_a_user_that_is_stated_twice_the_later_holds(tmp_path: Path) -> None:
    writer = ReferentWriter(tmp_path / "unit.referents")
    for payload in (b'{"name": "old"}', b'{"name": "new"}'):
        writer.add(Referent("user", "7", payload))
    writer.finish()
    find = open_referents(tmp_path / "unit.referents")

    assert (find("user", "7"), find("user", "8"), find("group", "7")) == ({"name": "new"}, None, None)
