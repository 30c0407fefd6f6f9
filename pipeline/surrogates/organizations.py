"""Companies and other bodies: their own words are replaced, what kind of body they are stays."""

from collections.abc import Iterator
from functools import partial
from typing import Final

from pipeline.replacing.atoms import Atom, Piece
from pipeline.replacing.invented import listed
from pipeline.replacing.pieces import words

KEPT_WORDS: Final = frozenset(
    listed(
        "inc incorporated llc ltd limited corp corporation co company gmbh ag kg se plc sa sas spa srl bv nv ab oy as pty "
        "group holding holdings bank insurance university college school hospital clinic hotel restaurant the of and for "
        "& und et international national services service solutions systems technologies technology partners associates"
    )
)


def apart(value: str) -> Iterator[Piece]:
    """The pieces of the name of an organisation."""
    return words(value, KEPT_WORDS, partial(Atom, "family"))
