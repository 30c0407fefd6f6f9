"""A turn was decoded with the wrong character set once: a model would learn to write `donâ€™t`.

Source: ftfy 6.3, `badness` (Speer, "ftfy", 2019): sequences that real text does not have.
"""

from typing import Final

import polars as pl

from pipeline.rules.limits import Limits

SUSPECT: Final = r"[^\x00-\x7F][^\x00-\x7F]"
"""Mojibake never is a single character beyond ASCII."""


def fault(_limits: Limits) -> pl.Expr:
    """True for every turn that ftfy calls bad.

    >>> from pipeline.turns import said
    >>> said("customer: I donâ€™t know", "agent: C'est déjà payé, 你好").select(fault(None)).to_series().to_list()
    [True, False]
    """
    return pl.col("text").map_batches(_judge, return_dtype=pl.Boolean, is_elementwise=True)


def _judge(texts: pl.Series) -> pl.Series:
    from ftfy.badness import is_bad  # noqa: PLC0415  # 0.1 s that only texts beyond ASCII are worth

    suspects = texts.str.contains(SUSPECT).fill_null(value=False)
    verdicts = iter([is_bad(text) for text in texts.filter(suspects).to_list()])
    return pl.Series([next(verdicts) if suspect else False for suspect in suspects], dtype=pl.Boolean)


def mend(text: pl.Expr) -> pl.Expr:
    r"""The text as it was meant, where ftfy can tell.

    >>> pl.select(mend(pl.lit("dÃ©jÃ\xa0 vu"))).item()
    'déjà vu'
    """
    return text.map_batches(_fix, return_dtype=pl.String, is_elementwise=True)


def _fix(texts: pl.Series) -> pl.Series:
    from ftfy import fix_encoding  # noqa: PLC0415  # as above

    suspects = texts.str.contains(SUSPECT).fill_null(value=False).to_list()
    fixed = [fix_encoding(text) if suspect else text for text, suspect in zip(texts.to_list(), suspects, strict=True)]
    return pl.Series(texts.name, fixed, dtype=pl.String)
