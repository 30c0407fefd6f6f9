"""Follow one conversation from its row in a received file to its line in a chat file; ids, places and counts, never text."""

from collections.abc import Iterator
from dataclasses import dataclass

import polars as pl

from pipeline.errors import CurationError
from pipeline.tables import Part, Table


@dataclass(frozen=True)
class Step:
    """What one stage did to the conversation."""

    stage: str
    fate: str
    """`kept`, or the reason it was dropped for."""

    details: tuple[str, ...]


def trace(conversation_id: str, table: Table) -> list[Step]:
    """Every stage the conversation went through in the line that ends in `table`, first stage first.

    Raises:
        CurationError: no table of the line knows the conversation.
    """
    steps: list[Step] = []
    for each in table.line():
        steps.extend(_look_up(conversation_id, each))
    if not steps:
        raise CurationError(
            f"{conversation_id}: no conversation of that id in {table.folder}; ids stand in *.meta.jsonl and in kept/"
        )
    return steps


def _look_up(conversation_id: str, table: Table) -> Iterator[Step]:
    this = pl.col("conversation_id") == conversation_id
    for part in table.manifest.parts:
        # only the ids are decoded of the parts that do not hold it
        if not table.read(part, "dropped", ["conversation_id"]).filter(this).is_empty():
            row = table.read(part, "dropped").filter(this).row(0, named=True)
            detail = (f"detail {row['detail']}",) if row["detail"] else ()
            yield Step(table.manifest.stage, f"dropped: {row['reason']}", (*detail, *_beside(table, part, this)))
        elif not table.read(part, "kept", ["conversation_id"]).filter(this).is_empty():
            kept = table.read(part).filter(this).row(0, named=True)
            yield Step(table.manifest.stage, "kept", (*_describe(kept), *_beside(table, part, this)))


def _describe(kept: dict[str, object]) -> Iterator[str]:
    if "native_id" in kept:
        yield f"from {kept['source_file']} row {kept['source_row']}"
    if isinstance(turns := kept.get("turns"), list):
        synthetic = sum(turn["origin"] == "synthetic" for turn in turns)
        looked_up = sum(turn.get("speaker") == "tool" for turn in turns)
        beside = [f", {synthetic} synthetic"] * bool(synthetic) + [f", {looked_up} look-ups"] * bool(looked_up)
        yield "".join([f"{len(turns)} turns", *beside])
    for name in ("cluster_id", "tokens", "split"):
        if kept.get(name) is not None:
            yield f"{name.removesuffix('_id')} {kept[name]}"


def _beside(table: Table, part: Part, this: pl.Expr) -> Iterator[str]:
    """One line per kind of finding, edit or other row that stands beside the conversation."""
    for frame in sorted(set(part.files) - {"kept", "dropped"}):
        rows = table.read(part, frame)
        if "conversation_id" not in rows.columns:
            continue
        mine = rows.filter(this)
        kind = next((name for name in ("entity_type", "edit", "reason") if name in rows.columns), None)
        if kind:
            for value, count in mine.group_by(kind).len().sort(kind).rows():
                yield f"{frame}: {count} x {value}"
        elif not mine.is_empty():
            yield f"{frame}: {mine.height}"
