"""Near-duplicate clusters: candidates from MinHash bands, verified by true Jaccard, joined to connected components.

Two conversations are candidates when a band of their signatures is equal and one of them is among the first HUBS, in
the order of time, of those that share it. So a bucket of n costs HUBS * n comparisons at most, never n * n, and adding
later conversations never takes a candidate away. Of a bucket with more than HUBS conversations, those that share the
next band too are buckets of their own, with hubs of their own: real copies inside a crowd of look-alikes are still found.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

import numpy as np

from pipeline.similarity.minhash import Array, kernel, mix_all

HUBS: Final = 16
ROUNDS: Final = 64
"""With `link: keeper`, a component has that many keepers at most before its remaining members stand for themselves."""

ROUNDING: Final = 1e-9
"""0.55 * 20 is a little more than 11: the bound on the sizes must not exclude what reaches the threshold exactly."""

SORTED: Final = 500_000
"""Values of sets that are sorted at a time, and those of one set more: 4 MB."""

CHUNK: Final = 4_000_000
"""Pairs that are judged at a time: 64 MB of indices."""

KeysOf = Callable[[int], Array]
"""The keys of one band, one per conversation in the order of time."""

Similar = Callable[[Array, Array], Array]
"""True Jaccard of the conversations left[i] and right[i]; what is below the threshold may be 0."""


@dataclass(frozen=True)
class ShingleSets:
    """Sorted sets of 32-bit shingle hashes, those of conversation i at values[starts[i]:starts[i] + sizes[i]].

    At 32 bits, two conversations of n different shingles each share n * n / 2**32 by chance: 0.00001 for n = 200.
    """

    values: Array
    starts: Array
    sizes: Array

    @classmethod
    def of(cls, values: Array, starts: Array, ends: Array) -> "ShingleSets":
        """Sort every values[starts[i]:ends[i]] and drop what repeats: many at a time, as 64-bit numbers of set and value."""
        runs, sizes = [np.empty(0, np.uint32)], np.zeros(len(starts), np.int64)
        cuts = np.flatnonzero(np.diff(np.cumsum(ends - starts) // SORTED)) + 1
        for first, last in pairwise([0, *cuts.tolist(), len(starts)]):
            some = slice(first, last)
            lengths = ends[some] - starts[some]
            after = np.cumsum(lengths)
            numbered = np.repeat(np.arange(len(lengths), dtype=np.uint64) << np.uint64(32), lengths)
            numbered |= values[np.repeat(starts[some] - (after - lengths), lengths) + np.arange(int(lengths.sum()))]
            numbered.sort()
            is_first = np.ones(len(numbered), np.bool_)
            np.not_equal(numbered[1:], numbered[:-1], out=is_first[1:])
            unique = numbered[is_first]
            sizes[some] = np.bincount((unique >> np.uint64(32)).astype(np.int64), minlength=len(lengths))
            runs.append(unique.astype(np.uint32))
        return cls(np.concatenate(runs), np.cumsum(sizes) - sizes, sizes)

    def jaccard(self, left: Array, right: Array, at_least: float = 0.0) -> Array:
        """Jaccard similarity of the pairs; 0 where it cannot reach `at_least`, and where a set is empty."""
        similarities = np.zeros(len(left), np.float64)
        compiled = kernel()
        if compiled is not None:
            pairs = np.ascontiguousarray(left), np.ascontiguousarray(right)
            compiled.jaccard(self.values, self.starts, self.sizes, *pairs, at_least, similarities)
            return similarities
        for i, (one, other) in enumerate(zip(left.tolist(), right.tolist(), strict=True)):
            smaller, larger = sorted((int(self.sizes[one]), int(self.sizes[other])))
            if smaller and smaller >= at_least * larger - ROUNDING:
                common = len(np.intersect1d(self._set(one), self._set(other), assume_unique=True))
                similarities[i] = common / (smaller + larger - common)
        return similarities

    def _set(self, number: int) -> Array:
        return self.values[self.starts[number] : self.starts[number] + self.sizes[number]]


def buckets(keys: Array) -> tuple[Array, Array]:
    """Conversations that share a key, bucket by bucket, in the order of time within each, and their ranks in the bucket."""
    order = np.argsort(keys)
    arranged = keys[order]
    is_first = np.ones(len(keys), np.bool_)
    is_first[1:] = arranged[1:] != arranged[:-1]
    starts = np.flatnonzero(is_first)
    sizes = np.diff(np.append(starts, len(keys)))
    shared = np.repeat(sizes > 1, sizes)
    members = order[shared]
    sizes = sizes[sizes > 1]
    bucket = np.repeat(np.arange(len(sizes)), sizes)
    ranks = np.arange(len(members)) - np.repeat(np.cumsum(sizes) - sizes, sizes)
    return members[np.lexsort((members, bucket))], ranks  # the sort by key is quicker when it need not be stable


def candidates(members: Array, ranks: Array) -> Iterator[tuple[Array, Array]]:
    """Pairs (hub, later member) of these buckets, all that have the first hub, then all that have the second, and so on."""
    starts = np.arange(len(members)) - ranks
    for hub in range(min(HUBS, int(ranks.max(initial=0)))):
        later = ranks > hub
        yield members[starts[later] + hub], members[later]


class CrowdError(Exception):
    """A bucket with more than HUBS conversations got one that is not its latest: what was decided before may change."""


def components(
    bands: int,
    keys_of: KeysOf,
    similar: Similar,
    threshold: float,
    roots: Array,
    is_new: Array,
    *,
    in_time: bool = True,
) -> Array:
    """The first member, in the order of time, of the component of every conversation.

    Components are those of the graph of all candidates (see the module) with a similarity of at least `threshold`; pairs
    that are connected already, and pairs without a new conversation, are not compared again.

    Args:
        bands: how many bands there are; `keys_of` is asked for one at a time, twice each.
        similar: the judge of the pairs.
        roots: what is known of the components; of nothing, each conversation by itself.
        is_new: conversations about which nothing is known. Whatever shares a key with one of them is present.
        in_time: the new ones are later than all others.
    Raises:
        CrowdError: see there; only when not `in_time`.
    """
    for band in range(bands):
        keys = keys_of(band)
        members, ranks = buckets(keys)
        crowded = members[ranks >= HUBS]
        if len(crowded) and not in_time:
            raise CrowdError
        roots = _connect(roots, members, ranks, is_new, similar, threshold)
        if len(crowded) and bands > 1:
            crowded.sort()
            both = mix_all(keys[crowded]) ^ keys_of((band + 1) % bands)[crowded]
            inner, ranks = buckets(both)
            roots = _connect(roots, crowded[inner], ranks, is_new, similar, threshold)
    return roots


def _connect(roots: Array, members: Array, ranks: Array, is_new: Array, similar: Similar, threshold: float) -> Array:
    waiting: list[tuple[Array, Array]] = []
    for hub, (left, right) in enumerate(candidates(members, ranks)):
        open_ = (roots[left] != roots[right]) & (is_new[left] | is_new[right])
        waiting.append((left[open_], right[open_]))
        # the first hub alone ties together most of a crowd, and so spares the others their comparisons
        if hub == 0 or sum(len(pairs[0]) for pairs in waiting) > CHUNK:
            roots = _judge(roots, waiting, similar, threshold)
            waiting.clear()
    return _judge(roots, waiting, similar, threshold) if waiting else roots


def _judge(roots: Array, waiting: list[tuple[Array, Array]], similar: Similar, threshold: float) -> Array:
    left, right = (np.concatenate(side) for side in zip(*waiting, strict=True))
    close = similar(left, right) >= threshold
    return join(roots, left[close], right[close])


def join(roots: Array, left: Array, right: Array) -> Array:
    """Roots after tying left[i] to right[i]: the root of a component is its smallest member.

    Source: Shiloach, Vishkin, "An O(log n) parallel connectivity algorithm", 1982 (hook on the smaller root, then shorten).
    """
    roots = roots.copy()
    while len(left):
        one, other = roots[left], roots[right]
        apart = one != other
        left, right, one, other = left[apart], right[apart], one[apart], other[apart]
        np.minimum.at(roots, np.maximum(one, other), np.minimum(one, other))
        while True:
            shorter = roots[roots]
            if np.array_equal(shorter, roots):
                break
            roots = shorter
    return roots


def keepers(roots: Array, preference: Array, similar: Similar | None, threshold: float) -> Array:
    """Who is kept in place of every conversation.

    Args:
        roots: of the components.
        preference: a number per conversation, all different; of a component the one with the smallest is kept.
        similar: given, every member must reach `threshold` against its keeper; those that do not choose again among
            themselves, up to ROUNDS times, and then stand for themselves.
    """
    keeper = _best_of(roots, preference)
    if similar is None:
        return keeper
    final = np.arange(len(roots))
    left = np.flatnonzero(roots != np.arange(len(roots)))
    left = np.union1d(left, roots[left])
    for _ in range(ROUNDS):
        if len(left) == 0:
            break
        best = left[_best_of(roots[left], preference[left])]
        close = (best == left) | (similar(best, left) >= threshold)
        final[left[close]] = best[close]
        left = left[~close]
    return final


def _best_of(groups: Array, preference: Array) -> Array:
    """For every row the row with the smallest preference of its group."""
    order = np.lexsort((preference, groups))
    is_first = np.ones(len(order), np.bool_)
    is_first[1:] = groups[order][1:] != groups[order][:-1]
    best = np.empty(len(order), np.int64)
    best[order] = order[is_first][np.cumsum(is_first) - 1]
    return best
