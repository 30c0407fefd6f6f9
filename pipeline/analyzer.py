"""Presidio's analysis at a multiple of its speed, with the findings of `AnalyzerEngine.analyze`.

Three things make the difference. A pattern runs only where a match is possible at all: the number of digits, the
punctuation and the words that any match must hold are read off the pattern itself, once. Words around a find are looked up
only when a find hangs on them, so most texts are never tokenised. And a text is analysed in windows when it is so long that a
pattern's backtracking would hurt.

Nothing here opens a socket or writes a file: spaCy gives a blank tokenizer, tldextract its bundled suffix list.
"""

import logging
import re
import re._constants as sre  # type: ignore[import-not-found]  # the standard library's own parser, without stubs
import re._parser as sre_parse  # type: ignore[import-not-found]  # likewise
from bisect import bisect_right
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache, cached_property, partial, reduce
from typing import Any, Final

import regex  # type: ignore[import-untyped]  # comes without stubs
import spacy
import tldextract
from phonenumbers import PhoneMetadata, phonenumberutil
from presidio_analyzer import EntityRecognizer, Pattern, PatternRecognizer, RecognizerResult
from presidio_analyzer.context_aware_enhancers import LemmaContextAwareEnhancer
from presidio_analyzer.predefined_recognizers import PhoneRecognizer

from pipeline.errors import ParamsError
from pipeline.spans import Span

WINDOW: Final = 2_000
"""Characters of a long text that are analysed at once: bounds the backtracking of patterns such as Presidio's e-mail."""

MARGIN: Final = 300
"""Characters before and after a window that are seen, so that a find on its edge is whole and has its context words."""

MIN_SCORE_WITH_CONTEXT: Final = LemmaContextAwareEnhancer().min_score_with_context_similarity
CONTEXT_FACTOR: Final = LemmaContextAwareEnhancer().context_similarity_factor
CONTEXT_WORDS: Final = LemmaContextAwareEnhancer().context_prefix_count

SHARED_FLAGS: Final = int(re.IGNORECASE | re.MULTILINE | re.DOTALL | re.VERBOSE)
"""Flags that `re` and `regex` have in common, by name and number."""

WIDEST: Final = 64
"""A pattern with shorter matches, each with a digit in it, is tried only that near to digits."""

AFTER: Final = 64
"""Characters that are seen after the place where such a match must end, for what must or must not follow it."""

SHORTEST_PHONE: Final = 4
"""Digits of the shortest number, with its country code, that phonenumbers calls valid anywhere."""

PHONE_PUNCTUATION: Final = phonenumberutil._VALID_PUNCTUATION  # noqa: SLF001  # no public name

_DIGITS: Final = regex.compile(r"\d+")
_DOT_LETTER: Final = regex.compile(r"\.\p{L}{2}")
_TOO_DOTTED: Final = regex.compile(r"(?:[^\s.]{1,64}\.){64}")


def _may_hold_url(seen: "SeenText") -> bool:
    """Whether a top-level domain may follow a dot; a word of 64 dots is no address, and Presidio's pattern would choke on it."""
    return _DOT_LETTER.search(seen.text) is not None and _TOO_DOTTED.search(seen.text) is None


def _letter_beside_digit(seen: "SeenText") -> bool:
    text = seen.text
    return any((start and text[start - 1].isalpha()) or text[end : end + 1].isalpha() for start, end in seen.runs)


def _before_digits(pattern: str, widest: int, after: str = "") -> "Condition":
    """Whether some digits stand after what matches the one pattern and before what matches the other."""
    left, right = regex.compile(rf"(?:{pattern})\Z"), regex.compile(after)

    def condition(seen: "SeenText") -> bool:
        text = seen.text
        return any(left.search(text, max(0, start - widest), start) and right.match(text, end) for start, end in seen.runs)

    return condition


_short_word_before_digit: Final = _before_digits(r"\p{L}[\s-]\p{L}{1,2}[\s-]", 5)
_letters_around_digits: Final = _before_digits(r"\p{L}{3}[ -]?", 4, r"[ -]?\p{L}")
_two_letters_before_digit: Final = _before_digits(r"\b\p{L}{2} ?", 3)


def _letters_after_digits(seen: "SeenText") -> bool:
    """A digit of an address of Bitcoin is followed by 25 letters and digits."""
    text = seen.text
    return any(end - start > 25 or text[end : end + 1].isalpha() for start, end in seen.runs)  # noqa: PLR2004  # see above


