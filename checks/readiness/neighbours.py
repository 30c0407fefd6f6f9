"""Nearest neighbours by TF-IDF cosine, as held-out texts see the training set."""

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import polars as pl

from pipeline.similarity.minhash import Array

COLUMNS_PER_BLOCK: Final = 256
DECIMALS: Final = 6
"""Cosines are rounded, so that the order of a sum cannot decide at a limit."""


@dataclass(frozen=True)
class Nearest:
    """For every held-out text, and every nested subset of the training texts."""

    sizes: tuple[int, ...]
    """Training texts in each subset, growing."""
    cosine: Array
    """One row per size, one column per held-out text: cosine to the nearest of the subset."""
    position: Array
    """One per held-out text: the nearest of all training texts."""


def vectorize(train: pl.Series, held_out: pl.Series) -> tuple[Any, Any]:
    """TF-IDF vectors (rows of length 1) of both; the weights come from the training texts.

    A word of no training text has the greatest weight and matches nothing: left out, a question of which only "the" is
    known would be near to every short text with a "the".
    """
    # sklearn takes a second, and is needed only where something is compared; it ships no types
    from sklearn.feature_extraction.text import CountVectorizer, TfidfTransformer  # type: ignore[import-untyped]  # noqa: PLC0415

    counter = CountVectorizer(token_pattern=r"<\w+>|\w+", dtype=np.float32)  # noqa: S106  # words, no secret
    counts = counter.fit_transform([*train.to_list(), *held_out.to_list()]).tocsr()
    model = TfidfTransformer(sublinear_tf=True).fit(counts[: len(train)])
    vectors = model.transform(counts).tocsr()
    return vectors[: len(train)], vectors[len(train) :]


def nearest(train: pl.Series, held_out: pl.Series, sizes: tuple[int, ...] = ()) -> Nearest:
    """The nearest training text of each held-out text; with `sizes`, for the first n training texts too."""
    stops = tuple(sorted({min(size, len(train)) for size in sizes} | {len(train)}))
    cosine = np.zeros((len(stops), len(held_out)), np.float32)
    position = np.zeros(len(held_out), np.int64)
    if held_out.is_empty() or not train.str.contains(r"\w").any():
        return Nearest(stops, cosine, position)
    known, asked = vectorize(train, held_out)
    for start in range(0, len(held_out), COLUMNS_PER_BLOCK):
        block = slice(start, min(start + COLUMNS_PER_BLOCK, len(held_out)))
        turned = np.ascontiguousarray(asked[block].toarray().T)
        best = np.zeros(block.stop - block.start, np.float32)
        before = 0
        for number, stop in enumerate(stops):
            scores = known[before:stop] @ turned
            where = scores.argmax(axis=0)
            top = scores[where, np.arange(scores.shape[1])]
            position[block] = np.where(top > best, before + where, position[block])
            best = np.maximum(best, top)
            cosine[number, block] = best
            before = stop
    return Nearest(stops, cosine.round(DECIMALS), position)
