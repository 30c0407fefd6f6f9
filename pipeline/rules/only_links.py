"""An answer is nothing but links: the model would learn addresses that it cannot look up."""

from typing import Final

import polars as pl

from pipeline.rules.limits import Limits

LINK: Final = r"(?i)\b(?:https?://|www\.)\S+"


def fault(_limits: Limits) -> pl.Expr:
    """True for every agent turn in which no letter is left without its links.

    >>> from pipeline.turns import said
    >>> turns = said("customer: Where?", "agent: https://example.com/help", "agent: See https://example.com")
    >>> turns.select(fault(None)).to_series().to_list()
    [False, True, False]
    """
    text = pl.col("text")
    without = text.str.replace_all(LINK, "").str.contains(r"\p{L}")
    return (pl.col("role") == "agent") & text.str.contains(LINK) & ~without
