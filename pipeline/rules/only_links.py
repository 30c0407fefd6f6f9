"""An answer is nothing but links: the model would learn addresses that it cannot look up."""

from typing import Final

import polars as pl

from pipeline.rules.limits import Limits

LINK: Final = r"(?i)\[[^\]\n]{0,200}\]\(https?://[^)\s]+\)|\b(?:https?://|www\.)\S+"
POINTER: Final = (
    r"(?i)\b(?:please|see|read|check|visit|try|click|follow|refer|to|look|at|have|a|here|this|these|that|the|link|links|article|page|"
    r"guide|thread|post|below|following|out|for|more|info|information|details|it|is|and|on|you|can|find|go)\b"
)
"""Words that only point at a link. English only."""


def fault(_limits: Limits) -> pl.Expr:
    """True for every agent turn in which no letter is left without its links and the words that point at them.

    >>> from pipeline.turns import said
    >>> turns = said("customer: Where?", "agent: See here: https://example.com/help", "agent: Reset it: https://example.com")
    >>> turns.select(fault(None)).to_series().to_list()
    [False, True, False]
    """
    text = pl.col("text")
    without = text.str.replace_all(LINK, "").str.replace_all(POINTER, "").str.contains(r"\p{L}")
    return (pl.col("role") == "agent") & text.str.contains(LINK) & ~without
