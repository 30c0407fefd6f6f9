r"""Keyed stand-ins for personal details: the same value, the same stand-in, in every turn, conversation and run.

A detail is taken apart into atoms: the words of a name, the digits of a number, the labels of a domain. Each atom is
replaced by a draw from a large space that is its own kind's, under the project key, so that the first name, the full
name and the e-mail address of one person agree with each other without any stored map.

How two promises about the whole corpus are kept without holding it in memory:

- *No stand-in equals a real value of the corpus, and two values never share one.* Names, domains, ids and numbers are drawn
  from spaces of millions and more; cards, phones, addresses of computers from ranges nobody is given. What chance still
  brings about is found by comparing keyed hashes: the first pass of `scrub` writes, for every atom of a part, the hash of
  the value and of its first draw. `settle` looks for draws that hit a real value or each other and sends those atoms to
  their second, third, ... draw, by deferred acceptance: a draw goes to the atom with the smallest keyed seed. The result
  is the one stable assignment (Gale and Shapley, 1962), so it depends on the set of values alone, not on the order of
  rows, parts or workers, nor on what an earlier run had seen.
- *A part is reused as long as its own draws stay the same*: its input digest holds the draws of its atoms that were
  moved, and nothing else of the corpus.

Exempt, because their spaces are too small or their meaning is kept: dates (shifted by whole weeks per customer, which
keeps intervals and weekdays), single letters, and words that name no person (street types, legal forms, particles).

A lost key cannot be replaced: under another key every stand-in is another.

Reserved ranges: domains RFC 2606; IPv4 RFC 5737, then RFC 2544 and RFC 1112 (240/4); IPv6 RFC 3849; MAC addresses
locally administered (IEEE 802); phone numbers 555-0100 to 555-0199 (NANPA), Ofcom and ARCEP numbers for drama,
Bundesnetzagentur "Drama-Nummern"; US social security numbers with area 9xx (never issued; groups left to ITINs avoided).
"""

import re
import unicodedata
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cache, partial
from hashlib import blake2b
from importlib import import_module
from typing import Final

import phonenumbers
import polars as pl

from pipeline.key import Key
from pipeline.schema import empty

DRAWS: Final = 64
"""Draws before a space counts as full; later draws are one digit or syllable longer."""

NANP_DIGITS: Final = 10
"""Digits of a number in North America without its 1."""

SHORT: Final = 4
"""Numbers with fewer digits have too few neighbours to be told from real ones."""

WORD_OR_NUMBER: Final = re.compile(r"\w*\d\w*|[^\W\d_]+(?:['\u2019][^\W\d_]+)*")
NUMBER_OR_LETTERS: Final = re.compile(r"\d+|[^\W\d_]+")
COUNTRY_CODES: Final = frozenset(map(str, phonenumbers.COUNTRY_CODE_TO_REGION_CODE))
_LETTERS: Final = "abcdefghijklmnopqrstuvwxyz"


class Dice:
    """Endless keyed randomness for one draw of one atom."""

    def __init__(self, seed: str, draw: int) -> None:
        """Start at the beginning; the same seed and draw give the same numbers."""
        self._seed = f"{seed}:{draw}".encode()
        self._block = 0
        self._left = 0

    def below(self, limit: int) -> int:
        """A number from 0 to limit - 1; `limit` is far below 2**32, so that the bias does not show."""
        if self._left < limit << 32:
            block = blake2b(self._seed + self._block.to_bytes(4, "big"), digest_size=32).digest()
            self._left = int.from_bytes(block, "big")
            self._block += 1
        self._left, number = divmod(self._left, limit)
        return number

    def pick(self, choices: Sequence[str]) -> str:
        """One of these."""
        return choices[self.below(len(choices))]


@dataclass(frozen=True)
class Atom:
    """The smallest thing that gets a stand-in."""

    kind: str
    """Which space it is drawn from: a key of `KINDS`."""

    value: str
    """Normalised: what makes two spellings the same value."""

    shape: str = ""
    """What the draw must look like, such as "@@###"; the stand-in depends on it too."""


# A draw: shape, dice, how much longer than the shape (0 until the space is full) -> a stand-in, normalised as values are.
Draw = Callable[[str, Dice, int], str]


def _listed(words: str) -> tuple[str, ...]:
    return tuple(words.split())


