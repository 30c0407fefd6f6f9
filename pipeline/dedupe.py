"""Keep one conversation of each group of near-duplicates, and say which, how near, and why that one.

Every part is sketched once (`pipeline.minhash`), clusters are found among the sketches of all parts (`pipeline.clusters`),
and every part is written again with the verdicts on its rows. Text is held one part per worker at a time; band keys and
shingles of the whole corpus lie in a scratch file.
"""

from collections import deque
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, replace
from hashlib import sha256
from itertools import pairwise
from pathlib import Path
from typing import Final, Literal
from unicodedata import unidata_version

import numpy as np
import polars as pl
from pydantic import Field, model_validator

from pipeline.clusters import ShingleSets, buckets, components, keepers
from pipeline.errors import TableError
from pipeline.minhash import Array, Recipe, band_keys, sketch, texts_of
from pipeline.params import Section
from pipeline.parts import Means, Task
from pipeline.schema import CLUSTERS, DEDUPED, DROPPED, SCRUBBED, conform
from pipeline.stage import Outcome
from pipeline.tables import Manifest, Part, Table, TableWriter, new_table, translated_errors

VERSION: Final = 1

EXACT: Final = "exact_duplicate"
NEAR: Final = "near_duplicate"
CAPPED: Final = "template_limit"

ANSWERING: Final = ("agent", "bot")

READ: Final = ("conversation_id", "opened_at", "outcome", "turns")


class DedupeParams(Section):
    """When two conversations count as one, and which of them stays."""

    match: Literal["conversation", "question", "question_and_answer"]
    """What is compared: all turns; the first run of customer turns; or that and the run of agent or bot turns after it."""

    unit: Literal["word", "character"]
    """What a shingle is made of."""

    shingle_size: int = Field(ge=1, le=50)
    """Words (or characters) per shingle."""

    min_jaccard: float = Field(gt=0, le=1)
    """Similarity of the shingle sets from which two conversations count as one. Ratio, 1 = identical."""

    permutations: int = Field(ge=1, le=1024)
    """Length of a MinHash signature."""

    bands: int | None = Field(ge=1)
    """Bands the signature is cut into: more of them find more candidates. null: the optimum for `min_jaccard`."""

    rows: int | None = Field(ge=1)
    """Values per band: more of them find fewer candidates. null with `bands`."""

    seed: int = Field(ge=0, lt=2**32)
    """Of the permutations."""

    mask: list[Literal["surrogates", "numbers"]]
    """What counts as the same word wherever it stands: what scrub put in place of personal details; words with a digit."""

    link: Literal["any", "keeper"]
    """any: a chain of similar conversations is one cluster. keeper: each must be similar to the one that is kept."""

    prefer: list[Literal["human", "resolved", "rated", "longer", "earlier"]]
    """Which member of a cluster is kept: the first difference decides; what is still equal, the earlier, the lesser id.
    human: no synthetic turn. resolved: yes, unknown, no (reopened counts as no). rated: csat, unknown as 0.5.
    longer: more words."""

    max_per_template: int | None = Field(ge=1)
    """Conversations that are kept of those in which the agents say the same words throughout, whatever the customer says:
    canned replies. null: all of them; how many there are is counted either way."""

    @model_validator(mode="after")
    def _fit(self) -> "DedupeParams":
        if (self.bands is None) != (self.rows is None):
            msg = "bands and rows are both numbers or both null"
            raise ValueError(msg)
        if self.bands and self.rows and self.bands * self.rows > self.permutations:
            msg = f"{self.bands} bands of {self.rows} rows need {self.bands * self.rows} permutations"
            raise ValueError(msg)
        return self

    def recipe(self) -> Recipe:
        """What decides a sketch."""
        bands, rows = self.bands, self.rows
        if bands is None or rows is None:
            from datasketch import MinHashLSH  # type: ignore[import-untyped]  # noqa: PLC0415  # no types; slow to import

            optimum = MinHashLSH(threshold=self.min_jaccard, num_perm=self.permutations)
            bands, rows = int(optimum.b), int(optimum.r)
        return Recipe(
            size=self.shingle_size,
            by_character=self.unit == "character",
            mask_numbers="numbers" in self.mask,
            permutations=self.permutations,
            bands=bands,
            rows=rows,
            seed=self.seed,
        )


