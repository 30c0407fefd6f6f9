"""What an export itself says about the people of a conversation, looked for in every turn of it.

The participants' names and their parts, with initials, in Latin letters, without accents, possessive, by their short forms and
with one typing mistake; numbers in any spacing; e-mail addresses and what stands before the @; and names that people give in
the conversation itself ("my name is ...").

Short forms of English given names: https://github.com/carltonnorthern/nicknames (Apache-2.0). Latin letters for other scripts:
https://github.com/anyascii/anyascii (ISC).
"""

import json
import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cache, lru_cache
from pathlib import Path
from typing import Any, Final, NamedTuple
from urllib.parse import unquote

from pipeline.replacing.atoms import normal_word
from pipeline.replacing.name_lists import family_names, given_names
from pipeline.spans import Span
from pipeline.trade import TECHNOLOGIES
from pipeline.word_list import word_list

PARTICIPANTS: Final = "KnownValueRecognizer"
SAID: Final = "SaidNameRecognizer"

FOUND_BEFORE: Final = "FoundBeforeRecognizer"

SCORE: Final = 1.0
"""What the export says is certain."""

SAID_SCORE: Final = 0.9

FOUND_SCORE: Final = 0.5

SURE: Final = 0.6
"""Score from which a number that a pattern found in one turn is looked for in the others."""

SURE_NAME: Final = 0.95
"""The same of a model's names, as a share of the highest score a model's find can have."""

MIN_DIGITS: Final = 4
"""Shorter numbers are looked for as they are written, not in any spacing: 12 would be found in every price."""

MIN_LETTERS: Final = 2

SHORTEST_NAME: Final = 3
"""Letters of a name that a model found and that is looked for in the other turns."""

LONGEST_ACRONYM: Final = 5

_LEAST: Final = {"DEVICE_ID": 8}
"""Signs of what is looked for again; a model number or a PCI id (e212, 8086) names no customer's device."""

PHONE_DIGITS: Final = 10
"""The last digits of a longer telephone number are looked for too: people leave the country code out."""

_WORDS: Final = re.compile(r"[^\W\d_]+(?:['’-][^\W\d_]+)*")  # noqa: RUF001  # the apostrophe people type
_PIECES: Final = re.compile(r"[^\W\d_]+")


FUNCTION_WORDS: Final = word_list(
    "a an the and or but if of at by for with about to from in on off over then once here there when where why how all any"
    " both each few more most other some such no nor not only own same so than too very can will just don should now i me"
    " my we our you your he him his she her it its they them their what which who this that these those am is are was were"
    " be been being have has had do does did would could ought as until while into through during before after above"
    " below up down out again further get got go going please thanks thank hello hi hey ok okay yes yeah sure null none"
    " unknown customer agent user guest support admin info team service help mr mrs ms dr miss sir madam von van de der"
    " la le el bin und et y"
)
"""Words that are never looked for by themselves, whoever is called so."""

IDENTIFIERS: Final = frozenset(
    {
        "ACCOUNT_NUMBER",
        "ORDER_NUMBER",
        "TICKET_NUMBER",
        "TRACKING_NUMBER",
        "DEVICE_ID",
        "LICENSE_PLATE",
        "ID_NUMBER",
        "PIN",
        "PHONE_NUMBER",
        "EMAIL_ADDRESS",
        "CREDIT_CARD",
        "IBAN_CODE",
        "US_SSN",
        "USER_NAME",
        "PASSWORD",
        "SECRET",
    }
)
"""Types whose values, where they hold a digit, are looked for again as they are."""

NAME_WORDS: Final = word_list(
    "may mark al art bill bob chase dean dick drew faith frank gene grace grant guy hope jack joy june august april lee max"
    " miles norm pat penny pearl ray rich rob rose ruby sandy sue summer victor ward wade white black brown green gray grey"
    " king price day best good love rice bush wood woods stone hill banks cook baker page young long short bell bird brook"
    " carter case cash church cross field fields ford fox free gold hall hand hunt lane law light little marsh mason may"
    " moody moon park parks pool power reed rivers sharp shields small snow speed star steel strong swift wise wolf worth"
    " said star van will winter west east north south sky dawn eve hazel heather holly iris ivy jade jasmine lily olive"
    " patience star storm sunny violet willow angel christian china india paris sydney jordan georgia virginia carolina"
)
"""Names that are words: a part of a name is looked for in lower case unless it is one of these."""

