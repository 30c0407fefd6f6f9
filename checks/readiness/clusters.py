"""Near-duplicates among texts, by the kernel and the components of dedupe: MinHash bands, verified by true Jaccard."""

from typing import Final

import numpy as np
import polars as pl

from pipeline.clusters import ShingleSets, buckets, components
from pipeline.minhash import Array, Recipe, Sketches, band_keys, sketch, texts_of

PERMUTATIONS: Final = 128


def cluster(texts: pl.Series, min_jaccard: float, shingle: int, seed: int) -> pl.Series:
    """A label per text: the position of the first text of its cluster. Texts without a word are a cluster each."""
    if texts.is_empty():
        return pl.Series("cluster", [], dtype=pl.Int64)
    sketches = _sketch(texts, shingle, seed)
    sets = _sets(sketches)
    firsts = _first_of_equals(sketches)
    looked_at = np.flatnonzero((firsts == np.arange(len(firsts))) & (sketches.words > 0))
    bands, rows = bands_for(min_jaccard)
    keys = band_keys(sketches.signatures[looked_at], bands, rows)
    roots = components(
        len(looked_at),
        bands,
        lambda band: keys[band],
        lambda left, right: sets.jaccard(looked_at[left], looked_at[right], min_jaccard),
        min_jaccard,
    )
    labels = np.arange(len(texts))
    labels[looked_at] = looked_at[roots]
    return pl.Series("cluster", labels[firsts], dtype=pl.Int64)


def similar_pairs(texts: pl.Series, min_jaccard: float, shingle: int, seed: int, per_bucket: int) -> pl.DataFrame:
    """left, right, jaccard of texts that are alike: left < right, each pair once; equal texts are pairs too.

    In a bucket each text is paired with up to `per_bucket` before it, so a crowd of n costs n * per_bucket pairs at most.
    """
    empty = pl.DataFrame(schema={"left": pl.Int64, "right": pl.Int64, "jaccard": pl.Float64})
    if texts.is_empty():
        return empty
    sketches = _sketch(texts, shingle, seed)
    said = np.flatnonzero(sketches.words > 0)
    bands, rows = bands_for(min_jaccard)
    found = [empty.select("left", "right")]
    for key in band_keys(sketches.signatures[said], bands, rows):
        members, ranks = buckets(key)
        for back in range(1, per_bucket + 1):
            later = np.flatnonzero(ranks >= back)
            found.append(pl.DataFrame({"left": said[members[later - back]], "right": said[members[later]]}))
    pairs = pl.concat(found).unique().sort("left", "right")
    jaccard = _sets(sketches).jaccard(pairs["left"].to_numpy(), pairs["right"].to_numpy(), min_jaccard)
    return pairs.with_columns(jaccard=pl.Series(jaccard)).filter(pl.col("jaccard") >= min_jaccard)


def bands_for(min_jaccard: float) -> tuple[int, int]:
    """Bands and rows whose threshold (1 / bands) ** (1 / rows) lies 0.1 below `min_jaccard`: recall before speed."""
    rows = max(rows for rows in range(1, 9) if rows == 1 or (1 / (PERMUTATIONS // rows)) ** (1 / rows) <= min_jaccard - 0.1)
    return PERMUTATIONS // rows, rows


def _sketch(texts: pl.Series, shingle: int, seed: int) -> Sketches:
    recipe = Recipe(size=shingle, by_character=False, mask_numbers=True, permutations=PERMUTATIONS, bands=0, rows=0, seed=seed)
    return sketch(texts_of(texts.to_frame("text").select(pl.concat_list("text")).to_series()), recipe)


def _sets(sketches: Sketches) -> ShingleSets:
    return ShingleSets.of(sketches.shingles.copy(), sketches.offsets[:-1].copy(), sketches.offsets[1:].copy())


def _first_of_equals(sketches: Sketches) -> Array:
    """For every text, the first one of the same words; itself where it has none."""
    frame = pl.DataFrame({"words": sketches.words, "one": sketches.digests[:, 0], "other": sketches.digests[:, 1]})
    frame = frame.with_row_index("position").with_columns(pl.col("position").cast(pl.Int64))
    first = pl.when(pl.col("words") > 0).then(pl.col("position").min().over("one", "other")).otherwise("position")
    return frame.select(first).to_series().to_numpy()
