"""Account numbers keep their country and never add up."""

import re

import pytest

from checks.scrub import residual
from tests.pipeline.standins import replaced


def test_no_iban_adds_up_whatever_the_key_draws() -> None:
    for number in range(500):
        code = replaced("IBAN_CODE", f"GB82WEST{number:014d}")
        assert int("".join(str(int(sign, 36)) for sign in code[4:] + code[:4])) % 97 != 1, code


@pytest.mark.parametrize("code", ["GB82WEST{:014d}", "DE89{:018d}", "FR14{:016d}0M026", "PL61{:024d}"])
def test_no_groups_of_an_iban_pass_for_a_card_whatever_the_key_draws(code: str) -> None:
    for number in range(300):
        plain = replaced("IBAN_CODE", code.format(number))
        printed = " ".join(plain[start : start + 4] for start in range(0, len(plain), 4))
        assert "cards" not in residual(f"my IBAN is {printed}, thanks"), printed


def test_ibans_keep_their_country_and_fail_their_check() -> None:
    standin = replaced("IBAN_CODE", "GB82 WEST 1234 5698 7654 32")
    assert re.fullmatch(r"GB00 [A-Z]{4} \d{4} \d{4} \d{4} \d\d", standin)
