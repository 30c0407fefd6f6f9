"""Is an answer fit to be learned from? Deterministic rules, the cheapest first; a reason names the fault.

Nothing here asks a model. What an answer may claim is what stands in the conversation and in what it rests on.
"""

import math
import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from functools import cache
from itertools import chain
from typing import Any, Final

import polars as pl
from pydantic import Field

from pipeline.answering.request import Answer, Question
from pipeline.params import Section
from pipeline.prompts import load_prompt
from pipeline.rules import injection, residual_identifier, residual_secret
from pipeline.rules.unfilled_placeholder import PLACEHOLDER
from pipeline.schema import CALL

WORD: Final = re.compile(r"[^\W_]+")

MACRO: Final = re.compile(PLACEHOLDER)
BRACKETED: Final = re.compile(
    r"\[(?:[A-Z][A-Za-z' ]{2,40}|[a-z]+(?:[ _][a-z]+)+|[A-Z]+(?:_[A-Z]+)+)\]|<[A-Za-z]+(?:[ _][A-Za-z]+)+>|\bX{3,}\b"
)
"""What models leave to be filled in: [Your Name], [order number], [ORDER_ID], <order number>, XXX."""

OF_A_MODEL: Final = re.compile(
    r"\bas an? (?:ai|artificial|large|language)\b|\b(?:language|ai) (?:language )?model\b|\bsystem prompt\b"
    r"|\bmy (?:instructions|guidelines) |\bals (?:ki|künstliche|sprachmodell)|\ben tant qu'ia\b"
    r"|\bcomo (?:una? )?(?:ia|modelo de lenguaje)\b",
    re.IGNORECASE,
)

REFUSAL: Final = re.compile(
    r"^\W*(?:i'?m |i am )?(?:(?:very |really )?sorry|unfortunately|apologies)?[^.!?]{0,40}?\b(?:i )?"
    r"(?:can(?:no|')t|am (?:not able|unable)|'m (?:not able|unable)|won't) (?:to )?"
    r"(?:help|assist|answer|provide|comply|do that|fulfil)",
    re.IGNORECASE,
)
"""A reply that opens by refusing; "I can't help with that", "I'm sorry, but I am unable to provide …"."""

GREETED: Final = re.compile(
    r"(?:^|\n)\s*(?:dear|hi|hello|hey|hallo|bonjour|hola|liebe[r]?)\s+(?:mr\.?\s+|ms\.?\s+|mrs\.?\s+)?([A-Z][\w'-]+)",
    re.IGNORECASE,
)
NOBODY: Final = frozenset(
    (
        *("there", "customer", "customers", "sir", "madam", "all", "team", "everyone", "valued", "friend"),
        *("again", "folks", "user", "guest", "and", "thanks", "thank", "you"),
    )
)

SPECIFIC: Final = re.compile(r"[\d@]|\.\w|://", re.IGNORECASE)
"""What every specific holds: most answers are not looked at any closer."""

LIST_MARK: Final = re.compile(r"(?m)^\s*(?:\d{1,2}[.)]|step \d{1,2}[:.)]?)(?=\s)|\[\d{1,2}\]", re.IGNORECASE)
URL: Final = re.compile(
    r"(?:https?://|www\.)[^\s<>\"')\]]+|\b[a-z0-9-]+(?:\.[a-z0-9-]+)*\.(?:com|org|net|io|app|dev|info|co|de|fr|es|it|nl|uk|eu|ch|at|us|ca|au)\b(?:/[^\s<>\"')\]]*)?",
    re.IGNORECASE,
)
MAIL: Final = re.compile(r"[\w.+-]+@[\w-]+(?:\.[\w-]+)+")
HANDLE: Final = re.compile(r"(?<![\w@.])@\w{2,}")
WITH_DIGIT: Final = re.compile(r"\w[\w.,:/-]*\d[\w.,:/-]*|\d[\w.,:/-]*")
LONG_DIGITS: Final = re.compile(r"\+?\d(?:[\d ().-]*\d)?")
RANGE: Final = re.compile(r"(\d+)[-\N{EN DASH}](\d+)")
NUMBER: Final = re.compile(r"\d{1,3}(?:[, ]\d{3})+(?:\.\d+)?|\d+(?:[.,]\d+)?")
MONTH: Final = r"(jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)"
DATE: Final = re.compile(
    rf"\b{MONTH}[a-z]*\.? (\d{{1,2}})(?:st|nd|rd|th)?\b|\b(\d{{1,2}})(?:st|nd|rd|th)? (?:of )?{MONTH}", re.IGNORECASE
)
DAY: Final = re.compile(r"\b\d{4}-\d{2}-\d{2}\b|\b\d{1,2}[./]\d{1,2}[./](?:\d{4}|\d{2})\b")
ORDINAL: Final = re.compile(r"(\d+)(?:st|nd|rd|th)", re.IGNORECASE)
IN_WORDS: Final = {
    "one": "1",
    "two": "2",
    "three": "3",
    "four": "4",
    "five": "5",
    "six": "6",
    "seven": "7",
    "eight": "8",
    "nine": "9",
    "ten": "10",
    "eleven": "11",
    "twelve": "12",
}

