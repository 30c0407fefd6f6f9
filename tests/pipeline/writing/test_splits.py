"""Splits leak neither a customer nor a cluster, and old rows stay where they are."""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from pipeline.key import Key
from pipeline.writing.splits import REASONS, ROWS, SplitParams, assign_splits, components, explain_sizes
from tests.build import KEY, NOON


def shares(by: str = "hash", train: float = 0.8, validation: float = 0.1, test: float = 0.1) -> SplitParams:
    return SplitParams.model_validate({"train": train, "validation": validation, "test": test, "by": by})


def row(number: int, **more: Any) -> dict[str, Any]:
    return {
        "conversation_id": f"c{number:05}",
        "cluster_id": f"c{number:05}",
        "customer_key": f"customer-{number}",
        "opened_at": NOON + timedelta(hours=number),
        "topics": [],
        "only_train": False,
        **more,
    }


def frame(rows: Sequence[Mapping[str, Any]]) -> pl.DataFrame:
    return pl.DataFrame(list(rows), schema=dict(ROWS))


def split_of(rows: Sequence[Mapping[str, Any]], params: SplitParams, key: Key = KEY) -> dict[str, str | None]:
    return dict(assign_splits(frame(rows), params, key).iter_rows())


tangles = st.lists(
    st.tuples(
        st.integers(0, 8), st.one_of(st.none(), st.integers(0, 8)), st.one_of(st.none(), st.integers(0, 30)), st.booleans()
    ),
    min_size=1,
    max_size=40,
).map(
    lambda drawn: [
        row(
            number,
            cluster_id=f"cluster-{cluster}",
            customer_key=None if customer is None else f"customer-{customer}",
            opened_at=None if hours is None else NOON + timedelta(hours=hours),
            topics=[f"topic-{cluster % 2}"],
            only_train=pinned and number % 3 == 0,
        )
        for number, (cluster, customer, hours, pinned) in enumerate(drawn)
    ]
)
ways = st.sampled_from(["hash", "quota", "topic", "time"]).map(shares)


@given(tangles, ways)
@settings(max_examples=60, deadline=None)
def test_no_customer_and_no_cluster_stands_in_two_splits(rows: list[dict[str, Any]], params: SplitParams) -> None:
    split = split_of(rows, params)

    assert len(split) == len(rows)
    for tie in ("cluster_id", "customer_key"):
        seen: dict[str, set[str]] = {}
        for one in rows:
            if one[tie] is not None and (where := split[one["conversation_id"]]):
                seen.setdefault(one[tie], set()).add(where)
        assert all(len(splits) == 1 for splits in seen.values())


@given(tangles, ways)
@settings(max_examples=40, deadline=None)
def test_what_is_pinned_is_in_train_or_in_no_split(rows: list[dict[str, Any]], params: SplitParams) -> None:
    split = split_of(rows, params)

    assert {split[one["conversation_id"]] for one in rows if one["only_train"]} <= {"train", None}


@given(tangles, ways, st.randoms(use_true_random=False))
@settings(max_examples=40, deadline=None)
def test_row_order_changes_nothing(rows: list[dict[str, Any]], params: SplitParams, random: Any) -> None:
    shuffled = list(rows)
    random.shuffle(shuffled)

    assert split_of(shuffled, params) == split_of(rows, params)


@given(tangles, tangles, st.sampled_from(["hash", "quota", "topic"]))
@settings(max_examples=60, deadline=None)
def test_later_conversations_never_move_an_old_one(old: list[dict[str, Any]], new: list[dict[str, Any]], by: str) -> None:
    later = [
        {**one, "conversation_id": f"n{one['conversation_id']}", "opened_at": NOON + timedelta(days=9 + number)}
        for number, one in enumerate(new)
    ]
    before = split_of(old, shares(by))

    after = split_of([*old, *later], shares(by))

    assert {name: after[name] for name in before} == before


