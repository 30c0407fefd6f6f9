r"""Keyed stand-ins for personal details: the same value, the same stand-in, in every turn, conversation and run.

A detail is taken apart into atoms: the words of a name, the digits of a number, the labels of a domain. Each atom is
replaced by a draw from a large space that is its own kind's (the shelf `pipeline/surrogates`), under the project key, so
that the first name, the full name and the e-mail address of one person agree with each other without any stored map.

How two promises about the whole corpus are kept without holding it in memory:

- *No stand-in equals a real value of the corpus, and two values never share one.* Names, domains, ids and numbers are drawn
  from spaces of millions and more; cards, phones, addresses of computers from ranges nobody is given. What chance still
  brings about is found by comparing keyed hashes: see `pipeline.replacing.settling`.
- *A part is reused as long as its own draws stay the same*: its input digest holds the draws of its atoms that were
  moved, and nothing else of the corpus.

Exempt, because their spaces are too small or their meaning is kept: dates (shifted by whole weeks per customer, which
keeps intervals and weekdays), numbers of fewer than four digits and single letters (which change places in a keyed
circle), and words that name no person (street types, legal forms, particles).

A lost key cannot be replaced: under another key every stand-in is another.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from typing import Final
from urllib.parse import quote, unquote

from pipeline.key import Key
from pipeline.replacing.atoms import Atom, Dice, Form, Piece, Slot
from pipeline.replacing.looks import dress
from pipeline.replacing.pieces import code
from pipeline.surrogates import AS_FOUND, FORMS, KINDS, READS_AS
from pipeline.surrogates.phones import telephone

DRAWS: Final = 64
"""Draws before a space counts as full; later draws are one digit or syllable longer."""

_ESCAPED: Final = re.compile(r"%[0-9A-Fa-f]{2}")

_LETTERS: Final = "abcdefghijklmnopqrstuvwxyz"


class Surrogates:
    """Stand-ins under one project key."""

    def __init__(self, key: Key, moved: Mapping[str, int] | None = None, countries: Sequence[str] = ()) -> None:
        """Use the first draw of every atom but those in `moved` (seed -> number of the draw).

        A telephone number without a country code belongs to the first of `countries` where it may exist.
        """
        self._key = key
        self._moved = moved or {}
        self._countries = countries
        self._forms: dict[tuple[str, str], list[Piece]] = {}
        self._drawn: dict[Atom, str] = {}
        self._nth: dict[tuple[Atom, int], str] = {}
        self._circles: dict[tuple[str, int], Mapping[str, str]] = {}

    def apart(self, entity_type: str, value: str) -> list[Piece]:
        """The pieces of a detail."""
        known = self._forms.get((entity_type, value))
        if known is None:
            known = self._forms[entity_type, value] = [piece for piece in self._pieces(entity_type, value) if piece != ""]
        return known

    def _pieces(self, entity_type: str, value: str) -> Iterator[Piece]:
        if entity_type != "URL" and _ESCAPED.search(value):  # in a web address; escaped, it is the same value
            for piece in self._pieces(entity_type, unquote(value, errors="replace")):
                yield quote(piece) if isinstance(piece, str) else piece
            return
        form, position = self._form(entity_type), 0
        if entity_type not in AS_FOUND:
            for match in READS_AS.finditer(value):
                yield from form(value[position : match.start()])
                yield from self._form(match.lastgroup or entity_type)(match.group())
                position = match.end()
        if position < len(value):
            yield from form(value[position:])

    def _form(self, entity_type: str) -> Form:
        return partial(telephone, countries=self._countries) if entity_type == "PHONE_NUMBER" else FORMS.get(entity_type, code)

    def atoms(self, entity_type: str, value: str) -> Iterator[Atom]:
        """The atoms of a detail that must have stand-ins of their own."""
        for piece in self.apart(entity_type, value):
            if isinstance(piece, Slot) and piece.atom.kind in KINDS:
                yield piece.atom

    def replace(self, entity_type: str, value: str) -> str:
        """The stand-in of a detail, in its own look."""
        return "".join(
            dress(self.drawn(piece.atom), piece.original) if isinstance(piece, Slot) else piece
            for piece in self.apart(entity_type, value)
        )

    def drawn(self, atom: Atom) -> str:
        """The stand-in of an atom, normalised."""
        standin = self._drawn.get(atom)
        if standin is None:
            if atom.kind in KINDS:
                seed = self.seed(atom)
                standin = draw(atom.kind, atom.shape, seed, self._moved.get(seed, 0))
            else:
                circle = self._circle(atom.kind, len(atom.value))
                standin = circle.get(atom.value) or min(circle.values())
            self._drawn[atom] = standin
        return standin

    def _circle(self, kind: str, length: int) -> Mapping[str, str]:
        """A keyed circle through a whole small space: everybody's stand-in is the next, never oneself, never one for two."""
        circle = self._circles.get((kind, length))
        if circle is None:
            space = list(_LETTERS) if kind == "letter" else [f"{number:0{length}d}" for number in range(10**length)]
            dice = Dice(self.seed(Atom(kind, str(length))), 0)
            for last in range(len(space) - 1, 0, -1):  # Fisher and Yates
                other = dice.below(last + 1)
                space[last], space[other] = space[other], space[last]
            circle = self._circles[kind, length] = dict(zip(space, [*space[1:], space[0]], strict=True))
        return circle

    def nth(self, atom: Atom, number: int) -> str:
        """A draw of an atom by its number."""
        known = self._nth.get((atom, number))
        if known is None:
            known = self._nth[atom, number] = draw(atom.kind, atom.shape, self.seed(atom), number)
        return known

    def seed(self, atom: Atom) -> str:
        """24 hexadecimal digits (96 bits) that decide all draws of an atom, and who keeps a draw that two want."""
        return self._key.digest(f"surrogate {atom.kind} {atom.shape}", atom.value).hex()[:24]

    def value_hash(self, value: str) -> int:
        """64 bits that name a normalised value of any kind without giving it away."""
        return int.from_bytes(self._key.digest("value", value)[:8], "big")

    def days_for(self, customer: str, max_weeks: int) -> int:
        """By how many days this customer's dates are shifted: whole weeks, never none."""
        weeks = 1 + int.from_bytes(self._key.digest("date shift", customer)[:8], "big") % (2 * max_weeks)
        return 7 * (weeks if weeks <= max_weeks else max_weeks - weeks)


def draw(kind: str, shape: str, seed: str, number: int) -> str:
    """One draw of an atom: a function of its seed, so that whoever holds the seed needs neither key nor value."""
    return KINDS[kind](shape, Dice(seed, number), max(0, number // DRAWS))
