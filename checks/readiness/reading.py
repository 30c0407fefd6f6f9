"""The tables of a line read into a `Corpus`, part by part.

Of more than `samples.max_conversations` exported conversations a sample is looked at, drawn by hash of the id.
"""

from collections.abc import Mapping
from hashlib import sha256
from typing import Final

import polars as pl

from checks.readiness.corpus import RAW_COLUMNS, Corpus, draw
from checks.readiness.masking import mask, read_surrogates, replace, said
from checks.readiness.settings import ReadinessParams
from pipeline.errors import TableError
from pipeline.schema import VALIDATED, empty
from pipeline.tables import Table

UNTAGGED: Final = "(untagged)"
OTHER: Final = "(other topics)"
MIN_NAMED: Final = 5
"""A topic of fewer conversations is not named: it may single somebody out."""

EXPORT_COLUMNS: Final = (
    "conversation_id",
    "source",
    "opened_at",
    "channel",
    "language",
    "product",
    "topics",
    "customer_key",
    "outcome",
    "cluster_id",
    "tokens",
    "synthetic",
)


def read_corpus(last: Table, params: ReadinessParams) -> Corpus:
    """Read the line that ends in `last`, a table of validate or emit.

    Raises:
        TableError: the line has no validated table, or a table of it is missing.
    """
    line = {table.manifest.stage: table for table in last.line()}
    if "validate" not in line:
        raise TableError(f"{last.folder}: readiness reads a table of validate or emit; run the line that far")
    chosen, exported = _choose(line, params)
    surrogates, values = read_surrogates(line, set(chosen["conversation_id"].to_list()))
    frames, turns = [], []
    validated = line["validate"]
    for part in validated.manifest.parts:
        rows = validated.read(part).filter(pl.col("conversation_id").is_in(chosen["conversation_id"].implode()))
        if rows.height:
            said = _turns_of(rows, values)
            frames.append(_conversations_of(rows).join(_digests(said), on="conversation_id", how="left"))
            turns.append(said.drop("bare"))
    nothing = _turns_of(empty(VALIDATED), {})
    if not frames:
        frames = [_conversations_of(empty(VALIDATED)).join(_digests(nothing), on="conversation_id", how="left")]
    conversations = pl.concat(frames)
    conversations = conversations.join(chosen, on="conversation_id", how="left").sort("conversation_id")
    flat = pl.concat(turns or [nothing.drop("bare")])
    flat = flat.sort("conversation_id", "position")
    raw, fates = _read_raw(line), _read_fates(line)
    conversations, raw, approximate = _name_topics(conversations, flat, raw, params)
    return Corpus(
        conversations,
        flat,
        raw,
        fates,
        line,
        surrogates,
        exported,
        params.samples.max_conversations,
        params.seed,
        approximate,
    )


def _choose(line: Mapping[str, Table], params: ReadinessParams) -> tuple[pl.DataFrame, int]:
    """conversation_id and split of the exported conversations that are looked at; how many there are in all."""
    if chat := line.get("emit"):
        frames = [chat.read(part, columns=["conversation_id", "split"]) for part in chat.manifest.parts]
    else:
        frames = [
            line["validate"].read(part, columns=["conversation_id"]).with_columns(split=pl.lit(None, pl.String))
            for part in line["validate"].manifest.parts
        ]
    rows = pl.concat(frames) if frames else pl.DataFrame(schema={"conversation_id": pl.String, "split": pl.String})
    most = params.samples.max_conversations
    if rows.height <= most:
        return rows, rows.height
    drawn = rows.with_columns(draw=draw(rows["conversation_id"], params.seed)).sort("draw").head(most).drop("draw")
    return drawn, rows.height


def _conversations_of(rows: pl.DataFrame) -> pl.DataFrame:
    spoken_by = pl.col("turns").list.eval(
        pl.element().struct.field("author_key").filter(pl.element().struct.field("speaker") == "agent")
    )
    return rows.select(*EXPORT_COLUMNS, agent_key=spoken_by.list.first())


