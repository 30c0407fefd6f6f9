"""Judge every conversation by the rules on the shelf: mend what can be mended, drop with a reason what cannot."""

from pathlib import Path
from typing import Final, Literal

import polars as pl
from pydantic import field_validator

from pipeline.params import Section
from pipeline.parts import Means, Transform, map_table
from pipeline.rules import MENDS, RULES, misplaced_look_up
from pipeline.rules.limits import Limits
from pipeline.schema import DROPPED, EDITS, GENERATED, VALIDATED, conform
from pipeline.stage import Outcome
from pipeline.tables import Manifest, Table
from pipeline.tokens import TOKENS_PER_MESSAGE, TOKENS_PER_REPLY, count_tokens
from pipeline.turns import WRITTEN, flatten, gather

Then = Literal["drop", "cut", "move", "merge", "mend", "flag", "ignore"]

BOUND: Final = {"merge": "same_speaker_run", "move": "misplaced_look_up"}
"""Consequences that only one rule can have."""


class ValidateParams(Section):
    """What to do about each fault, and the numbers that faults are judged by."""

    encoding: Literal["o200k_base", "cl100k_base"]
    """Vocabulary that tokens are counted in."""

    merge_separator: str
    """Stands between the texts of turns that become one."""

    rules: dict[str, Then]
    """Fault -> what follows, in the order in which the rules act, so the first fault of a conversation is its reason.

    drop the conversation; cut the turn at fault; move it to where it belongs (misplaced_look_up only); merge it into the turn
    before (same_speaker_run only); mend its text (where the rule knows how); flag the conversation in the column `flags`; ignore.
    """

    limits: Limits
    """The numbers that rules judge by."""

    @field_validator("rules")
    @classmethod
    def _known(cls, rules: dict[str, Then]) -> dict[str, Then]:
        for rule, then in rules.items():
            if rule not in RULES:
                raise ValueError(f"no rule {rule!r}; there are {', '.join(RULES)}")
            if then in BOUND and rule != BOUND[then]:
                raise ValueError(f"{rule} cannot {then}; only {BOUND[then]} can")
            if then == "mend" and rule not in MENDS:
                raise ValueError(f"{rule} cannot mend; those that can are {', '.join(MENDS) or 'none'}")
        return rules


def validate(conversations: pl.DataFrame, params: ValidateParams) -> Outcome:
    """Let the rules act on each conversation, in the order of the params.

    Args:
        conversations: `generated`, one row per conversation; reads conversation_id and turns.
        params: what follows from each fault.
    Returns:
        kept: the same columns with the edited turns; `tokens`, `synthetic`,
            `edits`, the rules that changed it; `flags`, the rules it broke without consequence.
        dropped: reason = the first fault, detail = the first turn at fault; `no_answer` when no turn is left.
        beside: `edits`, one row per turn that was cut, moved, merged or mended.
    """
    conversations = conform(conversations, GENERATED, "validate")
    turns = flatten(conversations)
    faults = [pl.DataFrame(schema={"row": turns.schema["row"], "reason": pl.String, "detail": pl.String})]
    flags = [pl.DataFrame(schema={"row": turns.schema["row"], "flag": pl.String})]
    edits = [pl.DataFrame(schema={"row": turns.schema["row"], "turn_id": pl.String, "edit": pl.String, "detail": pl.String})]
    for rule, then in params.rules.items():
        if then == "ignore":
            continue
        fault = RULES[rule](params.limits)
        if "tokens" in fault.meta.root_names():
            turns = _with_tokens(turns, params.encoding)
        turns = turns.with_columns(fault=fault.fill_null(value=False))
        at_fault = turns.filter("fault")
        if at_fault.is_empty():
            continue
        if then == "drop":
            first = at_fault.group_by("row", maintain_order=True).agg(detail=pl.col("turn_id").first())
            faults.append(first.select("row", reason=pl.lit(rule), detail="detail"))
            turns = turns.join(first, on="row", how="anti", maintain_order="left")
        elif then == "flag":
            flags.append(at_fault.select("row", flag=pl.lit(rule)).unique())
        else:
            edits.append(at_fault.select("row", "turn_id", edit=pl.lit(then), detail=pl.lit(rule)))
            turns = _edit(turns, rule, then, params.merge_separator)
    return _assemble(conversations, _with_tokens(turns, params.encoding), *map(pl.concat, (faults, flags, edits)))


def _with_tokens(turns: pl.DataFrame, encoding: str) -> pl.DataFrame:
    return (
        turns
        if "tokens" in turns.columns
        else turns.with_columns(tokens=count_tokens(turns.select(WRITTEN).to_series(), encoding))
    )


