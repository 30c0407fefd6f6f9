"""A turn ends with what a forum or a mail program wrote below it: who edited it, a signature, a plea for kudos, attachments.

Source: the notices of phpBB, vBulletin, Khoros, Discourse and Tapatalk; "-- " is the signature line of RFC 3676. English only.
"""

from typing import Final

import polars as pl

from pipeline.rules.limits import Limits

WHEN: Final = r"[^\n]{0,80}(?:\d|today|yesterday|ago)[^\n]{0,120}"
MONTH: Final = r"(?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]*"
DAY: Final = (
    rf"(?:on |at )?(?:{MONTH} \d|\d{{1,2}} {MONTH}\b|(?:mon|tue|wed|thu|fri|sat|sun)[a-z]*\b"
    r"|\d{1,4}[/.-]\d|\d+ \w+ ago|today|yesterday)"
)
PLEA: Final = r"\b(?:kudos?|thumbs?[- ]up|likes?|solution|solved|answer|upvote|vote|rate|rating|stars?|heart|helpful)\b"
NOTICE: Final = (
    r"(?im)^[ \t\[(*_]*(?:"
    rf"(?:this (?:post |message )?|post |message )?(?:was )?last edited (?:by|\d+ times?){WHEN}|"
    rf"(?:this )?(?:post |message )(?:was )?edited (?:by|\d+ times?){WHEN}|"
    rf"edited by \S{{1,40}}(?: \S{{1,40}}){{0,2}}?[ ,;:(-]+{DAY}[^\n]{{0,120}}|edited[ \t]*[\])*_]{{1,3}}|"
    r"sent from my (?:\S+ ){0,3}"
    r"(?:iphone|ipad|android|phone|mobile|tablet|device|smartphone|galaxy|pixel|samsung|blackberry)\b"
    r"(?: (?:[a-z]?\d+\w*|pro|plus|max|mini|ultra|phone|device|smartphone|tablet))*"
    r"(?:[ ,.;-]+(?:using|via|with|running|please|pls|excuse|pardon|sorry|apologies|forgive)\b[^\n]{0,60})?[.!]?|"
    r"sent (?:from|using|via) tapatalk[^\n]{0,60}|sent from my [^\n]{1,40} (?:using|via) tapatalk[^\n]{0,60}|"
    r"(?:if|when) (?:my|this|the) (?:post|reply|answer|comment|response|info(?:rmation)?) (?:has |was )?"
    rf"(?:helped|helps|helpful|useful|solved|answered|resolved)(?:[^\n.;!]{{0,100}}{PLEA}[^\n.;!]{{0,60}}[.!]* ?){{1,2}}|"
    r"(?:please |kindly )?(?:mark|accept|tick|click|hit)(?: on)?(?: (?:it|this|that|my|the|post|reply|answer|comment|response))*"
    r"[ \"'“]+(?:(?:as|accept(?:ed)?(?: as)?) (?:a |an |the )?(?:accepted )?solution|as (?:the )?(?:best|accepted) answer)"
    r"[^\n.;]{0,80}[.!]*|"
    r"(?:please )?(?:give|leave|click|hit)(?: (?:me|us|a|some|the|on))* (?:kudos?|thumbs[- ]up)\b"
    r"(?:,? (?:if|when|to (?:say|show|thank)|for|below|button|please)\b[^\n.;]{0,80})?[.!]*|"
    r"attachments?:[ \t]*\n(?:[^\n]+\.[a-z0-9]{2,4}\b[^\n]{0,60}(?:\n|\z))+"
    r")[ \t\])*_]*$"
)
SIGNATURE: Final = r"(?:\A|\n)-- [ \t]*(?:\n[^\n]{0,200}){1,6}\z|\n(?:--|_{5,})[ \t]*(?:\n(?:[^\n]{0,99}[^\n.:;])?){1,4}\z"
"""Below a bare line, which also parts what belongs together, only lines that are no sentences are one."""


def fault(_limits: Limits) -> pl.Expr:
    r"""True for every turn with such a line, or a short last part below the line of a signature.

    >>> from pipeline.turns import said
    >>> turns = said("customer: Edited by hand?", "agent: Yes.\n\nEdited by jo on Jan 5", "agent: Yes.\n-- \nJo")
    >>> turns.select(fault(None)).to_series().to_list()
    [False, True, True]
    """
    text = pl.col("text")
    return text.str.contains(NOTICE) | text.str.contains(SIGNATURE)


def mend(text: pl.Expr) -> pl.Expr:
    r"""The text without them.

    >>> pl.select(mend(pl.lit("Hold the button.\n\nSent from my phone\n-- \nJo\nIf my post helped, give kudos"))).item()
    'Hold the button.'
    """
    return text.str.replace(SIGNATURE, "").str.replace_all(NOTICE, "").str.strip_chars()
