"""Received logs of many shapes become conversations of one.

Two passes, neither of which holds a file in memory. The first reads every unit (a file, or a folder whose files belong
together) once and spills its rows by the hash of their native id. The second makes parts, in parallel: a part is a range
of ids of one unit, so rows of a conversation may be scattered over the file in any order. A unit whose files did not
change is not read again.

Every row ends in exactly one place: in a kept conversation, in a dropped one, or quarantined with its file, its row and
a reason. Of one native id in several units of a source the last delivered counts, in the order of file names: a
corrected delivery takes the place of what it corrects.
"""

from collections.abc import Iterator, Mapping, Sequence
from fnmatch import fnmatchcase
from functools import lru_cache
from hashlib import file_digest, sha256
from itertools import groupby, islice
from operator import attrgetter
from pathlib import Path
from typing import Annotated, Any, Final, Literal

import numpy as np
import polars as pl
from pydantic import Field, StringConstraints

from pipeline.errors import AccountingError, SourceError
from pipeline.forgotten import Forgotten, publish, read_forgotten
from pipeline.key import Key
from pipeline.parts import Maker, Means, Task, make_parts, unmade
from pipeline.reading.archives import INSIDE, is_archive, members_of, reading_order
from pipeline.reading.assembling import Slice, assemble
from pipeline.reading.drafts import FORGOTTEN, Limits, ReceivedFile, Referent, Row, SourceSettings, Unit, require_utf8
from pipeline.reading.files import readable
from pipeline.reading.references import ReferentWriter
from pipeline.reading.spill import INDEX, SpillWriter, is_finished
from pipeline.schema import conform
from pipeline.sources import SOURCES, SourceMapping
from pipeline.stage import Outcome
from pipeline.tables import Manifest, Part, TableWriter, code_digest, new_table, translated_errors

SPILLS: Final = "_spill"
INDEXES: Final = "units"

PROBED_ROWS: Final = 100
WRONG_LAYOUT: Final = frozenset({"not_json", "not_utf8", "not_a_record", "wrong_number_of_cells"})
"""A file whose first rows are all unreadable for one of these reasons is not what its name promises."""

BYTES_PER_PART: Final = 128 * 2**20
"""A part ends before its rows, as they were received, are larger: conversations may be of 1 kB or of 100."""


class IngestParams(Limits):
    """Which received files are what, and how they are read."""

    sources: dict[Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]*$")], SourceMapping] = Field(min_length=1)
    """Name -> mapping. The name begins every conversation_id and becomes the column `source`."""
    ignore: list[str]
    """Globs over paths below SOURCE: files of no source that are known and not read."""
    rows_per_part: int = Field(gt=0)
    """Most conversations in one part: what one worker holds at a time."""
    on_bad_file: Literal["quarantine", "stop"]
    """What a file that cannot be read as a whole does: it alone is set aside and read again once it changes, or the run stops."""


def run(source: Path, target: Path, params: IngestParams, means: Means) -> Manifest:
    """Read received logs into one conversation schema.

    ticketmill ingest data/raw/received data/raw/ingested

    SOURCE is a folder of deliveries; ingest.sources in params.yaml says what they are. Rows that cannot be read are
    quarantined with file, row and reason, beside `kept` in the table.
    """
    units = plan(source, params, means.key)
    fingerprint = f"{means.key.fingerprint}-{params.rows_per_part}"
    with new_table(target, "ingest", fingerprint, given=None) as writer:
        spills = writer.folder / SPILLS
        indexes: dict[str, pl.DataFrame] = {}
        faults: dict[str, str] = {}
        for unit in sorted(units, key=lambda each: reading_order(each.files[0])):
            index = _known_index(unit, writer)
            if index is None:
                index, fault = gather(unit, spills, params, means.key)
                if fault:
                    faults[unit.key] = fault
                else:
                    _keep_index(unit, writer, index)
            indexes[unit.key] = index
        _refuse_lost_sources(units, indexes, faults)
        tasks = [Task({each.unit.label: each.digest()}, each) for each in slices(units, indexes, params)]
        for each in {task.payload.unit.key: task.payload.unit for task in unmade(writer, tasks)}.values():
            if not is_finished(spills / f"{each.key}.rows"):
                gather(each, spills, params, means.key)
        forgotten = read_forgotten(source, means.key)
        parts = make_parts(writer, tasks, prepare, (params, means.key, spills, forgotten), means.workers, means.progress)
        _prove(tasks, parts)
        _refuse_unread_sources(tasks, parts, writer)
        indexed = [_index_path(unit, writer.folder) for unit in units if unit.key not in faults]
        return writer.publish(parts, [*indexed, *publish(source, writer.folder, target)])


