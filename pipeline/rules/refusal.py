"""An answer in which a language model speaks of itself or declines: it was generated, and teaches to decline.

Source: the phrases that refusal filters of open instruction sets look for (for example Vicuna's and WizardLM's "unfiltered"
clean-ups, 2023). English only.
"""

from typing import Final

import polars as pl

from pipeline.rules.limits import Limits

REFUSAL: Final = (
    r"(?i)\bas an? (?:ai|artificial intelligence|(?:large )?language model)\b|"
    r"\bi(?:'m| am) (?:just )?an? (?:ai|language model)\b|"
    r"\bmy (?:knowledge cut-?off|training data)\b|"
    r"\bi (?:cannot|can't|can not) (?:fulfil+|comply with) (?:this|that|your) request\b|"
    r"\bi(?:'m| am) sorry,? but i (?:cannot|can't|can not) (?:assist|help) with that\b|"
    r"\bi(?:'m| am) (?:unable|not able) to (?:assist|help) (?:you )?with that request\b"
)


def fault(_limits: Limits) -> pl.Expr:
    """True for every agent turn with such a phrase.

    >>> from pipeline.turns import said
    >>> turns = said("customer: Hi", "agent: As an AI language model, I do not know.", "agent: I cannot see it yet.")
    >>> turns.select(fault(None)).to_series().to_list()
    [False, True, False]
    """
    return (pl.col("role") == "agent") & pl.col("text").str.contains(REFUSAL)