_GENERIC_MAILBOXES: Final = word_list("info support admin sales contact hello help service team office mail noreply no-reply")


MIN_SHORT: Final = 3
"""Letters of the shortest short form of a name that is looked for."""

MIN_MISTYPED: Final = 6
"""Letters of the shortest name that is found with a typing mistake: shorter ones are too near to too many words."""


class Needle(NamedTuple):
    """One thing to look for."""

    text: str
    """Folded; for numbers the digits alone."""

    entity_type: str
    is_number: bool
    is_word: bool
    """Also an everyday word: counts only where it is capitalised."""

    score: float
    recognizer: str


def needles(values: Iterable[tuple[str, str]], recognizer: str = PARTICIPANTS, score: float = SCORE) -> frozenset[Needle]:
    """What to look for, given (entity type, value) pairs."""
    return frozenset(needle for kind, value in values for needle in _needles_of(kind, value, recognizer, score))


NOTHING: Final = frozenset({"", "null", "none", "nan", "n/a", "na", "unknown", "-"})
"""What exports write where they know nothing."""


@lru_cache(maxsize=100_000)
def _needles_of(kind: str, value: str, recognizer: str, score: float) -> frozenset[Needle]:
    value = value.strip(" \t\r\n\"'")
    if value.casefold() in NOTHING:
        return frozenset()
    found: set[Needle] = set()

    def add(text: str, entity_type: str, *, is_number: bool = False, is_word: bool = False) -> None:
        found.add(Needle(fold(text), entity_type, is_number, is_word, score, recognizer))

    def is_word(text: str) -> bool:
        low = fold(text)
        return low in NAME_WORDS or (recognizer == FOUND_BEFORE and (len(low) <= SHORTEST_NAME or low in known_words()))

    if not _says_nothing(value):
        add(value, kind, is_word=kind == "PERSON" and is_word(value))
        if "_" in value:
            add(value.replace("_", "\\_"), kind)  # as Markdown escapes it
    for digits in _numbers_of(kind, value):
        add(digits, kind, is_number=True)
    local = value.partition("@")[0] if kind == "EMAIL_ADDRESS" else ""
    if len(local) >= MIN_DIGITS and local.casefold() not in _GENERIC_MAILBOXES:
        add(local, "USER_NAME")
    for text, may_be_word in _forms(value) if kind == "PERSON" else ():
        if recognizer != FOUND_BEFORE or _may_be_name(text):
            add(text, kind, is_word=may_be_word or is_word(text))
    return frozenset(found)


def sure(text: str, spans: Iterable[Span], model_weight: float) -> Iterator[tuple[str, str]]:
    """(entity type, value) of what was found so surely in one turn that it is looked for in all turns of the conversation."""
    for span in spans:
        value = text[span.start : span.end]
        if span.entity_type in IDENTIFIERS:
            if span.score >= SURE and any(map(str.isdecimal, value)) and len(value) >= _LEAST.get(span.entity_type, MIN_DIGITS):
                yield span.entity_type, value
        elif span.entity_type == "PERSON" and span.score >= SURE_NAME * model_weight and _looks_like_a_name(value):
            yield "PERSON", value


def _looks_like_a_name(value: str) -> bool:
    """Looked for everywhere, one mistake of a model in a technical post (Xe, ASPM, B50) would become hundreds."""
    if not value[:1].isupper() or any(map(str.isdecimal, value)):
        return False
    return _is_listed(value) or any(len(word) >= SHORTEST_NAME and _may_be_name(word) for word in _PIECES.findall(value))


def _may_be_name(word: str) -> bool:
    is_acronym = word.isupper() and len(word) <= LONGEST_ACRONYM
    return _is_listed(word) or not (is_acronym or word.casefold() in TECHNOLOGIES)


