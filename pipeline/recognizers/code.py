"""What in a text is code, a version, a path or a measure; so which texts are technical, and which lines a program wrote."""

import re
from bisect import bisect_right
from collections.abc import Sequence
from functools import cached_property
from typing import Final

from pipeline.spans import Span
from pipeline.trade import TECHNOLOGIES

UNITS: Final = r"(?i:[kmgt]i?b(?:it|ps|/s)?|[kmg]?hz|rpm|fps|px|dpi|dbm|mah|[nmck]m|kg|psi|bits?|bytes?|[munp][fs])"
VERSION: Final = r"(?<![\d.])(?!\d\d?\.\d\d?\.(?:\d\d){1,2}(?!\d)|\d{3}\.\d{3}\.\d{4}(?!\d))\d{1,4}\.\d{1,3}\.\d"
"""And no date or telephone number."""

_ENDINGS: Final = (
    r"(?:py|js|ts|c|h|cc|cpp|hpp|java|class|jar|go|rs|rb|pl|php|sh|bat|ps1|conf|cfg|ini|log|so|dll|exe|sys|xml|json|ya?ml|toml|html?"
    r"|css|sql|txt|md|gz|zip|iso|img|bin|hex|mkv|mp[34]|avi|png|jpe?g|gif|pdf|deb|rpm|apk)"
)
_TAGS: Final = r"body|button|class|code|form|head|html|input|link|meta|script|style|svg|table|td|tr"
_OF_PROSE: Final = r"(?!(?:a|b|blockquote|br|del|div|em|font|h\d|hr|i|img|li|ol|p|s|small|span|strong|sub|sup|u|ul)\b)"
"""No tag that formats what somebody wrote."""

_CODE: Final = re.compile(
    r"\w\(\)|\b[a-z_][\w.]*\((?!e?s\))[^\s\d]|\b(?:self|this|sys|os)\.[a-z_]|`|__[a-z]|\[['\"]|\A[=|]\Z|\A\.[a-z]{2,}"  # calls
    r"|\A(?=\w+[A-Z\d])[A-Z\d]\w{2,30}[+-]{1,2}[,;]?\Z"  # flags of a device
    r"|\w\[\w*\]|\w::\w|->|=>|[=!<>+*-]=|&&|\|\||\+\+|\$\{?\w|[^\w\s.];\Z|[\d_];\Z|\\\w"  # operators, marks
    r"|\A[{}][;,)]?\Z|[\w)]\{|\}[;)]"  # braces, but those of JSON
    rf"|</{_OF_PROSE}[a-z]|<{_OF_PROSE}[a-z][\w-]*/?>|<(?:{_TAGS})\b"  # tags
    r"|\A(?:elif|endif|sudo|apt-get|#include|#define|grep|chmod|npm|stderr|stdout)\Z"
    r"|\A--[a-z][\w-]*|\A-(?:[a-zA-Z]|[a-z]{2,4})\Z|\A[a-z_]+="  # options, settings
    r"|\A[\"'(]?(?:~|\.{1,2})?/[\w.+-]+/|\A[\"']?[A-Za-z]:\\|[a-z_][\w.+-]*/[\w.+-]+/|\A[a-z]{2,}/\Z"  # paths
    rf"|\w\.{_ENDINGS}\b"  # files
    r"|\A(?:[a-z]\w*\.){2,}[A-Za-z]\w+(?<!\.(?:com|org|net|edu))(?<!\.info)(?<!\.[a-z]{2})\b(?!@)"  # packages, and no hosts
    r"|\b0x[0-9a-fA-F]{2,}|\b(?=[0-9a-f]*[a-f])(?=[0-9a-f]*\d)[0-9a-f]{7,}\b|\b[0-9A-Fa-f]{2}(?:[:-][0-9A-Fa-f]{2}){5}\b"
    r"|\b[0-9a-f]{4}:[0-9a-f]{4}\b|\A[0-9a-f]{2}:[0-9a-f]{2}\.\d"  # addresses, hashes, devices on a bus
    rf"|{VERSION}|\b\d+(?:\.\d+)?(?:{UNITS}|[uµmk]?[VWAFk])\b|\b\d{{3,5}}x\d{{3,5}}\b"  # versions, measures
    r"|\b[a-z]\w*:\d{2,5}\b|\b\d{3,5}:\d{2,5}\b|\A[\[(]\s*\d+\.\d+\]?|\d\d:\d\d:\d\d[.,]\d{3}",  # ports, times of a log
)
"""In a word that only code, a log or a data sheet has."""

_PERHAPS: Final = re.compile(r"[a-z]+(?:_[a-z]+)+\b|[a-z]{2,}[A-Z][a-z]+\w*\b")
"""A word of code, or what somebody calls himself: `next_page`, `kite_runner`."""

LONGEST: Final = 200
"""Characters of a word that are looked at: a word may be a whole file in base 64."""

_FEW: Final = 3
"""Words of code that make a text technical, however long it is."""

_SHARE: Final = 0.15
"""Of the words of a shorter text."""

