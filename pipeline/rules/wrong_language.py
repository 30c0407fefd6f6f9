"""A conversation is in a language that the params do not name.

Read from the export where it says so, else guessed over the conversation by py3langid (Lui and Baldwin, "langid.py", ACL
2012; its model comes in the wheel). Short conversations pass: a guess over a few words is a coin.
"""

from collections.abc import Callable
from typing import Final

import polars as pl

from pipeline.rules.limits import Limits

ENOUGH_CHARACTERS: Final = 60
READ_CHARACTERS: Final = 400
"""A guess does not improve beyond."""


def fault(limits: Limits) -> pl.Expr:
    """True for every turn of a conversation that is in none of the `languages`; reads the column `language`.

    >>> from pipeline.turns import said
    >>> german = "Guten Tag, ich warte seit drei Wochen auf mein Paket und niemand antwortet mir am Telefon."
    >>> turns = said(f"customer: {german}", "agent: Wir prüfen das.")
    >>> [turns.select(fault(Limits.model_construct(languages=[wanted]))).to_series()[0] for wanted in ("en", "de")]
    [True, False]
    """
    declared = pl.col("language").str.to_lowercase().str.extract(r"^([a-z]{2,3})(?:[-_]|$)")
    start = pl.col("text").str.slice(0, READ_CHARACTERS).str.join(" ").over("row").str.slice(0, READ_CHARACTERS)
    unknown = pl.when(pl.col("row").is_first_distinct() & declared.is_null()).then(start)
    guessed = unknown.map_batches(_judge(frozenset(limits.languages)), return_dtype=pl.Boolean, is_elementwise=True)
    return pl.coalesce(~declared.is_in(limits.languages), guessed.any().over("row"))


def _judge(wanted: frozenset[str]) -> Callable[[pl.Series], pl.Series]:
    def judge(texts: pl.Series) -> pl.Series:
        # 0.5 s, and only this rule needs it; ships no types
        from py3langid import langid  # type: ignore[import-untyped]  # noqa: PLC0415

        others = [
            text is not None and len(text) >= ENOUGH_CHARACTERS and langid.classify(text)[0] not in wanted
            for text in texts.to_list()
        ]
        return pl.Series(texts.name, others, dtype=pl.Boolean)

    return judge
