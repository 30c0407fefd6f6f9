"""Which fields tell messages from internal notes, by a flag or a word, and from what programs are told."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from pipeline.doctor.columns import FEW, LABEL, TEXT, Column, tells_both_sides
from pipeline.doctor.field_names import words_in
from pipeline.doctor.note_words import is_seen, names_visibility, tells_messages, tells_note
from pipeline.reading.mapped import FALSE, TRUE

_PEOPLE: Final = frozenset(
    {"user", "author", "sender", "agent", "staff", "employee", "customer", "contact", "id", "count", "text", "body"}
)
"""Beside such a word in its name, `internal` says who somebody is, and not what a message is."""
_ONLY: Final = frozenset({"only", "nur", "visible", "sichtbar", "visivel", "visibile", "zichtbaar"})
"""Beside this it does."""
_PROGRAMS: Final = frozenset({"system", "developer", "tool", "function", "function_call", "observation"})
_KINDS: Final = frozenset({"type", "kind", "event", "action"})
_MARKED: Final = frozenset({"x", "✓", "✔"})
"""How a spreadsheet says yes, where nothing says no."""


def messages_of(columns: Mapping[str, Column], text: Column, remarks: list[str]) -> dict[str, list[Any]]:
    """Field -> values of messages, as the setting `messages` takes them; what may tell notes and is not understood is said."""
    found: dict[str, list[Any]] = {}
    for column in columns.values():
        if column.name == text.name or not column.is_scalar:
            continue
        if column.distinct > FEW:
            if column.holds_notes and not column.kind() and not column.time() and column.mean_words > 1:
                remarks.append(f"{column.name} holds internal notes by its name, and is not read")
            continue
        if column.name == "PostTypeId":  # of Stack Exchange: all but questions and answers are texts about tags
            found[column.name] = [value for value in dict.fromkeys(column.values) if str(value) in {"1", "2"}]
            continue
        if values := _by_flag(column) or _by_word(column):
            found[column.name] = values
            remarks.append(f"messages: {column.name} tells internal notes; whatever has none of its values there is left out")
        elif (tells_note(column.tokens) or names_visibility(column.tokens)) and not column.hints(LABEL):
            remarks.append(_in_doubt(column))
    return found


def _in_doubt(column: Column) -> str:
    return f"{column.name} may tell internal notes and is not read so; put it into messages, or make sure it does not"


def as_customers_write(
    mapping: dict[str, Any],
    columns: Mapping[str, Column],
    rows: Sequence[Mapping[str, Any]],
    speaker: Column,
    meaning: Mapping[str, Sequence[Any]],
    remarks: list[str],
) -> None:
    """Where a field may tell notes by values that say nothing, such as numbers: those that customers write with are messages."""
    customers = meaning.get("customer", ())
    for column in columns.values():
        if _in_doubt(column) not in remarks:
            continue
        seen = {row.get(column.name) for row in rows if row.get(speaker.name) in customers}
        if not customers or not seen or not {str(value) for value in column.values} - set(map(str, seen)):
            continue
        values = list({str(value): "" if value is None else value for value in sorted(seen, key=str)}.values())
        mapping.setdefault("messages", {})[column.name] = values
        mapping.setdefault("kind", column.name)
        remarks[remarks.index(_in_doubt(column))] = (
            f"messages: {column.name} may tell internal notes; only what has a value there that customers write with is read"
        )


def kinds_that_speak(columns: Mapping[str, Column], rows: Sequence[Mapping[str, Any]]) -> dict[str, list[Any]]:
    """The field with the kinds of rows, where some kinds never have a text, or never say who speaks: its other values."""
    texts = [each.name for each in columns.values() if each.hints(TEXT) and each.is_scalar and each.mean_words >= 2]  # noqa: PLR2004  # words
    roles = [each.name for each in columns.values() if each.filled < 1 and tells_both_sides(each)]
    for column in columns.values():
        if not column.tokens & _KINDS or not column.is_scalar or not 1 < column.distinct <= FEW or column.name in roles:
            continue
        values = {str(value): value for value in column.values}
        for needed in (texts, roles):
            said = {str(row.get(column.name)) for row in rows if any(row.get(name) not in (None, "") for name in needed)}
            if said & values.keys() and column.filled >= 0.9:  # noqa: PLR2004  # kinds are always there
                values = {text: value for text, value in values.items() if text in said}
        if len(values) < column.distinct:
            return {column.name: list(values.values())}
    return {}


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
    if column.tokens & _PEOPLE and not column.tokens & _ONLY:
        return []
    if words and words <= _MARKED and column.filled < 1 and tells_note(column.tokens):
        return [""]
    if not words <= TRUE | FALSE:
        return []
    if tells_messages(column.tokens) and words & TRUE:
        return [True]
    if tells_note(column.tokens) and (words & FALSE or column.filled < 1):  # also where the sample happens to hold no note
        return [False, *_unstated(column)]
    return []


def _by_word(column: Column) -> list[Any]:
    if column.hints(LABEL) or column.mean_words > 3:  # noqa: PLR2004  # kinds are called by few words
        return []
    values = dict(zip(column.texts, column.values, strict=True))
    if "N" in values and len(values) > 1 and values.keys() <= {"M", "R", "N"}:  # osTicket's message, response, note
        return [value for text, value in values.items() if text != "N"]
    if {"Correspond", "Comment"} <= values.keys():  # Request Tracker's replies and what staff says among themselves
        return [value for text, value in values.items() if text != "Comment"]
    notes = {text for text in values if tells_note(words_in(text), column.tokens)}
    if names_visibility(column.tokens):
        return [value for text, value in values.items() if text not in notes and is_seen(words_in(text))]
    left = [value for text, value in values.items() if text not in notes]
    return [*left, *_unstated(column)] if notes and left else []


def _unstated(column: Column) -> Sequence[str]:
    return [""] if column.filled < 1 else []
