"""What counts as a word, in every script: one class and one folded form per code point.

Compared are words, so letter case, width, punctuation and spaces make no difference. Where a script writes no spaces,
every character is a word; an emoji is one too. Both kernels of `pipeline.similarity.minhash` read these tables, and so agree.
"""

import unicodedata
from dataclasses import dataclass
from functools import cache
from typing import Any, Final

import numpy as np

SEPARATOR: Final = 0
LETTER: Final = 1
SINGLE: Final = 2
"""A word by itself: a character of a script without spaces, or a symbol such as an emoji."""
MARK: Final = 3
"""Belongs to the character before it."""
IGNORED: Final = 4
"""Not there at all: joiners, soft hyphens, apostrophes, so that "don't" and "dont" are one word."""
DIGIT: Final = 5

KNOWN: Final = 0x32400
"""Code points from here on are separators: unassigned, private, or tags. (Unicode 16 ends its ideographs at 323AF.)"""

WITHOUT_SPACES: Final = (
    (0x0E00, 0x0EFF),  # Thai, Lao
    (0x0F00, 0x0FFF),  # Tibetan
    (0x1000, 0x109F),  # Myanmar
    (0x1780, 0x17FF),  # Khmer
    (0x19E0, 0x19FF),
    (0x1A20, 0x1AAF),  # Tai Tham
    (0x2E80, 0x2FDF),  # radicals
    (0x3005, 0x3007),
    (0x3021, 0x3029),
    (0x3031, 0x30FF),  # Hiragana, Katakana
    (0x3105, 0x312F),  # Bopomofo
    (0x31A0, 0x31FF),
    (0xA9E0, 0xA9FF),
    (0xAA60, 0xAADF),
    (0xF900, 0xFAFF),
    (0xFF66, 0xFF9D),  # half-width Katakana
    (0x1AFF0, 0x1B2FF),
)
IDEOGRAPHS: Final = ((0x3400, 0x4DBF), (0x4E00, 0x9FFF), (0x20000, 0x323AF))
"""Of the same kind, and filled as ranges because nothing differs within them. Source: Unicode blocks, Scripts.txt."""

HANGUL: Final = (0xAC00, 0xD7A3)
"""Syllables, letters every one: Korean writes spaces."""

APOSTROPHES: Final = "'\u2019\u2018`\u00b4\u02bc"


@dataclass(frozen=True)
class Alphabet:
    """Two tables over the code points below KNOWN."""

    classes: "np.ndarray[Any, np.dtype[np.uint8]]"
    folded: "np.ndarray[Any, np.dtype[np.uint32]]"
    """Lower case and compatibility form, where that is one code point."""


@cache
def alphabet() -> Alphabet:
    """The tables; their content depends on `unicodedata.unidata_version` alone."""
    classes = np.zeros(KNOWN, np.uint8)
    folded = np.arange(KNOWN, dtype=np.uint32)
    uniform = [*IDEOGRAPHS, HANGUL]
    for first, last in IDEOGRAPHS:
        classes[first : last + 1] = SINGLE
    classes[HANGUL[0] : HANGUL[1] + 1] = LETTER
    for code in _outside(uniform):
        character = chr(code)
        classes[code] = _class_of(character)
        folded[code] = _fold(character)
    for first, last in WITHOUT_SPACES:
        span = classes[first : last + 1]
        span[span == LETTER] = SINGLE
    for character in APOSTROPHES:
        classes[ord(character)] = IGNORED
    return Alphabet(classes, folded)


def _outside(ranges: list[tuple[int, int]]) -> list[int]:
    inside = {code for first, last in ranges for code in range(first, last + 1)}
    surrogates_and_private = range(0xD7FC, 0xF900)
    skipped = inside | set(surrogates_and_private)
    return [code for code in range(KNOWN) if code not in skipped]


def _class_of(character: str) -> int:
    category = unicodedata.category(character)
    if category == "Nd":
        return DIGIT
    if category[0] in "LN":
        return LETTER
    if category[0] == "M":
        return IGNORED if "\ufe00" <= character <= "\ufe0f" else MARK  # variation selectors: the same emoji
    if category == "So":
        return SINGLE
    return IGNORED if category == "Cf" else SEPARATOR


def _fold(character: str) -> int:
    for form in (unicodedata.normalize("NFKC", character).casefold(), character.casefold()):
        if len(form) == 1:
            return ord(form)
    return ord(character)
