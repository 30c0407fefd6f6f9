"""A text under construction: pieces in order, each with the label of the personal detail it is, or none.

Labels are fixed to pieces, not to offsets, so a piece may be swapped, misspelt or re-cased and its span stays exact.
"""

from __future__ import annotations

from typing import NamedTuple

PERSON = "PERSON"
LOCATION = "LOCATION"
STREET_ADDRESS = "STREET_ADDRESS"
ORGANIZATION = "ORGANIZATION"
LABELS = (PERSON, LOCATION, STREET_ADDRESS, ORGANIZATION)

UNSCORED = "UNSCORED"
"""Neither a name nor its absence (`jdoe77`, an e-mail address): the loss skips these characters."""


class Piece(NamedTuple):
    """Characters, and what kind of personal detail they are."""

    text: str
    label: str | None = None


class Example(NamedTuple):
    """A finished text and where its personal details stand."""

    text: str
    spans: list[tuple[int, int, str]]
    """[start, end) in characters and the label, in order, without overlap."""


def join(pieces: list[Piece]) -> Example:
    """Lay the pieces end to end; blanks at the rim of a labelled piece are left out of its span."""
    text = ""
    spans: list[tuple[int, int, str]] = []
    for piece in pieces:
        if piece.label is not None and piece.text.strip():
            start = len(text) + len(piece.text) - len(piece.text.lstrip())
            spans.append((start, start + len(piece.text.strip()), piece.label))
        text += piece.text
    return Example(text, spans)
