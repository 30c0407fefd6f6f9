"""How people really type: no capitals, all capitals, slips of the finger, no punctuation."""

from __future__ import annotations

import random
import re
from collections.abc import Callable
from typing import Final

from pieces import Piece

KEYS: Final = "qwertyuiop asdfghjkl zxcvbnm"
SHORTEST_SLIP: Final = 4
"""Letters a piece must have before one of them is typed wrong."""
SLIP_IN_NAME, SLIP_IN_TEXT = 0.06, 0.1
CASED_SENTENCES: Final = 0.65


def _lose(text: str, i: int) -> str:
    return text[:i] + text[i + 1 :]


def _double(text: str, i: int) -> str:
    return text[:i] + text[i] + text[i:]


def _swap(text: str, i: int) -> str:
    return text[:i] + text[i + 1 : i + 2] + text[i] + text[i + 2 :]


def _hit_next_key(text: str, i: int) -> str:
    beside = KEYS[KEYS.find(text[i].lower()) + 1 :][:1] if text[i].lower() in KEYS else ""
    return text[:i] + (beside.strip() or text[i]) + text[i + 1 :]


def slip(text: str, rng: random.Random) -> str:
    """One slip: a letter lost, doubled, swapped with its neighbour or replaced by the key beside it; never the first."""
    letters = [i for i, c in enumerate(text) if c.isalpha()]
    if len(letters) < SHORTEST_SLIP:
        return text
    return rng.choice((_lose, _double, _swap, _hit_next_key))(text, rng.choice(letters[1:]))


def misspell(pieces: list[Piece], rng: random.Random) -> list[Piece]:
    """Slips in some pieces, fewer in names."""
    return [
        Piece(slip(p.text, rng), p.label) if rng.random() < (SLIP_IN_NAME if p.label else SLIP_IN_TEXT) else p for p in pieces
    ]


def _in_case(change: Callable[[str], str], piece: Piece) -> Piece:
    changed = change(piece.text)
    return Piece(changed, piece.label) if len(changed) == len(piece.text) else piece  # `İ` grows when lowered


def _as_written(piece: Piece) -> Piece:
    return piece


def _lower(piece: Piece) -> Piece:
    return _in_case(str.lower, piece)


def _bare(piece: Piece) -> Piece:
    return Piece(re.sub(r"[.,']" if piece.label else r"[.,!?;:'\"]", "", piece.text.lower()), piece.label)


def _upper(piece: Piece) -> Piece:
    return _in_case(str.upper, piece)


def _title(piece: Piece) -> Piece:
    return _in_case(str.title, piece)


def _lower_names(piece: Piece) -> Piece:
    return _lower(piece) if piece.label else piece


def _upper_names(piece: Piece) -> Piece:
    return _upper(piece) if piece.label else piece


def tokenise(pieces: list[Piece]) -> list[Piece]:
    """Blanks around punctuation, `don 't`, `&amp;`: text that went through another tool before."""
    spaced = [Piece(re.sub(r"(?<=\w)([.,!?;:)]|'\w+)(?=\s|$)", r" \1", p.text), p.label) for p in pieces]
    return [Piece(p.text.replace("&", "&amp;").replace("<", "&lt;"), p.label) for p in spaced]


CASES: Final = {_as_written: 44, _lower: 32, _bare: 10, _upper: 5, _title: 2, _lower_names: 4, _upper_names: 3}
"""How a text is typed, of a hundred."""


def recase(pieces: list[Piece], rng: random.Random) -> list[Piece]:
    """One of CASES for the whole text."""
    change = rng.choices(list(CASES), list(CASES.values()))[0]
    return [change(piece) for piece in pieces]


def sentence_case(pieces: list[Piece], rng: random.Random) -> list[Piece]:
    """Often, capitalise the first letter and the word I in a template written in lower case."""
    if rng.random() > CASED_SENTENCES:
        return pieces
    cased = [p if p.label else Piece(re.sub(r"\bi(?=\b|'[mdlv])", "I", p.text)) for p in pieces]
    if cased and not cased[0].label:
        cased[0] = Piece(cased[0].text[:1].upper() + cased[0].text[1:])
    return cased
