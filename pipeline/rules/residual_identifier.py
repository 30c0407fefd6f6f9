"""A turn still holds something shaped like a personal detail after scrub.

Plain patterns, written apart from the recognizers of scrub, so that one mistake is not made twice. Scrub's surrogates
stand in ranges reserved for examples, which this rule passes over: RFC 2606 domains, RFC 5737 and RFC 3849 addresses,
telephone numbers that nobody is given, area numbers that the Social Security Administration never gives out, and cards,
IBANs that fail their check.
"""

import re
from ipaddress import IPv4Address, ip_network
from typing import Final

import polars as pl

from pipeline.rules.limits import Limits
from pipeline.surrogates.phones import NOBODYS
from pipeline.turns import WRITTEN

SUSPECT: Final = r"@|\d.{0,3}\d.{0,3}\d.{0,3}\d"
"""What every pattern below needs; all other turns are passed over without looking closer."""

E_MAIL: Final = re.compile(r"[\w.+%-]{1,64}@((?:[\w-]{1,63}\.){1,8}[A-Za-z]{2,24})\b")
RESERVED_DOMAIN: Final = re.compile(r"(?:^|\.)(?:example\.(?:com|org|net)|example|test|invalid|localhost)$", re.IGNORECASE)

CARD: Final = re.compile(r"(?<![\d.-])(?:[2-6]\d{3}(?:[ -]?\d{4}){2}[ -]?\d{3,4}|3[47]\d{2}[ -]?\d{6}[ -]?\d{5})(?![\d-])")

IBAN: Final = re.compile(r"\b([A-Z]{2}\d{2}(?: ?[A-Z0-9]{4}){2,7}(?: ?[A-Z0-9]{1,3})?)\b")

SSN: Final = re.compile(r"(?<![\d-])(?!000|666|9)\d{3}-(?!00)\d{2}-(?!0000)\d{4}(?![\d-])")

PHONE: Final = re.compile(
    r"(?<![\w.-])(?:(?:\+|00)([1-9]\d{0,2})[ ./-]?|1[ .-]?)?((?:\([2-9]\d{2}\) ?|[2-9]\d{2}[ .-])[2-9]\d{2}[ .-]\d{4})(?![\w-])"
)
"""Ten digits as the North American Numbering Plan groups them; some are for fictional use there, and some in other countries."""

IP: Final = re.compile(r"(?<![\w.-])(?:\d{1,3}\.){3}\d{1,3}(?![\w-]|\.\d)")
RESERVED_NETWORKS: Final = [ip_network(n) for n in ("192.0.2.0/24", "198.51.100.0/24", "203.0.113.0/24")]


def fault(_limits: Limits) -> pl.Expr:
    """True for every turn with an e-mail address, card, IBAN, SSN, phone number or public IP address that could be real.

    >>> from pipeline.turns import said
    >>> turns = said("customer: I am ann@acme.io", "agent: You are ann@example.com.", "customer: call 212-555-0143")
    >>> turns.select(fault(None)).to_series().to_list()
    [True, False, False]
    """
    return found()


def found() -> pl.Expr:
    """The same of any frame with `text` and `call`."""
    return WRITTEN.map_batches(_judge, return_dtype=pl.Boolean, is_elementwise=True)


def kinds(text: str) -> list[str]:
    """Which kinds of personal detail the text seems to hold, by Presidio's entity names."""
    return [kind for kind, found in KINDS.items() if found(text)]


def _judge(texts: pl.Series) -> pl.Series:
    suspects = texts.str.contains(SUSPECT).fill_null(value=False)
    verdicts = iter([bool(kinds(text)) for text in texts.filter(suspects).to_list()])
    return pl.Series([next(verdicts) if suspect else False for suspect in suspects], dtype=pl.Boolean)


def _has_mail(text: str) -> bool:
    return "@" in text and any(not RESERVED_DOMAIN.search(match[1]) for match in E_MAIL.finditer(text))


def _has_card(text: str) -> bool:
    # the digits of an account number pass Luhn's check one time in ten
    return any(_passes_luhn(re.sub(r"\D", "", match[0])) for match in CARD.finditer(IBAN.sub(" ", text)))


def _has_iban(text: str) -> bool:
    return any(_passes_mod_97(match[1].replace(" ", "")) for match in IBAN.finditer(text))


def _has_phone(text: str) -> bool:
    return any(not _is_nobodys(match[1] or "", re.sub(r"\D", "", match[2])) for match in PHONE.finditer(text))


def _is_nobodys(country: str, number: str) -> bool:
    return NOBODYS.fullmatch(country + number) is not None or NOBODYS.fullmatch("1" + number) is not None


def _has_public_ip(text: str) -> bool:
    return any(_is_public(match[0]) for match in IP.finditer(text))


def _passes_luhn(digits: str) -> bool:
    doubled = (int(digit) * (1 + position % 2) for position, digit in enumerate(reversed(digits)))
    return sum(value - 9 if value > 9 else value for value in doubled) % 10 == 0  # noqa: PLR2004  # ISO/IEC 7812-1 annex B


def _passes_mod_97(iban: str) -> bool:
    if not "02" <= iban[2:4] <= "98":  # other check digits are never given, though 00 passes where 97 would
        return False
    return int("".join(str(int(character, 36)) for character in iban[4:] + iban[:4])) % 97 == 1  # ISO 13616


def _is_public(address: str) -> bool:
    try:
        parsed = IPv4Address(address)
    except ValueError:
        return False
    return parsed.is_global and not any(parsed in network for network in RESERVED_NETWORKS)


KINDS: Final = {
    "EMAIL_ADDRESS": _has_mail,
    "CREDIT_CARD": _has_card,
    "IBAN_CODE": _has_iban,
    "US_SSN": lambda text: bool(SSN.search(text)),
    "PHONE_NUMBER": _has_phone,
    "IP_ADDRESS": _has_public_ip,
}
