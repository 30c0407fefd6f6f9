"""A turn holds control characters, or characters that turn or hide text; tokenizers spell them out and models repeat them.

Source: Unicode 17 categories Cc and the bidirectional controls of UAX 9; joiners stay, for emoji and several scripts need
them.
"""

from typing import Final

import polars as pl

from pipeline.rules.limits import Limits

CONTROL: Final = r"[\x00-\x08\x0B\x0C\x0E-\x1F\x7F-\x9F\u00AD\u061C\u200B\u200E\u200F\u202A-\u202E\u2060\u2066-\u2069\uFEFF]"


def fault(_limits: Limits) -> pl.Expr:
    r"""True for every turn with a control, an invisible or a direction-turning character; line breaks and tabs are none.

    >>> from pipeline.turns import said
    >>> said("customer: a\tb\n", "agent: a\x00b", "customer: \u200bhi").select(fault(None)).to_series().to_list()
    [False, True, True]
    """
    return pl.col("text").str.contains(CONTROL)


def mend(text: pl.Expr) -> pl.Expr:
    r"""The text without them.

    >>> pl.select(mend(pl.lit("a\x00b\u202e"))).item()
    'ab'
    """
    return text.str.replace_all(CONTROL, "")
