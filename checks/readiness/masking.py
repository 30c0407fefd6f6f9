"""Texts without what differs from use to use: stand-ins of scrub and volatile values give way to their kind."""

import re
from collections.abc import Mapping
from typing import Final

import polars as pl

from pipeline.tables import Part, Table

KINDS: Final = (
    (r"\b[\w.+%-]+@[\w-]+(?:\.[\w-]+)+\b", "<EMAIL>"),
    (r"\bhttps?://\S+|\bwww\.\S+", "<URL>"),
    (r"\$\{[^}]{1,80}\}|\{\{[^}]{1,80}\}\}", "<SLOT>"),
    (r"\b[A-Za-z]*\d[\w:,./-]*", "<NUMBER>"),
)
"""What differs between two uses of one template besides the surrogates; the last one also takes dates, times and ids."""


def mask(texts: pl.Series) -> pl.Series:
    """Put the kind of a volatile value in its place.

    >>> mask(pl.Series(["Order AB-12 left at 9:30, see https://example.com/x"])).to_list()
    ['Order AB-<NUMBER> left at <NUMBER> see <URL>']
    """
    for pattern, kind in KINDS:
        texts = texts.str.replace_all(pattern, kind)
    return texts


def said(turn: pl.Expr) -> pl.Expr:
    """The text of a turn; of a look-up what was asked, which is exported too, and under it what came back."""
    call, text = turn.struct.field("call"), turn.struct.field("text").fill_null("")
    pair = pl.concat_str(pl.element().struct.field("name"), pl.lit(": "), pl.element().struct.field("value"), ignore_nulls=True)
    asked = pl.concat_str(
        call.struct.field("name"),
        call.struct.field("arguments").list.eval(pair).list.join(", "),
        separator=" ",
        ignore_nulls=True,
    )
    return pl.when(call.is_not_null()).then(pl.concat_str(asked, text, separator="\n")).otherwise(text)


def replace(text: str, values: Mapping[str, str]) -> str:
    """The text with what scrub wrote (value -> <KIND>, longest first) as its kind."""
    for value, kind in values.items():
        text = text.replace(value, kind)
    return text


WORD: Final = re.compile(r"<\w+>|[^\W_]+(?:['\u2019][^\W_]+)?")


def words_of(text: str) -> list[str]:
    """Lower-case words; the kind of a masked value is a word of its own.

    >>> words_of("It's <NUMBER> days!")
    ["it's", '<number>', 'days']
    """
    return WORD.findall(text.lower())


def read_surrogates(line: Mapping[str, Table], chosen: set[str]) -> tuple[dict[str, frozenset[str]], dict[str, dict[str, str]]]:
    """Per conversation: what scrub wrote, lower-case; and the same as text -> <KIND>, longest first."""
    scrubbed = line.get("scrub")
    values: dict[str, dict[str, str]] = {}
    if scrubbed is None:
        return {}, values
    for part in scrubbed.manifest.parts:
        values |= {one: known for one, known in surrogates_of(scrubbed, part).items() if one in chosen}
    return {one: frozenset(value.lower() for value in known) for one, known in values.items()}, values


def surrogates_of(scrubbed: Table, part: Part) -> dict[str, dict[str, str]]:
    """Per conversation of one part: what scrub wrote -> <KIND>, longest first."""
    values: dict[str, dict[str, str]] = {}
    if not part.rows.get("findings"):
        return values
    findings = scrubbed.read(part, "findings", ["conversation_id", "turn_id", "entity_type", "new_start", "new_end"])
    turns = (
        scrubbed.read(part, columns=["conversation_id", "turns"])
        .explode("turns")
        .select("conversation_id", pl.col("turns").struct.field("turn_id"), pl.col("turns").struct.field("text"))
    )
    written = (
        findings.join(turns, on=["conversation_id", "turn_id"], how="inner")
        .with_columns(value=pl.col("text").str.slice(pl.col("new_start"), pl.col("new_end") - pl.col("new_start")))
        .filter(pl.col("value").str.len_chars() > 1)
        .select("conversation_id", "value", "entity_type")
        .unique()
        .sort("conversation_id", pl.col("value").str.len_chars(), "value", descending=[False, True, False])
    )
    for conversation, value, kind in written.iter_rows():
        values.setdefault(conversation, {}).setdefault(value, f"<{kind}>")
    return values
