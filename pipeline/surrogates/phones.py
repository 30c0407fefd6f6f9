"""Telephone numbers: of the same country, from ranges nobody is given.

555-0100 to 555-0199 (NANPA), Ofcom and ARCEP numbers for drama, Bundesnetzagentur "Drama-Nummern"; elsewhere a number that
begins with 00 after its trunk prefix, which no plan has.
"""

import re
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from typing import Final

import phonenumbers

from pipeline.replacing.atoms import Atom, Dice, Draw, Piece, Slot, normal_code, shaped
from pipeline.replacing.number_signs import luhn_sum
from pipeline.replacing.pieces import SHORT, code

NANP_DIGITS: Final = 10
"""Digits of a number in North America without its 1."""

COUNTRY_CODES: Final = frozenset(map(str, phonenumbers.COUNTRY_CODE_TO_REGION_CODE))


def _nanp(_shape: str, dice: Dice, longer: int) -> str:
    """Area code and 555-01xx; when those are all taken, area codes that begin with 0 or 1, which never exist."""
    if longer:
        return dice.pick(("0", "1")) + shaped("#########", dice, longer - 1)
    return dice.pick("23456789") + dice.pick("02345678") + shaped("#55501##", dice, 0)


def _in(country: str, *ranges: str) -> Draw:
    def draw(shape: str, dice: Dice, longer: int) -> str:
        while True:
            number = shaped("0" + shape, dice, longer - 1) if longer else shaped(dice.pick(ranges), dice, 0)
            if all(luhn_sum(before + number) % 10 for before in (country, f"{country}0")):  # where the + is not read
                return number

    return draw


def _elsewhere(shape: str, dice: Dice, longer: int) -> str:
    """A national number that begins with 00, as in no plan (Italy's begin with 0); its last ten digits begin with 0 too.

    The digit after that is low, so that the end of the country code and what follows are no number of North America.
    """
    zeros = max(2, len(shape) - NANP_DIGITS + 1)
    low = dice.pick("01") if len(shape) >= NANP_DIGITS - 1 else ""
    return "0" * zeros + low + shaped(shape[zeros + len(low) :], dice, longer)


RESERVED: Final = {
    "44": ("7700900###", "2079460###", "1632960###", "1134960###", "1144960###", "1174960###", "1214960###"),
    "49": ("3023125###", "6990009###", "4066969###", "2214710###", "8999998###"),
    "33": ("19900####", "26191####", "35301####", "46571####", "53649####", "63998####"),
    "61": ("25550####", "35550####", "75550####", "85550####", "491570###"),
}
"""Country code -> national numbers that nobody is given."""

NOBODYS: Final = re.compile(
    r"1\d{3}55501\d\d"
    + "".join(f"|{country}0?(?:{'|'.join(many).replace('#', '[0-9]')})" for country, many in RESERVED.items())
    + f"|(?:{'|'.join(sorted(COUNTRY_CODES))})0?00\\d+"
)
"""The digits of a number with its country code that nobody is given, 0 after it or not."""

PHONES: Final[Mapping[str, Draw]] = {
    "phone_1": _nanp,
    **{f"phone_{country}": _in(country, *ranges) for country, ranges in RESERVED.items()},
    "phone": _elsewhere,
}
"""Kind, which ends with the country code -> its draw."""


def telephone(value: str, countries: Sequence[str]) -> Iterator[Piece]:
    """The national number is the atom, so that one number is one value with and without its country code."""
    digits = normal_code(value)
    if not digits.isdecimal():  # letters: an extension, or 1-800-FLOWERS
        yield from code(value)
        return
    is_international = unicodedata.normalize("NFKC", value).lstrip(" (").startswith(("+", "00"))
    country, national = _international(digits) if is_international else _domestic(digits, countries)
    start = _position_of_digit(value, len(digits) - len(national))
    yield value[:start]
    yield Slot(
        Atom(f"phone_{country}" if f"phone_{country}" in PHONES else "phone", national, "#" * len(national)), value[start:]
    )


def _international(digits: str) -> tuple[str, str]:
    digits = digits.removeprefix("00")
    for length in (1, 2, 3):
        if digits[:length] in COUNTRY_CODES:
            national = digits[length:]
            return digits[:length], (national if digits[0] == "1" else national.removeprefix("0")) or digits
    return "", digits


def _domestic(digits: str, countries: Sequence[str]) -> tuple[str, str]:
    """The first of the countries where the number may exist."""
    for region in countries:
        code = str(phonenumbers.country_code_for_region(region.upper()))
        trunk = "1" if code == "1" else "0"
        if len(digits) == NANP_DIGITS + digits.startswith("1") if code == "1" else digits.startswith("0"):
            parsed = phonenumbers.PhoneNumber(country_code=int(code), national_number=int(digits.removeprefix(trunk) or 0))
            if phonenumbers.is_possible_number(parsed):
                return code, digits.removeprefix(trunk)
    if digits[0] != "0" and len(digits) == NANP_DIGITS + digits.startswith("1"):  # read so by everybody, whatever the countries
        return "1", digits[-NANP_DIGITS:]
    return "", digits[1:] if digits[0] == "0" and len(digits) > SHORT else digits


def _position_of_digit(value: str, number: int) -> int:
    for position, sign in enumerate(value):
        if sign.isdecimal():
            if not number:
                return position
            number -= 1
    return len(value)
