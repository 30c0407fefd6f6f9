"""What must hold of the training files, read again from disk with another parser than wrote them.

Rows are parsed by pydantic, those it refuses by the standard library too, and held against models of the published schema; who
stands in which split is read from the side files and joined with the table before emit.
"""

import json
import re
from collections.abc import Iterator, Sequence
from hashlib import sha256
from pathlib import Path
from typing import Any, Final, Literal

import numpy as np
import polars as pl
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator
from scipy.sparse import csr_array

from checks.bounds import lower
from checks.gate import FEW, Limit, at_least, at_most
from checks.parts import EachPart, dropped_ids, every_part, ids_where
from pipeline.formats import FORMATS
from pipeline.params import Section
from pipeline.tables import Table
from pipeline.writing.splits import SPLITS
from pipeline.writing.training_file import Asked, check_file


class Bounds(Section):
    """How large the training files must be, and how alike test and train may be."""

    min_train_rows: int = Field(ge=0)
    """Fewest rows of the train split, in every format."""

    min_validation_rows: int = Field(ge=0)
    """Fewest rows of the validation split, in every format."""

    min_test_rows: int = Field(ge=0)
    """Fewest rows of the test split, in every format."""

    size: Literal["floor", "start", "pilot", "production"]
    """What the set is meant for; decides which of `min_clusters` binds."""

    min_clusters: dict[Literal["floor", "start", "pilot", "production"], int]
    """Size -> fewest duplicate clusters in train: what the set is worth, however often it repeats itself."""

    @model_validator(mode="after")
    def _binds(self) -> "Bounds":
        if self.size not in self.min_clusters:
            raise ValueError(f"min_clusters has no {self.size}")
        return self

    max_file_bytes: int = Field(gt=0)
    """Largest file."""

    max_lost_share: float = Field(ge=0, le=1)
    """Largest share of the kept conversations that a format may be unable to hold."""

    max_untrained_rows: int = Field(ge=0)
    """Most rows of which nothing is trained once the consumer has cut or dropped them at the length they were written for."""

    max_cut_share: float = Field(ge=0, le=1)
    """Largest share of a format's rows that its consumer cuts or drops at the length they were written for."""

    max_dropped_share: float = Field(ge=0, le=1)
    """Largest share of the given conversations that no file holds."""

    similarity: float = Field(gt=0, le=1)
    """Cosine of the word 3-shingles of two chats, without their system text, at which one gives the other away."""

    max_similar_share: float = Field(ge=0, le=1)
    """Largest share of test rows that may be that similar to a train row: the one-sided 95 % Clopper-Pearson lower bound of the
    sampled share must not lie above it, as one row of a test split of 35 is 2.9 % already."""

    max_test_sample: int = Field(gt=0)
    """Test rows to compare; those whose ids hash lowest."""

    max_train_sample: int = Field(gt=0)
    """Train rows to compare with."""


class Message(BaseModel):
    """One message as the OpenAPI schema `FineTuneChatRequestInput` has it; strict, so that true is no 1."""

    model_config = ConfigDict(extra="forbid", strict=True)

    role: Literal["system", "developer", "user", "assistant", "tool", "function"]
    content: str | None = None
    name: str | None = None
    refusal: str | None = None
    weight: int | None = Field(default=None, ge=0, le=1)
    tool_calls: list[dict[str, Any]] | None = None
    tool_call_id: str | None = None

    @model_validator(mode="after")
    def _says_something(self) -> "Message":
        if not (self.content or self.tool_calls or self.refusal):
            raise ValueError("says nothing")
        if self.weight is not None and self.role != "assistant":
            raise ValueError("weight beside another role")
        return self


class ChatRow(BaseModel):
    """One row of the chat shape."""

    model_config = ConfigDict(extra="forbid", strict=True)

    messages: list[Message] = Field(min_length=1)
    tools: list[dict[str, Any]] | None = None
    parallel_tool_calls: bool | None = None

    @model_validator(mode="after")
    def _trains_something(self) -> "ChatRow":
        if not any(message.role == "assistant" and message.weight != 0 for message in self.messages):
            raise ValueError("nothing to train on")
        return self


PUBLISHED: Final[dict[str, type[BaseModel]]] = dict.fromkeys(("openai", "azure", "mistral", "together", "fireworks"), ChatRow)
"""Formats of OpenAI's published schema, written down here a second time; the others are read as plain JSON."""


