"""Which of many hashes stand in a set, at the price of one look at a small table each."""

from typing import Final

import numpy as np

from pipeline.similarity.minhash import Array, kernel

MOST_BITS: Final = 22
"""4 MB of flags at most; 64 flags per hash, so that 1 in 64 of the others passes by chance and is looked up in earnest."""


class HashSet:
    """A set of evenly spread hashes, of 32 or 64 bits, that large arrays are looked up in."""

    def __init__(self, values: Array) -> None:
        """Remember the values; they may repeat."""
        self._values = np.unique(values)
        self._bits = min(MOST_BITS, 6 + len(self._values).bit_length())
        self._flags = np.zeros(1 << self._bits, np.bool_)
        self._flags[self._slots(self._values)] = True

    def _shift(self, values: Array) -> int:
        return int(8 * values.dtype.itemsize - self._bits)

    def _slots(self, values: Array) -> Array:
        return np.asarray(values >> values.dtype.type(self._shift(values))).astype(np.int64)

    def within(self, values: Array) -> Array:
        """Whether each value is in the set."""
        compiled = kernel()
        if compiled is not None:
            found = np.empty(len(values), np.bool_)
            compiled.contained(np.ascontiguousarray(values), self._flags, self._shift(values), self._values, found)
            return found
        found = self._flags[self._slots(values)]
        maybe = np.flatnonzero(found)
        if len(maybe):
            at = np.searchsorted(self._values, values[maybe])
            found[maybe] = self._values[np.minimum(at, len(self._values) - 1)] == values[maybe]
        return found
