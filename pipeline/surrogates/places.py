"""Places and street addresses."""

from collections.abc import Iterator
from functools import partial
from typing import Final

from pipeline.replacing.atoms import Atom, Piece
from pipeline.replacing.invented import FAMILY_STARTS, invented, listed
from pipeline.replacing.pieces import words

_PLACE_ENDS = listed("ville burg bury ford haven port field mouth dale ton stead minster bridge cliff grove hurst wick")

place = invented(FAMILY_STARTS, _PLACE_ENDS)

KEPT_WORDS: Final = frozenset(
    listed(
        "street st road rd avenue ave lane ln drive dr court ct boulevard blvd way place pl square sq terrace close "
        "crescent parkway pkwy highway hwy apt apartment suite ste unit floor flat no number po box p o building bldg "
        "north south east west n s e w the of and new san santa saint los las el la de strasse straße str platz weg gasse "
        "allee rue via calle plaza city county state republic united"
    )
)


def apart(value: str) -> Iterator[Piece]:
    """The pieces of a place or an address."""
    return words(value, KEPT_WORDS, partial(Atom, "place"))
