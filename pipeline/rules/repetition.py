"""A turn says the same few words over and over.

Source: the share of distinct words falls so low in no prose; the idea is that of Rae et al., "Gopher", 2021, table A1.
"""

from typing import Final

import polars as pl

from pipeline.rules.limits import Limits

ENOUGH_CHARACTERS: Final = 200


def fault(limits: Limits) -> pl.Expr:
    """True for every long turn with a share of distinct words below `min_distinct_word_share`.

    >>> from pipeline.turns import said
    >>> turns = said("customer: " + "please help me " * 30, "agent: no no no")
    >>> turns.select(fault(Limits.model_construct(min_distinct_word_share=0.2))).to_series().to_list()
    [True, False]
    """
    text = pl.when(pl.col("text").str.len_chars() >= ENOUGH_CHARACTERS).then(pl.col("text").str.to_lowercase())
    words = text.str.extract_all(r"\w+")
    return (words.list.n_unique() / words.list.len() < limits.min_distinct_word_share).fill_null(value=False)