def _is_listed(word: str) -> bool:
    return (plain := normal_word(word)) in given_names() or plain in family_names()


def _forms(name: str) -> Iterator[tuple[str, bool]]:
    """What else somebody of that name is called, and whether that is often an everyday word."""
    for spelling in _spellings(name):
        if spelling != name:
            yield spelling, False
        yield from ((part, False) for part in _parts_of(spelling))
    yield from ((other, True) for other in _short_forms(name))
    yield from ((other, False) for other in _with_initials(name))


def _spellings(name: str) -> Iterator[str]:
    """The name; with umlauts as Germans and Danes write them out; of one in another script in Latin letters."""
    yield name
    if name.isascii():
        return
    from anyascii import anyascii  # noqa: PLC0415  # its tables are read for names that need them

    if (written_out := name.translate(_WRITTEN_OUT)) != name:
        yield written_out
    if (latin := anyascii(name)) != name and not any("LATIN" in unicodedata.name(sign, "") for sign in name):
        yield latin


_WRITTEN_OUT: Final = str.maketrans(
    {
        "ä": "ae",
        "ö": "oe",
        "ü": "ue",
        "ß": "ss",
        "å": "aa",
        "ø": "oe",
        "æ": "ae",
        "Ä": "Ae",
        "Ö": "Oe",
        "Ü": "Ue",
        "Å": "Aa",
        "Ø": "Oe",
    }
)


@cache
def _nicknames() -> Any:
    from nicknames import NickNamer  # noqa: PLC0415  # reads its list, where names are looked for only

    return NickNamer()


def _short_forms(name: str) -> Iterator[str]:
    """Liz of Elizabeth, and Elizabeth of Liz; each may also be an everyday word."""
    given = name.partition(",")[2] or name
    if first := next(_parts_of(given), ""):
        for other in sorted(_nicknames().nicknames_of(first) | _nicknames().canonicals_of(first)):
            if len(other) >= MIN_SHORT and other not in FUNCTION_WORDS:
                yield other


def _with_initials(name: str) -> Iterator[str]:
    """J. Smith, John S., J.S. of John Smith; the parts alone are looked for anyway."""
    last, comma, given = name.partition(",")
    words = [*_parts_of(given), *_parts_of(last)] if comma else list(_parts_of(name))
    if len(words) < 2 or any(word.casefold() in NAME_WORDS for word in (words[0], words[-1])):  # noqa: PLR2004  # one name has none
        return
    first, last = words[0], words[-1]
    for dot in (".", ""):
        yield f"{first[0]}{dot} {last}"
        yield f"{first} {last[0]}{dot}"
    yield f"{first[0]}.{last}"
    yield f"{first[0]}.{last[0]}."
    yield f"{first[0]}. {last[0]}."


def _says_nothing(value: str) -> bool:
    return value.isalpha() and (value.casefold() in FUNCTION_WORDS or len(value) < MIN_LETTERS)


def _numbers_of(kind: str, value: str) -> Iterator[str]:
    """The digits of a value that is mostly a number."""
    digits = "".join(filter(str.isdecimal, value))
    if len(digits) >= MIN_DIGITS and len(digits) >= sum(map(str.isalpha, value)):
        yield digits
        if kind == "PHONE_NUMBER" and len(digits) > PHONE_DIGITS:
            yield digits[-PHONE_DIGITS:]


def _parts_of(name: str) -> Iterator[str]:
    """The words of a name that say who it is, those with a hyphen whole and in halves."""
    for word in _WORDS.findall(name):
        for part in {word, *_PIECES.findall(word)} if "-" in word else {word}:
            if len(part) >= MIN_LETTERS and part.casefold() not in FUNCTION_WORDS:
                yield part


def lower(text: str) -> str:
    """Lower case of the same length, so that offsets stay."""
    lowered = text.lower()
    return lowered if len(lowered) == len(text) else "".join(low if len(low := sign.lower()) == 1 else sign for sign in text)