def measure(table: Table, bounds: Bounds, _each: EachPart = every_part) -> pl.DataFrame:
    """One row: sizes, faults of files and rows, leaks between splits, and how alike test and train are."""
    kept = table.manifest.total("kept")
    given = kept + table.manifest.total("dropped")
    readings = [_Reading(table, name) for name in _formats(table)]
    plain = [reading for reading in readings if FORMATS[reading.name].needs is None]  # the others hold what some have
    return pl.DataFrame(
        {
            "formats": len(readings),
            **{f"{split}_rows": min((reading.rows[split] for reading in plain), default=None) for split in SPLITS},
            "formats_below_floor": sum(reading.rows["train"] < FORMATS[reading.name].min_rows for reading in readings),
            "largest_file_bytes": max((reading.largest for reading in readings), default=None),
            **{fault: sum(reading.faults[fault] for reading in readings) for fault in FAULTS},
            "lost_share": max((1 - len(reading.splits) / kept for reading in plain), default=None) if kept else None,
            "dropped_share": 1 - kept / given if given else None,
            **_lengths(table, readings),
            **_leaks(table, readings),
            **_similarity(table, readings, bounds),
        }
    )


FAULTS: Final = {
    "unreadable_lines": "lines of training files that are no JSON",
    "against_schema": "rows that the consumer's published schema refuses",
    "out_of_step": "rows without the line of the side file that says whence they came, or with one of another split",
    "files_not_named": "files in the folder of a format that the table does not name",
}


def expectations(bounds: Bounds) -> list[Limit]:
    """The files are large enough and sound, nobody stands in two splits, and the test split is no copy of train."""
    size = f"duplicate clusters in train; fewer are no set of size {bounds.size!r} (gates.emit.size)"
    return [
        at_least("formats", 1, "formats that were written"),
        at_least("train_rows", bounds.min_train_rows, "rows of train, in the format that has fewest"),
        at_least("validation_rows", bounds.min_validation_rows, "rows of validation, in the format that has fewest"),
        at_least("test_rows", bounds.min_test_rows, "rows of test, in the format that has fewest"),
        at_least("train_clusters", bounds.min_clusters[bounds.size], size),
        at_most("formats_below_floor", 0, "formats with fewer rows of train than their consumer accepts"),
        at_most("largest_file_bytes", bounds.max_file_bytes, "bytes of the largest training file"),
        *(at_most(fault, 0, meaning) for fault, meaning in FAULTS.items()),
        at_most("lost_share", bounds.max_lost_share, "kept conversations that a format does not hold"),
        at_most("untrained_rows", bounds.max_untrained_rows, "rows of which nothing is trained once the consumer has cut them"),
        at_most("cut_share", bounds.max_cut_share, "rows that the consumer cuts or drops at the length they were written for"),
        at_most("dropped_share", bounds.max_dropped_share, "conversations that no file holds, of those given"),
        at_most("unknown_conversations", 0, "rows of conversations that the table before does not hold"),
        at_most("customers_in_two_splits", 0, "customers who stand in more than one split"),
        at_most("clusters_in_two_splits", 0, "clusters of near-duplicates that stand in more than one split"),
        at_most("synthetic_outside_train", 0, "conversations with a synthetic answer in validation or test"),
        at_most(
            "similar_share_at_least",
            bounds.max_similar_share,
            "rows of test that resemble a row of train: lower bound on their share",
        ),
    ]


def where(table: Table, measure: str, bounds: Bounds, _each: EachPart = every_part) -> Iterator[str]:
    """Ids of conversations; formats, and in them the split and number of a line."""
    readings = [_Reading(table, name) for name in _formats(table)]
    if measure in FAULTS:
        yield from (place for reading in readings for place in reading.places[measure])
    elif measure.endswith("_rows") and measure != "untrained_rows":
        split = measure.removesuffix("_rows")
        yield from (f"{reading.name} ({reading.rows[split]:,})" for reading in readings if FORMATS[reading.name].needs is None)
    elif measure == "formats_below_floor":
        yield from (
            f"{reading.name} ({reading.rows['train']:,}, needs {FORMATS[reading.name].min_rows:,})"
            for reading in readings
            if reading.rows["train"] < FORMATS[reading.name].min_rows
        )
    elif measure in {"untrained_rows", "cut_share"}:
        for reading in readings:
            untrained, cut, rows = _cuts(reading)
            yield f"{reading.name} ({cut:,} of {rows:,} rows too long, {untrained:,} with nothing to train)"
    elif measure == "lost_share":
        plain = [reading for reading in readings if FORMATS[reading.name].needs is None]
        yield from (
            f"{name} ({each.name})" for each in plain for name in ids_where(pl.lit(value=True), table) if name not in each.splits
        )
    elif measure == "dropped_share":
        yield from dropped_ids(table)
    elif measure == "similar_share_at_least":
        nearest = sorted((_nearest(table, readings, bounds) or {}).items(), key=lambda each: (-each[1], each[0]))
        yield from (name for name, score in nearest if score >= bounds.similarity)
    elif measure in LEAKS and (before := table.previous()) is not None and before.manifest.parts:
        yield from _leaking(_placed(before, readings), measure)


