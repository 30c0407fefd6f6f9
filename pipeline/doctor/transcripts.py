"""Cells, or files, that are whole conversations: what their lines begin with."""

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from pipeline.doctor.candidates import Candidate
from pipeline.doctor.columns import SPEAKS, Column
from pipeline.doctor.field_names import bare, words_in
from pipeline.doctor.note_words import labels_note
from pipeline.doctor.sampling import alike, beginning, spread, suffix_of
from pipeline.reading.drafts import ReceivedFile
from pipeline.reading.transcripts import STAFF, named_labels

CELLS: Final = 200
_LABELLED: Final = re.compile(
    r"(?:^|(?<=[.!?])[ \t]+|[|\t][ \t]*)[ \t>*-]{0,4}"
    r"(?:[\[(]?[\d:./ -]{4,20}(?:[AaPp][Mm])?[\])]?[ ,-]*|\( ?(?:\d{1,3}[hms] ?){1,3}\) *)?"
    r"([^\W\d_][\w -]{0,24}?)\**[ \t]*[:\uff1a]",
    re.MULTILINE,
)
_WORDS: Final[Mapping[str, str]] = {word: role for word, role in SPEAKS.items() if len(word) > 2 and role != "tool"}  # noqa: PLR2004  # initials
"""What a label, or a part of it, says."""


_ENDINGS: Final = frozenset({".txt", ".text", ".log"})
_SEPARATORS: Final = (
    r"[-=*_#~]{3,}",
    r"(?i:[^\w\n]*(?:conversation|chat|ticket|transcript|session|dialog(?:ue)?|case)\b[^:\n]{0,30}\d+[^\w\n]*)",
)
"""What the line between two conversations may be, the likeliest first."""


def look(files: Sequence[ReceivedFile]) -> Iterator[Candidate]:
    """Text files whose lines begin with who speaks and a colon: one conversation each, or several with a line between them."""
    candidates = [file for file in spread(files) if suffix_of(file).partition(".gz")[0] in _ENDINGS]
    texts = {file.label: beginning(file).decode("utf-8", "replace") for file in candidates}
    remarks: list[str] = []
    found = [file for file in candidates if _labels([texts[file.label]], [])]
    if not found:
        return
    whole = [texts[file.label] for file in found]
    for separator in _SEPARATORS:
        pieces = [piece for text in whole for piece in re.split(rf"(?m)^{separator}$", text) if piece.strip()]
        if len(pieces) > len(whole) and (labels := _labels(pieces, remarks)):
            mapping = {"transcript": labels, "separator": separator}
            break
    else:
        mapping = {"transcript": _labels(whole, remarks)}
    reason = f"lines of {len(found)} files begin with who speaks and a colon"
    yield Candidate("transcripts", alike(files, found), mapping, [reason], list(dict.fromkeys(remarks)))


def _labels(texts: Sequence[str], remarks: list[str]) -> dict[str, Any]:
    return transcript_of(Column("text", list(texts), len(texts)), remarks)


def transcript_of(column: Column, remarks: list[str]) -> dict[str, Any]:
    """Who speaks in cells that are whole conversations, as they are called there; none where few cells are one."""
    found = _by_role(column) or _by_name(column, remarks)
    labels = {match[1] for text in column.texts[:CELLS] for match in _LABELLED.finditer(text)}
    notes = sorted(label for label in labels if labels_note(words_in(label)))
    if found and notes:
        found["left_out"] = notes
        remarks.append(f"transcript: what stands behind {', '.join(notes)} is left out as an internal note")
    return found


def _by_role(column: Column) -> dict[str, Any]:
    found: dict[str, list[str]] = {}
    cells = 0
    for text in column.texts[:CELLS]:
        labels = {match[1] for match in _LABELLED.finditer(text)}
        roles = {label: SPEAKS.get(bare(label.strip().casefold())) for label in labels}
        cells += {"customer", "agent"} <= set(roles.values()) or {"customer", "bot"} <= set(roles.values())
        for label, role in sorted(roles.items()):
            if role in {"customer", "agent", "bot"} and label not in found.get(role, ()):
                found.setdefault(role, []).append(label)
    return found if cells * 2 > len(column.texts[:CELLS]) else {}


def _by_name(column: Column, remarks: list[str]) -> dict[str, Any]:
    """Where names stand before the colons: words beside them that say who is staff."""
    found: dict[str, set[str]] = {}
    names: Counter[str] = Counter()
    cells = told = 0
    for text in column.texts[:CELLS]:
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
    if cells * 2 <= len(column.texts[:CELLS]):
        return {}
    if told < cells:
        several = sum(count > 1 for count in names.values())
        remarks.append(
            f"transcript: in {cells - told} of {cells} conversations no label says who is staff, and whoever speaks first is "
            f"taken for the customer; put the names of your staff into transcript.agent ({several} names speak in more than one)"
        )
    return {**{role: sorted(words) for role, words in sorted(found.items())}, "others": "starter"}
