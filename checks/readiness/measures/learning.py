"""M03 marginal value of data, M09 repetition, M26 exposure budget."""

import math
import zlib
from itertools import pairwise
from typing import Any, Final

import numpy as np
import polars as pl

from checks.readiness.clusters import cluster
from checks.readiness.corpus import Corpus, draw
from checks.readiness.evidence import Evidence
from checks.readiness.masking import words_of
from checks.readiness.measured import Measured, Reading, unknown
from checks.readiness.measures.volume import SHINGLE
from checks.readiness.settings import ReadinessParams
from pipeline.similarity.minhash import Array

HELD_OUT: Final = 0.1
MIN_CONVERSATIONS: Final = 200
SMALLEST: Final = 50
MIN_FITTED: Final = 6
"""Sizes: a curve through four of them was 7 % too hopeful at 16 times the data."""

SAMPLES: Final = 20
TEMPLATES: Final = 50
MIN_TEMPLATED: Final = 500
"""Fewer answers, and fifty templates are most of them by arithmetic."""


def read(corpus: Corpus, _evidence: Evidence, params: ReadinessParams) -> Reading:
    """Whether more of the same would help, how repetitive answers are, how often the most used one would be seen."""
    gain, curve = _marginal(corpus, params)
    return Reading((*gain, *_compression(corpus, params), *_templates(corpus, params)), {"marginal_value": curve})


# --- M03 ----------------------------------------------------------------------------------------------------------------


def _marginal(corpus: Corpus, params: ReadinessParams) -> tuple[list[Measured], pl.DataFrame]:
    names = ("marginal_gain", "bits_per_token", "forecast_gain")
    rows = corpus.examples.select("conversation_id", "answer").filter(pl.col("answer") != "")
    rows = (
        rows.with_columns(draw=draw(rows["conversation_id"], params.seed)).sort("draw").head(params.samples.curve_conversations)
    )
    if rows.height < MIN_CONVERSATIONS:
        empty = pl.DataFrame(schema={"examples": pl.Int64, "bits_per_token": pl.Float64, "gain": pl.Float64})
        return unknown("M03", f"{rows.height} answered conversations, {MIN_CONVERSATIONS} are needed", *names), empty
    texts = [words_of(text) for text in rows["answer"].to_list()]
    cut = max(int(len(texts) * HELD_OUT), 20)
    curve = learning_curve(texts[cut:], texts[:cut])
    bits = curve["bits_per_token"].to_list()
    values = [
        Measured("M03", "marginal_gain", curve["gain"][-1], n=rows.height),
        Measured("M03", "bits_per_token", bits[-1], n=rows.height),
    ]
    fit = fit_power(curve["examples"].to_list(), bits) if len(bits) >= MIN_FITTED else None
    if fit is None:
        values += unknown("M03", f"{len(bits)} sizes, {MIN_FITTED} are needed for a forecast", "forecast_gain")
    else:
        size = curve["examples"][-1]
        values.append(Measured("M03", "forecast_gain", 1 - fit(2 * size) / fit(size), n=rows.height))
    return values, curve


def learning_curve(train: list[list[str]], held_out: list[list[str]]) -> pl.DataFrame:
    """examples, bits_per_token, gain (over half the examples): held-out cross-entropy under an interpolated trigram."""
    sizes: list[int] = []
    size = len(train)
    while size >= SMALLEST:
        sizes.insert(0, size)
        size //= 2
    vocabulary = {word: number for number, word in enumerate(sorted({w for text in train for w in text}), 3)}
    bits = [cross_entropy(_coded(train[:size], vocabulary), _coded(held_out, vocabulary), len(vocabulary) + 3) for size in sizes]
    gains = [None, *(1 - after / before for before, after in pairwise(bits))]
    return pl.DataFrame(
        {"examples": sizes, "bits_per_token": bits, "gain": gains},
        schema={"examples": pl.Int64, "bits_per_token": pl.Float64, "gain": pl.Float64},
    )


def _coded(texts: list[list[str]], vocabulary: dict[str, int]) -> Array:
    """Words as numbers; two starts (0) before every text and an end (1) after it; 2 is an unknown word."""
    codes: list[int] = []
    for text in texts:
        codes += [0, 0, *(vocabulary.get(word, 2) for word in text), 1]
    return np.array(codes, np.int64)


