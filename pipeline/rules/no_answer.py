"""No agent ever spoke: there is nothing to train on. A conversation that lost its last turn to the rules is one too."""

import polars as pl

from pipeline.rules.limits import Limits


def fault(_limits: Limits) -> pl.Expr:
    """True for every turn of a conversation without an answer.

    >>> from pipeline.turns import said
    >>> said("customer: Hello?", "customer: Anyone?").select(fault(None)).to_series().to_list()
    [True, True]
    """
    return ~(pl.col("role") == "agent").any().over("row")
