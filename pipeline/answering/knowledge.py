"""The team's own knowledge: a folder of Markdown, HTML, plain text or JSON, cut into passages and searched with BM25.

A passage is a run of paragraphs under one heading. Its score is the share of a question's information that it covers:
BM25 as Lucene computes it, divided by what a passage of average length would get that held every word of the question
once. So 0 is nothing in common and 1 is everything, whatever the length of the question.

The folder lies behind the wall, and its text goes to the model: a passage with something shaped like a personal detail
stops the run, until that detail is removed or, being the team's own, allowed by name in params. Before anything of it is sent
to an endpoint, scrub's recognizers and models look through all of it.

Source: Robertson and Zaragoza, "The Probabilistic Relevance Framework: BM25 and Beyond", 2009; bm25s, method "lucene".
"""

import json
import logging
import math
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any, Final

from pydantic import Field

from pipeline.answering.request import Hit
from pipeline.answering.retrieval import DECIMALS, WORD, Found
from pipeline.errors import SourceError
from pipeline.params import Section
from pipeline.rules.residual_identifier import kinds
from pipeline.spans import Span
from pipeline.text import html_to_text

ENDINGS: Final = {".md": "text", ".markdown": "text", ".txt": "text", ".html": "html", ".htm": "html", ".json": "json"}

HEADING: Final = re.compile(r"^#{1,6}\s+(.+?)\s*#*\s*$")

TERM: Final = re.compile(WORD)

HEADING_WEIGHT: Final = 3
"""Times that a word of a heading counts: it says what the passage is about."""

MOST_NAMED: Final = 20
"""Passages that an error names."""

K1: Final = 1.2
B: Final = 0.75
"""Lucene's defaults."""


class KnowledgeParams(Section):
    """Where the team's knowledge is, and when a passage of it counts."""

    folder: Path | None
    """Markdown, HTML, plain text and JSON files, below it too; null: there is none."""

    allow: Sequence[str]
    """Names and contact details of the team itself, spelt as they stand there, which may be told to a model and to customers."""

    max_passage_words: int = Field(ge=10)
    """Longest passage; a longer section becomes several."""

    max_hits: int = Field(ge=1)
    """Passages shown to a provider per question at most."""

    min_relevance: float = Field(ge=0, le=1)
    """Share of a question's information below which a passage is no grounding."""


@dataclass(frozen=True)
class Passage:
    """A piece of knowledge."""

    id: str
    """File below the folder, and number within it."""

    heading: str
    text: str


class Knowledge:
    """The passages, ready to be searched."""

    def __init__(self, passages: Sequence[Passage], params: KnowledgeParams) -> None:
        """Index the passages; their order does not matter."""
        self._passages = sorted(passages, key=lambda passage: passage.id)
        self._params = params
        if not self._passages:
            return
        import bm25s  # type: ignore[import-untyped]  # ships no types  # noqa: PLC0415  # only where there is knowledge

        logging.getLogger("bm25s").setLevel(logging.ERROR)
        terms = [_terms(passage.heading) * HEADING_WEIGHT + _terms(passage.text) for passage in self._passages]
        self._scorer: Any = bm25s.BM25(method="lucene", k1=K1, b=B)
        self._scorer.index([sorted(each) for each in terms], show_progress=False)
        self._holders: dict[str, int] = {}
        for each in terms:
            for term in set(each):
                self._holders[term] = self._holders.get(term, 0) + 1

    @property
    def checksum(self) -> str:
        """sha256 over every passage: equal checksums, equal hits."""
        content = [[passage.id, passage.heading, passage.text] for passage in self._passages]
        return sha256(json.dumps(content).encode()).hexdigest()

    def require_nobody(self, find: Callable[[Sequence[str]], Sequence[Sequence[Span]]] | None) -> None:
        """Make sure that no passage holds a personal detail; `find` looks for them.

        Raises:
            SourceError: one does; names passages and types.
        """
        if not self._passages:
            return
        if find is None:
            raise SourceError(
                "generate.knowledge.folder: cannot be looked through for personal details, so nothing of it is sent"
            )
        texts = [f"{passage.heading}\n{passage.text}" for passage in self._passages]
        allowed = [term.casefold() for term in self._params.allow]
        found: list[str] = []
        for passage, text, spans in zip(self._passages, texts, find(texts), strict=True):
            types = {span.entity_type for span in spans if _tells(span, text[span.start : span.end], allowed)}
            if types:
                found.append(f"{passage.id} {' '.join(sorted(types))}")
        if found:
            raise SourceError(
                f"generate.knowledge.folder: {len(found)} passages hold what looks like a person's detail "
                f"({'; '.join(found[:MOST_NAMED])}); remove it, or list it in generate.knowledge.allow when it is the team's own"
            )

    def find(self, questions: Sequence[str], others: int = 0) -> list[Found]:
        """The most relevant passages of every question, best first, of equal ones the smaller id; `others` as in `Index`."""
        return [self._find(question, others) for question in questions] if self._passages else [Found(())] * len(questions)

    def _find(self, question: str, others: int) -> Found:
        terms = sorted(set(_terms(question)))
        if not terms:
            return Found(())
        most = sum(self._information(term) for term in terms) / (1 + K1)
        scores = self._scorer.get_scores([term for term in terms if term in self._holders])
        ranked = sorted((-round(float(score) / most, DECIMALS), place) for place, score in enumerate(scores) if score > 0)
        best = [(-score, self._passages[place]) for score, place in ranked[: self._params.max_hits + others]]
        hits = [Hit(each.id, min(score, 1.0), each.heading, each.text, is_exchange=False) for score, each in best]
        enough = sum(hit.score >= self._params.min_relevance for hit in hits[: self._params.max_hits])
        return Found(tuple(hits[:enough]), tuple(hits[enough : enough + others]))

    def _information(self, term: str) -> float:
        holders = self._holders.get(term, 1)  # a word that no passage holds weighs as much as a rare one
        return math.log(1 + (len(self._passages) - holders + 0.5) / (holders + 0.5))