def _set(words: str) -> frozenset[str]:
    return frozenset(words.split())


_STARTS = _listed(
    "ad al an ar bel ben bran bri cal car cel cor dal dar del dor ed el em er fal fen fin gal gar hal har hel is jan "
    "jas jor jul kal kar kel lar len lor mal mar mel mir nal nor or pal per ral ros sal sel tal ter val vel wil yal "
    "zel"
)
_VOWELS = tuple("aeiou")
_MIDDLES = tuple(consonant + vowel for consonant in "bdfgklmnrstvz" for vowel in "aeio")
_FEMALE = _listed("la na ra lia nia ria line lyn dra tha lena rina mina ssa tta da belle nora sia vina wyn ya nda lora")
_MALE = _listed("ton den rick mond win bert ric lan fred mar son rin vin len dor bin gar mon ras tan vick wan lock nard")
_FAMILY_STARTS = _listed(
    "ash brook burn clay cold crest dale elm fair fen fern frost glen gold gran grey hart hawk hazel holl kirk lang "
    "lock marsh mead mill moor north oak pem quill raven red roth rush sand shel stan sum thorn tor under wal ware "
    "west whit wick win wolf wood york bram carl dun ever farn gar hal ing jar kel lin mer nor ol pres rad sel tan up "
    "ver wes"
)
_FAMILY_ENDS = _listed(
    "bury by croft dale den don fell field ford gate ham hill hurst land ley low man mere mont more ridge shaw side "
    "stead stone stow ton vale wald ward well wick wood worth yard berg stein feld mann sen sson ski vich ez"
)
_PLACE_ENDS = _listed("ville burg bury ford haven port field mouth dale ton stead minster bridge cliff grove hurst wick")


def _word(starts: tuple[str, ...], ends: tuple[str, ...]) -> Draw:
    def draw(_shape: str, dice: Dice, longer: int) -> str:
        middles = "".join(dice.pick(_MIDDLES) for _ in range(1 + longer))
        return dice.pick(starts) + dice.pick(_VOWELS) + middles + dice.pick(ends)

    return draw


_family = _word(_FAMILY_STARTS, _FAMILY_ENDS)

_SIGNS: Final = {
    "#": "0123456789",
    "@": "abcdefghijklmnopqrstuvwxyz",
    "%": "0123456789abcdef",
}
"""What a sign of a shape may become; every other sign stands for itself."""


def _shaped(shape: str, dice: Dice, longer: int) -> str:
    return "".join(dice.pick(_SIGNS[sign]) if sign in _SIGNS else sign for sign in shape + "#" * longer)


def _card(shape: str, dice: Dice, longer: int) -> str:
    """Brand digits and length of the original; the check digit is wrong, so that no bank ever issued it."""
    body = _shaped(shape[:-1], dice, longer)
    right = -luhn_sum(body + "0") % 10
    return body + str((right + 1 + dice.below(9)) % 10)


def luhn_sum(digits: str) -> int:
    """Sum of ISO/IEC 7812-1 annex B; a multiple of 10 for a valid card number."""
    doubled = (int(digit) * (2 if place % 2 else 1) for place, digit in enumerate(reversed(digits)))
    return sum(number - 9 if number > 9 else number for number in doubled)  # noqa: PLR2004  # two digits become their sum


def _iban(shape: str, dice: Dice, longer: int) -> str:
    """Country and length of the original; the check digits are 00 or 01, which ISO 7064 never gives, and do not even add up."""
    country, account = shape[:2], _shaped(shape[4:], dice, longer)
    # 00 leaves the remainder that 97 does, so one account in 97 would pass a reader that only divides
    adds_up = int("".join(str(int(sign, 36)) for sign in f"{account}{country}00")) % 97 == 1
    return country + ("01" if adds_up else "00") + account


def _ssn(_shape: str, dice: Dice, longer: int) -> str:
    return _shaped("9##", dice, 0) + f"{1 + dice.below(49):02d}{1 + dice.below(9999):04d}" + _shaped("", dice, longer)


def _phone_nanp(_shape: str, dice: Dice, longer: int) -> str:
    """Area code and 555-01xx; when those are all taken, area codes that begin with 0 or 1, which never exist."""
    if longer:
        return dice.pick(("0", "1")) + _shaped("#########", dice, longer - 1)
    return dice.pick("23456789") + dice.pick("02345678") + _shaped("#55501##", dice, 0)