def cross_entropy(train: Array, held_out: Array, words: int) -> float:
    """Bits per token of `held_out` under the trigram of `train`, interpolated as Witten and Bell do.

    Source: Witten and Bell, "The zero-frequency problem", 1991, method C; Chen and Goodman, 1999, section 2.6.
    """
    probability = np.full(len(held_out), 1 / words)
    for order in (1, 2, 3):
        known, known_counts = np.unique(_grams(train, order, words), return_counts=True)
        contexts = known // words
        context, first = np.unique(contexts, return_index=True)
        totals = np.add.reduceat(known_counts, first)
        kinds = np.diff(np.append(first, len(contexts)))
        asked = _grams(held_out, order, words, padded=True)
        count = _look_up(known, known_counts, asked)
        total, kind = (_look_up(context, values, asked // words) for values in (totals, kinds))
        seen = total > 0
        probability = np.where(seen, (count + kind * probability) / np.where(seen, total + kind, 1), probability)
    # the two starts are given, not predicted
    return float(-np.log2(probability[held_out != 0]).mean())


def _grams(codes: Array, order: int, words: int, *, padded: bool = False) -> Array:
    """Every word with the `order` - 1 before it as one number; starts are no last word. Padded: one per position."""
    key = np.zeros(len(codes), np.int64)
    for back in range(order - 1, -1, -1):
        shifted = np.zeros_like(codes)
        shifted[back:] = codes[: len(codes) - back]
        key = key * words + shifted
    return key if padded else key[codes != 0]


def _look_up(keys: Array, values: Array, asked: Array) -> Array:
    where = np.searchsorted(keys, asked).clip(0, len(keys) - 1)
    return np.where(keys[where] == asked, values[where], 0)


def fit_power(sizes: list[int], bits: list[float]) -> Any:
    """A * n ** -b + c through the points, by least squares over a grid of c; None where no curve falls."""
    n, h = np.log(np.array(sizes, float)), np.array(bits)
    best: tuple[float, float, float, float] | None = None
    for c in np.linspace(0, h.min() * 0.98, 60):
        slope, level = np.polyfit(n, np.log(h - c), 1)
        error = float(((np.exp(level + slope * n) + c - h) ** 2).sum())
        if slope < 0 and (best is None or error < best[0]):
            best = (error, float(level), float(slope), float(c))
    if best is None:
        return None
    _, level, slope, c = best
    return lambda size: math.exp(level + slope * math.log(size)) + c


# --- M09, M26 -----------------------------------------------------------------------------------------------------------


def _compression(corpus: Corpus, params: ReadinessParams) -> list[Measured]:
    """Bytes to compressed bytes of samples of exactly so many answers: of other sizes the ratio says nothing."""
    names = ("compression_ratio", "compression_ratio_sd")
    answers = corpus.examples.select("conversation_id", "first_answer").filter(pl.col("first_answer") != "")
    size = params.samples.repetition
    if answers.height < size:
        return unknown("M09", f"{answers.height} answers, a sample has {size}", *names)
    texts = answers.with_columns(draw=draw(answers["conversation_id"], params.seed)).sort("draw")["first_answer"].to_list()
    generator = np.random.default_rng(params.seed)
    ratios = []
    for _ in range(SAMPLES):
        chosen = sorted(generator.choice(len(texts), size, replace=False).tolist())
        content = "\n".join(texts[i] for i in chosen).encode()
        ratios.append(len(content) / len(zlib.compress(content, 9)))
    return [
        Measured("M09", "compression_ratio", float(np.mean(ratios)), n=size),
        Measured("M09", "compression_ratio_sd", float(np.std(ratios, ddof=1)), n=SAMPLES),
    ]


def _templates(corpus: Corpus, params: ReadinessParams) -> list[Measured]:
    answered = corpus.asked.filter(pl.col("answer").str.strip_chars() != "")
    labels = cluster(answered["answer"], params.similarity.min_jaccard, SHINGLE, params.seed)
    values: list[Measured] = []
    if answered.height < MIN_TEMPLATED:
        values += unknown("M09", f"{answered.height} answers, {MIN_TEMPLATED} are needed", "faq_share")
    else:
        largest = labels.alias("label").value_counts().sort(["count", "label"], descending=[True, False])["label"].head(TEMPLATES)
        flagged = answered.select("topic", faq=labels.is_in(largest.implode()))
        values.append(Measured("M09", "faq_share", float(flagged["faq"].sum()) / flagged.height, n=flagged.height))
        by_topic = flagged.drop_nulls("topic").group_by("topic").agg(share=pl.col("faq").mean(), n=pl.len()).sort("topic")
        values += [Measured("M09", "faq_share", share, topic, n=n) for topic, share, n in by_topic.iter_rows()]
    return [*values, *_exposure(corpus, params)]


def _exposure(corpus: Corpus, params: ReadinessParams) -> list[Measured]:
    names = ("largest_template_passes", "suggested_epochs", "suggested_template_cap")
    trained = corpus.examples.filter(pl.col("split").is_null() | (pl.col("split") == "train"))
    answers = trained.filter(pl.col("first_answer") != "")["first_answer"]
    if answers.is_empty():
        return unknown("M26", "no answer to learn from", *names)
    largest = int(cluster(answers, params.similarity.min_jaccard, SHINGLE, params.seed).value_counts()["count"].max() or 0)  # type: ignore[arg-type]  # of an integer column
    most = params.limits.max_template_passes
    return [
        Measured("M26", "largest_template_passes", float(largest * params.epochs), n=len(answers)),
        Measured("M26", "suggested_epochs", float(max(1, min(params.epochs, int(most // largest)))), n=len(answers)),
        Measured("M26", "suggested_template_cap", float(max(1, int(most // params.epochs))), n=len(answers)),
    ]
