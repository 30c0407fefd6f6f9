"""The text of a turn as people read it: no markup, no mojibake, no control characters, Unicode NFC."""

import re
from collections.abc import Callable
from functools import cache
from html import unescape
from html.entities import html5
from typing import Final, Literal

from pipeline.forum_markup import post_to_text, without_quotations

TextFormat = Literal["plain", "html", "escaped", "bbcode"]

_CONTROL: Final = re.compile(r"[\x00-\x08\x0b-\x1f\x7f]")
"""What an ASCII text must not hold to be left as it is: C0 controls but tab and line feed, and DEL."""

_ESCAPE: Final = re.compile(r"\x1b\[[0-9;?]*[ -/]*[@-~]")
"""Terminal escapes (ECMA-48 control sequences), whole: stripping only their first byte would leave "[31m"."""

_MARKUP: Final = re.compile(r"[<&]")
_ENTITY: Final = re.compile(r"&(?:#\d{1,7}|#[xX][0-9a-fA-F]{1,6}|[A-Za-z]{2,31});")
_TWICE: Final = re.compile(r"&amp;(?=(?:#\d{1,7}|#[xX][0-9a-fA-F]{1,6}|lt|gt|amp|quot|apos|nbsp);)")
"""An entity that was escaped once more, by the next program on the way."""
_TAG: Final = re.compile(r"<!--.*?(?:-->|\Z)|</?[A-Za-z][^<>]*>", re.DOTALL)
_QUOTING: Final = re.compile(r"<(?:cite|aside)\b|quote", re.IGNORECASE)
_BLANK_LINES: Final = re.compile(r"\n{3,}")
_TRAILING: Final = re.compile(r"[ \t\u00a0]+(?=\n)")


def clean(text: str, text_format: TextFormat = "plain") -> str:
    """The text without markup (if declared HTML or BBCode), entities (these or escaped), mojibake, controls and outer blanks.

    Plain ASCII costs next to nothing: one search for a control character. `clean(clean(t)) == clean(t)` for plain text.
    """
    if text_format == "html" and _MARKUP.search(text):
        text = html_to_text(_TWICE.sub("&", text))
    elif text_format == "escaped" and "&" in text:
        text = _ENTITY.sub(_unescaped, _TWICE.sub("&", text))
    elif text_format == "bbcode":
        text = post_to_text(_TWICE.sub("&", _without_controls(text)))
    if text.isascii():
        if _CONTROL.search(text):
            text = _without_controls(text)
        return text.strip()
    return _repairer()(_without_controls(text)).strip()


def _unescaped(entity: re.Match[str]) -> str:
    bare = entity[0][1:]
    return unescape(entity[0]).replace("\u00a0", " ") if bare[0] == "#" or bare in html5 else entity[0]


def html_to_text(markup: str) -> str:
    """What a browser would show of this HTML, line by line; images, scripts, styles and what a post quotes leave nothing."""
    text = _renderer()(_without_controls(markup))
    return _BLANK_LINES.sub("\n\n", _TRAILING.sub("", text)).strip()


def _without_controls(text: str) -> str:
    text = _ESCAPE.sub("", text).replace("\r\n", "\n").replace("\r", "\n")
    return _CONTROL.sub("", text)


@cache
def _repairer() -> Callable[[str], str]:
    import ftfy  # noqa: PLC0415  # 0.2 s, and a delivery in plain ASCII never needs it

    config = ftfy.TextFixerConfig(
        unescape_html=False,  # "&lt;" in a plain text is what the customer typed
        remove_terminal_escapes=False,  # done before, for ASCII texts too
        uncurl_quotes=False,
        fix_latin_ligatures=False,
        fix_character_width=False,
        normalization="NFC",
        explain=False,
    )
    return lambda text: ftfy.fix_text(text, config)


@cache
def _renderer() -> Callable[[str], str]:
    # brings lxml, which a delivery without HTML never needs
    from inscriptis.css_profiles import STRICT_CSS_PROFILE  # type: ignore[import-untyped]  # ships no types  # noqa: PLC0415
    from inscriptis.html_engine import Inscriptis  # type: ignore[import-untyped]  # noqa: PLC0415
    from inscriptis.model.config import ParserConfig  # type: ignore[import-untyped]  # noqa: PLC0415
    from lxml.etree import ParserError  # type: ignore[import-untyped]  # noqa: PLC0415
    from lxml.html import HTMLParser, document_fromstring  # type: ignore[import-untyped]  # noqa: PLC0415

    config = ParserConfig(css=STRICT_CSS_PROFILE)

    def render(markup: str) -> str:
        # huge_tree: without it lxml silently leaves out what is nested more than 256 deep
        parser = HTMLParser(huge_tree=True, encoding="utf-8")
        try:
            page = document_fromstring(markup.encode(), parser=parser)
            if _QUOTING.search(markup):
                without_quotations(page, markup)
            return str(Inscriptis(page, config).get_text())
        except (ParserError, RecursionError):  # no element at all, or nested deeper than Python recurses
            return unescape(_TAG.sub("", markup))

    return render