def _phone_in(*ranges: str) -> Draw:
    def draw(shape: str, dice: Dice, longer: int) -> str:
        return _shaped("0" + shape, dice, longer - 1) if longer else _shaped(dice.pick(ranges), dice, 0)

    return draw


def _phone(shape: str, dice: Dice, longer: int) -> str:
    """A national number that begins with 0 after its trunk prefix: no plan has such subscribers."""
    return "0" + _shaped(shape[1:], dice, longer)


def _ipv4(_shape: str, dice: Dice, longer: int) -> str:
    if longer:
        return f"{240 + dice.below(15)}." + ".".join(str(dice.below(256)) for _ in range(3))
    return dice.pick(("192.0.2.", "198.51.100.", "203.0.113.")) + str(dice.below(256))


def _ipv6(_shape: str, dice: Dice, _longer: int) -> str:
    return "2001:db8:" + ":".join(f"{1 + dice.below(65535):x}" for _ in range(6))


def _mac(_shape: str, dice: Dice, _longer: int) -> str:
    return _shaped("02%%%%%%%%%%", dice, 0)


def _domain(_shape: str, dice: Dice, longer: int) -> str:
    return _family("", dice, longer) + dice.pick((".example.com", ".example.net", ".example.org"))


KINDS: Final[Mapping[str, Draw]] = {
    "female": _word(_STARTS, _FEMALE),
    "male": _word(_STARTS, _MALE),
    "family": _family,
    "place": _word(_FAMILY_STARTS, _PLACE_ENDS),
    "domain": _domain,
    "shape": _shaped,
    "card": _card,
    "iban": _iban,
    "ssn": _ssn,
    "ipv4": _ipv4,
    "ipv6": _ipv6,
    "mac": _mac,
    "phone_1": _phone_nanp,
    "phone_44": _phone_in("7700900###", "2079460###", "1632960###", "1134960###", "1144960###", "1174960###", "1214960###"),
    "phone_49": _phone_in("3023125###", "6990009###", "4066969###", "2214710###", "8999998###"),
    "phone_33": _phone_in("19900####", "26191####", "35301####", "46571####", "53649####", "63998####"),
    "phone_61": _phone_in("25550####", "35550####", "75550####", "85550####", "491570###"),
    "phone": _phone,
}


# --- taking a detail apart ----------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Slot:
    """A place in a detail where a stand-in goes: the atom, and the text whose look the stand-in takes on."""

    atom: Atom
    original: str


Piece = Slot | str
"""A stand-in's place, or text that stays."""

KEPT_WORDS: Final = _set(
    "mr mrs ms miss mx dr prof sir madam herr frau mme mlle sr sra srta von van der den de del della di da la le du "
    "dos das bin al el ibn ter ten zu zum jr sr ii iii iv phd md and und et y e of the c/o"
)
"""Titles, particles and suffixes: they name nobody."""

KEPT_IN_PLACES: Final = _set(
    "street st road rd avenue ave lane ln drive dr court ct boulevard blvd way place pl square sq terrace close "
    "crescent parkway pkwy highway hwy apt apartment suite ste unit floor flat no number po box p o building bldg "
    "north south east west n s e w the of and new san santa saint los las el la de strasse straße str platz weg gasse "
    "allee rue via calle plaza city county state republic united"
)

KEPT_IN_ORGANIZATIONS: Final = _set(
    "inc incorporated llc ltd limited corp corporation co company gmbh ag kg se plc sa sas spa srl bv nv ab oy as pty "
    "group holding holdings bank insurance university college school hospital clinic hotel restaurant the of and for "
    "& und et international national services service solutions systems technologies technology partners associates"
)


def normal_word(word: str) -> str:
    """A word as a value: compatibility forms, case, accents and apostrophes do not tell two people apart."""
    plain = unicodedata.normalize("NFKD", word.casefold())
    return "".join(sign for sign in plain if sign.isalnum())


def normal_code(code: str) -> str:
    """A number or code as a value: separators and case do not matter."""
    signs = unicodedata.normalize("NFKC", code).casefold()
    return "".join(str(unicodedata.decimal(sign, sign)) for sign in signs if sign.isalnum())


