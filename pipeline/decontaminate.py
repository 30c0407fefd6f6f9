"""Drop the conversations that hold what another set is there to test: evaluation sets, a held-out split, an older release.

A row of the reference counts as held when enough of its shingles stand in the conversation, wherever they stand. Every row
is compared with every conversation that shares one of its rarest shingles, which none that holds it can avoid: nothing is
sampled, and the cost grows with the table. Source: prefix filtering as in Chaudhuri, Ganti, Kaushik, "A primitive operator
for similarity joins in data cleaning", 2006; containment of n-grams as in "Language Models are Few-Shot Learners",
appendix C, 2020.
"""

import gzip
import json
from collections.abc import Iterator, Sequence
from hashlib import sha256
from pathlib import Path
from typing import Any, Final
from unicodedata import unidata_version

import numpy as np
import polars as pl
from pydantic import Field

from pipeline.errors import SourceError
from pipeline.params import Section
from pipeline.parts import Means, Transform, map_table
from pipeline.similarity.clusters import ShingleSets
from pipeline.similarity.hash_set import HashSet
from pipeline.similarity.minhash import Array, Recipe, sketch, texts_of
from pipeline.stage import Outcome
from pipeline.tables import MANIFEST, Manifest, Part, Table, write_json

HOLDS_REFERENCE: Final = "holds_reference"


class DecontaminateParams(Section):
    """When a conversation holds a row of the reference."""

    shingle_size: int = Field(ge=1, le=50)
    """Words per shingle."""

    min_containment: float = Field(gt=0, le=1)
    """Share of the shingles of a row that must stand in a conversation."""

    min_words: int = Field(ge=1)
    """Rows of the reference with fewer words are not looked for: "thank you very much" is no leak."""


def run(source: Path, target: Path, reference: Path, params: DecontaminateParams, means: Means) -> Manifest:
    """Drop the conversations that hold a row of a reference set.

    ticketmill decontaminate data/curated/validated data/curated/clean eval.jsonl

    Beside the parts, reference.json says how many rows were looked for, and how many were too short to be.
    """
    table = Table(source)
    table.require_stage("scrub")
    rows = list(read_reference(reference))
    digest = sha256(json.dumps(rows).encode()).hexdigest()
    held = Reference(rows, params)
    if not held.names:
        raise SourceError(f"{reference}: has no row of {params.min_words} words; lower decontaminate.min_words")

    def finish(folder: Path, _parts: Sequence[Part]) -> Sequence[Path]:
        write_json(folder / "reference.json", {"looked_for": len(held.names), "too_short": held.too_short})
        return [folder / "reference.json"]

    return map_table(
        table,
        target,
        stage="decontaminate",
        fingerprint=params.fingerprint(digest, unidata_version),
        prepare=prepare,
        arguments=(reference, params),
        workers=means.workers,
        progress=means.progress,
        finish=finish,
    )


def prepare(reference: Path, params: DecontaminateParams) -> Transform:
    """Read the reference once per worker."""
    held = Reference(list(read_reference(reference)), params)
    return lambda conversations: decontaminate(conversations, held)


def decontaminate(conversations: pl.DataFrame, reference: "Reference") -> Outcome:
    """Drop what holds a row of the reference.

    Args:
        conversations: any table with conversation_id and turns.
        reference: what must not be held.
    Returns:
        kept: the same columns. dropped: HOLDS_REFERENCE, detail names the row that is held most, the first of equals.
    """
    row, name, _ = reference.held_by(conversations["turns"])
    is_held = np.zeros(conversations.height, np.bool_)
    is_held[row] = True
    dropped = conversations[row].select(
        "conversation_id", reason=pl.lit(HOLDS_REFERENCE), detail=pl.Series(name, dtype=pl.String)
    )
    return Outcome(conversations.filter(~pl.Series(is_held)), dropped)


