"""Names of people: first name, full name and the parts of both have stand-ins that agree."""

from collections.abc import Iterator
from typing import Final

from pipeline.replacing.atoms import Piece
from pipeline.replacing.invented import invented, listed
from pipeline.replacing.name_lists import name_kind
from pipeline.replacing.pieces import words

_STARTS = listed(
    "ad al an ar bel ben bran bri cal car cel cor dal dar del dor ed el em er fal fen fin gal gar hal har hel is jan "
    "jas jor jul kal kar kel lar len lor mal mar mel mir nal nor or pal per ral ros sal sel tal ter val vel wil yal "
    "zel"
)

_FEMALE = listed("la na ra lia nia ria line lyn dra tha lena rina mina ssa tta da belle nora sia vina wyn ya nda lora")

_MALE = listed("ton den rick mond win bert ric lan fred mar son rin vin len dor bin gar mon ras tan vick wan lock nard")

female = invented(_STARTS, _FEMALE)
male = invented(_STARTS, _MALE)

KEPT_WORDS: Final = frozenset(
    listed(
        "mr mrs ms miss mx dr prof sir madam herr frau mme mlle sr sra srta von van der den de del della di da la le du "
        "dos das bin al el ibn ter ten zu zum jr sr ii iii iv phd md and und et y e of the c/o"
    )
)
"""Titles, particles and suffixes: they name nobody."""


def person(value: str) -> Iterator[Piece]:
    """The pieces of a name."""
    return words(value, KEPT_WORDS, name_kind)
