"""Candidates, components and keepers: what the bands tie together, and at what cost."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.similarity import clusters, minhash
from pipeline.similarity.clusters import HUBS, CrowdError, KeysOf, ShingleSets, Similar, buckets, candidates, join, keepers
from pipeline.similarity.clusters import components as components_of
from pipeline.similarity.minhash import Array


def sets_of(*members: list[int]) -> ShingleSets:
    lengths = [len(one) for one in members]
    ends = np.cumsum(lengths, dtype=np.int64)
    values = np.array([value for one in members for value in one], np.uint32)
    return ShingleSets.of(values, ends - lengths, ends)


def components(count: int, bands: int, keys_of: KeysOf, similar: Similar, threshold: float) -> Array:
    """All of them new."""
    return components_of(bands, keys_of, similar, threshold, np.arange(count), np.ones(count, np.bool_))


numbers = st.lists(st.lists(st.integers(0, 30), max_size=12), min_size=2, max_size=6)


@pytest.mark.parametrize("compiled", [True, False])
@given(numbers, st.sampled_from([0.0, 0.5, 0.55]))
@settings(max_examples=60, deadline=None)
def test_jaccard_is_that_of_python_sets(compiled: bool, members: list[list[int]], at_least: float) -> None:
    with pytest.MonkeyPatch.context() as patch:
        if not compiled:
            patch.setattr(clusters, "kernel", lambda: None)
        sets = sets_of(*members)
        left, right = np.arange(len(members) - 1), np.arange(1, len(members))
        found = sets.jaccard(left, right, at_least)

    for (one, other), similarity in zip(pairwise(map(set, members)), found, strict=True):
        truth = len(one & other) / len(one | other) if one and other else 0.0
        assert similarity == truth if truth >= at_least else similarity < at_least


def test_pairs_may_be_columns_of_one_table() -> None:
    sets = sets_of([1, 2], [2, 3], [1, 2])
    pairs = np.array([[0, 1], [0, 2]])

    assert sets.jaccard(pairs[:, 0], pairs[:, 1]).tolist() == [1 / 3, 1.0]


def test_a_pair_that_reaches_the_threshold_exactly_is_similar() -> None:
    sets = sets_of(list(range(20)), list(range(11)))

    assert sets.jaccard(np.array([0]), np.array([1]), 0.55).tolist() == [0.55]


@given(st.lists(st.integers(0, 6), max_size=60))
@settings(deadline=None)
def test_buckets_hold_what_shares_a_key_in_the_order_of_time(keys: list[int]) -> None:
    members, ranks = buckets(np.array(keys, np.uint64))

    found: list[list[int]] = []
    for member, rank in zip(members.tolist(), ranks.tolist(), strict=True):
        if rank == 0:
            found.append([])
        found[-1].append(member)
    expected = [[place for place, key in enumerate(keys) if key == one] for one in sorted(set(keys))]
    assert found == [bucket for bucket in expected if len(bucket) > 1]


@given(st.integers(2, HUBS))
def test_in_a_small_bucket_every_pair_is_compared(size: int) -> None:
    pairs = {
        (int(a), int(b)) for left, right in candidates(np.arange(size), np.arange(size)) for a, b in zip(left, right, strict=True)
    }

    assert pairs == {(a, b) for b in range(size) for a in range(b)}


def test_in_a_giant_bucket_comparisons_grow_with_its_size_not_with_its_square() -> None:
    compared = 0

    def different(left: Array, _right: Array) -> Array:
        nonlocal compared
        compared += len(left)
        return np.zeros(len(left))

    components(20_000, 1, lambda _band: np.zeros(20_000, np.uint64), different, 0.8)

    assert compared <= HUBS * 20_000


def test_a_giant_bucket_of_equals_needs_one_comparison_each() -> None:
    compared = 0

    def same(left: Array, _right: Array) -> Array:
        nonlocal compared
        compared += len(left)
        return np.ones(len(left))

    roots = components(20_000, 14, lambda _band: np.zeros(20_000, np.uint64), same, 0.8)

    assert (compared, int(roots.max())) == (19_999, 0)


def test_real_copies_inside_a_crowd_of_look_alikes_are_found_by_two_bands_together() -> None:
    numbers = np.arange(200, dtype=np.uint64)
    keys = [numbers % np.uint64(2), numbers // np.uint64(2) % np.uint64(8)]  # buckets of 100 and of 25: crowds, both

    def alike(left: Array, right: Array) -> Array:
        return ((left == 180) & (right == 196)).astype(float)  # beyond the hubs of either

    roots = components(200, 2, keys.__getitem__, alike, 0.8)

    assert roots[196] == 180


def test_pairs_without_a_new_one_are_not_compared_again() -> None:
    compared: list[tuple[int, int]] = []

    def different(left: Array, right: Array) -> Array:
        compared.extend(zip(left.tolist(), right.tolist(), strict=True))
        return np.zeros(len(left))

    is_new = np.array([False, False, False, True])
    components_of(1, lambda _band: np.zeros(4, np.uint64), different, 0.8, np.array([0, 1, 0, 3]), is_new)

    assert compared == [(0, 3), (1, 3), (2, 3)]


def test_an_earlier_one_in_a_crowd_asks_for_a_new_start() -> None:
    count = HUBS + 1
    arguments = (1, lambda _band: np.zeros(count, np.uint64), lambda left, _right: np.ones(len(left)), 0.8)

    with pytest.raises(CrowdError):
        components_of(*arguments, np.arange(count), np.ones(count, np.bool_), in_time=False)


@given(st.lists(st.tuples(st.integers(0, 30), st.integers(0, 30)), max_size=60))
@settings(deadline=None)
def test_joined_conversations_have_the_smallest_of_their_component_as_root(edges: list[tuple[int, int]]) -> None:
    pairs = np.array(edges, np.int64).reshape(-1, 2)

    roots = join(np.arange(31), pairs[:, 0], pairs[:, 1])

    expected = list(range(31))
    for _ in range(31):
        for a, b in edges:
            expected[a] = expected[b] = min(expected[a], expected[b])
    assert roots.tolist() == expected


def test_a_long_chain_is_joined_in_few_steps() -> None:
    chain = np.random.default_rng(1).permutation(200_000)

    roots = join(np.arange(200_000), chain[:-1], chain[1:])

    assert int(roots.max()) == 0


def test_the_keeper_is_the_preferred_member() -> None:
    assert keepers(np.array([0, 0, 2, 0]), np.array([3, 1, 2, 9]), None, 0.8).tolist() == [1, 1, 2, 1]


def test_with_link_keeper_those_unlike_the_keeper_choose_again() -> None:
    def next_to_each_other(left: Array, right: Array) -> Array:
        return (np.abs(left - right) <= 1).astype(float)

    found = keepers(np.zeros(6, np.int64), np.arange(6), next_to_each_other, 0.8)

    assert found.tolist() == [0, 0, 2, 2, 4, 4]


def test_with_link_keeper_a_component_of_strangers_is_kept_whole_at_bounded_cost() -> None:
    compared = 0

    def different(left: Array, _right: Array) -> Array:
        nonlocal compared
        compared += len(left)
        return np.zeros(len(left))

    found = keepers(np.zeros(1000, np.int64), np.arange(1000), different, 0.8)

    assert found.tolist() == list(range(1000))
    assert compared <= clusters.ROUNDS * 1000


def test_keys_of_different_bands_never_meet() -> None:
    keys = minhash.band_keys(np.zeros((1, 16), np.uint32), 2, 8)

    assert keys[0, 0] != keys[1, 0]
