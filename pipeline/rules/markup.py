"""A turn still holds HTML or BBCode: tags or character references that a reader would never see.

Source: the element names are those of the HTML Living Standard that mail and help-desk editors write; the tags of phpBB and
vBulletin. An index such as a[b] is no tag: a turn counts as BBCode when it closes a tag or gives one a value.
"""

import html
from typing import Final

import polars as pl

from pipeline.rules.limits import Limits

TAG: Final = (
    r"(?i)</?(?:a|abbr|b|blockquote|body|br|center|code|div|em|font|h[1-6]|head|hr|html|i|img|li|meta|ol|p|pre|s|small|span|"
    r"strong|style|sub|sup|table|tbody|td|th|thead|title|tr|u|ul)(?:\s[^<>]{0,500})?/?>"
)
BBCODE: Final = (
    r"b|i|u|s|url|img|code|list|olist|size|color|font|center|left|right|spoiler|table|tr|td|th|hr|email|attach|youtube|"
    r"indent|h[1-6]|sub|sup|user|icode|media|strike"
)
BBCODE_SURE: Final = (
    rf"(?i)\[/(?:{BBCODE}|quote)\]|\[(?:url|size|color|font|quote|img|attach|email|code|user|list)=[^\]\n]{{1,300}}\]"
)
REFERENCE: Final = r"&(?:[a-zA-Z]{2,8}|#\d{2,6}|#x[0-9a-fA-F]{2,5});"


def fault(_limits: Limits) -> pl.Expr:
    """True for every turn with an HTML tag, a character reference, or a BBCode tag.

    >>> from pipeline.turns import said
    >>> turns = said("customer: 3 < 4 & <me> a[b]", "agent: Hi<br/>there", "agent: Tom &amp; Ann", "agent: [b]Hi[/b]")
    >>> turns.select(fault(None)).to_series().to_list()
    [False, True, True, True]
    """
    return pl.col("text").str.contains(f"{TAG}|{REFERENCE}") | pl.col("text").str.contains(BBCODE_SURE)


def mend(text: pl.Expr) -> pl.Expr:
    r"""The text without tags, references resolved; a line break stays one, and a block of quotation goes with its tags.

    >>> pl.select(mend(pl.lit("<p>Hi<br/>Tom &amp; Ann</p>"))).item()
    'Hi\nTom & Ann'
    >>> pl.select(mend(pl.lit("[quote=jo][quote]Why?[/quote]Where?[/quote]\n[url=x]Here[/url], at a[0]."))).item()
    'Here, at a[0].'
    """
    quoted = text.str.replace_all(r"(?i)<blockquote[^>]*>", "[quote]").str.replace_all(r"(?i)</blockquote>", "[/quote]")
    lines = quoted.str.replace_all(r"(?i)<br\s*/?>|</(?:p|div|li|tr|h[1-6])>", "\n").str.replace_all(TAG, "")
    codes = pl.when(quoted.str.contains(BBCODE_SURE)).then(_without_bbcode(lines)).otherwise(lines)
    return codes.map_batches(_unescape, return_dtype=pl.String, is_elementwise=True).str.strip_chars()


def _without_bbcode(text: pl.Expr) -> pl.Expr:
    text = text.str.replace_all(
        r"(?is)\[(img|attach|youtube|media)[^\]]{0,200}\][^\[]{0,500}\[/(?:img|attach|youtube|media)\]", ""
    )
    text = text.str.replace_all(r"\[\*\]", "\n- ")
    text = text.str.replace_all(rf"(?i)\[/?(?:{BBCODE})(?:=[^\]\n]{{0,300}})?\]", "")
    for _ in range(NESTED_QUOTES):  # the innermost first
        text = text.str.replace_all(r"(?i)\[quote[^\]]{0,300}\](?:[^\[]|\[[^/qQ])*\[/quote\]", "\n")
    return text.str.replace_all(r"(?i)\[/?quote[^\]]{0,300}\]", "").str.replace_all(r"\n{3,}", "\n\n")


NESTED_QUOTES: Final = 4


def _unescape(texts: pl.Series) -> pl.Series:
    return pl.Series(texts.name, [None if text is None else html.unescape(text) for text in texts.to_list()], dtype=pl.String)
