"""Posts as forum software stores them: BBCode, and HTML among it, read as a reader sees them.

Source: the element names are those of the HTML Living Standard that mail and help-desk editors write; the tags of phpBB (with the
unique ids it puts into them, `[b:2x8s9d]`), vBulletin, XenForo and MyBB. An index such as a[b] is no tag: a text counts as BBCode
when it closes a tag or gives one a value, and then only tags that open and close something are taken for tags.
"""

import html
import re
from typing import Any, Final

ELEMENT: Final = (
    r"(?i)</?(?:a|abbr|b|blockquote|body|br|center|code|div|em|font|h[1-6]|head|hr|html|i|img|li|meta|ol|p|pre|s|small|span|"
    r"strong|style|sub|sup|table|tbody|td|th|thead|title|tr|u|ul)(?:\s[^<>]{0,500})?/?>"
)
REFERENCE: Final = r"&(?:[a-zA-Z]{2,8}|#\d{2,6}|#x[0-9a-fA-F]{2,5});"
_NAMES: Final = (
    r"b|i|u|s|url|img|code|list|olist|size|color|font|center|left|right|spoiler|table|tr|td|th|hr|email|attach|attachment|youtube|"
    r"indent|h[1-6]|sub|sup|user|mention|icode|php|noparse|highlight|media|video|strike"
)
_UID: Final = r"(?::[0-9a-z]{1,10}){0,2}"
BBCODE: Final = (
    rf"(?i)\[/(?:{_NAMES}|quote){_UID}\]|"
    r"\[(?:url|size|color|font|quote|img|attach|attachment|email|code|user|mention|list)=[^\]\n]{1,300}\]"
)
"""What only BBCode has."""

STORED: Final = re.compile(r"<([rt])>.*</\1>", re.DOTALL)
"""A post as phpBB since 3.2 and Flarum store it (s9e TextFormatter): all markup is XML, whose signs the author's never are."""

_MARKUP: Final = re.compile(r"</?[A-Za-z][\w:-]*(?:\s[^<>]*)?/?>")
_SURE: Final = re.compile(BBCODE)
_MARKED: Final = re.compile(f"{BBCODE}|<|{REFERENCE}")
_TAG: Final = re.compile(
    rf"\[(?P<closes>/)?(?P<name>{_NAMES}|quote|\*)(?P<value>(?:=| [\w-]+=)[^\]\n]{{0,300}})?{_UID}\]", re.IGNORECASE
)
_GO_WITH_THEIR_CONTENT: Final = {
    "quote": "\n",
    "img": "",
    "attach": "",
    "attachment": "",
    "youtube": "",
    "media": "",
    "video": "",
}
_CODE: Final = ("code", "icode", "php", "noparse", "highlight")
_ELEMENT: Final = re.compile(ELEMENT)
_REFERENCE: Final = re.compile(REFERENCE)
_COMMENT: Final = re.compile(r"<!--.{0,200}?-->")
_QUOTATION: Final = re.compile(r"<(?:(/)(?:blockquote|aside)\s*|blockquote[^<>]*|aside(?=[^<>]*\bquote\b)[^<>]*)>", re.IGNORECASE)
_QUOTED: Final = frozenset(
    {
        *("bbCodeBlock--quote", "bbCodeQuote"),  # XenForo 2 and 1
        *("bbcode_quote", "quotecontent", "quotetitle"),  # vBulletin, phpBB before 3.2
        *("bbc_standard_quote", "bbc_alternate_quote", "quoteheader", "quotefooter"),  # SMF
        *("ipsQuote", "ipsBlockquote", "mycode_quote", "uncited"),  # Invision, MyBB, phpBB
    }
)
"""Classes of elements that hold what others wrote; a blockquote without any may be the author's own choice of words."""
_BREAK: Final = re.compile(r"<br\s*/?>\n?|</(?:p|div|li|tr|h[1-6])>", re.IGNORECASE)
_BLANK_LINES: Final = re.compile(r"\n{3,}")


def post_to_text(text: str) -> str:
    r"""The text without tags, references resolved; a line break stays one, and a quotation goes with its tags.

    >>> post_to_text("<p>Hi<br/>Tom &amp; Ann</p>")
    'Hi\nTom & Ann'
    >>> post_to_text("[quote=jo][quote]Why?[/quote]Where?[/quote]\n[url=x]Here[/url], at a[0].")
    'Here, at a[0].'
    >>> post_to_text("[quote=&quot;jo&quot;:2x8s9d]Why?[/quote:2x8s9d]See [b:2x8s9d]below[/b:2x8s9d]: if x[i]: y[b]")
    'See below: if x[i]: y[b]'
    """
    if not _MARKED.search(text):
        return text
    if STORED.fullmatch(text):
        text = _MARKUP.sub("", _BREAK.sub("\n", text))
    quoted = _QUOTATION.sub(r"[\1quote]", _COMMENT.sub("", text))
    bare = _without_bbcode(_ELEMENT.sub("", _BREAK.sub("\n", quoted)))
    return _REFERENCE.sub(lambda each: html.unescape(each[0]).replace("\u00a0", " "), bare).strip()


def _without_bbcode(text: str) -> str:
    """The text without the tags that open and close something; what looks like one in code, as in a[i], stays."""
    if not _SURE.search(text):
        return text
    lowered = text.lower()
    last_code = max(lowered.rfind(f"[/{name}") for name in _CODE)
    has_list = "[/list" in lowered or "[/olist" in lowered
    cuts: list[tuple[int, int, str]] = []
    opened: dict[str, list[re.Match[str]]] = {}
    code: re.Match[str] | None = None
    for tag in _TAG.finditer(text):
        name = tag["name"].lower()
        if code and not (tag["closes"] and name == code["name"].lower()):
            continue
        code = tag if name in _CODE and not tag["closes"] and tag.start() < last_code else None
        if name == "*":
            cuts += [(*tag.span(), "" if tag["closes"] else "\n- ")] if has_list else []
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
    return _BLANK_LINES.sub("\n\n", "".join([*pieces, text[place:]]))


def without_quotations(page: Any, markup: str) -> None:
    """Take out of a post, parsed from this markup, what others wrote: quotations, and previews of pages but for their addresses.

    Discourse has them in `<aside class="quote">` and `<aside class="onebox" data-onebox-src="...">`; phpBB begins a quotation
    with `<cite>`. Where elements of a kind are not all closed, a parser makes the rest of the post theirs, and they stay.
    """
    for element in [*page.iter(*(tag for tag in ("aside", "blockquote", "div") if _are_closed(tag, markup)))]:
        if element.getparent() is None:
            continue
        classes = set(element.get("class", "").split())
        if element.tag == "aside" and "onebox" in classes:
            if link := element.get("data-onebox-src"):
                element.tail = f"{link}{element.tail or ''}"
                element.drop_tree()
        elif (element.tag == "aside" and "quote" in classes) or classes & _QUOTED or _is_cited(element):
            element.drop_tree()


def _are_closed(tag: str, markup: str) -> bool:
    opened, closed = (len(re.findall(rf"<{slash}{tag}\b", markup, re.IGNORECASE)) for slash in ("", "/"))
    return opened <= closed


def _is_cited(element: Any) -> bool:
    first = next(iter(element), None)
    inner = next(iter(first), None) if first is not None and first.tag == "div" else first
    return element.tag == "blockquote" and inner is not None and inner.tag == "cite" and ":" in inner.text_content()
