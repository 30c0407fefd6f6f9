"""What must hold for some of Presidio's patterns to match, where nobody can read it off the pattern character by character."""

from collections.abc import Mapping
from typing import Final

import regex  # type: ignore[import-untyped]  # comes without stubs

from pipeline.analysis.seen_text import Condition, SeenText

_DOT_LETTER: Final = regex.compile(r"\.\p{L}{2}")
_TOO_DOTTED: Final = regex.compile(r"(?:[^\s.]{1,64}\.){64}")


def _may_hold_url(seen: SeenText) -> bool:
    """Whether a top-level domain may follow a dot; a word of 64 dots is no address, and Presidio's pattern would choke on it."""
    return _DOT_LETTER.search(seen.text) is not None and _TOO_DOTTED.search(seen.text) is None


def _letter_beside_digit(seen: SeenText) -> bool:
    text = seen.text
    return any((start and text[start - 1].isalpha()) or text[end : end + 1].isalpha() for start, end in seen.runs)


def _before_digits(pattern: str, widest: int, after: str = "") -> Condition:
    """Whether some digits stand after what matches the one pattern and before what matches the other."""
    left, right = regex.compile(rf"(?:{pattern})\Z"), regex.compile(after)

    def condition(seen: SeenText) -> bool:
        text = seen.text
        return any(left.search(text, max(0, start - widest), start) and right.match(text, end) for start, end in seen.runs)

    return condition


_short_word_before_digit: Final = _before_digits(r"\p{L}[\s-]\p{L}{1,2}[\s-]", 5)
_letters_around_digits: Final = _before_digits(r"\p{L}{3}[ -]?", 4, r"[ -]?\p{L}")
_two_letters_before_digit: Final = _before_digits(r"\b\p{L}{2} ?", 3)


def _letters_after_digits(seen: SeenText) -> bool:
    """A digit of an address of Bitcoin is followed by 25 letters and digits."""
    text = seen.text
    return any(end - start > 25 or text[end : end + 1].isalpha() for start, end in seen.runs)  # noqa: PLR2004  # see above


def _number_between_dots(seen: SeenText) -> bool:
    text = seen.text
    return any(start and text[start - 1] == "." and text[end : end + 1] == "." for start, end in seen.runs)


def _holds(sign: str, count: int, pattern: str) -> Condition:
    compiled = regex.compile(pattern)
    return lambda seen: seen.text.count(sign) >= count and compiled.search(seen.text) is not None


_colons_apart: Final = _holds(":", 2, r":[0-9A-Fa-f]{0,4}:")
_colons: Final = _holds(":", 5, r":[0-9A-Fa-f]{2}:")
_hyphens: Final = _holds("-", 5, r"-[0-9A-Fa-f]{2}-")

CONDITIONS: Final[Mapping[tuple[str, str], Condition]] = {
    **{
        ("UrlRecognizer", name): _may_hold_url
        for name in ("Standard Url", "Non schema URL", "Quoted URL", "Quoted Non-schema URL")
    },
    **{
        (f"{name}Recognizer", pattern): _letter_beside_digit
        for name, patterns in {
            "CaPostalCode": ("CA Postal Code (strict, with space)", "CA Postal Code (weak, no space)"),
            "DeIdCard": ("Personalausweisnummer nPA (ICAO charset + check digit)", "Personalausweisnummer alt (T + 8 Ziffern)"),
            "DePassport": ("Reisepassnummer (Strict ICAO charset)",),
            "UkPostcode": ("UK Postcode",),
            "UkVehicleRegistration": ("UK Vehicle Registration (current)", "UK Vehicle Registration (prefix)"),
        }.items()
        for pattern in patterns
    },
    # one of its alternatives lacks a bracket and so matches the words "A-Z]]12"
    ("UsLicenseRecognizer", "Driver License - Alphanumeric (weak)"): lambda seen: (
        seen.meets(_letter_beside_digit) or "]" in seen.text
    ),
    ("UkVehicleRegistrationRecognizer", "UK Vehicle Registration (suffix)"): _letters_around_digits,
    ("UkNinoRecognizer", "NINO (medium)"): _two_letters_before_digit,
    ("CryptoRecognizer", "Crypto (Medium)"): _letters_after_digits,
    **{
        ("DeKfzRecognizer", f"KFZ-Kennzeichen ({kind})"): _short_word_before_digit
        for kind in (
            "mit Leerzeichen",
            "mit Bindestrich",
            "Bindestrich + Leerzeichen",
            "ASCII only, mit Leerzeichen",
            "ASCII only, Bindestrich + Leerzeichen",
        )
    },
    **{("IpRecognizer", name): _colons_apart for name in ("IPv4_mapped", "IPv4_embedded", "IPv6", "IPv6_unspecified")},
    ("IpRecognizer", "IPv4"): _number_between_dots,
    ("MacAddressRecognizer", "MAC_COLON_OR_HYPHEN"): lambda seen: _colons(seen) or _hyphens(seen),
    ("MacAddressRecognizer", "MAC_CISCO_DOT"): _holds(".", 2, r"\.[0-9A-Fa-f]{4}\."),
}
"""(recognizer, pattern) -> a necessary condition that one cannot read off the pattern character by character."""
