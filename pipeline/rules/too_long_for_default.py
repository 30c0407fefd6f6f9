"""The first answer stands behind the place where trainers cut unless told otherwise: nothing of the row would be trained.

Source: TRL 1.9 `SFTConfig.max_length` 1024 with truncation at the end (trl/trainer/sft_config.py, read November 2026).
"""

import polars as pl

from pipeline.rules.limits import Limits
from pipeline.tokens import TOKENS_PER_MESSAGE


def fault(limits: Limits) -> pl.Expr:
    """True for every turn of a conversation whose first answer begins behind `default_cut_tokens`; reads `tokens`.

    >>> from pipeline.turns import said
    >>> turns = said("customer: a very long question", "agent: Yes.").with_columns(tokens=pl.Series([900, 2]))
    >>> [turns.select(fault(Limits.model_construct(default_cut_tokens=cut))).to_series()[0] for cut in (512, 1024)]
    [True, False]
    """
    spent = (pl.col("tokens") + TOKENS_PER_MESSAGE).cum_sum().over("row") - pl.col("tokens")
    first_answer = spent.filter(pl.col("role") == "agent").first().over("row")
    return first_answer >= limits.default_cut_tokens
