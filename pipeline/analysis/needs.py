"""What a text must hold for a pattern to match anywhere in it: digits, punctuation, words, read off the pattern itself."""

import re
import re._constants as sre  # type: ignore[import-not-found]  # the standard library's own parser, without stubs
import re._parser as sre_parse  # type: ignore[import-not-found]  # likewise
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from functools import reduce
from typing import Any, Final

SHARED_FLAGS: Final = int(re.IGNORECASE | re.MULTILINE | re.DOTALL | re.VERBOSE)
"""Flags that `re` and `regex` have in common, by name and number."""

WIDEST: Final = 64
"""A pattern with shorter matches, each with a digit in it, is tried only that near to digits."""

MAX_STRINGS: Final = 256
"""Strings that one looks for at most instead of a pattern."""

GRAM: Final = 3
"""Letters of the shortest string that is worth looking for, and of the pieces by which most are ruled out."""

Parsed = Iterable[tuple[Any, Any]]


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
    def _of_sequence(cls, parsed: Parsed) -> "Need":
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
