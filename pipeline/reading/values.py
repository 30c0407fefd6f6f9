"""Values of foreign records: text, list, record or id, or refused."""

import re
from collections.abc import Iterable
from typing import Any, Final

from pipeline.reading.drafts import Refused

MAX_ID_CHARACTERS: Final = 1000
"""A longer native id is no id but a text in the wrong place."""

_DECIMAL_COMMA: Final = re.compile(r"[+-]?\d{1,3},\d{1,2}")
_FLOATED: Final = re.compile(r"\d{1,18}\.0")
_NOTHING: Final = frozenset({"", "null", "none", "nan", "n/a", "undefined"})
_BETWEEN: Final = "\x1f"
_QUOTES: Final = "\"' \t\r\n\u00a0\u201c\u201d\u2018\u2019"


def stated(value: Any) -> str | None:
    """A stated value without outer quotes and blanks; null where it states nothing."""
    if value is None or isinstance(value, bool | dict | list):
        return None
    bare = str(value).strip(_QUOTES)
    return None if bare.casefold() in _NOTHING else bare


def as_text(value: Any, where: str) -> str:
    """A text field; null is empty.

    Raises:
        Refused: it is a list or a record.
    """
    if isinstance(value, str):
        return value
    if value is None:
        return ""
    if isinstance(value, int | float):
        return str(value)
    raise Refused("wrong_type", where)


def as_list(value: Any, where: str) -> list[Any]:
    """A list field; null is empty.

    Raises:
        Refused: it is no list.
    """
    if value is None:
        return []
    if isinstance(value, list):
        return value
    raise Refused("wrong_type", where)


def as_record(value: Any, where: str) -> dict[str, Any]:
    """A record field; null is empty.

    Raises:
        Refused: it is no record.
    """
    if value is None:
        return {}
    if isinstance(value, dict):
        return value
    raise Refused("wrong_type", where)


def as_number(value: Any) -> float | None:
    """A number, also one with a decimal comma; null where the value is none.

    >>> as_number("4,5"), as_number(" 3 "), as_number("1,000"), as_number("good")
    (4.5, 3.0, None, None)
    """
    text = value.strip() if isinstance(value, str) else value
    if isinstance(text, str) and _DECIMAL_COMMA.fullmatch(text):
        text = text.replace(",", ".")
    try:
        return float(text)
    except (TypeError, ValueError):
        return None


def native_id(value: Any) -> str | None:
    """An id as text; null where the value is none. A whole number stays one where a table that also has none made it 81.0."""
    if type(value) is int:
        return str(value)
    if value is None or isinstance(value, bool | list | dict) or (isinstance(value, float) and not value.is_integer()):
        return None
    text = str(int(value)) if isinstance(value, float) else str(value).strip()
    if text.endswith(".0") and _FLOATED.fullmatch(text):
        text = text.removesuffix(".0")
    return text if 0 < len(text) <= MAX_ID_CHARACTERS else None


def joined_id(values: Iterable[Any]) -> str | None:
    r"""One id of all that several fields hold; null where one of them has none.

    >>> joined_id([81]), joined_id([81, None]), joined_id(["help", "tents"])
    ('81', None, 'help\x1ftents')
    """
    ids = [native_id(value) for value in values]
    return None if None in ids else _BETWEEN.join(map(str, ids))