def _words(value: str, kept: frozenset[str], kind: Callable[[str], str]) -> Iterator[Piece]:
    position = 0
    for match in WORD_OR_NUMBER.finditer(value):
        yield value[position : match.start()]
        text, suffix = match.group(), ""
        if text.casefold().endswith(("'s", "\u2019s")):
            text, suffix = text[:-2], text[-2:]
        if any(sign.isdecimal() for sign in text):
            yield from _code(text)
        elif text.casefold() in kept:
            yield text
        else:
            word = normal_word(text)
            yield Slot(Atom(kind(word) if len(word) > 1 else "letter", word), text) if word else text
        yield suffix
        position = match.end()
    yield value[position:]


def _person(value: str) -> Iterator[Piece]:
    return _words(value, KEPT_WORDS, name_kind)


def _place(value: str) -> Iterator[Piece]:
    return _words(value, KEPT_IN_PLACES, lambda _word: "place")


def _organization(value: str) -> Iterator[Piece]:
    return _words(value, KEPT_IN_ORGANIZATIONS, lambda _word: "family")


def _handle(value: str) -> Iterator[Piece]:
    """User names and local parts: words that are names agree with the person's, glued or not (johnsmith, jsmith)."""
    position = 0
    for match in NUMBER_OR_LETTERS.finditer(value):
        yield value[position : match.start()]
        text = match.group()
        if text[0].isdecimal():
            yield from _code(text)
        else:
            for part in _unglue(text):
                word = normal_word(part)
                yield Slot(Atom(name_kind(word) if len(word) > 1 else "letter", word), part) if word else part
        position = match.end()
    yield value[position:]


def _unglue(text: str) -> tuple[str, ...]:
    word = text.casefold()
    if len(word) != len(text) or word in given_names() or word in family_names():
        return (text,)
    for end in range(len(word) - 3, 2, -1):
        if word[:end] in given_names() and word[end:] in family_names():
            return text[:end], text[end:]
    if len(word) > 4 and word[1:] in family_names():  # noqa: PLR2004  # an initial and at least four letters
        return text[0], text[1:]
    return (text,)


def _email(value: str) -> Iterator[Piece]:
    local, at, domain = value.rpartition("@")
    yield from _handle(local)
    yield at
    yield Slot(Atom("domain", domain.casefold()), domain)


_URL = re.compile(
    r"(?P<scheme>[a-z][a-z0-9+.-]*://)?(?:(?P<user>[^\s/@]+)@)?(?P<www>www\d*\.)?(?P<host>[^\s/:?#]+)(?P<rest>.*)",
    re.IGNORECASE | re.DOTALL,
)


def _url(value: str) -> Iterator[Piece]:
    match = _URL.fullmatch(value)
    if match is None:
        yield from _handle(value)
        return
    yield match["scheme"] or ""
    if match["user"]:
        yield from _handle(match["user"])
        yield "@"
    yield match["www"] or ""
    yield Slot(Atom("domain", match["host"].casefold()), match["host"])
    position = 0
    rest = match["rest"]
    for part in re.finditer(r"[^\W_]+", rest):
        yield rest[position : part.start()]
        text = part.group()
        if any(sign.isdecimal() for sign in text):
            yield from _code(text)
        elif text.casefold() in given_names() or text.casefold() in family_names():
            yield from _person(text)
        else:
            yield text
        position = part.end()
    yield rest[position:]


def _code(value: str) -> Iterator[Piece]:
    """Numbers and codes of any shape; short numbers have a space of their own."""
    code = normal_code(value)
    if code.isdecimal() and len(code) < SHORT:
        yield Slot(Atom("short", code), value) if code else value
    elif any(sign.isdecimal() for sign in code):
        yield Slot(Atom("shape", code, "".join("#" if sign.isdecimal() else "@" for sign in code)), value)
    else:
        yield from _words(value, frozenset(), lambda _word: "family")


def _whole(kind: str, shape: Callable[[str], str]) -> "Form":
    def apart(value: str) -> Iterator[Piece]:
        code = normal_code(value)
        yield Slot(Atom(kind, code, shape(code)), value)

    return apart


def _card_shape(code: str) -> str:
    brand = 2 if code[:1] in {"3", "5"} else 4 if code[:4] == "6011" else 1
    return code[:brand] + "#" * (len(code) - brand)


