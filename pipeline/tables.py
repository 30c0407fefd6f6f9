"""Read or write a table, whole or not at all.

A table is a folder: `kept/part-00000.parquet …`, `dropped/…`, further frames beside them, and `_manifest.json`, written
last. A new table grows in a hidden folder next to its target and takes its place by rename. What a killed run had
finished is used again by the next one, and so is every part of the old table whose inputs did not change.
"""

import errno
import fcntl
import os
import re
import shutil
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache, cached_property
from hashlib import file_digest, sha256
from importlib.metadata import requires, version
from io import BytesIO
from pathlib import Path
from typing import Any, Final

import orjson
import polars as pl
import yaml

from pipeline.errors import TableError
from pipeline.params import LOADER
from pipeline.schema import SCHEMA_VERSION
from pipeline.stage import Outcome

MANIFEST: Final = "_manifest.json"
RECEIPTS: Final = "_receipts"
ROW_GROUP_SIZE: Final = 8192
"""Conversations; stated, so that the bytes of a part do not follow the number of threads."""
FASTEST: Final = 1
"""Level of zstd: measured on dialogues, 45 % less time to write than the usual 3, and files 6 % larger."""

JSON: Final = orjson.OPT_SORT_KEYS | orjson.OPT_INDENT_2 | orjson.OPT_NON_STR_KEYS | orjson.OPT_APPEND_NEWLINE


@dataclass(frozen=True)
class Part:
    """What the manifest says of one part."""

    name: str
    """part-00000: the file name, without its ending, of every frame of the part."""

    inputs: Mapping[str, str]
    """What the part was made from: label -> sha256. Equal inputs and fingerprint, equal part."""

    rows: Mapping[str, int]
    """Frame (kept, dropped, findings, …) -> number of rows."""

    files: Mapping[str, str]
    """Frame -> sha256 of its Parquet file."""

    reasons: Mapping[str, int]
    """Dropped conversations by reason."""

    counts: Mapping[str, int]
    """What the stage counted on its way, by name."""


@dataclass(frozen=True)
class Manifest:
    """The table of contents of a table; a folder without one is not a table."""

    stage: str
    fingerprint: str
    """Over params, key and whatever else decides the result besides the input parts, and over the code."""

    lineage: Sequence[str]
    """The stages the rows went through, this one last."""

    given: str | None
    """The table this one was made from, relative to this one's folder; None for the first table of the line."""

    given_checksum: str | None
    """The checksum of that table as it was then."""

    parts: Sequence[Part]
    extras: Mapping[str, str] = field(default_factory=dict)
    """Files beside the parts (relative path -> sha256), such as the JSONL files of emit."""

    schema_version: int = SCHEMA_VERSION

    def total(self, frame: str) -> int:
        """Number of rows of a frame over all parts."""
        return sum(part.rows.get(frame, 0) for part in self.parts)

    @property
    def reasons(self) -> dict[str, int]:
        """Dropped conversations by reason, over all parts."""
        return _sum(part.reasons for part in self.parts)

    @property
    def counts(self) -> dict[str, int]:
        """What the stage counted, over all parts."""
        return _sum(part.counts for part in self.parts)


class Table:
    """A finished table on disk."""

    def __init__(self, folder: Path) -> None:
        """Open the table at `folder`.

        Raises:
            TableError: there is no finished table, or it was written by another version of the schema.
        """
        self.folder = folder
        self.manifest = _read_manifest(folder)

    @cached_property
    def checksum(self) -> str:
        """sha256 of the manifest, and so of every part it names."""
        return _digest(self.folder / MANIFEST)

    def path(self, part: Part, frame: str = "kept") -> Path:
        """The Parquet file of one frame of one part."""
        return self.folder / frame / f"{part.name}.parquet"

    def read(self, part: Part, frame: str = "kept", columns: Sequence[str] | None = None) -> pl.DataFrame:
        """One frame of one part.

        Raises:
            TableError: the file is missing, cut off or no Parquet; names the file.
        """
        path = self.path(part, frame)
        try:
            return pl.read_parquet(path, columns=list(columns) if columns else None, glob=False)
        except (OSError, pl.exceptions.PolarsError) as error:
            raise TableError(f"{path}: cannot be read; run the stage again") from error

    def scan(self, frame: str = "kept") -> pl.LazyFrame:
        """One frame over all parts, lazily; the table must have that frame and at least one part."""
        return pl.scan_parquet([self.path(part, frame) for part in self.manifest.parts], glob=False)

    def previous(self) -> "Table | None":
        """The table this one was made from; None for the first of the line."""
        if self.manifest.given is None:
            return None
        return Table(Path(os.path.normpath(self.folder / self.manifest.given)))

    def line(self) -> "list[Table]":
        """This table and all before it, first of the line first."""
        before = self.previous()
        return [*(before.line() if before else []), self]

    def require_stage(self, stage: str) -> None:
        """Raise TableError unless the rows of this table went through `stage`."""
        if stage not in self.manifest.lineage:
            raise TableError(f"{self.folder}: its rows never went through {stage}; run that stage first")


