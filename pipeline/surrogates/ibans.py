"""Account numbers of ISO 13616: country, length and look stay; the check digits never add up."""

import re
from typing import Final

from pipeline.replacing.atoms import Dice, shaped
from pipeline.replacing.pieces import whole

LENGTHS: Final = range(12, 36)
"""Signs of an account number, and of what readers that look for one take."""

_START: Final = re.compile(r"(?=[a-z]{2}\d\d[a-z\d]{8})")


def iban(shape: str, dice: Dice, longer: int) -> str:
    """Country and length of the original; the check digits are 00 or 01, which ISO 7064 never gives, and do not even add up."""
    country, account = shape[:2], shaped("00" + shape[4:], dice, longer)[2:]
    # 00 leaves the remainder that 97 does, so one account in 97 would pass a reader that only divides
    return country + ("01" if _adds_up(f"{country}00{account}") else "00") + account


def no_account(shape: str, dice: Dice, longer: int) -> str:
    """A code of any shape in which nothing adds up as an account number: one in 97 would, cut out of it by chance."""
    drawn = shaped(shape, dice, longer)
    while any(_adds_up(drawn[start.start() : end]) for start in _START.finditer(drawn) for end in _ends(drawn, start.start())):
        drawn = shaped(shape, dice, longer)
    return drawn


def _ends(drawn: str, start: int) -> range:
    return range(start + LENGTHS.start, min(len(drawn) + 1, start + LENGTHS.stop))


def _adds_up(code: str) -> bool:
    """ISO 7064, MOD 97-10."""
    return int("".join(str(int(sign, 36)) for sign in code[4:] + code[:4])) % 97 == 1


def _iban_shape(code: str) -> str:
    return code[:4] + "".join("#" if sign.isdecimal() else "@" for sign in code[4:])


apart = whole("iban", _iban_shape, lambda code: code.isascii() and code[2:4].isdecimal())