def plan(source: Path, params: IngestParams, key: Key) -> list[Unit]:
    """The units below `source`, in the order of their sources and file names.

    Raises:
        SourceError: SOURCE is missing or empty, a source has no file, or a file belongs to no source and is not ignored.
    """
    if not source.is_dir():
        raise SourceError(f"{source}: no such folder; name the folder that holds what was received")
    labels = sorted(
        path.relative_to(source).as_posix() for path in source.rglob("*") if path.is_file() and not _is_hidden(path, source)
    )
    if not labels:
        raise SourceError(f"{source}: holds no files; put what was received there")
    for label in labels:
        require_utf8(label)
    received = {file.label: file for label in labels for file in _received(source / label, label, params)}
    labels = sorted(received)
    left = {label for label in labels if not _matches(label, params.ignore)}
    units: list[Unit] = []
    forgotten = read_forgotten(source, key)
    taken: dict[str, str] = {}
    digests: dict[Path, str] = {}
    for name, settings in params.sources.items():
        below = _below(settings.path or name, labels)
        left -= {label for label, inner in below.items() if _matches(inner, settings.ignore)}
        wanted = [
            label for label, inner in below.items() if _matches(inner, settings.files) and not _matches(inner, settings.ignore)
        ]
        if not wanted:
            where = f"{', '.join(settings.files)} below {settings.path or name}"
            raise SourceError(f"{source}: no file of source {name!r} ({where}); correct the mapping or remove the source")
        if both := sorted(set(wanted) & taken.keys()):
            raise SourceError(f"{source}: {both[0]}: two sources map it, {taken[both[0]]!r} and {name!r}; leave it to one")
        taken |= dict.fromkeys(wanted, name)
        left -= set(wanted)
        shared = (params.max_row_bytes, key.fingerprint, *filter(None, [forgotten.digest(name)]))
        units += _units(name, settings, [received[label] for label in wanted], shared, digests)
    if left:
        more = f" and {len(left) - 1} more" if len(left) > 1 else ""
        raise SourceError(f"{source}: {min(left)}{more}: no source maps it; add it to ingest.sources, or to ignore in params")
    return units


def _is_hidden(path: Path, source: Path) -> bool:
    return any(step.startswith(".") for step in path.relative_to(source).parts)


def _matches(label: str, globs: Sequence[str]) -> bool:
    return any(fnmatchcase(label, glob) for glob in globs)


def _below(path: str, labels: Sequence[str]) -> dict[str, str]:
    """Label -> its path below `path`, for the labels there; a file at `path` itself has its own name."""
    if path == ".":
        return {label: label for label in labels}
    path = path.rstrip("/")
    prefixes = (f"{path}/", path + INSIDE)
    inner = {label: label[len(prefix) :] for label in labels for prefix in prefixes if label.startswith(prefix)}
    return {**inner, **{label: Path(label).name for label in labels if label == path}}


def _received(path: Path, label: str, params: Limits) -> Iterator[ReceivedFile]:
    """The file, or the members of the archive that it is."""
    if not is_archive(path.name):
        yield ReceivedFile(path, label, limits=params)
        return
    with readable(ReceivedFile(path, label)):
        yield from members_of(path, label, params)


def _units(
    name: str, settings: SourceSettings, files: Sequence[ReceivedFile], shared: tuple[object, ...], digests: dict[Path, str]
) -> Iterator[Unit]:
    def group(file: ReceivedFile) -> str:
        if settings.joins_source:
            return settings.path or name
        return Path(file.label).parent.as_posix() if settings.joins_folder else file.label

    for label, group_members in groupby(sorted(files, key=lambda each: (group(each), each.label)), key=group):
        own = tuple(group_members)
        for path in {each.path for each in own} - digests.keys():
            digests[path] = _digest(path)
        content = [code_digest(), name, settings.fingerprint(), *shared, *((each.label, digests[each.path]) for each in own)]
        yield Unit(name, label, own, sha256(repr(content).encode()).hexdigest())


def _digest(path: Path) -> str:
    try:
        with path.open("rb") as file:
            return file_digest(file, "sha256").hexdigest()
    except OSError:
        return "unreadable"  # reading it will say why


