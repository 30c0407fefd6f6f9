"""An answer only repeats what was asked."""

from typing import Final

import polars as pl

from pipeline.rules.limits import Limits

ENOUGH_CHARACTERS: Final = 20
"""Below, "Thank you" answers "Thank you", and nothing is wrong."""

MOST_PUNCTUATION: Final = 12
"""Characters by which two tellings of the same words may differ in length."""


def fault(_limits: Limits) -> pl.Expr:
    """True for every agent turn that equals the turn before but for case, space and punctuation.

    >>> from pipeline.turns import said
    >>> turns = said("customer: Where is my parcel now?", "agent: where is my parcel, now", "customer: Hi", "agent: Hi")
    >>> turns.select(fault(None)).to_series().to_list()
    [False, True, False, False]
    """
    is_answer = (pl.col("role") == "agent") & (pl.col("row") == pl.col("row").shift(1))
    length = pl.col("text").str.len_chars().cast(pl.Int64)
    # the same words with other punctuation are about as long; all other pairs need no second look
    is_alike = is_answer & ((length - length.shift(1)).abs() <= MOST_PUNCTUATION) & (length >= ENOUGH_CHARACTERS)
    compared = pl.when(is_alike | is_alike.shift(-1)).then(pl.col("text"))
    plain = compared.str.to_lowercase().str.replace_all(r"[^\p{L}\p{N}]+", " ").str.strip_chars()
    return (is_alike & (plain == plain.shift(1))).fill_null(value=False)
