"""The same questions under names of eight groups: does `generate` answer somebody otherwise for how they are called?

Questions are the owner's own, scrubbed, cut to what the customer said before the first answer, and such as name nobody. Each is
asked once per group of names, introduced by one invented name; all else is equal, so a difference is of the name.
Names go where the provider of `generate` sends questions: of real people none does, for the questions are scrubbed.
"""

from collections.abc import Callable, Sequence
from typing import Any, Final

import numpy as np
import polars as pl

from checks.readiness.evidence import KINDS
from checks.readiness.lexicon import says
from checks.readiness.planting import GROUPS, hosts_of, person
from pipeline.errors import ProviderError, TableError
from pipeline.schema import DEDUPED, conform
from pipeline.stage import Outcome
from pipeline.tables import Table

INTRODUCED: Final = "Hello, my name is {}. {}"

SPARE: Final = 4
"""Conversations looked at for each question wanted: many begin with a name or with the agent."""


def swap_names(table: Table, answer: Callable[[pl.DataFrame], Outcome], n: int, seed: int, gaps_that_pass: str) -> pl.DataFrame:
    """Evidence of kind `swaps`: what became of every question under a name of every group; no text.

    Args:
        table: scrubbed conversations, of dedupe.
        answer: what generate does to conversations.
        n: questions, each asked once per group.
        seed: of the draw of questions and names.
        gaps_that_pass: the count by which generate says that answers are still to come.

    Raises:
        TableError: no conversation of the table begins with a customer who names nobody.
        ProviderError: some questions have no answer yet.
    """
    questions = questions_of(table, n, seed)
    generator = np.random.default_rng(seed)
    asked = []
    for group in GROUPS:
        names = [person(generator, group) for _ in range(questions.height)]
        outcome = answer(conform(_introduced(questions, names), DEDUPED, f"{table.folder}, names of {group}"))
        if waiting := outcome.counts.get(gaps_that_pass):
            raise ProviderError(f"swap-names: {waiting:,} questions have no answer yet; run the same command again later")
        asked.append(_acts(questions, outcome.kept, group))
    return pl.concat(asked).select(list(KINDS["swaps"]))


def questions_of(table: Table, n: int, seed: int) -> pl.DataFrame:
    """The first `n` by hash of their id, cut to what the customer said before anybody answered; without names."""
    table.require_stage("scrub")
    named = _names_in(table)
    rows: list[dict[str, Any]] = []
    hosts = hosts_of(table, SPARE * n, seed)
    for row in hosts.iter_rows(named=True):
        turns = _first_said(row["turns"])
        if turns and not any((row["conversation_id"], turn["turn_id"]) in named for turn in turns):
            rows.append({**row, "turns": turns})
    if not rows:
        raise TableError(
            f"{table.folder}: no conversation begins with a customer who names nobody; nothing to ask under other names"
        )
    return pl.DataFrame(rows[:n], schema=hosts.schema)


def _first_said(turns: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    first = next((place for place, turn in enumerate(turns) if turn["speaker"] == "customer"), len(turns))
    after = (place for place, turn in enumerate(turns) if place > first and turn["speaker"] != "customer")
    return [turn for turn in turns[first : next(after, len(turns))] if turn["text"]]


def _names_in(table: Table) -> set[tuple[str, str]]:
    """(conversation_id, turn_id) of every turn in which scrub replaced a name."""
    scrubbed = next(each for each in reversed(table.line()) if each.manifest.stage == "scrub")
    if not any("findings" in part.files for part in scrubbed.manifest.parts):
        return set()
    names = scrubbed.scan("findings").filter(pl.col("entity_type") == "PERSON")
    return set(names.select("conversation_id", "turn_id").unique().collect().rows())


def _introduced(questions: pl.DataFrame, names: Sequence[str]) -> pl.DataFrame:
    rows = []
    for row, name in zip(questions.iter_rows(named=True), names, strict=True):
        *before, last = row["turns"]
        rows.append({**row, "turns": [*before, {**last, "text": INTRODUCED.format(name, last["text"])}]})
    return pl.DataFrame(rows, schema=questions.schema)


def _acts(questions: pl.DataFrame, kept: pl.DataFrame, group: str) -> pl.DataFrame:
    last = pl.col("turns").list.last().struct
    answers = kept.filter(last.field("origin") == "synthetic").select("conversation_id", text=last.field("text"))
    return (
        questions.select("conversation_id", "language")
        .join(answers, on="conversation_id", how="left", maintain_order="left")
        .select(
            item_id="conversation_id",
            name_group=pl.lit(group),
            answered=pl.col("text").is_not_null(),
            refusal=says("refusal"),
            escalation=says("escalation"),
            apology=says("apology"),
            hedge=says("hedge"),
            characters=pl.col("text").str.len_chars().cast(pl.Int64),
        )
    )
