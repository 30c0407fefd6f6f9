"""Days and times as phones of many languages write them: 15/01/2026, 9:05 AM; 2026. 1. 15. 오전 9:05; ١٥/١/٢٠٢٦، ٩:٠٥ ص.

Digits are those of any script, and marks of direction may stand anywhere among them. Which number is the day is declared, for a
text does not say. The words for the halves of a day are those of the Unicode CLDR (dayPeriods, abbreviated).
"""

# ruff: noqa: RUF001, RUF002, SIM905  # signs of many scripts are the matter of this module, and their words stand in lines

import re
from datetime import date, datetime, time, timedelta
from typing import Final, Literal

DateOrder = Literal["day_first", "month_first", "year_first"]

MARKS: Final = "\u200e\u200f\u061c\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\ufeff"
"""Marks of direction: what a program wrote begins with U+200E, Arabic numbers have U+200F between them."""

_MORNING: Final = (
    'am pg sa pd fm ap de öö 오전 上午 午前 凌晨 清晨 早上 صباحًا صباحا ص قظ قبلازظهر לפנה״צ לפנה"צ πμ дп прбб ก่อนเที่ยง '
    "पूर्वाह्न मपू முற்பகல் ಪೂರ್ವಾಹ್ನ"
).split()
_AFTERNOON: Final = (
    'pm ptg ch md em ip du ös 오후 下午 午後 中午 傍晚 晚上 مساءً مساء م بظ بعدازظهر אחה״צ אחה"צ μμ пп слоб หลังเที่ยง '
    "अपराह्न मउ பிற்பகல் ಅಪರಾಹ್ನ"
).split()
_BETWEEN: Final = "à às kl klo um alle ore at uhr h น".split()
"""What stands between the day and the time, or behind it, and says nothing."""

_HALVES: Final = {**dict.fromkeys(_MORNING, 0), **dict.fromkeys(_AFTERNOON, 12), **dict.fromkeys(_BETWEEN)}
_BLANKS: Final = r"[.\s]"
_WORD: Final = "|".join(
    rf"{_BLANKS}{{0,2}}".join(map(re.escape, word)) + r"\.?" for word in sorted(_HALVES, key=len, reverse=True)
)

_DAY: Final = (
    rf"(?P<date>\d{{1,4}}[{MARKS}]*(?:[./-]|\s?[年년])[{MARKS}]*\s?\d{{1,2}}[{MARKS}]*(?:[./-]|\s?[月월])[{MARKS}]*\s?\d{{1,4}})"
    r"(?:\s?[日일г])?\.?"
)
_TIME: Final = (
    rf"(?:(?P<before>{_WORD})[{MARKS}]*\s?)?[{MARKS}]*"
    rf"(?P<hour>\d{{1,2}})[:.](?P<minute>\d\d)(?:[:.](?P<second>\d\d))?[{MARKS}]*(?:\s?[{MARKS}]*(?P<after>{_WORD}))?"
)
_COMMA: Final = rf"[{MARKS}]*[,،，]?[{MARKS}]*"
DAY_AND_TIME: Final = rf"{_DAY}{_COMMA}(?:\s+|(?<=[日일]))[{MARKS}]*{_TIME}[{MARKS}]*"
"""The pattern, without regard to case: groups date, before, hour, minute, second, after."""
TIME_AND_DAY: Final = rf"{_TIME}{_COMMA}\s+[{MARKS}]*{_DAY}[{MARKS}]*"
"""The same groups where the time comes first, as in messages copied out of a browser: [9:05 AM, 1/15/2026]."""

_PLACES: Final[dict[str, tuple[int, int, int]]] = {
    "day_first": (2, 1, 0),
    "month_first": (2, 0, 1),
    "year_first": (0, 1, 2),
}
"""Where year, month and day stand."""

_HOURS_OF_A_HALF: Final = 12
_TWO_DIGITS: Final = 100
_CENTURY: Final = 2000
_YEARS: Final = range(2009, 2050)
"""No phone wrote chats before; a later one is a year of another calendar, cut to two digits, or no year."""
_BUDDHIST: Final = 543
"""Years that the calendar of Thailand is ahead."""
_PERSIAN_YEARS: Final = range(1388, 1429)
_PERSIAN_START: Final = date(2009, 3, 21)
"""The first day of 1388."""


def moment(found: re.Match[str], order: DateOrder) -> datetime | None:
    """The time that was found, without a zone; null where there is no such day in this order.

    Years of the Buddhist and the Persian calendar are those of no chat in ours, and are reckoned.
    """
    numbers = [int(each) for each in re.findall(r"\d+", found["date"])]
    year, month, day = (numbers[place] for place in _PLACES[order])
    hour = int(found["hour"])
    for word in (found["before"], found["after"]):
        half = _HALVES[re.sub(_BLANKS, "", word).lower()] if word else None
        if half is not None:
            hour = _noon(hour, half)
    try:
        at = time(hour, int(found["minute"]), int(found["second"] or 0))
        that_day = _day(year, month, day)
        return None if that_day is None else datetime.combine(that_day, at)
    except ValueError:
        return None


def _noon(hour: int, half: int) -> int:
    """The hour of the day; some count 13 and more behind a word for the afternoon, too."""
    return hour if hour > _HOURS_OF_A_HALF else hour % _HOURS_OF_A_HALF + half


def _day(year: int, month: int, day: int) -> date | None:
    if year in _PERSIAN_YEARS:
        return _of_persian(year, month, day)
    if year - _BUDDHIST in _YEARS:
        year -= _BUDDHIST
    year += _CENTURY if year < _TWO_DIGITS else 0
    return date(year, month, day) if year in _YEARS else None


def _of_persian(year: int, month: int, day: int) -> date | None:
    """The day in our calendar; leap years by the cycle of 33, which in these years agrees with the rule of the equinox.

    Source: Heydari-Malayeri, "A concise review of the Iranian calendar", 2004.
    """
    lengths = [31] * 6 + [30] * 5 + [30 if _is_leap(year) else 29]
    if not (1 <= month <= len(lengths) and 1 <= day <= lengths[month - 1]):
        return None
    days = sum(366 if _is_leap(each) else 365 for each in range(_PERSIAN_YEARS.start, year)) + sum(lengths[: month - 1])
    return _PERSIAN_START + timedelta(days=days + day - 1)


def _is_leap(persian_year: int) -> bool:
    return (25 * persian_year + 11) % 33 < 8  # noqa: PLR2004  # eight leap years of 33
