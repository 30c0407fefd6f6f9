"""No answer of the conversation has more than a word or two: it teaches a model to be curt."""

import polars as pl

from pipeline.rules.limits import Limits


def fault(limits: Limits) -> pl.Expr:
    """True for every turn of a conversation whose longest answer has fewer than `min_answer_words` words.

    >>> from pipeline.turns import said
    >>> [said("customer: Sure?", f"agent: {answer}").select(fault(Limits.model_construct(min_answer_words=3))).to_series()[0]
    ...  for answer in ("Yes.", "Yes, it is.")]
    [True, False]
    """
    words = pl.col("text").str.count_matches(r"\w+(?:[-'\x{2019}]\w+)*")
    return words.filter(pl.col("role") == "agent").max().over("row") < limits.min_answer_words
