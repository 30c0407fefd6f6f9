"""Which answered exchange resembles a question: TF-IDF cosine, offline, the same on every run.

The index is bounded: of more answered conversations than it may hold, those with the smallest ids (hashes, so a fair
draw that does not change when others come) are taken. Terms are words, and single characters of scripts without
spaces, alone and in pairs, hashed to a fixed number of columns, so no vocabulary grows.

Source: Salton and Buckley, "Term-weighting approaches in automatic text retrieval", 1988; scikit-learn's TfidfTransformer.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Any, Final

import numpy as np
from pydantic import Field

from pipeline.answering.request import Hit
from pipeline.params import Section

WORD: Final = r"[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af\u0e00-\u0e7f]|[^\W_]+"
"""A word, or one character of Kana, Han, Hangul or Thai."""

COLUMNS: Final = 2**20
CELLS_PER_BLOCK: Final = 8_000_000
"""Question x exchange pairs compared at once: at most about 100 MB."""

DECIMALS: Final = 6
"""Scores are rounded, so that the order of a sum cannot reach a table."""


class RetrievalParams(Section):
    """How the team's own answers are found."""

    max_indexed: int = Field(ge=0)
    """Answered exchanges in the index at most; bounds memory (about 2 KB each)."""

    max_hits: int = Field(ge=1)
    """Exchanges shown to a provider per question at most."""

    min_similarity: float = Field(ge=0, le=1)
    """Cosine below which an exchange is no grounding. 1 = the same words."""

    min_words: int = Field(ge=1)
    """Different words a question needs before resemblance means anything; "Yes." resembles too much."""


@dataclass(frozen=True)
class Exchange:
    """A question of a customer and what an agent answered."""

    id: str
    question: str
    answer: str


@dataclass(frozen=True)
class Found:
    """What resembles a question."""

    hits: tuple[Hit, ...]
    """Enough for an answer to rest on it, best first."""

    others: tuple[Hit, ...] = ()
    """The most similar of the rest, best first."""

    is_telling: bool = True
    """False: the question has too few words for resemblance to mean anything."""


class Index:
    """The exchanges, ready to be searched."""

    def __init__(self, exchanges: Sequence[Exchange], params: RetrievalParams) -> None:
        """Index the exchanges; their order does not matter."""
        self._exchanges = sorted(exchanges, key=lambda exchange: exchange.id)
        self._params = params
        self._matrix: Any = None
        if self._exchanges:
            from sklearn.feature_extraction.text import (  # type: ignore[import-untyped]  # ships no types  # noqa: PLC0415  # 1 s
                HashingVectorizer,
                TfidfTransformer,
            )

            self._count = HashingVectorizer(
                n_features=COLUMNS, token_pattern=WORD, ngram_range=(1, 2), alternate_sign=False, norm=None, dtype=np.float64
            )
            self._weigh = TfidfTransformer(sublinear_tf=True)
            counts = self._count.transform(exchange.question for exchange in self._exchanges)
            self._matrix = self._weigh.fit_transform(counts).T.tocsr()

    def __len__(self) -> int:
        return len(self._exchanges)

    @property
    def checksum(self) -> str:
        """sha256 over every exchange: equal checksums, equal hits."""
        digest = sha256()
        for exchange in self._exchanges:
            for text in (exchange.id, exchange.question, exchange.answer):
                digest.update(text.encode("utf-8", "surrogatepass") + b"\0")
        return digest.hexdigest()

    def weigh_alike(self, questions: Sequence[str], weights: Mapping[str, int]) -> list[int]:
        """Of every question, the sum of the weights of the exchanges that resemble it enough; `weights` by their ids."""
        if self._matrix is None:
            return [0] * len(questions)
        each = np.array([weights[exchange.id] for exchange in self._exchanges])
        sums: list[int] = []
        step = max(1, CELLS_PER_BLOCK // len(self._exchanges))
        for start in range(0, len(questions), step):
            vectors = self._weigh.transform(self._count.transform(questions[start : start + step]))
            similar = (vectors @ self._matrix).tocsr()
            similar.data = (similar.data.round(DECIMALS) >= self._params.min_similarity).astype(np.int64)
            sums += (similar @ each).tolist()
        return sums

    def find(self, questions: Sequence[str], others: int = 0) -> list[Found]:
        """The most similar exchanges of every question, best first, of equal ones the smaller id first.

        `others`: how many to give beside those that an answer may rest on.
        """
        found: list[Found] = []
        if self._matrix is None:
            return [Found(())] * len(questions)
        step = max(1, CELLS_PER_BLOCK // len(self._exchanges))
        for start in range(0, len(questions), step):
            found += self._find_block(questions[start : start + step], others)
        return found

    def _find_block(self, questions: Sequence[str], others: int) -> Iterator[Found]:
        counts = self._count.transform(questions)
        words = np.diff(counts.indptr)
        similar = (self._weigh.transform(counts) @ self._matrix).tocsr()
        for row, terms in enumerate(words):
            where = slice(similar.indptr[row], similar.indptr[row + 1])
            scores, columns = similar.data[where].round(DECIMALS), similar.indices[where]
            best = np.lexsort((columns, -scores))[: self._params.max_hits + others]
            ranked = [self._hit(int(columns[place]), min(float(scores[place]), 1.0)) for place in best]
            # n words in a row are n terms and n - 1 pairs
            is_telling = bool((terms + 1) // 2 >= self._params.min_words)
            enough = [hit for hit in ranked if is_telling and hit.score >= self._params.min_similarity]
            hits = tuple(enough[: self._params.max_hits])
            yield Found(hits, tuple(ranked[len(hits) : len(hits) + others]), is_telling)

    def _hit(self, column: int, score: float) -> Hit:
        exchange = self._exchanges[column]
        return Hit(exchange.id, score, exchange.question, exchange.answer)
