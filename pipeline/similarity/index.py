"""What dedupe remembers between runs, so that a new batch costs what is new.

An index is a folder: per part of the table it was made from, `sketches/<key>.arrow` (columns of ROWS, `end`, and one key per
band), `sketches/<key>.shingles` (32-bit hashes, little-endian) and `verdicts/<key>-<hash>.arrow`; `_manifest.json` is
written last, by rename. The key of a part is a hash of its content and of what decides a sketch, so the bytes of an index
follow from the parts and params alone, whatever batches they came in. There is no text in it.

Opening checks the format, what it was made by, and that every file has its size; `verify` reads them all and compares hashes.
"""

import fcntl
import json
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, field
from functools import cached_property
from hashlib import file_digest, sha256
from itertools import pairwise
from pathlib import Path
from typing import Any, Final

import numpy as np
import polars as pl
import pyarrow as pa  # type: ignore[import-untyped]  # it has no types
from pyarrow.ipc import new_file, open_file  # type: ignore[import-untyped]  # nor has this

from pipeline.errors import TableError
from pipeline.similarity.clusters import CrowdError, ShingleSets
from pipeline.similarity.lookup import LookUp
from pipeline.similarity.minhash import Array
from pipeline.similarity.verdicts import ROWS, TEMPLATE, Known, Rule, judge, templates
from pipeline.tables import translated_errors, write_json

FORMAT: Final = 1
MANIFEST: Final = "_manifest.json"
DIGITS: Final = 32
"""So many digits of the name of a verdict are the hash of what decides the table; those after them, of the components."""

FLAGS: Final = ("is_keeper", "is_exact", "has_others", "is_capped")


@dataclass(frozen=True)
class PartSketch:
    """What is left of the text of one part."""

    rows: pl.DataFrame
    """ROWS, in the order of the part."""
    keys: Sequence[Array]
    """One array per band, one 64-bit key per conversation."""
    ends: Array
    """Where the shingles of every conversation end."""
    shingles: Array | Path
    """32-bit hashes, in the order of the text, with repetitions; or the file of them, mapped only while it is looked into."""

    def runs(self, rows: Array) -> tuple[Array, Array]:
        """A copy of the shingles of these rows, one after the other, and their numbers."""
        ends = np.asarray(self.ends)
        starts = np.concatenate([np.zeros(min(1, len(ends)), np.int64), ends[:-1]])
        lengths = ends[rows] - starts[rows]
        before = np.cumsum(lengths) - lengths
        places = np.repeat(starts[rows] - before, lengths) + np.arange(int(lengths.sum()))
        values = self.shingles
        if isinstance(values, Path):
            values = np.memmap(values, "<u4", "r") if len(places) else np.empty(0, np.uint32)
        return np.asarray(values[places]), lengths


@dataclass(frozen=True)
class Entry:
    """What the manifest says of one part."""

    rows: int
    sketch: tuple[int, str]
    """Bytes and sha256 of the .arrow file."""
    shingles: tuple[int, str]
    """The same of the .shingles file."""
    verdict: str
    """Hash in the name of the verdict's file: of its content."""


@dataclass(frozen=True)
class Contents:
    """The manifest."""

    made_by: str
    """Fingerprint of the params of dedupe."""
    latest: tuple[str | None, str] | None
    """Opening time (null is latest of all) and id of the last conversation in the order of time."""
    parts: Mapping[str, Entry] = field(default_factory=dict)
    format: int = FORMAT


NEIGHBOURS: Final = {
    "asked": pl.Int64,
    "conversation_id": pl.String,
    "cluster_id": pl.String,
    "similarity": pl.Float64,
    "is_exact": pl.Boolean,
}


