"""Cards keep their brand and cannot be charged."""

import re

import pytest

from pipeline.replacing.atoms import normal_code
from pipeline.replacing.number_signs import luhn_sum
from tests.pipeline.standins import replaced


@pytest.mark.parametrize("card", ["4111 1111 1111 1111", "5500-0000-0000-0004", "378282246310005", "6011111111111117"])
def test_cards_keep_brand_length_and_look_and_fail_their_check(card: str) -> None:
    standin = replaced("CREDIT_CARD", card)
    assert re.sub(r"\d", "0", standin) == re.sub(r"\d", "0", card)
    assert standin[0] == card[0]
    assert luhn_sum(normal_code(standin)) % 10


@pytest.mark.parametrize("length", [12, 13, 16, 19])
def test_the_stand_in_of_an_account_number_as_long_as_a_card_is_none(length: int) -> None:
    numbers = [str(7 * 10 ** (length - 1) + 104_729 * step) for step in range(100)]  # one in ten would be, by chance
    standins = [replaced("ACCOUNT_NUMBER", number) for number in numbers]
    assert {len(standin) for standin in standins} == {length}
    assert [standin for standin in standins if luhn_sum(standin) % 10 == 0] == []
