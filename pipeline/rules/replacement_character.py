"""A turn holds U+FFFD: bytes were lost where it stands, and nobody can put them back."""

import polars as pl

from pipeline.rules.limits import Limits


def fault(_limits: Limits) -> pl.Expr:
    r"""True for every turn with a replacement character.

    >>> from pipeline.turns import said
    >>> said("customer: caf\ufffd", "agent: café").select(fault(None)).to_series().to_list()
    [True, False]
    """
    return pl.col("text").str.contains("\ufffd", literal=True)