def _number_between_dots(seen: "SeenText") -> bool:
    text = seen.text
    return any(start and text[start - 1] == "." and text[end : end + 1] == "." for start, end in seen.runs)


def _holds(sign: str, count: int, pattern: str) -> "Condition":
    compiled = regex.compile(pattern)
    return lambda seen: seen.text.count(sign) >= count and compiled.search(seen.text) is not None


_colons_apart: Final = _holds(":", 2, r":[0-9A-Fa-f]{0,4}:")
_colons: Final = _holds(":", 5, r":[0-9A-Fa-f]{2}:")
_hyphens: Final = _holds("-", 5, r"-[0-9A-Fa-f]{2}-")

EXTRA_NEEDS: Final[Mapping[tuple[str, str], "Condition"]] = {
    **{
        ("UrlRecognizer", name): _may_hold_url
        for name in ("Standard Url", "Non schema URL", "Quoted URL", "Quoted Non-schema URL")
    },
    **{
        (f"{name}Recognizer", pattern): _letter_beside_digit
        for name, patterns in {
            "CaPostalCode": ("CA Postal Code (strict, with space)", "CA Postal Code (weak, no space)"),
            "DeIdCard": ("Personalausweisnummer nPA (ICAO charset + check digit)", "Personalausweisnummer alt (T + 8 Ziffern)"),
            "DePassport": ("Reisepassnummer (Strict ICAO charset)",),
            "UkPostcode": ("UK Postcode",),
            "UkVehicleRegistration": ("UK Vehicle Registration (current)", "UK Vehicle Registration (prefix)"),
        }.items()
        for pattern in patterns
    },
    # one of its alternatives lacks a bracket and so matches the words "A-Z]]12"
    ("UsLicenseRecognizer", "Driver License - Alphanumeric (weak)"): lambda seen: (
        seen.meets(_letter_beside_digit) or "]" in seen.text
    ),
    ("UkVehicleRegistrationRecognizer", "UK Vehicle Registration (suffix)"): _letters_around_digits,
    ("UkNinoRecognizer", "NINO (medium)"): _two_letters_before_digit,
    ("CryptoRecognizer", "Crypto (Medium)"): _letters_after_digits,
    **{
        ("DeKfzRecognizer", f"KFZ-Kennzeichen ({kind})"): _short_word_before_digit
        for kind in (
            "mit Leerzeichen",
            "mit Bindestrich",
            "Bindestrich + Leerzeichen",
            "ASCII only, mit Leerzeichen",
            "ASCII only, Bindestrich + Leerzeichen",
        )
    },
    **{("IpRecognizer", name): _colons_apart for name in ("IPv4_mapped", "IPv4_embedded", "IPv6", "IPv6_unspecified")},
    ("IpRecognizer", "IPv4"): _number_between_dots,
    ("MacAddressRecognizer", "MAC_COLON_OR_HYPHEN"): lambda seen: _colons(seen) or _hyphens(seen),
    ("MacAddressRecognizer", "MAC_CISCO_DOT"): _holds(".", 2, r"\.[0-9A-Fa-f]{4}\."),
}
"""(recognizer, pattern) -> a necessary condition that one cannot read off the pattern character by character."""


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
class Need:
    """What a text must hold for a pattern to match anywhere in it."""

    digits: int = 0
    signs: frozenset[str] = frozenset()
    """Each is a string of punctuation marks of which one must occur."""

    run: int = 0
    """Digits that must stand side by side."""

    width: int | None = None
    """Characters of the longest match; None: no bound that helps."""

    words: frozenset[str] = frozenset()
    """One of these must occur, in any case; empty: none has to. Speaks of ASCII texts: elsewhere other letters fold to these."""

    only_digits: bool = False
    """Whether the pattern matches nothing but digits, so that its neighbours lengthen the run."""

    def either(self, other: "Need") -> "Need":
        """What two alternatives both need."""
        only_digits = self.only_digits and other.only_digits
        return Need(min(self.digits, other.digits), self.signs & other.signs, min(self.run, other.run), only_digits=only_digits)

    def beside(self, other: "Need") -> "Need":
        """What two need that may look at the same characters."""
        signs = self.signs | other.signs
        return Need(max(self.digits, other.digits), signs, max(self.run, other.run), only_digits=self.only_digits)

    def is_met(self, digits: int, run: int, characters: frozenset[str]) -> bool:
        """Whether a text with that many digits, so many of them in a row, and these characters may hold a match."""
        return digits >= self.digits and run >= self.run and all(not characters.isdisjoint(choice) for choice in self.signs)

    @classmethod
    def of(cls, pattern: str, flags: int) -> "Need":
        """Read it off a regular expression; what `re` cannot parse (only `regex` can) needs nothing."""
        try:
            # `regex` takes (?i) anywhere, `re` only in front, and never \\K; neither matters to what a match must hold
            parsed = sre_parse.parse(pattern.replace("(?i)", "").replace(r"\K", ""), flags & SHARED_FLAGS)
            width = int(parsed.getwidth()[1])
            looks_around = "(?=" in pattern or "(?<=" in pattern or r"\K" in pattern  # and may so find its digits anywhere
            need = replace(cls._of_sequence(parsed), width=None if looks_around or width > WIDEST else width)
            return replace(need, words=_required(parsed))
        except re.error:
            return cls()

    @classmethod
    def _of_sequence(cls, parsed: "Parsed") -> "Need":
        looked_at = cls()
        digits, run, longest, only_digits = 0, 0, 0, True
        signs: frozenset[str] = frozenset()
        for operation, argument in parsed:
            if operation is sre.ASSERT:
                looked_at = looked_at.beside(cls._of_sequence(argument[1]))
            elif operation not in {sre.ASSERT_NOT, sre.AT}:
                node = cls._of_node(operation, argument)
                digits, signs, only_digits = digits + node.digits, signs | node.signs, only_digits and node.only_digits
                run = run + node.digits if node.only_digits else 0
                longest = max(longest, run, node.run)
        return cls(digits, signs, longest, only_digits=only_digits).beside(looked_at)

    @classmethod
    def _of_node(cls, operation: Any, argument: Any) -> "Need":
        need = cls()  # of references, any character: nothing is certain
        if operation is sre.LITERAL:
            need = cls._of_set([(operation, argument)])
        elif operation is sre.IN:
            need = cls._of_set(argument)
        elif operation is sre.BRANCH:
            need = reduce(cls.either, (cls._of_sequence(branch) for branch in argument[1]))
        elif operation in {sre.MAX_REPEAT, sre.MIN_REPEAT, sre.POSSESSIVE_REPEAT}:
            least, _, inner = argument
            once = cls._of_sequence(inner)
            if least or once.only_digits:
                digits = once.digits * least
                run = digits if once.only_digits else once.run
                need = cls(digits, once.signs if least else need.signs, run, only_digits=once.only_digits)
        elif operation in {sre.SUBPATTERN, sre.ATOMIC_GROUP}:
            need = cls._of_sequence(argument[-1] if operation is sre.SUBPATTERN else argument)
        return need

    @classmethod
    def _of_set(cls, members: Sequence[tuple[Any, Any]]) -> "Need":
        if all(member is sre.LITERAL and _is_sign(value) for member, value in members):
            return cls(0, frozenset({"".join(sorted(chr(value) for _, value in members))}))
        is_digit = _only_digits(members)
        return cls(int(is_digit), run=int(is_digit), only_digits=is_digit)


