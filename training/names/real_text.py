"""Real support text for the training set, its own names swapped for invented ones: banking77 train, bitext, STAR.

What measures must not train: of STAR only dialogues with an even id, of bitext three rows of four. banking77 test and
presidio_synth_pii are not opened here.
"""

from __future__ import annotations

import csv
import gzip
import io
import json
import re
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

from values import Values, read_list

NOT_PERSONAL = {"us", "uk", "eu", "usa", "europe"}
"""Written too often as pronoun or customs area; a region of 300 million people identifies nobody."""
STAR_SLOTS = {
    "CustomerName": "person", "HostName": "person", "PatientName": "person", "RenterName": "person", "FullName": "person",
    "UserName": "person", "GuestName": "person", "DriverName": "person", "SecurityAnswer1": "family", "SecurityAnswer2": "given",
    "City": "city", "DepartureCity": "city", "ArrivalCity": "city", "BankName": "org", "Airline": "org",
}  # fmt: skip


SHORTEST_VALUE: Final = 3
LONGEST_PASSAGE: Final = 300
PLAIN_WORDS: Final = frozenset(
    (  # noqa: SIM905
        "turkey chile jordan reading bath nice cork split mobile georgia java queens kent"
        " victoria mesa lincoln phoenix guinea goa aurora"
    ).split()
)
"""Places that are words: left alone in real text."""


def is_held_out_dialogue(dialogue_id: int) -> bool:
    """STAR dialogues that only measure."""
    return dialogue_id % 2 == 1


def is_held_out_answer(row: int) -> bool:
    """Bitext rows that only measure."""
    return row % 4 == 0


def read_csv(path: Path) -> list[dict[str, str]]:
    """Rows of a gzipped CSV file, line breaks inside quotes kept."""
    with gzip.open(path) as packed:
        return list(csv.DictReader(io.TextIOWrapper(packed, encoding="utf-8", newline="")))


def _alternatives(words: list[str]) -> re.Pattern[str]:
    return re.compile(
        r"(?<!\w)(?:" + "|".join(re.escape(w) for w in sorted(set(words), key=lambda w: (-len(w), w))) + r")(?!\w)", re.IGNORECASE
    )


def place_pattern(values: Values) -> re.Pattern[str]:
    """Real places as they stand in support text; those that are also plain words are left alone."""
    words = [
        *values.pools.countries,
        *read_list("regions"),
        *read_list("landmarks"),
        "Piccadilly",
        "High St",
        "Walton-On-The-Naze",
        "Kensington",
        *(town[0] for town in values.towns),
    ]
    return _alternatives([w for w in words if w.lower() not in PLAIN_WORDS | NOT_PERSONAL and len(w) > SHORTEST_VALUE])


def _escape(text: str) -> str:
    """Square brackets would be a choice; a name behind a title is a name, whoever it is."""
    return re.sub(
        r"\b((?:dr|mr|mrs|ms)\.? )(?!and\b|or\b)[a-z]+",
        r"\1{family}",
        text.replace("[", "(").replace("]", ")"),
        flags=re.IGNORECASE,
    )


def banking_queries(data: Path, places: re.Pattern[str]) -> list[str]:
    """Queries of banking77 train as templates: its few place names become slots."""
    return [
        places.sub("{country}", _escape(row["text"]))
        for row in read_csv(data / "banking77/train.csv.gz")
        if "{" not in row["text"]
    ]


PLACEHOLDERS: Final = (
    (r"website|company", ("{org}", "website", "{org}")),
    (r"phone|number|\bid\b", ("{phone}", "{ref}")),
    (r"email", ("{email}",)),
    (r"(?<!change )address", ("{address}", "address")),
    (r"name|person", ("{person}",)),
)
"""What a placeholder of bitext is filled with, by a word inside it; others keep their words without the braces."""
BITEXT_PEOPLE: Final = re.compile(r"\b(?:Anna Freeman|David Miller|Freeman|Miller|Hawkings)\b", re.IGNORECASE)


def bitext_texts(data: Path, values: Values, places: re.Pattern[str]) -> list[str]:
    """Questions and answers of bitext as templates: half keep their `{{placeholders}}`, half have them filled."""
    rng = values.rng

    def fill(match: re.Match[str]) -> str:
        slots = next((slots for pattern, slots in PLACEHOLDERS if re.search(pattern, match[1].lower())), (match[1],))
        return rng.choice(slots)

    texts: dict[str, None] = {}
    for i, row in enumerate(read_csv(data / "bitext_support_qa/bitext_support_4514.csv.gz")):
        for passage in () if is_held_out_answer(i) else (row["instruction"], *_passages(row["response"])):
            swapped = places.sub("{city}", BITEXT_PEOPLE.sub("{family}", _escape(passage)))
            texts[re.sub(r"\{\{(.*?)\}\}", fill, swapped) if rng.choice((True, False)) else swapped] = None
    return list(texts)


def _passages(answer: str) -> list[str]:
    """An answer in passages of about 300 characters, so that training batches stay short."""
    passages, current = [], ""
    for sentence in re.split(r"(?<=[.!?\n])(?=\s)", answer):
        if current and len(current) + len(sentence) > LONGEST_PASSAGE:
            passages.append(current.strip())
            current = ""
        current += sentence
    return [*passages, current.strip()]


