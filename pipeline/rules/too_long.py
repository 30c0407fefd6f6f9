"""A conversation is longer than the trainer's context, which would cut its end: the answers."""

import polars as pl

from pipeline.rules.limits import Limits
from pipeline.tokens import TOKENS_PER_MESSAGE, TOKENS_PER_REPLY


def fault(limits: Limits) -> pl.Expr:
    """True for every turn of a conversation of more than `max_tokens` tokens; reads the column `tokens`."""
    return (pl.col("tokens") + TOKENS_PER_MESSAGE).sum().over("row") + TOKENS_PER_REPLY > limits.max_tokens