MAX_STRINGS: Final = 256
"""Strings that one looks for at most instead of a pattern."""

GRAM: Final = 3
"""Letters of the shortest string that is worth looking for, and of the pieces by which most are ruled out."""

Parsed = Iterable[tuple[Any, Any]]


def _required(parsed: Parsed) -> frozenset[str]:
    """Strings in lower case of which every match holds one: the longest that can be told; empty where none can."""
    best: frozenset[str] = frozenset()
    run = frozenset({""})

    def weigh(strings: frozenset[str]) -> None:
        nonlocal best
        if _worth(strings) > _worth(best):
            best = strings

    for operation, argument in parsed:
        if operation is sre.ASSERT:
            weigh(_required(argument[1]))
        exact = _exact(operation, argument)
        if exact is not None and len(run) * len(exact) <= MAX_STRINGS:
            run = frozenset(one + other for one in run for other in exact)
            continue
        weigh(run)
        run = exact or frozenset({""})
        if operation is sre.BRANCH:
            branches = [_required(branch) for branch in argument[1]]
            weigh(frozenset().union(*branches) if all(branches) else frozenset())
        elif operation is sre.SUBPATTERN or operation is sre.ATOMIC_GROUP:
            weigh(_required(argument[-1] if operation is sre.SUBPATTERN else argument))
        elif operation in {sre.MAX_REPEAT, sre.MIN_REPEAT, sre.POSSESSIVE_REPEAT} and argument[0]:
            weigh(_required(argument[2]))
    weigh(run)
    return best


