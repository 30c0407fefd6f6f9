"""Times as help desks write them, as UTC microseconds."""

from datetime import UTC, datetime

import pytest

from pipeline.reading.drafts import Refused
from pipeline.reading.times import microseconds

NOON = int(datetime(2026, 1, 5, 12, tzinfo=UTC).timestamp()) * 10**6


@pytest.mark.parametrize(
    ("value", "zone", "pattern"),
    [
        ("2026-01-05T12:00:00Z", None, None),
        ("2026-01-05T13:00:00+01:00", None, None),
        ("2026-01-05 12:00:00 UTC", None, None),
        ("2026-01-05 12:00:00", "UTC", None),
        ("2026-01-05 13:00:00", "Europe/Berlin", None),
        ("2026-01-05 07:00:00", "America/New_York", None),
        ("05.01.2026 13:00", "Europe/Berlin", "%d.%m.%Y %H:%M"),
        (NOON // 10**6, None, None),
        (NOON // 10**3, None, None),
        (NOON, None, None),
        (str(NOON // 10**6), None, None),
        ("1767614400.000000", None, None),
        (1767614400.0, None, None),
        (NOON * 1000, None, None),
        ("2026-01-05 13:00:00 Europe/Berlin", "UTC", None),
        ("2026-01-05 04:00:00 PST", "UTC", None),
        ("2026-01-05 14:00:00 CEST", "UTC", None),
        ("Mon, 05 Jan 2026 12:00:00 GMT", "Europe/Berlin", None),
        ("5 Jan 2026 13:00:00 +0100 (CET)", None, None),
        ("Mon Jan 05 2026 13:00:00 GMT+0100 (Central European Standard Time)", None, None),
        ("1/5/26, 12:00\u202fPM", "UTC", "%m/%d/%y, %I:%M %p"),
    ],
)
def test_one_moment_in_every_spelling(value: object, zone: str | None, pattern: str | None) -> None:
    assert microseconds(value, zone, pattern, "at") == NOON


def test_summer_time_is_the_zone_s_own() -> None:
    summer = microseconds("2026-07-05 12:00:00", "Europe/Berlin", None, "at")

    assert summer == int(datetime(2026, 7, 5, 10, tzinfo=UTC).timestamp()) * 10**6


def test_fractions_of_a_second_are_kept() -> None:
    assert microseconds("2026-01-05T12:00:00.123456Z", None, None, "at") == NOON + 123456


@pytest.mark.parametrize("value", [None, ""])
def test_no_time_is_null(value: str | None) -> None:
    assert microseconds(value, None, None, "at") is None


@pytest.mark.parametrize(
    "value",
    [
        "soon",
        "2026-01-05 12:00:00 IST",
        "2026-01-05 12:00:00 Mars/Base",
        "2026-13-01T00:00:00Z",
        1e300,
        float("nan"),
        True,
        [],
        {},
        "9" * 400,
        "0001-01-01T00:00:00+14:00x",
    ],
)
def test_what_is_no_time_is_refused(value: object) -> None:
    with pytest.raises(Refused) as refusal:
        microseconds(value, "UTC", None, "at")

    assert (refusal.value.reason, refusal.value.detail) == ("bad_time", "at")


def test_a_time_without_a_zone_is_refused_where_none_is_declared() -> None:
    with pytest.raises(Refused) as refusal:
        microseconds("2026-01-05 12:00:00", None, None, "at")

    assert refusal.value.reason == "no_time_zone"
