"""Which turns stand in a row when a trainer would not look at all of them.

A trainer that cuts at the end cuts the answer: of a long chat, the row of a late reply would train nothing. Then the middle of
the conversation gives way, exchange by exchange, so that roles still take turns.
"""

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Room:
    """How much a row may hold, and how long the turns are that want to stand in it."""

    tokens: int
    """For the turns, the system text not counted."""

    sizes: Sequence[int]
    """Tokens of each turn, with what a chat template adds."""

    opens: Sequence[int]
    """Places where an exchange begins: the customer speaks, and did not speak before."""

    def before(self, place: int) -> list[int]:
        """Places of the turns that stand before the turn at `place`, in order.

        Its own exchange always does; then the first one, which says what it is all about; then as many of the latest as fit.

        >>> room = Room(tokens=80, sizes=[10] * 10, opens=[0, 2, 4, 6, 8])
        >>> room.before(9), room.before(5)
        ([0, 1, 4, 5, 6, 7, 8], [0, 1, 2, 3, 4])
        """
        own = max((start for start in self.opens if start <= place), default=0)
        left = self.tokens - sum(self.sizes[own : place + 1])
        earlier = [(start, end) for start, end in zip(self.opens, self.opens[1:], strict=False) if end <= own]
        kept: list[int] = list(range(own, place))
        for start, end in [*earlier[:1], *reversed(earlier[1:])]:
            left -= sum(self.sizes[start:end])
            if left < 0:
                break
            kept += range(start, end)
        return sorted(kept)

    def leading(self) -> int:
        """How many turns from the start fit in whole exchanges; the first exchange always stays.

        >>> Room(tokens=50, sizes=[10] * 6, opens=[0, 2, 4]).leading()
        4
        """
        ends = [*self.opens[1:], len(self.sizes)]
        return max((end for end in ends if sum(self.sizes[:end]) <= self.tokens), default=ends[0])
