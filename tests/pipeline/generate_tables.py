"""Tables as generate meets them, and its params with fast waits."""

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import polars as pl

from pipeline.generate import GenerateParams
from pipeline.params import load_section
from pipeline.schema import DEDUPED, FINDINGS
from pipeline.stage import Outcome
from pipeline.tables import Table, new_table
from tests.build import conversations

SHIPPED = Path(__file__).parents[2] / "params.yaml"


def params(folder: Path, **settings: Any) -> GenerateParams:
    """The shipped params with replies below `folder`, no waits, and `settings` such as nearest__min_similarity=0.9."""
    quick = {"pace__first_wait_seconds": 0, "pace__timeout_seconds": 5, "pace__concurrency": 4, "model__name": "tiny"}
    sets = {"replies": folder / "replies", **quick, **settings}
    overrides = [f"generate.{name.replace('__', '.')}={value}" for name, value in sets.items()]
    return load_section(GenerateParams, "generate", [SHIPPED], overrides)


def judge_params(folder: Path, **more: Any) -> str:
    """A judge for `params(judge=...)`, with `more` of its own."""
    values = {"prompt": "judge", "model": None, "max_tokens": 50, "swapped_share": 0, "labels": str(folder / "judges.csv"),
              "min_items": 4, "min_kappa": 0.6, "max_flips": 0.1, **more}  # fmt: skip
    return json.dumps(values)


def deduped(folder: Path, *parts: Iterable[Mapping[str, Any]], findings: Iterable[tuple[str, str]] = ()) -> Path:
    """A deduped table below `folder`, made from a scrubbed one; `findings`: (conversation_id, turn_id) of replaced details."""
    frames = [conversations(rows) for rows in parts]
    found = pl.DataFrame(
        [{"conversation_id": conversation_id, "turn_id": turn_id} for conversation_id, turn_id in findings],
        schema={"conversation_id": pl.String, "turn_id": pl.String},
    )
    found = found.select(
        pl.col(name).cast(kind) if name in found.columns else pl.lit(None, kind).alias(name) for name, kind in FINDINGS.items()
    )
    with new_table(folder / "scrubbed", "scrub", "f", None) as writer:
        writer.publish(
            [
                writer.write(f"part-{number:05d}", {"raw": f"{number}"}, Outcome(frame, beside={"findings": found}))
                for number, frame in enumerate(frames)
            ]
        )
    scrubbed = Table(folder / "scrubbed")
    with new_table(folder / "deduped", "dedupe", "f", scrubbed) as writer:
        writer.publish(
            [
                writer.write(
                    f"part-{number:05d}",
                    {part.name: part.files["kept"]},
                    Outcome(scrubbed.read(part).with_columns(cluster_id="conversation_id").select(list(DEDUPED))),
                )
                for number, part in enumerate(scrubbed.manifest.parts)
            ]
        )
    return folder / "deduped"