def run(source: Path, target: Path, params: DedupeParams, means: Means) -> Manifest:
    """Keep one conversation of each group of exact or near duplicates.

    ticketmill dedupe data/curated/scrubbed data/curated/deduped
    """
    table = Table(source)
    table.require_stage("scrub")
    parts = table.manifest.parts
    with new_table(target, "dedupe", VERSION, params.fingerprint(unidata_version), given=table) as writer:
        with translated_errors(target):
            corpus = Corpus(writer.folder / "_sketches")
        for done, sketched in enumerate(_sketches(table, params, means.workers), start=1):
            with translated_errors(target):
                corpus.add(sketched)
            means.progress(done, 2 * len(parts))
        verdicts = corpus.verdicts(params)
        tasks = [
            Task({part.name: part.files["kept"], "verdicts": _digest(verdict)}, (part, verdict))
            for part, verdict in zip(parts, verdicts, strict=True)
        ]
        # polars has threads of its own: another process would only start slowly
        made = _make_parts(writer, table, tasks, means)
        corpus.close()
        return writer.publish(made)


def dedupe(conversations: pl.DataFrame, params: DedupeParams, findings: pl.DataFrame | None = None) -> Outcome:
    """Keep one conversation of each cluster of near-duplicates, whatever the order of the rows.

    Args:
        conversations: SCRUBBED, a whole corpus. A conversation without a word is like no other; one with fewer words
            than a shingle is like those with the same words.
        params: what is alike.
        findings: FINDINGS of these conversations; needed where `mask` names surrogates.
    Returns:
        kept: DEDUPED, in the order given. dropped: EXACT where the words are those of the keeper, else NEAR; detail is
        the keeper's conversation_id. CAPPED where enough others have the same canned replies; detail is the
        conversation_id of the first of those in the order of `prefer`. clusters: CLUSTERS. counts: kept or capped
        conversations whose canned replies others have too.
    Source: Broder, "On the resemblance and containment of documents", 1997.
    """
    corpus = Corpus(None)
    corpus.add(sketch_part(conversations, findings, params))
    return apply(conversations, corpus.verdicts(params)[0])


@dataclass(frozen=True)
class PartSketch:
    """What dedupe remembers of one part: no text."""

    rows: pl.DataFrame
    """conversation_id, opened_at, is_human, resolved, rating, words, digest_0, digest_1, reply_0, reply_1 (null where no
    agent says a word); in the order of the part."""
    keys: Array
    """One row per band, one 64-bit key per conversation."""
    ends: Array
    """Where the shingles of every conversation end, from the first of the part."""
    shingles: Array


def sketch_part(conversations: pl.DataFrame, findings: pl.DataFrame | None, params: DedupeParams) -> PartSketch:
    """Sketch the conversations of one part; reads the columns READ."""
    recipe = params.recipe()
    turns = conversations["turns"].fill_null([])
    flat = pl.DataFrame({"row": np.repeat(np.arange(len(turns)), turns.list.len().to_numpy())}).with_columns(
        _field(turns, name).list.explode(empty_as_null=False).alias(name) for name in ("turn_id", "speaker", "origin")
    )
    spans, span_offsets = None, None
    if findings is not None and "surrogates" in params.mask:
        spans, span_offsets = _spans(conversations["conversation_id"], flat, findings)
    texts = texts_of(_field(turns, "text"), _used(flat, params.match), spans, span_offsets)
    sketches = sketch(texts, recipe)
    replies = sketch(replace(texts, used=flat["speaker"].is_in(ANSWERING).to_numpy()), replace(recipe, permutations=1))
    synthetic = np.zeros(len(turns), np.bool_)
    synthetic[flat.filter(pl.col("origin") == "synthetic")["row"].to_numpy()] = True
    outcome = pl.col("outcome").struct
    rows = conversations.select(
        "conversation_id",
        "opened_at",
        is_human=pl.Series(~synthetic),
        resolved=pl.when(outcome.field("reopened"))
        .then(0)
        .otherwise(outcome.field("resolved").cast(pl.Int8).replace({1: 2}).fill_null(1)),
        rating=outcome.field("csat").fill_null(0.5),
        words=pl.Series(sketches.words),
        digest_0=pl.Series(sketches.digests[:, 0]),
        digest_1=pl.Series(sketches.digests[:, 1]),
        reply_0=pl.when(pl.Series(replies.words) > 0).then(pl.Series(replies.digests[:, 0])),
        reply_1=pl.when(pl.Series(replies.words) > 0).then(pl.Series(replies.digests[:, 1])),
    )
    return PartSketch(rows, band_keys(sketches.signatures, recipe.bands, recipe.rows), sketches.offsets[1:], sketches.shingles)


