"""What dedupe remembers between runs, so that a new batch costs what is new.

An index is a folder: per part of the table it was made from, `sketches/<key>.arrow` (columns of ROWS, and `end`),
`sketches/<key>.keys` (64-bit keys, little-endian, all of the first band, then all of the second, ...), `sketches/<key>.shingles`
(32-bit hashes, likewise) and `verdicts/<key>-<hash>.arrow`; `_manifest.json` is written last, by rename. The key of a part is a
hash of its content and of what decides a sketch, so the bytes of an index follow from the parts and params alone, whatever
batches they came in. There is no text in it.

Opening checks the format, what it was made by, and that every file has its size; `verify` reads them all and compares hashes.
"""

import fcntl
import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import Final

import orjson
import polars as pl

from pipeline.errors import TableError
from pipeline.similarity.arrow_files import map_array, map_arrow, numbers_of, sign, to_arrow, to_frame, write_array, write_arrow
from pipeline.similarity.minhash import Array
from pipeline.similarity.sketches import PartSketch
from pipeline.tables import translated_errors, write_json

FORMAT: Final = 3
MANIFEST: Final = "_manifest.json"
DIGITS: Final = 32
"""So many digits of the name of a verdict are the hash of what decides the table; those after them, of the components."""

FLAGS: Final = ("is_keeper", "is_exact", "has_others", "is_capped")

SKETCH: Final = (".arrow", ".keys", ".shingles")
"""Endings of the files of the sketch of a part."""

Signed = tuple[int, str]
"""Bytes and sha256 of a file."""

LATEST: Final = ("opened_at", "conversation_id")

Moment = tuple[str | None, str]
"""Opening time and id of a conversation; one without a time is later than all others."""


@dataclass(frozen=True)
class Entry:
    """What the manifest says of one part."""

    rows: int
    sketch: Signed
    """Bytes and sha256 of the .arrow file."""
    keys: Signed
    """The same of the .keys file."""
    shingles: Signed
    """The same of the .shingles file."""
    verdict: str
    """Hash in the name of the verdict's file: of its content."""

    @property
    def signed(self) -> tuple[Signed, Signed, Signed]:
        """In the order of SKETCH."""
        return self.sketch, self.keys, self.shingles


@dataclass(frozen=True)
class Contents:
    """The manifest."""

    made_by: str
    """Fingerprint of the params of dedupe."""
    latest: Moment | None
    """Opening time (null is latest of all) and id of the last conversation in the order of time."""
    parts: Mapping[str, Entry] = field(default_factory=dict)
    format: int = FORMAT


class Index:
    """An index folder, open for one run at a time. Use through `open_index`."""

    def __init__(self, folder: Path, made_by: str) -> None:
        """Read the manifest; an index of other params or another format counts as empty."""
        self.folder = folder
        self._made_by = made_by
        for name in ("sketches", "verdicts"):
            (folder / name).mkdir(parents=True, exist_ok=True)
        found = _read(folder)
        self.known = found if found and found.made_by == made_by else Contents(made_by, None)
        self._sketched: dict[str, tuple[int, Signed, Signed, Signed]] = {
            key: (entry.rows, entry.sketch, entry.keys, entry.shingles) for key, entry in (found.parts if found else {}).items()
        }

    def has_sketch(self, key: str) -> bool:
        """Whether the part with this key was sketched before, under these params or others with the same sketches."""
        return key in self._sketched

    def add(self, key: str, sketch: PartSketch) -> None:
        """Write the sketch of a part; safe to call from several threads."""
        path = self.folder / "sketches" / key
        arrow, keys, shingles = (path.with_suffix(ending) for ending in SKETCH)
        write_arrow(sketch.table, arrow)
        assert not isinstance(sketch.shingles, Path)  # it is fresh
        write_array(sketch.keys.astype("<u8", copy=False), keys)
        write_array(sketch.shingles.astype("<u4", copy=False), shingles)
        self._sketched[key] = sketch.count, sign(arrow), sign(keys), sign(shingles)

    def sketch(self, key: str) -> PartSketch:
        """The sketch of a part, mapped into memory."""
        path = self.folder / "sketches" / key
        arrow, keys, shingles = (path.with_suffix(ending) for ending in SKETCH)
        table = map_arrow(arrow)
        return PartSketch(table, map_array(keys, "<u8").reshape(-1, table.num_rows), shingles)

    def verdict(self, key: str, digest: str) -> pl.DataFrame:
        """VERDICT and TEMPLATE of a part, aligned with its rows."""
        return to_frame(map_arrow(self.verdict_path(key, digest))).with_columns(
            pl.col(FLAGS).cast(pl.Boolean), template_id=pl.when(pl.col("template_id") != "").then("template_id")
        )

    def components(self, key: str) -> Array:
        """`component_0` of VERDICT as it is known of a part, without a look at the rest of it."""
        return numbers_of(map_arrow(self.verdict_path(key, self.known.parts[key].verdict)), "component_0")

    def verdict_path(self, key: str, digest: str) -> Path:
        """Where the verdict of a part lies."""
        return self.folder / "verdicts" / f"{key}-{digest}.arrow"

    def keep_verdict(self, key: str, verdict: pl.DataFrame) -> str:
        """Write the verdict of a part; returns the hash of its content."""
        name = _verdict_name(verdict)
        # without bitmaps: the bits after the end of one depend on how it came about
        plain = verdict.with_columns(pl.col(FLAGS).cast(pl.UInt8), pl.col("template_id").fill_null(""))
        write_arrow(to_arrow(plain), self.verdict_path(key, name))
        return name

    def commit(self, verdicts: Mapping[str, str]) -> None:
        """Make these parts and verdicts what the index knows; what it knew besides is removed."""
        grown = set(self.known.parts) <= set(verdicts)
        added = [self.sketch(key).rows() for key in verdicts if not grown or key not in self.known.parts]
        last = _latest(added, self.known.latest if grown else None)
        parts = {key: Entry(*self._sketched[key], digest) for key, digest in sorted(verdicts.items())}
        write_json(self.folder / MANIFEST, Contents(self._made_by, last, parts))
        self._remove_all_but(verdicts)

    def _remove_all_but(self, verdicts: Mapping[str, str]) -> None:
        ours = {self.verdict_path(key, digest) for key, digest in verdicts.items()}
        ours |= {self.folder / "sketches" / f"{key}{ending}" for key in verdicts for ending in SKETCH}
        for path in sorted([*(self.folder / "sketches").iterdir(), *(self.folder / "verdicts").iterdir()]):
            if path not in ours:
                path.unlink()

    def stats(self) -> dict[str, int]:
        """What the index knows, in numbers; reads every file, and so fails on one that was changed."""
        self.verify()
        verdicts = [self.verdict(key, entry.verdict) for key, entry in self.known.parts.items()]
        keepers = [verdict.filter(pl.col("is_keeper")) for verdict in verdicts]
        return {
            "parts": len(verdicts),
            "conversations": sum(verdict.height for verdict in verdicts),
            "clusters_of_two_or_more": sum(int(some["has_others"].sum()) for some in keepers),
            "near_duplicates": sum(int((~verdict["is_exact"]).sum()) for verdict in verdicts),
            "kept": sum(int((~some["is_capped"]).sum()) for some in keepers),
            "bytes": sum(path.stat().st_size for path in self.folder.rglob("*") if path.is_file()),
        }

    def compact(self) -> int:
        """Remove what no part needs, such as what a killed run left; returns the bytes that were freed."""
        verdicts = {key: entry.verdict for key, entry in self.known.parts.items()}
        before = sum(path.stat().st_size for path in self.folder.rglob("*") if path.is_file())
        self._remove_all_but(verdicts)
        return before - sum(path.stat().st_size for path in self.folder.rglob("*") if path.is_file())

    def verify(self) -> None:
        """Read every file and compare its hash.

        Raises:
            TableError: a file is not what was written.
        """
        for key, entry in self.known.parts.items():
            for ending, signed in zip(SKETCH, entry.signed, strict=True):
                path = self.folder / "sketches" / f"{key}{ending}"
                if sign(path) != tuple(signed):
                    raise TableError(f"{path}: is not what was written; run `ticketmill index rebuild`")
            verdict = self.verdict(key, entry.verdict)
            if _verdict_name(verdict) != entry.verdict:
                path = self.verdict_path(key, entry.verdict)
                raise TableError(f"{path}: is not what was written; run `ticketmill index rebuild`")


