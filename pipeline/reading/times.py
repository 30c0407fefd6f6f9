"""Times of received files, as UTC microseconds."""

import re
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from email.utils import parsedate_to_datetime
from functools import cache
from typing import Any, Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pipeline.errors import ParamsError
from pipeline.reading.drafts import Refused

EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND: Final = timedelta(microseconds=1)

_SECONDS_BELOW: Final = 10**11
_MILLISECONDS_BELOW: Final = 10**14
_MICROSECONDS_BELOW: Final = 10**17
"""Unix times are told apart by size: seconds reach 10^11 in the year 5138, milliseconds 10^14, microseconds 10^17."""
_LATEST: Final = 253402300799 * 10**6
"""The last microseconds that have a four-digit year."""


_NAMED: Final = re.compile(r"(?P<time>\d{4}-\d\d-\d\d[T ].*\d) ?(?P<zone>[A-Z][A-Za-z_]+(?:/[A-Za-z_]+)*)")
"""2026-01-05 12:00:00 Europe/Berlin, or PST."""
_HOURS: Final = {
    "UT": 0, "EST": -5, "EDT": -4, "CST": -6, "CDT": -5, "MST": -7, "MDT": -6, "PST": -8, "PDT": -7,
    "CET": 1, "CEST": 2, "WEST": 1, "EEST": 3,
}  # fmt: skip
"""Short names with one meaning: those of RFC 2822, section 4.3, and Europe's, which no other zone has; others are refused."""
_BROWSER: Final = re.compile(
    r"[A-Z][a-z]{2} (?P<time>[A-Z][a-z]{2} \d\d \d{4} \d\d:\d\d:\d\d) GMT(?P<zone>[+-]\d{4})(?: \(.*\))?"
)
"""Mon Jan 05 2026 13:00:00 GMT+0100 (Central European Standard Time), as a browser prints a Date."""
_MAIL: Final = re.compile(
    r"(?:[A-Z][a-z]{2}, )?\d{1,2} [A-Z][a-z]{2} \d{4} \d\d:\d\d(?::\d\d)? (?:[+-]\d{4}|GMT|UTC?)(?: \(.*\))?"
)
"""Mon, 05 Jan 2026 12:00:00 +0000, as in the header of a mail (RFC 5322)."""


@cache
def zone_of(name: str | None) -> tzinfo | None:
    """The zone of an IANA name.

    Raises:
        ParamsError: there is no such zone.
    """
    if name is None:
        return None
    try:
        return UTC if name == "UTC" else ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise ParamsError(f"zone {name!r} is not an IANA time zone; write it as Europe/Berlin or UTC") from None


def microseconds(value: Any, zone: str | None, pattern: str | None, where: str) -> int | None:
    """UTC microseconds since 1970 of a time as it was received; null for no time.

    Args:
        value: ISO 8601, "2026-01-05 12:00:00" with or without the name of a zone, a date of a mail's header or of a browser,
            or a Unix time in seconds, milliseconds, microseconds or nanoseconds.
        zone: IANA zone of times that state none.
        pattern: strptime pattern, where the time is written in another way.
        where: field name for the refusal.
    Raises:
        Refused: it is no time, or states no zone and none is declared.
    """
    if value is None or value == "":
        return None
    try:
        if isinstance(value, str):
            moment = _patterned(value, pattern) if pattern else _iso(value)
        elif isinstance(value, bool):
            raise Refused("bad_time", where)
        else:
            moment = value
        if not isinstance(moment, datetime):
            return _unix(moment, where)
        if moment.tzinfo is None:
            declared = zone_of(zone)
            if declared is None:
                raise Refused("no_time_zone", where)
            moment = moment.replace(tzinfo=declared)
        return (moment - EPOCH) // MICROSECOND
    except (ValueError, TypeError, OverflowError):
        raise Refused("bad_time", where) from None


def _iso(value: str) -> datetime | float:
    try:
        return datetime.fromisoformat(value)
    except ValueError:
        pass
    bare = value.strip()
    if bare.endswith(" UTC"):  # as warehouses print it: 2026-01-05 12:00:00 UTC
        bare = bare.removesuffix(" UTC") + "+00:00"
    elif bare.replace(".", "", 1).isdigit():
        return float(bare) if "." in bare else int(bare)
    elif match := _NAMED.fullmatch(bare):
        return datetime.fromisoformat(match["time"].strip()).replace(tzinfo=_named(match["zone"]))
    elif match := _BROWSER.fullmatch(bare):
        return datetime.strptime(match["time"] + match["zone"], "%b %d %Y %H:%M:%S%z")
    elif _MAIL.fullmatch(bare):
        return parsedate_to_datetime(bare)
    return datetime.fromisoformat(bare)


def _named(zone: str) -> tzinfo:
    if zone in _HOURS:
        return timezone(timedelta(hours=_HOURS[zone]))
    try:
        return ZoneInfo(zone)
    except (ZoneInfoNotFoundError, OSError):
        raise ValueError("no zone has this name") from None


def _patterned(value: str, pattern: str) -> datetime:
    try:
        return datetime.strptime(value, pattern)  # noqa: DTZ007  # the caller adds the zone
    except ValueError:
        return datetime.strptime(" ".join(value.split()), pattern)  # noqa: DTZ007  # browsers put U+202F before PM


def _unix(value: float, where: str) -> int:
    size = abs(value)
    if size < _SECONDS_BELOW:
        moment = round(value * 1_000_000)
    elif size < _MILLISECONDS_BELOW:
        moment = round(value * 1_000)
    else:
        moment = round(value) if size < _MICROSECONDS_BELOW else round(value) // 1_000
    if abs(moment) > _LATEST:
        raise Refused("bad_time", where)
    return moment
