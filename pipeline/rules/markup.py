"""A turn still holds HTML: tags or character references that a reader would never see.

Source: the element names are those of the HTML Living Standard that mail and help-desk editors write.
"""

import html
from typing import Final

import polars as pl

from pipeline.rules.limits import Limits

TAG: Final = (
    r"(?i)</?(?:a|abbr|b|blockquote|body|br|center|code|div|em|font|h[1-6]|head|hr|html|i|img|li|meta|ol|p|pre|s|small|span|"
    r"strong|style|sub|sup|table|tbody|td|th|thead|title|tr|u|ul)(?:\s[^<>]{0,500})?/?>"
)
REFERENCE: Final = r"&(?:[a-zA-Z]{2,8}|#\d{2,6}|#x[0-9a-fA-F]{2,5});"


def fault(_limits: Limits) -> pl.Expr:
    """True for every turn with an HTML tag or a character reference.

    >>> from pipeline.turns import said
    >>> turns = said("customer: 3 < 4 & <me>", "agent: Hi<br/>there", "agent: Tom &amp; Ann")
    >>> turns.select(fault(None)).to_series().to_list()
    [False, True, True]
    """
    return pl.col("text").str.contains(f"{TAG}|{REFERENCE}")


def mend(text: pl.Expr) -> pl.Expr:
    r"""The text without tags, references resolved; a line break stays one.

    >>> pl.select(mend(pl.lit("<p>Hi<br/>Tom &amp; Ann</p>"))).item()
    'Hi\nTom & Ann'
    """
    lines = text.str.replace_all(r"(?i)<br\s*/?>|</(?:p|div|li|tr|h[1-6])>", "\n").str.replace_all(TAG, "")
    return lines.map_batches(_unescape, return_dtype=pl.String, is_elementwise=True).str.strip_chars()


def _unescape(texts: pl.Series) -> pl.Series:
    return pl.Series(texts.name, [None if text is None else html.unescape(text) for text in texts.to_list()], dtype=pl.String)