def test_by_hash_not_even_a_backfill_moves_an_old_one() -> None:
    rows = [row(number) for number in range(2000)]
    before = split_of(rows[1::2], shares())

    after = split_of(rows, shares())

    assert {name: after[name] for name in before} == before


@pytest.mark.parametrize(("by", "points"), [("hash", 0.03), ("quota", 0.001), ("topic", 0.002), ("time", 0.001)])
def test_sizes_follow_the_shares(by: str, points: float) -> None:
    rows = [row(number, topics=[["refund"], ["delivery"], []][number % 3]) for number in range(2000)]

    split = list(split_of(rows, shares(by, 0.85, 0.05, 0.10)).values())

    for name, share in (("train", 0.85), ("validation", 0.05), ("test", 0.10)):
        assert split.count(name) / len(split) == pytest.approx(share, abs=points)


def test_by_topic_every_topic_has_its_share_in_every_split() -> None:
    rows = [row(number, topics=["rare" if number % 40 == 0 else "common"]) for number in range(2000)]

    split = split_of(rows, shares("topic"))

    rare = [split[one["conversation_id"]] for one in rows if one["topics"] == ["rare"]]
    assert (rare.count("train"), rare.count("validation"), rare.count("test")) == (40, 5, 5)


def test_by_time_the_latest_conversations_are_the_test() -> None:
    split = split_of([row(number) for number in range(10)], shares("time", 0.6, 0.2, 0.2))

    assert list(split.values()) == ["train"] * 6 + ["validation"] * 2 + ["test"] * 2


def test_by_time_a_returning_customer_goes_where_the_last_conversation_goes() -> None:
    rows = [row(number) for number in range(10)]
    rows[0]["customer_key"] = rows[9]["customer_key"]

    split = split_of(rows, shares("time", 0.6, 0.2, 0.2))

    assert (split["c00000"], split["c00009"]) == ("test", "test")


def test_a_conversation_that_ties_two_splits_together_is_in_neither() -> None:
    rows = [row(number) for number in range(200)]
    split = split_of(rows, shares())
    train = next(one for one in rows if split[one["conversation_id"]] == "train")
    test = next(one for one in rows if split[one["conversation_id"]] == "test")
    bridge = row(900, customer_key=train["customer_key"], cluster_id=test["cluster_id"])

    assert split_of([*rows, bridge], shares())["c00900"] is None


def test_another_key_draws_other_splits() -> None:
    rows = [row(number) for number in range(100)]

    assert split_of(rows, shares()) != split_of(rows, shares(), Key(b"another key, of 32 bytes or more"))


def test_components_follow_chains_of_customers_and_clusters() -> None:
    rows = frame(
        [
            row(0, customer_key="a", cluster_id="x"),
            row(1, customer_key="a", cluster_id="y"),
            row(2, customer_key="b", cluster_id="y"),
            row(3, customer_key=None, cluster_id="z"),
            row(4, customer_key=None, cluster_id="w"),
        ]
    )

    found = components(rows).tolist()

    assert found[0] == found[1] == found[2]
    assert len({found[0], found[3], found[4]}) == 3


def test_sizes_that_are_off_by_more_than_a_point_have_a_stated_reason() -> None:
    near, off = ({"train": 100 + train, "validation": 100, "test": 900 - train} for train in (800, 780))

    assert explain_sizes(near, 100, shares()) == "80 / 10 / 10 % asked for, 80 / 10 / 10 % are"
    assert explain_sizes(off, 100, shares()).endswith("78 / 10 / 12 % are: " + REASONS["hash"])
    assert explain_sizes({"train": 5, "validation": 0, "test": 0}, 5, shares()) == "nothing to share out"


def test_shares_that_do_not_add_up_are_refused() -> None:
    with pytest.raises(ValidationError, match=r"add up to 0\.95, not to 1"):
        shares("hash", 0.8, 0.1, 0.05)
