"""A text that many patterns look at: its runs of digits, its words, what it holds, each found out once and only when asked."""

from bisect import bisect_right
from collections.abc import Callable, Iterable
from functools import cached_property
from typing import Any, Final

import regex  # type: ignore[import-untyped]  # comes without stubs
from presidio_analyzer.context_aware_enhancers import LemmaContextAwareEnhancer

from pipeline.analysis.needs import GRAM

CONTEXT_WORDS: Final = LemmaContextAwareEnhancer().context_prefix_count

_DIGITS: Final = regex.compile(r"\d+")

Find = tuple[int, int, str, float]
"""Start, end, entity type, score before context."""

Finder = Callable[["SeenText"], list[Find]]


Condition = Callable[["SeenText"], bool]
"""Must hold for a pattern to match anywhere in the text; may look at its digits."""


class Sought:
    """Sets of words of which one must occur; of all that are sought together, few texts hold even the beginning of one."""

    def __init__(self, sets: Iterable[frozenset[str]]) -> None:
        self._words: dict[str, list[tuple[str, frozenset[frozenset[str]]]]] = {}
        known = frozenset(sets)
        for word in sorted(frozenset().union(*known)):
            self._words.setdefault(word[:GRAM], []).append((word, frozenset(each for each in known if word in each)))
        self._grams = frozenset(self._words)
        self._all = known

    def held(self, text: str) -> frozenset[frozenset[str]]:
        """The sets of which the text holds a word; of a text with letters beyond ASCII nobody knows, so all."""
        if not text.isascii():
            return self._all
        lowered = text.lower()
        held: set[frozenset[str]] = set()
        for gram in self._grams.intersection(map("".join, zip(lowered, lowered[1:], lowered[2:], strict=False))):
            for word, sets in self._words[gram]:
                if word in lowered:
                    held |= sets
        return frozenset(held)


class SeenText:
    """A text and the words in it, which are only looked up when somebody asks."""

    def __init__(self, text: str, tokenizer: Any, sought: Sought) -> None:
        self.text: str = text
        self._tokenizer = tokenizer
        self._sought = sought
        self.runs = [match.span() for match in _DIGITS.finditer(text)]
        self._near: dict[int, list[tuple[int, int]]] = {}
        self._met: dict[Condition, bool] = {}

    def meets(self, condition: Condition) -> bool:
        """The condition's answer, asked for once: patterns share them."""
        met = self._met.get(condition)
        if met is None:
            met = self._met[condition] = condition(self)
        return met

    def near_digits(self, width: int) -> list[tuple[int, int]]:
        """Where a match of that width with a digit in it may stand: merged stretches around all digits."""
        stretches = self._near.get(width)
        if stretches is None:
            stretches = []
            for start, end in self.runs:
                left, right = max(0, start - width), end + width
                if stretches and left <= stretches[-1][1]:
                    stretches[-1] = (stretches[-1][0], right)
                else:
                    stretches.append((left, right))
            self._near[width] = stretches
        return stretches

    @cached_property
    def held(self) -> frozenset[frozenset[str]]:
        """The sets of sought words of which the text may hold one."""
        return self._sought.held(self.text)

    @cached_property
    def words(self) -> tuple[list[int], list[str], frozenset[str]]:
        """Ends of the tokens, their lemmas, and the lemmas that are keywords in the sense of Presidio's NlpArtifacts."""
        document = self._tokenizer(self.text)
        vocabulary = document.vocab
        lemmas = [token.lower_ for token in document]
        kept = (
            lemma
            for lemma in dict.fromkeys(lemmas)
            if not vocabulary[lemma].is_stop and not vocabulary[lemma].is_punct and lemma not in {"-pron-", "be"}
        )
        keywords = frozenset(piece for lemma in kept for piece in lemma.split(":"))
        return [token.idx + len(token) for token in document], lemmas, keywords

    def words_before(self, start: int) -> list[str]:
        """The keywords before a find, and its own first token: Presidio takes that too, for finds glued to a word."""
        ends, lemmas, keywords = self.words
        index = bisect_right(ends, start)
        found: list[str] = []
        while 0 <= index < len(lemmas) and len(found) <= CONTEXT_WORDS:
            if lemmas[index] in keywords:
                found.append(lemmas[index])
            index -= 1
        return found
