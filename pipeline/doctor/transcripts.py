"""Cells that are whole conversations: what their lines begin with."""

import re
from collections import Counter
from collections.abc import Mapping
from typing import Any, Final

from pipeline.doctor.columns import SPEAKS, Column, bare
from pipeline.reading.transcripts import STAFF, named_labels

_CELLS: Final = 200
_LABELLED: Final = re.compile(
    r"(?:^|(?<=[.!?])[ \t]+|[|\t][ \t]*)[ \t>*-]{0,4}(?:[\[(]?[\d:./ -]{4,20}(?:[AaPp][Mm])?[\])]?[ ,-]*)?"
    r"([^\W\d_][\w -]{0,24}?)\**[ \t]*[:\uff1a]",
    re.MULTILINE,
)
_WORDS: Final[Mapping[str, str]] = {word: role for word, role in SPEAKS.items() if len(word) > 2 and role != "tool"}  # noqa: PLR2004  # initials
"""What a label, or a part of it, says."""


def transcript_of(column: Column, remarks: list[str]) -> dict[str, Any]:
    """Who speaks in cells that are whole conversations, as they are called there; none where few cells are one."""
    return _by_role(column) or _by_name(column, remarks)


def _by_role(column: Column) -> dict[str, Any]:
    found: dict[str, list[str]] = {}
    cells = 0
    for text in column.texts[:_CELLS]:
        labels = {match[1] for match in _LABELLED.finditer(text)}
        roles = {label: SPEAKS.get(bare(label.strip().casefold())) for label in labels}
        cells += {"customer", "agent"} <= set(roles.values()) or {"customer", "bot"} <= set(roles.values())
        for label, role in sorted(roles.items()):
            if role in {"customer", "agent", "bot"} and label not in found.get(role, ()):
                found.setdefault(role, []).append(label)
    return found if cells * 2 > len(column.texts[:_CELLS]) else {}


def _by_name(column: Column, remarks: list[str]) -> dict[str, Any]:
    """Where names stand before the colons: words beside them that say who is staff."""
    found: dict[str, set[str]] = {}
    names: Counter[str] = Counter()
    cells = told = 0
    for text in column.texts[:_CELLS]:
        labels, _ = named_labels(text, _WORDS, are_names=True)
        words = {bare(match[1].strip().casefold()) for match in _LABELLED.finditer(text)} & _WORDS.keys()
        people = {label.who.casefold() for label in labels}
        # a form has each of its labels once, and none of them has a time or says who is staff
        is_form = len(labels) == len(people) and not any(label.role or not text[label.start].isalpha() for label in labels)
        if len(people | words) < 2 or not people or is_form:  # noqa: PLR2004  # somebody answers
            continue
        cells += 1
        names.update(people)
        words |= {label.word for label in labels}
        told += any(_WORDS.get(word) in STAFF for word in words)
        for word in words & _WORDS.keys():
            found.setdefault(_WORDS[word], set()).add(word)
    if cells * 2 <= len(column.texts[:_CELLS]):
        return {}
    if told < cells:
        several = sum(count > 1 for count in names.values())
        remarks.append(
            f"transcript: in {cells - told} of {cells} conversations no label says who is staff, and whoever speaks first is "
            f"taken for the customer; put the names of your staff into transcript.agent ({several} names speak in more than one)"
        )
    return {**{role: sorted(words) for role, words in sorted(found.items())}, "others": "starter"}
