"""Answers to what the agent asked in the turn before: "May I have your PIN?" - "it's 5225".

Not an EntityRecognizer: it needs two turns. Sure enough to be used alone, because the question says what comes.
"""

import re
from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import Final

from pipeline.spans import Span

RECOGNIZER: Final = "AnswerRecognizer"

_ASKS: Final = re.compile(
    r"\b(?:what|which|may i|can i|could i|can you|could you|would you|please|provide|tell|give|share|confirm|verify|enter"
    r"|need|have)\b|\?",
    re.IGNORECASE,
)
_CODE_WORD: Final = r" (?:number|no|id|code)"
_TOPICS: Final = {
    "ACCOUNT_NUMBER": rf"(?:account|customer|member(?:ship)?|policy|contract){_CODE_WORD}",
    "PIN": r"\bpin\b|pass ?code|(?:security|access|verification) code|\bcvv\b|\bcvc\b|one[- ]time",
    "ORDER_NUMBER": rf"(?:order|booking|reservation|confirmation|invoice|reference|receipt|transaction){_CODE_WORD}",
    "TICKET_NUMBER": rf"(?:ticket|case){_CODE_WORD}",
    "TRACKING_NUMBER": rf"tracking{_CODE_WORD}",
    "DEVICE_ID": r"serial (?:number|no)|\bimei\b|device id",
    "DATE_OF_BIRTH": r"date of birth|birth ?date|birthday|\bdob\b|when were you born",
    "PHONE_NUMBER": r"(?:phone|telephone|mobile|cell|contact|callback) ?(?:number|no)?\b",
    "PERSON": r"(?:your|full|first|last|sur|family|customer|guest|patient|the)[ -]?name\b|who am i (?:speaking|chatting)"
    r"|\bnames?\b, please",
    "SECURITY_ANSWER": r"security (?:question|answer)|maiden name|(?:first|childhood) pet|name of your (?:first|favou?rite|best)",
    "USER_NAME": r"user ?name|login name|user ?id",
    "PASSWORD": r"\bpassword\b|pass ?phrase",
}
_COMPILED: Final = {topic: re.compile(words, re.IGNORECASE) for topic, words in _TOPICS.items()}

_NUMBER: Final = re.compile(r"(?<![\w$€£.,/-])\d(?:[ -]?\d){2,24}(?![\w%]|[.,]\d)")
_CODE: Final = re.compile(
    r"(?<![\w$€£.,])(?=[\w/-]*\d[\w/-]*\d)(?=[\w/-]*[A-Za-z])(?!\d+(?:st|nd|rd|th|am|pm)\b)[A-Za-z0-9][\w/-]{3,29}(?!\w)"
)
_DATE: Final = re.compile(
    r"\d{1,4}[-/. ]\d{1,2}[-/. ]\d{2,4}|\d{6,8}|\d{1,2}(?:st|nd|rd|th)?(?: of)? [A-Za-z]{3,9},? \d{2,4}"
    r"|[A-Za-z]{3,9} \d{1,2}(?:st|nd|rd|th)?,? \d{2,4}"
)
_LEAD: Final = re.compile(
    r"\s*(?:(?:yes|yeah|sure|ok|okay|of course|hi|hello|certainly|well|um|uh|oh)\b[,.!]*\s*)*"
    r"(?:(?:my|the|full|first|last|user|name|answer|is|it'?s|its|it|would be|that'?s|this is|i'?m|i am|under|in|for|call me)\b"
    r"[:,]?\s*)*",
    re.IGNORECASE,
)
_NAME: Final = re.compile(r"[^\W\d_](?:[\w'’-]+|\.)?(?:\s+[^\W\d_](?:[\w'’-]+|\.)?){0,3}")  # noqa: RUF001  # the apostrophe people type
_AFTER_NAME: Final = re.compile(r"(?:and|my|thanks|thank|please|here|account|i|the|\d|,)", re.IGNORECASE)
_TOKEN: Final = re.compile(r"\S{3,64}")
_NOT_NAMES: Final = (
    "yes no yeah nope sure ok okay thanks thank you please what why how when where who which the a an i it is was not don't"
    " do can could would will have has my your this that hello hi hey sorry none null never mind nothing want need help hold"
    " on wait for to of and or but in at with am im i'm that's all later already just"
)
_NOT_A_NAME: Final = frozenset(_NOT_NAMES.split())
MAX_QUESTION: Final = 2000
"""Characters; a pasted text asks for nothing."""

MAX_ANSWER: Final = 400
"""Characters; an answer is short."""

MAX_PIN_DIGITS: Final = 8
MIN_NUMBER_DIGITS: Final = 4


@lru_cache(maxsize=10_000)
def asked(question: str) -> tuple[str, ...]:
    """The entity types that a turn asks for."""
    if len(question) > MAX_QUESTION or not _ASKS.search(question):
        return ()
    topics = tuple(topic for topic, words in _COMPILED.items() if words.search(question))
    return tuple(topic for topic in topics if topic != "PERSON") if "SECURITY_ANSWER" in topics else topics


def find(text: str, topics: Sequence[str]) -> list[Span]:
    """What answers a question for `topics` in the turn after it."""
    if not topics or len(text) > MAX_ANSWER:
        return []
    return [Span(start, end, topic, score, RECOGNIZER) for topic in topics for start, end, score in _answers(text, topic)]


def _answers(text: str, topic: str) -> Iterator[tuple[int, int, float]]:
    if topic in {"PERSON", "SECURITY_ANSWER"}:
        yield from _name(text)
    elif topic in {"USER_NAME", "PASSWORD"}:
        yield from _token(text)
    elif topic == "DATE_OF_BIRTH":
        for match in _DATE.finditer(text):
            yield *match.span(), 0.7
    else:
        for match in _NUMBER.finditer(text):
            digits = sum(map(str.isdecimal, match.group()))
            if digits <= MAX_PIN_DIGITS if topic == "PIN" else digits >= MIN_NUMBER_DIGITS:
                yield *match.span(), 0.7
        for match in _CODE.finditer(text) if topic != "PIN" else ():
            yield *match.span(), 0.6


def _token(text: str) -> Iterator[tuple[int, int, float]]:
    """The whole turn is one word, but for words such as "it's"."""
    match = _TOKEN.match(text, _skip_lead(text))
    if match and match.group().strip(".,!?").casefold() not in _NOT_A_NAME and not text[match.end() :].strip(" .!"):
        yield *match.span(), 0.6


def _skip_lead(text: str) -> int:
    match = _LEAD.match(text)
    return match.end() if match else 0


def _name(text: str) -> Iterator[tuple[int, int, float]]:
    """The whole turn is a name, but for words such as "it's"."""
    match = _NAME.match(text, _skip_lead(text))
    if match is None:
        return
    name = match.group().rstrip(".")
    rest = text[match.end() :].strip(" .,!")
    if (not rest or _AFTER_NAME.match(rest)) and not any(word.casefold().strip(".,") in _NOT_A_NAME for word in name.split()):
        yield match.start(), match.start() + len(name), 0.6
