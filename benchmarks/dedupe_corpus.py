"""Seeded support dialogues with planted copies: input of the benchmarks of dedupe. Nothing in them is real.

A dialogue has about 990 bytes in 8 turns of invented words with Zipf frequencies (Zipf 1949: rank times frequency is
constant). Of every 100 dialogues 5 are earlier ones written in other letter case and punctuation, and 15 are earlier ones
with 1 to 24 words replaced, which spreads their true similarity over [0.4, 1).
"""

from collections.abc import Iterator
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path
from typing import Any, Final

import numpy as np
import polars as pl

from pipeline.schema import CALL, GENERATION, SCRUBBED, TIME
from pipeline.stage import Outcome
from pipeline.tables import new_table

WORDS: Final = 167
TURNS: Final = 8
COPIES: Final = 0.20
EXACT_COPIES: Final = 0.05
ROWS_PER_PART: Final = 5_000
"""As params.yaml ships it for ingest."""

OPENED: Final = datetime(2025, 1, 1, tzinfo=UTC)
SYLLABLES: Final = [c + v + e for c in "bdfgklmnprstvz" for v in "aeiou" for e in ("", "n", "r", "l", "s", "t")]


def vocabulary(rng: np.random.Generator, size: int = 30_000) -> "np.ndarray[Any, Any]":
    """Invented words of one or two syllables."""
    words: dict[str, None] = {}
    while len(words) < size:
        words["".join(rng.choice(SYLLABLES, rng.integers(1, 3)))] = None
    return np.array(list(words), dtype=object)


def dialogues(count: int, seed: int = 1, words_each: int = WORDS, turns: int = TURNS) -> Iterator[pl.DataFrame]:
    """Frames of `scrubbed`, ROWS_PER_PART rows each; copies are of dialogues of the same or the part before."""
    rng = np.random.default_rng(seed)
    words = vocabulary(rng)
    before = np.empty((0, words_each), np.int32)
    for start in range(0, count, ROWS_PER_PART):
        rows = min(ROWS_PER_PART, count - start)
        ids = np.minimum(rng.zipf(1.25, (rows, words_each)), 10**7).astype(np.int64)
        ids = np.where(ids < len(words), ids, rng.integers(0, len(words), ids.shape)).astype(np.int32)
        pool = np.concatenate([before, ids])
        kinds = rng.random(rows)
        for row in np.flatnonzero(kinds < COPIES):
            copy = pool[rng.integers(0, len(before) + row) if len(before) + row else 0].copy()
            if kinds[row] >= EXACT_COPIES:
                copy[rng.integers(0, words_each, rng.integers(1, 25))] = rng.integers(0, len(words), 1)
            ids[row] = pool[len(before) + row] = copy
        yield _frame(start, ids, words, kinds < EXACT_COPIES, turns)
        before = ids


def _frame(
    start: int, ids: "np.ndarray[Any, Any]", words: "np.ndarray[Any, Any]", shout: "np.ndarray[Any, Any]", turns: int
) -> pl.DataFrame:
    count, cuts = len(ids), np.linspace(0, ids.shape[1], turns + 1).astype(int)
    vocabulary_ = pl.Series(words.tolist())
    number = pl.int_range(start, start + count)
    opened = (pl.lit(OPENED) + number * pl.duration(seconds=30)).cast(TIME)
    shouted = pl.Series(shout)
    columns = []
    for turn, (first, last) in enumerate(pairwise(cuts)):
        said = vocabulary_.gather(ids[:, first:last].ravel()).reshape((count, last - first)).arr.join(" ")
        loud = said.str.slice(0, 1).str.to_uppercase() + said.str.slice(1) + " !"
        columns.append(
            pl.struct(
                turn_id=pl.lit(f"t{turn}"),
                speaker=pl.lit("agent" if turn % 2 else "customer"),
                text=pl.when(shouted).then(loud).otherwise(said),
                sent_at=opened + pl.duration(minutes=turn),
                author_key=pl.lit(None, pl.String),
                origin=pl.lit("human"),
                generation=pl.lit(None, GENERATION),
                call=pl.lit(None, CALL),
            )
        )
    return pl.select(
        conversation_id=pl.format("bench-{}", number.cast(pl.String).str.zfill(16)),
        source=pl.lit("bench"),
        source_file=pl.lit("bench/log.jsonl"),
        source_row=number,
        opened_at=opened,
        channel=pl.lit("chat"),
        language=pl.lit("en"),
        product=pl.lit(None, pl.String),
        topics=pl.lit([], pl.List(pl.String)),
        customer_key=(number % 10**6).cast(pl.String).str.zfill(16),
        outcome=pl.struct(resolved=pl.lit(None, pl.Boolean), csat=pl.lit(None, pl.Float64), reopened=pl.lit(None, pl.Boolean)),
        turns=pl.concat_list(columns),
    ).select(list(SCRUBBED))


def write_table(folder: Path, frames: Iterator[pl.DataFrame]) -> int:
    """Write the frames as the table `scrubbed`; returns the bytes of text in it."""
    size = 0
    with new_table(folder, "scrub", "benchmark", given=None) as writer:
        parts = []
        for number, frame in enumerate(frames):
            size += int(
                frame.select(pl.col("turns").list.eval(pl.element().struct["text"].str.len_bytes()).list.sum().sum()).item()
            )
            parts.append(writer.write(f"part-{number:05d}", {"seed": str(number)}, Outcome(frame)))
        writer.publish(parts)
    return size
