"""The Intercom source: conversations with parts, from the API and from history tables."""

from pathlib import Path
from typing import Any, Final

import orjson
import pytest

from tests.pipeline.received import ingested, quarantined, rows, texts, write

INTERCOM: Final[dict[str, Any]] = {"format": "intercom", "path": ".", "files": ["*.json", "*.jsonl", "*.csv"], "zone": "UTC"}
JO: Final = {"type": "user", "id": "u1", "name": "Jo Fox", "email": "jo@example.com"}
AL: Final = {"type": "admin", "id": "2", "name": "Al Roe", "email": "al@example.com"}


def part(number: int, author: dict[str, Any], body: str | None, kind: str = "comment") -> dict[str, Any]:
    return {"id": str(number), "part_type": kind, "body": body, "created_at": 1767614400 + 60 * number, "author": author}


def conversation(*parts: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {
        "type": "conversation",
        "id": "7",
        "created_at": 1767614400,
        "updated_at": 1767615000,
        "source": {"type": "email", "body": "<p>Where is <b>it</b>?</p>", "author": JO, "subject": "<p>Order</p>"},
        "conversation_parts": {"type": "conversation_part.list", "conversation_parts": list(parts), "total_count": len(parts)},
        "state": "closed",
        "tags": {"type": "tag.list", "tags": [{"type": "tag", "id": "1", "name": "late"}]},
        "conversation_rating": {"rating": 5},
        "statistics": {"count_reopens": 1},
        **more,
    }


def test_comments_become_turns_and_notes_never_do(tmp_path: Path) -> None:
    record = conversation(
        part(1, {"type": "bot", "id": "b"}, "<p>Hello!</p>"),
        part(2, AL, "<p>He is rude.</p>", "note"),
        part(3, AL, None, "assignment"),
        part(4, AL, "<p>On its way &amp; fast.</p>"),
        part(5, AL, "<p>Bye</p>", "close"),
    )
    table = ingested(
        write(tmp_path / "in", page__json=orjson.dumps({"type": "conversation.list", "conversations": [record]})), INTERCOM
    )

    assert texts(table) == {"7": ["customer: Where is it?", "bot: Hello!", "agent: On its way & fast.", "agent: Bye"]}
    assert (table.manifest.counts["private_notes"], table.manifest.counts["events.assignment"]) == (1, 1)


def test_rating_state_tags_and_people_are_known(tmp_path: Path) -> None:
    contacts = {"type": "list", "data": [{"type": "contact", "id": "u1", "role": "user", "phone": "555-0101"}]}
    pages = {"one__json": orjson.dumps(conversation(part(1, AL, "Hi"))), "contacts__json": orjson.dumps(contacts)}
    row = rows(ingested(write(tmp_path / "in", **pages), {**INTERCOM, "subject": "prepend"}))[0]

    assert row["outcome"] == {"resolved": True, "csat": 1.0, "reopened": True}
    assert (row["topics"], row["channel"], row["turns"][0]["text"]) == (["late"], "email", "Order\n\nWhere is it?")
    assert sorted((each["role"], each["value"]) for each in row["participants"]) == [
        ("agent", "Al Roe"),
        ("agent", "al@example.com"),
        ("customer", "555-0101"),
        ("customer", "Jo Fox"),
        ("customer", "jo@example.com"),
    ]


def test_of_a_history_table_the_active_row_updated_last_holds(tmp_path: Path) -> None:
    head = "id,updated_at,created_at,source_author_id,source_author_type,source_body,state,_fivetran_active\n"
    history = head + "".join(
        f"7,2026-01-0{day} 12:00:00,2026-01-01 12:00:00,u1,user,{body},open,{active}\n"
        for day, body, active in ((1, "old", "TRUE"), (2, "new", "true"), (3, "gone", "false"))
    )
    parts = (
        "id,conversation_id,part_type,body,author_id,author_type,created_at,updated_at,_fivetran_active\n"
        "1,7,comment,draft,2,admin,2026-01-01 13:00:00,2026-01-01 13:00:00,false\n"
        "1,7,comment,final,2,admin,2026-01-01 13:00:00,2026-01-02 13:00:00,true\n"
    )
    table = ingested(write(tmp_path / "in", conversation__csv=history, part__csv=parts), INTERCOM)

    assert texts(table) == {"7": ["customer: new", "agent: final"]}
    assert table.manifest.counts["superseded_versions"] == 2


@pytest.mark.parametrize(
    ("record", "reason", "detail"),
    [
        ({**conversation(), "id": "8", "mood": 1}, "unknown_field", "conversation.mood"),
        (conversation(part(1, {"type": "ghost", "id": "1"}, "Boo"), id="8"), "unknown_author", "author.type"),
        ({**conversation(), "id": "8", "source": []}, "wrong_type", "source"),
        ({"id": "8", "what": "else"}, "unknown_kind", ""),
        ({"id": "1", "conversation_id": "8", "part_type": "comment"}, "orphan", "1 rows without their conversation"),
    ],
)
def test_what_cannot_be_read_is_set_aside(record: dict[str, Any], reason: str, detail: str, tmp_path: Path) -> None:
    table = ingested(write(tmp_path / "in", log__jsonl=[conversation(), record]), INTERCOM)

    assert list(texts(table)) == ["7"]
    assert quarantined(table) == [("log.jsonl", 2, reason, detail)]


def test_an_unknown_column_of_a_table_is_refused_by_name(tmp_path: Path) -> None:
    content = "id,conversation_id,part_type,mood\n1,7,comment,bad\n"
    folder = write(tmp_path / "in", log__jsonl=[conversation()], part__csv=content)

    assert quarantined(ingested(folder, {**INTERCOM, "join": "file"})) == [
        ("part.csv", 0, "unreadable_file", "part.csv: unknown column 'mood' of part; list it in ignore_fields")
    ]
