"""Did dedupe find the copies, and was what it dropped one? Judged without MinHash, bands, words or verdicts of the stage.

The evidence is the share of common runs of CHARACTERS characters (letters in lower case, no spaces or punctuation), which
is stricter than the stage's words: two chats of 160 words that differ in two of them share about 0.95.
"""

from collections.abc import Iterator
from itertools import pairwise
from typing import Any, Final

import numpy as np
import polars as pl
from pydantic import Field
from scipy.sparse import csr_array

from checks.gate import Limit, at_least, at_most
from checks.parts import EachPart, every_part
from pipeline.errors import TableError
from pipeline.params import Section
from pipeline.tables import Table

Array = np.ndarray[Any, np.dtype[Any]]

CHARACTERS: Final = 8
SAMPLED: Final = 4
"""One run of characters in so many, chosen by hash, is looked at to find pairs; found pairs are compared on all of them."""
ROWS_AT_A_TIME: Final = 100

BY_CHANCE: Final = pl.col("conversation_id").str.tail(8)
"""An order that has nothing to do with content or time, and is the same in every run: ids end in digits of a hash."""


class Bounds(Section):
    """What the deduplicated table must keep."""

    min_kept: int = Field(ge=0)
    """Fewest conversations that are worth going on with."""

    max_dropped_share: float = Field(ge=0, le=1)
    """Largest share of the given conversations that may be duplicates: more, and an export was probably read twice."""

    max_largest_cluster_share: float = Field(ge=0, le=1)
    """Largest share of the given conversations that one cluster may hold."""

    max_canned_share: float = Field(ge=0, le=1)
    """Largest share of the kept conversations in which the agents say the same words as in another, throughout."""

    similarity: float = Field(gt=0, le=1)
    """Share of common runs of 8 characters from which two kept conversations count as a missed duplicate."""

    max_missed_share: float = Field(ge=0, le=1)
    """Largest share of a sample of kept conversations that may have such a neighbour among the others."""

    min_dropped_similarity: float = Field(ge=0, le=1)
    """Share of common runs of 8 characters below which a dropped conversation counts as unlike its keeper."""

    max_unlike_share: float = Field(ge=0, le=1)
    """Largest share of a sample of dropped conversations that may be unlike their keepers."""

    max_sample: int = Field(ge=1)
    """Conversations that are compared with the others, and dropped ones that are compared with their keepers, at most."""

    max_others: int = Field(ge=1)
    """Kept conversations that the sample is compared with, at most; bounds the memory."""


def measure(table: Table, bounds: Bounds, _each: EachPart = every_part) -> pl.DataFrame:
    """One row.

    Columns:
        kept, dropped_share, largest_cluster_share, canned_share: as counted in the table.
        orphans: dropped conversations whose keeper is neither kept nor capped as a template, and
            clusters with no or several keepers.
        missed_share: of the sampled kept conversations, those with a missed duplicate among the others; null below two.
        unlike_share: of the sampled dropped ones, those unlike their keepers; 0 when none was dropped, null when the
            table before is not there to be read.
    """
    kept, dropped = table.manifest.total("kept"), table.manifest.total("dropped")
    given = kept + dropped
    columns: dict[str, float | int | None] = {
        "kept": kept,
        "dropped_share": dropped / given if given else None,
        "largest_cluster_share": _largest_cluster(table) / given if given else None,
        "canned_share": table.manifest.counts.get("canned_replies", 0) / kept if kept else None,
        "orphans": _orphans(table),
        "missed_share": _missed_share(table, bounds),
        "unlike_share": _unlike_share(table, bounds),
    }
    return pl.DataFrame({name: [value] for name, value in columns.items()}, schema_overrides=dict.fromkeys(columns, pl.Float64))


def expectations(bounds: Bounds) -> list[Limit]:
    """The bounds as limits on the measures."""
    return [
        at_least("kept", bounds.min_kept, "conversations that are kept"),
        at_most("dropped_share", bounds.max_dropped_share, "conversations dropped as duplicates, of those given"),
        at_most(
            "largest_cluster_share", bounds.max_largest_cluster_share, "conversations in the largest cluster, of those given"
        ),
        at_most("canned_share", bounds.max_canned_share, "conversations whose replies are word for word those of another"),
        at_most("orphans", 0, "dropped conversations whose keeper is gone, and clusters with no or several keepers"),
        at_most("missed_share", bounds.max_missed_share, "sampled kept conversations with a near-copy among the other kept ones"),
        at_most("unlike_share", bounds.max_unlike_share, "sampled dropped conversations that are unlike their keeper"),
    ]


