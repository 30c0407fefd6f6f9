"""Which finds to believe where a text holds code, logs, versions, paths or part numbers.

The names model learnt from support chats, where a word nobody knows is a name and a word beside a number an address. In
technical posts that is `sdb1`, `libx264`, `RFC 2616`; and Presidio's web addresses are `main.py` and `user.name`.
"""

import re
from collections.abc import Iterable, Sequence
from typing import Final

from pipeline.known_values import FUNCTION_WORDS, known_words
from pipeline.recognizers.code import UNITS, VERSION, WORD, Text
from pipeline.recognizers.people import FOREIGN_DATE
from pipeline.replacing.atoms import normal_word
from pipeline.replacing.name_lists import family_names, given_names
from pipeline.spans import Span
from pipeline.trade import MAKERS, TECHNOLOGIES, WORDS

_NAMED: Final = re.compile(r"(?:(?:Mc|Mac|De|Di|Le|La|Van|Fitz|O['’])?[^\W\d_a-zß-öø-ÿ][^\W\d_A-ZÀ-ÖØ-Þ]+(?:['’][^\W\d_]+)?)")  # noqa: RUF001
"""A capital letter, then small ones."""

_PART_NUMBER: Final = re.compile(r"[A-Za-z]{2,}-?\d|\d[A-Za-z]{2,}|\b[A-Z]\d")
_MODEL_NUMBER: Final = re.compile(r"[A-Z]{1,4}(?:-\d{2,5}|\d{3,5})[A-Za-z]{0,3}")
_FAULT: Final = re.compile(
    r"\b(?:error|fehler|erreur|errore|fout)\w{0,8}(?: code)?[ :#-]{1,3}[A-Z]{1,2}-?\d{1,4}\b", re.IGNORECASE
)
"""What a device shows: "error code F17"."""

_UNIT: Final = re.compile(rf"\s?{UNITS}(?!\w)")
_MEASURE: Final = re.compile(rf"\d\s?{UNITS}(?!\w)|\b0x|{VERSION}|\d+x\d+|\A(?:\d+\.\d+|\d+[A-Za-z]+\d+)\Z")
_STREET: Final = re.compile(
    r"(?<![-_])\b(?:street|st|road|rd|avenue|ave|lane|ln|drive|dr|court|ct|boulevard|blvd|way|place|pl|square|terrace|close|crescent|parkway"
    r"|highway|hwy|circle|trail|alley|row|mews|gardens|grove|apt|suite|flat|box)\b|(?:stra(?:ß|ss)e|str|weg|platz|gasse|laan|straat)\b",
    re.IGNORECASE,
)
_GREETED: Final = re.compile(
    r"(?:\b(?:hi|hey|hello|dear|thanks|thank you|thx|tnx|cheers|regards|from|near|by|as|mr|mrs|ms|dr|prof|professor"
    r"|(?:ask|asked|talk|talked|spoke|speak|waiting|looking) (?:for|to|with)|met|named|called)(?:[,.!]+\s+|\s+)|@)\Z",
    re.IGNORECASE,
)
_SALUTED: Final = re.compile(r"\b(?:hi|hey|hello|dear|regards|cheers|thanks|mr|mrs|ms|this is)[,.!]?\s+\Z", re.IGNORECASE)
"""Before somebody who is called like a technology."""

_COUNTED: Final = re.compile(r"\b(?:lines?|pages?|times|gates?|routes?)\b")
_SPEAKS: Final = re.compile(r"\s(?:said|says|wrote|writes|suggested|mentioned|posted|asked|replied|told)\b", re.IGNORECASE)
_ASCRIBED: Final = re.compile(
    r"\b(?:by|author|committer|maintainer|reporter|assignee|owner|contact|cc|to|from|employer|work(?:s|ed|ing)? (?:at|for|with)"
    r"|account ?holder|buyer|caller|client|customer|guest|member|name|passenger|patient|user)"
    r"(?:\s*[:=]?[\s*]+(?:the )?|[\"'\s]*[:=]\s*[\"']?)\Z|[\"']\s*[:=]\s*[\"']\Z",
    re.IGNORECASE,
)
"""Before a name that stands beside what somebody did or where he works."""

_OPENS: Final = re.compile(r"(?:\A|\n[> \t]*\n)[>\s*-]*\Z")
"""Before a text or a signature."""

_DATED: Final = re.compile(rf"(?:[^\W\d_]{{2,5}} )?{FOREIGN_DATE}", re.IGNORECASE)
_FUNCTION: Final = re.compile(r"\b(?:is|was|are|were|has|have|see)\b")

