"""A turn of a program the agent consulted, not something said to the customer: a look-up.

Ignored, look-ups stay as calls and results for the formats that have them.
"""

import polars as pl

from pipeline.rules.limits import Limits


def fault(_limits: Limits) -> pl.Expr:
    """True for every turn of a tool.

    >>> from pipeline.turns import said
    >>> turns = said("customer: Where is it?", "tool: order 4411 shipped", "agent: On its way.")
    >>> turns.select(fault(None)).to_series().to_list()
    [False, True, False]
    """
    return pl.col("role") == "tool"
