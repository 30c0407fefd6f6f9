"""Who is near to a text that is asked about: every conversation of an index is looked at."""

from typing import Final

import numpy as np
import polars as pl

from pipeline.similarity.hash_set import HashSet
from pipeline.similarity.index import Index
from pipeline.similarity.sketches import PartSketch, Places

NEIGHBOURS: Final = {
    "asked": pl.Int64,
    "conversation_id": pl.String,
    "cluster_id": pl.String,
    "similarity": pl.Float64,
    "is_exact": pl.Boolean,
}


def neighbours(index: Index, asked: PartSketch, least: float) -> pl.DataFrame:
    """All conversations of the index with a similarity of at least `least` to one of those asked for, by looking at all.

    Returns:
        asked (row of `asked`), conversation_id, cluster_id, similarity, is_exact (the same words); nearest first.
    """
    values, lengths = asked.runs(np.arange(asked.count))
    sought = HashSet(values)
    digests = np.stack([asked.column("digest_0"), asked.column("digest_1")], axis=1)
    found = [pl.DataFrame(schema=NEIGHBOURS)]
    for key, entry in index.known.parts.items():
        part = index.sketch(key)
        shingles, _ = part.runs(np.arange(part.count))
        hits = np.flatnonzero(sought.within(shingles))
        near = np.unique(np.searchsorted(part.column("end"), hits, side="right"))
        sets = Places([asked, part], [np.arange(asked.count), near]).sets_of(np.arange(len(lengths) + len(near)))
        for number in range(len(lengths)):
            similar = sets.jaccard(np.full(len(near), number), len(lengths) + np.arange(len(near)), least)
            close = np.flatnonzero((similar >= least) & (similar > 0))
            rows = part.rows(near[close])
            verdict = index.verdict(key, entry.verdict)[near[close]]
            found.append(
                pl.DataFrame(
                    {
                        "asked": np.full(len(close), number),
                        "conversation_id": rows["conversation_id"],
                        "cluster_id": verdict["cluster_id"],
                        "similarity": np.round(similar[close], 6),
                        "is_exact": (rows["digest_0"] == digests[number, 0]) & (rows["digest_1"] == digests[number, 1]),
                    },
                    schema=NEIGHBOURS,
                )
            )
    return pl.concat(found).sort("asked", -pl.col("similarity"), "conversation_id")
