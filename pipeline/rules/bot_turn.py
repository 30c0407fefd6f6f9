"""A turn of an assistant program before or beside the human agent. Ignored, it counts as the agent's."""

import polars as pl

from pipeline.rules.limits import Limits


def fault(_limits: Limits) -> pl.Expr:
    """True for every turn of a bot.

    >>> from pipeline.turns import said
    >>> said("bot: Hi, I am Milly.", "customer: A human please.").select(fault(None)).to_series().to_list()
    [True, False]
    """
    return pl.col("speaker") == "bot"