def _leaking(placed: pl.DataFrame, measure: str) -> Iterator[str]:
    if measure == "unknown_conversations":
        yield from placed.filter(pl.col("cluster_id").is_null())["conversation_id"]
    elif measure == "synthetic_outside_train":
        yield from placed.filter(pl.col("by_model") & (pl.col("split") != "train"))["conversation_id"]
    elif column := {"customers_in_two_splits": "customer_key", "clusters_in_two_splits": "cluster_id"}.get(measure):
        several = placed.filter(pl.col(column).is_not_null() & (pl.col("split").n_unique().over(column) > 1))
        yield from (
            f"{name} ({split})" for name, split in several.sort(column, "split").select("conversation_id", "split").iter_rows()
        )


def _formats(table: Table) -> list[str]:
    return sorted(path.name.removeprefix("lines_") for path in table.folder.glob("lines_*"))


NO_JSON: Final = re.compile(rb"NaN|Infinity")
"""Numbers that pydantic's reader of JSON takes and JSON has not."""


class _Reading:
    """What one pass over the files of a format finds; holds ids and counts, no text."""

    def __init__(self, table: Table, name: str) -> None:
        self.name, self.folder = name, table.folder / name
        self.rows = dict.fromkeys(SPLITS, 0)
        self.largest = 0
        self.faults = dict.fromkeys(FAULTS, 0)
        self.places: dict[str, list[str]] = {fault: [] for fault in FAULTS}
        """Fault -> the first lines that have it, by number."""
        self.splits: dict[str, set[str]] = {}
        """conversation_id -> the splits whose files hold it."""
        self._schema = PUBLISHED.get(name)
        files = (path for path in self.folder.rglob("*") if path.is_file())
        strangers = [path for path in files if path.relative_to(table.folder).as_posix() not in table.manifest.extras]
        self.faults["files_not_named"] = len(strangers)
        self.places["files_not_named"] = sorted(f"{name}/{path.relative_to(self.folder).as_posix()}" for path in strangers)
        for split in SPLITS:
            for path in files_of(self.folder, split):
                self.largest = max(self.largest, path.stat().st_size)
                self._read(path, split)

    def _read(self, path: Path, split: str) -> None:
        metas = lines_of(path.with_name(f"{path.stem}.meta.jsonl"))
        for number, line in enumerate(lines_of(path), start=1):
            self.rows[split] += 1
            where = f"{self.name}/{path.name} line {number}"
            if fault := self._fault(line):
                self._note(fault, where)
            if not self._file(next(metas, None), split):
                self._note("out_of_step", where)
        for _ in metas:
            self._note("out_of_step", f"{self.name}/{path.name} has fewer lines than its side file")

    def _note(self, fault: str, where: str) -> None:
        self.faults[fault] += 1
        if len(self.places[fault]) <= FEW and where not in self.places[fault]:
            self.places[fault].append(where)

    def _fault(self, line: bytes) -> str | None:
        try:
            if self._schema is not None and not NO_JSON.search(line):
                self._schema.model_validate_json(line)  # twice as fast; what it refuses is named below
                return None
        except ValidationError:
            pass
        try:
            row = json.loads(line, parse_constant=_refuse)
            if self._schema is not None:
                self._schema.model_validate(row)
            elif not isinstance(row, dict):
                return "against_schema"
        except ValidationError:
            return "against_schema"
        except ValueError:
            return "unreadable_lines"
        return None

    def _file(self, meta: bytes | None, split: str) -> bool:
        """Note whose row it is; whether the side file says so, and puts it into this split."""
        try:
            provenance = json.loads(meta or b"")
            self.splits.setdefault(provenance["conversation_id"], set()).add(split)
            return bool(provenance["split"] == split)
        except (ValueError, KeyError, TypeError):
            return False


def _refuse(constant: str) -> None:
    raise ValueError(f"{constant} is not JSON")


