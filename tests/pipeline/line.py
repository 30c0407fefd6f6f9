"""A small finished line of three tables for tests of what reads tables."""

from collections.abc import Mapping
from pathlib import Path

import polars as pl

from pipeline.schema import DROPPED, EDITS
from pipeline.stage import Outcome
from pipeline.tables import Table, new_table


def frame(*ids: str, **more: object) -> pl.DataFrame:
    return pl.DataFrame([{"conversation_id": each, **more} for each in ids], schema_overrides={"conversation_id": pl.String})


def dropped(reasons: Mapping[str, str]) -> pl.DataFrame:
    return pl.DataFrame([(each, reason, "3") for each, reason in reasons.items()], schema=DROPPED, orient="row")


def write(target: Path, stage: str, outcome: Outcome, given: Table | None = None, fingerprint: str = "") -> Table:
    with new_table(target, stage, fingerprint, given) as writer:
        inputs = {part.name: part.files["kept"] for part in given.manifest.parts} if given else {"received": "h"}
        writer.publish([writer.write("part-00000", inputs, outcome)])
    return Table(target)


def make_line(root: Path) -> Table:
    turns = [{"origin": "human"}, {"origin": "synthetic"}]
    ingested = write(
        root / "ingested",
        "ingest",
        Outcome(
            frame("a", "b", "c", native_id="7", source_file="desk/log.jsonl", source_row=3, turns=turns),
            dropped({"n": "no_messages"}),
            counts={"rows_read": 5, "rows_kept": 3, "rows_dropped": 1, "rows_quarantined": 1},
        ),
    )
    scrubbed = write(
        root / "scrubbed",
        "scrub",
        Outcome(frame("a", "b", "c", turns=turns), beside={"findings": frame("a", "a", "b", entity_type="PERSON")}),
        ingested,
    )
    edits = pl.DataFrame([("a", "t1", "merged", None)], schema=EDITS, orient="row")
    return write(
        root / "validated",
        "validate",
        Outcome(frame("a", tokens=12), dropped({"b": "no_answer", "c": "no_answer"}), {"edits": edits}),
        scrubbed,
    )
