"""A conversation has too few tokens to teach anything."""

import polars as pl

from pipeline.rules.limits import Limits
from pipeline.tokens import TOKENS_PER_MESSAGE, TOKENS_PER_REPLY


def fault(limits: Limits) -> pl.Expr:
    """True for every turn of a conversation of fewer than `min_tokens` tokens; reads the column `tokens`."""
    return (pl.col("tokens") + TOKENS_PER_MESSAGE).sum().over("row") + TOKENS_PER_REPLY < limits.min_tokens
