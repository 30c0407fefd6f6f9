"""Text taken apart by words and numbers, for details of every kind."""

import re
from collections.abc import Callable, Iterator
from functools import partial
from typing import Final

from pipeline.replacing.atoms import SHAPE, Atom, Form, Piece, Slot, normal_code, normal_word

SHORT: Final = 4
"""Numbers with fewer digits have too few neighbours to be told from real ones."""

WORD_OR_NUMBER: Final = re.compile(r"\w*\d\w*|[^\W\d_]+(?:['\u2019][^\W\d_]+)*")


def words(value: str, kept: frozenset[str], atom: Callable[[str], Atom]) -> Iterator[Piece]:
    """Word by word, but for those that are `kept`; `atom` says what a word is."""
    position = 0
    for match in WORD_OR_NUMBER.finditer(value):
        yield value[position : match.start()]
        text, suffix = match.group(), ""
        if text.casefold().endswith(("'s", "\u2019s")):
            text, suffix = text[:-2], text[-2:]
        if any(sign.isdecimal() for sign in text):
            yield from code(text)
        elif text.casefold() in kept:
            yield text
        else:
            word = normal_word(text)
            yield Slot(atom(word) if len(word) > 1 else Atom("letter", word), text) if word else text
        yield suffix
        position = match.end()
    yield value[position:]


def code(value: str) -> Iterator[Piece]:
    """Numbers and codes of any shape; short numbers have a space of their own."""
    plain = normal_code(value)
    if plain.isdecimal() and len(plain) < SHORT:
        yield Slot(Atom("short", plain), value) if plain else value
    elif any(sign.isdecimal() for sign in plain):
        yield Slot(Atom(SHAPE, plain, "".join("#" if sign.isdecimal() else "@" for sign in plain)), value)
    else:
        yield from words(value, frozenset(), partial(Atom, "family"))


def whole(kind: str, shape: Callable[[str], str], is_one: Callable[[str], bool] = bool) -> Form:
    """The whole detail as one atom of a kind, in the shape of its code; what only bears the kind's name is a code like others."""

    def apart(value: str) -> Iterator[Piece]:
        plain = normal_code(value)
        if is_one(plain):
            yield Slot(Atom(kind, plain, shape(plain)), value)
        else:
            yield from code(value)

    return apart
