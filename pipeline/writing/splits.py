"""Which split a conversation belongs to, so that neither a duplicate cluster nor a customer stands in two.

What holds for every `by`: all conversations of one customer, and all of one cluster, are in one split. A conversation
whose customer already stands in one split and whose cluster in another belongs to neither: its split is null, and whoever
writes the splits drops it by the reason `BRIDGES_SPLITS`. (After dedupe a cluster is one conversation, so that is rare.)

That is the price of two laws at once: an old conversation never changes split, and a delivery that grows step by step ends
as if it had come at once. Of a customer whose first conversation fell into test, a later one with a synthetic answer may stand
neither in test nor in train; to move the first would break one law, to look at which came in which run the other. `time`
decides by whole components, and drops nobody.

What adding data changes:

- `hash`: nothing, whatever is added: a customer's split is a keyed hash of the customer. Only where a cluster or a pinned
  conversation decides for a customer does the order of time matter, and later conversations never change earlier ones.
  Sizes follow the shares up to chance: with n customers of equal size a share p is off by sqrt(p (1 - p) / n).
- `quota`, `topic`: nothing, when what is added was opened later than all that was there; a backfill moves conversations.
  Sizes are within one customer of the shares, over all (`quota`) or within every first topic (`topic`).
- `time`: test and validation are the latest slices, so they move on. Nothing in train was opened after the start of
  validation, nor anything in validation after the start of test, but for what is pinned to train and for equal times.
  Sizes are within one component.
"""

from collections.abc import Iterator, Mapping
from typing import Final, Literal

import numpy as np
import polars as pl
from pydantic import Field, model_validator

from pipeline.key import Key
from pipeline.params import Section
from pipeline.schema import TIME, conform
from pipeline.similarity.clusters import join
from pipeline.similarity.minhash import Array

SPLITS: Final = ("train", "validation", "test")
BRIDGES_SPLITS: Final = "bridges_splits"
"""The reason by which a conversation without a split is dropped."""

ROWS: Final[Mapping[str, pl.DataType | type[pl.DataType]]] = {
    "conversation_id": pl.String,
    "cluster_id": pl.String,
    "customer_key": pl.String,
    "opened_at": TIME,
    "topics": pl.List(pl.String),
    "only_train": pl.Boolean,
}
"""What `assign_splits` reads. `only_train` pins a conversation, such as one with a synthetic answer, and may be left out."""


class SplitParams(Section):
    """How the examples are shared out."""

    train: float = Field(ge=0, le=1)
    """Share of the conversations that are learnt from."""

    validation: float = Field(ge=0, le=1)
    """Share that is looked at while training."""

    test: float = Field(ge=0, le=1)
    """Share that is looked at once, at the end."""

    by: Literal["hash", "quota", "topic", "time"]
    """hash: most stable. quota: exact sizes. topic: exact sizes within every first topic. time: the latest are the test."""

    @model_validator(mode="after")
    def _whole(self) -> "SplitParams":
        if abs(sum(self.shares) - 1) > 1e-9:  # noqa: PLR2004  # the rounding of three decimal fractions
            msg = f"train, validation and test add up to {sum(self.shares):.4g}, not to 1"
            raise ValueError(msg)
        return self

    @property
    def shares(self) -> tuple[float, float, float]:
        """In the order of SPLITS."""
        return self.train, self.validation, self.test


REASONS: Final[Mapping[str, str]] = {
    "hash": "a keyed hash of the customer decides, so that no conversation ever moves; chance makes the rest",
    "quota": "conversations of one customer stay together",
    "topic": "conversations of one customer stay together, and every first topic is shared out by itself",
    "time": "conversations of one customer stay together, and go where the last of them goes",
}
A_POINT: Final = 0.01


def explain_sizes(sizes: Mapping[str, int], pinned: int, params: SplitParams) -> str:
    """What was asked for, what came out, and, where a share is off by more than a point, why.

    Args:
        sizes: split -> conversations.
        pinned: how many of those in train had to be there; the shares are of the others.
        params: what was asked for.
    """
    free = {split: sizes[split] - (pinned if split == "train" else 0) for split in SPLITS}
    total = sum(free.values())
    if total == 0:
        return "nothing to share out"
    got = [free[split] / total for split in SPLITS]
    stated = [" / ".join(f"{100 * share:.3g}" for share in shares) for shares in (params.shares, got)]
    text = f"{stated[0]} % asked for, {stated[1]} % are"
    if any(abs(one - other) > A_POINT for one, other in zip(got, params.shares, strict=True)):
        text += f": {REASONS[params.by]}"
    return text


