"""Texts in which somebody marked every personal detail: read them, and score what scrub finds against the marks.

Two forms are read, either as it is or gzipped: the JSON of presidio-research (`full_text`, `spans` with `entity_type`,
`start_position`, `end_position`) and JSON lines of `{"id": …, "text": …, "spans": [{"start", "end", "type"}]}`.

A marked span counts as found when at least 60 % of its characters are masked, under whatever type: what is masked is gone.
A find counts as right when at least 60 % of its letters and digits lie inside marks.
"""

import gzip
import json
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, NamedTuple

from pipeline.errors import CurationError
from pipeline.finding import Lists, Look, chosen
from pipeline.spans import Span

ENOUGH: Final = 0.6
BETA: Final = 2
"""F2: a miss weighs more than a false alarm."""

MOST_MISSES: Final = 1000
"""Listed; all are counted."""


class Mark(NamedTuple):
    """A detail that a person marked: [start, end) in characters."""

    start: int
    end: int
    entity_type: str


@dataclass(frozen=True)
class Labelled:
    """A text and its marks."""

    id: str
    text: str
    marks: Sequence[Mark]


def read(path: Path) -> list[Labelled]:
    """All labelled texts of a file.

    Raises:
        CurationError: the file is missing, no UTF-8 JSON, or a row lacks a field or marks what is not there; names the row.
    """
    try:
        content = path.read_bytes()
        text = (gzip.decompress(content) if content[:2] == b"\x1f\x8b" else content).decode("utf-8-sig")
        rows = json.loads(text) if text.lstrip().startswith("[") else [json.loads(line) for line in text.splitlines() if line]
    except (OSError, EOFError, ValueError) as error:
        raise CurationError(f"{path}: cannot be read as JSON or JSON lines ({type(error).__name__})") from None
    labelled = [_labelled(path, number, row) for number, row in enumerate(rows)]
    if not labelled:
        raise CurationError(f"{path}: holds no text; nothing can be measured on it")
    return labelled


def _labelled(path: Path, number: int, row: Any) -> Labelled:
    try:
        text = row["full_text"] if "full_text" in row else row["text"]
        keys = ("start_position", "end_position", "entity_type") if "full_text" in row else ("start", "end", "type")
        marks = [Mark(*(span[key] for key in keys)) for span in row["spans"]]
        inside = all(0 <= mark.start < mark.end <= len(text) and isinstance(mark.entity_type, str) for mark in marks)
        name = str(row.get("id", number))
    except (KeyError, TypeError, ValueError, AttributeError):
        raise CurationError(f"{path}: row {number} is no labelled text: needs text, and spans with start, end, type") from None
    if not inside:
        raise CurationError(f"{path}: row {number} marks a span outside of its text")
    return Labelled(name, text, marks)


@dataclass(frozen=True)
class Rates:
    """Precision, recall and F2; None where there was nothing to find or nothing found."""

    marked: int
    covered: int
    found: int
    right: int

    @property
    def recall(self) -> float | None:
        """Of what is marked."""
        return self.covered / self.marked if self.marked else None

    @property
    def precision(self) -> float | None:
        """Of what is found."""
        return self.right / self.found if self.found else None

    @property
    def f2(self) -> float | None:
        """The weighted harmonic mean of both."""
        if not self.precision or not self.recall:
            return None
        weight = BETA**2
        return (1 + weight) * self.precision * self.recall / (weight * self.precision + self.recall)

    def to_json(self) -> dict[str, float | int | None]:
        """Counts and rates, rounded to four places."""
        rates = {"recall": self.recall, "precision": self.precision, "f2": self.f2}
        counts = {"marked": self.marked, "covered": self.covered, "found": self.found, "right": self.right}
        return {**counts, **{name: None if rate is None else round(rate, 4) for name, rate in rates.items()}}