class Index:
    """An index folder, open for one run at a time. Use through `open_index`."""

    def __init__(self, folder: Path, made_by: str, rule: Rule) -> None:
        """Read the manifest; an index of other params or another format counts as empty."""
        self.folder = folder
        self._made_by, self._rule = made_by, rule
        for name in ("sketches", "verdicts"):
            (folder / name).mkdir(parents=True, exist_ok=True)
        found = _read(folder)
        self.known = found if found and found.made_by == made_by else Contents(made_by, None)
        self._sketched: dict[str, tuple[int, tuple[int, str], tuple[int, str]]] = {
            key: (entry.rows, entry.sketch, entry.shingles) for key, entry in (found.parts if found else {}).items()
        }

    def has_sketch(self, key: str) -> bool:
        """Whether the part with this key was sketched before, under these params or others with the same sketches."""
        return key in self._sketched

    def add(self, key: str, sketch: PartSketch) -> None:
        """Write the sketch of a part; safe to call from several threads."""
        path = self.folder / "sketches" / key
        frame = sketch.rows.select(list(ROWS)).with_columns(
            pl.Series("end", sketch.ends), *(pl.Series(_band(band), keys) for band, keys in enumerate(sketch.keys))
        )
        arrow, shingles = path.with_suffix(".arrow"), path.with_suffix(".shingles")
        _write(arrow, lambda file: _write_arrow(frame, file))
        assert not isinstance(sketch.shingles, Path)  # it is fresh
        values = sketch.shingles.astype("<u4", copy=False)
        _write(shingles, lambda file: file.write_bytes(values.data))
        self._sketched[key] = frame.height, _sign(arrow), _sign(shingles)

    def sketch(self, key: str) -> PartSketch:
        """The sketch of a part, mapped into memory."""
        path = self.folder / "sketches" / key
        table = _mapped(path.with_suffix(".arrow"))
        bands = [_numbers(table, name) for name in table.column_names if name.startswith("band_")]
        return PartSketch(_frame(table.select(list(ROWS))), bands, _numbers(table, "end"), path.with_suffix(".shingles"))

    def verdict(self, key: str, digest: str) -> pl.DataFrame:
        """VERDICT and TEMPLATE of a part, aligned with its rows."""
        return _frame(_mapped(self.verdict_path(key, digest))).with_columns(
            pl.col(FLAGS).cast(pl.Boolean), template_id=pl.when(pl.col("template_id") != "").then("template_id")
        )

    def verdict_path(self, key: str, digest: str) -> Path:
        """Where the verdict of a part lies."""
        return self.folder / "verdicts" / f"{key}-{digest}.arrow"

    def judge(self, keys: Sequence[str]) -> dict[str, str]:
        """Find the verdicts of these parts, all of them sketched; returns the digest of each verdict.

        Where the index knows parts of them already and none besides, only what the others may touch is judged again.
        """
        added = [key for key in keys if key not in self.known.parts]
        if set(self.known.parts) <= set(keys) and self.known.parts:
            if not added:
                return {key: entry.verdict for key, entry in self.known.parts.items()}
            with suppress(CrowdError):
                return _News(self, list(self.known.parts), added, self._rule).verdicts()
        return self._judge_all(keys)

    def _judge_all(self, keys: Sequence[str]) -> dict[str, str]:
        parts = [self.sketch(key) for key in keys]
        whole = verdict_of_all(parts, self._rule)
        cuts = np.cumsum([0, *(part.rows.height for part in parts)])
        return {key: self.keep_verdict(key, whole[int(a) : int(b)]) for key, (a, b) in zip(keys, pairwise(cuts), strict=True)}

    def keep_verdict(self, key: str, verdict: pl.DataFrame) -> str:
        """Write the verdict of a part; returns the hash of its content."""
        name = _verdict_name(verdict)
        # without bitmaps: the bits after the end of one depend on how it came about
        plain = verdict.with_columns(pl.col(FLAGS).cast(pl.UInt8), pl.col("template_id").fill_null(""))
        _write(self.verdict_path(key, name), lambda file: _write_arrow(plain, file))
        return name

    def commit(self, verdicts: Mapping[str, str]) -> None:
        """Make these parts and verdicts what the index knows; what it knew besides is removed."""
        grown = set(self.known.parts) <= set(verdicts)
        added = [self.sketch(key).rows for key in verdicts if not grown or key not in self.known.parts]
        last = _latest(added, self.known.latest if grown else None)
        parts = {key: Entry(*self._sketched[key], digest) for key, digest in sorted(verdicts.items())}
        write_json(self.folder / MANIFEST, asdict(Contents(self._made_by, last, parts)))
        self._remove_all_but(verdicts)

    def _remove_all_but(self, verdicts: Mapping[str, str]) -> None:
        ours = {self.verdict_path(key, digest) for key, digest in verdicts.items()}
        ours |= {self.folder / "sketches" / f"{key}{ending}" for key in verdicts for ending in (".arrow", ".shingles")}
        for path in sorted([*(self.folder / "sketches").iterdir(), *(self.folder / "verdicts").iterdir()]):
            if path not in ours:
                path.unlink()

    def neighbours(self, asked: PartSketch, least: float) -> pl.DataFrame:
        """All conversations of the index with a similarity of at least `least` to one of those asked for, by looking at all.

        Returns:
            asked (row of `asked`), conversation_id, cluster_id, similarity, is_exact (the same words); nearest first.
        """
        values, lengths = asked.runs(np.arange(asked.rows.height))
        look = LookUp(np.unique(values))
        found = [pl.DataFrame(schema=NEIGHBOURS)]
        for key, entry in self.known.parts.items():
            part = self.sketch(key)
            shingles, _ = part.runs(np.arange(part.rows.height))
            hits = np.flatnonzero(look.within(shingles))
            near = np.unique(np.searchsorted(part.ends, hits, side="right"))
            sets = _Places([asked, part], [np.arange(asked.rows.height), near]).sets_of(np.arange(len(lengths) + len(near)))
            for number in range(len(lengths)):
                similar = sets.jaccard(np.full(len(near), number), len(lengths) + np.arange(len(near)), least)
                close = np.flatnonzero((similar >= least) & (similar > 0))
                rows = part.rows[near[close]]
                verdict = self.verdict(key, entry.verdict)[near[close]]
                found.append(
                    pl.DataFrame(
                        {
                            "asked": np.full(len(close), number),
                            "conversation_id": rows["conversation_id"],
                            "cluster_id": verdict["cluster_id"],
                            "similarity": np.round(similar[close], 6),
                            "is_exact": (rows["digest_0"] == asked.rows["digest_0"][number])
                            & (rows["digest_1"] == asked.rows["digest_1"][number]),
                        },
                        schema=NEIGHBOURS,
                    )
                )
        return pl.concat(found).sort("asked", -pl.col("similarity"), "conversation_id")

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
            for ending, signed in ((".arrow", entry.sketch), (".shingles", entry.shingles)):
                path = self.folder / "sketches" / f"{key}{ending}"
                if _sign(path) != tuple(signed):
                    raise TableError(f"{path}: is not what was written; run `ticketmill index rebuild`")
            verdict = self.verdict(key, entry.verdict)
            if _verdict_name(verdict) != entry.verdict:
                path = self.verdict_path(key, entry.verdict)
                raise TableError(f"{path}: is not what was written; run `ticketmill index rebuild`")


