"""Keep one conversation of each group of near-duplicates, and say which, how near, and why that one.

Every part is sketched once (`pipeline.similarity.minhash`) and remembered (`pipeline.similarity.index`); clusters are
found among the sketches of all parts (`pipeline.similarity.verdicts`, `pipeline.similarity.clusters`); every part with
another verdict than before is written again. Text is held one part per worker at a time.
"""

import shutil
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace
from hashlib import sha256
from pathlib import Path
from typing import Final, Literal
from unicodedata import unidata_version

import numpy as np
import polars as pl
from pydantic import Field, model_validator

from pipeline.errors import TableError
from pipeline.params import Section
from pipeline.parts import Means, Task
from pipeline.schema import CLUSTERS, DEDUPED, DROPPED, SCRUBBED, conform, empty
from pipeline.similarity.index import DIGITS, Index, open_index
from pipeline.similarity.judging import judge_parts, verdict_of_all
from pipeline.similarity.minhash import Array, Recipe, band_keys, sketch, texts_of
from pipeline.similarity.neighbours import neighbours
from pipeline.similarity.sketches import PartSketch
from pipeline.similarity.verdicts import ROWS, TEMPLATE, VERDICT, Preference, Rule
from pipeline.stage import Outcome
from pipeline.tables import Manifest, Part, Table, TableWriter, code_digest, new_table, translated_errors

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

    prefer: list[Preference]
    """Which member of a cluster is kept: the first difference decides; what is still equal, the earlier, the lesser id.
    human: no synthetic turn. resolved: yes, unknown, no (reopened counts as no). rated: csat, unknown as 0.5.
    longer: more words."""

    max_per_template: int | None = Field(ge=1)
    """Conversations that are kept of those in which the agents say the same words throughout, whatever the customer says:
    canned replies. null: all of them; how many there are is counted either way."""

    index: str | None = Field(pattern=r"^[\w.-]+$")
    """Folder beside the target that remembers the sketches and verdicts for the next run. null: nothing is remembered."""

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

    def rule(self) -> Rule:
        """What decides a verdict besides the sketches."""
        return Rule(self.min_jaccard, self.recipe().bands, self.link, self.prefer, self.max_per_template)

    def made_by(self) -> str:
        """Fingerprint of all that decides a verdict: not of where it is remembered."""
        return self.model_copy(update={"index": None}).fingerprint(unidata_version, code_digest())


def run(source: Path, target: Path, params: DedupeParams, means: Means) -> Manifest:
    """Keep one conversation of each group of exact or near duplicates.

    ticketmill dedupe data/curated/scrubbed data/curated/deduped
    """
    table = Table(source)
    table.require_stage("scrub")
    with new_table(target, "dedupe", params.made_by(), given=table) as writer:
        # without a place of its own it lies in the unfinished table, and goes with whatever does not belong to that
        folder = target.with_name(params.index) if params.index else writer.folder / "_index"
        with open_index(folder, params.made_by()) as index:
            keys = _sketch_parts(index, table, params, means)
            with translated_errors(folder):
                verdicts = judge_parts(index, [key for key in keys if key], params.rule())
            tasks = [
                Task({part.name: part.files["kept"], "verdict": verdicts[key][:DIGITS] if key else ""}, (part, key))
                for part, key in zip(table.manifest.parts, keys, strict=True)
            ]
            made = _make_parts(writer, table, tasks, lambda key: index.verdict(key, verdicts[key]), means)
            manifest = writer.publish(made)
            if params.index:
                with translated_errors(folder):
                    index.commit(verdicts)
    return manifest


def rebuild_index(source: Path, folder: Path, params: DedupeParams, means: Means) -> dict[str, int]:
    """Make the index at `folder` anew from the table `source`; returns `Index.stats`."""
    table = Table(source)
    table.require_stage("scrub")
    with translated_errors(folder):
        shutil.rmtree(folder, ignore_errors=True)
    with open_index(folder, params.made_by()) as index:
        keys = [key for key in _sketch_parts(index, table, params, means) if key]
        with translated_errors(folder):
            index.commit(judge_parts(index, keys, params.rule()))
    with open_index(folder, params.made_by()) as index:
        return index.stats()


def query_index(folder: Path, texts: Sequence[str], params: DedupeParams, min_similarity: float) -> pl.DataFrame:
    """The neighbours of these texts in the index at `folder`: `neighbours`.

    Raises:
        TableError: there is no index, or it was made with other params.
    """
    asked = sketch_part(as_conversations(texts), None, params.model_copy(update={"match": "conversation"}))
    if not (folder / "_manifest.json").exists():
        raise TableError(f"{folder}: is no index; run `ticketmill dedupe` or `ticketmill index rebuild`")
    with open_index(folder, params.made_by()) as index:
        if not index.known.parts:
            raise TableError(f"{folder}: was made with other params; run `ticketmill index rebuild`")
        return neighbours(index, asked, min_similarity)


