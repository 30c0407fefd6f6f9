"""Numbers that support chats announce in words: accounts, orders, tickets, parcels, devices, plates, PINs.

Announced from either side: "my account number is 85731890", "order #A-1042", "85731890 is my account number".
"""

from collections.abc import Sequence
from typing import Final

from presidio_analyzer import EntityRecognizer, Pattern, PatternRecognizer

_KINDS: Final = {
    "ACCOUNT_NUMBER": r"account|acct|acc|a/c|customer|client|member(?:ship)?|policy|contract|subscriber|loyalty|konto|kunden|kd",
    "ORDER_NUMBER": r"order|ord|rma|purchase|invoice|receipt|transaction|booking|reservation|confirmation|reference|ref"
    r"|bestell|rechnungs?",
    "TICKET_NUMBER": r"ticket|case|incident|claim|complaint|service request|vorgangs?",
    "TRACKING_NUMBER": r"tracking|parcel|shipment|package|consignment|waybill|awb|sendungs?",
    "DEVICE_ID": r"serial|serien|s/n|sn|imei|meid|iccid|device|vin",
    "LICENSE_PLATE": r"licen[cs]e plate|number plate|plate|registration",
    "ID_NUMBER": r"driv(?:er'?s?|ing) licen[cs]e|passport|national (?:id|insurance)|tax(?:payer)?(?: id)?|sort code|routing"
    r"|meter|employee|student|staff|patient|badge|visa",
    "PIN": r"pin|passcode|pass code|security code|access code|verification code|one[- ]time (?:code|password|passcode)"
    r"|otp|cvv2?|cvc2?|tan|auth(?:entication)? code",
}

_NUMBER_WORD: Final = r"(?:numbers?|nummer|num|no|nr|id|ids|code|#|№)"
_LINK: Final = (
    r"(?:\s*(?:is|was|are|were|ist|lautet|it'?s|its|would be|should be|the|my|our|under|for it"
    r"|either|maybe|perhaps|might be|could be|[:=#№.,(\-–—]|\*+)){0,4}\s*"  # noqa: RUF001  # dashes people type
)
_STRONG: Final = r"(?=(?:[^\W_]|[-/]){3,40}(?![^\W_]))(?=(?:[^\W\d_]|[-/]){0,8}\d)[^\W_](?:[^\W_]|[-/](?=[^\W_]))*"
"""A token of three signs or more with a digit near its front."""

_DIGITS: Final = r"\d(?:[ -]?\d){3,30}"
_WEAK: Final = rf"(?:{_DIGITS}|(?=[^\W_]*\d[^\W_]*\d)(?=[^\W_]*[A-Z])[^\W_]{{5,30}})"
"""Four digits or more, or a code of five signs with two digits: enough where no word such as "number" stands before."""

_GROUPS: Final = (
    r"(?!(?:from|on|in|at|for|with|and|or|the|by|to|of|since|was|is|are|has|but|not)\b)[a-z]{1,5}[ -]?\d(?:[ -]?\d){3,20}(?![/-])"
)
"""A short word before groups of digits, as in "cust 77 120"."""

_NO_PREFIXES: Final = "usd|eur|gbp|chf|cad|aud|jpy|iso|iec|din|en|rfc|cve|utf|win|http|sku|mod"
"""Before a hyphen and digits they make an amount, a standard or a product, not the number of a thing somebody bought."""

_MEASURED: Final = (
    r"(?:dollars?|euros?|pounds?|usd|eur|gbp|rpm|[kmg]?hz|[kmgt]b|k?m|cm|mm|kg|miles?|watts?|volts?|years?|months?|days?|hours?|minutes?"
    r"|seconds?|times|lines|people|items|points|pieces|pages)\b"
)
"""After a number that counts something."""

_IN_GROUPS: Final = rf"[A-Z]{{1,4}}\d{{2,5}} \d{{2,5}}(?!\w|[.,]\d|\s?{_MEASURED}|\s(?!(?:does|this)\b)(?i:[a-z]{{3,}}s|pcs)\b)"
"""In capitals, and a second group that counts nothing: "QX731 22"."""

_HYPHENATED: Final = (
    r"(?!\d{1,2}-[A-Z]{3,9}-\d{2,4}\b)(?=[A-Z\d-]*[A-Z])(?=[A-Z\d-]*\d{3})[A-Z\d]{1,8}(?:-[A-Z\d]{1,10}){2,4}(?![\w-])"
)
"""In capitals, three parts or more, and no date."""

