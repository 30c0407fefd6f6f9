"""The customer had the last word: nothing is answered there, so nothing can be learned.

Source: LLaMA-Factory 0.9.5 src/llamafactory/data/converter.py skips such rows; Mistral's validator wants the assistant
last (mistral-finetune finetune/data/tokenize.py; both read November 2026).
"""

import polars as pl

from pipeline.rules.limits import Limits


def fault(_limits: Limits) -> pl.Expr:
    """True for every turn after the last answer.

    >>> from pipeline.turns import said
    >>> turns = said("customer: Where is it?", "agent: On its way.", "customer: Thanks!")
    >>> turns.select(fault(None)).to_series().to_list()
    [False, False, True]
    """
    return ~(pl.col("role") == "agent").cum_max(reverse=True).over("row")
