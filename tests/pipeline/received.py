"""Deliveries for tests: files as a help desk would leave them, and the table that ingest makes of them."""

import gzip
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import orjson
import polars as pl

from pipeline import ingest
from pipeline.parts import Means
from pipeline.tables import Table
from tests.build import KEY

TURNS: Final[Mapping[str, Any]] = {
    "format": "table",
    "path": ".",
    "files": ["*.csv", "*.csv.gz", "*.csv.zst", "*.jsonl", "*.parquet"],
    "zone": "UTC",
    "id": "ticket",
    "turn": {"speaker": {"at": "from", "customer": ["c"], "agent": ["a"]}, "text": "body", "sent_at": "at"},
}
PAIRS: Final[Mapping[str, Any]] = {
    "format": "table",
    "path": ".",
    "files": ["*.csv"],
    "pair": {"question": "question", "answer": "answer"},
}
CHATS: Final[Mapping[str, Any]] = {
    "format": "events",
    "path": ".",
    "files": ["*.jsonl", "*.json", "*.json.gz"],
    "id": "id",
    "turns": "events",
    "messages": {"type": ["message"]},
    "kind": "type",
    "speaker": {"at": "who", "customer": ["visitor"], "agent": ["staff"]},
    "text": "text",
    "sent_at": "at",
}
ZENDESK: Final[Mapping[str, Any]] = {
    "format": "zendesk",
    "path": ".",
    "files": ["*.json", "*.jsonl"],
    "join": "folder",
    "subject": "leave",
    "unknown_author": "refuse",
}


def params(mapping: Mapping[str, Any] | None = None, **more: Any) -> ingest.IngestParams:
    """Ingest with one source, `desk`."""
    values = {
        "sources": {"desk": mapping},
        "ignore": [],
        "rows_per_part": 100,
        "max_row_bytes": 10**6,
        "max_unpacked_bytes": 10**9,
        "max_unpacked_ratio": 200,
        "on_bad_file": "quarantine",
    }
    return ingest.IngestParams.model_validate({**values, **more})


def ingested(folder: Path, mapping: Mapping[str, Any] | None = None, workers: int = 1, **more: Any) -> Table:
    """The table made of the files in `folder`, beside it."""
    target = folder.with_name(f"{folder.name}_ingested")
    ingest.run(folder, target, params(mapping, **more), Means(KEY, workers))
    return Table(target)


def rows(table: Table, frame: str = "kept") -> list[dict[str, Any]]:
    """Every row of one frame, part after part."""
    return pl.concat([table.read(part, frame) for part in table.manifest.parts]).to_dicts()


def texts(table: Table) -> dict[str, list[str]]:
    """Native id -> its turns, as "speaker: text"."""
    return {row["native_id"]: [f"{turn['speaker']}: {turn['text']}" for turn in row["turns"]] for row in rows(table)}


def quarantined(table: Table) -> list[tuple[Any, ...]]:
    """(file, row, reason, detail) of every row that made no conversation."""
    return [tuple(row.values()) for row in rows(table, "quarantined")]


def write(folder: Path, **files: str | bytes | Sequence[Any]) -> Path:
    """Files by name, `__` for a dot: text, bytes, or records as JSON lines; `.gz` is packed."""
    folder.mkdir(exist_ok=True)
    for name, content in files.items():
        path = folder / name.replace("__", ".")
        if isinstance(content, str | bytes):
            data = content.encode() if isinstance(content, str) else content
        else:
            data = b"".join(orjson.dumps(record) + b"\n" for record in content)
        path.write_bytes(gzip.compress(data, mtime=0) if path.suffix == ".gz" else data)
    return folder


def chat(number: int, *said: str, **more: Any) -> dict[str, Any]:
    """One record of `CHATS`: the visitor begins and staff answers, in turn."""
    events = [
        {"type": "message", "who": ("visitor", "staff")[place % 2], "text": text, "at": 1767614400 + 60 * place}
        for place, text in enumerate(said)
    ]
    return {"id": number, "events": events, **more}
