"""Columns of every table. Lists and structs, never JSON strings; time is UTC in microseconds."""

from collections.abc import Mapping
from typing import Final

import polars as pl

from pipeline.errors import SchemaError

SCHEMA_VERSION: Final = 3

TIME: Final = pl.Datetime("us", "UTC")

GENERATION: Final = pl.Struct(
    {
        "provider": pl.String,
        "model": pl.String,
        "prompt_version": pl.String,
        "grounding": pl.List(pl.Struct({"id": pl.String, "score": pl.Float64})),
    }
)
"""How a synthetic turn came to be; null for what people wrote. `grounding`: what the answer rests on, best first."""

CALL: Final = pl.Struct(
    {"name": pl.String, "arguments": pl.List(pl.Struct({"name": pl.String, "value": pl.String}))},
)
"""What an agent asked a tool; the text of the same turn is what came back, so no call is without its result. Its id is the
turn's."""

TURN: Final = pl.Struct(
    {
        "turn_id": pl.String,
        "speaker": pl.String,
        "text": pl.String,
        "sent_at": TIME,
        "author_key": pl.String,
        "origin": pl.String,
        "generation": GENERATION,
        "call": CALL,
    }
)
"""`speaker`: customer, agent, bot or tool. `call` is null for all but look-ups, turns of the speaker `tool`.

`origin`, who made it: human, a person in this conversation; macro, a person for every such conversation, where the help desk
marks the use of a prepared answer; synthetic, a model; paraphrase, a model that put a person's question into other words;
boundary, whoever made up a conversation that nobody had; edited, several of them, or a rule that mended it.
"""

OUTCOME: Final = pl.Struct({"resolved": pl.Boolean, "csat": pl.Float64, "reopened": pl.Boolean})
"""`csat` is a share in [0, 1], 1 = fully satisfied; each field is null where the source does not say."""

PARTICIPANT: Final = pl.Struct({"person": pl.String, "role": pl.String, "kind": pl.String, "value": pl.String})
"""One value the export itself states about somebody: `person` ties the values of one human together (the author_key
where known), `role` is customer, agent or other, `kind` is a Presidio entity type such as PERSON or EMAIL_ADDRESS."""

CONVERSATION: Final[Mapping[str, pl.DataType | type[pl.DataType]]] = {
    "conversation_id": pl.String,
    "source": pl.String,
    "source_file": pl.String,
    "source_row": pl.Int64,
    "opened_at": TIME,
    "channel": pl.String,
    "language": pl.String,
    "product": pl.String,
    "topics": pl.List(pl.String),
    "customer_key": pl.String,
    "outcome": OUTCOME,
    "turns": pl.List(TURN),
}

INGESTED: Final = {
    **CONVERSATION,
    "native_id": pl.String,
    "participants": pl.List(PARTICIPANT),
    "turn_languages": pl.List(pl.String),
}
"""`turn_languages`: guessed of each turn as it was received, in their order; null where it is too short to say."""
SCRUBBED: Final = CONVERSATION
DEDUPED: Final = {**CONVERSATION, "cluster_id": pl.String}
"""`cluster_id` is the conversation_id of the keeper of the near-duplicate cluster the conversation stands for."""
GENERATED: Final = DEDUPED
VALIDATED: Final = {
    **DEDUPED,
    "tokens": pl.Int64,
    "synthetic": pl.Boolean,
    "edits": pl.List(pl.String),
    "flags": pl.List(pl.String),
}
"""`tokens`: of the chat without a system text; `synthetic`: a model had a hand in a turn; `edits`: rules that changed the
conversation; `flags`: rules it broke without consequence, to weigh later."""
CHAT: Final[Mapping[str, pl.DataType | type[pl.DataType]]] = {
    "conversation_id": pl.String,
    "cluster_id": pl.String,
    "language": pl.String,
    "opened_at": TIME,
    "split": pl.String,
    "synthetic": pl.Boolean,
    "tokens": pl.Int64,
    "formats": pl.List(pl.String),
}
"""What emit wrote: `tokens` with the system text, `formats` that could hold the conversation."""

LINES: Final = {"conversation_id": pl.String, "split": pl.String, "row": pl.String, "meta": pl.String}
"""The lines of one format, frame `lines_<format>` beside the kept conversations: training row and provenance, as JSON."""

DROPPED: Final = {"conversation_id": pl.String, "reason": pl.String, "detail": pl.String}
"""What stays behind and why. `detail` holds an id, a count or a field name, never text."""

ADDED: Final = {"conversation_id": pl.String, "reason": pl.String, "detail": pl.String}
"""What a stage made up, and why. `detail`: the id of what it was made from, never text."""

QUARANTINED: Final = {"source_file": pl.String, "source_row": pl.Int64, "reason": pl.String, "detail": pl.String}
"""Rows of received files that became no conversation: ingest accounts for them by file and row."""

EDITS: Final = {"conversation_id": pl.String, "turn_id": pl.String, "edit": pl.String, "detail": pl.String}
"""Changes to a kept conversation: what was merged, trimmed or escaped; never text."""

FINDINGS: Final = {
    "conversation_id": pl.String,
    "turn_id": pl.String,
    "start": pl.Int64,
    "end": pl.Int64,
    "entity_type": pl.String,
    "score": pl.Float64,
    "recognizer": pl.String,
    "new_start": pl.Int64,
    "new_end": pl.Int64,
}
"""Personal details that scrub replaced: [start, end) in characters of the old text, [new_start, new_end) of the new."""

ASKED: Final = {
    "conversation_id": pl.String,
    "turn_id": pl.String,
    "fate": pl.String,
    "reason": pl.String,
    "detail": pl.String,
}
"""One row per unanswered customer that generate asked a provider about. `turn_id`: the turn nobody had answered; `fate`:
answered, left_open or dropped; `reason` is null for an answer; never text."""

CLUSTERS: Final = {
    "cluster_id": pl.String,
    "conversation_id": pl.String,
    "is_keeper": pl.Boolean,
    "similarity": pl.Float64,
}
"""Members of the near-duplicate clusters of two or more; `similarity` is the true Jaccard to the keeper, 1 = identical."""

REJECTED: Final = {"conversation_id": pl.String, "turn_id": pl.String, "reason": pl.String, "text": pl.String}
"""Answers that generate got and did not accept, for people to review: text made from scrubbed text."""


def conform(frame: pl.DataFrame, columns: Mapping[str, pl.DataType | type[pl.DataType]], where: str) -> pl.DataFrame:
    """Return `frame` with exactly `columns`, in their order.

    Raises:
        SchemaError: a column is missing, unknown, or of another type; names the column and both types.
    """
    if unknown := [name for name in frame.columns if name not in columns]:
        raise SchemaError(f"{where}: unknown column {unknown[0]!r}; add it to pipeline/schema.py or drop it")
    for name, dtype in columns.items():
        if name not in frame.columns:
            raise SchemaError(f"{where}: column {name!r} is missing; run the stage before again")
        if frame.schema[name] != dtype:
            raise SchemaError(f"{where}: column {name!r} is {frame.schema[name]}, not {dtype}; run the stage before again")
    return frame.select(list(columns))


def empty(columns: Mapping[str, pl.DataType | type[pl.DataType]]) -> pl.DataFrame:
    """A frame of no rows with these columns."""
    return pl.DataFrame(schema=dict(columns))
