"""The smallest things that get stand-ins, what makes two of them the same value, and keyed randomness to draw from."""

import re
import unicodedata
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from typing import Final

from pipeline.replacing.number_signs import PHONE_DIGITS, harmless


class Dice:
    """Endless keyed randomness for one draw of one atom."""

    def __init__(self, seed: str, draw: int) -> None:
        """Start at the beginning; the same seed and draw give the same numbers."""
        self._seed = f"{seed}:{draw}".encode()
        self._block = 0
        self._left = 0

    def below(self, limit: int) -> int:
        """A number from 0 to limit - 1; `limit` is far below 2**32, so that the bias does not show."""
        if self._left < limit << 32:
            block = blake2b(self._seed + self._block.to_bytes(4, "big"), digest_size=32).digest()
            self._left = int.from_bytes(block, "big")
            self._block += 1
        self._left, number = divmod(self._left, limit)
        return number

    def pick(self, choices: Sequence[str]) -> str:
        """One of these."""
        return choices[self.below(len(choices))]


@dataclass(frozen=True)
class Atom:
    """The smallest thing that gets a stand-in."""

    kind: str
    """Which space it is drawn from: a key of `KINDS`."""

    value: str
    """Normalised: what makes two spellings the same value."""

    shape: str = ""
    """What the draw must look like, such as "@@###"; the stand-in depends on it too."""


@dataclass(frozen=True)
class Slot:
    """A place in a detail where a stand-in goes: the atom, and the text whose look the stand-in takes on."""

    atom: Atom
    original: str


Piece = Slot | str
"""A stand-in's place, or text that stays."""

Draw = Callable[[str, Dice, int], str]
"""Shape, dice, how much longer than the shape (0 until the space is full) -> a stand-in, normalised as values are."""

Form = Callable[[str], Iterator[Piece]]
"""Takes a detail apart."""

SHAPE: Final = "shape"
"""The kind of what is drawn sign for sign, such as an order number."""

_SIGNS: Final = {
    "#": "0123456789",
    "@": "abcdefghijklmnopqrstuvwxyz",
    "%": "0123456789abcdef",
}
"""What a sign of a shape may become; every other sign stands for itself."""


_ROW: Final = re.compile(r"[#%\d]+")


def shaped(shape: str, dice: Dice, longer: int) -> str:
    """Digits for #, letters for @, hexadecimal digits for %; every other sign stands for itself.

    No row of its digits passes for a card number, and in none of up to 18 stands a telephone number of North America.
    """
    shape += "#" * longer
    if not any(len(row) >= PHONE_DIGITS for row in _ROW.findall(shape)):
        return "".join(dice.pick(_SIGNS[sign]) if sign in _SIGNS else sign for sign in shape)
    drawn = ""
    for place, sign in enumerate(shape):
        row = _ROW.match(shape, place)
        choices = harmless(_SIGNS[sign], drawn, row.end() - place - 1 if row else 0) if sign in _SIGNS else sign
        drawn += dice.pick(choices)
    return drawn


def normal_word(word: str) -> str:
    """A word as a value: compatibility forms, case, accents and apostrophes do not tell two people apart."""
    plain = unicodedata.normalize("NFKD", word.casefold())
    return "".join(sign for sign in plain if sign.isalnum())


def normal_code(code: str) -> str:
    """A number or code as a value: separators and case do not matter."""
    signs = unicodedata.normalize("NFKC", code).casefold()
    return "".join(str(unicodedata.decimal(sign, sign)) for sign in signs if sign.isalnum())