LATEST: Final = ("opened_at", "conversation_id")


def _latest(added: Sequence[pl.DataFrame], known: tuple[str | None, str] | None) -> tuple[str | None, str] | None:
    """Time and id of the last of all conversations."""
    names = [known] if known else []
    for rows in added:
        if rows.height:
            at, name = rows.select(*LATEST).sort(*LATEST, nulls_last=True).row(-1)
            names.append((at.isoformat() if at else None, str(name)))
    return max(names, key=_in_order) if names else None


def _in_order(one: tuple[str | None, str]) -> tuple[bool, str, str]:
    return one[0] is None, one[0] or "", one[1]


@dataclass(frozen=True)
class _Places:
    """Some rows of some parts, as one corpus."""

    parts: Sequence[PartSketch]
    chosen: Sequence[Array]
    """Row numbers per part."""

    @classmethod
    def all_of(cls, parts: Sequence[PartSketch]) -> "_Places":
        return cls(parts, [np.arange(part.rows.height) for part in parts])

    def rows(self) -> pl.DataFrame:
        taken = [part.rows[rows] for part, rows in zip(self.parts, self.chosen, strict=True) if len(rows)]
        return pl.concat(taken) if taken else pl.DataFrame(schema=ROWS)

    def keys_of(self, band: int) -> Array:
        taken = [part.keys[band][rows] for part, rows in zip(self.parts, self.chosen, strict=True) if len(rows)]
        return np.concatenate(taken) if taken else np.empty(0, np.uint64)

    @cached_property
    def _owner(self) -> Array:
        return np.repeat(np.arange(len(self.parts)), [len(rows) for rows in self.chosen])

    def sets_of(self, numbers: Array) -> ShingleSets:
        """The shingle sets of these rows (numbers count through all parts), in their order."""
        flat = np.concatenate([*self.chosen, np.empty(0, np.int64)])
        owner = self._owner[numbers]
        runs, lengths = [], np.empty(len(numbers), np.int64)
        by_part = np.argsort(owner, kind="stable")
        for number in np.unique(owner).tolist():
            mine = by_part[np.searchsorted(owner[by_part], number) : np.searchsorted(owner[by_part], number, "right")]
            values, lengths[mine] = self.parts[number].runs(flat[numbers[mine]])
            runs.append(values)
        ends = np.empty(len(numbers), np.int64)
        ends[by_part] = np.cumsum(lengths[by_part])
        return ShingleSets.of(np.concatenate([*runs, np.empty(0, np.uint32)]), ends - lengths, ends)


