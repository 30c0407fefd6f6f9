"""Conversations for tests: small, invented, and typed as the tables are."""

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import polars as pl

from pipeline.key import Key
from pipeline.parts import Means
from pipeline.schema import CONVERSATION

KEY: Final = Key(b"0123456789abcdef0123456789abcdef")
MEANS: Final = Means(key=KEY)
NOON: Final = datetime(2026, 1, 5, 12, tzinfo=UTC)


def turn(speaker: str, text: str, number: int = 0, **more: Any) -> dict[str, Any]:
    """One turn; minutes after noon follow its number."""
    return {
        "turn_id": f"t{number}",
        "speaker": speaker,
        "text": text,
        "sent_at": NOON + timedelta(minutes=number),
        "author_key": f"{speaker}-key",
        "origin": "human",
        "generation": None,
        "call": None,
        **more,
    }


def conversation(number: int, *texts: str, **more: Any) -> dict[str, Any]:
    """Conversation `c<number>`: customer and agent take turns, the customer first; "agent: ..." names a speaker."""
    turns = []
    for position, text in enumerate(texts):
        named, colon, rest = text.partition(": ")
        if colon and named in {"customer", "agent", "bot", "tool"}:
            turns.append(turn(named, rest, position))
        else:
            turns.append(turn("agent" if position % 2 else "customer", text, position))
    return {
        "conversation_id": f"desk-{number:016x}",
        "source": "desk",
        "source_file": "desk/log.jsonl",
        "source_row": number,
        "opened_at": NOON + timedelta(days=number),
        "channel": "chat",
        "language": "en",
        "product": None,
        "topics": [],
        "customer_key": f"customer-{number}",
        "outcome": {"resolved": None, "csat": None, "reopened": None},
        "turns": turns,
        **more,
    }


def conversations(
    rows: Iterable[Mapping[str, Any]], columns: Mapping[str, pl.DataType | type[pl.DataType]] = CONVERSATION
) -> pl.DataFrame:
    """A frame of these conversations, typed as the table of a stage is."""
    return pl.DataFrame(list(rows), schema=dict(columns))
