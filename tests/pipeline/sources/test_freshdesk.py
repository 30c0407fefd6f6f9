"""The Freshdesk source: tickets with their conversations."""

from pathlib import Path
from typing import Any, Final

import orjson
import pytest

from tests.pipeline.received import ingested, quarantined, rows, texts, write

FRESHDESK: Final[dict[str, Any]] = {"format": "freshdesk", "path": ".", "files": ["*.json", "*.jsonl"]}


def ticket(number: int = 7, **more: Any) -> dict[str, Any]:
    return {
        "id": number,
        "requester_id": 1,
        "responder_id": 2,
        "status": 4,
        "source": 2,
        "subject": "Order",
        "description": "<div>Where <b>is</b> it?</div>",
        "description_text": "Where is it?",
        "created_at": "2026-01-05T12:00:00Z",
        "updated_at": "2026-01-06T12:00:00Z",
        "tags": ["late"],
        **more,
    }


def said(number: int, text: str, *, incoming: bool, **more: Any) -> dict[str, Any]:
    values = {"id": number, "ticket_id": 7, "incoming": incoming, "private": False, "user_id": 1 if incoming else 2}
    return {**values, "body": f"<div>{text}</div>", "body_text": text, "created_at": f"2026-01-05T12:{number:02}:00Z", **more}


def test_public_conversations_become_turns_and_notes_and_forwards_never_do(tmp_path: Path) -> None:
    conversations = [
        said(3, "And now?", incoming=True),
        said(1, "On its way.", incoming=False),
        said(2, "He is rude.", incoming=False, private=True),
        said(4, "Please look.", incoming=False, source=8, to_emails=["depot@example.com"]),
        said(5, "Unclear", incoming=False, private=None),
    ]
    pages = {"tickets__json": orjson.dumps([ticket()]), "conversations__json": orjson.dumps(conversations)}
    table = ingested(write(tmp_path / "in", **pages), FRESHDESK)

    assert texts(table) == {"7": ["customer: Where is it?", "agent: On its way.", "customer: And now?"]}
    assert (table.manifest.counts["private_notes"], table.manifest.counts["forwards_to_others"]) == (2, 1)


def test_a_mail_that_an_agent_began_opens_with_the_agent(tmp_path: Path) -> None:
    record = ticket(source=10, conversations=[said(1, "<i>", incoming=True, body_text=None, body="<p>Thanks</p>")])

    assert texts(ingested(write(tmp_path / "in", t__jsonl=[record]), FRESHDESK)) == {
        "7": ["agent: Where is it?", "customer: Thanks"]
    }


def test_codes_fields_and_people_are_known(tmp_path: Path) -> None:
    contact = {"id": 1, "name": "Jo Fox", "email": "jo@example.com", "mobile": "555-0101"}
    agent = {"id": 2, "ticket_scope": 1, "contact": {"name": "Al Roe", "email": "al@example.com", "active": True}}
    record = ticket(custom_fields={"cf_model": "Tent", "cf_order": "HP-1"}, stats={"reopened_at": "2026-01-06T12:00:00Z"})
    pages = {"t__json": orjson.dumps([record]), "c__json": orjson.dumps([contact]), "a__json": orjson.dumps([agent])}
    pages["x__json"] = orjson.dumps([said(1, "Hi", incoming=False, from_email="Help <help@example.com>")])
    mapping = {**FRESHDESK, "product_field": "cf_model", "identifier_fields": {"cf_order": "ORDER_NUMBER"}, "subject": "prepend"}
    row = rows(ingested(write(tmp_path / "in", **pages), mapping))[0]

    assert row["outcome"] == {"resolved": True, "csat": None, "reopened": True}
    assert (row["channel"], row["product"], row["topics"]) == ("web", "Tent", ["late"])
    assert row["turns"][0]["text"] == "Order\n\nWhere is it?"
    assert sorted((each["role"], each["value"]) for each in row["participants"]) == [
        ("agent", "Al Roe"),
        ("agent", "al@example.com"),
        ("customer", "555-0101"),
        ("customer", "HP-1"),
        ("customer", "Jo Fox"),
        ("customer", "jo@example.com"),
        ("other", "Help"),
        ("other", "help@example.com"),
    ]


def test_deleted_tickets_and_spam_are_dropped(tmp_path: Path) -> None:
    table = ingested(write(tmp_path / "in", t__jsonl=[ticket(), ticket(8, deleted=True), ticket(9, spam=True)]), FRESHDESK)

    assert table.manifest.reasons == {"deleted_ticket": 1, "spam": 1}


@pytest.mark.parametrize(
    ("record", "reason", "detail"),
    [
        (ticket(8, mood=1), "unknown_field", "ticket.mood"),
        (said(1, "Hi", incoming=True, ticket_id=8), "orphan", "1 rows without their ticket"),
        (ticket(8, created_at="noon"), "bad_time", "created_at"),
        (ticket(8, conversations=[{"incoming": True, "mood": 1}]), "unknown_field", "conversation.mood"),
        ({"id": 8}, "unknown_kind", ""),
    ],
)
def test_what_cannot_be_read_is_set_aside(record: dict[str, Any], reason: str, detail: str, tmp_path: Path) -> None:
    table = ingested(write(tmp_path / "in", t__jsonl=[ticket(), record]), FRESHDESK)

    assert list(texts(table)) == ["7"]
    assert quarantined(table) == [("t.jsonl", 2, reason, detail)]
