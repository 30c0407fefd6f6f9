"""Answers to what the agent asked in the turn before: "May I have your PIN?" - "it's 5225".

Not an EntityRecognizer: it needs two turns. Sure enough to be used alone, because the question says what comes.
"""

import re
from collections.abc import Sequence
from typing import Final

from pipeline.spans import Span

RECOGNIZER: Final = "AnswerRecognizer"

_ASKS: Final = re.compile(
    r"\b(?:what|which|may i|can i|could i|can you|could you|would you|please|provide|tell|give|share|confirm|verify|enter|need|have)\b"
    r"|\?",
    re.IGNORECASE,
)
_TOPICS: Final = {
    "ACCOUNT_NUMBER": r"account (?:number|no|id)|customer (?:number|id)|member(?:ship)? (?:number|id)|policy number",
    "PIN": r"\bpin\b|pass ?code|security code|access code|verification code|\bcvv\b|\bcvc\b|one[- ]time",
    "ORDER_NUMBER": r"(?:order|booking|reservation|confirmation|invoice|reference|receipt|transaction) (?:number|no|id|code)",
    "TICKET_NUMBER": r"(?:ticket|case) (?:number|no|id)",
    "TRACKING_NUMBER": r"tracking (?:number|no|id|code)",
    "DEVICE_ID": r"serial (?:number|no)|\bimei\b|device id",
    "DATE_OF_BIRTH": r"date of birth|birth ?date|birthday|\bdob\b|when were you born",
    "PHONE_NUMBER": r"(?:phone|telephone|mobile|cell|contact|callback) ?(?:number|no)?\b",
    "PERSON": r"(?:your|full|first|last|sur|family|customer|guest|patient|the)[ -]?name\b|who am i (?:speaking|chatting)|\bnames?\b, please",
    "SECURITY_ANSWER": r"security (?:question|answer)|maiden name|(?:first|childhood) pet|name of your (?:first|favou?rite|best)",
    "USER_NAME": r"user ?name|login name|user ?id",
    "STREET_ADDRESS": r"(?:postal|home|shipping|delivery|billing|street|mailing|full|your) address",
    "PASSWORD": r"\bpassword\b|pass ?phrase",
}
_COMPILED: Final = {topic: re.compile(words, re.IGNORECASE) for topic, words in _TOPICS.items()}

_CODE: Final = re.compile(r"(?<![\w$€£])(?=[\w/-]*\d)[^\W_](?:[\w/ -]{1,24}?[^\W_])?(?![\w%])")
_NUMBER: Final = re.compile(r"(?<![\w$€£.,])\d(?:[ -]?\d){2,24}(?![\w%]|[.,]\d)")
_DATE: Final = re.compile(
    r"\d{1,4}[-/. ]\d{1,2}[-/. ]\d{2,4}|\d{6,8}|\d{1,2}(?:st|nd|rd|th)?(?: of)? [A-Za-z]{3,9},? \d{2,4}|[A-Za-z]{3,9} \d{1,2}(?:st|nd|rd|th)?,? \d{2,4}"
)
_LEAD: Final = re.compile(
    r"\s*(?:(?:yes|yeah|sure|ok|okay|of course|hi|hello|certainly|well|um|uh|oh)\b[,.!]*\s*)*"
    r"(?:(?:my|the|full|first|last|user|name|answer|is|it'?s|its|it|would be|that'?s|this is|i'?m|i am|under|in|for|call me)\b[:,]?\s*)*",
    re.IGNORECASE,
)
_NAME: Final = re.compile(r"[^\W\d_][\w'’.-]*(?:\s+[^\W\d_][\w'’.-]*){0,3}")  # noqa: RUF001  # the apostrophe people type
_NOT_A_NAME: Final = frozenset(
    "yes no yeah nope sure ok okay thanks thank you please what why how when where who which the a an i it is was not don't do"
    " can could would will have has my your this that hello hi hey sorry none null never mind nothing want need help hold on wait"
    " for to of and or but in at with am im i'm that's all later already just".split()  # noqa: SIM905  # a list of words reads better
)
MAX_NAME_WORDS: Final = 4


def asked(question: str) -> tuple[str, ...]:
    """The entity types that a turn asks for."""
    if len(question) > 2000 or not _ASKS.search(question):  # noqa: PLR2004  # a pasted text asks for nothing
        return ()
    return tuple(topic for topic, words in _COMPILED.items() if words.search(question))


def find(text: str, topics: Sequence[str]) -> list[Span]:
    """What answers a question for `topics` in the turn after it."""
    if len(text) > 400:  # noqa: PLR2004  # an answer is short
        return []
    spans: list[Span] = []
    for topic in topics:
        if topic in {"PERSON", "SECURITY_ANSWER"}:
            spans.extend(_name(text, topic))
        elif topic == "DATE_OF_BIRTH":
            spans.extend(Span(match.start(), match.end(), topic, 0.7, RECOGNIZER) for match in _DATE.finditer(text))
        elif topic in {"USER_NAME", "PASSWORD"}:
            spans.extend(_token(text, topic))
        elif topic == "STREET_ADDRESS":
            continue
        elif topic == "PIN":
            spans.extend(Span(*match.span(), topic, 0.7, RECOGNIZER) for match in _NUMBER.finditer(text) if _digits(match) < 9)  # noqa: PLR2004
        else:
            spans.extend(Span(*match.span(), topic, 0.7, RECOGNIZER) for match in _NUMBER.finditer(text) if _digits(match) > 3)  # noqa: PLR2004
            spans.extend(_codes(text, topic))
    return spans


def _digits(match: re.Match[str]) -> int:
    return sum(sign.isdecimal() for sign in match.group())


def _codes(text: str, topic: str) -> list[Span]:
    """A code of letters and digits, such as AB-1042."""
    found = re.finditer(r"(?<![\w$€£.,])(?=[\w/-]*\d[\w/-]*\d)(?=[\w/-]*[A-Za-z])[A-Za-z0-9][\w/-]{3,29}(?!\w)", text)
    return [
        Span(*match.span(), topic, 0.6, RECOGNIZER)
        for match in found
        if not re.fullmatch(r"\d+(?:st|nd|rd|th|am|pm)", match.group(), re.I)
    ]


def _token(text: str, topic: str) -> list[Span]:
    start = _skip_lead(text)
    match = re.compile(r"\S{3,64}").match(text, start)
    if match is None or match.group().strip(".,!?").casefold() in _NOT_A_NAME or text[match.end() :].strip(" .!"):
        return []
    return [Span(start, match.end(), topic, 0.6, RECOGNIZER)]


def _skip_lead(text: str) -> int:
    match = _LEAD.match(text)
    return match.end() if match else 0


def _name(text: str, topic: str) -> list[Span]:
    """The whole turn is a name, but for words such as "it's"."""
    start = _skip_lead(text)
    match = _NAME.match(text, start)
    if match is None:
        return []
    words = match.group().rstrip(".").split()
    if any(word.casefold().strip(".,") in _NOT_A_NAME for word in words) or len(words) > MAX_NAME_WORDS:
        return []
    rest = text[match.end() :].strip(" .,!")
    if rest and not re.match(r"(?:and|my|thanks|thank|please|here|account|i|the|\d|,)", rest, re.IGNORECASE):
        return []
    end = start + len(match.group().rstrip("."))
    return [Span(start, end, topic, 0.6, RECOGNIZER)]