def _worth(strings: frozenset[str]) -> tuple[int, int]:
    shortest = min(map(len, strings), default=0)
    return (min(shortest, 2 * GRAM), -len(strings)) if shortest >= GRAM and len(strings) <= MAX_STRINGS else (0, 0)


def _exact(operation: Any, argument: Any) -> frozenset[str] | None:
    """All strings that a node matches in an ASCII text, where they are few; what looks around matches the empty one."""
    strings: frozenset[str] | None = None
    if operation in {sre.AT, sre.ASSERT, sre.ASSERT_NOT}:
        strings = frozenset({""})
    elif operation is sre.LITERAL:
        strings = _ascii([argument])
    elif operation is sre.IN and all(member is sre.LITERAL for member, _ in argument):
        strings = _ascii([value for _, value in argument])
    elif operation is sre.BRANCH:
        branches = [_exact_sequence(branch) for branch in argument[1]]
        strings = None if None in branches else frozenset().union(*(branch or () for branch in branches))
    elif operation in {sre.SUBPATTERN, sre.ATOMIC_GROUP}:
        strings = _exact_sequence(argument[-1] if operation is sre.SUBPATTERN else argument)
    elif operation in {sre.MAX_REPEAT, sre.MIN_REPEAT} and argument[:2] in {(0, 1), (1, 1)}:
        inner = _exact_sequence(argument[2])
        strings = inner if inner is None or argument[0] else inner | {""}
    return strings if strings is not None and len(strings) <= MAX_STRINGS else None


def _ascii(code_points: Iterable[int]) -> frozenset[str]:
    return frozenset(chr(point).lower() for point in code_points if point < 128)  # noqa: PLR2004  # the end of ASCII


def _exact_sequence(parsed: Parsed) -> frozenset[str] | None:
    run = frozenset({""})
    for operation, argument in parsed:
        exact = _exact(operation, argument)
        if exact is None or len(run) * len(exact) > MAX_STRINGS:
            return None
        run = frozenset(one + other for one in run for other in exact)
    return run


def _is_sign(code_point: int) -> bool:
    """Whether it is ASCII punctuation or space: no letter, whose other case would match too."""
    return code_point < 128 and not chr(code_point).isalnum()  # noqa: PLR2004  # the end of ASCII


def _only_digits(members: Sequence[tuple[Any, Any]]) -> bool:
    for operation, argument in members:
        if operation is sre.LITERAL and chr(argument).isdecimal():
            continue
        if operation is sre.RANGE and all(chr(end).isdecimal() for end in argument):
            continue
        if operation is sre.CATEGORY and argument is sre.CATEGORY_DIGIT:
            continue
        return False
    return True


class SeenText:
    """A text and the words in it, which are only looked up when somebody asks."""

    def __init__(self, text: str, tokenizer: Any, sought: "_Sought") -> None:
        self.text: str = text
        self._tokenizer = tokenizer
        self._sought = sought
        self.runs = [match.span() for match in _DIGITS.finditer(text)]
        self._near: dict[int, list[tuple[int, int]]] = {}
        self._met: dict[Condition, bool] = {}

    def meets(self, condition: "Condition") -> bool:
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


Find = tuple[int, int, str, float]
"""Start, end, entity type, score before context."""

Finder = Callable[["SeenText"], list[Find]]


Condition = Callable[[SeenText], bool]
"""Must hold for a pattern to match anywhere in the text; may look at its digits."""


class _Sought:
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
        self._guarded = [_Guarded(recognizer, _finders(recognizer)) for recognizer in recognizers]
        needs = [need for guarded in self._guarded for need, _ in guarded.finders]
        self._most_digits = max((need.digits for need in needs), default=0)
        self._signs = frozenset(sign for need in needs for choice in need.signs for sign in choice)
        self._sought = _Sought(need.words for need in needs if need.words)
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