def _iban_shape(code: str) -> str:
    return code[:4] + "".join("#" if sign.isdecimal() else "@" for sign in code[4:])


def _hex_shape(code: str) -> str:
    return "%" * len(code)


def _ip(value: str) -> Iterator[Piece]:
    address, slash, length = value.partition("/")
    yield Slot(Atom("ipv6" if ":" in address else "ipv4", address.casefold()), address)
    yield slash + length


def _telephone(value: str, countries: Sequence[str]) -> Iterator[Piece]:
    """The national number is the atom, so that one number is one value with and without its country code."""
    digits = normal_code(value)
    if not digits.isdecimal():  # letters: an extension, or 1-800-FLOWERS
        yield from _code(value)
        return
    is_international = unicodedata.normalize("NFKC", value).lstrip(" (").startswith(("+", "00"))
    country, national = _international(digits) if is_international else _domestic(digits, countries)
    start = _position_of_digit(value, len(digits) - len(national))
    yield value[:start]
    yield Slot(Atom(f"phone_{country}" if f"phone_{country}" in KINDS else "phone", national, "#" * len(national)), value[start:])


def _international(digits: str) -> tuple[str, str]:
    digits = digits.removeprefix("00")
    for length in (1, 2, 3):
        if digits[:length] in COUNTRY_CODES:
            return digits[:length], digits[length:].removeprefix("0") or digits
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
    return "", digits[1:] if digits[0] == "0" and len(digits) > SHORT else digits


def _position_of_digit(value: str, number: int) -> int:
    for position, sign in enumerate(value):
        if sign.isdecimal():
            if not number:
                return position
            number -= 1
    return len(value)


Form = Callable[[str], Iterator[Piece]]

FORMS: Final[Mapping[str, Form]] = {
    "PERSON": _person,
    "LOCATION": _place,
    "GPE": _place,
    "STREET_ADDRESS": _place,
    "ORGANIZATION": _organization,
    "NRP": _place,
    "EMAIL_ADDRESS": _email,
    "USER_NAME": _handle,
    "URL": _url,
    "DOMAIN_NAME": _url,
    "CREDIT_CARD": _whole("card", _card_shape),
    "IBAN_CODE": _whole("iban", _iban_shape),
    "US_SSN": _whole("ssn", lambda _code: "#########"),
    "IP_ADDRESS": _ip,
    "MAC_ADDRESS": _whole("mac", _hex_shape),
    "UUID": _whole("shape", _hex_shape),
}
"""How a detail of a type is taken apart; every other type is a code."""


# --- looks --------------------------------------------------------------------------------------------------------------


_DANGLING: Final = re.compile(r"\W+\Z")


def dress(standin: str, original: str) -> str:
    """Give a normalised stand-in the look of the original: its case if it is a word, else its separators and case.

    >>> dress("belamira", "CRYSTAL"), dress("41x9", "22-A 1")
    ('BELAMIRA', '41-X 9')
    """
    if standin.isalpha() and not any(sign.isdecimal() for sign in original):
        if original.islower():
            return standin
        return standin.upper() if original.isupper() and len(original) > 1 else standin.capitalize()
    if "." in standin or ":" in standin:
        return standin
    signs = iter(standin)
    dressed: list[str] = []
    for old in original:
        if old.isalnum():
            sign = next(signs, "")
            dressed.append(sign.upper() if old.isupper() else sign)
        else:
            dressed.append(old)
    look = "".join(dressed) + "".join(signs)
    return look if len(standin) >= sum(map(str.isalnum, original)) else _DANGLING.sub("", look)


# --- names people have --------------------------------------------------------------------------------------------------

_LOCALES: Final = ("en_US", "en_GB", "en_IN", "de_DE", "fr_FR", "es_ES", "it_IT", "nl_NL", "pt_BR", "sv_SE", "tr_TR", "cs_CZ")
"""Locales of Faker whose lists of names, in Latin letters, tell given names and their gender."""


