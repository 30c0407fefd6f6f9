"""Near-duplicates among texts, by the kernel of dedupe: MinHash bands, verified by true Jaccard."""

from typing import Final

import numpy as np
import polars as pl

from pipeline.similarity.clusters import ShingleSets, buckets
from pipeline.similarity.minhash import Array, Recipe, Sketches, band_keys, sketch, texts_of

PERMUTATIONS: Final = 128


NEIGHBOURS: Final = 16
"""Each text of a bucket is compared with the first of it and with this many just before: no all-pairs step in a crowd."""


def cluster(texts: pl.Series, min_jaccard: float, shingle: int, seed: int) -> pl.Series:
    """A label per text: the position of the first text of its cluster. Texts without a word are a cluster each."""
    if texts.is_empty():
        return pl.Series("cluster", [], dtype=pl.Int64)
    sketches = _sketch(texts, shingle, seed)
    firsts = _first_of_equals(sketches)
    looked_at = np.flatnonzero((firsts == np.arange(len(firsts))) & (sketches.words > 0))
    pairs = _alike(sketches, looked_at, min_jaccard, NEIGHBOURS)
    labels = _components(len(texts), pairs["left"].to_numpy(), pairs["right"].to_numpy())
    return pl.Series("cluster", labels[firsts], dtype=pl.Int64)


def similar_pairs(texts: pl.Series, min_jaccard: float, shingle: int, seed: int, per_bucket: int) -> pl.DataFrame:
    """left, right, jaccard of texts that are alike: left < right, each pair once; equal texts are pairs too.

    In a bucket each text is paired with up to `per_bucket` before it and with the first, so a crowd of n costs
    n * (per_bucket + 1) pairs at most.
    """
    if texts.is_empty():
        return pl.DataFrame(schema={"left": pl.Int64, "right": pl.Int64, "jaccard": pl.Float64})
    sketches = _sketch(texts, shingle, seed)
    return _alike(sketches, np.flatnonzero(sketches.words > 0), min_jaccard, per_bucket)


def _alike(sketches: Sketches, looked_at: Array, min_jaccard: float, per_bucket: int) -> pl.DataFrame:
    bands, rows = bands_for(min_jaccard)
    found = [pl.DataFrame(schema={"left": pl.Int64, "right": pl.Int64})]
    for key in band_keys(sketches.signatures[looked_at], bands, rows):
        members, ranks = buckets(key)
        starts = np.arange(len(members)) - ranks
        later = np.flatnonzero(ranks > 0)
        found.append(pl.DataFrame({"left": looked_at[members[starts[later]]], "right": looked_at[members[later]]}))
        for back in range(1, per_bucket + 1):
            later = np.flatnonzero(ranks > back)  # the first of the bucket is paired already
            found.append(pl.DataFrame({"left": looked_at[members[later - back]], "right": looked_at[members[later]]}))
        found = [pl.concat(found).unique()]
    pairs = found[0].sort("left", "right")
    sets = ShingleSets.of(sketches.shingles.copy(), sketches.offsets[:-1].copy(), sketches.offsets[1:].copy())
    jaccard = sets.jaccard(pairs["left"].to_numpy(), pairs["right"].to_numpy(), min_jaccard)
    return pairs.with_columns(jaccard=pl.Series(jaccard)).filter(pl.col("jaccard") >= min_jaccard)


def bands_for(min_jaccard: float) -> tuple[int, int]:
    """Bands and rows whose threshold (1 / bands) ** (1 / rows) lies 0.1 below `min_jaccard`: recall before speed."""
    rows = max(rows for rows in range(1, 9) if rows == 1 or (1 / (PERMUTATIONS // rows)) ** (1 / rows) <= min_jaccard - 0.1)
    return PERMUTATIONS // rows, rows


def _sketch(texts: pl.Series, shingle: int, seed: int) -> Sketches:
    recipe = Recipe(size=shingle, by_character=False, mask_numbers=True, permutations=PERMUTATIONS, bands=0, rows=0, seed=seed)
    return sketch(texts_of(texts.to_frame("text").select(pl.concat_list("text")).to_series()), recipe)


def _first_of_equals(sketches: Sketches) -> Array:
    """For every text, the first one of the same words; itself where it has none."""
    frame = pl.DataFrame({"words": sketches.words, "one": sketches.digests[:, 0], "other": sketches.digests[:, 1]})
    frame = frame.with_row_index("position").with_columns(pl.col("position").cast(pl.Int64))
    first = pl.when(pl.col("words") > 0).then(pl.col("position").min().over("one", "other")).otherwise("position")
    return frame.select(first).to_series().to_numpy()


def _components(count: int, left: Array, right: Array) -> Array:
    from scipy.sparse import coo_array  # noqa: PLC0415  # 0.2 s, only where something is measured
    from scipy.sparse.csgraph import connected_components  # noqa: PLC0415  # as above

    graph = coo_array((np.ones(len(left), np.int8), (left, right)), shape=(count, count))
    _, labels = connected_components(graph, directed=False)
    firsts = np.full(int(labels.max()) + 1, count, np.int64)
    np.minimum.at(firsts, labels, np.arange(count))
    return np.asarray(firsts[labels])