LONG_NUMBER: Final = 6
"""Digits from which a number names a person, an account or an order rather than an amount."""

SHARED_RUNS: Final = 3
"""Rarest runs that two answers have to share before they are compared; with 1, sixty times as many are."""

LETTERS_TO_TELL: Final = 24
"""Letters below which a language is not told apart."""


class AcceptanceParams(Section):
    """What an answer must be like."""

    max_words: int = Field(ge=1)
    """Longest answer."""

    max_repeats: int = Field(ge=1)
    """Answers of a part that may say the same; a model would learn to say nothing else."""

    repeat_similarity: float = Field(gt=0, le=1)
    """Jaccard of their runs of three words from which two answers say the same. 1 = the same words, numbers aside."""

    max_echo_share: float = Field(ge=0, le=1)
    """Runs of three words that also stand in the last question. Share of the answer's."""

    max_leaked_words: int = Field(ge=1)
    """Words in a row that also stand in the prompt."""

    min_language_probability: float = Field(ge=0, le=1)
    """How sure the language detector must be, of question and answer, before they can differ."""


@dataclass(frozen=True)
class Fault:
    """Why an answer is rejected."""

    reason: str
    detail: str = ""
    """Where it is, as [start, end) in characters of the answer, with its kind; never text."""


def find_fault(
    question: Question, answer: Answer, params: AcceptanceParams, prompt: str | None, language: str | None
) -> Fault | None:
    """The first fault of an answer, or None.

    Args:
        question: the conversation that waits for the answer.
        answer: what is judged, with what it rests on.
        params: the bounds.
        prompt: name of the prompt that the model was given; None where none was.
        language: ISO 639 code that the answer must be in; None: that of the conversation.
    """
    said = "\n".join(turn.text for turn in question.turns)
    text = answer.text.replace("\N{RIGHT SINGLE QUOTATION MARK}", "'")
    rules: tuple[tuple[str, Callable[[], str | bool]], ...] = (
        ("placeholder", lambda: _places([match for match in _unfilled(text) if match[0] not in said])),
        ("prompt_leakage", lambda: _leaks(text, said, answer, prompt, params.max_leaked_words)),
        ("refusal", lambda: bool(REFUSAL.search(text))),
        ("too_long", lambda: len(WORD.findall(answer.text)) > params.max_words),
        ("echo", lambda: _echoes(answer.text, question, params.max_echo_share)),
        ("foreign_identifier", lambda: _foreign(answer, said)),
        ("unsupported_specific", lambda: _unsupported(answer, said)),
        ("other_language", lambda: _is_in_another(answer.text, question, language, params.min_language_probability)),
    )
    return _first(rules)


def find_fault_of_a_person(question: Question, answer: Answer) -> Fault | None:
    """The first fault of an answer that a person typed, or None.

    Somebody whom the conversation does not name, or what validate would drop the conversation for, by the rules of validate.
    """
    said, text = "\n".join(turn.text for turn in question.turns), answer.text
    return _first(
        (
            ("placeholder", lambda: _places(MACRO.finditer(text))),
            ("foreign_identifier", lambda: _foreign(answer, said)),
            ("residual_identifier", lambda: ", ".join(residual_identifier.kinds(text))),
            ("residual_secret", lambda: _is_found(residual_secret.found(), text)),
            ("injection", lambda: _is_found(injection.found(), text)),
        )
    )


def _is_found(rule: pl.Expr, text: str) -> bool:
    turn = pl.DataFrame({"text": [text], "call": [None]}, schema={"text": pl.String, "call": CALL})
    return bool(turn.select(rule.fill_null(value=False)).item())


def _first(rules: Iterable[tuple[str, Callable[[], str | bool]]]) -> Fault | None:
    for reason, find in rules:
        if found := find():
            return Fault(reason, found if isinstance(found, str) else "")
    return None