def where(table: Table, measure: str, bounds: Bounds, _each: EachPart = every_part) -> Iterator[str]:
    """Ids of conversations, two where one was held against the other; keepers of the largest clusters."""
    if measure == "dropped_share":
        yield from (f"{reason} ({count:,})" for reason, count in table.manifest.reasons.items())
    elif measure == "largest_cluster_share":
        largest = (
            table.scan("clusters")
            .group_by("cluster_id")
            .agg(pl.len(), keeper=pl.col("conversation_id").filter("is_keeper").first())
        )
        for _, size, keeper in largest.sort("len", "cluster_id", descending=[True, False]).head(1).collect().iter_rows():
            yield f"{keeper} ({size:,} like it)"
    elif measure == "orphans":
        yield from (name for frame in pl.collect_all(_orphaned(table)) for name in frame.to_series())
    elif measure == "missed_share":
        yield from (f"{one} and {other}" for one, other in _missed(table, bounds)[0])
    elif measure == "unlike_share":
        pairs = _held_against_keepers(table, bounds)
        yield from (
            f"{one} and its keeper {keeper}" for one, keeper, similar in pairs or () if similar < bounds.min_dropped_similarity
        )


def _largest_cluster(table: Table) -> int:
    if table.manifest.total("kept") == 0:
        return 0
    sizes = table.scan("clusters").group_by("cluster_id").len().select(pl.col("len").max()).collect(engine="streaming").item()
    return int(sizes or 1)


def _orphans(table: Table) -> int:
    if not table.manifest.parts:
        return 0
    return sum(
        int(frame.item()) for frame in pl.collect_all([each.select(pl.len()) for each in _orphaned(table)], engine="streaming")
    )


def _orphaned(table: Table) -> list[pl.LazyFrame]:
    """Conversations whose keeper is gone; clusters that have not one keeper."""
    dropped = table.scan("dropped")
    capped = dropped.filter(pl.col("reason") == "template_limit").select("conversation_id")
    ids = pl.concat([table.scan("kept").select("conversation_id"), capped])
    lost = dropped.join(ids, left_on="detail", right_on="conversation_id", how="anti").select("conversation_id")
    keepers = table.scan("clusters").group_by("cluster_id").agg(pl.col("is_keeper").sum())
    return [lost, keepers.filter(pl.col("is_keeper") != 1).select("cluster_id")]


def _missed_share(table: Table, bounds: Bounds) -> float | None:
    missed, sample = _missed(table, bounds)
    return len(missed) / sample if sample else None


def _missed(table: Table, bounds: Bounds) -> tuple[list[tuple[str, str]], int]:
    """Compare up to `max_sample` kept conversations with up to `max_others`, the first of them included, by brute force.

    Returns:
        The conversations that have a near-copy, with one of those; how many were looked at, 0 where there was no other.
    """
    if table.manifest.total("kept") < 2:  # noqa: PLR2004  # one conversation has no other
        return [], 0
    chosen = table.scan("kept").select("conversation_id").collect().sort(BY_CHANCE, "conversation_id").head(bounds.max_others)
    found = pl.concat([_texts(table, part, chosen["conversation_id"]) for part in table.manifest.parts])
    named = chosen.join(found, on="conversation_id", maintain_order="left").filter(pl.col("text").str.len_chars() >= CHARACTERS)
    ids, texts = named["conversation_id"], named["text"]
    if len(texts) < 2:  # noqa: PLR2004  # the same
        return [], 0
    grams = _sampled_grams(texts)
    sizes = np.diff(grams.indptr)
    sample = min(bounds.max_sample, len(texts))
    others = grams.T.tocsc()
    missed = []
    for start in range(0, sample, ROWS_AT_A_TIME):
        block = grams[start : min(start + ROWS_AT_A_TIME, sample)]
        common = (block @ others).tocsr()
        for row in range(block.shape[0]):
            number = start + row
            near = common.indices[common.indptr[row] : common.indptr[row + 1]]
            shared = common.data[common.indptr[row] : common.indptr[row + 1]]
            # sampled runs only point to pairs: 0.1 is three times their standard error on 100 runs
            close = near[(shared >= (bounds.similarity - 0.1) * (sizes[number] + sizes[near] - shared)) & (near != number)]
            alike = (int(other) for other in close if _similarity(texts[number], texts[int(other)]) >= bounds.similarity)
            if (other := next(alike, None)) is not None:
                missed.append((ids[number], ids[other]))
    return missed, sample