class _Base(dict[int, int]):
    """Code point -> that of its letter without accents, where it is one letter; asked for once."""

    def __missing__(self, code: int) -> int:
        base = unicodedata.normalize("NFKD", chr(code)).lower()
        told = base[0] if len(base) == 1 or all(map(unicodedata.combining, base[1:])) else chr(code).lower()
        self[code] = ord(_STROKES.get(told, told)) if len(told) == 1 else code
        return self[code]


_STROKES: Final = {"ł": "l", "ø": "o", "đ": "d", "ð": "d", "ħ": "h", "ı": "i", "ŧ": "t"}  # noqa: RUF001  # Turkish
_BASES: Final = _Base()


def fold(text: str) -> str:
    """Lower case without accents, of the same length, so that offsets stay.

    >>> fold("Łukasz MÜLLER")
    'lukasz muller'
    """
    return text.lower() if text.isascii() else text.translate(_BASES)


def find(text: str, wanted: frozenset[Needle]) -> list[Span]:
    """Every occurrence of what is wanted, at word boundaries, in any case; numbers in any spacing; long names mistyped once."""
    folded = fold(text)
    found: list[Span] = []
    digits: tuple[str, list[int]] | None = None
    for needle in wanted:
        if needle.is_number:
            digits = digits or _digits(text)
            found.extend(_find_number(text, digits, needle))
        elif needle.text in folded:
            found.extend(_find_word(text, folded, needle))
    if "://" in text:
        found.extend(span for match in _ADDRESS.finditer(text) for span in _find_in_address(match, wanted))
    if long := _long_names(wanted):
        found.extend(_find_mistyped(folded, long))
    return found


_ADDRESS: Final = re.compile(r"(?<=://)[^\s/]+/\S+")
_ESCAPED_OR_SIGN: Final = re.compile(r"((?:%[0-9A-Fa-f]{2})+)|.", re.DOTALL)
_SEPARATORS: Final = re.compile(r"[\W_]+")


def _find_in_address(address: re.Match[str], wanted: frozenset[Needle]) -> Iterator[Span]:
    """What is written another way in a web address: Blue Heron as blue-heron, Blue%20Heron; letters escaped."""
    plain, places = _unescaped(address.group())
    for needle in wanted:
        words = _SEPARATORS.sub(" ", needle.text).strip()
        if needle.is_number or len(words) < MIN_DIGITS:
            continue
        start = plain.find(f" {words} ")
        while start >= 0:
            first, last = places[start + 1][0], places[start + len(words)][1]
            yield Span(address.start() + first, address.start() + last, needle.entity_type, needle.score, needle.recognizer)
            start = plain.find(f" {words} ", start + 1)


@lru_cache(maxsize=1000)
def _unescaped(address: str) -> tuple[str, list[tuple[int, int]]]:
    """The words of an address, folded, a blank for whatever parts them; and where each of its signs stands, [start, end)."""
    signs, places = [" "], [(0, 0)]
    for match in _ESCAPED_OR_SIGN.finditer(address):
        at = match.start()
        for sign in unquote(match.group(), errors="replace") if match[1] else match.group():
            end = min(at + 3 * len(sign.encode("utf-8", "surrogatepass")), match.end()) if match[1] else at + 1
            signs.append(folded if len(folded := fold(sign)) == 1 and folded.isalnum() else " ")
            places.append((at, end))
            at = end
    return "".join([*signs, " "]), [*places, (len(address), len(address))]


@lru_cache(maxsize=64)
def _long_names(wanted: frozenset[Needle]) -> Mapping[str, Needle]:
    return {
        needle.text: needle
        for needle in sorted(wanted)
        if needle.entity_type == "PERSON" and not needle.is_word and len(needle.text) >= MIN_MISTYPED and needle.text.isalpha()
    }


def _find_mistyped(folded: str, long: Mapping[str, Needle]) -> Iterator[Span]:
    for match in _PIECES.finditer(folded):
        word = match.group()
        if len(word) < MIN_MISTYPED - 1 or word in long or word in known_words():
            continue
        for needle in long.values():
            if _is_one_edit(word, needle.text):
                yield Span(*match.span(), needle.entity_type, needle.score, needle.recognizer)
                break