_NO_WORD: Final = rf"(?!(?:{_NO_PREFIXES})\b)[b-df-hj-np-tv-z]{{1,3}} \d(?:[ -]?\d){{3,20}}(?![\w/-]|[.,]\d|\s?{_MEASURED})"
"""Letters of which none is a vowel, so no word, and a number of four digits or more: "qx 70411"."""


def recognizers(language: str, _countries: Sequence[str]) -> list[EntityRecognizer]:
    """One recognizer per kind of number, and one for numbers that nobody announced but that name something."""
    found: list[EntityRecognizer] = []
    for entity_type, words in _KINDS.items():
        value = _WEAK if entity_type != "PIN" else r"\d(?:[ -]?\d){2,7}"
        strong = rf"(?:{_DIGITS}|{_GROUPS}|{_STRONG})" if entity_type != "PIN" else r"\d(?:[ -]?\d){2,7}"
        patterns = [
            Pattern("number announced", rf"\b(?:{words})(?:[- ]?{_NUMBER_WORD})\b\.?{_LINK}\K(?:{strong})\b", 0.75),
            Pattern("announced", rf"\b(?:{words})(?:'s)?\b{_LINK}\K(?:{value})\b(?![.,]\d|\s?%|\s?{_MEASURED})", 0.65),
            Pattern(
                "code announced",
                rf"\b(?:{words})(?:[- ]?{_NUMBER_WORD})?(?:'s)?\b\.?{_LINK}\K\b(?-i:{_IN_GROUPS}|{_HYPHENATED})",
                0.65,
            ),
            Pattern("letters announced", rf"\b(?:{words})\b\s*(?:(?:is|was|ist|lautet)\s+|[:=#]\s*)?\K{_NO_WORD}", 0.65),
            Pattern(
                "second of two",
                rf"\b(?:{words})(?:[- ]?{_NUMBER_WORD})?(?:'s)?\b\.?{_LINK}(?:{value})\s*(?:or|and|/)\s*"
                rf"(?:maybe |perhaps |else )?\K(?:{value})\b(?![.,]\d|\s?%|\s?{_MEASURED})",
                0.65,
            ),
            Pattern(
                "announced after",
                rf"(?<![\w$€£.,-])(?:{value})(?=\s*(?:is|was|are|=|as)\s+(?:my|the|our|your)\s+(?:[a-z]+ )?(?:{words})\b)",
                0.65,
            ),
        ]
        name = "".join(part.capitalize() for part in entity_type.split("_")) + "Recognizer"
        found.append(PatternRecognizer(entity_type, name=name, supported_language=language, patterns=patterns))
    bare = [Pattern("long", r"(?<![\w$€£#/@.,:=-])(?!\d*0{4}(?!\d))\d{7,19}(?![\w%€/@=-]|[.,:]\d)", 0.4)]
    number = r"(?!(?:19|20)\d\d\b|\d*00\b)\d{4,12}"
    no_sum = rf"(?![\w%€]|[.,]\d|\s?{_MEASURED})"
    bare += [
        Pattern("either", rf"\beither\s+\K{number}(?=\s+or\s+{number}{no_sum})", 0.5),
        Pattern("or", rf"\beither\s+{number}\s+or\s+\K{number}{no_sum}", 0.5),
    ]
    found.append(PatternRecognizer("ID_NUMBER", "LongNumberRecognizer", language, bare))
    word = (
        "(?:zero|oh|one|two|three|four|five|six|seven|eight|nine|double|triple"
        "|null|eins|zwei|drei|vier|fünf|sechs|sieben|acht|neun)"
    )
    spelled = [
        Pattern("spelled", rf"\b(?:(?:{word}|\d)[ ,.-]{{1,3}}){{6,32}}(?:{word}|\d)\b", 0.5),
        Pattern("one by one", r"(?<![\w.,])\d(?:[ -]{1,3}\d){6,24}(?![\w%]|[.,]\d)", 0.5),
    ]
    found.append(PatternRecognizer("ID_NUMBER", "SpelledNumberRecognizer", language, spelled))
    shop = [Pattern("of a shop", r"(?<![\w-])\d{3}-\d{7}-\d{7}(?![\w-])", 0.6)]
    found.append(PatternRecognizer("ORDER_NUMBER", "ShopOrderRecognizer", language, shop))
    coded = [Pattern("prefix and digits", rf"(?<![\w-])(?!(?:{_NO_PREFIXES})-)[A-Z]{{1,5}}-\d{{5,12}}(?![\w-]|[.,]\d)", 0.5)]
    found.append(PatternRecognizer("ID_NUMBER", "PrefixedNumberRecognizer", language, coded))
    return found