def files_of(folder: Path, split: str) -> list[Path]:
    """The training files of a split, shards in their order."""
    files = [*folder.glob(f"{split}*.jsonl"), *folder.glob(f"{split}*.parquet")]
    return sorted(path for path in files if not path.name.endswith(".meta.jsonl"))


def lines_of(path: Path) -> Iterator[bytes]:
    """The rows of a file as JSON, without a byte order mark; none where the file is missing."""
    if not path.exists():
        return
    if path.suffix == ".parquet":
        for start in range(0, pl.scan_parquet(path).select(pl.len()).collect().item(), READ_ROWS):
            rows = pl.scan_parquet(path).slice(start, READ_ROWS).collect()
            yield from (json.dumps(row).encode() for row in rows.iter_rows(named=True))
        return
    with path.open("rb") as file:
        for number, line in enumerate(file):
            yield line.removeprefix(b"\xef\xbb\xbf") if number == 0 else line


READ_ROWS: Final = 20_000


def _lengths(table: Table, readings: Sequence[_Reading]) -> dict[str, float | None]:
    """What is left of the rows where each consumer cuts them, and the length at which nothing is cut."""
    untrained, cut = 0, 0.0
    for reading in readings:
        lost, long, rows = _cuts(reading)
        untrained += lost
        cut = max(cut, long / max(rows, 1))
    longest = [table.read(part, columns=["tokens"])["tokens"].max() for part in table.manifest.parts]
    recommended = max((tokens for tokens in longest if isinstance(tokens, int)), default=None)
    return {"untrained_rows": untrained, "cut_share": cut, "recommended_max_tokens": recommended}


def _cuts(reading: _Reading) -> tuple[int, int, int]:
    """Of the rows of a format: with nothing left to train on, too long, all."""
    length = _length_written_for(reading.folder)
    reports = [
        check_file(path, Asked(reading.name, length, max_findings=1))
        for split in SPLITS
        for path in files_of(reading.folder, split)
        if path.stat().st_size  # there is nothing to cut in an empty file; that it has no rows is another measure
    ]
    lost = sum(report.counts.get(fault, 0) for report in reports for fault in ("nothing_trained_after_cut", "dropped_for_length"))
    return lost, lost + sum(report.counts.get("too_long", 0) for report in reports), sum(report.rows for report in reports)


def _length_written_for(folder: Path) -> int | None:
    """Tokens that the trainer will be told to read of a row, as emit noted them; None leaves it the consumer's default."""
    try:
        length = json.loads((folder / "manifest.json").read_text("utf-8"))["max_tokens"]
    except (OSError, ValueError, LookupError, TypeError):
        return None
    return length if isinstance(length, int) else None


MADE_BY_MODEL: Final = (pl.element().struct.field("origin") == "synthetic") | (
    pl.element().struct.field("generation").struct.field("provider").is_not_null()
)


LEAKS: Final = ("unknown_conversations", "customers_in_two_splits", "clusters_in_two_splits", "synthetic_outside_train")


def _leaks(table: Table, readings: Sequence[_Reading]) -> dict[str, int | None]:
    """Who stands in two splits, from the side files on disk and the table before emit."""
    before = table.previous()
    if before is None:
        return dict.fromkeys((*LEAKS, "train_clusters"))
    if not before.manifest.parts:
        return {**dict.fromkeys(LEAKS, 0), "train_clusters": 0}
    placed = _placed(before, readings)
    return {
        "unknown_conversations": placed["cluster_id"].null_count(),
        "customers_in_two_splits": _in_two(placed, "customer_key"),
        "clusters_in_two_splits": _in_two(placed, "cluster_id"),
        "synthetic_outside_train": placed.filter(pl.col("by_model") & (pl.col("split") != "train")).height,
        "train_clusters": placed.filter(split="train")["cluster_id"].drop_nulls().n_unique(),
    }


def _placed(before: Table, readings: Sequence[_Reading]) -> pl.DataFrame:
    """conversation_id, split, and what the table before says of each: customer_key, cluster_id, by_model."""
    found = pl.DataFrame(
        [(name, split) for reading in readings for name, splits in reading.splits.items() for split in splits],
        schema={"conversation_id": pl.String, "split": pl.String},
        orient="row",
    ).unique()
    people = [
        before.read(part, columns=["conversation_id", "customer_key", "cluster_id", "turns"]).select(
            "conversation_id",
            "customer_key",
            "cluster_id",
            by_model=pl.col("turns").list.eval(MADE_BY_MODEL).list.any(),
        )
        for part in before.manifest.parts
    ]
    return found.join(pl.concat(people), on="conversation_id", how="left")