def _turns_of(rows: pl.DataFrame, values: Mapping[str, Mapping[str, str]]) -> pl.DataFrame:
    flat = (
        rows.select("conversation_id", "turns")
        .filter(pl.col("turns").list.len() > 0)
        .explode("turns")
        .with_columns(said=said(pl.col("turns")))
        .unnest("turns")
        .select(
            "conversation_id",
            position=pl.int_range(pl.len(), dtype=pl.Int32).over("conversation_id"),
            speaker=pl.when(pl.col("speaker") == "bot").then(pl.lit("agent")).otherwise("speaker"),
            text="said",
            origin="origin",
            sent_at="sent_at",
            provider=pl.col("generation").struct.field("provider"),
            model=pl.col("generation").struct.field("model"),
        )
    )
    replaced = [
        replace(text, values[one]) if one in values else text for one, text in flat.select("conversation_id", "text").iter_rows()
    ]
    bare = pl.Series("bare", replaced, dtype=pl.String)
    return flat.with_columns(bare, masked=mask(bare))


def _digests(turns: pl.DataFrame) -> pl.DataFrame:
    """conversation_id, text_digest: of what was said, with what scrub wrote as its kind.

    So it stays what it is under another key, another way of replacing and any other code, as long as scrub leaves the same.
    """
    said = turns.group_by("conversation_id", maintain_order=True).agg(
        pl.concat_str("speaker", pl.lit(": "), "bare").str.join("\n").alias("said")
    )
    # a letter in front: a spreadsheet takes 1234e56 for a number
    digests = [f"t{sha256(text.encode()).hexdigest()[:15]}" for text in said["said"].to_list()]
    return said.select("conversation_id", text_digest=pl.Series(digests, dtype=pl.String))


def _read_raw(line: Mapping[str, Table]) -> pl.DataFrame | None:
    """The raw conversations as scrub wrote them: what the ingested table says in its columns may name somebody.

    Without a scrubbed table, the ingested one, of which nothing but source, time and shape is taken.
    """
    table = line.get("scrub") or line.get("ingest")
    if table is None or not table.manifest.parts:
        return None
    speakers = pl.col("turns").list.eval(pl.element().struct.field("speaker").replace("bot", "agent"))
    asked = speakers.list.eval((pl.element() == "agent") & (pl.element().shift() == "customer"))
    keys = pl.col("turns").list.eval(
        pl.element().struct.field("author_key").filter(pl.element().struct.field("speaker") == "agent")
    )
    frames = [
        table.read(part, columns=[*RAW_COLUMNS, "turns"]).select(
            *RAW_COLUMNS,
            agent_key=keys.list.first(),
            exchanges=asked.list.sum(),
            trailing=speakers.list.last() == "customer",
        )
        for part in table.manifest.parts
    ]
    raw = pl.concat(frames).sort("conversation_id")
    if "scrub" in line:
        return raw
    named = [name for name in ("channel", "language", "product") if name in raw.columns]
    return raw.with_columns(pl.lit(None, pl.String).alias(name) for name in named).with_columns(
        topics=pl.lit([], pl.List(pl.String))
    )


def _read_fates(line: Mapping[str, Table]) -> pl.DataFrame | None:
    frames = [
        table.read(part, "dropped", ["conversation_id", "reason"]).with_columns(stage=pl.lit(stage))
        for stage, table in line.items()
        for part in table.manifest.parts
        if stage != "ingest" and part.rows.get("dropped")
    ]
    schema = {"conversation_id": pl.String, "reason": pl.String, "stage": pl.String}
    return pl.concat(frames).select(*schema) if frames else pl.DataFrame(schema=schema)


def _name_topics(
    conversations: pl.DataFrame, turns: pl.DataFrame, raw: pl.DataFrame | None, params: ReadinessParams
) -> tuple[pl.DataFrame, pl.DataFrame | None, bool]:
    """Add `topic`: the first tag; without any tag, clusters."""
    first = pl.col("topics").list.first()
    seen = conversations if raw is None else raw
    is_tagged = bool(seen.select((first.is_not_null() & (first != "")).any()).item()) if seen.height else False
    if not is_tagged:
        from checks.readiness.topics import find_topics  # noqa: PLC0415  # scikit-learn, only where there are no tags

        found = conversations.with_columns(topic=find_topics(conversations, turns, params))
        return found, None if raw is None else raw.with_columns(topic=pl.lit(UNTAGGED)), True
    named = pl.when(first.is_null() | (first == "")).then(pl.lit(UNTAGGED)).otherwise(first)
    sizes = seen.select(topic=named).group_by("topic").len().sort(["len", "topic"], descending=[True, False])
    largest = sizes.filter(pl.col("len") >= min(MIN_NAMED, seen.height)).head(params.samples.max_topics)["topic"]
    pooled = pl.when(named.is_in(largest.implode())).then(named).otherwise(pl.lit(OTHER))
    return conversations.with_columns(topic=pooled), None if raw is None else raw.with_columns(topic=pooled), False