def _finders(recognizer: EntityRecognizer) -> list[tuple[Need, Finder]]:
    if isinstance(recognizer, PatternRecognizer):
        flags = int(recognizer.global_regex_flags or 0)
        patterns: list[Pattern] = recognizer.patterns  # type: ignore[has-type]  # untyped there
        needs = [Need.of(pattern.regex, flags) for pattern in patterns]
        if type(recognizer).analyze is PatternRecognizer.analyze:
            return [
                (need, _pattern_finder(recognizer, pattern, need, flags, _condition(recognizer, pattern)))
                for need, pattern in zip(needs, patterns, strict=True)
            ]
        return [(reduce(Need.either, needs), partial(_ask, recognizer))]
    if isinstance(recognizer, PhoneRecognizer):
        return _phone_finders(recognizer)
    if (may_find := getattr(recognizer, "may_find", None)) is not None:
        return [(Need(), lambda text: _ask(recognizer, text) if may_find(text.text) else [])]
    return [(Need(), partial(_ask, recognizer))]


def _condition(recognizer: PatternRecognizer, pattern: Pattern) -> Condition | None:
    """Ours come with their own, by name of the pattern."""
    own: Mapping[str, Condition] = getattr(recognizer, "conditions", {})
    return own.get(str(pattern.name)) or EXTRA_NEEDS.get((type(recognizer).__name__, str(pattern.name)))


def _ask(recognizer: EntityRecognizer, text: SeenText) -> list[Find]:
    no_artifacts: Any = None  # recognizers that read patterns take None, whatever their annotation says
    results: list[RecognizerResult] = recognizer.analyze(text.text, recognizer.supported_entities, no_artifacts) or []
    return [(result.start, result.end, result.entity_type, result.score) for result in results]


def _phone_finders(recognizer: PhoneRecognizer) -> list[tuple[Need, Finder]]:
    """PhoneRecognizer one region at a time, each where digits stand close enough for the region's shortest number."""
    return [
        (Need(digits=SHORTEST_PHONE), _phone_finder(recognizer, region, _shortest_number(region)))
        for region in recognizer.supported_regions
    ]


def _shortest_number(region: str) -> int:
    metadata = PhoneMetadata.metadata_for_region(region)
    plan = metadata.general_desc if metadata is not None else None
    if metadata is None or plan is None:
        return SHORTEST_PHONE
    # where a rule completes numbers dialled without their area code, those count too
    local = plan.possible_length_local_only if metadata.national_prefix_transform_rule else ()
    return max(SHORTEST_PHONE, min((*plan.possible_length, *local)))


def _phone_finder(recognizer: PhoneRecognizer, region: str, shortest: int) -> Finder:
    domestic, foreign = (
        regex.compile(rf"\d(?:[{PHONE_PUNCTUATION}]{{0,8}}\d){{{digits - 1}}}") for digits in (shortest, SHORTEST_PHONE)
    )
    one = PhoneRecognizer(recognizer.context, supported_regions=(region,), leniency=recognizer.leniency)
    one.supported_entities = recognizer.supported_entities

    def find(text: SeenText) -> list[Find]:
        near = foreign if "+" in text.text or "\uff0b" in text.text else domestic
        return _ask(one, text) if near.search(text.text) else []

    return find


def _pattern_finder(
    recognizer: PatternRecognizer, pattern: Pattern, need: Need, flags: int, may_match: Condition | None
) -> Finder:
    """One pattern of PatternRecognizer.analyze, without the explanations, and only near digits where that is enough."""
    compiled = cache(lambda: regex.compile(pattern.regex, flags=flags))  # a night's few texts come near few of 277
    entity_type = recognizer.supported_entities[0]
    width = (
        next((rounded for rounded in (16, WIDEST) if need.width is not None and need.width <= rounded), 0) if need.digits else 0
    )

    def matches(text: SeenText) -> Iterator[tuple[int, int, float]]:
        stretches = text.near_digits(width) if width else [(0, len(text.text))]
        for start, end in stretches:
            for match in compiled().finditer(text.text, start, min(len(text.text), end + AFTER)):
                if width and match.start() >= end:
                    break  # belongs to the next stretch, which sees all of what follows it
                if (value := match.group()) and (score := scored(value)):
                    yield *match.span(), score

    def scored(value: str) -> float:
        valid = recognizer.validate_result(value)
        score = pattern.score if valid is None else EntityRecognizer.MAX_SCORE if valid else EntityRecognizer.MIN_SCORE
        return 0.0 if score and recognizer.invalidate_result(value) else float(score)

    def find(text: SeenText) -> list[Find]:
        if may_match is not None and not text.meets(may_match):
            return []
        return [(start, end, entity_type, score) for start, end, score in matches(text)]

    return find
