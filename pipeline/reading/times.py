"""Times of received files, as UTC microseconds."""

from datetime import UTC, datetime, timedelta, tzinfo
from functools import cache
from typing import Any, Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pipeline.errors import ParamsError
from pipeline.reading.drafts import Refused

EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND: Final = timedelta(microseconds=1)

_SECONDS_BELOW: Final = 10**11
_MILLISECONDS_BELOW: Final = 10**14
"""Unix times are told apart by size: seconds reach 10^11 in the year 5138, milliseconds 10^14 in 5138."""
_LATEST: Final = 253402300799 * 10**6
"""The last microseconds that have a four-digit year."""


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
        value: ISO 8601, "2026-01-05 12:00:00", or a Unix time in seconds, milliseconds or microseconds.
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
            moment = datetime.strptime(value, pattern) if pattern else _iso(value)  # noqa: DTZ007  # the zone comes below
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
    return datetime.fromisoformat(bare)


def _unix(value: float, where: str) -> int:
    size = abs(value)
    if size < _SECONDS_BELOW:
        moment = round(value * 1_000_000)
    elif size < _MILLISECONDS_BELOW:
        moment = round(value * 1_000)
    else:
        moment = round(value)
    if abs(moment) > _LATEST:
        raise Refused("bad_time", where)
    return moment