def gather(unit: Unit, spills: Path, params: IngestParams, key: Key) -> tuple[pl.DataFrame, str]:
    """Read a unit once into its spill; returns its index, and what was wrong with a file of it as a whole.

    Raises:
        SourceError: a file is not what its format promises, and the run is to stop at that.
    """
    try:
        return _gather(unit, rows_of(unit, params), spills, key), ""
    except SourceError as error:
        if params.on_bad_file == "stop":
            raise
        message = str(error)
    others = [f"{unit.label}: another file of this folder cannot be read"] * len(unit.files)
    details = [message if message.startswith(file.label) else other for file, other in zip(unit.files, others, strict=True)]
    rows = (Row(number, 0, file.label, b"", "unreadable_file", details[number]) for number, file in enumerate(unit.files))
    return _gather(unit, rows, spills, key), message


def _gather(unit: Unit, rows: Iterator[Row | Referent], spills: Path, key: Key) -> pl.DataFrame:
    with translated_errors(spills):
        return _spilled(SpillWriter(spills / f"{unit.key}.rows"), ReferentWriter(spills / f"{unit.key}.referents"), rows, key)


def _spilled(spill: SpillWriter, referents: ReferentWriter, rows: Iterator[Row | Referent], key: Key) -> pl.DataFrame:
    try:
        hashed = lru_cache(1024)(lambda kind, native: int.from_bytes(key.digest(kind, native)[:8], "big"))
        for row in rows:
            if isinstance(row, Referent):
                referents.add(row)
            else:
                spill.add(hashed("row" if row.reason else "conversation", row.native), row)
        referents.finish()
        return spill.finish()
    except BaseException:
        spill.abandon()
        raise


def rows_of(unit: Unit, params: IngestParams) -> Iterator[Row | Referent]:
    """Every row of a unit, and what its rows refer to, as its source reads them."""
    settings = params.sources[unit.source]
    source = SOURCES[settings.format]
    of_unit = source.open_unit(unit.files, settings, params) if source.open_unit else None
    read = of_unit or source.read
    files = enumerate(unit.files)
    for number, file in files if source.reads_in_order else sorted(files, key=lambda each: reading_order(each[1])):
        rows = _probed(read(file, number, settings, params), file)
        yield from _accounted(rows, file, number, params) if of_unit else rows


def _probed(rows: Iterator[Row | Referent], file: ReceivedFile) -> Iterator[Row | Referent]:
    head = list(islice(rows, PROBED_ROWS))
    reasons = ", ".join(sorted({row.reason if isinstance(row, Row) else "" for row in head}))
    if head and all(isinstance(row, Row) and row.reason in WRONG_LAYOUT for row in head):
        raise SourceError(
            f"{file.label}: none of its first {len(head)} rows can be read ({reasons}); "
            "correct its format in params or fetch it again"
        )
    yield from head
    yield from rows


def _accounted(rows: Iterator[Row | Referent], file: ReceivedFile, number: int, params: IngestParams) -> Iterator[Row | Referent]:
    """A bad file of many that are one unit, as a row of its own: the other mailboxes of a source are still good."""
    try:
        yield from rows
    except SourceError as error:
        if params.on_bad_file == "stop":
            raise
        yield Row(number, 0, file.label, b"", "unreadable_file", str(error))


def _index_path(unit: Unit, folder: Path) -> Path:
    return folder / INDEXES / f"{unit.key}.parquet"


def _known_index(unit: Unit, writer: TableWriter) -> pl.DataFrame | None:
    """The index of a unit that an earlier run has read, taken over into the table in the making."""
    for folder in (writer.folder, writer.target):
        try:
            index = conform(pl.read_parquet(_index_path(unit, folder), glob=False), INDEX, unit.label)
        except (OSError, pl.exceptions.PolarsError):
            continue
        if folder != writer.folder:
            _keep_index(unit, writer, index)
        return index
    return None


def _keep_index(unit: Unit, writer: TableWriter, index: pl.DataFrame) -> None:
    path = _index_path(unit, writer.folder)
    with translated_errors(writer.target):
        path.parent.mkdir(exist_ok=True)
        unfinished = path.with_suffix(".writing")
        index.write_parquet(unfinished, compression="zstd")
        unfinished.replace(path)


def _refuse_lost_sources(units: Sequence[Unit], indexes: Mapping[str, pl.DataFrame], faults: Mapping[str, str]) -> None:
    """One bad or empty file among many is an accident; where there is nothing else, the run would be one."""
    for name, members in groupby(units, key=attrgetter("source")):
        own = list(members)
        if all(unit.key in faults for unit in own):
            raise SourceError(faults[own[0].key])
        if not any(indexes[unit.key].height for unit in own):
            raise SourceError(f"source {name!r}: its {len(own)} files hold no rows; fetch them again or remove the source")


