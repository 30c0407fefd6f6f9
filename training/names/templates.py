"""Template files into pieces: `[a|b]` picks one, `{slot}` is filled by `values.Values` or by a shelf of its own."""

from __future__ import annotations

import random
import re
from pathlib import Path
from typing import Final

from pieces import Piece
from values import Values

TEMPLATES: Final = Path(__file__).parent / "templates"
GAPS: Final = ("\n", "\n", "\n", "\n\n", ",\n", "\n  ", "\n    ", " \n", "\r\n")
"""What stands between the lines of an address, tidy or not."""


IN_CAPITALS: Final = 0.1
"""Share of address blocks with town and country in capitals, as the post asks for."""


def read_shelf(shelf: str) -> list[str]:
    """The templates of `templates/<shelf>.txt`; `#` and a blank start a comment line, backslash n is a line end."""
    lines = (TEMPLATES / f"{shelf}.txt").read_text("utf-8").splitlines()
    return [line.replace(r"\n", "\n") for line in lines if line.strip() and not line.startswith("# ")]


def choose(template: str, rng: random.Random) -> str:
    """Resolve every `[a|b]`, the innermost first."""
    while True:
        resolved = re.sub(r"\[([^\[\]]*)\]", lambda m: rng.choice(m[1].split("|")), template)
        if resolved == template:
            return resolved
        template = resolved


class Templates:
    """Fills templates; `{address}` and `{block}` are templates themselves."""

    def __init__(self, values: Values) -> None:
        self.values = values
        self.addresses = read_shelf("address")
        self.blocks = read_shelf("block")

    def fill(self, template: str) -> list[Piece]:
        """Choices made, slots filled."""
        return self.fill_slots(choose(template, self.values.rng))

    def fill_slots(self, text: str) -> list[Piece]:
        """Slots filled; doubled braces of a real text (`{{Order Number}}`) stay as they are."""
        pieces: list[Piece] = []
        for i, part in enumerate(re.split(r"(?<!\{)\{(\w+)\}(?!\})|(?<=\{\{)\{(\w+)\}(?=\}\})", text)):
            pieces += self._slot(part) if part and i % 3 else [Piece(part or "")]
        return [piece for piece in pieces if piece.text]

    def _slot(self, slot: str) -> list[Piece]:
        rng = self.values.rng
        if slot == "address":
            return self.fill_slots(rng.choice(self.addresses))
        if slot == "block":
            block = self.fill_slots(rng.choice(self.blocks).replace("\n", rng.choice(GAPS)))
            is_loud = rng.random() < IN_CAPITALS
            return [Piece(p.text.upper(), p.label) if is_loud and p.label == "LOCATION" else p for p in block]
        return self.values.fill(slot)
