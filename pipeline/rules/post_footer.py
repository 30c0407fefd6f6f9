"""A turn ends with what a forum or a mail program wrote below it: who edited it, a signature, a plea for kudos, attachments.

Source: the notices of phpBB, vBulletin, Khoros, Discourse and Tapatalk; "-- " is the signature line of RFC 3676. English only.
"""

from typing import Final

import polars as pl

from pipeline.rules.limits import Limits

WHEN: Final = r"[^\n]{0,80}(?:\d|today|yesterday|ago)[^\n]{0,120}"
NOTICE: Final = (
    r"(?im)^[ \t\[(*_]*(?:"
    rf"(?:this )?(?:post |message )?(?:was )?(?:last )?edited (?:by|\d+ times?){WHEN}|edited[ \t]*[\])*_]{{1,3}}|"
    r"sent from my (?:\S+ ){0,3}"
    r"(?:iphone|ipad|android|phone|mobile|tablet|device|smartphone|galaxy|pixel|samsung|blackberry)\b[^\n]{0,60}|"
    r"sent (?:from|using|via) tapatalk[^\n]{0,60}|"
    r"(?:if|when) (?:my|this|the) (?:post|reply|answer|comment|response|info(?:rmation)?) (?:has |was )?"
    r"(?:helped|helps|helpful|useful|solved|answered|resolved)[^\n]{0,200}|"
    r"(?:please )?(?:mark|accept|tick|click)[^\n]{0,60}"
    r"(?:(?:as|accept(?:ed)?) (?:a |an |the )?(?:accepted )?solution|as (?:the )?best answer)[^\n]{0,120}|"
    r"(?:please )?(?:give|leave|click|hit)(?: (?:me|us|a|some|the|on))* (?:kudos?|thumbs[- ]up)\b[^\n]{0,120}|"
    r"attachments?:[ \t]*\n(?:[^\n]+\.[a-z0-9]{2,4}\b[^\n]{0,60}(?:\n|\z))+"
    r")[ \t\])*_]*$"
)
SIGNATURE: Final = r"(?:\A|\n)(?:-- ?|_{5,})[ \t]*(?:\n[^\n]{0,200}){1,6}\z"


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
