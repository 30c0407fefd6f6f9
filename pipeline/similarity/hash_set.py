"""Which of many hashes stand in a set, at the price of one look at a small table each."""

from typing import Final

import numpy as np

from pipeline.similarity.minhash import Array, kernel

MOST_BITS: Final = 20
"""8 MB of blocks at most; one or two of them per hash, which sets two of their 64 bits: 1 in 1000 of the others passes by chance
and is looked up in earnest."""


class HashSet:
    """A set of evenly spread hashes, of 32 or 64 bits, that large arrays are looked up in.

    Source: Putze, Sanders, Singler, "Cache-, hash- and space-efficient Bloom filters", 2007 (all bits of a hash in one block).
    """

    def __init__(self, values: Array) -> None:
        """Remember the values; they may repeat."""
        self._values = np.unique(values)
        self._bits = min(MOST_BITS, len(self._values).bit_length())
        self._blocks = np.zeros(1 << self._bits, np.uint64)
        np.bitwise_or.at(self._blocks, self._places(self._values), _marks(self._values))

    def _shift(self, values: Array) -> int:
        return int(8 * values.dtype.itemsize - self._bits)

    def _places(self, values: Array) -> Array:
        return (values.astype(np.uint64) >> np.uint64(self._shift(values))).astype(np.int64)

    def within(self, values: Array) -> Array:
        """Whether each value is in the set."""
        if len(self._values) == 0:
            return np.zeros(len(values), np.bool_)
        compiled = kernel()
        if compiled is not None:
            found = np.empty(len(values), np.bool_)
            compiled.contained(np.ascontiguousarray(values), self._blocks, self._shift(values), self._values, found)
            return found
        marks = _marks(values)
        found = np.asarray(self._blocks[self._places(values)] & marks == marks)
        maybe = np.flatnonzero(found)
        at = np.searchsorted(self._values, values[maybe])
        found[maybe] = self._values[np.minimum(at, len(self._values) - 1)] == values[maybe]
        return found


def _marks(values: Array) -> Array:
    """Two bits of 64 per value, taken from the lowest bits of it; `minhash_kernel.contained` takes the same."""
    low, six, one = values.astype(np.uint64), np.uint64(6), np.uint64(1)
    return np.asarray(one << (low & np.uint64(63)) | one << (low >> six & np.uint64(63)))
