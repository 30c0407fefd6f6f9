"""Dates move in their own look, by whole weeks."""

import pytest

from pipeline.surrogates.dates import shift_date
from tests.pipeline.standins import STANDINS


@pytest.mark.parametrize(
    ("date", "moved"),
    [
        ("2026-02-27", "2026-03-06"),
        ("02/27/2026", "03/06/2026"),
        ("27.02.2026", "06.03.2026"),
        ("2/27/26", "3/6/26"),
        ("27 February 2026", "6 March 2026"),
        ("Feb 27th, 2026", "Mar 6th, 2026"),
        ("27-FEB-2026", "06-MAR-2026"),
        ("12 mars 2024", "19 mars 2024"),
        ("25 décembre 2023", "1er janvier 2024"),
        ("1er AOÛT 2024", "8 AOÛT 2024"),
        ("3. März 2024", "10. März 2024"),
        ("30. Dez. 2024", "6. Jan. 2025"),
        ("28 de mayo de 2023", "4 de junio de 2023"),
        ("28 de março de 2023", "4 de abril de 2023"),
        ("12 gennaio 2024", "19 gennaio 2024"),
        ("26 mei 2021", "2 juni 2021"),
    ],
)
def test_dates_move_in_their_own_look(date: str, moved: str) -> None:
    assert shift_date(date, 7, day_first=False) == moved


@pytest.mark.parametrize(
    "no_date", ["31/06/1996", "99/99/9999", "soon", "2026", "27 Brumaire 2026", "31 de febrero de 2023", "31/12/9999"]
)
def test_what_is_no_date_of_the_calendar_is_not_moved(no_date: str) -> None:
    assert shift_date(no_date, 7, day_first=True) is None


@pytest.mark.parametrize(("date", "day_first", "moved"), [("3/4/2026", True, "10/4/2026"), ("3/4/2026", False, "3/11/2026")])
def test_params_say_whether_the_day_stands_first(date: str, day_first: bool, moved: str) -> None:
    assert shift_date(date, 7, day_first=day_first) == moved


@pytest.mark.parametrize("customer", [f"customer-{number}" for number in range(30)])
def test_dates_of_a_customer_move_by_whole_weeks_but_never_by_none(customer: str) -> None:
    days = STANDINS.days_for(customer, 4)
    assert days % 7 == 0
    assert 7 <= abs(days) <= 28
