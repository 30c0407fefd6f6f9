"""A turn of nothing but white space and characters without a shape: trainers refuse it or learn silence from it."""

import polars as pl

from pipeline.rules.limits import Limits


def fault(_limits: Limits) -> pl.Expr:
    r"""True for every turn without a visible character.

    >>> from pipeline.turns import said
    >>> said("customer: Hello?", "agent: \u200b \n").select(fault(None)).to_series().to_list()
    [False, True]
    """
    return ~pl.col("text").str.contains(r"[^\s\p{Z}\p{Cc}\p{Cf}]")
