"""HTML mails as text in which quotations are marked as plain mail marks them: "> " before each line.

What clients put around a quotation: Gmail `div.gmail_quote`, Apple Mail and Thunderbird `blockquote[type=cite]`, Yahoo
`.yahoo_quoted`, Proton `.protonmail_quote`, Outlook on the web `#divRplyFwdMsg`; a border at the left of a blockquote
elsewhere. A blockquote without any of these is an indented paragraph and stays text.
"""

import re
from functools import cache
from typing import Any, Final

from pipeline.text import html_to_text

_QUOTES: Final = (
    "//blockquote[@type='cite' or contains(@class,'quote') or contains(translate(@style,' ',''),'border-left')]"
    "|//*[contains(@class,'yahoo_quoted') or contains(@class,'protonmail_quote') or contains(@class,'tutanota_quote')]"
)
_SIGNATURES: Final = (
    "//*[contains(@class,'gmail_signature') or @data-smartmail='gmail_signature' or contains(@class,'moz-signature')"
    " or contains(@class,'protonmail_signature_block') or @id='Signature' or @id='ms-outlook-mobile-signature'"
    " or @id='AppleMailSignature']"
)
_HAS_MARKUP: Final = re.compile(r"quote|signature|Signature|border-left|cite", re.IGNORECASE)
_OPEN, _CLOSE = "\ue000", "\ue001"
_HELD: Final = re.compile(f"{_OPEN}(\\d+){_CLOSE}")


def mail_to_text(markup: str) -> str:
    """The mail as plain text, its quotations marked by "> ", without what is marked as a signature."""
    if not _HAS_MARKUP.search(markup):
        return html_to_text(markup)
    tree = _parsed(markup.replace(_OPEN, "").replace(_CLOSE, ""))
    if tree is None:
        return html_to_text(markup)
    for signature in tree.xpath(_SIGNATURES):
        _replace(signature, "")
    held: list[str] = []
    for quote in tree.xpath(_QUOTES):
        if any(parent.get("data-held") for parent in quote.iterancestors()):
            continue
        quote.set("data-held", "1")
    for quote in tree.xpath("//*[@data-held]"):
        text = html_to_text(_serialised(quote))
        held.append("\n".join(f"> {line}".rstrip() for line in text.split("\n")))
        _replace(quote, f"{_OPEN}{len(held) - 1}{_CLOSE}")
    text = html_to_text(_serialised(tree))
    return _HELD.sub(lambda match: f"\n{held[int(match[1])]}\n", text).strip()


def _replace(element: Any, text: str) -> None:
    from lxml.html import Element  # type: ignore[import-untyped]  # ships no types  # noqa: PLC0415  # as in pipeline.text

    parent = element.getparent()
    if parent is None:
        return
    stand_in = Element("div")
    stand_in.text = text
    stand_in.tail, element.tail = element.tail, None
    parent.replace(element, stand_in)


def _serialised(tree: Any) -> str:
    from lxml.html import tostring  # noqa: PLC0415  # as in pipeline.text

    return str(tostring(tree, encoding="unicode", with_tail=False))


@cache
def _parser() -> Any:
    from lxml.html import HTMLParser  # noqa: PLC0415  # as in pipeline.text

    return HTMLParser(huge_tree=True, encoding="utf-8")


def _parsed(markup: str) -> Any:
    from lxml.etree import ParserError  # type: ignore[import-untyped]  # ships no types  # noqa: PLC0415  # as in pipeline.text
    from lxml.html import document_fromstring  # noqa: PLC0415  # as in pipeline.text

    try:
        return document_fromstring(markup.encode("utf-8", "replace"), parser=_parser())
    except (ParserError, RecursionError, ValueError):
        return None
