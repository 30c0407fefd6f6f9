"""Phrases by what a turn does, one file per language in `lexicons/`.

Coarse on purpose: shares over many answers, never a judgement of one. A language is what the column `language` says, and is
not guessed here. Where it has no file, or there is none, what is said is unknown and not "nothing of the kind".
"""

from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Final, Literal

import polars as pl
import yaml

from pipeline.errors import ParamsError

LEXICONS: Final = Path(__file__).with_name("lexicons")

Act = Literal["refusal", "scope", "escalation", "apology", "hedge", "out_of_bounds", "volatile"]


@cache
def lexicons() -> Mapping[str, Mapping[str, str]]:
    """Language (ISO 639-1) -> act -> one regular expression."""
    found = {}
    for file in sorted(LEXICONS.glob("*.yaml")):
        acts: dict[str, list[str]] = yaml.safe_load(file.read_text("utf-8"))
        found[file.stem] = {act: rf"(?i)\b(?:{'|'.join(phrases)})" for act, phrases in acts.items()}
    return found


def code(column: str = "language") -> pl.Expr:
    """The language without its region: de of de-AT; null where none is declared."""
    return pl.col(column).str.to_lowercase().str.extract(r"^([a-z]{2,3})(?:[-_]|$)")


def is_read(column: str = "language") -> pl.Expr:
    """Whether there is a lexicon of the language; false where none is declared."""
    return code(column).is_in(list(lexicons())).fill_null(value=False)


def says(act: Act, text: str = "text", language: str = "language") -> pl.Expr:
    """Whether a text does this, null where its language has no lexicon; reads the columns `text` and `language`."""
    plain = pl.col(text).str.replace_all("\N{RIGHT SINGLE QUOTATION MARK}", "'", literal=True)
    found: pl.Expr = pl.lit(None, pl.Boolean)
    for name, acts in lexicons().items():
        found = pl.when(code(language) == name).then(plain.str.contains(acts[act])).otherwise(found)
    return found


def unread(conversations: pl.DataFrame, most: float, least: int) -> str | None:
    """Why the lexicons cannot speak for these conversations; None where they can.

    Args:
        conversations: with `language`.
        most: share of them in languages without a lexicon that may be left out.
        least: how many must be in a language that has one.
    """
    if not 0 <= most <= 1:
        raise ParamsError("readiness.samples.max_unread_share: is a share from 0 to 1")
    known = conversations.filter(is_read())
    listed = ", ".join(lexicons())
    if known.height < least:
        return f"{known.height} conversations are declared to be in a language of the lexicons ({listed}); {least} are needed"
    if known.height < (1 - most) * conversations.height:
        rest = conversations.filter(~is_read()).select(code().fill_null("not declared"))["language"]
        worst = rest.value_counts().sort(["count", "language"], descending=[True, False]).row(0)
        return (
            f"{len(rest)} of {conversations.height} conversations are in no language of the lexicons ({listed}), most {worst[0]}"
        )
    return None
