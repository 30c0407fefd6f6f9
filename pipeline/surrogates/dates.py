"""Dates of a customer move together by whole weeks, which keeps intervals and weekdays."""

import re
from collections.abc import Iterable
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


def _months(names: str) -> tuple[tuple[str, ...], ...]:
    return tuple(tuple(month.split("/")) for month in names.split())


OTHER_MONTHS: Final = {
    "de": _months(
        "januar/jan februar/feb märz/mär/mrz april/apr mai juni/jun"
        " juli/jul august/aug september/sep/sept oktober/okt november/nov dezember/dez"
    ),
    "fr": _months(
        "janvier/janv février/févr/fév mars avril/avr mai juin"
        " juillet/juil août septembre/sept octobre/oct novembre/nov décembre/déc"
    ),
    "es": _months(
        "enero/ene febrero/feb marzo/mar abril/abr mayo/may junio/jun"
        " julio/jul agosto/ago septiembre/sept/sep/setiembre octubre/oct noviembre/nov diciembre/dic"
    ),
    "it": _months(
        "gennaio/gen febbraio/feb marzo/mar aprile/apr maggio/mag giugno/giu"
        " luglio/lug agosto/ago settembre/sett ottobre/ott novembre/nov dicembre/dic"
    ),
    "nl": _months(
        "januari/jan februari/feb maart/mrt april/apr mei juni/jun"
        " juli/jul augustus/aug september/sept oktober/okt november/nov december/dec"
    ),
    "pt": _months(
        "janeiro/jan fevereiro/fev março/mar abril/abr maio/mai junho/jun"
        " julho/jul agosto/ago setembro/set outubro/out novembro/nov dezembro/dez"
    ),
}
"""Language -> the names of each month, written out and shortened."""

_OTHER: Final = re.compile(
    r"(?P<day>\d{1,2})(?P<th>er|[.º°])?(?P<a>(?: de)? )(?P<month>[^\W\d_]{3,10})(?P<dot>\.?)"
    r"(?P<b>(?: del?)? )(?P<year>\d{4}|\d{2})",
    re.IGNORECASE,
)

_WRITTEN: Final = re.compile(
    r"(?P<day>\d{1,2})(?P<th>st|nd|rd|th)?(?P<a>(?: of)?[ -])(?P<month>[a-z]{3,9})(?P<dot>\.?)(?P<b>,?[ -])(?P<year>\d{4}|\d{2})"
    r"|(?P<month2>[a-z]{3,9})(?P<dot2>\.?)(?P<a2> )(?P<day2>\d{1,2})(?P<th2>st|nd|rd|th)?(?P<b2>,? )(?P<year2>\d{4}|\d{2})",
    re.IGNORECASE,
)


def shift_date(value: str, days: int, *, day_first: bool) -> str | None:
    """Move a date, in its own look; None when the value is no date of the calendar."""
    if match := _DATE.fullmatch(value):
        return _shift_numeric(match, days, day_first=day_first)
    if (match := _WRITTEN.fullmatch(value)) and (moved := _shift_written(match, days)) is not None:
        return moved
    if match := _OTHER.fullmatch(value):
        return _shift_other(match, days)
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
    written = _cased(written, name)
    first, second = match["a" + suffix], match["b" + suffix]
    ordinal = f"{moved.day}{_ordinal(moved.day)}" if match["th" + suffix] else str(moved.day).zfill(2 if first == "-" else 1)
    standing = _year(moved, year)
    if match["month"]:
        return f"{ordinal}{first}{written}{match['dot']}{second}{standing}"
    return f"{written}{match['dot2']}{first}{ordinal}{second}{standing}"


def _shift_other(match: re.Match[str], days: int) -> str | None:
    name = match["month"].casefold()
    for language, months in _languages_of(match):
        at = next((place for place, names in enumerate(months) if name in names), None)
        moved = None if at is None else _moved(match["year"], at + 1, int(match["day"]), days)
        if at is None or moved is None:
            continue
        names = months[moved.month - 1]
        written = _cased(names[0] if name == months[at][0] else names[min(1, len(names) - 1)], match["month"])
        dot = match["dot"] if written.casefold() != names[0] else ""
        ordinal = match["th"] if match["th"] == "." or (match["th"] and moved.day == 1) else ""
        if language == "fr" and moved.day == 1:
            ordinal = "er"
        return f"{moved.day}{ordinal}{match['a']}{written}{dot}{match['b']}{_year(moved, match['year'])}"
    return None


def _languages_of(match: re.Match[str]) -> Iterable[tuple[str, tuple[tuple[str, ...], ...]]]:
    """Those first that write a date so: "3. mai", "3 de mayo"."""
    likely = "de" if match["th"] == "." else "es pt" if match["a"].strip() else "fr it nl es pt de"
    return sorted(OTHER_MONTHS.items(), key=lambda pair: (pair[0] not in likely, likely.find(pair[0])))


def _cased(written: str, like: str) -> str:
    return written.upper() if like.isupper() else written.capitalize() if like[0].isupper() else written


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