def _unlike_share(table: Table, bounds: Bounds) -> float | None:
    if table.manifest.total("dropped") == 0:
        return 0.0
    pairs = _held_against_keepers(table, bounds)
    # null fails the gate: what could not be measured is no pass
    return sum(similar < bounds.min_dropped_similarity for *_, similar in pairs) / len(pairs) if pairs else None


def _held_against_keepers(table: Table, bounds: Bounds) -> list[tuple[str, str, float]] | None:
    """Sampled dropped conversations, their keepers, how alike they are; None where a text is not there to be read."""
    pairs = (
        table.scan("dropped")
        .select("conversation_id", keeper="detail")
        .collect()
        .sort(BY_CHANCE, "conversation_id")
        .head(bounds.max_sample)
    )
    ids = pl.concat([pairs["conversation_id"], pairs["keeper"]]).unique()
    try:
        before = table.previous()
        if before is None:
            return None
        texts = pl.concat([_texts(before, part, ids) for part in before.manifest.parts])
    except TableError:
        return None
    named = pairs.join(texts, on="conversation_id").join(texts, left_on="keeper", right_on="conversation_id", suffix="_keeper")
    if named.height < pairs.height:
        return None
    columns = named.select("conversation_id", "keeper", "text", "text_keeper")
    return [(name, keeper, _similarity(one, other)) for name, keeper, one, other in columns.iter_rows()]


def _texts(table: Table, part: Any, ids: pl.Series) -> pl.DataFrame:
    """conversation_id, text: the letters, digits and symbols of those conversations of one part, in lower case."""
    return (
        table.read(part, columns=("conversation_id", "turns"))
        .filter(pl.col("conversation_id").is_in(ids.implode()))
        .select(
            "conversation_id",
            text=pl.col("turns")
            .list.eval(pl.element().struct.field("text"))
            .list.join("")
            .fill_null("")
            .str.to_lowercase()
            .str.replace_all(r"[\s\p{P}\p{C}\p{Sk}]+", ""),
        )
    )


def _similarity(one: str, other: str) -> float:
    """Exact Jaccard of the sets of runs of CHARACTERS characters; of texts shorter than that, whether they are equal."""
    left, right = (
        {text[start : start + CHARACTERS] for start in range(max(1, len(text) - CHARACTERS + 1))} for text in (one, other)
    )
    return len(left & right) / len(left | right)


def _sampled_grams(texts: pl.Series) -> "csr_array":
    """One row per text, one column per sampled run of CHARACTERS bytes that occurs, 1 where it does."""
    rows, hashes = [], []
    lengths = texts.str.len_bytes().to_numpy().astype(np.int64)
    starts = np.concatenate([[0], np.cumsum(lengths)])
    for first, last in pairwise([*range(0, len(texts), 1000), len(texts)]):
        data = np.frombuffer("".join(texts[first:last]).encode(), np.uint8)
        run = np.zeros(max(0, len(data) - CHARACTERS + 1), np.uint64)
        for place in range(CHARACTERS):
            run |= data[place : place + len(run)].astype(np.uint64) << np.uint64(8 * place)
        run = (run ^ (run >> np.uint64(31))) * np.uint64(0x9E3779B97F4A7C15)
        at = np.flatnonzero((run >> np.uint64(40)) % np.uint64(SAMPLED) == 0)
        owner = np.searchsorted(starts[first : last + 1] - starts[first], at, side="right") - 1
        whole = at + CHARACTERS <= starts[first + owner + 1] - starts[first]  # not across the end of its text
        rows.append(first + owner[whole])
        hashes.append(run[at[whole]])
    row = np.concatenate(rows)
    _, column = np.unique(np.concatenate(hashes), return_inverse=True)
    shape = (len(texts), int(column.max(initial=0)) + 1)
    found = csr_array((np.ones(len(row), np.int32), (row, column)), shape=shape)
    found.sum_duplicates()
    found.data[:] = 1
    return found