def _in_two(placed: pl.DataFrame, who: str) -> int:
    return placed.drop_nulls(who).group_by(who).agg(pl.col("split").n_unique()).filter(pl.col("split") > 1).height


def _similarity(table: Table, readings: Sequence[_Reading], bounds: Bounds) -> dict[str, float | None]:
    """Share of the sampled test conversations whose nearest train conversation is at least that similar, and its lower bound."""
    nearest = _nearest(table, readings, bounds)
    if nearest is None:
        return {"similar_share": None, "similar_share_at_least": None}
    if not nearest:
        # nothing to give away; how many test rows there must be is another bound
        return {"similar_share": 0.0, "similar_share_at_least": 0.0}
    similar = sum(score >= bounds.similarity for score in nearest.values())
    return {"similar_share": similar / len(nearest), "similar_share_at_least": lower(similar, len(nearest))}


def _nearest(table: Table, readings: Sequence[_Reading], bounds: Bounds) -> dict[str, float] | None:
    """Sampled test conversation -> how much it resembles the nearest of train; None where that cannot be told."""
    if not readings:
        return None
    splits = readings[0].splits
    test = _sample((name for name, where in splits.items() if "test" in where), bounds.max_test_sample)
    train = _sample((name for name, where in splits.items() if "train" in where), bounds.max_train_sample)
    if not test:
        return {}
    before = table.previous()
    if before is None or not train:
        return None
    found = _texts(before, test)
    if not found:  # whose rows these are nobody knows: that is another measure
        return None
    names, said = zip(*found, strict=True)
    texts = [text for _, text in _texts(before, train)]
    return dict(zip(names, nearest(said, texts), strict=True))


TEXTS_AT_A_TIME: Final = 5000


def nearest(asked: Sequence[str], others: Sequence[str]) -> list[float]:
    """Of every text asked: the largest cosine of its set of runs of three words and that of another text."""
    own = _shingles(asked)
    columns = own.select(pl.col("shingle").unique()).with_row_index("column")
    matrix, sizes = _matrix(own, len(asked), columns), np.bincount(own["row"], minlength=len(asked))
    found = np.zeros(len(asked))
    for start in range(0, len(others), TEXTS_AT_A_TIME):
        block = others[start : start + TEXTS_AT_A_TIME]
        theirs = _shingles(block)
        common = (matrix @ _matrix(theirs, len(block), columns).T).tocoo()
        either = sizes[common.row] * np.bincount(theirs["row"], minlength=len(block))[common.col]
        np.maximum.at(found, common.row, common.data / np.sqrt(either))
    return found.tolist()


def _shingles(texts: Sequence[str]) -> pl.DataFrame:
    """row, shingle: the distinct runs of three words of every text, hashed; words of two letters and more, in lower case."""
    words = pl.Series("word", texts, dtype=pl.String).str.to_lowercase().str.extract_all(r"\w\w+")
    flat = words.to_frame().with_row_index("row").filter(pl.col("word").list.len() > 2).explode("word")  # noqa: PLR2004  # three
    run = pl.concat_str("word", pl.col("word").shift(-1), pl.col("word").shift(-2), separator=" ")
    whole = flat.select("row", last=pl.col("row").shift(-2), shingle=run.hash()).filter(pl.col("row") == pl.col("last"))
    return whole.select("row", "shingle").unique()


def _matrix(shingles: pl.DataFrame, rows: int, columns: pl.DataFrame) -> csr_array:
    """One row per text, 1 in the column of every shingle that has one."""
    placed = shingles.join(columns, on="shingle")
    at = (placed["row"].to_numpy(), placed["column"].to_numpy())
    return csr_array((np.ones(placed.height, np.float32), at), shape=(rows, columns.height))


def _sample(names: Iterator[str], size: int) -> set[str]:
    return set(sorted(names, key=lambda name: sha256(name.encode()).digest())[:size])


def _texts(table: Table, names: set[str]) -> list[tuple[str, str]]:
    """These conversations and the whole text of each, part by part."""
    texts: list[tuple[str, str]] = []
    wanted = pl.Series(sorted(names), dtype=pl.String).implode()
    for part in table.manifest.parts:
        rows = table.read(part, columns=["conversation_id", "turns"]).filter(pl.col("conversation_id").is_in(wanted))
        said = pl.col("turns").list.eval(pl.element().struct.field("text")).list.join("\n")
        texts += rows.select("conversation_id", said).rows()
    return texts
