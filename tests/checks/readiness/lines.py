"""Whole lines of tables for the tests of readiness: small, invented, each stage written as the real one writes it."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any, Final

import polars as pl

from checks.readiness.reading import read_corpus
from checks.readiness.settings import ReadinessParams
from pipeline.params import load_section
from pipeline.schema import CHAT, DROPPED, FINDINGS, GENERATED, INGESTED, SCRUBBED, VALIDATED
from pipeline.stage import Outcome
from pipeline.tables import Table, new_table
from tests.build import NOON, conversation

ROOT: Final = Path(__file__).parents[3]

SHIPPED: Final = load_section(ReadinessParams, "readiness", [ROOT / "params.yaml"])

STATED: Final = {"desk": {"purpose": "support", "legal_basis": "contract", "retain_until": "2030-01-01"}}


def params(**changes: Any) -> ReadinessParams:
    """The shipped params with these values in their place; nested mappings merge."""
    return ReadinessParams.model_validate(_merge(SHIPPED.model_dump(), changes))


def _merge(below: Mapping[str, Any], above: Mapping[str, Any]) -> dict[str, Any]:
    merged = dict(below)
    for key, value in above.items():
        old = merged.get(key)
        merged[key] = _merge(old, value) if isinstance(old, dict) and isinstance(value, dict) and old else value
    return merged


WORDS: Final = [
    "amber",
    "birch",
    "cedar",
    "delta",
    "ember",
    "fjord",
    "grove",
    "heron",
    "ivory",
    "jolly",
    "kayak",
    "lemon",
    "mango",
    "noble",
    "ocean",
    "pearl",
    "quiet",
    "river",
    "solar",
    "tiger",
    "umbra",
    "velvet",
    "willow",
    "yonder",
    "zephyr",
    "anchor",
    "basket",
    "candle",
    "drawer",
    "engine",
    "fabric",
    "garden",
    "hammer",
    "island",
    "jacket",
    "kettle",
    "ladder",
    "market",
    "needle",
    "office",
    "pencil",
    "quartz",
    "ribbon",
    "saddle",
    "tunnel",
    "urchin",
    "violin",
    "window",
    "yellow",
    "zipper",
]
"""Fifty, so that sentences of twelve never resemble one another."""


def sentence(number: int, length: int = 12) -> str:
    """A sentence that resembles no other one of its length."""
    words = []
    value = number * 2654435761 % 2**32 + number
    for _ in range(length):
        words.append(WORDS[value % len(WORDS)])
        value = value * 1103515245 // 7 % 2**61 + 12345
    return " ".join(words)


def talk(number: int, *texts: str, topic: str = "delivery", **more: Any) -> dict[str, Any]:
    """Conversation `number`, by default one question and one answer of their own words."""
    said = texts or (f"Where is {sentence(number)}?", f"It is {sentence(number + 500_000)}.")
    return conversation(number, *said, topics=[topic] if topic else [], **more)


def talks(count: int, topic: str = "delivery", start: int = 0, **more: Any) -> list[dict[str, Any]]:
    """Conversations of one topic, an hour apart."""
    return [
        talk(number, topic=topic, **{"opened_at": NOON + timedelta(hours=number), **more})
        for number in range(start, start + count)
    ]


def write_line(
    folder: Path,
    exported: Sequence[Mapping[str, Any]],
    *,
    raw: Iterable[Mapping[str, Any]] = (),
    lost: Mapping[str, tuple[str, str]] | None = None,
    findings: Iterable[Mapping[str, Any]] = (),
    splits: Mapping[str, str] | None = None,
    stages: Sequence[str] = ("ingest", "scrub", "dedupe", "generate", "validate", "emit"),
    parts: int = 1,
) -> Table:
    """Write a line whose last table holds `exported`; returns that table.

    Args:
        folder: gets one folder per stage.
        exported: conversations as `talk` makes them; a `cluster_id` of theirs is kept.
        raw: further conversations that were ingested but not exported.
        lost: conversation_id -> (stage, reason) of those; by default dedupe drops them as near_duplicate.
        findings: rows of FINDINGS that scrub wrote (only the columns that matter; the others are filled in).
        splits: conversation_id -> split; by default the latest fifth by time is the test.
        stages: the tables to write.
        parts: number of parts per table.
    """
    everyone = [*exported, *raw]
    gone = dict(lost or {})
    for one in everyone[len(exported) :]:
        gone.setdefault(one["conversation_id"], ("dedupe", "near_duplicate"))
    given: Table | None = None
    alive = everyone
    for stage in stages:
        dropped = [(i, r, "1") for i, (s, r) in sorted(gone.items()) if s == stage]
        left = {i for i, *_ in dropped}
        alive = [one for one in alive if one["conversation_id"] not in left]
        found = list(findings) if stage == "scrub" else []
        given = write_table(folder / stage, stage, alive, dropped, given, found, splits, parts)
    assert given is not None
    return given


def seen_in(line: Table) -> dict[str, str]:
    """What an audit sheet says of the text of every conversation of `line`: id -> digest."""
    return dict(read_corpus(line, SHIPPED).conversations.select("conversation_id", "text_digest").iter_rows())


def write_table(
    target: Path,
    stage: str,
    alive: Sequence[Mapping[str, Any]],
    dropped: Sequence[tuple[str, str, str]] = (),
    given: Table | None = None,
    findings: Sequence[Mapping[str, Any]] = (),
    splits: Mapping[str, str] | None = None,
    parts: int = 1,
) -> Table:
    """Write the table of one stage."""
    with new_table(target, stage, f"{stage}-params", given) as writer:
        made = []
        size = -(-len(alive) // parts) or 1
        for number in range(parts):
            kept = _frame(stage, alive[number * size : (number + 1) * size], splits, alive)
            beside = {"findings": pl.DataFrame(_filled(findings), schema=FINDINGS)} if stage == "scrub" and number == 0 else {}
            gone = pl.DataFrame(dropped if number == 0 else [], schema=DROPPED, orient="row")
            made.append(writer.write(f"part-{number:05d}", {"given": f"{number}"}, Outcome(kept, gone, beside)))
        writer.publish(made)
    return Table(target)


def _filled(findings: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    blank = {"turn_id": "t0", "start": 0, "end": 1, "entity_type": "PERSON", "score": 1.0, "recognizer": "test"}
    return [{**blank, **one} for one in findings]


def _frame(
    stage: str, alive: Sequence[Mapping[str, Any]], splits: Mapping[str, str] | None, everyone: Sequence[Mapping[str, Any]]
) -> pl.DataFrame:
    if stage == "emit":
        return _chat(alive, splits, everyone)
    schemas = {"ingest": INGESTED, "scrub": SCRUBBED, "dedupe": GENERATED, "generate": GENERATED, "validate": VALIDATED}
    schema = schemas[stage]
    blank = {"participants": [], "tokens": 50, "edits": [], "flags": []}
    rows = [
        {**blank, "native_id": one["conversation_id"], "cluster_id": one["conversation_id"], "synthetic": _by_model(one), **one}
        for one in alive
    ]
    return pl.DataFrame([{name: row.get(name) for name in schema} for row in rows], schema=dict(schema))


def _by_model(one: Mapping[str, Any]) -> bool:
    return any(turn["origin"] == "synthetic" or turn["generation"] for turn in one["turns"])


def _chat(
    rows: Sequence[Mapping[str, Any]], splits: Mapping[str, str] | None, everyone: Sequence[Mapping[str, Any]]
) -> pl.DataFrame:
    ordered = sorted(everyone, key=lambda one: (str(one["opened_at"]), one["conversation_id"]))
    by_time = {
        one["conversation_id"]: "test" if number >= len(ordered) * 4 // 5 else "train" for number, one in enumerate(ordered)
    }
    chosen = by_time if splits is None else splits
    return pl.DataFrame(
        [
            {
                "conversation_id": one["conversation_id"],
                "split": chosen.get(one["conversation_id"], "train"),
                "cluster_id": one.get("cluster_id", one["conversation_id"]),
                "synthetic": _by_model(one),
                "tokens": one.get("tokens", 50),
                "formats": ["openai"],
            }
            for one in rows
        ],
        schema=dict(CHAT),
    )
