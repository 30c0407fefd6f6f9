"""Account numbers of ISO 13616: country, length and look stay; the check digits never add up."""

import re
from typing import Final

from pipeline.replacing.atoms import Dice, shaped
from pipeline.replacing.pieces import whole
from pipeline.surrogates import cards

GROUP: Final = 4
"""Signs that stand together in print (ISO 13616-1)."""

_NUMBER: Final = re.compile(r"\d+")


def iban(shape: str, dice: Dice, longer: int) -> str:
    """Country and length of the original; the check digits are 00 or 01, which ISO 7064 never gives, and do not even add up.

    What passes for a card number in it, as one in ten would by chance, is drawn again.
    """
    country, account = shape[:2], shaped(shape[4:], dice, longer)
    while _holds_a_card(account):
        account = shaped(shape[4:], dice, longer)
    # 00 leaves the remainder that 97 does, so one account in 97 would pass a reader that only divides
    adds_up = int("".join(str(int(sign, 36)) for sign in f"{account}{country}00")) % 97 == 1
    return country + ("01" if adds_up else "00") + account


def _holds_a_card(account: str) -> bool:
    """Whether groups that stand together, all of digits, pass for a card number."""
    return any(
        cards.luhn_sum(account[start:end]) % 10 == 0
        for row in _NUMBER.finditer(account)
        for start in range(-row.start() % GROUP + row.start(), row.end(), GROUP)
        for end in (*range(start + GROUP, row.end(), GROUP), row.end())
        if end - start in cards.LENGTHS
    )


def _iban_shape(code: str) -> str:
    return code[:4] + "".join("#" if sign.isdecimal() else "@" for sign in code[4:])


apart = whole("iban", _iban_shape, lambda code: code.isascii() and code[2:4].isdecimal())