def slices(units: Sequence[Unit], indexes: Mapping[str, pl.DataFrame], params: IngestParams) -> Iterator[Slice]:
    """The parts to make, unit by unit, each of at most `rows_per_part` conversations and `BYTES_PER_PART`."""
    for name, members in groupby(units, key=attrgetter("source")):
        own = list(members)
        rows_have_ids = params.sources[name].rows_have_ids
        superseded = _superseded([indexes[unit.key] for unit in own]) if rows_have_ids and len(own) > 1 else {}
        for number, unit in enumerate(own):
            later = superseded.get(number, {})
            for each in _cut(unit, indexes[unit.key], params.rows_per_part, rows_have_ids):
                here = {id_: own[winner].label for id_, winner in later.items() if each.least <= id_ <= each.most}
                yield Slice(each.unit, each.least, each.most, each.skip, each.stop, each.rows, here)


def _superseded(indexes: Sequence[pl.DataFrame]) -> dict[int, dict[int, int]]:
    """Number of a unit -> id -> number of the last unit that has that id too."""
    every = pl.concat([index.select("id", unit=pl.lit(number, pl.UInt32)) for number, index in enumerate(indexes)])
    repeated = every.filter(pl.col("id").is_duplicated()).with_columns(winner=pl.col("unit").max().over("id"))
    found: dict[int, dict[int, int]] = {}
    for id_, unit, winner in repeated.filter(pl.col("unit") != pl.col("winner")).sort("unit", "id").iter_rows():
        found.setdefault(unit, {})[id_] = winner
    return found


def _cut(unit: Unit, index: pl.DataFrame, most: int, rows_have_ids: bool) -> Iterator[Slice]:
    ids, rows, sizes = (
        index[name].to_numpy().astype(dtype) for name, dtype in (("id", np.uint64), ("rows", int), ("bytes", int))
    )
    places = np.ones_like(rows) if rows_have_ids else rows
    ends, filled = np.cumsum(places), np.cumsum(sizes)
    start, total = 0, int(ends[-1]) if len(ends) else 0
    while start < total:
        first = int(np.searchsorted(ends, start, side="right"))
        fitting = int(np.searchsorted(filled, filled[first] - sizes[first] + BYTES_PER_PART, side="right"))
        end = min(start + most, int(ends[max(fitting - 1, first)]))  # at least one id, however large
        last = int(np.searchsorted(ends, end - 1, side="right"))
        skip = start - int(ends[first] - places[first])
        stop = end - int(ends[last] - places[last])
        number = int(rows[first : last + 1].sum())
        if not rows_have_ids:
            number += stop - skip - int(rows[last])
        yield Slice(unit, int(ids[first]), int(ids[last]), skip, stop, number)
        start = end


def prepare(params: IngestParams, key: Key, spills: Path, forgotten: Forgotten) -> Maker:
    """What makes a part from a slice of a unit's spill."""

    def make(each: Slice) -> Outcome:
        return assemble(each, spills, params.sources[each.unit.source], key, forgotten)

    return make


def _prove(tasks: Sequence[Task], parts: Sequence[Part]) -> None:
    given = sum(task.payload.rows for task in tasks)
    read = sum(part.counts["rows_read"] for part in parts)
    if given != read:
        raise AccountingError(f"ingest: {given} rows were received, {read} are accounted for; run it again without the old table")


def _refuse_unread_sources(tasks: Sequence[Task], parts: Sequence[Part], writer: TableWriter) -> None:
    """A source of which not one row was understood is a wrong mapping, not bad data."""
    made = list(zip((task.payload.unit.source for task in tasks), parts, strict=True))
    for name in dict.fromkeys(source for source, _ in made):
        own = [part for source, part in made if source == name]
        if any(part.counts["rows_kept"] + part.counts["rows_dropped"] for part in own):
            continue
        first = next((row for part in own for row in _unread(writer.folder / "quarantined" / f"{part.name}.parquet")), None)
        if first is None:
            continue  # all of them were forgotten
        raise SourceError(
            f"source {name!r}: not one of its {sum(part.counts['rows_read'] for part in own)} rows can be read; the first, "
            f"{first['source_file']} row {first['source_row']}, {first['reason']}: {first['detail']}; "
            "correct the mapping in params"
        )


def _unread(quarantined: Path) -> list[dict[str, Any]]:
    return pl.read_parquet(quarantined, glob=False).filter(pl.col("reason") != FORGOTTEN).head(1).to_dicts()
