"""The Help Scout source: conversations with their threads."""

from pathlib import Path
from typing import Any, Final

import pytest

from tests.pipeline.received import ingested, quarantined, rows, texts, write

HELPSCOUT: Final[dict[str, Any]] = {"format": "helpscout", "path": ".", "files": ["*.jsonl"]}


def thread(number: int, kind: str, body: str, by: str = "user", **more: Any) -> dict[str, Any]:
    author = {"id": 5 if by == "customer" else 2, "type": by, "first": "Jo", "last": "Fox", "email": f"{by}@example.com"}
    return {"id": number, "type": kind, "body": body, "createdBy": author, "createdAt": f"2026-01-05T12:0{number}:00Z", **more}


def conversation(*threads: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {
        "id": 7,
        "subject": "Order",
        "status": "closed",
        "type": "email",
        "createdAt": "2026-01-05T12:00:00Z",
        "primaryCustomer": {"id": 5, "first": "Jo", "last": "Fox", "email": "jo@example.com"},
        "tags": [{"id": 1, "tag": "late"}],
        "_embedded": {"threads": list(threads)},
        **more,
    }


def test_replies_become_turns_and_notes_drafts_and_line_items_never_do(tmp_path: Path) -> None:
    record = conversation(
        thread(4, "message", "On its way &amp; fast"),
        thread(1, "customer", "Where is it?<br>Please", "customer"),
        thread(2, "note", "He is rude"),
        thread(3, "message", "not yet sent", state="draft"),
        thread(5, "lineitem", "", action={"type": "default"}),
    )
    table = ingested(write(tmp_path / "in", page__jsonl=[record]), {**HELPSCOUT, "subject": "prepend"})
    row = rows(table)[0]

    assert texts(table) == {"7": ["customer: Order\n\nWhere is it?\nPlease", "agent: On its way & fast"]}
    assert {name: table.manifest.counts[name] for name in ("private_notes", "events.draft", "events.lineitem")} == {
        "private_notes": 1,
        "events.draft": 1,
        "events.lineitem": 1,
    }
    assert (row["outcome"]["resolved"], row["topics"], row["channel"]) == (True, ["late"], "email")
    assert {(each["role"], each["value"]) for each in row["participants"]} >= {
        ("customer", "jo@example.com"),
        ("agent", "user@example.com"),
    }


@pytest.mark.parametrize(
    ("record", "reason", "detail"),
    [
        (conversation(id=8, mood=1), "unknown_field", "conversation.mood"),
        (conversation({**thread(1, "customer", "x"), "mood": 1}, id=8), "unknown_field", "thread.mood"),
        ({**thread(1, "customer", "x"), "conversationId": 8}, "orphan", "1 rows without their conversation"),
    ],
)
def test_what_cannot_be_read_is_set_aside(record: dict[str, Any], reason: str, detail: str, tmp_path: Path) -> None:
    table = ingested(
        write(tmp_path / "in", log__jsonl=[conversation(thread(1, "customer", "Hi", "customer")), record]), HELPSCOUT
    )

    assert quarantined(table) == [("log.jsonl", 2, reason, detail)]
