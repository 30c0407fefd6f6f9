"""Numbers that people write as they would say them: "oh seven double four", "four one one nine", O77OO.

Not an EntityRecognizer: the text is read as digits, the recognizers that know numbers look at that reading, and what they find is
carried back to the words. So whatever is found in digits, announced or with a check digit, is found in words too.
"""

import re
from collections.abc import Callable, Sequence
from typing import Final, NamedTuple

from pipeline.spans import Span

RECOGNIZER: Final = "SpokenNumberRecognizer"

_SINGLE: Final = {
    word: str(digit)
    for words in (
        "zero one two three four five six seven eight nine",
        "oh won two three for fife six seven ate niner",
        "nought one two tree fower five six seven eight nien",
        "null eins zwei drei vier fünf sechs sieben acht neun",
        "cero uno dos tres cuatro cinco seis siete ocho nueve",
        "zéro un deux trois quatre cinq six sept huit neuf",
    )
    for digit, word in enumerate(words.split())
    if word not in {"for", "won", "ate", "tree"}  # "for" is far oftener no four
}
_TEENS: Final = {
    word: str(number)
    for number, word in enumerate(
        "ten eleven twelve thirteen fourteen fifteen sixteen seventeen eighteen nineteen".split(),  # noqa: SIM905  # read as a line
        10,
    )
}
_TENS: Final = {
    word: str(number)
    for words in (
        "twenty thirty forty fifty sixty seventy eighty ninety",
        "twenty thirty fourty fifty sixty seventy eighty ninty",
    )
    for number, word in enumerate(words.split(), 2)
}
_TIMES: Final = {"double": 2, "triple": 3, "treble": 3}
_ZEROS: Final = {"hundred": "00", "thousand": "000"}
_SIGNS: Final = {"dash": "-", "hyphen": "-", "slash": "/"}

_MANY: Final = "|".join(sorted((*_SINGLE, *_TEENS, *_TENS, *_TIMES, *_ZEROS, *_SIGNS), key=lambda word: (-len(word), word)))


def _letter(group: str) -> str:
    """As one says it on the telephone: "b as in bravo"."""
    return rf"(?P<{group}>[a-z])\s+(?:as in|for|like|wie)\s+(?P={group})[a-z]+"


def _item(group: str) -> str:
    return rf"(?:{_MANY}|\d+|{_letter(group)}|[b-hj-np-z]|[aio](?=[\s,-]+(?:{_MANY}|[a-z])\b))"


_GAP: Final = r"(?:\.{0,3}\s{0,2}[,-]?\s{0,2})"
_WORDS: Final = frozenset((*_SINGLE, *_TEENS, *_TENS, *_ZEROS))
_TO_BLANKS: Final = str.maketrans(",.-", "   ")
_ROUND: Final = re.compile(r"\d[Oo]|[Oo]\d")
_RUN: Final = re.compile(
    rf"(?<![\w'])(?:{_item('letter')}\b{_GAP}(?<![^\s,.-])){{2,40}}(?:{_item('last')}|a|i|o)(?![\w'])", re.IGNORECASE
)
_TOKEN: Final = re.compile(rf"{_letter('letter')}\b|[^\W_]+", re.IGNORECASE)
_ROUND_LETTERS: Final = re.compile(r"(?<![\w])(?=\w*\d\w*\d|\w*[Oo]{2})(?=\w*\d)[\dOo]*[Oo][\dOo]*(?!\w)")

MIN_ALONE: Final = 5
"""Words for single digits, one after the other, that are no count of anything and so a number of something."""

MIN_WHOLE: Final = 3
"""The same, when the turn says nothing else."""

MIN_CODE: Final = 5
"""Letters and digits, said one by one, that may be a code or a postcode although hardly one is a digit."""

_LEAD: Final = re.compile(
    r"(?:(?:yes|yeah|ok|okay|sure|um|uh|so|its|it's|it|is|my|the|number|code|that's|thats|sorry|no)\b[\s,.]*)*\Z", re.IGNORECASE
)


class _Run(NamedTuple):
    start: int
    end: int
    digits: str
    """With the signs and letters between them."""

    singles: int
    """Words that each stood for one digit."""


def find(text: str, analyze: Callable[[str], Sequence[Span]]) -> list[Span]:
    """Finds of `analyze` in the text read as digits, and long rows of digits in words; offsets are of the text itself.

    >>> find("pin is two two six one", lambda read: [Span(7, 11, "PIN", 0.7, "x")] if read == "pin is 2261" else [])
    [Span(start=7, end=22, entity_type='PIN', score=0.7, recognizer='SpokenNumberRecognizer')]
    """
    if not _may_find(text):
        return []
    runs = _runs(text)
    if not runs:
        return []
    read, places = _reading(text, runs)
    found = [
        Span(_start(span.start, places), _end(span.end, places), span.entity_type, span.score, RECOGNIZER)
        for span in analyze(read)
        if any(start < span.end and span.start < end for start, end, _ in places)
    ]
    found += [Span(run.start, run.end, "ID_NUMBER", 0.5, RECOGNIZER) for run in runs if _is_number_of_something(text, run)]
    return found


