"""One role spoke several times in a row; chat templates and most trainers want strict alternation.

Source: together-python src/together/utils/files.py and LLaMA-Factory 0.9.5 src/llamafactory/data/converter.py (read
November 2026).
"""

import polars as pl

from pipeline.rules.limits import Limits


def fault(_limits: Limits) -> pl.Expr:
    """True for every turn whose role spoke just before.

    >>> from pipeline.turns import said
    >>> turns = said("customer: Hello?", "customer: Anyone?", "agent: Yes.", "bot: Ticket opened.")
    >>> turns.select(fault(None)).to_series().to_list()
    [False, True, False, True]
    """
    return ((pl.col("role") == pl.col("role").shift(1)) & (pl.col("row") == pl.col("row").shift(1))).fill_null(value=False)