_SCRIPTS: Final = re.compile(r"py|sh|so|rs|md|cc|mk|pl|ps|name|id|in|is|to|it|pa|li|mp|do|st")
"""Top-level domains that are also endings of files or members of objects."""

_DECORATED: Final = re.compile(r"(?:\([^()\n]{0,200}\))?\s*\n\s*(?:def|class|async|public|private|protected|static|@\w)\b")
_NO_HOST: Final = re.compile(
    r"https?://(?:localhost|127(?:\.\d{1,3}){3}|0\.0\.0\.0|\[::1?\])(?::\d{1,5})?(?:/[^\s?#@]*)?", re.IGNORECASE
)
"""Without a query, which may hold somebody's token."""

_NO_MACHINE: Final = re.compile(
    r"0\.0\.0\.0|127\.\d+\.\d+\.\d+|255\.\d+\.\d+\.\d+|(?:ff[:-]){5}ff|(?:00[:-]){5}00|::1?", re.IGNORECASE
)
"""Addresses that no machine has: unspecified, of itself, a mask, all of a network."""


_SECONDS: Final = re.compile(r"\[?\s*\d{1,7}\.\d{6}\]?")
"""Since a machine started, as a kernel writes them."""

_ACCOUNTS: Final = frozenset({"root", "nobody", "git", "www-data", "postgres", "ubuntu", "pi"})
"""That every machine has."""

_ANNOUNCED: Final = {
    "US_DRIVER_LICENSE": re.compile(r"licen[cs]e|\bDL\b", re.IGNORECASE),  # not "driver": that of a device is meant
    "UK_VEHICLE_REGISTRATION": re.compile(r"\b(?:reg|registration|plate|vrm|vehicle|car)\b", re.IGNORECASE),
}
"""Numbers that a part may have too, and what has to stand before them."""

_MISREAD: Final = frozenset(
    {*_ANNOUNCED, "STREET_ADDRESS", "DEVICE_ID", "MEDICAL_LICENSE", "DE_HEALTH_INSURANCE", "UK_NHS", "US_NPI", "AU_TFN", "AU_ACN"}
)


def without_things(text: str, spans: Iterable[Span]) -> list[Span]:
    """The finds of patterns but things of computers that are nobody's."""
    seen = Text(text)
    return [span for span in spans if not _is_nobodys(seen, span)]


def _is_nobodys(seen: Text, span: Span) -> bool:
    text = seen.text
    value = text[span.start : span.end]
    if span.entity_type == "URL":
        return _NO_HOST.fullmatch(value) is not None or _is_file(seen, span, value)
    if span.entity_type in {"IP_ADDRESS", "MAC_ADDRESS"}:
        return _NO_MACHINE.fullmatch(value) is not None
    if span.entity_type == "PHONE_NUMBER":
        return _SECONDS.fullmatch(value) is not None
    if span.entity_type == "USER_NAME":
        if value in _ACCOUNTS and text[span.end : span.end + 1] == "@":  # of a shell; beside a password it is half a credential
            return True
        return value.startswith("@") and _DECORATED.match(text, span.end) is not None and seen.has_code
    return span.entity_type in _MISREAD and seen.is_technical and _is_misread(seen, span, value)


def _is_misread(seen: Text, span: Span, value: str) -> bool:
    """Whether what has the form of a number of papers, or of an address, is a part or prose in a technical text."""
    if span.entity_type == "STREET_ADDRESS":
        return value.islower() and any(word in FUNCTION_WORDS for word in WORD.findall(value))
    if span.entity_type in _ANNOUNCED:
        return _ANNOUNCED[span.entity_type].search(seen.text, max(0, span.start - 40), span.start) is None
    return len(value) <= len("e212") if span.entity_type == "DEVICE_ID" else seen.is_code(span)


def _is_file(seen: Text, span: Span, value: str) -> bool:
    """Whether a web address without its scheme is the name of a file, or a member of an object in code."""
    text = seen.text
    name, dot, top = value.rpartition(".")
    if not dot or "/" in value or name.startswith("www") or "@" in text[max(0, span.start - 1) : span.end + 1]:
        return False
    before, after = text[max(0, span.start - 1) : span.start], text[span.end : span.end + 1]
    if after == "(":
        return text[span.end : span.end + 2] == "()" or seen.has_code
    if after.isalnum() or after == "_" or before in {"_", "/", "\\", "`", "~", "."}:
        return True
    return _SCRIPTS.fullmatch(top) is not None and seen.has_code


