"""Account numbers of ISO 13616: country, length and look stay; the check digits never add up."""

from pipeline.replacing.atoms import Dice, shaped
from pipeline.replacing.pieces import whole


def iban(shape: str, dice: Dice, longer: int) -> str:
    """Country and length of the original; the check digits are 00 or 01, which ISO 7064 never gives, and do not even add up."""
    country, account = shape[:2], shaped(shape[4:], dice, longer)
    # 00 leaves the remainder that 97 does, so one account in 97 would pass a reader that only divides
    adds_up = int("".join(str(int(sign, 36)) for sign in f"{account}{country}00")) % 97 == 1
    return country + ("01" if adds_up else "00") + account


def _iban_shape(code: str) -> str:
    return code[:4] + "".join("#" if sign.isdecimal() else "@" for sign in code[4:])


apart = whole("iban", _iban_shape)
