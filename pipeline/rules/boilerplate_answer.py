"""An answer that an autoresponder sends to everybody.

Source: the default texts of Zendesk's and Freshdesk's "notify requester of received request" triggers, and RFC 3834's
definition of an automatic response.
"""

from typing import Final

import polars as pl

from pipeline.rules.limits import Limits

BOILERPLATE: Final = (
    r"(?i)your (?:request|message|e-?mail|ticket|inquiry|enquiry) \S{0,20}\s?(?:has been|was) received|"
    r"we(?: have|'ve) received your (?:request|message|e-?mail|ticket|inquiry|enquiry)|"
    r"this is an auto(?:mated|matic)(?:ally generated)? (?:reply|response|message|e-?mail)|"
    r"please do not (?:reply|respond) to this (?:message|e-?mail)|"
    r"i am (?:currently )?out of (?:the )?office|to add additional comments, reply to this email"
)


def fault(_limits: Limits) -> pl.Expr:
    """True for every agent turn that an autoresponder would say.

    >>> from pipeline.turns import said
    >>> turns = said("customer: We've received your message?", "agent: We have received your request.", "agent: It left.")
    >>> turns.select(fault(None)).to_series().to_list()
    [False, True, False]
    """
    return (pl.col("role") == "agent") & pl.col("text").str.contains(BOILERPLATE)