@cache
def given_names() -> Mapping[str, str]:
    """Given name, normalised -> "female" or "male"; names of both count as the gender more locales give them."""
    votes: dict[str, int] = {}
    for provider in _name_lists():
        for attribute, vote in (("first_names_female", 1), ("first_names_male", -1)):
            for name in set(getattr(provider, attribute, ())):
                word = normal_word(name)
                votes[word] = votes.get(word, 0) + vote
    return {word: "female" if vote > 0 else "male" for word, vote in votes.items() if len(word) > 2}  # noqa: PLR2004


@cache
def family_names() -> frozenset[str]:
    """Family names, normalised."""
    return frozenset(normal_word(name) for provider in _name_lists() for name in getattr(provider, "last_names", ()))


def _name_lists() -> Iterator[object]:
    for locale in _LOCALES:
        yield import_module(f"faker.providers.person.{locale}").Provider


def name_kind(word: str) -> str:
    """The space from which a word of a name is drawn: by what the word is, so that it is the same wherever it stands."""
    return given_names().get(word, "family")


# --- dates --------------------------------------------------------------------------------------------------------------

_DATE: Final = re.compile(
    r"(?P<first>\d{1,4})(?P<between>[-/.])(?P<second>\d{1,2})(?P=between)(?P<third>\d{4}|\d{2})(?P<rest>.*)", re.DOTALL
)
MONTHS_IN_YEAR: Final = 12
YEAR_DIGITS: Final = 4
_PIVOT: Final = 70
"""Two-digit years below it belong to this century."""


_MONTHS: Final = _listed("january february march april may june july august september october november december")
_WRITTEN: Final = re.compile(
    r"(?P<day>\d{1,2})(?P<th>st|nd|rd|th)?(?P<a>(?: of)?[ -])(?P<month>[a-z]{3,9})(?P<dot>\.?)(?P<b>,?[ -])(?P<year>\d{4}|\d{2})"
    r"|(?P<month2>[a-z]{3,9})(?P<dot2>\.?)(?P<a2> )(?P<day2>\d{1,2})(?P<th2>st|nd|rd|th)?(?P<b2>,? )(?P<year2>\d{4}|\d{2})",
    re.IGNORECASE,
)


def shift_date(value: str, days: int, *, day_first: bool) -> str | None:
    """Move a date, in its own look; None when the value is no date of the calendar."""
    if match := _DATE.fullmatch(value):
        return _shift_numeric(match, days, day_first=day_first)
    if match := _WRITTEN.fullmatch(value):
        return _shift_written(match, days)
    return None


def _shift_numeric(match: re.Match[str], days: int, *, day_first: bool) -> str | None:
    parts = [match["first"], match["second"], match["third"]]
    if len(parts[0]) == YEAR_DIGITS:
        places = (0, 1, 2)
    elif int(parts[0]) > MONTHS_IN_YEAR or (day_first and int(parts[1]) <= MONTHS_IN_YEAR):
        places = (2, 1, 0)
    else:
        places = (2, 0, 1)
    year, month, day = (parts[place] for place in places)
    moved = _moved(year, int(month), int(day), days)
    if moved is None:
        return None
    is_padded = len(month) == len(day) == 2  # noqa: PLR2004  # as in 03/04
    for place, number in zip(places, (_year(moved, year), moved.month, moved.day), strict=True):
        parts[place] = str(number).zfill(2 if is_padded else 1)
    return match["between"].join(parts) + match["rest"]


def _shift_written(match: re.Match[str], days: int) -> str | None:
    suffix = "" if match["month"] else "2"
    name, day, year = (match[group + suffix] for group in ("month", "day", "year"))
    number = next((place for place, month in enumerate(_MONTHS, 1) if month.startswith(name.lower()[:3])), 0)
    moved = _moved(year, number, int(day), days) if number else None
    if moved is None or not (_MONTHS[number - 1].startswith(name.lower()) or name.lower() == "sept"):
        return None
    full = _MONTHS[moved.month - 1]
    written = full if name.lower() in _MONTHS and name.lower() != "may" else full[:3]
    written = written.upper() if name.isupper() else written.capitalize() if name[0].isupper() else written
    first, second = match["a" + suffix], match["b" + suffix]
    ordinal = f"{moved.day}{_ordinal(moved.day)}" if match["th" + suffix] else str(moved.day).zfill(2 if first == "-" else 1)
    standing = _year(moved, year)
    if match["month"]:
        return f"{ordinal}{first}{written}{match['dot']}{second}{standing}"
    return f"{written}{match['dot2']}{first}{ordinal}{second}{standing}"