NO_NUMBERS: Final = frozenset(
    {
        *("PERSON", "LOCATION", "STREET_ADDRESS", "ORGANIZATION", "NRP", "TITLE", "JOB_TITLE", "CUSTOM", "SECURITY_ANSWER"),
        *("EMAIL_ADDRESS", "URL", "USER_NAME", "PASSWORD", "SECRET"),
    }
)
"""Types in whose values a number word is a word."""


def in_digits(entity_type: str, value: str) -> str:
    """A number in words as digits, so that one number has one stand-in and no word of it stands for one digit.

    >>> in_digits("PIN", "two two six one"), in_digits("PERSON", "two two six one")
    ('2261', 'two two six one')
    """
    if entity_type in NO_NUMBERS or not any(map(str.isalpha, value)):
        return value
    read = _reading(value, _runs(value))[0]
    return _TOKEN.sub(lambda token: _SINGLE.get(token.group().lower(), token["letter"] or token.group()), read)


def _reading(text: str, runs: Sequence["_Run"]) -> tuple[str, list[tuple[int, int, "_Run"]]]:
    """The text with its runs in digits, and where these stand in it."""
    read, places, position = "", [], 0
    for run in runs:
        read += text[position : run.start]
        places.append((len(read), len(read) + len(run.digits), run))
        read += run.digits
        position = run.end
    return read + text[position:], places


def _may_find(text: str) -> bool:
    """Whether two number words stand in a text, or an O beside a digit; far cheaper than reading it."""
    words = text.lower().translate(_TO_BLANKS).split()
    return sum(map(_WORDS.__contains__, words)) > 1 or _ROUND.search(text) is not None


def _is_number_of_something(text: str, run: _Run) -> bool:
    if run.singles >= MIN_ALONE:
        return True
    return run.singles >= MIN_WHOLE and not text[run.end :].strip(" .,!") and _LEAD.match(text[: run.start]) is not None


def _start(place: int, places: Sequence[tuple[int, int, _Run]]) -> int:
    """Where a find of the reading begins in the text: half a number gives the number away, so at the edge of a run."""
    shift = 0
    for start, end, run in places:
        if place < start:
            break
        if place < end:
            return run.start
        shift = run.end - end
    return place + shift


def _end(place: int, places: Sequence[tuple[int, int, _Run]]) -> int:
    shift = 0
    for start, end, run in places:
        if place <= start:
            break
        if place <= end:
            return run.end
        shift = run.end - end
    return place + shift


def _runs(text: str) -> list[_Run]:
    found = [run for match in _RUN.finditer(text) if (run := _read(text, match.start(), match.end())) is not None]
    for match in _ROUND_LETTERS.finditer(text):
        if not any(run.start < match.end() and match.start() < run.end for run in found):
            found.append(_Run(*match.span(), match.group().upper().replace("O", "0"), 0))
    return sorted(found)


def _read(text: str, start: int, end: int) -> _Run | None:
    """The reading of a run of words; None where they are no row of digits."""
    pieces: list[str] = []
    singles = words = times = 0
    place = start
    tens_open = False
    for match in _TOKEN.finditer(text, start, end):
        token = (match["letter"] or match.group()).casefold()
        gap = text[place : match.start()]
        joint = " " if "," in gap or "." in gap else ""
        if times and token in _SINGLE:
            pieces.append(joint + _SINGLE[token] * times)
            singles, words, times = singles + times, words + 1, 0
        elif token in _SINGLE:
            if tens_open and not joint:
                pieces[-1] = pieces[-1][:-1] + _SINGLE[token]
            else:
                pieces.append(joint + _SINGLE[token])
                singles += 1
            words += 1
        elif token in _TIMES:
            times = _TIMES[token]
        elif token in _ZEROS:
            pieces.append(_ZEROS[token])
            words += 1
        elif token in _TEENS or token in _TENS:
            pieces.append(joint + (_TEENS.get(token) or _TENS[token] + "0"))
            words += 1
        elif token in _SIGNS:
            pieces.append(_SIGNS[token])
        else:
            pieces.append((joint or ("" if len(token) == 1 else " " if pieces else "")) + token)
        tens_open = token in _TENS
        place = match.end()
    digits = "".join(pieces).strip()
    number = sum(map(str.isdecimal, digits))
    if words < 2 or (number < MIN_WHOLE and sum(map(str.isalnum, digits)) < MIN_CODE):  # noqa: PLR2004  # one number word among digits says nothing new
        return None
    return _Run(start, end, digits, singles)