@cache
def known_words() -> frozenset[str]:
    """English words and frequent names, the vocabulary of the packaged model: who types one of these mistyped none."""
    tokenizer = json.loads((Path(__file__).parent / "models" / "names" / "tokenizer.json").read_text("utf-8"))
    return frozenset(word for word in tokenizer["model"]["vocab"] if word.isalpha())


def _is_one_edit(one: str, other: str) -> bool:
    """Whether a letter is wrong, missing, doubled or too many, or two neighbours are swapped.

    >>> [_is_one_edit("thorvald", other) for other in ("thorvalt", "thorvld", "thorrvald", "htorvald", "thorvlat")]
    [True, True, True, True, False]
    """
    if abs(len(one) - len(other)) > 1 or one == other:
        return False
    at = next((place for place, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), min(len(one), len(other)))
    if len(one) == len(other):
        swapped = one[at : at + 2] == other[at : at + 2][::-1]
        return one[at + 1 :] == other[at + 1 :] or (swapped and one[at + 2 :] == other[at + 2 :])
    shorter, longer = sorted((one, other), key=len)
    return longer[at + 1 :] == shorter[at:]


def _find_word(text: str, lowered: str, needle: Needle) -> Iterable[Span]:
    length = len(needle.text)
    start = lowered.find(needle.text)
    while start >= 0:
        end = start + length
        opens = not (start and text[start - 1].isalnum() and text[start].isalnum())
        if (
            opens
            and _closes(text, end, needle)
            and not (needle.is_word and text[start].islower() and not _is_called(text, start))
        ):
            yield Span(start, end, needle.entity_type, needle.score, needle.recognizer)
        start = lowered.find(needle.text, start + 1)


def _closes(text: str, end: int, needle: Needle) -> bool:
    """Whether a word ends at `end`, or after the s of a possessive typed without its apostrophe (angelas)."""
    if end < len(text) and text[end] in "sS" and needle.entity_type == "PERSON" and len(needle.text) > MIN_LETTERS:
        return end + 1 == len(text) or not text[end + 1].isalnum()
    return end == len(text) or not (text[end].isalnum() and text[end - 1].isalnum())


_CALLED: Final = re.compile(
    r"(?:\b(?:i'?m|i am|name|name'?s|nmae is|name is|named|called|this is|it'?s|friend|mr\.?|mrs\.?|ms\.?|dr\.?|hi|hello|hey"
    r"|dear|thanks|thank you|with|regards)[\s,:]+|^\s*)\Z",
    re.IGNORECASE,
)


def _is_called(text: str, start: int) -> bool:
    """Whether what stands before says that a lower-case word such as "mark" is a name."""
    return _CALLED.search(text[max(0, start - 20) : start]) is not None


def _digits(text: str) -> tuple[str, list[int]]:
    places = [place for place, sign in enumerate(text) if sign.isdecimal()]
    return "".join(str(int(text[place])) for place in places), places


MAX_GAP: Final = 3
"""Signs that a number may hold beyond one after each digit, as in "(555) - 0134"."""

LONG: Final = 7
"""Digits from which a number may be parted by points."""


def _find_number(text: str, digits: tuple[str, list[int]], needle: Needle) -> Iterable[Span]:
    row, places = digits
    index = row.find(needle.text)
    while index >= 0:
        run = places[index : index + len(needle.text)]
        start, end = run[0], run[-1] + 1
        is_apart = not (start and text[start - 1].isdecimal()) and not (end < len(text) and text[end].isdecimal())
        if is_apart and _is_one_number(text[start:end], len(run)):
            yield Span(start, end, needle.entity_type, needle.score, needle.recognizer)
        index = row.find(needle.text, index + 1)


def _is_one_number(text: str, digits: int) -> bool:
    """Whether digits with signs between them are one number; a short one with a point or comma is an amount."""
    signs = [sign for sign in text if not sign.isdecimal()]
    if len(signs) > digits + MAX_GAP or any(map(str.isalpha, signs)):
        return False
    return digits >= LONG or not set(signs) & set(".,")


