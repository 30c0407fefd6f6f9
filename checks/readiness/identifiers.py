"""A second look for identifiers and secrets in exported text, apart from the recognizers of scrub and the rules of validate.

Kinds in LIVE block at one occurrence (a key opens a door, a valid card pays); the others where they repeat.
Sources of the shapes: the vendors' token prefixes as listed by gitleaks and detect-secrets (read November 2026), RFC 7519
for JWT, RFC 7468 for private keys, ISO/IEC 7812-1 and ISO 13616 for the check digits.
"""

import re
from collections.abc import Iterator
from typing import Final, NamedTuple

import polars as pl

from pipeline.surrogates.phones import NOBODYS


class Hit(NamedTuple):
    """Something identifying in a text. `value` stays in memory."""

    kind: str
    value: str
    start: int
    end: int


SECRETS: Final = {
    "private_key": r"-----BEGIN [A-Z ]{0,30}PRIVATE KEY(?: BLOCK)?-----|PuTTY-User-Key-File-\d",
    "cloud_key": r"\b(?:AKIA|ASIA)[A-Z2-7]{16}\b|\bAIza[\w-]{35}\b",
    "token": (
        r"\bgh[pousr]_\w{36,}|\bgithub_pat_\w{50,}|\bglpat-[\w-]{20}|\bxox[abeoprs]-[\w-]{10,}|\bsk-[\w-]{20,}"
        r"|\b[sr]k_(?:live|test)_\w{16,}|\bSG\.[\w-]{16,}\.[\w-]{16,}|\bnpm_\w{36}\b|\bhf_\w{30,}|\bdop_v1_[0-9a-f]{64}"
    ),
    "jwt": r"\beyJ[\w-]{8,}\.eyJ[\w-]{8,}\.[\w-]{8,}",
    "url_with_password": r"\b[a-z][a-z0-9+.-]{2,20}://[^\s/:@]{1,64}:[^\s/:@]{3,128}@[\w.-]+",
    "password_hash": r"\$(?:2[aby]|5|6|y|apr1)\$[./\w$=,+-]{20,}",
    "assigned_secret": (
        r"(?i)(?:pass(?:word|wd|phrase)?|pwd|secret|token|api[ _-]?key|access[ _-]?key|auth)[\w.-]{0,20}[\"']?\s*(?:=>|[:=])\s*"
        r"[\"']?(?!\s|<|\{|\$|\*|null|none|true|false|required)(?=[^\s\"',;]*[\d!@#$%^&+/_-])[^\s\"',;<>]{6,}"
    ),
    "spoken_password": (
        r"(?i)\b(?:my |the |your |temporary |new )?(?:password|passcode|passphrase) (?:is|was|:) "
        r"(?!<|\*|(?:[a-z]+|not|in)\b[ ,.!?]|[a-z]+$)[\"']?(?=\S*[\d!@#$%^&])\S{5,}"
    ),
}

IDENTIFIERS: Final = {
    "email": r"(?i)\b[\w.+%-]{1,64}@(?:[\w-]{1,63}\.){1,8}[a-z]{2,24}\b",
    "phone": r"(?<![\w./-])(?:\+[1-9]\d{0,2}[ .-]?(?:\(\d{1,4}\)[ .-]?)?\d{2,4}(?:[ .-]?\d{2,4}){1,4}"
    r"|\(?[2-9]\d{2}\)?[ .-][2-9]\d{2}[ .-]\d{4})(?![\w-])",
    "ssn": r"(?<![\d-])(?!000|666|9)\d{3}-(?!00)\d{2}-(?!0000)\d{4}(?![\d-])",
    "ip": r"(?<![\w.-])(?:\d{1,3}\.){3}\d{1,3}(?![\w-]|\.\d)",
    "handle": r"(?<![\w@./])@[A-Za-z_][A-Za-z0-9_]{3,29}\b(?!\.\w)",
}

CARD: Final = r"(?<![\d_.+-])(?:\d[ -]?){12,18}\d(?![\d-])"
IBAN: Final = r"\b[A-Z]{2}\d{2}(?: ?[A-Z0-9]{4}){2,7}(?: ?[A-Z0-9]{1,3})?\b"

LIVE: Final = frozenset({*SECRETS, "card", "iban"})

RESERVED: Final = re.compile(
    r"(?i)@(?:[\w-]+\.)*(?:example\.(?:com|org|net)|example|test|invalid|localhost)$"
    r"|^(?:192\.0\.2|198\.51\.100|203\.0\.113|127\.0\.0|10|0|2[45]\d)\.[\d.]+$"
)
"""Ranges that belong to nobody: RFC 2606, RFC 5737, RFC 1112 (240/4), loopback and private addresses."""

_COMPILED: Final = {kind: re.compile(pattern) for kind, pattern in {**SECRETS, **IDENTIFIERS}.items()}
_CARD, _IBAN = re.compile(CARD), re.compile(IBAN)

SUSPECT: Final = r"(?i)@|://|\d\D{0,2}\d\D{0,2}\d\D{0,2}\d|-----BEGIN|putty|pass|pwd|secret|token|key|auth|\$\d?[a-z]?\d?\$|eyJ|AKIA|ASIA|_\w{20}|-\w{10}"
"""What a text needs for any of the patterns; all others are passed over."""


def suspects(texts: pl.Series) -> pl.Series:
    """Whether a closer look is needed."""
    return texts.str.contains(SUSPECT).fill_null(value=False)


def find(text: str) -> Iterator[Hit]:
    """Identifiers and secrets in a text; values of reserved ranges are nobody's and not found.

    >>> [(hit.kind, hit.value) for hit in find("card 4111 1111 1111 1111, mail ann@example.com or ann@acme.io")]
    [('card', '4111111111111111'), ('email', 'ann@acme.io')]
    """
    taken: list[tuple[int, int]] = []
    for match in _CARD.finditer(text):
        digits = re.sub(r"\D", "", match[0])
        if passes_luhn(digits) and len(set(digits)) > 1 and digits[0] in "23456":
            taken.append(match.span())
            yield Hit("card", digits, *match.span())
    for match in _IBAN.finditer(text):
        if passes_mod_97(match[0].replace(" ", "")):
            taken.append(match.span())
            yield Hit("iban", match[0], *match.span())
    for kind, pattern in _COMPILED.items():
        for match in pattern.finditer(text):
            start, end = match.span()
            if _is_nobodys(kind, match[0]) or any(start < right and left < end for left, right in taken):
                continue
            if kind == "ip" and any(int(number) > 255 for number in match[0].split(".")):  # noqa: PLR2004  # a version number
                continue
            taken.append((start, end))
            yield Hit(kind, match[0].lower(), start, end)


def _is_nobodys(kind: str, value: str) -> bool:
    """Whether it stands in a range that is given to nobody."""
    if kind == "phone":
        digits = re.sub(r"\D", "", value)
        return NOBODYS.fullmatch(digits if value.startswith("+") else "1" + digits) is not None
    return RESERVED.search(value) is not None


def passes_luhn(digits: str) -> bool:
    """ISO/IEC 7812-1, annex B."""
    total = 0
    for position, digit in enumerate(reversed(digits)):
        value = int(digit) << (position & 1)
        total += value - 9 if value > 9 else value  # noqa: PLR2004  # the sum of its digits
    return total % 10 == 0


def passes_mod_97(iban: str) -> bool:
    """ISO 13616: 97 divides, with a rest of 1."""
    return int("".join(str(int(character, 36)) for character in iban[4:] + iban[:4])) % 97 == 1
