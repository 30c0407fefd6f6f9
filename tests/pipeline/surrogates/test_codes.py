"""Codes keep their shape; short numbers change places."""

import re

import pytest

from pipeline.replacing.atoms import Atom
from tests.pipeline.standins import STANDINS, replaced


def test_codes_keep_their_shape() -> None:
    assert re.fullmatch(r"[A-Z]{2}-\d{5}/[a-z]", replaced("ORDER_NUMBER", "AB-10423/x"))


def test_full_width_digits_are_the_same_number() -> None:
    assert replaced("ACCOUNT_NUMBER", "\uff18\uff15\uff17\uff13\uff11") == replaced("ACCOUNT_NUMBER", "85731")


@pytest.mark.parametrize("length", [1, 2, 3])
def test_short_numbers_change_places_in_a_circle(length: int) -> None:
    space = [f"{number:0{length}d}" for number in range(10**length)]
    standins = [STANDINS.drawn(Atom("short", value)) for value in space]
    assert sorted(standins) == space
    assert all(value != standin for value, standin in zip(space, standins, strict=True))
