"""E-mail and web addresses: at domains that are reserved for examples (RFC 2606)."""

import re
from collections.abc import Iterator
from re import Match
from typing import Final
from urllib.parse import quote_plus, unquote_plus

from pipeline.replacing.atoms import Atom, Dice, Piece, Slot
from pipeline.replacing.invented import family, listed
from pipeline.replacing.name_lists import family_names, given_names
from pipeline.replacing.pieces import code
from pipeline.spelled_mail import AT, DOT, JOINT
from pipeline.surrogates.handles import handle
from pipeline.surrogates.names import person

CLASSES: Final = {
    "mail": "mail.example.com",
    "edu": ".edu.example.org",
    "gov": ".gov.example.org",
    "org": ".example.org",
    "net": ".example.net",
    "com": ".example.com",
}
"""What kind of place a domain is -> how its stand-in ends."""

MAIL_PROVIDERS: Final = frozenset(
    listed(
        "gmail googlemail yahoo ymail hotmail outlook live msn aol icloud me mac gmx web t-online freenet proton "
        "protonmail pm zoho  yandex mail fastmail hey tutanota tuta posteo laposte orange wanadoo free libero virgilio "
        "alice terra uol bol seznam wp o2  interia qq 163 126 naver daum rediffmail comcast verizon att sbcglobal "
        "bellsouth cox charter btinternet sky "
    )
)
"""The label before the public suffix of providers that give everybody an address."""


def class_of(host: str) -> str:
    """What kind of place a domain is: a key of CLASSES."""
    labels = host.casefold().split(".")
    ends = set(labels[-2:]) if len(labels) > 1 else set()
    if len(labels) <= 3 and labels[0] in MAIL_PROVIDERS:  # noqa: PLR2004  # provider.co.uk; not mail.company.co.uk.example
        return "mail"
    for name, signs in (("edu", {"edu", "ac"}), ("gov", {"gov", "gob", "gouv", "mil"})):
        if ends & signs:
            return name
    return labels[-1] if labels[-1] in CLASSES else "com"


def domain(shape: str, dice: Dice, longer: int) -> str:
    """A domain below example.com, .net or .org; the shape is its class."""
    return family("", dice, longer) + CLASSES[shape]


_SIGN: Final = re.compile(rf"{AT}|@", re.IGNORECASE)
_JOINT: Final = re.compile(f"({JOINT})", re.IGNORECASE)
_DOT: Final = re.compile(DOT, re.IGNORECASE)


def email(value: str) -> Iterator[Piece]:
    """The pieces of an e-mail address, in signs or words; what stands before the @ agrees with the name."""
    sign = max(_SIGN.finditer(value), key=Match.start, default=None)
    if sign is not None:
        for part in _JOINT.split(value[: sign.start()]):
            yield from [part] if _JOINT.fullmatch(part) else handle(part)
        yield sign.group()
    host = value[sign.end() :] if sign else value
    plain = "".join(_DOT.sub(".", host).split()).casefold()
    yield Slot(Atom("domain", plain, class_of(plain)), host)


_URL = re.compile(
    r"(?P<scheme>[a-z][a-z0-9+.-]*://)?(?:(?P<user>[^\s/@]+)@)?(?P<www>www\d*\.)?(?P<host>[^\W_][^\s/:?#]*)(?P<rest>.*)",
    re.IGNORECASE | re.DOTALL,
)


def url(value: str) -> Iterator[Piece]:
    """The pieces of a web address, or of the rest of one after a known value in its path."""
    match = _URL.fullmatch(value)
    if match is None:
        yield from _path(value)
        return
    yield match["scheme"] or ""
    if match["user"]:
        yield from handle(match["user"])
        yield "@"
    yield match["www"] or ""
    yield Slot(Atom("domain", match["host"].casefold(), class_of(match["host"])), match["host"])
    yield from _path(match["rest"])


_IN_PATH = re.compile(
    r"(?P<email>[\w.+-]+@[\w-]+(?:\.[\w-]+)+)"
    r"|(?P<profile>(?<=/u/)[^\s/?#&]+|(?:(?<=/user/)|(?<=/users/)|(?<=/member/)|(?<=/members/)|(?<=/profile/)|(?<=/profiles/)"
    r"|(?<=/people/)|(?<=[?&]user=)|(?<=[?&]username=)|(?<=[?&]author=))[^\s/?#&]+)"
    r"|(?:%[0-9A-Fa-f]{2})+|(?P<word>[^\W_]+)",
    re.IGNORECASE,
)


def _path(path: str) -> Iterator[Piece]:
    """Its words stay unless they are names; who has a page in it goes, and addresses (archives of mail hold Message-IDs)."""
    position = 0
    for part in _IN_PATH.finditer(path):
        yield path[position : part.start()]
        text = part.group()
        if part["email"]:
            yield from email(text)
        elif part["profile"]:
            yield from _profile(text)
        elif not part["word"]:
            yield text
        elif any(sign.isdecimal() for sign in text):
            yield from code(text)
        elif text.casefold() in given_names() or text.casefold() in family_names():
            yield from person(text)
        else:
            yield text
        position = part.end()
    yield path[position:]


def _profile(name: str) -> Iterator[Piece]:
    """Whose page it is, as user names are taken apart elsewhere."""
    for piece in handle(unquote_plus(name, errors="replace")):
        yield quote_plus(piece, safe="@~!$'()*,;:") if isinstance(piece, str) else piece