class Reference:
    """Shingles of a set that training must not see."""

    def __init__(self, rows: list[tuple[str, list[str]]], params: DecontaminateParams) -> None:
        """Shingle the rows: a name and the texts of each."""
        self._params = params
        self._recipe = Recipe(
            params.shingle_size, by_character=False, mask_numbers=False, permutations=1, bands=1, rows=1, seed=1
        )
        sketched = sketch(texts_of(pl.Series([texts for _, texts in rows], dtype=pl.List(pl.String))), self._recipe)
        long_enough = np.flatnonzero(sketched.words >= params.min_words)
        self.names = [rows[number][0] for number in long_enough.tolist()]
        self.too_short = len(rows) - len(self.names)
        self._sets = ShingleSets.of(sketched.shingles, sketched.offsets[:-1][long_enough], sketched.offsets[1:][long_enough])
        self._rare, self._owner = self._rarest()

    def _rarest(self) -> tuple[Array, Array]:
        """Of every row so many of its rarest shingles that whoever holds the row has one of them; sorted by shingle."""
        sets = self._sets
        everything = np.concatenate(
            [sets.values[a : a + n] for a, n in zip(sets.starts, sets.sizes, strict=True)] or [np.empty(0, np.uint32)]
        )
        values, counts = np.unique(everything, return_counts=True)
        rare, owner = [np.empty(0, np.uint32)], [np.empty(0, np.int64)]
        for number, (start, size) in enumerate(zip(sets.starts.tolist(), sets.sizes.tolist(), strict=True)):
            mine = sets.values[start : start + size]
            needed = int(np.ceil(self._params.min_containment * size - 1e-9))
            by_rarity = np.lexsort((mine, counts[np.searchsorted(values, mine)]))
            rare.append(mine[by_rarity[: size - needed + 1]])
            owner.append(np.full(len(rare[-1]), number))
        shingles, owners = np.concatenate(rare), np.concatenate(owner)
        order = np.lexsort((owners, shingles))
        return shingles[order], owners[order]

    def held_by(self, turns: pl.Series) -> tuple[list[int], list[str], list[float]]:
        """Which conversations hold a row: their numbers, the name of the row held most, the share of it that they hold."""
        texts = texts_of(turns.list.eval(pl.element().struct.field("text")))
        sketched = sketch(texts, self._recipe)
        hits = np.flatnonzero(HashSet(self._rare).within(sketched.shingles))
        starts = np.searchsorted(self._rare, sketched.shingles[hits], "left")
        counts = np.searchsorted(self._rare, sketched.shingles[hits], "right") - starts
        who = np.repeat(np.searchsorted(sketched.offsets, hits, "right") - 1, counts)
        place = np.repeat(starts - (np.cumsum(counts) - counts), counts) + np.arange(int(counts.sum()))
        pairs = np.unique(np.stack([who, self._owner[place]]), axis=1)
        return self._most_held(pairs[0], pairs[1], sketched.shingles, sketched.offsets)

    def _most_held(self, who: Array, row: Array, shingles: Array, offsets: Array) -> tuple[list[int], list[str], list[float]]:
        asked, numbers = np.unique(who, return_inverse=True)
        ends = offsets[1:][asked] + len(self._sets.values)
        both = ShingleSets.of(
            np.concatenate([self._sets.values, shingles]),
            np.concatenate([self._sets.starts, offsets[:-1][asked] + len(self._sets.values)]),
            np.concatenate([self._sets.starts + self._sets.sizes, ends]),
        )
        conversation = len(self.names) + numbers
        similar = both.jaccard(row, conversation)
        sizes = both.sizes[row] + both.sizes[conversation]
        held = np.rint(similar * sizes / (1 + similar)) / np.maximum(both.sizes[row], 1)
        found = (
            pl.DataFrame({"who": who, "row": row, "held": held})
            .filter(pl.col("held") >= self._params.min_containment - 1e-9)
            .sort("who", -pl.col("held"), "row")
            .unique("who", keep="first", maintain_order=True)
        )
        return found["who"].to_list(), [self.names[number] for number in found["row"]], found["held"].to_list()


def read_reference(path: Path) -> Iterator[tuple[str, list[str]]]:
    """The rows of a reference: a name, and its texts.

    Args:
        path: a table of ticketmill (its kept conversations); .jsonl with `messages` (system texts are not looked for),
            `prompt` and `completion`, `question` and `answer`, or `text`; .txt with one text per line; both also .gz.
    Raises:
        SourceError: the file is none of these, or a row has none of the fields; names the file and the row.
    """
    if (path / MANIFEST).is_file():
        table = Table(path)
        for part in table.manifest.parts:
            for name, turns in table.read(part, columns=("conversation_id", "turns")).iter_rows():
                yield name, [turn["text"] or "" for turn in turns or []]
        return
    kind = path.name.removesuffix(".gz").rpartition(".")[2]
    if kind not in {"jsonl", "txt"}:
        raise SourceError(f"{path}: a reference is a table of ticketmill, a .jsonl or a .txt, also .gz")
    opened = gzip.open if path.name.endswith(".gz") else open
    try:
        with opened(path, "rt", encoding="utf-8") as file:
            for number, line in enumerate(file, start=1):
                if line.strip():
                    yield f"{path.name}:{number}", [line] if kind == "txt" else _texts_in(line, f"{path}, row {number}")
    except (OSError, EOFError, UnicodeDecodeError) as error:
        raise SourceError(f"{path}: cannot be read as UTF-8 text") from error


def _texts_in(line: str, where: str) -> list[str]:
    try:
        row: Any = json.loads(line)
    except ValueError:
        raise SourceError(f"{where}: is not JSON") from None
    match row:
        case {"messages": [*messages]}:
            texts = [one.get("content") for one in messages if isinstance(one, dict) and one.get("role") != "system"]
        case {"prompt": one, "completion": other} | {"question": one, "answer": other}:
            texts = [one, other]
        case {"text": one}:
            texts = [one]
        case _:
            raise SourceError(f"{where}: has none of messages, prompt and completion, question and answer, text")
    if not all(isinstance(text, str | None) for text in texts):
        raise SourceError(f"{where}: holds something else than text")
    return [text or "" for text in texts]