def _field(turns: pl.Series, name: str) -> pl.Series:
    return turns.list.eval(pl.element().struct.field(name))


def _used(flat: pl.DataFrame, match: str) -> Array | None:
    """Whether each turn is compared; None: all of them."""
    if match == "conversation":
        return None
    kind = pl.col("speaker").replace({"bot": "agent"})
    runs = flat.with_columns(kind=kind).with_columns(
        run=((pl.col("kind") != pl.col("kind").shift()) | (pl.col("row") != pl.col("row").shift()))
        .fill_null(value=True)
        .cum_sum()
    )
    asked = runs.with_columns(asked=pl.col("run").filter(pl.col("kind") == "customer").min().over("row"))
    is_used = pl.col("run") == pl.col("asked")
    if match == "question_and_answer":
        is_answer = (pl.col("kind") == "agent") & (pl.col("run") > pl.col("asked"))
        is_used |= pl.col("run") == pl.col("run").filter(is_answer).min().over("row")
    return asked.select(is_used.fill_null(value=False)).to_series().to_numpy()


def _spans(ids: pl.Series, flat: pl.DataFrame, findings: pl.DataFrame) -> tuple[Array, Array]:
    """The surrogates of every turn: rows of [start, end) in characters, and where those of each turn start."""
    turns = flat.select("turn_id", conversation_id=ids.gather(flat["row"]), turn=pl.int_range(pl.len()))
    found = findings.join(turns, on=["conversation_id", "turn_id"]).sort("turn", "new_start", "new_end")
    counts = np.bincount(found["turn"].to_numpy(), minlength=flat.height)
    offsets = np.concatenate([[0], np.cumsum(counts)]).astype(np.int64)
    return found.select("new_start", "new_end").to_numpy().astype(np.int64, order="C"), offsets


