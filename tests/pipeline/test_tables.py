import os
import resource
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path

import polars as pl
import pytest

from pipeline import tables
from pipeline.errors import TableError
from pipeline.stage import Outcome
from pipeline.tables import Manifest, Table, new_table


def outcome(*ids: str) -> Outcome:
    return Outcome(pl.DataFrame({"conversation_id": ids}, schema={"conversation_id": pl.String}))


def make(target: Path, contents: Mapping[str, Outcome], fingerprint: str = "p1", given: Table | None = None) -> Manifest:
    """Write a table with one part per entry: its input hash -> what it holds; reuses what it can."""
    with new_table(target, "dedupe", fingerprint, given) as writer:
        parts = []
        for number, (digest, content) in enumerate(contents.items()):
            name, inputs = f"part-{number:05d}", {"source": digest}
            parts.append(writer.reuse(name, inputs) or writer.write(name, inputs, content))
        return writer.publish(parts)


def files(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


def ids(table: Table) -> list[list[str]]:
    return [table.read(part)["conversation_id"].to_list() for part in table.manifest.parts]


def test_a_table_is_its_parts_and_a_manifest_and_leaves_nothing_beside_itself(tmp_path: Path) -> None:
    make(tmp_path / "deduped", {"h1": outcome("a", "b"), "h2": outcome("c")})

    table = Table(tmp_path / "deduped")
    assert ids(table) == [["a", "b"], ["c"]]
    assert table.manifest.total("kept") == 3
    assert [path.name for path in tmp_path.iterdir()] == ["deduped"]
    assert set(files(table.folder)) == {f"{frame}/part-0000{n}.parquet" for frame in ("kept", "dropped") for n in (0, 1)} | {
        "_manifest.json"
    }


def test_the_same_content_is_the_same_bytes(tmp_path: Path) -> None:
    contents = {"h1": outcome("a", "b"), "h2": outcome("c")}
    make(tmp_path / "one" / "deduped", contents)
    make(tmp_path / "two" / "deduped", contents)

    assert files(tmp_path / "one") == files(tmp_path / "two")


def test_a_part_with_unchanged_inputs_is_reused_under_its_new_number(tmp_path: Path) -> None:
    make(tmp_path / "deduped", {"h1": outcome("a")})
    make(tmp_path / "deduped", {"h0": outcome("new"), "h1": outcome("made again")})

    assert ids(Table(tmp_path / "deduped")) == [["new"], ["a"]]


def test_a_part_made_from_several_inputs_is_reused_whatever_their_order(tmp_path: Path) -> None:
    for text in ("a", "made again"):
        with new_table(tmp_path / "deduped", "dedupe", "p1", None) as writer:
            inputs = {"source": "h1", "index": "h2"}
            writer.publish([writer.reuse("part-00000", inputs) or writer.write("part-00000", inputs, outcome(text))])

    assert ids(Table(tmp_path / "deduped")) == [["a"]]


def test_another_fingerprint_makes_every_part_anew(tmp_path: Path) -> None:
    make(tmp_path / "deduped", {"h1": outcome("a")})
    make(tmp_path / "deduped", {"h1": outcome("made again")}, fingerprint="p2")

    assert ids(Table(tmp_path / "deduped")) == [["made again"]]


def test_a_damaged_part_is_not_reused(tmp_path: Path) -> None:
    make(tmp_path / "deduped", {"h1": outcome("a")})
    (tmp_path / "deduped/kept/part-00000.parquet").write_bytes(b"PAR1")
    make(tmp_path / "deduped", {"h1": outcome("made again")})

    assert ids(Table(tmp_path / "deduped")) == [["made again"]]


def test_a_part_that_nobody_touched_since_it_was_signed_is_not_read_to_be_reused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    make(tmp_path / "deduped", {"h1": outcome("a")})
    part = tmp_path / "deduped/kept/part-00000.parquet"
    for path in (part, tmp_path / "deduped/dropped/part-00000.parquet"):
        os.utime(path, ns=(0, 0))
    read: list[Path] = []
    digest = tables._digest
    monkeypatch.setattr(tables, "_digest", lambda path: (read.append(path), digest(path))[1])

    make(tmp_path / "deduped", {"h1": outcome("made again")})
    untouched = [path.suffix for path in read].count(".parquet")
    part.touch()
    make(tmp_path / "deduped", {"h1": outcome("made again")})

    assert untouched == 0
    assert [path.name for path in read if path.suffix == ".parquet"] == ["part-00000.parquet"]
    assert ids(Table(tmp_path / "deduped")) == [["a"]]


def test_a_receipt_over_whose_file_another_was_linked_is_not_believed(tmp_path: Path) -> None:
    make(tmp_path / "deduped", {"h1": outcome("a")})
    with suppress(KeyboardInterrupt), new_table(tmp_path / "deduped", "dedupe", "p1", None) as writer:
        writer.write("part-00000", {"source": "h9"}, outcome("x"))
        writer.reuse("part-00000", {"source": "h1"})
        raise KeyboardInterrupt

    make(tmp_path / "deduped", {"h9": outcome("x")})

    assert ids(Table(tmp_path / "deduped")) == [["x"]]


def test_a_part_whose_receipt_a_power_cut_emptied_is_made_again(tmp_path: Path) -> None:
    with suppress(KeyboardInterrupt), new_table(tmp_path / "deduped", "dedupe", "p1", None) as writer:
        writer.write("part-00000", {"source": "h1"}, outcome("half there"))
        (receipt,) = writer.folder.rglob("part-00000.json")
        receipt.write_bytes(b"")
        raise KeyboardInterrupt

    make(tmp_path / "deduped", {"h1": outcome("a")})

    assert ids(Table(tmp_path / "deduped")) == [["a"]]


def test_a_run_that_ends_early_leaves_the_old_table_and_its_finished_parts_serve_the_next(tmp_path: Path) -> None:
    target = tmp_path / "deduped"
    make(target, {"h0": outcome("old")})
    with new_table(target, "dedupe", "p1", None) as writer:
        writer.write("part-00000", {"source": "h1"}, outcome("finished before the interruption"))  # and never published

    assert ids(Table(target)) == [["old"]]

    make(target, {"h1": outcome("made again"), "h2": outcome("b")})
    assert ids(Table(target)) == [["finished before the interruption"], ["b"]]


def test_a_run_killed_between_the_two_renames_is_mended_by_the_next(tmp_path: Path) -> None:
    target = tmp_path / "deduped"
    make(target, {"h1": outcome("a")})
    whole = files(target)
    target.rename(tmp_path / ".deduped.retired")

    with pytest.raises(TableError, match="does not exist; run the stage that makes it"):
        Table(target)
    make(target, {"h1": outcome("made again")})
    assert files(target) == whole
    assert [path.name for path in tmp_path.iterdir()] == ["deduped"]


def test_a_half_written_folder_is_not_a_table_and_is_replaced(tmp_path: Path) -> None:
    target = tmp_path / "deduped"
    (target / "kept").mkdir(parents=True)
    (target / "kept/part-00000.parquet").write_bytes(b"half")

    with pytest.raises(TableError) as raised:
        Table(target)
    assert str(raised.value) == f"{target}: is not a finished table; run the stage that makes it"
    make(target, {"h1": outcome("a")})
    assert ids(Table(target)) == [["a"]]


def test_a_table_knows_the_one_it_was_made_from(tmp_path: Path) -> None:
    make(tmp_path / "curated/first", {"h1": outcome("a")})
    make(tmp_path / "curated/second", {"h1": outcome("a")}, given=Table(tmp_path / "curated/first"))
    shutil.move(tmp_path / "curated", tmp_path / "elsewhere")

    line = Table(tmp_path / "elsewhere/second").line()
    assert [table.folder.name for table in line] == ["first", "second"]
    assert line[1].manifest.lineage == ["dedupe", "dedupe"]


def test_two_runs_never_make_the_same_table_at_once(tmp_path: Path) -> None:
    target = tmp_path / "deduped"
    with new_table(target, "dedupe", "p1", None), pytest.raises(TableError) as raised:
        make(target, {"h1": outcome("a")})

    assert str(raised.value) == f"{target}: another process is making this table; wait for it to end"


def test_a_table_of_another_schema_is_refused(tmp_path: Path) -> None:
    make(tmp_path / "deduped", {"h1": outcome("a")})
    manifest = tmp_path / "deduped/_manifest.json"
    manifest.write_text(manifest.read_text().replace('"schema_version": 3', '"schema_version": 2'))

    with pytest.raises(TableError, match="was written with another schema version; run the stage again"):
        Table(tmp_path / "deduped")


def test_a_table_that_was_never_scrubbed_says_so(tmp_path: Path) -> None:
    make(tmp_path / "deduped", {"h1": outcome("a")})

    with pytest.raises(TableError, match="its rows never went through scrub; run that stage first"):
        Table(tmp_path / "deduped").require_stage("scrub")


@contextmanager
def no_file_above(size: int) -> Iterator[None]:
    """As on a disk with a quota: the kernel refuses every byte beyond `size`."""
    old = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, old[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, old)


def test_a_file_the_system_refuses_is_one_clear_error(tmp_path: Path) -> None:
    target = tmp_path / "deduped"
    with no_file_above(100), pytest.raises(TableError) as raised:
        make(target, {"h1": outcome("a")})

    assert str(raised.value) == f"{target}: cannot be written (EFBIG)"
    assert not target.exists()


def test_a_full_disk_is_one_clear_error_and_nothing_is_published(tmp_path: Path) -> None:
    target = tmp_path / "deduped"
    with new_table(target, "dedupe", "p1", None) as writer:
        (writer.folder / "kept").mkdir()
        (writer.folder / "kept/part-00000.writing").symlink_to("/dev/full")  # every write to it fails with ENOSPC
        with pytest.raises(TableError) as raised:
            writer.write("part-00000", {"source": "h1"}, outcome("a"))

    assert str(raised.value) == f"{target}: the disk is full; free some space and run again, finished parts are kept"
    assert not target.exists()
