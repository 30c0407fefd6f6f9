"""E-mail and web addresses: at domains that are reserved for examples (RFC 2606)."""

import re
from collections.abc import Iterator

from pipeline.replacing.atoms import Atom, Dice, Piece, Slot
from pipeline.replacing.invented import family
from pipeline.replacing.name_lists import family_names, given_names
from pipeline.replacing.pieces import code
from pipeline.surrogates.handles import handle
from pipeline.surrogates.names import person


def domain(_shape: str, dice: Dice, longer: int) -> str:
    """A domain below example.com, .net or .org."""
    return family("", dice, longer) + dice.pick((".example.com", ".example.net", ".example.org"))


def email(value: str) -> Iterator[Piece]:
    """The pieces of an e-mail address; what stands before the @ agrees with the name."""
    local, at, host = value.rpartition("@")
    yield from handle(local)
    yield at
    yield Slot(Atom("domain", host.casefold()), host)


_URL = re.compile(
    r"(?P<scheme>[a-z][a-z0-9+.-]*://)?(?:(?P<user>[^\s/@]+)@)?(?P<www>www\d*\.)?(?P<host>[^\s/:?#]+)(?P<rest>.*)",
    re.IGNORECASE | re.DOTALL,
)


def url(value: str) -> Iterator[Piece]:
    """The pieces of a web address; words of its path stay unless they are names."""
    match = _URL.fullmatch(value)
    if match is None:
        yield from handle(value)
        return
    yield match["scheme"] or ""
    if match["user"]:
        yield from handle(match["user"])
        yield "@"
    yield match["www"] or ""
    yield Slot(Atom("domain", match["host"].casefold()), match["host"])
    position = 0
    rest = match["rest"]
    for part in re.finditer(r"[^\W_]+", rest):
        yield rest[position : part.start()]
        text = part.group()
        if any(sign.isdecimal() for sign in text):
            yield from code(text)
        elif text.casefold() in given_names() or text.casefold() in family_names():
            yield from person(text)
        else:
            yield text
        position = part.end()
    yield rest[position:]