@dataclass(frozen=True)
class Scores:
    """What was found of what was marked."""

    spans: Rates
    characters: Rates
    """Letters and digits; signs and blanks count nowhere."""

    by_type: Mapping[str, tuple[int, int]]
    """Marked type -> spans, those of them that are covered."""

    by_found_type: Mapping[str, tuple[int, int]]
    """Found type -> finds, those of them that are right."""

    characters_by_type: Mapping[str, Rates]
    """Marked type -> its letters and digits: covered under any type; found under the same type, and right inside any mark."""

    misses: Sequence[tuple[str, int, int, str]]
    """id, start, end and type of marks that were not covered; never text."""

    false: Sequence[tuple[str, int, int, str]]
    """The same of finds that are not right."""

    def of_type(self, kind: str) -> Rates:
        """Spans of a marked type; its precision is that of finds of the same name, None where there are none."""
        return Rates(*self.by_type[kind], *self.by_found_type.get(kind, (0, 0)))

    def to_json(self) -> dict[str, Any]:
        """Plain JSON values."""
        return {
            "spans": self.spans.to_json(),
            "characters": self.characters.to_json(),
            "by_type": {
                kind: {"spans": self.of_type(kind).to_json(), "characters": self.characters_by_type[kind].to_json()}
                for kind in self.by_type
            },
            "by_found_type": {
                kind: {"finds": n, "right": hit, "precision": round(hit / n, 4)} for kind, (n, hit) in self.by_found_type.items()
            },
            "misses": [list(miss) for miss in self.misses[:MOST_MISSES]],
            "false": [list(one) for one in self.false[:MOST_MISSES]],
        }


def find_all(texts: Sequence[str], look: Look, lists: Lists, kept_types: Iterable[str] = ()) -> list[list[Span]]:
    """What scrub would replace in each text by itself."""
    kept = set(kept_types)
    return [chosen(text, spans, lists.allowed, kept) for text, spans in zip(texts, look(texts), strict=True)]


def score(labelled: Sequence[Labelled], found: Sequence[Sequence[Span]]) -> Scores:
    """Marks against finds."""
    by_type: defaultdict[str, Counter[bool]] = defaultdict(Counter)
    by_found: defaultdict[str, Counter[bool]] = defaultdict(Counter)
    misses, false = [], []
    letters = Counter[str]()
    own_letters: defaultdict[str, Counter[str]] = defaultdict(Counter)
    for row, spans in zip(labelled, found, strict=True):
        masked = {place for span in spans for place in range(span.start, span.end)}
        marked = {place for mark in row.marks for place in range(mark.start, mark.end)}
        for mark in row.marks:
            hit = sum(place in masked for place in range(mark.start, mark.end)) >= ENOUGH * (mark.end - mark.start)
            by_type[mark.entity_type][hit] += 1
            own = list(_telling(row.text, range(mark.start, mark.end)))
            own_letters[mark.entity_type]["marked"] += len(own)
            own_letters[mark.entity_type]["covered"] += sum(place in masked for place in own)
            if not hit:
                misses.append((row.id, *mark))
        for span in spans:
            own = list(_telling(row.text, range(span.start, span.end)))
            right = sum(place in marked for place in own) >= ENOUGH * len(own)
            by_found[span.entity_type][right] += 1
            own_letters[span.entity_type]["found"] += len(own)
            own_letters[span.entity_type]["right"] += sum(place in marked for place in own)
            if not right:
                false.append((row.id, span.start, span.end, span.entity_type))
        letters["marked"] += len(wanted := set(_telling(row.text, marked)))
        letters["found"] += len(covered := set(_telling(row.text, masked)))
        letters["both"] += len(wanted & covered)
    spans_of = Rates(
        sum(map(Counter.total, by_type.values())),
        sum(each[True] for each in by_type.values()),
        sum(map(Counter.total, by_found.values())),
        sum(each[True] for each in by_found.values()),
    )
    characters = Rates(letters["marked"], letters["both"], letters["found"], letters["both"])
    by_letters = {
        kind: Rates(*(own_letters[kind][name] for name in ("marked", "covered", "found", "right"))) for kind in sorted(by_type)
    }
    return Scores(spans_of, characters, _counted(by_type), _counted(by_found), by_letters, misses, false)


def _telling(text: str, places: Iterable[int]) -> Iterator[int]:
    return (place for place in places if text[place].isalnum())


def _counted(by_type: Mapping[str, Counter[bool]]) -> dict[str, tuple[int, int]]:
    return {kind: (each.total(), each[True]) for kind, each in sorted(by_type.items())}
