"""What is said of a person in fixed words: dates of birth, names after "my name is", security answers."""

from collections.abc import Sequence
from typing import Final

from presidio_analyzer import EntityRecognizer, Pattern, PatternRecognizer, RecognizerResult
from presidio_analyzer.nlp_engine import NlpArtifacts

from pipeline import known_values
from pipeline.surrogates.dates import OTHER_MONTHS

MONTHS: Final = (
    r"(?:jan(?:uary)?|feb(?:r?uary|urary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?|sept?(?:ember)?|oct(?:ober)?"
    r"|nov(?:ember)?|dec(?:ember)?)\.?"
)
DATE: Final = (
    rf"(?:\d{{1,4}}[-/. ]\d{{1,2}}[-/. ]\d{{2,4}}|\d{{1,2}}(?:st|nd|rd|th)?(?: of)?[ -]{MONTHS},?[ -]\d{{2,4}}"
    rf"|{MONTHS} \d{{1,2}}(?:st|nd|rd|th)?,? \d{{2,4}}|\d{{6}}|\d{{8}})"
)
_OTHER_MONTHS: Final = "|".join(
    sorted({name for year in OTHER_MONTHS.values() for month in year for name in month} - {"set", "out"}, reverse=True)
)
FOREIGN_DATE: Final = rf"(?:\d{{1,2}}(?:er|\.|º|°)?(?: de)? (?:{_OTHER_MONTHS})\b\.?(?: del?)? (?:19|20)\d\d)"
_UNITS: Final = "one|two|three|four|five|six|seven|eight|nine"
_TEENS: Final = "ten|eleven|twelve|thirteen|fourteen|fifteen|sixteen|seventeen|eighteen|nineteen"
_TENS: Final = "(?:twenty|thirty|fou?rty|fifty|sixty|seventy|eighty|ninety)"
_DAY: Final = (
    r"(?:\d{1,2}(?:st|nd|rd|th)?|(?:(?:twenty|thirty)[ -])?(?:first|second|third|fourth|fifth|sixth|seventh|eighth|nine?th)"
    rf"|tenth|eleventh|twel(?:f|v)th|(?:thir|four|fif|six|seven|eigh|nine)teenth|twentieth|thirtieth"
    rf"|(?:twenty[ -])?(?:{_UNITS})|{_TEENS})"
)
_YEAR: Final = (
    rf"(?:(?:nineteen|twenty)[ -](?:(?:oh|o)[ -](?:{_UNITS})|{_TEENS}|{_TENS}(?:[ -](?:{_UNITS}))?)"
    rf"|two thousand(?: (?:and )?(?:{_TEENS}|{_TENS}(?:[ -](?:{_UNITS}))?|{_UNITS}))?|{_TENS}[ -](?:{_UNITS}))"
)
DATE_IN_WORDS: Final = rf"(?:{_DAY}(?: of)? {MONTHS}|{MONTHS} (?:the )?{_DAY})"
"""The day and month of a date said aloud: "the twenty second of november", "june fifth"."""

_BORN: Final = (
    r"(?:date of birth|birth ?date|b(?:irth)?-? ?day|d\.?o\.?b\.?|born|geburtsdatum|geboren|geboortedatum|date de naissance|née?"
    r"|fecha de nacimiento|nac[íi]|nacid[oa]|data di nascita|nat[oa])"
)

_TO_DATE: Final = r"(?:\s*(?:is|was|on|am|the|le|el|il|op|:|=|it's|[-(])){0,3}\s*"

_TRADES: Final = (
    r"[a-z]{3,}(?:er|or|ist|ant|ian|man|woman|person|ect|yst|ive)|clerk|nurse|chef|cook|agent|intern|head|lead|technician|secretary"
    r"|ceo|cto|cfo|vp|president|accountant|physicist|assistant|attorney|judge|pilot|student"
    r"|responsable|directeur|directrice|hoofd|leiter(?:in)?|geschäftsführer(?:in)?|gerente|responsabile|medewerker"
)
_JOB: Final = rf"(?=(?:[a-z'’-]{{2,}}[ ,/&]{{1,3}}){{0,6}}(?:{_TRADES})\b)(?:[a-z'’-]{{2,}}[ ,/&]{{1,3}}){{0,6}}[a-z'’-]{{2,}}"  # noqa: RUF001
_SIGNED: Final = (
    r"(?m:^)(?-i:[A-Z][\w.'’-]*|[a-z][\w'’-]+)(?: {1,2}[\w.'’-]+){1,3}\n{1,2}"  # noqa: RUF001  # the apostrophe people type
    rf"\K{_JOB}(?=\n(?:[^\n]*\n){{0,8}}[^\n]*(?:\d{{3}}|@|www\.))"
)
"""The line under a name in a signature that says what somebody does, with a number or an address in the lines under it."""


