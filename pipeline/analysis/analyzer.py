"""Presidio's analysis at a multiple of its speed, with the findings of `AnalyzerEngine.analyze`.

Three things make the difference. A pattern runs only where a match is possible at all: the number of digits, the
punctuation and the words that any match must hold are read off the pattern itself, once. Words around a find are looked up
only when a find hangs on them, so most texts are never tokenised. And a text is analysed in windows when it is so long that a
pattern's backtracking would hurt.

Nothing here opens a socket or writes a file: spaCy gives a blank tokenizer, tldextract its bundled suffix list.
"""

import logging
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final

import spacy
import tldextract
from presidio_analyzer import EntityRecognizer
from presidio_analyzer.context_aware_enhancers import LemmaContextAwareEnhancer

from pipeline.analysis.finders import finders_of
from pipeline.analysis.needs import Need
from pipeline.analysis.seen_text import Find, Finder, SeenText, Sought
from pipeline.errors import ParamsError
from pipeline.spans import Span

WINDOW: Final = 2_000
"""Characters of a long text that are analysed at once: bounds the backtracking of patterns such as Presidio's e-mail."""

MARGIN: Final = 300
"""Characters before and after a window that are seen, so that a find on its edge is whole and has its context words."""

MIN_SCORE_WITH_CONTEXT: Final = LemmaContextAwareEnhancer().min_score_with_context_similarity
CONTEXT_FACTOR: Final = LemmaContextAwareEnhancer().context_similarity_factor


def silence() -> None:
    """Keep what Presidio, tldextract and spaCy would log away from every handler: some of it quotes the text."""
    for name in ("presidio-analyzer", "tldextract", "spacy", "phonenumbers"):
        logger = logging.getLogger(name)
        logger.disabled = True
        logger.propagate = False


def stay_offline() -> None:
    """Have tldextract read the suffix list inside its wheel: by default it downloads one and caches it at home."""
    bundled = tldextract.TLDExtract(suffix_list_urls=(), cache_dir=None, fallback_to_snapshot=True)
    tldextract.tldextract.TLD_EXTRACTOR = bundled


def blank_tokenizer(language: str) -> Any:
    """Make spaCy's tokenizer alone; the form of a word in lower case stands for its lemma."""
    try:
        return spacy.blank(language)
    except ImportError:  # what it raises of a code it does not know, too
        raise ParamsError(f"scrub.language: spaCy has no tokenizer for {language!r} here; name another, such as en") from None


@dataclass(frozen=True)
class _Guarded:
    """One recognizer, split into finders that each have their own need."""

    recognizer: EntityRecognizer
    finders: Sequence[tuple[Need, Finder]]


class Analyzer:
    """Recognizers that look through texts together, as Presidio's AnalyzerEngine has them do."""

    def __init__(self, recognizers: Sequence[EntityRecognizer], language: str, min_score: float) -> None:
        """Prepare the recognizers.

        Args:
            recognizers: Presidio's or others; those that have `analyze` from PatternRecognizer gain most.
            language: whose blank tokenizer and stop words decide what a context word is.
            min_score: finds below it are left out, after their context was weighed.
        """
        silence()
        stay_offline()
        self._tokenizer = blank_tokenizer(language)
        self._min_score = min_score
        self._guarded = [_Guarded(recognizer, finders_of(recognizer)) for recognizer in recognizers]
        needs = [need for guarded in self._guarded for need, _ in guarded.finders]
        self._most_digits = max((need.digits for need in needs), default=0)
        self._signs = frozenset(sign for need in needs for choice in need.signs for sign in choice)
        self._sought = Sought(need.words for need in needs if need.words)
        self._active: dict[
            tuple[int, int, frozenset[str]], list[tuple[EntityRecognizer, list[tuple[frozenset[str], Finder]]]]
        ] = {}

    def analyze(self, text: str) -> list[Span]:
        """Every find in a text, best first; finds may overlap."""
        if len(text) <= WINDOW:
            return self._analyze_window(text)
        found: list[Span] = []
        for start in range(0, len(text), WINDOW):
            left = max(0, start - MARGIN)
            spans = self._analyze_window(text[left : start + WINDOW + MARGIN])
            found.extend(span.moved(left) for span in spans if start <= span.start + left < start + WINDOW)
        return found

    def _analyze_window(self, text: str) -> list[Span]:
        words = SeenText(text, self._tokenizer, self._sought)
        found: list[Span] = []
        for recognizer, finders in self._active_for(words):
            own = [find for sought, finder in finders if not sought or sought in words.held for find in finder(words)]
            for start, end, entity_type, score in own if len(own) < 2 else _best(own):  # noqa: PLR2004  # one has no rival
                weighed = self._with_context(words, recognizer, start, score)
                if weighed >= self._min_score:
                    found.append(Span(start, end, entity_type, weighed, str(recognizer.name)))  # type: ignore[has-type]  # untyped there
        return _without_duplicates(found) if found else found

    def _active_for(self, text: SeenText) -> list[tuple[EntityRecognizer, list[tuple[frozenset[str], Finder]]]]:
        """The finders whose need the text meets; texts are alike in this, so the answer is remembered."""
        runs = [end - start for start, end in text.runs]
        longest = min(max(runs, default=0), self._most_digits)
        key = min(sum(runs), self._most_digits), longest, self._signs.intersection(text.text)
        active = self._active.get(key)
        if active is None:
            active = self._active[key] = [
                (guarded.recognizer, finders)
                for guarded in self._guarded
                if (finders := [(need.words, finder) for need, finder in guarded.finders if need.is_met(*key)])
            ]
        return active

    @staticmethod
    def _with_context(text: SeenText, recognizer: EntityRecognizer, start: int, score: float) -> float:
        if not recognizer.context:
            return score
        around = text.words_before(start)
        if any(word.lower() in near for word in recognizer.context for near in around):
            return min(max(score + CONTEXT_FACTOR, MIN_SCORE_WITH_CONTEXT), EntityRecognizer.MAX_SCORE)
        return score


def _without_duplicates(spans: Iterable[Span]) -> list[Span]:
    """EntityRecognizer.remove_duplicates: of one type, a find inside another that scores at least as high is dropped."""
    ordered = sorted(set(spans), key=lambda s: (s.entity_type, s.start, s.start - s.end, -s.score, s.recognizer))
    if len(ordered) < 2:  # noqa: PLR2004  # one find has no duplicate
        return [span for span in ordered if span.score]
    kept: list[Span] = []
    active: list[Span] = []
    for span in ordered:
        if not span.score:
            continue
        active = [other for other in active if other.entity_type == span.entity_type and other.end >= span.start]
        if any(span.end <= other.end and span.score <= other.score for other in active):
            continue
        kept.append(span)
        active.append(span)
    return sorted(kept, key=lambda s: (-s.score, s.start, s.start - s.end))


def _best(finds: Iterable[Find]) -> list[Find]:
    """Duplicates of one recognizer go before context raises their scores, as in PatternRecognizer.analyze."""
    return [span[:4] for span in _without_duplicates(Span(*find, recognizer="") for find in finds)]
