"""Card numbers: brand, length and look stay; the check digit is wrong, so that no bank ever issued it."""

from typing import Final

from pipeline.replacing.atoms import Dice, shaped
from pipeline.replacing.pieces import whole

LENGTHS: Final = range(12, 20)
"""Digits of a primary account number: ISO/IEC 7812-1 has up to 19, and 12 are the fewest in use."""


def card(shape: str, dice: Dice, longer: int) -> str:
    """Brand digits and length of the original; the check digit is wrong, so that no bank ever issued it."""
    body = shaped(shape[:-1], dice, longer)
    right = -luhn_sum(body + "0") % 10
    return body + str((right + 1 + dice.below(9)) % 10)


def luhn_sum(digits: str) -> int:
    """Sum of ISO/IEC 7812-1 annex B; a multiple of 10 for a valid card number."""
    doubled = (int(digit) * (2 if place % 2 else 1) for place, digit in enumerate(reversed(digits)))
    return sum(number - 9 if number > 9 else number for number in doubled)  # noqa: PLR2004  # two digits become their sum


def _card_shape(code: str) -> str:
    brand = 2 if code[:1] in {"3", "5"} else 4 if code[:4] == "6011" else 1
    return code[:brand] + "#" * (len(code) - brand)


apart = whole("card", _card_shape, str.isdecimal)
