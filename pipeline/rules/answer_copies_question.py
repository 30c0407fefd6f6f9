"""An answer only repeats what was asked."""

from typing import Final

import polars as pl

from pipeline.rules.limits import Limits

ENOUGH_CHARACTERS: Final = 20
"""Below, "Thank you" answers "Thank you", and nothing is wrong."""


def fault(_limits: Limits) -> pl.Expr:
    """True for every agent turn that equals the turn before but for case, space and punctuation.

    >>> from pipeline.turns import said
    >>> turns = said("customer: Where is my parcel now?", "agent: where is my parcel, now", "customer: Hi", "agent: Hi")
    >>> turns.select(fault(None)).to_series().to_list()
    [False, True, False, False]
    """
    plain = pl.col("text").str.to_lowercase().str.replace_all(r"[^\p{L}\p{N}]+", " ").str.strip_chars()
    is_answer = (pl.col("role") == "agent") & (pl.col("row") == pl.col("row").shift(1))
    return is_answer & (plain.str.len_chars() >= ENOUGH_CHARACTERS) & (plain == plain.shift(1))