def as_conversations(texts: Sequence[str]) -> pl.DataFrame:
    """A frame of one-turn conversations, 0, 1, 2, ..., to be compared with others."""
    numbers = [str(number) for number in range(len(texts))]
    blank = {name: [None] * len(texts) for name in SCRUBBED}
    turns = [[{"speaker": "customer", "text": text, "origin": "human"}] for text in texts]
    return pl.DataFrame({**blank, "conversation_id": numbers, "turns": turns}, schema=dict(SCRUBBED))


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
    sketched = sketch_part(conversations, findings, params)
    return apply(conversations, verdict_of_all([sketched], params.rule()))


def sketch_part(conversations: pl.DataFrame, findings: pl.DataFrame | None, params: DedupeParams) -> PartSketch:
    """Sketch the conversations of one part; reads the columns READ."""
    recipe = params.recipe()
    conversations, turns = conversations.drop("turns"), conversations["turns"].fill_null([])
    flat = pl.DataFrame({"row": np.repeat(np.arange(len(turns)), turns.list.len().to_numpy())}).with_columns(
        _field(turns, name).list.explode(empty_as_null=False).alias(name) for name in ("turn_id", "speaker", "origin")
    )
    spans, span_offsets = None, None
    if findings is not None and "surrogates" in params.mask:
        spans, span_offsets = _spans(conversations["conversation_id"], flat, findings)
    texts = texts_of(_field(turns, "text"), _used(flat, params.match), spans, span_offsets)
    count = len(turns)
    del turns  # the text is in memory once from here on
    sketches = sketch(texts, recipe)
    replies = sketch(replace(texts, used=flat["speaker"].is_in(ANSWERING).to_numpy()), replace(recipe, permutations=1))
    synthetic = np.zeros(count, np.bool_)
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
        reply_0=pl.Series(np.where(replies.words > 0, replies.digests[:, 0], 0)),
        reply_1=pl.Series(np.where(replies.words > 0, replies.digests[:, 1], 0)),
    )
    keys = band_keys(sketches.signatures, recipe.bands, recipe.rows)
    return PartSketch.of(rows.cast(pl.Schema(ROWS)), keys, sketches.offsets[1:], sketches.shingles)


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


def _sketch_parts(index: Index, table: Table, params: DedupeParams, means: Means) -> list[str]:
    """Sketch the parts the index has no sketch of, `workers` at a time; returns the key of every part, "" of one without rows.

    In threads: numba and polars let go of the interpreter lock.
    """

    def sketch_of(part: Part, key: str) -> None:
        findings = None
        if "surrogates" in params.mask:
            findings = table.read(part, "findings", ("conversation_id", "turn_id", "new_start", "new_end"))
        sketched = sketch_part(table.read(part, columns=READ), findings, params)
        with translated_errors(index.folder):
            index.add(key, sketched)

    keys = [_key(part, table, params) for part in table.manifest.parts]
    waiting: deque[Future[None]] = deque()
    done = 0
    with ThreadPoolExecutor(means.workers) as pool:
        for part, key in zip(table.manifest.parts, keys, strict=True):
            if key and not index.has_sketch(key):
                waiting.append(pool.submit(sketch_of, part, key))
            while len(waiting) > means.workers:
                waiting.popleft().result()
            done += 1
            means.progress(done - len(waiting), 2 * len(keys))
        while waiting:
            waiting.popleft().result()
    return keys


def _key(part: Part, table: Table, params: DedupeParams) -> str:
    """A hash of the content of a part and of all that decides its sketch; "" of one without rows."""
    if part.rows["kept"] == 0:
        return ""
    contents = [part.files["kept"], params.match, repr(params.recipe()), unidata_version, code_digest()]
    if "surrogates" in params.mask:
        if "findings" not in part.files:
            raise TableError(f"{table.folder}: has no findings; run scrub again or take 'surrogates' from dedupe.mask")
        contents.append(part.files["findings"])
    return sha256("\n".join(contents).encode()).hexdigest()[:32]


def _make_parts(
    writer: TableWriter, table: Table, tasks: Sequence[Task], verdict_of: Callable[[str], pl.DataFrame], means: Means
) -> list[Part]:
    """As `parts.make_parts`, in threads: polars lets go of the interpreter lock, and a process takes longer to start."""

    def make(number: int, task: Task) -> Part:
        name = f"part-{number:05d}"
        if same := writer.reuse(name, task.inputs):
            return same
        part, key = task.payload
        given = table.read(part)
        ids = given["conversation_id"]
        outcome = apply(given, verdict_of(key) if key else empty({**VERDICT, **TEMPLATE}))
        del given  # before the rows are copied to be written
        outcome.account_for(ids, f"dedupe, {part.name}")
        return writer.write(name, task.inputs, outcome)

    made: list[Part] = []
    with ThreadPoolExecutor(means.workers) as pool:
        for part in pool.map(make, range(len(tasks)), tasks):
            made.append(part)
            means.progress(len(tasks) + len(made), 2 * len(tasks))
    return made