@dataclass(frozen=True)
class _Finished:
    """A part that a run before this one made."""

    folder: Path
    part: Part
    signed_at: int
    """When its manifest was written, after its files; nanoseconds. 0: it has none yet."""

    def paths(self) -> dict[str, Path]:
        return {frame: self.folder / frame / f"{self.part.name}.parquet" for frame in self.part.files}

    def is_sound(self) -> bool:
        """Whether its files are those that were written: untouched since they were signed, or of the same hash.

        To hash every file again would take 1.6 s per GB of a table of which a night changes one part in a hundred.
        """
        for frame, path in self.paths().items():
            try:
                touched_at = path.stat().st_mtime_ns
            except FileNotFoundError:
                return False
            if touched_at >= self.signed_at and _digest(path) != self.part.files[frame]:
                return False
        return True


class TableWriter:
    """A table in the making, in a hidden folder beside its target. Use through `new_table`."""

    def __init__(self, target: Path, stage: str, fingerprint: str, given: Table | None) -> None:
        """Prepare the folder; parts of a killed run and of the table at `target` stay usable."""
        self.target = target
        self.folder = target.with_name(f".{target.name}.unfinished")
        self._retired = target.with_name(f".{target.name}.retired")
        self._stage, self._given = stage, given
        self._fingerprint = f"{fingerprint}-{code_digest()}"
        (self.folder / RECEIPTS).mkdir(parents=True, exist_ok=True)
        self._finished = {_identity(found.part.inputs): found for found in self._find_finished()}

    def _find_finished(self) -> "Iterator[_Finished]":
        for folder in (self._retired, self.target):
            try:
                manifest = _read_manifest(folder)
            except TableError:
                continue
            if (manifest.stage, manifest.fingerprint) == self._made_by:
                signed_at = (folder / MANIFEST).stat().st_mtime_ns
                yield from (_Finished(folder, part, signed_at) for part in manifest.parts)
        for receipt in sorted((self.folder / RECEIPTS).glob("*.json")):
            try:
                content = orjson.loads(receipt.read_bytes())
            except ValueError:  # emptied by a power cut: its part is made again
                continue
            if tuple(content["made_by"]) == self._made_by:
                # never trusted unread: a run that was killed may have linked an older file to this name
                yield _Finished(self.folder, Part(**content["part"]), signed_at=0)

    @property
    def _made_by(self) -> tuple[str, str]:
        return self._stage, self._fingerprint

    def reuse(self, name: str, inputs: Mapping[str, str]) -> Part | None:
        """Take over a part that was made before from the same inputs, under `name`; None when there is no sound one."""
        found = self._finished.get(_identity(inputs))
        if found is None or not found.is_sound():
            return None
        folder, part, old = found.folder, found.part, found.paths()
        if folder == self.folder and part.name == name:
            return part
        for frame, path in old.items():
            self._link(path, self.folder / frame / f"{name}.parquet")
        # without a receipt: what it was linked from stays until this table is published
        return Part(name, inputs, part.rows, part.files, part.reasons, part.counts)

    @staticmethod
    def _link(path: Path, new: Path) -> None:
        try:
            os.link(path, new)
        except FileNotFoundError:  # the first part with this frame
            new.parent.mkdir(exist_ok=True)
            os.link(path, new)
        except FileExistsError:  # another part, from a run that was killed
            unfinished = new.with_suffix(".linking")
            unfinished.unlink(missing_ok=True)
            os.link(path, unfinished)
            unfinished.replace(new)

    def write(self, name: str, inputs: Mapping[str, str], outcome: Outcome) -> Part:
        """Write the frames of one part, receipt last. Safe to call from several processes for parts of other names.

        Raises:
            TableError: the disk is full or the folder cannot be written.
        """
        added = {} if outcome.added is None else {"added": outcome.added}
        frames = {"kept": outcome.kept, "dropped": outcome.dropped, **added, **outcome.beside}
        with translated_errors(self.target):
            files = {frame: self._write_frame(rows, self.folder / frame / f"{name}.parquet") for frame, rows in frames.items()}
            reasons = {
                str(reason): int(count) for reason, count in outcome.dropped.group_by("reason").len().sort("reason").rows()
            }
            rows = {frame: content.height for frame, content in frames.items()}
            return self._sign(Part(name, dict(inputs), rows, files, reasons, dict(sorted(outcome.counts.items()))))

    @staticmethod
    def _write_frame(rows: pl.DataFrame, path: Path) -> str:
        path.parent.mkdir(exist_ok=True)
        buffer = BytesIO()  # through memory, so that a full disk is an OSError with its errno and not polars' text of it
        # rechunk: row groups follow chunks, and chunks depend on how the frame came about
        rows.rechunk().write_parquet(buffer, compression="zstd", compression_level=FASTEST, row_group_size=ROW_GROUP_SIZE)
        unfinished = path.with_suffix(".writing")
        unfinished.write_bytes(buffer.getbuffer())
        unfinished.replace(path)
        return sha256(buffer.getbuffer()).hexdigest()

    def _sign(self, part: Part) -> Part:
        write_json(self.folder / RECEIPTS / f"{part.name}.json", {"made_by": self._made_by, "part": part})
        return part

    def publish(self, parts: Sequence[Part], extras: Sequence[Path] = ()) -> Manifest:
        """Put the table in its place: manifest last, then one rename.

        Args:
            parts: every part of the table, in order; anything else in the folder is removed.
            extras: further files below `folder`, which belong to the table.
        """
        with translated_errors(self.target):
            manifest = Manifest(
                *self._made_by,
                lineage=[*(self._given.manifest.lineage if self._given else []), self._stage],
                given=os.path.relpath(self._given.folder, self.target) if self._given else None,
                given_checksum=self._given.checksum if self._given else None,
                parts=parts,
                extras={path.relative_to(self.folder).as_posix(): _digest(path) for path in sorted(extras)},
            )
            self._remove_strangers(manifest)
            write_json(self.folder / MANIFEST, manifest)
            shutil.rmtree(self._retired, ignore_errors=True)
            if self.target.exists():
                self.target.rename(self._retired)
            self.folder.rename(self.target)
            shutil.rmtree(self._retired, ignore_errors=True)
        return manifest

    def _remove_strangers(self, manifest: Manifest) -> None:
        ours = {self.folder / frame / f"{part.name}.parquet" for part in manifest.parts for frame in part.files}
        ours |= {self.folder / extra for extra in manifest.extras}
        for path in sorted(self.folder.rglob("*"), reverse=True):
            if path.is_dir():
                if not any(path.iterdir()):
                    path.rmdir()
            elif path not in ours:
                path.unlink()