def verdict_of_all(parts: Sequence[PartSketch], rule: Rule) -> pl.DataFrame:
    """VERDICT and TEMPLATE of all conversations of these parts, in their order."""
    places = _Places.all_of(parts)
    rows = places.rows()
    verdict = judge(rows, places.keys_of, places.sets_of, rule)
    return verdict.hstack(_templates_of(rows, verdict["is_keeper"], rule))


class _News:
    """Judges what new parts may touch in an index, and nothing else."""

    def __init__(self, index: Index, old: Sequence[str], new: Sequence[str], rule: Rule) -> None:
        self._index, self._rule, self._keys = index, rule, [*old, *new]
        self._parts = [index.sketch(key) for key in self._keys]
        self._old = len(old)
        self._before: dict[int, pl.DataFrame] = {}

    def _verdict(self, number: int) -> pl.DataFrame:
        """The verdict that stood so far of the old part `number`."""
        if number not in self._before:
            key = self._keys[number]
            self._before[number] = self._index.verdict(key, self._index.known.parts[key].verdict)
        return self._before[number]

    def verdicts(self) -> dict[str, str]:
        old, new = self._parts[: self._old], self._parts[self._old :]
        touched = self._touching(old, new)
        touched = self._with_components(touched)
        everyone = [np.arange(part.rows.height) for part in new]
        places = _Places(self._parts, [*touched, *everyone])
        rows = places.rows()
        is_new = np.arange(rows.height) >= sum(map(len, touched))
        component = pl.concat(
            [
                *(self._verdict(number)["component"][picked] for number, picked in enumerate(touched) if len(picked)),
                pl.Series("component", [None] * int(is_new.sum()), pl.String),
            ]
        )
        known = Known(is_new, component, self._in_time(new))
        verdict = judge(rows, places.keys_of, places.sets_of, self._rule, known)
        fresh = self._patched([*touched, *everyone], verdict)
        self._judge_templates(fresh, rows)
        return self._kept(fresh)

    def _in_time(self, new: Sequence[PartSketch]) -> bool:
        latest = self._index.known.latest
        firsts = []
        for part in new:
            if part.rows.height:
                at, name = part.rows.select(*LATEST).sort(*LATEST, nulls_last=True).row(0)
                firsts.append((at.isoformat() if at else None, str(name)))
        return latest is None or not firsts or min(map(_in_order, firsts)) > _in_order(latest)

    def _touching(self, old: Sequence[PartSketch], new: Sequence[PartSketch]) -> list[Array]:
        """Rows of the old parts that share a digest or a band key with a new conversation."""
        has_words = [part.rows["words"].to_numpy() > 0 for part in new]
        looks = [
            LookUp(np.concatenate([part.keys[band][some] for part, some in zip(new, has_words, strict=True)]))
            for band in range(self._rule.bands)
        ]
        digests = LookUp(
            np.concatenate([part.rows["digest_0"].to_numpy()[some] for part, some in zip(new, has_words, strict=True)])
        )
        touched = []
        for part in old:
            hit = digests.within(part.rows["digest_0"].to_numpy())
            for band, look in enumerate(looks):
                hit |= look.within(part.keys[band])
            touched.append(np.flatnonzero(hit & (part.rows["words"].to_numpy() > 0)))
        return touched

    def _with_components(self, touched: Sequence[Array]) -> list[Array]:
        """These rows and all others of their components."""
        labels = [self._verdict(number)["component"][rows] for number, rows in enumerate(touched) if len(rows)]
        if not labels:
            return list(touched)
        wanted = pl.concat(labels).unique()
        return [
            np.flatnonzero(self._verdict(number)["component"].is_in(wanted.implode()).to_numpy()) for number in range(self._old)
        ]

    def _patched(self, places: Sequence[Array], verdict: pl.DataFrame) -> dict[int, pl.DataFrame]:
        """The verdicts of all parts with a judged row, with the new values; templates as they were."""
        fresh: dict[int, pl.DataFrame] = {}
        start = 0
        for number, picked in enumerate(places):
            mine = verdict[start : start + len(picked)]
            start += len(picked)
            if number >= self._old:
                blank = pl.DataFrame({"template_id": [None] * mine.height, "is_capped": [False] * mine.height}, schema=TEMPLATE)
                fresh[number] = mine.hstack(blank)
            elif len(picked):
                fresh[number] = _with_rows(self._verdict(number), picked, mine)
        return fresh

    def _judge_templates(self, fresh: dict[int, pl.DataFrame], judged: pl.DataFrame) -> None:
        """Judge the canned replies again that a judged conversation has, in every part; changes `fresh`."""
        look = LookUp(judged["reply_0"].drop_nulls().unique().to_numpy())
        picked = []
        for part in self._parts:
            reply = part.rows["reply_0"]
            picked.append(np.flatnonzero(look.within(reply.fill_null(0).to_numpy()) & reply.is_not_null().to_numpy()))
        places = _Places(self._parts, picked)
        rows = places.rows()
        if rows.height == 0:
            return
        is_keeper = pl.concat(
            [
                (fresh[number] if number in fresh else self._verdict(number))["is_keeper"][rows_]
                for number, rows_ in enumerate(picked)
                if len(rows_)
            ]
        )
        canned = _templates_of(rows, is_keeper, self._rule)
        start = 0
        for number, rows_ in enumerate(picked):
            mine = canned[start : start + len(rows_)]
            start += len(rows_)
            before = fresh[number] if number in fresh else self._verdict(number)
            if not before.select(list(TEMPLATE))[rows_].equals(mine):
                fresh[number] = _with_rows(before, rows_, mine)

    def _kept(self, fresh: Mapping[int, pl.DataFrame]) -> dict[str, str]:
        found = {}
        for number, key in enumerate(self._keys):
            if number in fresh:
                found[key] = self._index.keep_verdict(key, fresh[number])
            else:
                found[key] = self._index.known.parts[key].verdict
        return found