def _moved(year: str, month: int, day: int, days: int) -> date | None:
    full = int(year) if len(year) == YEAR_DIGITS else int(year) + (2000 if int(year) < _PIVOT else 1900)
    try:
        return date(full, month, day) + timedelta(days)
    except (ValueError, OverflowError):
        return None


def _year(moved: date, like: str) -> str:
    return f"{moved.year:04d}" if len(like) == YEAR_DIGITS else f"{moved.year % 100:02d}"


def _ordinal(day: int) -> str:
    return "th" if day in {11, 12, 13} else {1: "st", 2: "nd", 3: "rd"}.get(day % 10, "th")


# --- the key holder -----------------------------------------------------------------------------------------------------


class Surrogates:
    """Stand-ins under one project key."""

    def __init__(self, key: Key, moved: Mapping[str, int] | None = None, countries: Sequence[str] = ()) -> None:
        """Use the first draw of every atom but those in `moved` (seed -> number of the draw).

        A telephone number without a country code belongs to the first of `countries` where it may exist.
        """
        self._key = key
        self._moved = moved or {}
        self._countries = countries
        self._forms: dict[tuple[str, str], list[Piece]] = {}
        self._drawn: dict[Atom, str] = {}
        self._nth: dict[tuple[Atom, int], str] = {}
        self._circles: dict[tuple[str, int], Mapping[str, str]] = {}

    def apart(self, entity_type: str, value: str) -> list[Piece]:
        """The pieces of a detail."""
        known = self._forms.get((entity_type, value))
        if known is None:
            form = (
                FORMS.get(entity_type, _code) if entity_type != "PHONE_NUMBER" else partial(_telephone, countries=self._countries)
            )
            known = self._forms[entity_type, value] = [piece for piece in form(value) if piece != ""]
        return known

    def atoms(self, entity_type: str, value: str) -> Iterator[Atom]:
        """The atoms of a detail that must have stand-ins of their own."""
        for piece in self.apart(entity_type, value):
            if isinstance(piece, Slot) and piece.atom.kind in KINDS:
                yield piece.atom

    def replace(self, entity_type: str, value: str) -> str:
        """The stand-in of a detail, in its own look."""
        return "".join(
            dress(self.drawn(piece.atom), piece.original) if isinstance(piece, Slot) else piece
            for piece in self.apart(entity_type, value)
        )

    def drawn(self, atom: Atom) -> str:
        """The stand-in of an atom, normalised."""
        standin = self._drawn.get(atom)
        if standin is None:
            if atom.kind in KINDS:
                seed = self.seed(atom)
                standin = draw(atom.kind, atom.shape, seed, self._moved.get(seed, 0))
            else:
                circle = self._circle(atom.kind, len(atom.value))
                standin = circle.get(atom.value) or min(circle.values())
            self._drawn[atom] = standin
        return standin

    def _circle(self, kind: str, length: int) -> Mapping[str, str]:
        """A keyed circle through a whole small space: everybody's stand-in is the next, never oneself, never one for two."""
        circle = self._circles.get((kind, length))
        if circle is None:
            space = list(_LETTERS) if kind == "letter" else [f"{number:0{length}d}" for number in range(10**length)]
            dice = Dice(self.seed(Atom(kind, str(length))), 0)
            for last in range(len(space) - 1, 0, -1):  # Fisher and Yates
                other = dice.below(last + 1)
                space[last], space[other] = space[other], space[last]
            circle = self._circles[kind, length] = dict(zip(space, [*space[1:], space[0]], strict=True))
        return circle

    def nth(self, atom: Atom, number: int) -> str:
        """A draw of an atom by its number."""
        known = self._nth.get((atom, number))
        if known is None:
            known = self._nth[atom, number] = draw(atom.kind, atom.shape, self.seed(atom), number)
        return known

    def seed(self, atom: Atom) -> str:
        """24 hexadecimal digits (96 bits) that decide all draws of an atom, and who keeps a draw that two want."""
        return self._key.digest(f"surrogate {atom.kind} {atom.shape}", atom.value).hex()[:24]

    def value_hash(self, value: str) -> int:
        """64 bits that name a normalised value of any kind without giving it away."""
        return int.from_bytes(self._key.digest("value", value)[:8], "big")

    def days_for(self, customer: str, max_weeks: int) -> int:
        """By how many days this customer's dates are shifted: whole weeks, never none."""
        weeks = 1 + int.from_bytes(self._key.digest("date shift", customer)[:8], "big") % (2 * max_weeks)
        return 7 * (weeks if weeks <= max_weeks else max_weeks - weeks)


