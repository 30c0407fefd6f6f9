"""Dates of a customer move together by whole weeks, which keeps intervals and weekdays."""

import re
from datetime import date, timedelta
from typing import Final

_DATE: Final = re.compile(
    r"(?P<first>\d{1,4})(?P<between>[-/.])(?P<second>\d{1,2})(?P=between)(?P<third>\d{4}|\d{2})(?P<rest>.*)", re.DOTALL
)

MONTHS_IN_YEAR: Final = 12

YEAR_DIGITS: Final = 4

_PIVOT: Final = 70
"""Two-digit years below it belong to this century."""

_MONTHS: Final = (
    "january", "february", "march", "april", "may", "june",
    "july", "august", "september", "october", "november", "december",
)  # fmt: skip

_WRITTEN: Final = re.compile(
    r"(?P<day>\d{1,2})(?P<th>st|nd|rd|th)?(?P<a>(?: of)?[ -])(?P<month>[a-z]{3,9})(?P<dot>\.?)(?P<b>,?[ -])(?P<year>\d{4}|\d{2})"
    r"|(?P<month2>[a-z]{3,9})(?P<dot2>\.?)(?P<a2> )(?P<day2>\d{1,2})(?P<th2>st|nd|rd|th)?(?P<b2>,? )(?P<year2>\d{4}|\d{2})",
    re.IGNORECASE,
)


def shift_date(value: str, days: int, *, day_first: bool) -> str | None:
    """Move a date, in its own look; None when the value is no date of the calendar."""
    if match := _DATE.fullmatch(value):
        return _shift_numeric(match, days, day_first=day_first)
    if match := _WRITTEN.fullmatch(value):
        return _shift_written(match, days)
    return None


def _shift_numeric(match: re.Match[str], days: int, *, day_first: bool) -> str | None:
    parts = [match["first"], match["second"], match["third"]]
    if len(parts[0]) == YEAR_DIGITS:
        places = (0, 1, 2)
    elif int(parts[0]) > MONTHS_IN_YEAR or (day_first and int(parts[1]) <= MONTHS_IN_YEAR):
        places = (2, 1, 0)
    else:
        places = (2, 0, 1)
    year, month, day = (parts[place] for place in places)
    moved = _moved(year, int(month), int(day), days)
    if moved is None:
        return None
    is_padded = len(month) == len(day) == 2  # noqa: PLR2004  # as in 03/04
    for place, number in zip(places, (_year(moved, year), moved.month, moved.day), strict=True):
        parts[place] = str(number).zfill(2 if is_padded else 1)
    return match["between"].join(parts) + match["rest"]


def _shift_written(match: re.Match[str], days: int) -> str | None:
    suffix = "" if match["month"] else "2"
    name, day, year = (match[group + suffix] for group in ("month", "day", "year"))
    number = next((place for place, month in enumerate(_MONTHS, 1) if month.startswith(name.lower()[:3])), 0)
    moved = _moved(year, number, int(day), days) if number else None
    if moved is None or not (_MONTHS[number - 1].startswith(name.lower()) or name.lower() == "sept"):
        return None
    full = _MONTHS[moved.month - 1]
    written = full if name.lower() in _MONTHS and name.lower() != "may" else full[:3]
    written = written.upper() if name.isupper() else written.capitalize() if name[0].isupper() else written
    first, second = match["a" + suffix], match["b" + suffix]
    ordinal = f"{moved.day}{_ordinal(moved.day)}" if match["th" + suffix] else str(moved.day).zfill(2 if first == "-" else 1)
    standing = _year(moved, year)
    if match["month"]:
        return f"{ordinal}{first}{written}{match['dot']}{second}{standing}"
    return f"{written}{match['dot2']}{first}{ordinal}{second}{standing}"


def _moved(year: str, month: int, day: int, days: int) -> date | None:
    full = int(year) if len(year) == YEAR_DIGITS else int(year) + (2000 if int(year) < _PIVOT else 1900)
    try:
        return date(full, month, day) + timedelta(days)
    except (ValueError, OverflowError):
        return None


def _year(moved: date, like: str) -> str:
    return f"{moved.year:04d}" if len(like) == YEAR_DIGITS else f"{moved.year % 100:02d}"


def _ordinal(day: int) -> str:
    return "th" if day in {11, 12, 13} else {1: "st", 2: "nd", 3: "rd"}.get(day % 10, "th")
