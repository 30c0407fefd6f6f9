"""From sketches to verdicts: which conversation is kept for which, among all of them or among those that news may touch."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Literal

import numpy as np
import polars as pl

from pipeline.schema import TIME
from pipeline.similarity.clusters import KeysOf, ShingleSets, buckets, components, join, keepers
from pipeline.similarity.minhash import Array

ROWS: Final[Mapping[str, pl.DataType | type[pl.DataType]]] = {
    "conversation_id": pl.String,
    "opened_at": TIME,
    "is_human": pl.Boolean,
    "resolved": pl.Int32,
    "rating": pl.Float64,
    "words": pl.Int64,
    "digest_0": pl.UInt64,
    "digest_1": pl.UInt64,
    "reply_0": pl.UInt64,
    "reply_1": pl.UInt64,
}
"""What is remembered of a conversation beside its keys and shingles. `resolved`: 2 yes, 1 unknown, 0 no or reopened.
`digest`: equal where the words are. `reply`: the same of what agents and bots say; 0 where they say nothing."""

VERDICT: Final[Mapping[str, pl.DataType | type[pl.DataType]]] = {
    "component": pl.String,
    "component_0": pl.UInt64,
    "cluster_id": pl.String,
    "is_keeper": pl.Boolean,
    "is_exact": pl.Boolean,
    "similarity": pl.Float64,
    "has_others": pl.Boolean,
}
"""`component`: the earliest conversation tied to this one by a chain of similar ones; with `link: any` it is the cluster.
`component_0`: its `digest_0`, by which the members of a component are found without a look at their names.
`is_exact`: the words are those of the keeper. `has_others`: the cluster has two members or more."""

TEMPLATE: Final[Mapping[str, pl.DataType | type[pl.DataType]]] = {"template_id": pl.String, "is_capped": pl.Boolean}
"""`template_id`: the preferred keeper with the same canned replies, null where no other has them. `is_capped`: enough
others with them come first."""

Preference = Literal["human", "resolved", "rated", "longer", "earlier"]


@dataclass(frozen=True)
class Rule:
    """What decides a verdict besides the sketches."""

    min_jaccard: float
    bands: int
    link: Literal["any", "keeper"]
    prefer: Sequence[Preference]
    max_per_template: int | None


@dataclass(frozen=True)
class Known:
    """What earlier verdicts say of the conversations at hand."""

    is_new: Array
    """Those nothing is known of."""
    component: pl.Series
    """As in VERDICT; null for the new ones."""
    in_time: bool
    """Whether every new conversation is later than all that are known."""


def judge(
    rows: pl.DataFrame, keys_of: KeysOf, sets_of: Callable[[Array], ShingleSets], rule: Rule, known: Known | None = None
) -> pl.DataFrame:
    """Find clusters and keepers.

    Args:
        rows: ROWS, in any order: all conversations; or, with `known`, the new ones, whatever shares a digest or a band key
            with one of them, and the whole components of those.
        keys_of: the keys of a band, aligned with the rows.
        sets_of: the shingle sets of the rows with these numbers, in their order.
        rule: what is alike.
        known: None: all are new.
    Returns:
        VERDICT, aligned with the rows.
    Raises:
        CrowdError: only with `known`, when not `in_time`: judge all conversations instead.
    """
    by_time = rows.select(pl.arg_sort_by("opened_at", "conversation_id", nulls_last=True)).to_series().to_numpy()
    count = rows.height
    is_in_time = np.array_equal(by_time, np.arange(count))  # most tables are: no copy then
    rows = rows if is_in_time else rows[by_time]
    is_new = np.ones(count, np.bool_) if known is None else known.is_new[by_time]
    has_words = rows["words"].to_numpy() > 0
    first = _first_with_its_words(rows)
    asked = np.flatnonzero((first == np.arange(count)) & has_words)
    decided = np.zeros(count, np.bool_)
    decided[first[~is_new]] = True  # a new copy of a known text brings no new pair

    compared = asked[_sharing(rule.bands, lambda band: keys_of(band)[by_time[asked]], len(asked))]
    if known is not None:  # members of a known component, even if they share no key with one another
        compared = asked
    sets = sets_of(by_time[compared])
    roots = np.arange(len(compared))
    if known is not None:
        # by the label of any copy: a new one may be earlier than the one that has it
        labels = pl.DataFrame({"first": first, "label": known.component[by_time]})
        labels = labels.with_columns(pl.col("label").drop_nulls().first().over("first"))
        roots = _joined_by(labels["label"][compared], roots)
    found = components(
        rule.bands,
        lambda band: keys_of(band)[by_time[compared]],
        lambda left, right: sets.jaccard(left, right, rule.min_jaccard),
        rule.min_jaccard,
        roots,
        ~decided[compared],
        in_time=known is None or known.in_time,
    )
    number = np.full(count, -1)
    number[compared] = np.arange(len(compared))

    def similar(left: Array, right: Array, at_least: float = 0.0) -> Array:
        """As `sets.jaccard`, of any two conversations of one component."""
        same = first[left] == first[right]
        out = np.ones(len(left), np.float64)
        out[~same] = sets.jaccard(number[first[left[~same]]], number[first[right[~same]]], at_least)
        return out

    component = first.copy()
    component[compared] = compared[found]
    component = component[first]
    tied = np.flatnonzero(np.bincount(component, minlength=count)[component] > 1)
    keeper = np.arange(count)
    keeper[tied] = tied[
        keepers(
            np.searchsorted(tied, component[tied]),
            order_of_preference(rows[tied], rule.prefer),
            (lambda left, right: similar(tied[left], tied[right], rule.min_jaccard)) if rule.link == "keeper" else None,
            rule.min_jaccard,
        )
    ]
    similarity = np.ones(count, np.float64)
    members = np.flatnonzero(keeper != np.arange(count))
    similarity[members] = similar(keeper[members], members)
    verdict = pl.DataFrame(
        {
            "component": rows["conversation_id"].gather(component),
            "component_0": rows["digest_0"].gather(component),
            "cluster_id": rows["conversation_id"].gather(keeper),
            "is_keeper": keeper == np.arange(count),
            "is_exact": first[keeper] == first,
            "similarity": np.round(similarity, 6),
            "has_others": np.bincount(keeper, minlength=count)[keeper] > 1,
        },
        schema=VERDICT,
    )
    return verdict if is_in_time else verdict[np.argsort(by_time)]


def _first_with_its_words(rows: pl.DataFrame) -> Array:
    """For rows in the order of time, the first one with the same words; itself, where there are none."""
    first = np.arange(rows.height)
    shared, _ = buckets(rows["digest_0"].to_numpy())
    shared = np.sort(shared[rows["words"].gather(shared).to_numpy() > 0])
    copies = rows.select("digest_0", "digest_1")[shared].with_columns(number=pl.Series(shared, dtype=pl.Int64))
    first[shared] = copies.select(pl.col("number").first().over("digest_0", "digest_1")).to_series().to_numpy()
    return first


def _sharing(bands: int, keys_of: KeysOf, count: int) -> Array:
    """Whether each of these conversations shares a band key with another of them."""
    shared = np.zeros(count, np.bool_)
    for band in range(bands):
        members, _ = buckets(keys_of(band))
        shared[members] = True
    return shared


def _joined_by(labels: pl.Series, roots: Array) -> Array:
    """Tie together those with the same label; null ties nobody."""
    frame = pl.DataFrame({"label": labels, "number": roots}).filter(pl.col("label").is_not_null())
    pairs = frame.select(pl.col("number").first().over("label").alias("first"), "number")
    return join(roots, pairs["first"].to_numpy(), pairs["number"].to_numpy())


def order_of_preference(rows: pl.DataFrame, prefer: Sequence[Preference]) -> Array:
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
    order = np.empty(rows.height, np.int64)
    order[best_first.to_numpy()] = np.arange(rows.height)
    return order


def templates(keepers_alone: pl.DataFrame, rule: Rule) -> pl.DataFrame:
    """Find the canned replies among keepers.

    Args:
        keepers_alone: ROWS of the keepers at hand; all there are of every reply among them.
        rule: the limit.
    Returns:
        TEMPLATE, aligned with the rows.
    """
    by_time = keepers_alone.select(pl.arg_sort_by("opened_at", "conversation_id", nulls_last=True)).to_series()
    rows = keepers_alone[by_time]
    order = pl.Series("order", order_of_preference(rows, rule.prefer))
    reply = ["reply_0", "reply_1"]
    is_shared = (pl.col("reply_0") != 0) & (pl.len().over(reply) > 1)
    found = (
        rows.select("conversation_id", *reply, order, back=by_time)
        .sort("order")
        .select(
            "back",
            template_id=pl.when(is_shared).then(pl.col("conversation_id").first().over(reply)),
            is_capped=is_shared & (pl.int_range(pl.len()).over(reply) >= (rule.max_per_template or rows.height + 1)),
        )
    )
    return found.sort("back").select(list(TEMPLATE))
