"""An agent spoke before the customer said anything: a greeting that answers nobody, and a shape most trainers refuse.

Source: LLaMA-Factory 0.9.5 src/llamafactory/data/converter.py skips such rows; Bedrock Nova and Together want the user
first (their data preparation pages, read November 2026).
"""

import polars as pl

from pipeline.rules.limits import Limits


def fault(_limits: Limits) -> pl.Expr:
    """True for every turn before the customer's first.

    >>> from pipeline.turns import said
    >>> turns = said("agent: Welcome!", "customer: Where is it?", "agent: On its way.")
    >>> turns.select(fault(None)).to_series().to_list()
    [True, False, False]
    """
    return ~(pl.col("role") == "customer").cum_max().over("row")
