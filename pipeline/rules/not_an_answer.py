"""An answer that answers nothing: a post that pushes the thread up, agrees, thanks, was removed, or moves to a private message.

Source: what people write in support forums. English only.
"""

from typing import Final

import polars as pl

from pipeline.rules.limits import Limits

FILLER: Final = (
    r"(?i)\A[\W_]*(?:"
    r"bump(?:ing)?(?: this)?(?: up)?|up|solved|resolved|fixed|closed|following|subscribed|nvm|never ?mind|"
    r"(?:\+ ?1|me too|same)(?:[\W_]+(?:same|here|problem|issue|for me|me too|as well|too|exact))*"
    r"(?:,? any (?:news|update|fix|solution)s?)?|"
    r"any (?:news|updates?|fix|solution|luck)(?: on this| yet)?|"
    r"(?:many )?(?:thanks|thank you|thx|ty|cheers)(?: (?:so|very) much| a lot| again)?|"
    r"(?:solved|resolved|fixed)[\W_]+(?:thanks|thank you|thx)|"
    r"(?:comment |post |message )?(?:deleted|removed)(?: by (?:a |the )?[\w ]{2,30})?|"
    r"this (?:post|message|comment|reply) (?:has been|was) (?:deleted|removed|hidden)[^\n]{0,80}|"
    r"(?:i(?:'ve| have)? (?:just )?(?:sent|send) you|please (?:check|see) your|check your) (?:a )?"
    r"(?:private message|direct message|pm|dm|inbox)s?[^\n]{0,80}|"
    r"(?:pm|dm) sent"
    r")[\W_]*\z"
)


def fault(_limits: Limits) -> pl.Expr:
    """True for every agent turn that is such a post and nothing else.

    >>> from pipeline.turns import said
    >>> turns = said("customer: Bump", "agent: +1 same here", "agent: [SOLVED] thanks", "agent: A bump on the door is insured.")
    >>> turns.select(fault(None)).to_series().to_list()
    [False, True, True, False]
    """
    return (pl.col("role") == "agent") & pl.col("text").str.contains(FILLER)
