"""The first pass of scrub: where details stand in texts and columns, and which of what recognizers see there counts.

Details also hide in columns: product, topics, channel and source_file go through the recognizers and the known values of
their conversation. So do the arguments of look-ups; what an agent typed into one named "account number" is then known and
looked for in every turn.
"""

import re
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from typing import Any, Final, NamedTuple

import polars as pl

from pipeline import known_values
from pipeline.errors import CurationError
from pipeline.known_values import Needle
from pipeline.schema import INGESTED, conform
from pipeline.spans import Span, remainders, resolve

FOUND: Final = {
    "conversation_id": pl.String,
    "column": pl.String,
    "index": pl.Int64,
    "start": pl.Int64,
    "end": pl.Int64,
    "entity_type": pl.String,
    "score": pl.Float64,
    "recognizer": pl.String,
}
"""What the first pass writes: `index` counts the turns, the topics or the arguments of all look-ups; [start, end) in
characters of that text."""

MODEL: Final = "NamesRecognizer"
"""Its finds are judged with less trust: they give way to terms that are allowed."""

_IN_WORD: Final = re.compile(r"\w")

_HOST: Final = re.compile(r"(?:[a-z][a-z0-9+.-]*://)?[^\s/?#]+", re.IGNORECASE)
"""Of a web address: what stands before its path."""

COLUMNS: Final = ("source_file", "channel", "product")
"""Columns of one text each that may hold a detail; `topics` holds several."""

ENDING: Final = re.compile(
    r"\.(?:csv|tsv|jsonl?|ndjson|parquet|txt|dat|log|mbox|eml|html?|zip|tar|tgz|gz|zst)(?=[!/.]|$)", re.IGNORECASE
)
"""Of the name of a file: how it is written. It is nobody's name, and says what was received."""

NOT_IN_COLUMNS: Final = frozenset({"URL", "DATE_TIME", "ORGANIZATION", "LOCATION"})
"""Types that file names and product names only seem to be."""

Look = Callable[[Sequence[str]], list[list[Span]]]
"""Finds details in texts, each by itself: one list of spans per text; they may overlap."""


class Lists(NamedTuple):
    """The words of the user's own lists."""

    allowed: Sequence[str] = ()
    """In lower case."""

    denied: frozenset[Needle] = frozenset()


def find(conversations: pl.DataFrame, kept_types: Collection[str], look: Look, lists: Lists = Lists()) -> pl.DataFrame:  # noqa: B008  # immutable
    """Where details stand in the texts and columns of these conversations; spans of one text do not overlap.

    Args:
        conversations: INGESTED; reads conversation_id, participants, turns, topics and COLUMNS.
        kept_types: of details that are left alone.
        look: finds details in single texts; called with each distinct text once.
        lists: never replaced, always replaced.
    Returns:
        FOUND, in the order of the conversations.
    Raises:
        CurationError: a recognizer failed; names the conversation and the turn, not the text.
    """
    conversations = conform(conversations, INGESTED, "scrub: ingested")
    texts_of = conversations["turns"].list.eval(pl.element().struct.field("text")).to_list()
    speakers_of = conversations["turns"].list.eval(pl.element().struct.field("speaker")).to_list()
    arguments_of = arguments(conversations)
    base = _look_at_all(conversations, texts_of, [each.text for own in arguments_of for each in own], look)
    rows = _Rows()
    columns = [conversations[name].to_list() for name in COLUMNS]
    topics_of = conversations["topics"].to_list()
    participants_of = conversations["participants"].to_list()
    for number, conversation_id in enumerate(conversations["conversation_id"]):
        texts = [text or "" for text in texts_of[number] or []]
        answered = _answered(texts, speakers_of[number] or [])
        typed = [_answers(each.value, f"Which {each.label}?") for each in arguments_of[number]]
        said = [
            *zip(texts, answered, strict=True),
            *((each.value, own) for each, own in zip(arguments_of[number], typed, strict=True)),
        ]
        wanted = _wanted(texts, said, participants_of[number]) | lists.denied
        wanted |= _found_before(texts, base, lists.allowed)
        for turn, text in enumerate(texts):
            spans = [*base[text], *answered[turn], *known_values.find(text, wanted)]
            if spans:
                rows.add(conversation_id, "turns", turn, chosen(text, spans, lists.allowed, kept_types))
        for position, each in enumerate(arguments_of[number]):
            spans = [*each.unlabelled(base[each.text]), *typed[position], *known_values.find(each.value, wanted)]
            rows.add(conversation_id, "arguments", position, chosen(each.value, spans, lists.allowed, kept_types))
        named = [(name, 0, values[number]) for name, values in zip(COLUMNS, columns, strict=True)]
        named += [("topics", position, topic) for position, topic in enumerate(topics_of[number] or [])]
        for name, position, value in named:
            if value:
                spans = [span for span in base[value] if span.entity_type not in NOT_IN_COLUMNS]
                spans += known_values.find(value, wanted)
                spans = _beside_endings(value, spans) if name == "source_file" else spans
                rows.add(conversation_id, name, position, chosen(value, spans, lists.allowed, kept_types))
    return rows.frame()


