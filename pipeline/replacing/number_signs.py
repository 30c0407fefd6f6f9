"""Which digit a stand-in may go on with, so that nobody's number comes about by chance, however it is written or cut out.

A card number is told by its check digit, one in ten; a telephone number of North America by two of its ten digits. Every
digit is drawn so that it completes neither, in whatever row of digits the stand-in has.
"""

import re
from typing import Final

CARD_LENGTHS: Final = range(12, 20)
"""Digits of a primary account number: ISO/IEC 7812-1 has up to 19, and 12 are the fewest in use.

Eight lengths, so that of ten digits two are always left.
"""

PHONE_DIGITS: Final = 10
"""Digits of a number in North America without its 1."""

_EXCHANGE: Final = 3
"""Place of the first digit of the exchange, which is 2 to 9 as the first of the area code is."""

_LAST_DIGITS: Final = re.compile(r"[0-9]*\Z")


def luhn_sum(digits: str) -> int:
    """Sum of ISO/IEC 7812-1 annex B; a multiple of 10 for a valid card number."""
    doubled = (int(digit) * (2 if place % 2 else 1) for place, digit in enumerate(reversed(digits)))
    return sum(number - 9 if number > 9 else number for number in doubled)  # noqa: PLR2004  # two digits become their sum


def harmless(signs: str, before: str, after: int) -> str:
    """Those of the signs that complete nobody's number.

    Args:
        signs: which may come next.
        before: what is drawn already.
        after: how many digits follow without a break.
    """
    row = _LAST_DIGITS.findall(before)[0]
    barred = {str(-luhn_sum(row[len(row) - length + 1 :] + "0") % 10) for length in CARD_LENGTHS if len(row) >= length - 1}
    left = "".join(sign for sign in signs if sign not in barred)
    begins_phone = len(row) >= _EXCHANGE and row[-_EXCHANGE] > "1" and after >= PHONE_DIGITS - _EXCHANGE - 1
    if begins_phone and (low := "".join(sign for sign in left if sign in "01")):
        return low
    return left