class Sayings:
    """What the answers of a part say, noted as they come, to find those that say what too many others say.

    Answers say the same when enough of their runs of three words are the same (Jaccard). Every answer is compared with the
    first ones of their kind alone, and of those with the ones that share some of its rarest runs.

    Source: Bayardo, Ma, Srikant, "Scaling Up All Pairs Similarity Search", 2007 (two sets that are alike share a member
    of their prefixes); Wang, Li, Feng, "Can We Beat the Prefix Filtering?", 2012 (and as many more as the prefixes are longer).
    """

    def __init__(self, params: AcceptanceParams) -> None:
        """Start with none."""
        self._params = params
        self._numbers: dict[tuple[str, ...], int] = {}
        self._noted: dict[str, frozenset[int]] = {}

    def note(self, conversation_id: str, text: str) -> None:
        """Remember an answer."""
        numbers = self._numbers
        self._noted[conversation_id] = frozenset(numbers.setdefault(run, len(numbers)) for run in _said(text))

    def find_repeats(self, conversation_ids: Iterable[str]) -> set[str]:
        """Those of these conversations whose answer says what too many others of them say; smallest ids stay."""
        bound = self._params.repeat_similarity
        ordered = sorted(conversation_ids)
        often = Counter(chain.from_iterable(map(self._noted.__getitem__, ordered)))
        rank = {number: place for place, number in enumerate(sorted(often, key=often.__getitem__))}  # rarest first
        said = [frozenset(map(rank.__getitem__, self._noted[each])) for each in ordered]
        unique = sum(count == 1 for count in often.values())
        known: dict[frozenset[int], int] = {}
        holders: dict[int, list[int]] = {}
        seen: Counter[int] = Counter()
        over: set[str] = set()
        for place, runs in enumerate(said):
            first = known.get(runs)
            if first is None:
                # runs in common with whatever says the same; rounded first: 0.28 x 25 is more than 7 in floating point
                enough = math.ceil(round(bound * len(runs), 9))
                # of the rarest, those that any other answer has at all
                shareable = [run for run in sorted(runs)[: len(runs) - enough + SHARED_RUNS] if run >= unique]
                first = place
                if len(shareable) >= (least := min(SHARED_RUNS, enough)):
                    shared = Counter(chain.from_iterable(holders.get(run, ()) for run in shareable))
                    sizes = range(enough, math.floor(round(len(runs) / bound, 9)) + 1)
                    alike = sorted(other for other, count in shared.items() if count >= least and len(said[other]) in sizes)
                    first = next((other for other in alike if _jaccard(runs, said[other]) >= bound), place)
                known[runs] = first
                if first == place:
                    for run in shareable:
                        holders.setdefault(run, []).append(place)
            seen[first] += 1
            if seen[first] > self._params.max_repeats:
                over.add(ordered[place])
        return over


def _said(text: str) -> frozenset[tuple[str, ...]]:
    words = [word for word in WORD.findall(text.casefold()) if not word.isdigit()]
    return frozenset(_runs(words, 3)) or frozenset([tuple(words)])


def _jaccard(one: frozenset[int], other: frozenset[int]) -> float:
    common = len(one & other)
    return common / (len(one) + len(other) - common)


def specifics(text: str) -> frozenset[str]:
    """What a text states exactly: addresses, links, dates, and everything with a digit in it, in one spelling each.

    >>> sorted(specifics("1. Pay $1,200.00 by May 5th for order AB-17, see https://www.acme.example/a."))
    ['1200', '5', 'ab-17', 'acme.example/a', 'may 5']
    """
    if not SPECIFIC.search(text):
        return frozenset()
    text = LIST_MARK.sub(" ", text)
    found: set[str] = {match.casefold() for match in MAIL.findall(text)}
    text = MAIL.sub(" ", text)
    found |= {_plain_url(match) for match in URL.findall(text)}
    text = URL.sub(" ", text)
    for match in DATE.finditer(text):
        month, day = (match[1], match[2]) if match[1] else (match[4], match[3])
        found.add(f"{month.casefold()} {int(day)}")
    for match in WITH_DIGIT.findall(text):
        token = match.strip(".,:/-")
        between = RANGE.fullmatch(token)
        found |= {_plain_number(part) for part in (between.groups() if between else (token,))}
    return frozenset(found)


def _plain_url(url: str) -> str:
    return re.sub(r"^(?:https?://)?(?:www\.)?", "", url.casefold()).rstrip("/.,;:!?")


def _plain_number(token: str) -> str:
    token = token.casefold()
    if ordinal := ORDINAL.fullmatch(token):
        token = ordinal[1]
    if not NUMBER.fullmatch(token):
        return token
    digits = re.sub(r"[, ](?=\d{3}(?:\D|$))", "", token).replace(",", ".")
    return f"{float(digits):.10g}" if len(digits) < 15 else digits  # noqa: PLR2004  # beyond that a float is not exact