def _verdict_name(verdict: pl.DataFrame) -> str:
    """Two hashes of the values, not of the file: the first decides whether a part of the table is written again."""
    digest = sha256(verdict.drop("component").write_csv().encode()).hexdigest()[:DIGITS]
    return f"{digest}-{sha256(chr(10).join(verdict['component']).encode()).hexdigest()[:16]}"


def _templates_of(rows: pl.DataFrame, is_keeper: pl.Series, rule: Rule) -> pl.DataFrame:
    """TEMPLATE of all rows; null and false for those that are no keepers."""
    keeping = np.flatnonzero(is_keeper.to_numpy())
    blank = pl.DataFrame({"template_id": [None] * rows.height, "is_capped": [False] * rows.height}, schema=TEMPLATE)
    return _with_rows(blank, keeping, templates(rows[keeping], rule))


def _with_rows(frame: pl.DataFrame, rows: Array, values: pl.DataFrame) -> pl.DataFrame:
    """The frame with these rows replaced in the columns of `values`."""
    source = np.full(frame.height, -1)
    source[rows] = np.arange(len(rows))
    is_replaced = pl.Series(source >= 0)
    columns = []
    for name in frame.columns:
        if name in values.columns and len(rows):
            new = values[name].gather(np.maximum(source, 0))
            columns.append(new.zip_with(is_replaced, frame[name]).alias(name))
        else:
            columns.append(frame[name])
    return pl.DataFrame(columns)