def _beside_endings(path: str, spans: Sequence[Span]) -> list[Span]:
    """Finds in the path of a file, without the endings that say how it is written."""
    endings = [Span(found.start(), found.end(), "", 1.0, "") for found in ENDING.finditer(path)]
    return [part for span in spans for part in remainders(span, endings)]


def _answered(texts: Sequence[str], speakers: Sequence[str]) -> list[list[Span]]:
    """What answers the turn before; a look-up between question and answer asks nothing."""
    found: list[list[Span]] = []
    question = None
    for text, speaker in zip(texts, speakers, strict=True):
        found.append(_answers(text, question) if speaker == "customer" and question is not None else [])
        if speaker != "tool":
            question = None if speaker == "customer" else text
    return found


def _answers(text: str, question: str) -> list[Span]:
    from pipeline.recognizers import answers  # noqa: PLC0415  # imports Presidio

    return answers.find(text, answers.asked(question))


class Argument(NamedTuple):
    """What an agent typed into a look-up."""

    label: str
    """The words of its name as a text would have them before the value: "account number: "."""

    value: str

    @property
    def text(self) -> str:
        """What recognizers see: without its label a number would be just a number."""
        return self.label + self.value

    def unlabelled(self, spans: Iterable[Span]) -> list[Span]:
        """Spans of `text` as spans of the value."""
        own = len(self.label)
        return [span._replace(start=max(span.start - own, 0), end=span.end - own) for span in spans if span.end > own]


def arguments(conversations: pl.DataFrame) -> list[list[Argument]]:
    """The arguments of the look-ups of each conversation, in order."""
    found: list[list[Argument]] = [[] for _ in range(conversations.height)]
    calls = conversations["turns"].list.eval(pl.element().struct.field("call").drop_nulls())
    for place, many in enumerate(calls.list.len()):
        for call in calls[place] if many else ():
            found[place] += [Argument(_label(each["name"] or ""), each["value"] or "") for each in call["arguments"] or ()]
    return found


_CAPITAL: Final = re.compile(r"(?<=[a-z])(?=[A-Z])|[\W_]+")


def _label(name: str) -> str:
    return f"{_CAPITAL.sub(' ', name).strip().casefold()}: "


def _wanted(texts: Sequence[str], answered: Iterable[tuple[str, Iterable[Span]]], participants: Any) -> frozenset[Needle]:
    wanted = known_values.needles(known_values.participants_of(participants))
    said = [("PERSON", name) for name in known_values.said_names(texts)]
    for text, spans in answered:
        said.extend((span.entity_type, text[span.start : span.end]) for span in spans)
    return wanted | known_values.needles(said, known_values.SAID, known_values.SAID_SCORE) if said else wanted


def _found_before(texts: Sequence[str], base: Mapping[str, Sequence[Span]], allowed: Sequence[str]) -> frozenset[Needle]:
    """What was found so surely in one turn that it is looked for in every turn; own names are nobody's."""
    from pipeline.recognizers import MODEL_WEIGHT  # noqa: PLC0415  # imports Presidio

    values = {pair for text in texts for pair in known_values.sure(text, base[text], MODEL_WEIGHT)} if len(texts) > 1 else set()
    own = [value for value in values if not any(term in (low := known_values.lower(value[1])) or low in term for term in allowed)]
    return known_values.needles(own, known_values.FOUND_BEFORE, known_values.FOUND_SCORE)


def _look_at_all(
    conversations: pl.DataFrame, texts_of: Sequence[Sequence[str] | None], labelled: Iterable[str], look: Look
) -> Mapping[str, list[Span]]:
    """Spans of every distinct text of turns, arguments with their labels, and columns."""
    distinct = dict.fromkeys(text or "" for texts in texts_of for text in texts or [])
    distinct |= dict.fromkeys(labelled)
    for name in COLUMNS:
        distinct |= dict.fromkeys(value for value in conversations[name].unique(maintain_order=True) if value)
    distinct |= dict.fromkeys(topic for topic in conversations["topics"].explode().unique(maintain_order=True) if topic)
    texts = list(distinct)
    try:
        return dict(zip(texts, look(texts), strict=True))
    except CurationError:
        raise
    except Exception as error:  # noqa: BLE001  # a recognizer may raise anything, and what it says may quote the text
        where = _first_failing(conversations, texts_of, look)
        message = f"scrub: a recognizer failed on {where} ({type(error).__name__}); take it out of scrub.recognizers or mend it"
    raise CurationError(message)  # outside of the handler: a chained traceback could quote the text


