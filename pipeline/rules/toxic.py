"""An answer holds an abusive word. English only.

A short list of stems that no support answer needs; written for this rule. It flags words, not meaning: quoted abuse counts
too. Customers' turns pass, for an assistant must learn to meet them.
"""

from typing import Final

import polars as pl

from pipeline.rules.limits import Limits

ABUSE: Final = (
    r"(?i)\b(?:(?:mother)?fuck(?:ing|er|ers|ed|s|wit)?|(?:bull)?shit(?:ty|s|head)?|bitch(?:es|y)?|bastards?|assholes?|arseholes?|"
    r"cunts?|dickheads?|wankers?|whores?|sluts?|retard(?:s|ed)?|morons?|imbeciles?|idiots?|dumbass(?:es)?|"
    r"(?:go )?kill yourself|piss off|shut up|screw you)\b"
)


def fault(_limits: Limits) -> pl.Expr:
    """True for every agent turn with such a word.

    >>> from pipeline.turns import said
    >>> turns = said("customer: You idiots!", "agent: Shut up, moron.", "agent: The Scunthorpe shop is open.")
    >>> turns.select(fault(None)).to_series().to_list()
    [False, True, False]
    """
    return (pl.col("role") == "agent") & pl.col("text").str.contains(ABUSE)