@contextmanager
def new_table(target: Path, stage: str, fingerprint: str, given: Table | None) -> Iterator[TableWriter]:
    """Open a table for writing; one process at a time may make a given table.

    Raises:
        TableError: another process is making this table, the folder cannot be written, is no table, or is what this is made from.
    """
    refuse_overwriting(target, given)
    path = target.with_name(f".{target.name}.lock")
    with translated_errors(target):
        target.parent.mkdir(parents=True, exist_ok=True)
        lock = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            is_ours = path.exists() and os.path.samestat(os.fstat(lock), path.stat())
        except BlockingIOError:
            is_ours = False
        if not is_ours:  # held, or its holder ended and removed it after we opened it
            raise TableError(f"{target}: another process is making this table; wait for it to end")
        with translated_errors(target):
            writer = TableWriter(target, stage, fingerprint, given)
        yield writer
        path.unlink(missing_ok=True)
    finally:
        os.close(lock)


def refuse_overwriting(target: Path, given: Table | None = None) -> None:
    """Raise TableError where the new table would take the place of anything but a table, or of one that it is made from."""
    is_table = any((target / name).exists() for name in (MANIFEST, "kept"))  # half of one is replaced
    if target.exists() and not is_table and not (target.is_dir() and not any(target.iterdir())):
        raise TableError(f"{target}: is there and is no table; name a folder that is free, nothing was changed")
    before = given
    while before is not None:
        refuse_overlap(before.folder, target)
        try:
            before = before.previous()
        except TableError:  # moved away: it cannot be in the way
            return