def _latest(added: Sequence[pl.DataFrame], known: Moment | None) -> Moment | None:
    """Time and id of the last of all conversations."""
    names = [known] if known else []
    for rows in added:
        if rows.height:
            at, name = rows.select(*LATEST).sort(*LATEST, nulls_last=True).row(-1)
            names.append((at.isoformat() if at else None, str(name)))
    return max(names, key=in_order) if names else None


def in_order(one: Moment) -> tuple[bool, str, str]:
    """What moments are sorted by."""
    return one[0] is None, one[0] or "", one[1]


def _verdict_name(verdict: pl.DataFrame) -> str:
    """Two hashes of the values, not of the file: the first decides whether a part of the table is written again."""
    digest = sha256(verdict.drop("component", "component_0").write_csv().encode()).hexdigest()[:DIGITS]
    return f"{digest}-{sha256(chr(10).join(verdict['component']).encode()).hexdigest()[:16]}"


@contextmanager
def open_index(folder: Path, made_by: str) -> Iterator[Index]:
    """Open an index, making it where there is none; one process at a time.

    Raises:
        TableError: another process has it open, a file is missing or cut off, or the folder cannot be written.
    """
    path = folder.with_name(f".{folder.name}.lock")
    with translated_errors(folder):
        folder.parent.mkdir(parents=True, exist_ok=True)
        lock = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            is_ours = path.exists() and os.path.samestat(os.fstat(lock), path.stat())
        except BlockingIOError:
            is_ours = False
        if not is_ours:
            raise TableError(f"{folder}: another process is using this index; wait for it to end")
        with translated_errors(folder):
            index = Index(folder, made_by)
        yield index
        path.unlink(missing_ok=True)
    finally:
        os.close(lock)


def _read(folder: Path) -> Contents | None:
    """The manifest; None where there is none, or one of another format.

    Raises:
        TableError: it cannot be read, or a file it names is missing or has another size.
    """
    path = folder / MANIFEST
    try:
        content = orjson.loads(path.read_bytes())
    except FileNotFoundError:
        return None
    except (OSError, ValueError) as error:
        raise TableError(f"{path}: cannot be read; run `ticketmill index rebuild`") from error
    if content.get("format") != FORMAT:
        return None
    latest = tuple(content["latest"]) if content["latest"] else None
    parts = {
        key: Entry(each["rows"], tuple(each["sketch"]), tuple(each["keys"]), tuple(each["shingles"]), each["verdict"])
        for key, each in content["parts"].items()
    }
    for key, entry in parts.items():
        for ending, (size, _) in zip(SKETCH, entry.signed, strict=True):
            file = folder / "sketches" / f"{key}{ending}"
            if not file.is_file() or file.stat().st_size != size:
                raise TableError(f"{file}: is missing or cut off; run `ticketmill index rebuild`")
        if not (folder / "verdicts" / f"{key}-{entry.verdict}.arrow").is_file():
            raise TableError(f"{folder}: a verdict is missing; run `ticketmill index rebuild`")
    return Contents(content["made_by"], latest, parts)
