"""Street addresses by their form: a house number and a street word, with the flat and the postcode around them."""

from collections.abc import Sequence
from typing import Final

from presidio_analyzer import EntityRecognizer, Pattern, PatternRecognizer

_STREETS: Final = (
    r"(?:street|st|road|rd|avenue|ave|lane|ln|drive|dr|court|ct|boulevard|blvd|way|place|pl|square|sq|terrace|close|crescent"
    r"|parkway|pkwy|highway|hwy|circle|cir|trail|trl|loop|alley|row|mews|gardens|grove)"
)
_WORD: Final = r"[^\W\d_][\w'’.-]{0,24}"  # noqa: RUF001  # the apostrophe people type
_FLAT: Final = r"(?:,?\s*(?:apt|apartment|suite|ste|unit|flat|floor|#)\.?\s*[\w-]{1,6})"
_NUMBER_WORD: Final = (
    r"(?:(?:(?:twenty|thirty|forty|fifty|sixty|seventy|eighty|ninety)[ -]?)?(?:one|two|three|four|five|six|seven|eight|nine)"
    r"|ten|eleven|twelve|(?:thir|four|fif|six|seven|eigh|nine)teen|twenty|thirty|forty|fifty|sixty|seventy|eighty|ninety)"
)
_STATES: Final = (
    "AL|AK|AZ|AR|CA|CO|CT|DE|FL|GA|HI|ID|IL|IN|IA|KS|KY|LA|ME|MD|MA|MI|MN|MS|MO|MT|NE|NV|NH|NJ|NM|NY|NC|ND|OH|OK|OR|PA|RI|SC|SD"
    "|TN|TX|UT|VT|VA|WA|WV|WI|WY|DC"
)


def recognizers(language: str, _countries: Sequence[str]) -> list[EntityRecognizer]:
    """English, German and French house-number forms, post boxes, US city-state-ZIP lines."""
    patterns = [
        Pattern(
            "number first",
            rf"\b\d{{1,5}}[a-z]?(?:-\d{{1,5}})?,?\s+(?:(?:north|south|east|west|n|s|e|w)\.?\s+)?(?:{_WORD}\s+){{1,3}}{_STREETS}\b\.?"
            rf"{_FLAT}?",
            0.65,
        ),
        Pattern(
            "numbered street",
            rf"\b\d{{1,5}}\s+(?:(?:north|south|east|west|n|s|e|w)\.?\s+)?\d{{1,3}}(?:st|nd|rd|th)\s+{_STREETS}\b",
            0.65,
        ),
        Pattern(
            "German",
            r"\b[^\W\d_][\w.-]{2,30}(?:straße|strasse|str\.|weg|platz|allee|gasse|ring|damm|ufer)\s+\d{1,4}\s?[a-z]?\b",
            0.7,
        ),
        Pattern("Romance", rf"\b\d{{1,4}},?\s+(?:rue|avenue|boulevard|place|chemin|impasse)\s+(?:{_WORD}\s*){{1,4}}", 0.6),
        Pattern(
            "postcode, town",
            r"(?<!\w)\d{1,4}\s?[a-zA-Z]?,?\s{1,3}\K(?:(?-i:[A-Z]{1,2})-)?\d{4,5}\s(?-i:[^\W\d_a-zß-öø-ÿ][^\W\d_]{2,24})"
            r"(?:[ -](?-i:[^\W\d_a-zß-öø-ÿ][^\W\d_]{2,24}))?\b",
            0.6,
        ),
        Pattern(
            "postcode, town after a comma",
            r",\s{1,3}\K(?:\d{5}|\d{4} ?(?-i:[A-Z]{2}))\s(?-i:[^\W\d_a-zß-öø-ÿ][^\W\d_]{2,24})"
            r"(?<!\sEuro|\sDollar|\sStück|Pounds|Points)(?![\w%])",
            0.5,
        ),
        Pattern(
            "postcode announced",
            r"\b(?:post ?code|postal code|zip ?code|zip(?!\s+\d{4}\b)|postleitzahl|plz|code postal|c[oó]digo postal)\b"
            r"(?:\s*(?:is|was|ist|es|est|it's|its|[:=])){0,2}\s*"
            r"\K(?:\d{4}\s?(?-i:[A-Z]{2})|\d{4,6}(?:-\d{4})?|[a-z]{1,2}\d[a-z\d]?\s?\d[a-z]{2}|[a-z]\d[a-z]\s?\d[a-z]\d)(?!\w)",
            0.7,
        ),
        Pattern(
            "number of a house",
            r"\b(?:house|door|flat|apartment|apt|(?:street|st|road|rd|avenue|ave|lane|boulevard|blvd),?) (?:number|num|no|nr)\b"
            rf"\.?(?: is)?\s+\K(?:\d{{1,5}}\s?(?:[a-z]\b)?|{_NUMBER_WORD})(?![\w-]| of\b)",
            0.6,
        ),
        Pattern("post box", r"\bP\.?\s?O\.?\s?Box\s+\d{1,7}\b", 0.7),
        Pattern(
            "city, state, ZIP",
            rf"\b(?-i:[A-Z][\w'.-]+(?:\s[A-Z][\w'.-]+){{0,2}},?\s+(?:{_STATES}))\.?,?\s+\d{{5}}(?:-\d{{4}})?\b",
            0.7,
        ),
        Pattern("state, ZIP", rf"\b(?-i:{_STATES})\.?,?\s+\d{{5}}(?:-\d{{4}})?\b", 0.6),
    ]
    capital = r"(?-i:[^\W\d_a-zß-öø-ÿ])[\w'’.-]{1,30}"  # noqa: RUF001  # the apostrophe people type
    places = [
        Pattern(
            "in a field",
            r"(?:[\"'<]|(?<![a-z]))(?:city|town|municipality|county|birth_?place)[\"'>=]{1,2}\s?:?\s?[\"']?"
            rf"\K{capital}(?: {capital}){{0,3}}(?![\w(])",
            0.6,
        )
    ]
    return [
        PatternRecognizer("STREET_ADDRESS", "StreetAddressRecognizer", language, patterns),
        PatternRecognizer("LOCATION", "FieldPlaceRecognizer", language, places),
    ]
