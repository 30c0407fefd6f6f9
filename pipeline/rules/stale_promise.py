"""An answer promises what will not hold: an offer that ends, a price, a code, a date. The model would promise it again.

English phrases; amounts in the currency signs of ISO 4217's larger currencies.
"""

from typing import Final

import polars as pl

from pipeline.rules.limits import Limits

PROMISE: Final = (
    r"(?i)\b(?:promo(?:tion(?:al)?)?|discount|voucher|coupon) code\b|\b\d{1,2} ?% (?:off|discount)\b|"
    r"\b(?:valid|offer ends?|ends) "
    r"(?:until|till|on|by) (?:\d|jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec|today|tomorrow|sunday|monday|the end)|"
    r"\b(?:today only|black friday|cyber monday|limited[- ]time offer)\b|"
    r"(?:[$€£¥₹]\s?\d[\d,.]*|\b\d[\d,.]*\s?(?:€|£|usd|eur|gbp|dollars|euros))|\b20\d\d-[01]\d-[0-3]\d\b|"
    r"\b[0-3]?\d(?:st|nd|rd|th)? (?:of )?(?:january|february|march|april|june|july|august|september|october|november|december)\b|"
    r"\b(?:january|february|march|april|june|july|august|september|october|november|december) [0-3]?\d\b"
)


def fault(_limits: Limits) -> pl.Expr:
    """True for every agent turn with a price, a date, a code or an offer.

    >>> from pipeline.turns import said
    >>> turns = said("agent: Use promo code X", "agent: It costs $12.50", "agent: By March 3.", "agent: You may march on.")
    >>> turns.select(fault(None)).to_series().to_list()
    [True, True, True, False]
    """
    return (pl.col("role") == "agent") & pl.col("text").str.contains(PROMISE)