_FEW_OF_A_LINE: Final = 2
_SHARE_OF_A_LINE: Final = 0.3
_MOST_OF_A_LINE: Final = 0.6
"""Words of code that make a line the output of a program: with hardly a word of prose, with some."""

_PROSE: Final = re.compile(r"\b(?:the|a|an|is|was|are|it|i|you|we|my|in|on|of|to|and|but|for|with)\b", re.IGNORECASE)
"""Words of which a line that a program wrote seldom has two."""

_FENCE: Final = re.compile(r"^[> \t]*(?:`{3,}|~{3}(?!~))", re.MULTILINE)
"""Before and after code; more tildes are a ruler above a signature."""

_LEVEL: Final = r"(?:ERROR|WARN(?:ING)?|INFO|DEBUG|FATAL|TRACE)\b"
_LOGGED: Final = re.compile(
    r"[> \t]*(?:\[\s*\d+\.\d+\]"  # seconds since the machine started
    r"|[A-Z][a-z]{2}\s+\d{1,2} \d\d:\d\d:\d\d \S+ \S+:"  # RFC 3164
    rf"|(?:[\W\d]|\b[TZ]\b){{0,40}}{_LEVEL}[]:\s]|.{{0,40}}\b{_LEVEL}[]:]"
    r"|[\w.-]+@[\w.-]+:[^\s#$]{0,80}[#$]\s|[$#] [a-z])"  # what was typed
)
_LINK: Final = re.compile(r"(?:https?://|www\.|mailto:)\S+|[\w.+-]+@[\w.-]+|\A\W{4,}\Z", re.IGNORECASE)
"""Web and mail addresses, and rulers: prose has them too."""

_AROUND: Final = ".,;:!?()[]\"'*_"
_CHUNK: Final = re.compile(r"\S+")
WORD: Final = re.compile(r"[^\W_]+(?:['’][^\W\d_]+)*")  # noqa: RUF001  # the apostrophe people type
_SCRIPT_OR_HOST: Final = re.compile(r"\W*(?:[\w-]+\.)+[a-z]{2,4}(?:\([^()]*\)?)?\W*", re.IGNORECASE)


class Text:
    """A text whose words are told apart when somebody asks."""

    def __init__(self, text: str) -> None:
        self.text = text

    @cached_property
    def chunks(self) -> list[tuple[int, int, bool]]:
        """Start and end of what stands between blanks, and whether it is code."""
        return [
            (*match.span(), _CODE.search(_LINK.sub("", match.group()[:LONGEST])) is not None)
            for match in _CHUNK.finditer(self.text)
        ]

    @cached_property
    def is_technical(self) -> bool:
        """Whether it has many such words, of two that may be none one; so with technologies."""
        if len(_FENCE.findall(self.text)) > 1:
            return True
        code = sum(is_code or 0.5 * self._may_be_code(start, end) for start, end, is_code in self.chunks)
        return code >= _FEW or code > _SHARE * len(self.chunks)

    def _may_be_code(self, start: int, end: int) -> bool:
        chunk = self.text[start : min(end, start + LONGEST)]
        return _PERHAPS.match(chunk) is not None or chunk.strip(_AROUND).casefold() in TECHNOLOGIES

    @cached_property
    def has_code(self) -> bool:
        """Whether it is technical for more than words that may be hosts: `kowalski.pl` is a script or somebody's site."""
        return self.is_technical and any(
            is_code and not _SCRIPT_OR_HOST.fullmatch(self.text, start, end) for start, end, is_code in self.chunks
        )

    def is_code(self, span: Span) -> bool:
        """Whether everything of a find stands in words of code."""
        return all(is_code for start, end, is_code in self.chunks if start < span.end and span.start < end)

    @cached_property
    def output(self) -> list[tuple[int, int]]:
        """Lines that a program wrote: start and end."""
        found, fenced, at = [], False, 0
        fences = len(_FENCE.findall(self.text)) // 2 * 2  # one that nothing closes is none
        chunks = iter([*self.chunks, (len(self.text) + 1, 0, False)])
        chunk = next(chunks)
        for line in self.text.splitlines(keepends=True):
            end = at + len(line)
            code = []
            while chunk[0] < end:
                code.append(chunk[2])
                chunk = next(chunks)
            if fences and _FENCE.match(line):
                fenced, fences = not fenced, fences - 1
            elif fenced or _LOGGED.match(line) or (sum(code) >= _FEW_OF_A_LINE and _is_mostly_code(line, code)):
                found.append((at, end))
            at = end
        return found

    def is_output(self, span: Span) -> bool:
        """Whether a find stands in such a line."""
        at = bisect_right(self.output, (span.start, len(self.text))) - 1
        return at >= 0 and span.start < self.output[at][1]

    @cached_property
    def lower_words(self) -> frozenset[str]:
        """Its words in lower case."""
        return frozenset(word for word in WORD.findall(self.text) if word.islower())


def _is_mostly_code(line: str, code: Sequence[bool]) -> bool:
    share = sum(code) / len(code)
    return share >= _MOST_OF_A_LINE or (share >= _SHARE_OF_A_LINE and len(_PROSE.findall(line)) < _FEW_OF_A_LINE)