def _first_failing(conversations: pl.DataFrame, texts_of: Sequence[Sequence[str] | None], look: Look) -> str:
    for conversation_id, turn_ids, texts in zip(
        conversations["conversation_id"],
        conversations["turns"].list.eval(pl.element().struct.field("turn_id")).to_list(),
        texts_of,
        strict=True,
    ):
        for turn_id, text in zip(turn_ids or [], texts or [], strict=True):
            try:
                look([text or ""])
            except Exception:  # noqa: BLE001  # the one that is looked for
                return f"conversation {conversation_id}, turn {turn_id}"
    return "a column of the table"


def chosen(text: str, spans: Iterable[Span], allowed: Sequence[str], kept_types: Collection[str]) -> list[Span]:
    """The spans that count: trimmed, not of a type that is kept, not inside a term that is allowed, not overlapping."""
    wanted = [trimmed for span in spans if span.entity_type not in kept_types and (trimmed := _trimmed(text, span))]
    if allowed and wanted:
        free = list(_occurrences(known_values.lower(text), allowed))
        wanted = [part for span in wanted for part in _outside(text, span, free)]
    return [cut for span in resolve(_given_way(text, wanted)) if (cut := _trimmed(text, span))]


def _given_way(text: str, spans: Sequence[Span]) -> list[Span]:
    """What is certain keeps its type, and so its stand-in, inside a longer find of a model and in the path of a web address."""
    certain = [span for span in spans if span.score >= known_values.SCORE]
    if not certain:
        return list(spans)
    return [
        part
        for span in spans
        for part in (
            _left_and_right(text, span, [other for other in certain if other.entity_type != span.entity_type])
            if span.recognizer == MODEL
            else remainders(span, [other for other in certain if _is_in_path(text, other, span)])
            if span.entity_type == "URL"
            else [span]
        )
    ]


def _is_in_path(text: str, known: Span, url: Span) -> bool:
    host = _HOST.match(text, url.start)
    return known.recognizer == known_values.PARTICIPANTS and known.start >= (host.end() if host else url.start)


def _left_and_right(text: str, span: Span, taken: Iterable[Span]) -> list[Span]:
    """What a model drew around others, but for words that say nothing by themselves."""
    parts = remainders(span, taken)
    if parts == [span]:
        return parts
    return [part for part in parts if known_values.lower(text[part.start : part.end]).strip() not in known_values.FUNCTION_WORDS]


def _outside(text: str, span: Span, free: Sequence[tuple[int, int]]) -> list[Span]:
    """Nothing of a find inside a term that is allowed; of one that a model drew too wide, what is left and right of the term."""
    if any(start <= span.start and span.end <= end for start, end in free):
        return []
    if span.recognizer != MODEL:
        return [span]
    return _left_and_right(text, span, [span._replace(start=start, end=end) for start, end in free])


def _trimmed(text: str, span: Span) -> Span | None:
    value = text[span.start : span.end]
    start = span.start + len(value) - len(value.lstrip())
    end = span.end - len(value) + len(value.rstrip())
    if not any(map(str.isalnum, value)):
        return None
    return span if (start, end) == (span.start, span.end) else span._replace(start=start, end=end)


def _occurrences(lowered: str, terms: Iterable[str]) -> Iterator[tuple[int, int]]:
    """Where terms stand as words of their own: the brand "lin" does not stand in "linda"."""
    for term in terms:
        start = lowered.find(term) if term else -1
        while start >= 0:
            end = start + len(term)
            if not (_IN_WORD.match(lowered, end) or (start and _IN_WORD.match(lowered, start - 1))):
                yield start, end
            start = lowered.find(term, start + 1)


class _Rows:
    """FOUND in the making."""

    def __init__(self) -> None:
        self._columns: dict[str, list[Any]] = {name: [] for name in FOUND}

    def add(self, conversation_id: str, column: str, index: int, spans: Iterable[Span]) -> None:
        for span in spans:
            for values, value in zip(self._columns.values(), (conversation_id, column, index, *span), strict=True):
                values.append(value)

    def frame(self) -> pl.DataFrame:
        named = dict(zip(FOUND, self._columns.values(), strict=True))
        return pl.DataFrame(named, schema=dict(FOUND))
