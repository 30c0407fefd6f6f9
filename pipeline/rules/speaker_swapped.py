"""A customer speaks like support, or the other way round: the export took one for the other.

Judged by phrases that only one of them says; English.
"""

from typing import Final

import polars as pl

from pipeline.rules.limits import Limits

AGENT_SAYS: Final = (
    r"(?i)\b(?:how (?:can|may) i (?:help|assist) you|thank you for (?:contacting|calling|reaching out to) (?:us|our)|"
    r"is there anything else i can (?:help|assist|do))"
)
CUSTOMER_SAYS: Final = (
    r"(?i)\b(?:i (?:want|would like|need) (?:a|my) refund|where is my (?:order|parcel|package)|cancel my (?:order|account))\b"
)


def fault(_limits: Limits) -> pl.Expr:
    """True for every customer turn with a phrase of agents, and every agent turn that only asks what customers ask.

    >>> from pipeline.turns import said
    >>> turns = said("customer: Hello, how may I help you?", "agent: I want a refund!", "customer: ok")
    >>> turns.select(fault(None)).to_series().to_list()
    [True, True, False]
    """
    asks = pl.col("text").str.contains(CUSTOMER_SAYS) & ~pl.col("text").str.contains(r"(?i)\byou(?:r|rs)?\b")
    return (
        pl.when(pl.col("role") == "customer")
        .then(pl.col("text").str.contains(AGENT_SAYS))
        .otherwise((pl.col("role") == "agent") & asks)
    )
