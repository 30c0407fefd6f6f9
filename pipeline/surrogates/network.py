"""Addresses of computers, from ranges nobody is given.

IPv4 of RFC 5737, then of RFC 1112 (240/4); IPv6 of RFC 3849; hardware addresses locally administered (IEEE 802).
"""

from collections.abc import Iterator

from pipeline.replacing.atoms import Atom, Dice, Piece, Slot, shaped
from pipeline.replacing.pieces import whole


def ipv4(_shape: str, dice: Dice, longer: int) -> str:
    """From the blocks for documentation; when those are all taken, from the one kept for the future."""
    if longer:
        return f"{240 + dice.below(15)}." + ".".join(str(dice.below(256)) for _ in range(3))
    return dice.pick(("192.0.2.", "198.51.100.", "203.0.113.")) + str(dice.below(256))


def ipv6(_shape: str, dice: Dice, _longer: int) -> str:
    """Below 2001:db8::/32."""
    return "2001:db8:" + ":".join(f"{1 + dice.below(65535):x}" for _ in range(6))


def mac(_shape: str, dice: Dice, _longer: int) -> str:
    """Locally administered, unicast."""
    return shaped("02%%%%%%%%%%", dice, 0)


def hex_shape(code: str) -> str:
    """Hexadecimal digits, as many."""
    return "%" * len(code)


def ip(value: str) -> Iterator[Piece]:
    """An address, with the length of its network if there is one."""
    address, slash, length = value.partition("/")
    yield Slot(Atom("ipv6" if ":" in address else "ipv4", address.casefold()), address)
    yield slash + length


hardware = whole("mac", hex_shape)
uuid = whole("shape", hex_shape)