def draw(kind: str, shape: str, seed: str, number: int) -> str:
    """One draw of an atom: a function of its seed, so that whoever holds the seed needs neither key nor value."""
    return KINDS[kind](shape, Dice(seed, number), max(0, number // DRAWS))


# --- settling who keeps which draw --------------------------------------------------------------------------------------

VALUES: Final[Mapping[str, pl.DataType | type[pl.DataType]]] = {
    "kind": pl.String,
    "shape": pl.String,
    "seed": pl.String,
    "value_hash": pl.UInt64,
    "draw_hash": pl.UInt64,
}
"""The atoms of a part without their values: what to draw from, the hash of the value, the hash of its first draw."""


BARRED: Final[Mapping[str, pl.DataType | type[pl.DataType]]] = {"seed": pl.String, "draw": pl.Int64}
"""Draws that hold, in part or whole, something known of a conversation in which their atom stands."""

TRIED: Final = 4
"""First draws that are looked at for that: the chance that all of them hold a given PIN is below 1e-12."""


def barred_frame(surrogates: Surrogates, together: Iterable[tuple[Iterable[Atom], Collection[str]]]) -> pl.DataFrame:
    """BARRED, given the atoms and the known values (normalised, 3 signs or more) of each conversation."""
    rows = {
        (surrogates.seed(atom), number)
        for atoms, known in together
        for atom in atoms
        for number in range(TRIED)
        if any(value in standin for standin in (surrogates.nth(atom, number),) for value in known)
    }
    return pl.DataFrame(sorted(rows), schema=dict(BARRED), orient="row")


def values_frame(surrogates: Surrogates, atoms: Iterable[Atom]) -> pl.DataFrame:
    """VALUES of these atoms, in the order of their seeds."""
    rows = [
        (
            atom.kind,
            atom.shape,
            seed,
            surrogates.value_hash(atom.value),
            surrogates.value_hash(draw(atom.kind, atom.shape, seed, 0)),
        )
        for atom in atoms
        if (seed := surrogates.seed(atom))
    ]
    return pl.DataFrame(rows, schema=dict(VALUES), orient="row").sort("seed")


def settle(values: pl.DataFrame, surrogates: Surrogates, barred: pl.DataFrame | None = None) -> dict[str, int]:
    """Give every atom a draw that is nobody's value and no other atom's: deferred acceptance in rounds.

    Args:
        values: VALUES of the whole corpus, each atom once, in any order.
        surrogates: hashes what is drawn, under the key of `values`.
        barred: BARRED of the whole corpus: draws that an atom may not have.
    Returns:
        seed -> number of the draw, for the atoms that may not have their first.
    """
    real = values.get_column("value_hash").unique().implode()
    proposals = values.select("seed", "draw_hash", draw=pl.lit(0, pl.Int64))
    no_go = (empty(BARRED) if barred is None else barred).select(pl.concat_str("seed", pl.lit(" "), "draw")).to_series().implode()
    looks: dict[str, tuple[str, str]] = {}
    while True:
        losers = proposals.filter(
            pl.col("draw_hash").is_in(real)
            | (pl.col("seed") != pl.col("seed").min().over("draw_hash"))
            | pl.concat_str("seed", pl.lit(" "), "draw").is_in(no_go)
        )
        if losers.is_empty():
            break
        if not looks:
            looks = {seed: (kind, shape) for kind, shape, seed in values.select("kind", "shape", "seed").iter_rows()}
        again = [
            (seed, surrogates.value_hash(draw(*looks[seed], seed, number + 1)), number + 1)
            for seed, number in losers.select("seed", "draw").iter_rows()
        ]
        moved = pl.DataFrame(again, schema=proposals.schema, orient="row")
        proposals = pl.concat([proposals.join(moved, on="seed", how="anti"), moved])
    return dict(proposals.filter(pl.col("draw") > 0).sort("seed").select("seed", "draw").iter_rows())