def recognizers(language: str, _countries: Sequence[str]) -> list[EntityRecognizer]:
    """Names after a title or announced, what somebody does in a signature, dates of birth, written-out dates with a year."""
    birth = [
        Pattern(
            "announced",
            rf"\b{_BORN}\b\.?{_TO_DATE}\K(?:{DATE}|{FOREIGN_DATE})(?!\w)",
            0.85,
        ),
        Pattern(
            "announced in words",
            rf"\b{_BORN}\b\.?{_TO_DATE}\K{DATE_IN_WORDS}(?:,? (?:\d{{2,4}}|{_YEAR}))?(?!\w)",
            0.85,
        ),
        Pattern("announced after", rf"(?<!\w){DATE}(?=\s*(?:is|was|=)\s+(?:my|the|his|her|their)\s+(?:{_BORN}|birth))", 0.85),
    ]
    written = [
        Pattern("day first", rf"(?<!\w)\d{{1,2}}(?:st|nd|rd|th)?(?: of)?[ -]{MONTHS},?[ -](?:19|20)\d\d(?!\w)", 0.6),
        Pattern("of other languages", rf"(?<!\w){FOREIGN_DATE}(?!\w)", 0.6),
        Pattern("in words", rf"\b{DATE_IN_WORDS},? (?:(?:19|20)\d\d|{_YEAR})(?!\w)", 0.5),
        Pattern("month first", rf"\b{MONTHS} \d{{1,2}}(?:st|nd|rd|th)?,? (?:19|20)\d\d(?!\w)", 0.6),
    ]
    titled = [
        Pattern(
            "after a title",
            r"\b(?i:mr|mrs|ms|mx|dr|prof|miss|sir|madam|herrn?|frau|mme|mlle|señora?|sra?)\b\.?\s+\K"
            r"[A-Z][\w'’-]+(?:\s[A-Z][\w'’-]+){0,2}",  # noqa: RUF001  # the apostrophe people type
            0.7,
        )
    ]
    capital = r"[^\W\d_a-zß-öø-ÿ][\w'’.-]{1,30}"  # noqa: RUF001  # the apostrophe people type
    fields = [
        Pattern(
            "of a kind of name",
            r"(?<![a-z])(?i:(?:first|last|full|given|family|middle|sur|customer|contact|holder|patient|owner|display)[_-]?name)"
            rf"[\"']?\s?[:=>]\s?[\"']?\K{capital}(?: {capital}){{0,3}}(?![\w(])",
            0.6,
        ),
        Pattern("of a name", rf"[\"'<](?i:name)[\"'>]\s?:?\s?[\"']?\K{capital}(?: {capital}){{1,3}}(?![\w(])", 0.6),
    ]
    jobs = [
        Pattern("under a name", _SIGNED, 0.5),
        Pattern("of somebody who signs", rf"\bas (?:an? |the )\K(?-i:(?=[A-Z])){_JOB}(?= (?:at|of|for|with) (?-i:[A-Z]))", 0.5),
        Pattern(
            "of somebody who works",
            rf"\bwork(?:s|ed|ing)?\b[^.\n]{{0,60}}?\bas (?:an? |the )?\K{_JOB}(?=[,.;]|\s+(?:and|but)\b)",
            0.5,
        ),
    ]
    expiry = Pattern(
        "expiry announced",
        r"\b(?:exp(?:ir(?:y|es|ation|ing))?|valid (?:until|thru|through|to))\b\.?(?: date)?(?:\s*(?:is|on|:))*\s*"
        r"\K(?:(?:0?[1-9]|1[0-2])\s?[-/. ]\s?(?:20)?[2-4]\d|(?:0[1-9]|1[0-2])(?:20)?[2-4]\d)(?!\w)",
        0.6,
    )
    return [
        PatternRecognizer("PERSON", "TitledNameRecognizer", language, titled, global_regex_flags=0),
        PatternRecognizer("PERSON", "FieldNameRecognizer", language, fields, global_regex_flags=0),
        SaidNameRecognizer(["PERSON"], name=known_values.SAID, supported_language=language),
        PatternRecognizer("JOB_TITLE", "JobTitleRecognizer", language, jobs),
        PatternRecognizer("DATE_OF_BIRTH", "DateOfBirthRecognizer", language, birth),
        PatternRecognizer("DATE_TIME", "WrittenDateRecognizer", language, [*written, expiry]),
    ]


class SaidNameRecognizer(EntityRecognizer):
    """Names after "my name is", "last name" and the like."""

    def load(self) -> None:
        """Nothing to load."""

    def may_find(self, text: str) -> bool:
        """Whether there may be a find at all."""
        return known_values.may_be_said(text)

    def analyze(self, text: str, entities: list[str], nlp_artifacts: NlpArtifacts | None = None) -> list[RecognizerResult]:  # noqa: ARG002
        """The names in one text, in order."""
        return [RecognizerResult("PERSON", start, end, known_values.SAID_SCORE) for start, end in known_values.said(text)]