def believable(text: str, spans: Sequence[Span]) -> list[Span]:
    """The finds of models that may be names or addresses."""
    seen = Text(text)
    return [span for span in spans if _is_believable(seen, span)]


def _is_believable(seen: Text, span: Span) -> bool:
    value = seen.text[span.start : span.end]
    words = WORD.findall(value)
    if span.entity_type == "STREET_ADDRESS":
        return _may_be_address(seen, span, value, words)
    if _is_technology(words):
        return value[:1].isupper() and _SALUTED.search(seen.text, max(0, span.start - 16), span.start) is not None
    if all(_names_nothing(word) and not word.istitle() for word in words):
        return not seen.is_technical and not any(word.casefold() in WORDS for word in words)
    is_listed = any(map(_is_listed, words))
    if seen.is_code(span):
        return is_listed and (not seen.is_technical or value[:1].isupper())
    return is_listed or not seen.is_technical or _is_named(seen, span, words)


def _is_named(seen: Text, span: Span, words: Sequence[str]) -> bool:
    """Whether somebody whom no list has is named in a technical text: by the words around, or by the form of the name."""
    text, start = seen.text, span.start
    if _SPEAKS.match(text, span.end) or _GREETED.search(text, max(0, start - 16), start):
        return not all(map(_is_trade, words))
    is_ascribed = _ASCRIBED.search(text, max(0, start - 24), start) is not None
    if seen.is_output(span) and not is_ascribed:
        return (
            len(words) > 1 and span.entity_type == "PERSON" and all(_may_name(seen, span, word, is_told=False) for word in words)
        )
    is_told = is_ascribed or _OPENS.search(text, max(0, start - 24), start) is not None
    return any(_may_name(seen, span, word, is_told=is_told) for word in words)


def _may_name(seen: Text, span: Span, word: str, *, is_told: bool) -> bool:
    """Whether a word of a technical text has the form of a name, and is no word that the text or English has otherwise."""
    low = word.casefold().removesuffix("'s").removesuffix("’s")  # noqa: RUF001  # the apostrophe people type
    if not _NAMED.fullmatch(word) or _is_trade(low):
        return False
    if is_told:
        return True
    return low not in seen.lower_words and (span.entity_type == "LOCATION" or low not in known_words())


def _is_technology(words: Sequence[str]) -> bool:
    return all(word.casefold() in TECHNOLOGIES for word in words if len(word) > 1) and any(len(word) > 1 for word in words)


def _is_trade(word: str) -> bool:
    return _names_nothing(word) or word.casefold() in MAKERS


def _names_nothing(word: str) -> bool:
    return len(word) == 1 or word.isdecimal() or (low := word.casefold()) in WORDS or low in TECHNOLOGIES


def _may_be_address(seen: Text, span: Span, value: str, words: Sequence[str]) -> bool:
    if (
        _DATED.fullmatch(value)
        or _FUNCTION.search(value)
        or (value.islower() and _COUNTED.search(value) and not _STREET.search(value))
    ):
        return False
    if _STREET.search(value):
        return True
    if _is_of_a_device(seen.text, span, value, words):
        return False
    if seen.is_technical:
        if seen.is_output(span) or _PART_NUMBER.search(value):
            return False
        return any(_NAMED.fullmatch(word) and not _is_trade(word) and word.casefold() not in known_words() for word in words)
    named = [word for word in words if word.isalpha()]
    return not named or not all(_names_nothing(word) and not word.istitle() for word in named)


def _is_of_a_device(text: str, span: Span, value: str, words: Sequence[str]) -> bool:
    """Whether it is a measure, a model number or what a device shows."""
    if _MEASURE.search(value) or (value[-1].isdecimal() and _UNIT.match(text, span.end)):
        return True
    return _is_sold(text, span, value, words) or _FAULT.search(text, max(0, span.start - 16), span.end) is not None


def _is_sold(text: str, span: Span, value: str, words: Sequence[str]) -> bool:
    """Whether all numbers are model numbers and a maker is named in it or right before it: "Qnap TS453"."""
    numbered = [part.strip(".,;:!?()") for part in value.split() if any(map(str.isdecimal, part))]
    if not numbered or not all(map(_MODEL_NUMBER.fullmatch, numbered)):
        return False
    before = WORD.findall(text[max(0, span.start - 24) : span.start]) if text[: span.start].endswith(" ") else []
    return any(word[0].isupper() and word.casefold() in MAKERS for word in [*before[-1:], *words])


def _is_listed(word: str) -> bool:
    plain = normal_word(word)
    return word.casefold() not in WORDS and (plain in given_names() or plain in family_names())
