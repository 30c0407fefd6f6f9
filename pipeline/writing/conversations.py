"""Validated conversations as emit takes them: turns with roles, and the look-ups with the answers they were made for."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple

import polars as pl

from pipeline.writing.chat import LookUp, Turn


class Conversation(NamedTuple):
    """What emit reads of one conversation."""

    conversation_id: str
    cluster_id: str
    language: str | None
    opened_at: datetime | None
    product: str | None
    csat: float | None
    tokens: int
    synthetic: bool
    edits: list[str]
    flags: list[str]
    turns: list[Turn]
    """What was said, look-ups with the answers they were made for."""
    turn_ids: list[str]
    """Of all turns, as are speakers and origins."""
    speakers: list[str]
    origins: list[str]
    generations: dict[str, Any]
    """turn_id -> how it was generated."""
    knowledge: Sequence[str]
    """Ids of the passages that stand below its system text."""


def conversations_of(frame: pl.DataFrame) -> Iterator[Conversation]:
    """The conversations of a validated table, each as the turns of an example."""
    fields = frame.select(
        "conversation_id",
        "cluster_id",
        "language",
        "opened_at",
        "product",
        pl.col("outcome").struct.field("csat"),
        "tokens",
        "synthetic",
        "edits",
        "flags",
        *(
            pl.col("turns").list.eval(pl.element().struct.field(name)).alias(name)
            for name in ("turn_id", "speaker", "text", "origin")
        ),
    )
    generations, calls = _generations(frame), _calls(frame)
    for *plain, ids, speakers, texts, origins in fields.iter_rows():
        turns = [
            Turn(turn_id, "user" if speaker == "customer" else "assistant", text, speaker != "bot")
            for turn_id, speaker, text in zip(ids, speakers, texts, strict=True)
            if speaker != "tool"
        ]
        if plain[0] in calls:
            turns = list(_with_look_ups(turns, ids, speakers, texts, calls[plain[0]]))
        yield Conversation._make([*plain, turns, ids, speakers, origins, generations.get(plain[0], {}), ()])


def _with_look_ups(
    turns: Sequence[Turn], ids: Sequence[str], speakers: Sequence[str], texts: Sequence[str], calls: Mapping[str, Any]
) -> Iterator[Turn]:
    """The turns, each answer with the look-ups that stand before it; those that no answer follows have no place in a row."""
    left = iter(turns)
    waiting: list[LookUp] = []
    for turn_id, speaker, text in zip(ids, speakers, texts, strict=True):
        if speaker == "tool":
            call = calls[turn_id] or {"name": "look_up", "arguments": []}
            arguments = [(each["name"], each["value"]) for each in call["arguments"] or ()]
            waiting.append(LookUp(turn_id, call["name"], arguments, text))
            continue
        turn = next(left)
        if turn.role == "assistant":
            yield turn._replace(look_ups=tuple(waiting)) if waiting else turn
            waiting = []
        else:
            yield turn


def _calls(frame: pl.DataFrame) -> dict[str, dict[str, Any]]:
    """conversation_id -> turn_id -> what was asked, of the conversations with look-ups."""
    found: dict[str, dict[str, Any]] = {}
    has_tools = pl.col("turns").list.eval(pl.element().struct.field("speaker") == "tool").list.any()
    turns = frame.filter(has_tools).select("conversation_id", "turns").explode("turns").unnest("turns").filter(speaker="tool")
    for name, turn_id, call in turns.select("conversation_id", "turn_id", "call").iter_rows():
        found.setdefault(name, {})[turn_id] = call
    return found


def _generations(frame: pl.DataFrame) -> dict[str, dict[str, Any]]:
    """conversation_id -> turn_id -> provenance, of the few that have any: reading it everywhere would cost more than all."""
    found: dict[str, dict[str, Any]] = {}
    synthetic = frame.filter("synthetic").select("conversation_id", "turns").explode("turns").unnest("turns")
    for name, turn_id, generation in synthetic.select("conversation_id", "turn_id", "generation").drop_nulls().iter_rows():
        found.setdefault(name, {})[turn_id] = generation
    return found
