"""Write the training set: templates and real support text with invented names in them, one JSON line per text."""

from __future__ import annotations

import argparse
import json
import os
import random
import re
from collections import Counter
from pathlib import Path

from noise import misspell, recase, sentence_case, tokenise
from pieces import Piece, join
from real_text import banking_queries, bitext_texts, place_pattern, star_turns
from templates import Templates, read_shelf
from values import Values

SHELVES = ("chat", "mail", "prose", "social", "negative")
SHARE = {
    "chat": 0.30,
    "mail": 0.12,
    "prose": 0.08,
    "social": 0.06,
    "negative": 0.085,
    "real": 0.23,
    "star_names": 0.035,
    "few_words": 0.05,
    "inserted": 0.07,
}
"""Where a segment comes from. `inserted`: real text into which a name was put; `few_words`: words of real text alone, for
a whole turn need not be a name."""
REAL_SHARE = (0.4, 0.32, 0.28)
"""Of banking77, bitext and STAR."""
SEGMENTS = (0.66, 0.24, 0.10)
"""How many segments a text has: one, two, three."""
EVEN = 0.5
TOKENISED = 0.04
LOOSE = ("chat", "social", "negative")
MAX_CHARACTERS = 420


KIN = "husband|wife|friend|mother|father|daughter|son|brother|sister|boss|manager|roommate"
STAFF = "agent|representative|advisor|colleague|customer|person|user"
TRADER = "merchant|store|shop|seller|restaurant|company|retailer|supermarket|business|hotel"
SWAPS = (
    (rf"\b(?:my|his|her|our) (?:{KIN})\b", ("{person}", "my friend {given}", "my wife {given}")),
    (rf"\b(?:the|an|your|some|another) (?:{STAFF})\b", ("{person}", "{given}", "{title} {family}")),
    (r"\b(?:someone|somebody|anyone)\b", ("{person}", "{given}")),
    (rf"\b(?:the|a|this|that|my) (?:{TRADER})\b", ("{org}", "{org}", "{hotel}")),
    (r"\b(?:abroad|overseas)\b", ("in {place}", "in {city}")),
    (r"\b(?:another|a different|a foreign|my|this) country\b", ("{country}", "{place}")),
    (r"\b(?:my|the|your) (?:new |home |delivery |shipping |billing )?address\b", ("{address}", "my address {street}")),
)
"""What in a real sentence can be a name, and the slots it becomes."""
BEFORE = (
    "hi {given}, ",
    "hello {given} ",
    "dear {person},\n",
    "{given}, ",
    "ok {given}, ",
    "hi this is {person}. ",
    "{person} here, ",
    "thanks {given}. ",
)
AFTER = (
    ", {given}",
    " {given}",
    "\n{person}",
    "\n\nthanks,\n{person}",
    " - {given}",
    "\nregards\n{person}\n{org}",
    " my name is {person}",
    ". i am in {place}",
    " i bought it at {org}",
    " ({person})",
)


def insert_name(text: str, rng: random.Random) -> str:
    """Put a slot where a name could stand in a real sentence: for a kinsman, a merchant, a place; else before or after it."""
    for pattern, slots in rng.sample(SWAPS, len(SWAPS)):
        changed = re.sub(pattern, rng.choice(slots), text, count=1, flags=re.IGNORECASE)
        if changed != text:
            return changed
    return rng.choice(BEFORE) + text if rng.random() < EVEN else text.rstrip() + rng.choice(AFTER)


class Writer:
    """Draws one text after the other from the templates and the real texts."""

    def __init__(self, data: Path, seed: int) -> None:
        self.values = Values(seed)
        self.rng = self.values.rng
        self.templates = Templates(self.values)
        places = place_pattern(self.values)
        self.shelves = {shelf: read_shelf(shelf) for shelf in SHELVES}
        self.real = [banking_queries(data, places), bitext_texts(data, self.values, places), star_turns(data, places)]
        self.star_with_slots = [t for t in self.real[2] if "{" in t]

    def text(self) -> list[Piece]:
        """One to three segments, then slips and letter case."""
        rng = self.rng
        pieces: list[Piece] = []
        for i in range(rng.choices([1, 2, 3], SEGMENTS)[0]):
            segment = self._segment(rng.choices(list(SHARE), list(SHARE.values()))[0])
            if i and len("".join(p.text for p in pieces + segment)) > MAX_CHARACTERS:
                break
            pieces += ([Piece(rng.choice([" ", "\n", ". ", ", ", "\n\n", "! ", " "]))] if i else []) + segment
        typed = recase(misspell(pieces, rng), rng)
        return tokenise(typed) if rng.random() < TOKENISED else typed

    def _segment(self, source: str) -> list[Piece]:
        rng = self.rng
        if source == "real":
            return self.templates.fill_slots(rng.choice(rng.choices(self.real, REAL_SHARE)[0]))
        if source == "star_names":
            return self.templates.fill_slots(rng.choice(self.star_with_slots))
        if source == "few_words":
            words = rng.choice(rng.choice(self.real)).split()
            start = rng.randrange(max(1, len(words) - 3))
            few = " ".join(words[start : start + rng.choice([1, 2, 2, 3])])
            return [Piece("ok" if "{" in few else few)]
        if source == "inserted":
            return self.templates.fill_slots(insert_name(rng.choice(rng.choice(self.real)), rng))
        pieces = self.templates.fill(rng.choice(self.shelves[source]))
        return sentence_case(pieces, rng) if source in LOOSE else pieces


def main() -> None:
    """Write by the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, default=Path("../shared/data"))
    parser.add_argument("--to", type=Path, required=True)
    parser.add_argument("--texts", type=int, default=80_000)
    parser.add_argument("--seed", type=int, default=11)
    arguments = parser.parse_args()
    if os.environ.get("PYTHONHASHSEED") != "0":
        raise SystemExit("set PYTHONHASHSEED=0: some of Faker's lists are sets, and their order would change what is drawn")
    writer = Writer(arguments.data, arguments.seed)
    arguments.to.parent.mkdir(parents=True, exist_ok=True)
    counts: Counter[str] = Counter()
    with arguments.to.open("w", encoding="utf-8") as lines:
        while counts["texts"] < arguments.texts:
            example = join(writer.text())
            if not example.text.strip() or len(example.text) > 2 * MAX_CHARACTERS:
                continue
            counts["texts"] += 1
            counts.update(label for _, _, label in example.spans)
            lines.write(json.dumps([example.text, example.spans], ensure_ascii=False) + "\n")
    print(json.dumps(counts))


if __name__ == "__main__":
    main()