def star_constraints(dialogue: dict[str, Any]) -> list[tuple[str, str]]:
    """(field, value) of every query of one dialogue; quotes and `api.is_equal_to()` taken off."""
    found = []
    for event in dialogue["Events"]:
        if event.get("Action") == "query":
            for constraint in event.get("Constraints", []):
                for field, value in constraint.items():
                    quoted = re.findall(r'"([^"]+)"', str(value)) or ([] if "api." in str(value) else [str(value)])
                    found += [(field, v.strip()) for v in quoted if v.strip() and v.strip().lower() not in ("null", "none")]
    return found


def star_messages(dialogue: dict[str, Any]) -> list[str]:
    """What the two people wrote, see the README of the data."""
    return [
        e["Text"]
        for e in dialogue["Events"]
        if e.get("Agent") in ("User", "Wizard") and e.get("Action") in ("utter", "pick_suggestion") and e.get("Text")
    ]


WORDS_TOO: Final = set("mark delta american united virgin chase schedule captain yes none buddy no check book".split())  # noqa: SIM905
"""Values of the keys that are words as well: swapped only where the dialogue's own keys hold them."""
VENUE: Final = re.compile(
    r"\b(?:the )?(?:hilton|hyatt|shadyside|old town|south ?side|north heights|west bay|east ?side)(?: (?:hotel|inn|venue))?\b",
    re.IGNORECASE,
)
CROSSING: Final = re.compile(
    r"\b(?:5th|broadway|forbes|craig|fifth)(?: (?:st|street|ave|avenue))? (?:and|&) \w+\b", re.IGNORECASE
)


MARK: Final = re.compile(r"\bMark\b")


def _swap(text: str, slots: dict[str, str]) -> str:
    """Each known value outside a slot becomes its slot."""
    if not slots:
        return text
    pattern = _alternatives(list(slots))
    return _outside_slots(text, lambda part: pattern.sub(lambda m: "{" + slots[m[0].lower()] + "}", part))


def _outside_slots(text: str, change: Callable[[str], str]) -> str:
    return "".join(part if part.startswith("{") else change(part) for part in re.split(r"(\{\w+\})", text))


def _slots_of(dialogue: dict[str, Any]) -> dict[str, str]:
    """Value, lowered, to slot, for the fields that hold names."""
    known = ((field, value.lower()) for field, value in star_constraints(dialogue))
    return {v: STAR_SLOTS[f] for f, v in known if f in STAR_SLOTS and len(v) >= SHORTEST_VALUE and not re.search(r"\d", v)}


def star_turns(data: Path, places: re.Pattern[str]) -> list[str]:
    """STAR turns as templates: every value of the back-end keys that occurs anywhere becomes a slot."""
    with gzip.open(data / "star_dialogues/dialogues.jsonl.gz") as packed:
        dialogues = [d for d in map(json.loads, packed) if not is_held_out_dialogue(d["DialogueID"])]
    counts = Counter((value, slot) for dialogue in dialogues for value, slot in _slots_of(dialogue).items())
    everywhere = {value: slot for (value, slot), n in sorted(counts.items()) if n > 1 and value not in WORDS_TOO}
    pattern = _alternatives(list(everywhere))
    texts: dict[str, None] = {}
    for dialogue in dialogues:
        own = _slots_of(dialogue)
        for message in star_messages(dialogue):
            text = MARK.sub(
                "{given}", _swap(_escape(re.sub(r"[{}]", "", message)), own)
            )  # a driver's or a guest's name, when not a verb
            text = _outside_slots(text, lambda part: pattern.sub(lambda m: "{" + everywhere[m[0].lower()] + "}", part))
            text = _outside_slots(text, lambda part: CROSSING.sub("{street}", VENUE.sub("{hotel}", part)))
            texts[_outside_slots(text, lambda part: places.sub("{city}", part))] = None
    return without_unknown_names(list(texts))


COMMON: Final = 3
"""Texts in which a word must stand in lower case to count as a word."""
NOT_NAMES: Final = frozenset(
    (  # noqa: SIM905
        "monday tuesday wednesday thursday friday saturday sunday uber lyft bmw pin ok id usd honda ford tesla toyota"
        " i'm i'd i'll i've mr mrs dr ms"
    ).split()
)


def without_unknown_names(texts: list[str]) -> list[str]:
    """Leave out texts that may hold a name no key knows, for they would teach the model to pass over names.

    Such are a capital inside a sentence on a word that nobody writes in lower case, a rare word beside "name" (it was
    misspelt), and a turn of one to three words with a rare one among them.
    """
    lowered = Counter(w for t in texts for w in set(re.findall(r"\b[a-z']{2,}\b", t)))
    few_words = re.compile(r"^\W*(?:[a-z]+\W*){1,3}$")

    def is_rare(word: str) -> bool:
        return lowered[word] < COMMON and word not in NOT_NAMES

    def is_safe(text: str) -> bool:
        bare = re.sub(r"\{\w+\}", "", text)
        words = re.findall(r"[a-z']+", bare.lower())
        capitals = re.findall(r"(?<=[a-z,;] )[A-Z][a-z']+", bare)
        says_name = "{" not in text and any(w in ("name", "names", "called") for w in words)
        suspects = words if says_name or few_words.match(bare.lower()) else [w.lower() for w in capitals]
        return not any(is_rare(word) for word in suspects)

    return [text for text in texts if is_safe(text)]
