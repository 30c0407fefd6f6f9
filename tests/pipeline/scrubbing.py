"""What tests of scrub share: the shipped params, one analyzer for the whole session, an ingested table on disk."""

from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any, Final

import polars as pl

from pipeline.finding import Lists, Look
from pipeline.params import load_section
from pipeline.schema import INGESTED
from pipeline.scrub import ScrubParams, make_look, scrub
from pipeline.spans import Span
from pipeline.stage import Outcome
from pipeline.tables import Table, new_table
from tests.build import KEY, conversation, conversations

ROOT: Final = Path(__file__).parents[2]
SHIPPED: Final = load_section(ScrubParams, "scrub", [ROOT / "params.yaml"])
NO_LISTS: Final = Lists()
PATTERNS: Final = SHIPPED.model_copy(update={"models": []})


@cache
def look() -> Look:
    """The shipped recognizers without a model."""
    return make_look(PATTERNS)


def spans(text: str) -> list[Span]:
    return look()([text])[0]


def found(text: str, entity_type: str) -> list[str]:
    """What a type of finding covers in a text."""
    return [text[span.start : span.end] for span in spans(text) if span.entity_type == entity_type]


def person(name: str, kind: str = "PERSON", role: str = "customer") -> dict[str, str]:
    return {"person": f"{role}-key", "role": role, "kind": kind, "value": name}


def ingested(*rows: dict[str, Any]) -> pl.DataFrame:
    """Conversations with the columns that only the ingested table has."""
    return conversations([{"native_id": str(row["source_row"]), "participants": [], **row} for row in rows], INGESTED)


def talk(*texts: str, number: int = 1, **more: Any) -> dict[str, Any]:
    return conversation(number, *texts, **more)


def scrubbed(*rows: dict[str, Any], lists: Lists = NO_LISTS, **params: Any) -> Outcome:
    changed = PATTERNS.model_copy(update=params)
    return scrub(ingested(*rows), changed, look(), KEY, lists)


def texts(outcome: Outcome, row: int = 0) -> list[str]:
    return [turn["text"] for turn in outcome.kept["turns"].to_list()[row]]


def ingested_table(folder: Path, parts: Sequence[pl.DataFrame]) -> Table:
    with new_table(folder, "ingest", "test", given=None) as writer:
        made = [
            writer.write(f"part-{number:05d}", {"rows": frame.hash_rows().sum().__str__() + str(number)}, Outcome(kept=frame))
            for number, frame in enumerate(parts)
        ]
        writer.publish(made)
    return Table(folder)
