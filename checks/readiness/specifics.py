"""Specifics: amounts, dates, ids, addresses, versions, numbers; what may be true of one case or one day only."""

import re
from typing import Final

ENUMERATOR: Final = re.compile(r"(?m)^\s*(?:step\s+)?\d{1,2}[.):]\s+", re.IGNORECASE)
"""The number of a step is no fact."""

SPECIFIC: Final = re.compile(
    r"(?i)https?://[^\s<>\"')]+|\bwww\.[^\s<>\"')]+"
    r"|[$€£¥]\s?\d[\d.,]*|\b\d[\d.,]*\s?(?:usd|eur|gbp|dollars?|euros?|pounds?|%|percent\b)"
    r"|\bv?\d+(?:\.\d+){2,3}\b|\b\d{4}-\d{2}-\d{2}\b|\b\d{1,2}[/.]\d{1,2}(?:[/.]\d{2,4})?\b"
    r"|\b(?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]{0,6}\.?\s+\d{1,2}(?:st|nd|rd|th)?\b"
    r"|\b\d{1,2}(?:st|nd|rd|th)?\s+(?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]{0,6}\b"
    r"|\b\d{1,2}(?::\d{2})?\s?[ap]\.?m\b|\b\d{1,2}:\d{2}\b"
    r"|\bv?\d+\.\d+\b|\b(?=[\w-]*\d)(?=[\w-]*[a-z])[a-z0-9]+(?:-[a-z0-9]+)*\b|\b\d{2,}\b"
)
"""Single digits are left out: "one of our 3 plans" is no fact that ages, and digits begin lists."""

EDGES: Final = re.compile(r"[\s,.;:!?'\")]+$")


def specifics_in(text: str) -> set[str]:
    """The specifics of a text, in a form that two writings of one value share.

    >>> sorted(specifics_in("1. Pay $1,200.00 by March 3 for AB-77."))
    ['1200', 'ab-77', 'march 3']
    """
    return {normal(match[0]) for match in SPECIFIC.finditer(ENUMERATOR.sub(" ", text))} - {""}


def normal(value: str) -> str:
    """A value without currency, thousands marks and outer punctuation."""
    plain = EDGES.sub("", value.lower())
    number = re.sub(r"[$€£¥\s]|usd|eur|gbp|dollars?|euros?|pounds?|percent|%", "", plain)
    if re.fullmatch(r"\d{1,3}(?:,\d{3})+(?:\.\d+)?", number):
        number = number.replace(",", "")
    if re.fullmatch(r"\d+(?:\.\d+)?", number):
        return number.rstrip("0").rstrip(".") if "." in number else number
    return re.sub(r"\s+", " ", plain)


VOLATILE: Final = (
    r"(?i)[$€£¥]\s?\d|\b\d[\d.,]*\s?(?:[€£¥]|(?:usd|eur|gbp|dollars|euros?|d[oó]lares)\b)"
    r"|\b\d{4}-\d{2}-\d{2}\b|\b\d{1,2}[/.]\d{1,2}[/.]\d{2,4}\b|\bv(?:ersi[oó]n )?\d+(?:\.\d+)+\b"
)
"""Prices, dates and versions, in any language: with the words of `lexicons/`, what makes answers age (M14)."""