def assign_splits(rows: pl.DataFrame, params: SplitParams, key: Key) -> pl.DataFrame:
    """Give every conversation its split, whatever the order of the rows; columns beyond ROWS are not looked at.

    Args:
        rows: the columns of ROWS, one row per conversation. A null customer is nobody else's, a null cluster_id is a
            cluster of its own; a null opened_at comes first.
        params: the shares are of the conversations that are not pinned to train.
        key: decides by hash, so that nobody without it can tell which customer is in which split.
    Returns:
        conversation_id, split (one of SPLITS, or null: see the module); sorted by conversation_id.
    """
    if "only_train" not in rows.columns:
        rows = rows.with_columns(only_train=False)
    rows = (
        conform(rows.select(name for name in rows.columns if name in ROWS), ROWS, "splits")
        .with_columns(
            pl.col("cluster_id").fill_null(pl.col("conversation_id")),
            pl.col("only_train").fill_null(value=False),
            stratum=pl.col("topics").list.first() if params.by == "topic" else pl.lit(None, pl.String),
        )
        .sort("opened_at", "conversation_id", nulls_last=False)
    )
    splits = _latest_last(rows, params, key) if params.by == "time" else list(_one_by_one(rows, params, key))
    return rows.select("conversation_id", split=pl.Series(splits, dtype=pl.String)).sort("conversation_id")


def _one_by_one(rows: pl.DataFrame, params: SplitParams, key: Key) -> Iterator[str | None]:
    """Decide in the order of time: what is decided for a customer and a cluster holds for all that follows."""
    of_customer: dict[str, str] = {}
    of_cluster: dict[str, str] = {}
    sizes: dict[str | None, dict[str, int]] = {}
    columns = rows.select("cluster_id", "customer_key", "only_train", "stratum").iter_rows()
    for cluster, customer, only_train, stratum in columns:
        known = {split for split in (of_customer.get(customer), of_cluster.get(cluster)) if split}
        if only_train:
            known.add("train")
        if len(known) > 1:
            yield None
            continue
        counts = sizes.setdefault(stratum, dict.fromkeys(SPLITS, 0))
        if known:
            split = known.pop()
        elif params.by == "hash":
            split = _drawn(key, customer, cluster, params)
        else:
            split = _most_wanting(counts, params, _unit(key, customer, cluster))
        if customer is not None:
            of_customer[customer] = split
        of_cluster[cluster] = split
        counts[split] += not only_train
        yield split


def _unit(key: Key, customer: str | None, cluster: str) -> float:
    """A number in [0, 1) that only the key can tell."""
    digest = key.digest("split of cluster", cluster) if customer is None else key.digest("split of customer", customer)
    return int.from_bytes(digest[:6], "big") / 2**48


def _drawn(key: Key, customer: str | None, cluster: str, params: SplitParams) -> str:
    point = _unit(key, customer, cluster)
    if point < params.test:  # test first: its customers stay when the other two shares move
        return "test"
    return "validation" if point < params.test + params.validation else "train"


def _most_wanting(counts: dict[str, int], params: SplitParams, point: float) -> str:
    """The split furthest below its share; of equals the key chooses."""
    total = sum(counts.values()) + 1
    wanting = {split: share * total - counts[split] for split, share in zip(SPLITS, params.shares, strict=True) if share}
    most = max(wanting.values())
    level = [split for split, want in wanting.items() if want > most - 1e-9]  # equal but for rounding
    return level[int(point * len(level))]


def _latest_last(rows: pl.DataFrame, params: SplitParams, key: Key) -> list[str | None]:
    """Cut the components of {customer, cluster} by the time of their last conversation."""
    component = components(rows)
    frame = rows.select("opened_at", "only_train", "conversation_id").with_columns(component=pl.Series(component))
    groups = (
        frame.group_by("component")
        .agg(
            last=pl.col("opened_at").max(),
            size=pl.len(),
            only_train=pl.col("only_train").any(),
            anchor=pl.col("conversation_id").min(),
        )
        .sort("last", pl.col("anchor").map_elements(lambda one: key.hash("split of component", one), pl.String))
    )
    free = groups.filter(~pl.col("only_train")).with_columns(
        # the middle of the component decides: a share is missed by half a component at most
        until=(pl.col("size").cum_sum() - pl.col("size") / 2) / pl.col("size").sum()
    )
    cut = (
        pl.when(pl.col("until") > 1 - params.test)
        .then(pl.lit("test"))
        .when(pl.col("until") > params.train)
        .then(pl.lit("validation"))
        .otherwise(pl.lit("train"))
    )
    decided = free.select("component", split=cut)
    joined = frame.join(decided, on="component", how="left", maintain_order="left")
    return joined["split"].fill_null("train").to_list()


def components(rows: pl.DataFrame) -> Array:
    """A number per row, equal where rows are tied by a chain of customers and clusters; null ties nobody."""
    ids = rows.select(
        customer=pl.col("customer_key").rank("dense").cast(pl.Int64) - 1,
        cluster=pl.col("cluster_id").rank("dense").cast(pl.Int64) - 1,
    )
    count = rows.height
    customers = int(ids["customer"].max() or 0) + 1  # type: ignore[arg-type]  # of an Int64 column: an int or null
    clusters = int(ids["cluster"].max() or 0) + 1  # type: ignore[arg-type]  # the same
    row = np.arange(count)
    known = ids["customer"].is_not_null().to_numpy()
    tails = np.concatenate([row[known], row])
    heads = np.concatenate([count + ids["customer"].drop_nulls().to_numpy(), count + customers + ids["cluster"].to_numpy()])
    return join(np.arange(count + customers + clusters), tails, heads)[:count]
