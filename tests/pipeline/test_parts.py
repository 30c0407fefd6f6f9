import os
import signal
from pathlib import Path

import polars as pl
import pytest

from pipeline.errors import AccountingError, SourceError, WorkerError
from pipeline.parts import Transform, map_table
from pipeline.stage import Outcome
from pipeline.tables import Manifest, Table, new_table


def tag(mark: str) -> Transform:
    return lambda rows: Outcome(rows.with_columns(mark=pl.lit(mark)), counts={"seen": rows.height})


def lose_one() -> Transform:
    return lambda rows: Outcome(rows.head(1))


def cannot_start() -> Transform:
    raise SourceError("the model is missing; install it")


def killed() -> Transform:
    def transform(_rows: pl.DataFrame) -> Outcome:
        os.kill(os.getpid(), signal.SIGKILL)
        raise AssertionError

    return transform


@pytest.fixture
def source(tmp_path: Path) -> Table:
    with new_table(tmp_path / "source", "ingest", "", None) as writer:
        rows = [pl.DataFrame({"conversation_id": [f"{part}a", f"{part}b"]}) for part in range(3)]
        writer.publish([writer.write(f"part-{n:05d}", {"file": str(n)}, Outcome(frame)) for n, frame in enumerate(rows)])
    return Table(tmp_path / "source")


def run(
    source: Table,
    target: Path,
    prepare: object = tag,
    arguments: tuple[str, ...] = ("x",),
    workers: int = 1,
    told: list[object] | None = None,
) -> Manifest:
    return map_table(
        source,
        target,
        stage="scrub",
        fingerprint="-".join(arguments),
        prepare=prepare,  # type: ignore[arg-type]  # the transforms above, by name
        arguments=arguments,
        workers=workers,
        progress=lambda done, total: told.append((done, total)) if told is not None else None,
    )


def contents(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_every_part_is_transformed_in_order_and_counted(source: Table, tmp_path: Path) -> None:
    told: list[object] = []
    manifest = run(source, tmp_path / "target", told=told)

    table = Table(tmp_path / "target")
    assert table.scan().collect()["conversation_id"].to_list() == ["0a", "0b", "1a", "1b", "2a", "2b"]
    assert manifest.counts == {"seen": 6}
    assert told == [(0, 3), (1, 3), (2, 3), (3, 3)]


def test_two_workers_make_the_same_bytes_as_one(source: Table, tmp_path: Path) -> None:
    run(source, tmp_path / "one", workers=1)
    run(source, tmp_path / "two", workers=2)

    assert contents(tmp_path / "one") == contents(tmp_path / "two")


def test_a_second_run_makes_no_part_again(source: Table, tmp_path: Path) -> None:
    run(source, tmp_path / "target")
    told: list[object] = []
    run(source, tmp_path / "target", told=told)

    assert told == [(3, 3)]


@pytest.mark.parametrize("workers", [1, 2])
def test_a_lost_conversation_stops_the_stage(source: Table, tmp_path: Path, workers: int) -> None:
    with pytest.raises(AccountingError, match=r"^scrub, part-0000\d: 1 conversations lost, such as \db$"):
        run(source, tmp_path / "target", prepare=lose_one, arguments=(), workers=workers)


@pytest.mark.parametrize("workers", [1, 2])
def test_what_hinders_a_worker_from_starting_is_told_as_it_is(source: Table, tmp_path: Path, workers: int) -> None:
    with pytest.raises(SourceError, match=r"^the model is missing; install it$"):
        run(source, tmp_path / "target", prepare=cannot_start, arguments=(), workers=workers)


def test_a_killed_worker_is_one_clear_error(source: Table, tmp_path: Path) -> None:
    with pytest.raises(WorkerError) as raised:
        run(source, tmp_path / "target", prepare=killed, arguments=(), workers=2)

    assert str(raised.value).endswith(
        "target: a worker process was killed; run again with fewer --workers, finished parts are kept"
    )
