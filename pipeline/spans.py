"""Spans of personal details in one text: what was found where, and which of several overlapping finds counts."""

from collections.abc import Iterable
from operator import attrgetter
from typing import NamedTuple


class Span(NamedTuple):
    """A find: [start, end) in characters, what it is, how sure, and who says so."""

    start: int
    end: int
    entity_type: str
    score: float
    recognizer: str

    def moved(self, offset: int) -> "Span":
        """The same find, `offset` characters further right."""
        return self._replace(start=self.start + offset, end=self.end + offset)


_in_text_order = attrgetter("start")


def resolve(spans: Iterable[Span]) -> list[Span]:
    """Choose spans that do not overlap, in the order of the text, the same for any order of `spans`.

    The longest wins, then the highest score, then the type and the recognizer in alphabetical order. What a loser had
    beyond the winner stays covered: the rest is kept as a span of its own, so that no found character goes free.
    """
    ranked = sorted(set(spans), key=lambda s: (s.start - s.end, -s.score, s.entity_type, s.recognizer, s.start))
    if len(ranked) < 2:  # noqa: PLR2004  # one span cannot overlap
        return ranked
    chosen: list[Span] = []
    for span in ranked:
        chosen.extend(remainders(span, chosen))
    return sorted(chosen, key=_in_text_order)


def remainders(span: Span, taken: Iterable[Span]) -> list[Span]:
    """What is left of a span outside of others."""
    pieces = [(span.start, span.end)]
    for other in taken:
        if other.start >= span.end or other.end <= span.start:
            continue
        cut = [piece for start, end in pieces for piece in ((start, min(end, other.start)), (max(start, other.end), end))]
        pieces = [(start, end) for start, end in cut if start < end]
        if not pieces:
            return []
    return [span._replace(start=start, end=end) for start, end in pieces]