def _edit(turns: pl.DataFrame, rule: str, then: Then, separator: str) -> pl.DataFrame:
    if then == "cut":
        return turns.filter(~pl.col("fault"))
    if then == "move":
        return misplaced_look_up.move(turns)
    if then == "merge":
        return merge_runs(turns, separator)
    mended = pl.when("fault").then(MENDS[rule](pl.col("text"))).otherwise("text")
    return turns.with_columns(text=mended, origin=pl.when("fault").then(pl.lit("edited")).otherwise("origin")).drop(
        "tokens", strict=False
    )


def merge_runs(turns: pl.DataFrame, separator: str) -> pl.DataFrame:
    """Make one turn of every turn and those after it that are at `fault`, their texts joined.

    It is called, timed and signed as the first of them. Words stay who said them: the origin stays human or synthetic when
    all are; a mix is "edited", and keeps how its synthetic part was generated.
    """
    touched = turns.filter(pl.col("fault").any().over("row"))
    others = turns.filter(~pl.col("fault").any().over("row")).drop("tokens", strict=False)
    merged = (
        touched.with_columns(run=(~pl.col("fault")).cum_sum())
        .group_by("row", "run", maintain_order=True)
        .agg(
            pl.col("language", "turn_id", "sent_at", "author_key", "call", "role").first(),
            speaker=pl.when((pl.col("speaker") == "agent").any()).then(pl.lit("agent")).otherwise(pl.col("speaker").first()),
            text=pl.col("text").str.join(separator),
            origin=pl.when(pl.col("origin").n_unique() == 1).then(pl.col("origin").first()).otherwise(pl.lit("edited")),
            generation=pl.col("generation").drop_nulls().first(),
            fault=pl.lit(value=False),
        )
        .select(others.columns)
    )
    return pl.concat([others, merged]).sort("row", maintain_order=True)


def _assemble(
    conversations: pl.DataFrame, turns: pl.DataFrame, faults: pl.DataFrame, flags: pl.DataFrame, edits: pl.DataFrame
) -> Outcome:
    rows = conversations.select("conversation_id").with_row_index("row")
    chats = gather(turns).join(
        turns.group_by("row").agg(
            tokens=(pl.col("tokens") + TOKENS_PER_MESSAGE).sum() + TOKENS_PER_REPLY,
            synthetic=((pl.col("origin") == "synthetic") | pl.col("generation").is_not_null()).any(),
        ),
        on="row",
    )
    emptied = rows.join(chats, on="row", how="anti").join(faults, on="row", how="anti")
    faults = pl.concat([faults, emptied.select("row", reason=pl.lit("no_answer"), detail=pl.lit("no turn left"))])
    kept = (
        conversations.drop("turns")
        .with_row_index("row")
        .join(chats, on="row", how="inner", maintain_order="left")
        .join(_names(edits, "detail", "edits"), on="row", how="left", maintain_order="left")
        .join(_names(flags, "flag", "flags"), on="row", how="left", maintain_order="left")
        .with_columns(pl.col("edits", "flags").fill_null([]))
    )
    written = edits.join(kept.select("row", "conversation_id"), on="row", how="inner", maintain_order="left").sort(
        "row", maintain_order=True
    )
    return Outcome(
        kept=conform(kept.drop("row").select(list(VALIDATED)), VALIDATED, "validated"),
        dropped=rows.join(faults, on="row", how="inner").sort("row").select(list(DROPPED)),
        beside={"edits": written.select(list(EDITS))},
        counts={
            **{f"edit_{rule}": count for rule, count in written.group_by("detail").len().rows()},
            **{f"flag_{rule}": count for rule, count in kept.explode("flags").drop_nulls("flags").group_by("flags").len().rows()},
        },
    )


def _names(frame: pl.DataFrame, column: str, name: str) -> pl.DataFrame:
    return frame.group_by("row").agg(pl.col(column).unique().sort().alias(name))


def prepare(params: ValidateParams) -> Transform:
    """The transform of one part."""
    return lambda conversations: validate(conversations, params)


def run(source: Path, target: Path, params: ValidateParams, means: Means) -> Manifest:
    """Judge each conversation by the rules: trim, merge, mend, or drop it with the reason.

    ticketmill validate data/curated/generated data/curated/validated
    """
    return map_table(
        Table(source),
        target,
        stage="validate",
        fingerprint=params.fingerprint(*params.rules),  # the order of the rules decides the reason of a drop
        prepare=prepare,
        arguments=(params,),
        workers=means.workers,
        progress=means.progress,
    )
