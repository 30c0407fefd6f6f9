"""Telephone numbers keep their country and are nobody's."""

import re

import pytest

from pipeline.replacing.atoms import normal_code
from tests.pipeline.standins import replaced


@pytest.mark.parametrize(
    ("number", "look"),
    [
        ("(212) 867-5309", r"\(\d{3}\) 555-01\d\d"),
        ("+1 212 867 5309", r"\+1 \d{3} 555 01\d\d"),
        ("1-212-867-5309", r"1-\d{3}-555-01\d\d"),
        ("+44 7911 123456", r"\+44 \d{4} \d{6}"),
        ("020 7946 1234", r"0\d\d \d{4} \d{4}"),
        ("+49 (0)30 1234567", r"\+49 \(0\)\d\d \d{7,8}"),
    ],
)
def test_telephone_numbers_keep_their_country_and_look_in_reserved_ranges(number: str, look: str) -> None:
    assert re.fullmatch(look, replaced("PHONE_NUMBER", number))


def test_a_number_is_one_value_with_and_without_its_country_code() -> None:
    assert normal_code(replaced("PHONE_NUMBER", "+1 212 867 5309")) == "1" + normal_code(replaced("PHONE_NUMBER", "212.867.5309"))
    assert replaced("PHONE_NUMBER", "+44 20 7946 1234")[-6:] == replaced("PHONE_NUMBER", "020 7946 1234")[-6:]