_SAYS: Final = re.compile(
    r"\b(?:(?:my|the|full|first|last) (?:full |first |last )?name(?: is|'s|:)|name(?: is|:)|i am called|call me|this is"
    r"|i'm called|mein name ist|ich hei(?:ß|ss)e|je m'appelle|me llamo)\s+",
    re.IGNORECASE,
)
_OF_A_THING: Final = re.compile(
    r"\b(?:hardware|system|product|model|device|host|machine|server|domain|file|folder|path|package|module|class|method|function"
    r"|variable|table|column|field|database|service|container|image|branch|repo|plugin|volume|key|item)[ _-]\Z",
    re.IGNORECASE,
)
"""Whose name it is, where it is nobody's."""

_LABELS: Final = re.compile(
    r"\b(?:first|last|sur|family|middle|given|maiden) ?name[:,-]?\s+([^\W\d_][\w'’-]+)"  # noqa: RUF001  # as above
    r"(?=\s*(?:[,.;!\n]|\Z|(?:and|my|first|last|sur|family)\b))",
    re.IGNORECASE,
)
"""As in a form, without "is": "first name hyun last name bae"."""
_NAME: Final = re.compile(r"[^\W\d_][\w'’.-]*(?:[ ]+[^\W\d_][\w'’.-]*){0,2}")  # noqa: RUF001  # the apostrophe people type
_AFTER_THIS_IS: Final = re.compile(r"\s*,?\s*(?:here|from|speaking|calling|with|at)\b", re.IGNORECASE)
_NO_NAMES: Final = FUNCTION_WORDS | word_list(
    "spelled misspelled wrong right correct incorrect still also already listed registered under back later asap very really"
    " regarding concerning urgent ridiculous unacceptable terrible correct good great fine bad sorry happy trying looking"
    " account order number phone email address like something someone anything nothing because since but however though"
    " wondering calling writing having getting first last full middle name names one two it's that's what's dear"
    " changed change field box only missing empty spelling starts begins does differs pls plz plzz today tonight tomorrow"
)


def said_names(texts: Sequence[str]) -> list[str]:
    """Names that people give in so many words; in lower case too, as long as no everyday word follows."""
    return list(dict.fromkeys(text[start:end] for text in texts for start, end in said(text)))


def said(text: str) -> Iterator[tuple[int, int]]:
    """Where somebody gives a name: [start, end) in characters."""
    if not may_be_said(text):
        return
    for match in _SAYS.finditer(text):
        if not _OF_A_THING.search(text, max(0, match.start() - 20), match.start()) and (name := _name_after(text, match)):
            yield match.end(), match.end() + len(name)
    for match in _LABELS.finditer(text):
        if match[1].casefold() not in _NO_NAMES:
            yield match.span(1)


def may_be_said(text: str) -> bool:
    """Whether `said` may find anything at all; much cheaper."""
    lowered = text.lower()
    return "name" in lowered or "call me" in lowered or "this is" in lowered or _is_foreign(lowered)


def _is_foreign(lowered: str) -> bool:
    return "ich hei" in lowered or "m'appelle" in lowered or "llamo" in lowered


def _name_after(text: str, match: re.Match[str]) -> str:
    candidate = _NAME.match(text, match.end())
    if candidate is None:
        return ""
    words: list[str] = []
    for word in candidate.group().split():
        bare = word.strip(".,'’")  # noqa: RUF001  # the apostrophe people type
        if bare.casefold() in _NO_NAMES or (words and bare.islower() != words[0].islower()):
            break
        words.append(bare)
        if word.endswith((",", ".")) and len(bare) > 1:
            break
    if not words or len(words[0]) < MIN_LETTERS:
        return ""
    if match.group().lower().startswith("this is"):
        after = text[match.end() + len(" ".join(words)) :]
        if words[0].islower() or not _AFTER_THIS_IS.match(after):
            return ""
    return " ".join(words)


def participants_of(rows: Iterable[Mapping[str, str | None]] | None) -> list[tuple[str, str]]:
    """(entity type, value) of what the export states; rows without either are left out."""
    return [(row["kind"] or "", row["value"] or "") for row in rows or () if row["kind"] and row["value"]]
