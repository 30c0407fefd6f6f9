"""A turn ends with a paragraph that its author also set below other turns of the conversation: a signature without a line above.

Forum software of many kinds pastes it below every post: "Ryzen 5, 32 GB, Mint 21", "Regards, Jo. Volunteer, not staff".
"""

from typing import Final

import polars as pl

from pipeline.rules.limits import Limits

LAST: Final = r"\n[ \t]*\n[ \t]*((?:[^\n]{1,200}\n){0,3}[^\n]{1,200}[^\n.!?:\s])\s*\z"
"""The last paragraph below another, of at most four lines; a sentence is none, whoever says it again means it."""

CODE: Final = r"[`{}<>\[\]=;]"
"""In no signature that we saw, and at the end of much code."""

ENOUGH: Final = 3
"""Turns of one author that end alike: twice is said twice, as thanks are."""


def fault(_limits: Limits) -> pl.Expr:
    r"""True for every turn whose last paragraph ends three or more turns of its author in the conversation.

    >>> from pipeline.turns import said
    >>> signed = [f"agent: {text}\n\nJo\nVolunteer, not staff" for text in ("Try this.", "Then that.", "At last.")]
    >>> told = ["bot: Hm.\n\nPlease send me the number."] * 3
    >>> turns = said("customer: Help!\n\nThanks", *signed, "customer: It works.\n\nThanks", *told)
    >>> by = turns.with_columns(author_key=pl.col("speaker"))
    >>> by.select(fault(None)).to_series().to_list()
    [False, True, True, True, False, False, False, False]
    """
    last = pl.col("text").str.extract(LAST)
    may_be_one = last.is_not_null() & ~last.str.contains(CODE) & pl.col("author_key").is_not_null()
    return may_be_one & (pl.len().over("row", "author_key", last) >= ENOUGH)


def mend(text: pl.Expr) -> pl.Expr:
    r"""The text without its last paragraph.

    >>> pl.select(mend(pl.lit("Try this.\n\nJo\nVolunteer, not staff\n"))).item()
    'Try this.'
    """
    return text.str.replace(LAST, "").str.strip_chars_end()
