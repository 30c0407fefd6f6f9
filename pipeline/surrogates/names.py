"""Names of people: first name, full name and the parts of both have stand-ins that agree."""

import re
from collections.abc import Iterator
from functools import cache
from typing import Final

from pipeline.replacing.atoms import Dice, Draw, Piece
from pipeline.replacing.invented import family, invented, listed
from pipeline.replacing.name_lists import family_names, given_names, listed_names, name_atom
from pipeline.replacing.pieces import words

_STARTS = listed(
    "ad al an ar bel ben bran bri cal car cel cor dal dar del dor ed el em er fal fen fin gal gar hal har hel is jan "
    "jas jor jul kal kar kel lar len lor mal mar mel mir nal nor or pal per ral ros sal sel tal ter val vel wil yal "
    "zel"
)

_FEMALE = listed("la na ra lia nia ria line lyn dra tha lena rina mina ssa tta da belle nora sia vina wyn ya nda lora")

_MALE = listed("ton den rick mond win bert ric lan fred mar son rin vin len dor bin gar mon ras tan vick wan lock nard")

_AROUND = {"female": invented(_STARTS, _FEMALE), "male": invented(_STARTS, _MALE), "family": family}
"""For names on no list, and for those that stand on the list of a locale whose space is full."""


def like(kind: str) -> Draw:
    """A draw of names that look like those of a locale and gender, and that nobody on any list bears.

    The beginning of one listed name and the end of another, cut before a vowel: between 3,500 (Turkish family names) and
    890,000 names per list, of which the names on it take one each.
    """

    def draw(locale: str, dice: Dice, longer: int) -> str:
        if not locale or longer:
            return _AROUND[kind]("", dice, max(0, longer - 1) if locale else longer)
        starts, ends = _halves(locale, kind)
        for _ in range(TRIES):
            name = dice.pick(starts) + dice.pick(ends)
            if len(name) in LENGTHS and name not in given_names() and name not in family_names():
                return name
        return _AROUND[kind]("", dice, 0)

    return draw


LENGTHS: Final = range(5, 11)
"""Letters of a name."""

TRIES: Final = 20
"""Of a thousand names that are put together, fewer than a hundred are too long, too short, or somebody's."""


@cache
def _halves(locale: str, kind: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
    starts, ends = set(), set()
    for name in listed_names(locale, kind):
        for cut in _BEFORE_VOWEL.finditer(name):
            start, end = name[: cut.start()], name[cut.start() :]
            starts |= {start} if 1 < len(start) < 7 and start.isascii() else set()  # noqa: PLR2004  # of at most six letters
            ends |= {end} if 1 < len(end) < 6 and end.isascii() else set()  # noqa: PLR2004  # of at most five
    return tuple(sorted(starts)), tuple(sorted(ends))


_BEFORE_VOWEL: Final = re.compile(r"(?<=[^aeiouy])(?=[aeiouy])")

KEPT_WORDS: Final = frozenset(
    listed(
        "mr mrs ms miss mx dr prof sir madam herr frau mme mlle sr sra srta von van der den de del della di da la le du "
        "dos das bin al el ibn ter ten zu zum jr sr ii iii iv phd md and und et y e of the c/o"
    )
)
"""Titles, particles and suffixes: they name nobody."""


def person(value: str) -> Iterator[Piece]:
    """The pieces of a name."""
    return words(value, KEPT_WORDS, name_atom)
