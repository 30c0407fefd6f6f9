"""No customer ever spoke: an announcement or a campaign, not an answer to anything."""

import polars as pl

from pipeline.rules.limits import Limits


def fault(_limits: Limits) -> pl.Expr:
    """True for every turn of a conversation without a question.

    >>> from pipeline.turns import said
    >>> said("agent: We miss you.").select(fault(None)).to_series().to_list()
    [True]
    """
    return ~(pl.col("role") == "customer").any().over("row")
