"""What is said of a person in fixed words: dates of birth, names after "my name is", security answers."""

from collections.abc import Sequence
from typing import Final

from presidio_analyzer import EntityRecognizer, Pattern, PatternRecognizer

MONTHS: Final = (
    r"(?:jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?|sept?(?:ember)?|oct(?:ober)?"
    r"|nov(?:ember)?|dec(?:ember)?)\.?"
)
DATE: Final = (
    rf"(?:\d{{1,4}}[-/. ]\d{{1,2}}[-/. ]\d{{2,4}}|\d{{1,2}}(?:st|nd|rd|th)?(?: of)?[ -]{MONTHS},?[ -]\d{{2,4}}"
    rf"|{MONTHS} \d{{1,2}}(?:st|nd|rd|th)?,? \d{{2,4}}|\d{{6}}|\d{{8}})"
)
_BORN: Final = r"(?:date of birth|birth ?date|birth ?day|d\.?o\.?b\.?|born|geburtsdatum|geboren)"


def recognizers(language: str, _countries: Sequence[str]) -> list[EntityRecognizer]:
    """Names after a title, dates of birth, written-out dates with a year."""
    birth = [
        Pattern("announced", rf"\b{_BORN}\b\.?(?:\s*(?:is|was|on|am|the|:|=|it's|[-(])){{0,3}}\s*\K{DATE}(?!\w)", 0.85),
        Pattern("announced after", rf"(?<!\w){DATE}(?=\s*(?:is|was|=)\s+(?:my|the|his|her|their)\s+(?:{_BORN}|birth))", 0.85),
    ]
    written = [
        Pattern("day first", rf"(?<!\w)\d{{1,2}}(?:st|nd|rd|th)?(?: of)?[ -]{MONTHS},?[ -](?:19|20)\d\d(?!\w)", 0.6),
        Pattern("month first", rf"\b{MONTHS} \d{{1,2}}(?:st|nd|rd|th)?,? (?:19|20)\d\d(?!\w)", 0.6),
    ]
    titled = [
        Pattern(
            "after a title",
            r"\b(?i:mr|mrs|ms|mx|dr|prof|miss|sir|madam|herr|frau|mme|mlle|señora?|sra?)\b\.?\s+\K"
            r"[A-Z][\w'’-]+(?:\s[A-Z][\w'’-]+){0,2}",  # noqa: RUF001  # the apostrophe people type
            0.7,
        )
    ]
    return [
        PatternRecognizer("PERSON", "TitledNameRecognizer", language, titled, global_regex_flags=0),
        PatternRecognizer("DATE_OF_BIRTH", "DateOfBirthRecognizer", language, birth),
        PatternRecognizer("DATE_TIME", "WrittenDateRecognizer", language, written),
    ]
