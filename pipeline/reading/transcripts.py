"""A text that is a whole conversation: where somebody begins to speak, and who that is.

    [10:02] Jane Fox: Where is my order?
    [10:04] Al Roe (Agent): It left on Monday.

Labels are told from other words before a colon by coming again, by a time before them, or because every line has one.
"""

import re
from collections import Counter
from collections.abc import Mapping
from typing import Final, NamedTuple

from pipeline.reading.field_words import names_a_field

TIME: Final = r"(?P<time>[\[(]?[\d:./ -]{4,20}(?:[AaPp][Mm])?[\])]?[ ,-]*)?"
"""What may stand before a label."""

_WHO: Final = r"(?P<who>[^\W\d_][\w .'\u2019@-]{0,40}?)\**[ \t]*(?:[(\[](?P<mark>[^()\[\]\n]{0,60})[)\]])?"
_LABEL: Final = re.compile(rf"^[ \t>*-]{{0,4}}{TIME}{_WHO}[ \t]*[:\uff1a](?!//)\**[ \t]*", re.MULTILINE)
_MOST_WORDS: Final = 4
"""A label of more is a sentence."""

STAFF: Final = frozenset({"agent", "bot"})


class Label(NamedTuple):
    """Where somebody begins to speak."""

    start: int
    """Where the label begins."""
    end: int
    """Where what is said begins."""
    role: str
    """Who that is; empty where neither the label nor what stands in parentheses says it."""
    who: str = ""
    """The label, without what stands in parentheses; empty where it only says the role."""
    word: str = ""
    """What of it says that somebody is staff; empty where nothing does."""
    is_name: bool = False
    """Whether the label is what somebody is called."""


def _staff_word(who: str, mark: str | None, roles: Mapping[str, str]) -> str:
    """What of a label says that somebody is staff: "agent" of "Al Roe (Agent)", "support" of "Acme Support"; or nothing."""
    words = who.casefold().split()
    return next((word for word in ((mark or "").strip().casefold(), words[-1], words[0]) if roles.get(word) in STAFF), "")


def named_labels(text: str, roles: Mapping[str, str], *, are_names: bool) -> tuple[list[Label], bool]:
    """The labels that `roles` does not name, and whether there may be more of them than can be told from other words.

    Where labels are not expected to be names, only those that come again or have a time count.
    """
    every = [match for match in _LABEL.finditer(text) if len(match["who"].split()) <= _MOST_WORDS]
    found = [match for match in every if match["who"].casefold() not in roles]
    often = Counter(match["who"].casefold() for match in found)
    is_each_line = len(every) == sum(bool(line.strip()) for line in text.splitlines())
    labels: list[Label] = []
    doubtful: list[Label] = []
    for match in found:
        who, mark = match["who"], (match["mark"] or "").strip().casefold()
        word = _staff_word(who, mark, roles)
        role = roles.get(word or mark, "")
        is_name = not names_a_field(who)
        begins = is_each_line or not text[: match.start()].strip()
        label = Label(match.start(), match.end(), role, who, word, is_name and word in {"", mark})
        if role or often[who.casefold()] > 1 or match["time"] or (are_names and is_name and begins):
            labels.append(label)
        elif are_names and is_name:
            doubtful.append(label)
    if len(doubtful) == 1 and labels and all(label.role in STAFF for label in labels):
        return sorted([*labels, *doubtful]), False  # somebody was answered
    return labels, bool(doubtful)