class Corpus:
    """The sketches of all parts; keys and shingles on disk when given a folder."""

    def __init__(self, folder: Path | None) -> None:
        """Start afresh; what a killed run left in `folder` is overwritten."""
        self._rows: list[pl.DataFrame] = []
        self._ends: list[Array] = []
        self._keys: list[Array] = []
        self._shingles = _Shingles(folder / "shingles" if folder else None)
        self._folder = folder
        if folder:
            folder.mkdir(parents=True, exist_ok=True)

    def add(self, part: PartSketch) -> None:
        """Remember one more part."""
        self._ends.append(part.ends + self._shingles.count)
        self._shingles.append(part.shingles)
        keys = part.keys
        if self._folder:
            path = self._folder / f"keys-{len(self._keys):05d}.npy"
            np.save(path, keys)
            keys = np.load(path, mmap_mode="r")
        self._keys.append(keys)
        self._rows.append(part.rows)

    def _keys_of(self, band: int) -> Array:
        return np.concatenate([keys[band] for keys in self._keys])

    def verdicts(self, params: DedupeParams) -> list[pl.DataFrame]:
        """Per part, aligned with its rows: VERDICT."""
        rows = pl.concat(self._rows)
        by_time = rows.select(pl.arg_sort_by("opened_at", "conversation_id", nulls_last=True)).to_series().to_numpy()
        rows = rows[by_time]
        count = rows.height
        same_words = pl.when(pl.col("words") > 0).then(pl.col("time").first().over("digest_0", "digest_1"))
        first = rows.with_row_index("time").select(same_words.otherwise("time").cast(pl.Int64)).to_series().to_numpy()
        asked = np.flatnonzero((first == np.arange(count)) & (rows["words"].to_numpy() > 0))
        compared = asked[self._sharing(by_time[asked])]
        ends = np.concatenate([*self._ends, np.zeros(0, np.int64)])
        starts = np.concatenate([[0], ends[:-1]])
        sets = ShingleSets.of(self._shingles.values(), starts[by_time[compared]], ends[by_time[compared]])
        found = components(
            len(compared),
            len(self._keys[0]) if self._keys else 0,
            lambda band: self._keys_of(band)[by_time[compared]],
            lambda left, right: sets.jaccard(left, right, params.min_jaccard),
            params.min_jaccard,
        )
        number = np.full(count, -1)
        number[compared] = np.arange(len(compared))

        def similar(left: Array, right: Array, at_least: float = 0.0) -> Array:
            """As `sets.jaccard`, of any two conversations of one component."""
            one, other = number[first[left]], number[first[right]]
            same = first[left] == first[right]
            out = np.ones(len(left), np.float64)
            out[~same] = sets.jaccard(one[~same], other[~same], at_least)
            return out

        roots = first.copy()
        roots[compared] = compared[found]
        roots = roots[first]
        preference = _preference(rows, params.prefer)
        keeper = keepers(
            roots,
            preference,
            (lambda left, right: similar(left, right, params.min_jaccard)) if params.link == "keeper" else None,
            params.min_jaccard,
        )
        size = np.bincount(keeper, minlength=count)[keeper]
        similarity = np.ones(count, np.float64)
        members = np.flatnonzero(keeper != np.arange(count))
        similarity[members] = similar(keeper[members], members)
        verdict = pl.DataFrame(
            {
                "cluster_id": rows["conversation_id"].gather(keeper),
                "is_keeper": keeper == np.arange(count),
                "is_exact": first[keeper] == first,
                "similarity": np.round(similarity, 6),
                "has_others": size > 1,
            }
        ).hstack(_templates(rows, preference, keeper == np.arange(count), params.max_per_template))
        back = np.empty(count, np.int64)
        back[by_time] = np.arange(count)
        cuts = np.cumsum([0, *(len(part) for part in self._rows)])
        return [verdict[back[start:end]] for start, end in pairwise(cuts)]

    def _sharing(self, positions: Array) -> Array:
        """Whether the conversations at these positions share a band key with another of them."""
        shared = np.zeros(len(positions), np.bool_)
        for band in range(len(self._keys[0]) if self._keys else 0):
            members, _ = buckets(self._keys_of(band)[positions])
            shared[members] = True
        return shared

    def close(self) -> None:
        """Let go of the files; they are removed with everything else that does not belong to the table."""
        self._keys.clear()
        self._shingles = _Shingles(None)


class _Shingles:
    """One long array, grown at its end, in memory or in a file."""

    def __init__(self, path: Path | None) -> None:
        self.count = 0
        self._path = path
        self._runs: list[Array] = []

    def append(self, run: Array) -> None:
        if self._path is None:
            self._runs.append(run)
        else:
            with self._path.open("ab" if self.count else "wb") as file:
                file.write(run.data)
        self.count += len(run)

    def values(self) -> Array:
        """All of them; may be changed, but not on disk."""
        if self._path is None or self.count == 0:
            return np.concatenate([*self._runs, np.empty(0, np.uint32)])
        return np.memmap(self._path, np.uint32, "c", shape=(self.count,))


def _preference(rows: pl.DataFrame, prefer: Sequence[str]) -> Array:
    """A number per row of a frame in the order of time; of a cluster the row with the smallest is kept."""
    columns = {
        "human": (pl.col("is_human"), True),
        "resolved": (pl.col("resolved"), True),
        "rated": (pl.col("rating"), True),
        "longer": (pl.col("words"), True),
        "earlier": (pl.int_range(pl.len()), False),
    }
    by = [columns[name] for name in (*prefer, "earlier")]
    best_first = rows.select(pl.arg_sort_by([one for one, _ in by], descending=[falling for _, falling in by])).to_series()
    preference = np.empty(rows.height, np.int64)
    preference[best_first.to_numpy()] = np.arange(rows.height)
    return preference


