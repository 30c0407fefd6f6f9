"""A turn still holds HTML or BBCode: tags or character references that a reader would never see.

Source: the element names are those of the HTML Living Standard that mail and help-desk editors write; the tags of phpBB and
vBulletin. An index such as a[b] is no tag: a turn counts as BBCode when it closes a tag or gives one a value,
and then only tags that open and close something are taken for tags.
"""

import html
import re
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
    return lines.map_batches(_read, return_dtype=pl.String, is_elementwise=True).str.strip_chars()


def _read(texts: pl.Series) -> pl.Series:
    read = [text if text is None else html.unescape(_without_bbcode(text)) for text in texts.to_list()]
    return pl.Series(texts.name, read, dtype=pl.String)


_SURE: Final = re.compile(BBCODE_SURE)
_TAG: Final = re.compile(
    rf"\[(?P<closes>/)?(?P<name>{BBCODE}|quote|\*)(?P<value>(?:=| [\w-]+=)[^\]\n]{{0,300}})?\]", re.IGNORECASE
)
_GO_WITH_THEIR_CONTENT: Final = {"quote": "\n", "img": "", "attach": "", "youtube": "", "media": ""}
_CODE: Final = ("code", "icode")


def _without_bbcode(text: str) -> str:
    """The text without the tags that open and close something; what looks like one in code, as in a[i], stays."""
    if not _SURE.search(text):
        return text
    lowered = text.lower()
    last_code = max(lowered.rfind(f"[/{name}]") for name in _CODE)
    has_list = "[/list]" in lowered or "[/olist]" in lowered
    cuts: list[tuple[int, int, str]] = []
    opened: dict[str, list[re.Match[str]]] = {}
    code: re.Match[str] | None = None
    for tag in _TAG.finditer(text):
        name = tag["name"].lower()
        if code and not (tag["closes"] and name == code["name"].lower()):
            continue
        code = tag if name in _CODE and not tag["closes"] and tag.start() < last_code else None
        if name == "*":
            cuts += [(*tag.span(), "\n- ")] if has_list else []
        elif not tag["closes"]:
            is_index = not tag["value"] and text[max(0, tag.start() - 1) : tag.start()].isalnum()
            opened.setdefault(f"{name}[]" if is_index else name, []).append(tag)
        else:
            begin = (opened.get(name) or opened.get(f"{name}[]") or [tag]).pop()
            if name in _GO_WITH_THEIR_CONTENT:
                cuts.append((begin.start(), tag.end(), _GO_WITH_THEIR_CONTENT[name]))
            else:
                cuts += [(*begin.span(), ""), (*tag.span(), "")]
    never_closed = (tag for tags in opened.values() for tag in tags)
    cuts += [(*tag.span(), "") for tag in never_closed if tag["value"] or tag["name"].lower() in ("quote", "hr")]
    pieces, place = [], 0
    for start, end, instead in sorted(cuts, key=lambda cut: (cut[0], -cut[1])):
        if start >= place:
            pieces += [text[place:start], instead]
            place = end
    return re.sub(r"\n{3,}", "\n\n", "".join([*pieces, text[place:]]))
