"""Which fields tell messages from internal notes, by a flag or a word, and from what programs are told."""

import re
from collections.abc import Mapping, Sequence
from typing import Any, Final

from pipeline.doctor.columns import FEW, LABEL, Column
from pipeline.reading.mapped import FALSE, TRUE

_INTERNAL: Final = "private internal note notes hidden confidential whisper"
_NAMES: Final = f"{_INTERNAL} public visibility privacy audience visible"
_PEOPLE: Final = frozenset(
    {"user", "author", "sender", "agent", "staff", "employee", "customer", "contact", "id", "count", "text", "body"}
)
"""Beside such a word in its name, `internal` says who somebody is, and not what a message is."""

_NOTES: Final = frozenset(
    {
        "note",
        "notes",
        "internal",
        "private",
        "whisper",
        "hidden",
        "confidential",
        "intern",
        "interne",
        "interna",
        "interno",
        "privat",
        "prive",
        "privado",
        "privato",
        "notiz",
        "nota",
        "notat",
        "anteckning",
    }
)
_SEEN: Final = frozenset({"public", "external", "visible", "customer", "everyone", "all"})
_PROGRAMS: Final = frozenset({"system", "developer", "tool", "function", "function_call", "observation"})
_FLAG: Final = TRUE | FALSE


def messages_of(columns: Mapping[str, Column], text: Column, remarks: list[str]) -> dict[str, list[Any]]:
    """Field -> values of messages, as the setting `messages` takes them; what may tell notes and is not understood is said."""
    found: dict[str, list[Any]] = {}
    for column in columns.values():
        if column.name == text.name or not column.is_scalar or column.distinct > FEW:
            continue
        if column.name == "PostTypeId":  # of Stack Exchange: all but questions and answers are texts about tags
            found[column.name] = [value for value in dict.fromkeys(column.values) if str(value) in {"1", "2"}]
            continue
        if values := _by_flag(column) or _by_word(column):
            found[column.name] = values
            remarks.append(f"messages: {column.name} tells internal notes; whatever has none of its values there is left out")
        elif column.hints(_NAMES) and not column.hints(LABEL):
            remarks.append(
                f"{column.name} may tell internal notes and is not read so; put it into messages, or make sure it does not"
            )
    return found


def without_programs(mapping: dict[str, Any], column: Column, meaning: dict[str, list[Any]]) -> None:
    """Put into `messages` that what a model was told and its calls are none; beside customers and those who answer."""
    left_out = [value for value in meaning.get("tool", ()) if str(value).strip().casefold() in _PROGRAMS]
    if not left_out or not meaning.keys() & {"agent", "bot"}:
        return
    meaning["tool"] = [value for value in meaning["tool"] if value not in left_out]
    if not meaning["tool"]:
        del meaning["tool"]
    speaks = [value for values in meaning.values() for value in values]
    messages = mapping.setdefault("messages", {})
    messages[column.name] = [value for value in messages.get(column.name, speaks) if value in speaks]
    mapping.setdefault("kind", column.name)


def _by_flag(column: Column) -> list[Any]:
    words = {text.strip().casefold() for text in column.texts}
    if column.tokens & _PEOPLE or not words <= _FLAG:
        return []
    if column.hints("public visible") and words & TRUE:
        return [True]
    if column.hints(_INTERNAL) and (words & FALSE or column.filled < 1):  # also where the sample happens to hold no note
        return [False, *_unstated(column)]
    return []


def _by_word(column: Column) -> list[Any]:
    if column.hints(LABEL) or column.mean_words > 3:  # noqa: PLR2004  # kinds are called by few words
        return []
    values = dict(zip(column.texts, column.values, strict=True))
    if "N" in values and len(values) > 1 and values.keys() <= {"M", "R", "N"}:  # osTicket's message, response, note
        return [value for text, value in values.items() if text != "N"]
    notes = {text for text in values if _words(text) & _NOTES and "public" not in _words(text)}
    if column.hints("visibility privacy audience"):
        return [value for text, value in values.items() if text not in notes and _words(text) & _SEEN]
    left = [value for text, value in values.items() if text not in notes]
    return [*left, *_unstated(column)] if notes and left else []


def _unstated(column: Column) -> Sequence[str]:
    return [""] if column.filled < 1 else []


def _words(value: str) -> set[str]:
    return set(re.findall(r"[^\W\d_]+", re.sub(r"([a-z])([A-Z])", r"\1 \2", value).casefold()))