def _templates(rows: pl.DataFrame, preference: Array, is_keeper: Array, limit: int | None) -> pl.DataFrame:
    """Two columns, aligned with the rows.

    template_id: the first, in the order of preference, of the keepers with the same canned replies; null where no other
    has them. is_capped: whether as many as `limit` come before it.
    """
    keepers_alone = (
        rows.lazy()
        .select("conversation_id", "reply_0", "reply_1", preference=pl.Series(preference), row=pl.int_range(pl.len()))
        .filter(pl.Series(is_keeper) & pl.col("reply_0").is_not_null())
        .sort("preference")
        .select(
            "row",
            first=pl.col("conversation_id").first().over("reply_0", "reply_1"),
            size=pl.len().over("reply_0", "reply_1"),
            rank=pl.int_range(pl.len()).over("reply_0", "reply_1"),
        )
        .filter(pl.col("size") > 1)
        .collect()
    )
    template = pl.Series("template_id", [None], pl.String).new_from_index(0, rows.height)
    capped = np.zeros(rows.height, np.bool_)
    if keepers_alone.height:
        template = template.scatter(keepers_alone["row"], keepers_alone["first"])
        capped[keepers_alone["row"].to_numpy()] = keepers_alone["rank"].to_numpy() >= (limit or rows.height)
    return pl.DataFrame([template, pl.Series("is_capped", capped)])


def apply(conversations: pl.DataFrame, verdict: pl.DataFrame) -> Outcome:
    """Part the conversations by their verdicts, which are in the same order."""
    judged = pl.concat([conform(conversations, SCRUBBED, "dedupe"), verdict], how="horizontal")
    is_kept = pl.col("is_keeper") & ~pl.col("is_capped")
    dropped = judged.filter(~is_kept).select(
        "conversation_id",
        reason=pl.when("is_capped").then(pl.lit(CAPPED)).when("is_exact").then(pl.lit(EXACT)).otherwise(pl.lit(NEAR)),
        detail=pl.when("is_capped").then("template_id").otherwise("cluster_id"),
    )
    return Outcome(
        kept=judged.filter(is_kept).select(list(DEDUPED)),
        dropped=conform(dropped, DROPPED, "dedupe"),
        beside={"clusters": judged.filter("has_others").select(list(CLUSTERS))},
        counts={"canned_replies": judged.height - judged["template_id"].null_count()},
    )


def _sketches(table: Table, params: DedupeParams, workers: int) -> Iterator[PartSketch]:
    """Sketch the parts in order, `workers` of them at a time: numba and polars let go of the interpreter lock."""

    def sketch_of(part: Part) -> PartSketch:
        findings = None
        if "surrogates" in params.mask:
            if "findings" not in part.files:
                raise TableError(f"{table.folder}: has no findings; run scrub again or take 'surrogates' from dedupe.mask")
            findings = table.read(part, "findings", ("conversation_id", "turn_id", "new_start", "new_end"))
        return sketch_part(table.read(part, columns=READ), findings, params)

    waiting: deque[Future[PartSketch]] = deque()
    with ThreadPoolExecutor(max(workers, 1)) as pool:
        for part in table.manifest.parts:
            waiting.append(pool.submit(sketch_of, part))
            if len(waiting) > workers:  # so that no more parts than that are held
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()


def _digest(verdict: pl.DataFrame) -> str:
    return sha256(verdict.write_csv().encode()).hexdigest()


def _make_parts(writer: TableWriter, table: Table, tasks: Sequence[Task], means: Means) -> list[Part]:
    """As `parts.make_parts`, in threads: polars lets go of the interpreter lock, and a process takes longer to start."""

    def make(number: int, task: Task) -> Part:
        name = f"part-{number:05d}"
        if same := writer.reuse(name, task.inputs):
            return same
        part, verdict = task.payload
        given = table.read(part)
        outcome = apply(given, verdict)
        outcome.account_for(given["conversation_id"], f"dedupe, {part.name}")
        return writer.write(name, task.inputs, outcome)

    made: list[Part] = []
    with ThreadPoolExecutor(means.workers) as pool:
        for part in pool.map(make, range(len(tasks)), tasks):
            made.append(part)
            means.progress(len(tasks) + len(made), 2 * len(tasks))
    return made
