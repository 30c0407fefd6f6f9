"""A turn still holds HTML or BBCode: tags or character references that a reader would never see."""

import polars as pl

from pipeline.forum_markup import BBCODE, ELEMENT, REFERENCE, post_to_text
from pipeline.rules.limits import Limits


def fault(_limits: Limits) -> pl.Expr:
    """True for every turn with an HTML tag, a character reference, or a BBCode tag.

    >>> from pipeline.turns import said
    >>> turns = said("customer: 3 < 4 & <me> a[b]", "agent: Hi<br/>there", "agent: Tom &amp; Ann", "agent: [b]Hi[/b]")
    >>> turns.select(fault(None)).to_series().to_list()
    [False, True, True, True]
    """
    return pl.col("text").str.contains(f"{ELEMENT}|{REFERENCE}") | pl.col("text").str.contains(BBCODE)


def mend(text: pl.Expr) -> pl.Expr:
    r"""The text without tags, references resolved; a line break stays one, and a block of quotation goes with its tags.

    >>> pl.select(mend(pl.lit("<p>Hi<br/>Tom &amp; Ann</p>"))).item()
    'Hi\nTom & Ann'
    """
    return text.map_batches(_read, return_dtype=pl.String, is_elementwise=True)


def _read(texts: pl.Series) -> pl.Series:
    return pl.Series(texts.name, [each if each is None else post_to_text(each) for each in texts], dtype=pl.String)