def _supported(answer: Answer, said: str) -> frozenset[str]:
    known = specifics(said) | frozenset(IN_WORDS[word] for word in WORD.findall(said.casefold()) if word in IN_WORDS)
    for hit in answer.grounding:
        stated = specifics(hit.answer) | specifics(hit.question if not hit.is_exchange else "")
        # what the other customer brought up is about the other customer
        known |= stated - specifics(hit.question) if hit.is_exchange else stated
        known |= frozenset(IN_WORDS[word] for word in WORD.findall(hit.answer.casefold()) if word in IN_WORDS)
    return known


def _unsupported(answer: Answer, said: str) -> bool:
    claimed = specifics(answer.text)
    return bool(claimed) and not claimed <= _supported(answer, said)


def _foreign(answer: Answer, said: str) -> str:
    """Kind and place of what names somebody, and stands neither in this conversation nor in the team's knowledge."""
    text = answer.text
    if not SPECIFIC.search(text) and not GREETED.search(text):
        return ""
    known = "\n".join([said, *(f"{hit.question}\n{hit.answer}" for hit in answer.grounding if not hit.is_exchange)]).casefold()
    digits_known, words_known = re.sub(r"\D", "", known), set(WORD.findall(known)) | NOBODY
    found = [(*match.span(), "mail") for match in MAIL.finditer(text) if match[0].casefold() not in known]
    found += [(*match.span(), "handle") for match in HANDLE.finditer(text) if match[0].casefold() not in known]
    without_days = DAY.sub(lambda day: " " * len(day[0]), text)
    for match in LONG_DIGITS.finditer(without_days):
        digits = re.sub(r"\D", "", match[0])
        if len(digits) >= LONG_NUMBER and digits not in digits_known:
            found.append((*match.span(), "number"))
    for match in GREETED.finditer(text):
        if match[1][0].isupper() and match[1].casefold() not in words_known:
            found.append((*match.span(1), "name"))
    return ", ".join(f"{kind} {start}-{end}" for start, end, kind in sorted(found))


def _unfilled(text: str) -> Iterator[re.Match[str]]:
    yield from MACRO.finditer(text)
    yield from BRACKETED.finditer(text)


def _places(matches: Iterable[re.Match[str]]) -> str:
    return ", ".join(f"{match.start()}-{match.end()}" for match in matches)


def _echoes(text: str, question: Question, max_share: float) -> bool:
    asked = next((turn.text for turn in reversed(question.turns) if turn.speaker == "customer"), "")
    words, asked_words = WORD.findall(text.casefold()), WORD.findall(asked.casefold())
    if words == asked_words:
        return True
    runs = _runs(words, 3)
    return bool(runs) and len(runs & _runs(asked_words, 3)) / len(runs) > max_share


def _leaks(text: str, said: str, answer: Answer, prompt: str | None, max_words: int) -> bool:
    if OF_A_MODEL.search(text) and not OF_A_MODEL.search(said):
        return True
    if prompt is None:
        return False
    runs = _runs(WORD.findall(text.casefold()), max_words + 1)
    return bool(runs & _prompt_runs(prompt, max_words + 1)) and answer.prompt_version is not None


@cache
def _prompt_runs(prompt: str, length: int) -> frozenset[tuple[str, ...]]:
    return frozenset(_runs(WORD.findall(load_prompt(prompt).text.casefold()), length))


def _runs(words: list[str], length: int) -> set[tuple[str, ...]]:
    return {tuple(words[start : start + length]) for start in range(len(words) - length + 1)}


def _is_in_another(text: str, question: Question, language: str | None, min_probability: float) -> bool:
    expected = language or (question.language or "")[:2].casefold()
    if not expected:
        asked = "\n".join(turn.text for turn in question.turns if turn.speaker == "customer")
        expected = _language(asked, min_probability) or ""
    found = _language(text, min_probability)
    return bool(expected and found) and found != expected


def _language(text: str, min_probability: float) -> str | None:
    if sum(map(str.isalpha, text)) < LETTERS_TO_TELL:
        return None
    code, probability = get_ready().result().classify(text)
    return str(code) if probability >= min_probability else None


@cache
def get_ready() -> Future[Any]:
    """Begin to load what tells languages apart, beside whatever is done meanwhile; it takes 0.6 s, half of it unpacking."""
    pool = ThreadPoolExecutor(1)
    loading = pool.submit(_load_identifier)
    pool.shutdown(wait=False)
    return loading


def _load_identifier() -> Any:
    from py3langid.langid import MODEL_FILE, LanguageIdentifier  # type: ignore[import-untyped]  # ships no types  # noqa: PLC0415

    return LanguageIdentifier.from_model_file(MODEL_FILE, norm_probs=True)
