"""User names, and what stands before the @ of an address."""

import re
from collections.abc import Iterator
from typing import Final

from pipeline.replacing.atoms import Atom, Piece, Slot, normal_word
from pipeline.replacing.name_lists import family_names, given_names, name_atom
from pipeline.replacing.pieces import code

NUMBER_OR_LETTERS: Final = re.compile(r"\d+|[^\W\d_]+")


def handle(value: str) -> Iterator[Piece]:
    """User names and local parts: words that are names agree with the person's, glued or not (johnsmith, jsmith)."""
    position = 0
    for match in NUMBER_OR_LETTERS.finditer(value):
        yield value[position : match.start()]
        text = match.group()
        if text[0].isdecimal():
            yield from code(text)
        else:
            for part in _unglue(text):
                word = normal_word(part)
                yield Slot(name_atom(word) if len(word) > 1 else Atom("letter", word), part) if word else part
        position = match.end()
    yield value[position:]


def _unglue(text: str) -> tuple[str, ...]:
    word = text.casefold()
    if len(word) != len(text) or word in given_names() or word in family_names():
        return (text,)
    for end in range(len(word) - 3, 2, -1):
        if word[:end] in given_names() and word[end:] in family_names():
            return text[:end], text[end:]
    if len(word) > 4 and word[1:] in family_names():  # noqa: PLR2004  # an initial and at least four letters
        return text[0], text[1:]
    return (text,)