def load_knowledge(params: KnowledgeParams) -> Knowledge:
    """Read the folder.

    Raises:
        SourceError: it is missing, holds a file of another kind, one that is not UTF-8 or JSON, or a personal detail.
    """
    if params.folder is None:
        return Knowledge([], params)
    if not params.folder.is_dir():
        raise SourceError(f"{params.folder}: no such folder; correct generate.knowledge.folder")
    passages: list[Passage] = []
    for path in sorted(path for path in params.folder.rglob("*") if path.is_file() and not path.name.startswith(".")):
        label = path.relative_to(params.folder).as_posix()
        kind = ENDINGS.get(path.suffix.lower())
        if kind is None:
            raise SourceError(f"{path}: is none of {', '.join(ENDINGS)}; convert it or move it away")
        for number, (heading, text) in enumerate(_sections(_read(path), kind, params.max_passage_words)):
            found = kinds(_without(f"{heading}\n{text}", params.allow))
            if found:
                raise SourceError(
                    f"{path}: passage {number} holds something like {found[0]}; remove it, or list it in "
                    "generate.knowledge.allow when it is the team's own"
                )
            passages.append(Passage(f"kb/{label}#{number}", heading, text))
    return Knowledge(passages, params)


def _read(path: Path) -> str:
    try:
        return path.read_text("utf-8-sig")
    except (OSError, UnicodeDecodeError):
        raise SourceError(f"{path}: cannot be read as UTF-8 text") from None


def _sections(text: str, kind: str, max_words: int) -> Iterator[tuple[str, str]]:
    if kind == "json":
        try:
            pairs = list(_leaves(json.loads(text), ()))
        except (ValueError, RecursionError):
            raise SourceError("a .json file of generate.knowledge.folder is not JSON; correct or remove it") from None
    else:
        pairs = list(_under_headings(html_to_text(text) if kind == "html" else text))
    for heading, body in pairs:
        for piece in _pieces(body, max_words):
            yield heading, piece


def _under_headings(text: str) -> Iterator[tuple[str, str]]:
    heading, lines = "", list[str]()
    for line in text.splitlines():
        if found := HEADING.match(line):
            yield heading, "\n".join(lines)
            heading, lines = found[1], []
        else:
            lines.append(line)
    yield heading, "\n".join(lines)


def _leaves(value: Any, path: tuple[str, ...]) -> Iterator[tuple[str, str]]:
    """One section per object that holds texts, headed by the names that lead to it."""
    if isinstance(value, Mapping):
        texts = [each for each in value.values() if isinstance(each, str)]
        if texts:
            yield " / ".join(path), "\n\n".join(texts)
        for name, each in value.items():
            if not isinstance(each, str):
                yield from _leaves(each, (*path, str(name)))
    elif isinstance(value, list):
        yield " / ".join(path), "\n\n".join(_flat(value))


def _flat(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, list):
        for each in value:
            yield from _flat(each)
    elif isinstance(value, Mapping):
        yield from _flat(list(value.values()))


def _pieces(body: str, max_words: int) -> Iterator[str]:
    piece: list[str] = []
    length = 0
    for paragraph in re.split(r"\n\s*\n", body):
        words = paragraph.split()
        for start in range(0, len(words), max_words):
            some = words[start : start + max_words]
            if length + len(some) > max_words:
                yield "\n".join(piece)
                piece, length = [], 0
            # a paragraph that fits keeps its lines
            piece.append(paragraph.strip() if len(words) <= max_words else " ".join(some))
            length += len(some)
    if piece:
        yield "\n".join(piece)


def _tells(span: Span, value: str, allowed: Sequence[str]) -> bool:
    """Whether a find is a detail here: a manual writes names with a capital, and what is allowed is nobody's."""
    is_word = span.entity_type == "PERSON" and value.isalpha() and value.islower()
    return not is_word and not any(value.casefold() in term for term in allowed)


def _without(text: str, allowed: Sequence[str]) -> str:
    for each in allowed:
        text = text.replace(each, " ")
    return text


def _terms(text: str) -> list[str]:
    return [term.casefold() for term in TERM.findall(text)]