@contextmanager
def open_index(folder: Path, made_by: str, rule: Rule) -> Iterator[Index]:
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
            index = Index(folder, made_by, rule)
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
        content = json.loads(path.read_text("utf-8"))
    except FileNotFoundError:
        return None
    except (OSError, ValueError) as error:
        raise TableError(f"{path}: cannot be read; run `ticketmill index rebuild`") from error
    if content.get("format") != FORMAT:
        return None
    latest = tuple(content["latest"]) if content["latest"] else None
    parts = {
        key: Entry(entry["rows"], tuple(entry["sketch"]), tuple(entry["shingles"]), entry["verdict"])
        for key, entry in content["parts"].items()
    }
    for key, entry in parts.items():
        files = {f"sketches/{key}.arrow": entry.sketch[0], f"sketches/{key}.shingles": entry.shingles[0]}
        for name, size in files.items():
            file = folder / name
            if not file.is_file() or file.stat().st_size != size:
                raise TableError(f"{file}: is missing or cut off; run `ticketmill index rebuild`")
        if not (folder / "verdicts" / f"{key}-{entry.verdict}.arrow").is_file():
            raise TableError(f"{folder}: a verdict is missing; run `ticketmill index rebuild`")
    return Contents(content["made_by"], latest, parts)


def _mapped(path: Path) -> pa.Table:
    with pa.memory_map(str(path)) as file, open_file(file) as reader:
        return reader.read_all()


def _write_arrow(frame: pl.DataFrame, path: Path) -> None:
    """Uncompressed, so that it can be mapped; by pyarrow, which writes strings without what they were cut from."""
    table = frame.rechunk().to_arrow(compat_level=pl.CompatLevel.oldest())
    with new_file(str(path), table.schema) as writer:
        writer.write_table(table.combine_chunks())


def _numbers(table: pa.Table, name: str) -> Array:
    column = table.column(name).combine_chunks()
    return np.asarray(column.to_numpy(zero_copy_only=True)) if len(column) else np.empty(0, np.int64)


def _frame(table: pa.Table) -> pl.DataFrame:
    frame = pl.from_arrow(table)
    assert isinstance(frame, pl.DataFrame)  # of a table; a Series is what it makes of an array
    return frame


def _band(number: int) -> str:
    return f"band_{number:03d}"


def _write(path: Path, write: Callable[[Path], Any]) -> None:
    unfinished = path.with_name(f"{path.name}.writing")
    write(unfinished)
    unfinished.replace(path)


def _sign(path: Path) -> tuple[int, str]:
    with path.open("rb") as file:
        digest = file_digest(file, "sha256").hexdigest()
        return file.tell(), digest