def refuse_overlap(source: Path, target: Path) -> None:
    """Raise TableError where one of the two folders is or holds the other."""
    one, other = source.resolve(), target.resolve()
    if one == other or one in other.parents or other in one.parents:
        raise TableError(f"{target}: overlaps {source}, from which it is made; name another folder, nothing was changed")


@contextmanager
def translated_errors(where: Path) -> Iterator[None]:
    """Turn what the file system refuses into a TableError that says what to do; nothing half-written is published."""
    try:
        yield
    except OSError as error:
        if error.errno in {errno.ENOSPC, errno.EDQUOT}:
            raise TableError(f"{where}: the disk is full; free some space and run again, finished parts are kept") from error
        raise TableError(f"{where}: cannot be written ({errno.errorcode.get(error.errno or 0, 'unknown')})") from error


def write_json(path: Path, content: Any) -> None:
    """Write JSON by rename, with sorted keys, so that equal content is equal bytes; dataclasses in the order of their fields."""
    unfinished = path.with_name(f"{path.name}.writing")
    unfinished.write_bytes(orjson.dumps(content, option=JSON))
    unfinished.replace(path)


def _read_manifest(folder: Path) -> Manifest:
    path = folder / MANIFEST
    try:
        content = orjson.loads(path.read_bytes())
    except (FileNotFoundError, NotADirectoryError):
        what = "is not a finished table" if folder.is_dir() else "is no table but a file" if folder.exists() else "does not exist"
        raise TableError(f"{folder}: {what}; {_what_makes(folder)}") from None
    except (OSError, ValueError) as error:
        raise TableError(f"{path}: cannot be read; run the stage again") from error
    if content.get("schema_version") != SCHEMA_VERSION:
        raise TableError(f"{folder}: was written with another schema version; run the stage again")
    return Manifest(**{**content, "parts": [Part(**part) for part in content["parts"]]})


def _what_makes(folder: Path) -> str:
    """What to run for a table."""
    stage = made_by_the_line().get(folder.resolve())
    return f"`dvc repro {stage}` makes it" if stage else "run the stage that makes it"


def made_by_the_line() -> dict[Path, str]:
    """Folder, resolved -> the stage that makes it, by the dvc.yaml here, which alone knows; nothing where there is none."""
    try:
        stages = yaml.load(Path("dvc.yaml").read_text("utf-8"), LOADER)["stages"]  # noqa: S506  # a safe one
        outs = [(name, out) for name, stage in stages.items() for out in stage.get("outs", [])]
        return {Path(path).resolve(): name for name, out in outs for path in ([out] if isinstance(out, str) else out)}
    except (
        OSError,
        ValueError,
        LookupError,
        TypeError,
        AttributeError,
        yaml.YAMLError,
    ):  # nowhere near a project, or not this one
        return {}


@cache
def code_digest() -> str:
    """16 hexadecimal digits over every file of this package, models too, and the version of every package it needs."""
    needed = {re.split(r"[^\w.-]", need, maxsplit=1)[0] for need in requires("ticketmill") or [] if "extra ==" not in need}
    named = [digest_of_package(Path(__file__).parent), *(f"{name} {version(name)}" for name in sorted(needed))]
    return sha256("\n".join(named).encode()).hexdigest()[:16]


def digest_of_package(package: Path) -> str:
    """16 hexadecimal digits over every file of a package."""
    files = sorted(path for path in package.rglob("*") if path.is_file() and "__pycache__" not in path.parts)
    named = (f"{path.relative_to(package).as_posix()}\0{_digest(path)}" for path in files)
    return sha256("\n".join(named).encode()).hexdigest()[:16]


def _identity(inputs: Mapping[str, str]) -> str:
    # by content, in the order of the labels: a part keeps its worth when the parts before it are renumbered
    return sha256("\n".join(digest for _, digest in sorted(inputs.items())).encode()).hexdigest()


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return file_digest(file, "sha256").hexdigest()


def _sum(mappings: Iterable[Mapping[str, int]]) -> dict[str, int]:
    total: dict[str, int] = {}
    for mapping in mappings:
        for name, count in mapping.items():
            total[name] = total.get(name, 0) + count
    return dict(sorted(total.items()))
