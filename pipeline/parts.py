"""Make the parts of a table, in this process or in several, and reuse those that would come out the same.

A part is the unit that a distributed executor would ship: its transform is a function of one payload and knows nothing
about processes.
"""

import multiprocessing
import os
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from multiprocessing.connection import wait
from pathlib import Path
from typing import Any

import polars as pl

from pipeline.errors import WorkerError
from pipeline.key import Key
from pipeline.spans import Span
from pipeline.stage import Outcome
from pipeline.tables import Manifest, Part, Table, TableWriter, new_table

Transform = Callable[[pl.DataFrame], Outcome]
"""What a map-like stage does to the conversations of one part."""

Progress = Callable[[int, int], None]
"""Told after every part: how many are done, how many there are."""


@dataclass(frozen=True)
class Means:
    """What a run of a stage is given besides its input and params: none of it may change the result, but the key."""

    key: Key
    workers: int = 1
    progress: Progress = lambda _done, _all: None
    details: Callable[[Sequence[str]], Sequence[Sequence[Span]]] | None = None
    """Finds personal details in text that never went through scrub; without it none such is sent to a model."""


@dataclass(frozen=True)
class Task:
    """One part to make."""

    inputs: Mapping[str, str]
    """What it is made from: label -> sha256; decides whether an old part may be used again."""

    payload: Any
    """Handed to the maker; must be picklable."""


Maker = Callable[[Any], Outcome]
"""Makes the outcome of one task from its payload."""


def map_table(
    source: Table,
    target: Path,
    *,
    stage: str,
    fingerprint: str,
    prepare: Callable[..., Transform],
    arguments: Sequence[Any],
    workers: int,
    progress: Progress,
    finish: Callable[[Path, Sequence[Part]], Sequence[Path]] | None = None,
) -> Manifest:
    """Transform `source` part by part into the table `target`.

    Args:
        source: the table to read; its `kept` rows go in.
        target: the table to make.
        stage: name of the stage.
        fingerprint: over everything else that decides the result (params, key).
        prepare: a module-level function that builds the transform from `arguments`, once per worker.
        workers: number of processes; the result is the same for any number.
        progress: told after every part.
        finish: called with the unfinished folder and its parts; makes files beside the parts and returns their paths.
    Raises:
        AccountingError: the transform lost or invented a conversation.
        TableError: the table cannot be written.
    """
    tasks = [Task({part.name: part.files["kept"]}, part) for part in source.manifest.parts]
    with new_table(target, stage, fingerprint, given=source) as writer:
        parts = make_parts(writer, tasks, _prepare_mapped, (source, stage, prepare, arguments), workers, progress)
        return writer.publish(parts, finish(writer.folder, parts) if finish else ())


def _prepare_mapped(source: Table, stage: str, prepare: Callable[..., Transform], arguments: Sequence[Any]) -> Maker:
    transform = prepare(*arguments)

    def make(part: Part) -> Outcome:
        given = source.read(part)
        outcome = transform(given)
        outcome.account_for(given["conversation_id"], f"{stage}, {part.name}")
        return outcome

    return make


def make_parts(
    writer: TableWriter,
    tasks: Sequence[Task],
    prepare: Callable[..., Maker],
    arguments: Sequence[Any],
    workers: int,
    progress: Progress,
) -> list[Part]:
    """Make one part per task, in the order of the tasks, reusing what is there; `prepare` runs once per worker."""
    parts, missing = _reuse(writer, tasks)
    progress(len(parts), len(tasks))
    made = _make_here if min(workers, len(missing)) <= 1 else _make_in_processes
    for number, part in made(writer, missing, prepare, arguments, workers):
        parts[number] = part
        progress(len(parts), len(tasks))
    return [parts[number] for number in sorted(parts)]


def unmade(writer: TableWriter, tasks: Sequence[Task]) -> list[Task]:
    """Those of the tasks whose part must be made: no sound one is there to be used again."""
    return [task for _, _, task in _reuse(writer, tasks)[1]]


def _reuse(writer: TableWriter, tasks: Sequence[Task]) -> tuple[dict[int, Part], list[tuple[int, str, Task]]]:
    parts: dict[int, Part] = {}
    missing: list[tuple[int, str, Task]] = []
    for number, task in enumerate(tasks):
        name = f"part-{number:05d}"
        if part := writer.reuse(name, task.inputs):
            parts[number] = part
        else:
            missing.append((number, name, task))
    return parts, missing


def _make_here(
    writer: TableWriter,
    missing: Sequence[tuple[int, str, Task]],
    prepare: Callable[..., Maker],
    arguments: Sequence[Any],
    _workers: int,
) -> Iterator[tuple[int, Part]]:
    if missing:
        make = prepare(*arguments)
        for number, name, task in missing:
            yield number, writer.write(name, task.inputs, make(task.payload))


def _make_in_processes(
    writer: TableWriter,
    missing: Sequence[tuple[int, str, Task]],
    prepare: Callable[..., Maker],
    arguments: Sequence[Any],
    workers: int,
) -> Iterator[tuple[int, Part]]:
    context = multiprocessing.get_context("spawn")  # polars and onnxruntime hold threads, which do not survive a fork
    pool = ProcessPoolExecutor(min(workers, len(missing)), context, _start_worker, (writer, prepare, arguments))
    try:
        futures = {pool.submit(_make_one, name, task): number for number, name, task in missing}
        for future in as_completed(futures):
            yield futures[future], future.result()
    except BrokenProcessPool as error:
        raise WorkerError(
            f"{writer.target}: a worker process was killed; run again with fewer --workers, finished parts are kept"
        ) from error
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


_worker: tuple[TableWriter, Maker] | Exception


def _start_worker(writer: TableWriter, prepare: Callable[..., Maker], arguments: Sequence[Any]) -> None:
    global _worker  # noqa: PLW0603  # the only way to hand a worker process something that is built once
    threading.Thread(target=_die_with_parent, daemon=True).start()
    try:
        _worker = writer, prepare(*arguments)
    except Exception as error:  # noqa: BLE001  # raised by the first task: raised here, it would only break the pool
        _worker = error


def _die_with_parent() -> None:
    """End this worker when its parent is killed: an orphan would go on writing into the next run's folder."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        wait([parent.sentinel])
        os._exit(1)


def _make_one(name: str, task: Task) -> Part:
    if isinstance(_worker, Exception):
        raise _worker
    writer, make = _worker
    return writer.write(name, task.inputs, make(task.payload))
