"""The Zendesk source: API pages and JSON lines; public comments only, speakers by role, people known."""

# ruff: noqa: E501  # a message stands whole, so that it can be compared and searched

import os
from pathlib import Path
from typing import Any, Final

import orjson
import pytest

from pipeline.errors import SourceError
from tests.pipeline.received import ZENDESK, ingested, quarantined, rows, texts, write

CUSTOMER: Final = {"id": 1, "name": "Jo Fox", "email": "jo@example.com", "phone": "555-0101", "role": "end-user"}
AGENT: Final = {"id": 2, "name": "Al Roe", "email": "al@example.com", "role": "agent"}
COLLEAGUE: Final = {"id": 3, "name": "Bo Lee", "email": "bo@example.com", "role": "end-user"}


def ticket(number: int = 7, **more: Any) -> dict[str, Any]:
    return {
        "id": number,
        "via": {"channel": "email", "source": {"from": {"address": "jo.fox@example.org", "name": "Jo F."}, "to": {}}},
        "created_at": "2026-01-05T12:00:00Z",
        "updated_at": "2026-01-06T12:00:00Z",
        "subject": "Order",
        "description": "Where is it?",
        "status": "solved",
        "requester_id": 1,
        "assignee_id": 2,
        "tags": ["late"],
        "satisfaction_rating": {"score": "good"},
        **more,
    }


def comment(number: int, author: int, body: str, public: bool = True, **more: Any) -> dict[str, Any]:
    return {
        "id": number,
        "author_id": author,
        "body": body,
        "public": public,
        "created_at": f"2026-01-05T12:{number:02}:00Z",
        **more,
    }


def audit(number: int, author: int, *events: dict[str, Any], **more: Any) -> dict[str, Any]:
    values = {"id": number, "ticket_id": 7, "created_at": f"2026-01-05T12:{number:02}:00Z", "author_id": author}
    return {**values, "via": {}, "metadata": {"system": {}}, "events": list(events), **more}


def said(number: int, author: int, body: str, public: bool = True) -> dict[str, Any]:
    return {"id": number, "type": "Comment", "author_id": author, "body": body, "public": public}


def folder_of(tmp_path: Path, **pages: Any) -> Path:
    return write(tmp_path / "in", **{f"{name}__json": orjson.dumps(page) for name, page in pages.items()})


USERS: Final = [CUSTOMER, AGENT, COLLEAGUE]


def test_audits_of_other_files_become_the_turns_of_their_ticket(tmp_path: Path) -> None:
    audits = [
        audit(1, 1, said(1, 1, "Where is it?"), {"id": 9, "type": "Create", "field_name": "status", "value": "new"}),
        audit(2, 2, said(2, 2, "He is rude.", public=False), {"id": 8, "type": "Change", "field_name": "status"}),
        audit(3, 2, said(3, 2, "On its way.")),
        audit(4, 3, said(4, 3, "I wait, too.")),
    ]
    pages = {"tickets": {"tickets": [ticket()], "next_page": None, "count": 1}, "audits": {"audits": audits, "users": USERS}}
    table = ingested(folder_of(tmp_path, **pages), ZENDESK)

    assert texts(table) == {"7": ["customer: Where is it?", "agent: On its way.", "customer: I wait, too."]}
    assert {name: table.manifest.counts[name] for name in ("private_notes", "events.Create", "events.Change", "rows_read")} == {
        "private_notes": 1,
        "events.Create": 1,
        "events.Change": 1,
        "rows_read": 5,
    }
    assert rows(table)[0]["source_file"] == "tickets.json"


def test_the_comments_endpoint_names_its_ticket_in_the_file_name(tmp_path: Path) -> None:
    pages = {
        "tickets": {"tickets": [ticket(), ticket(8, description="Hi")]},
        "ticket_7_comments": {"comments": [comment(2, 2, "On its way."), comment(1, 1, "Where?")], "users": USERS},
    }
    table = ingested(folder_of(tmp_path, **pages), ZENDESK)

    assert texts(table) == {"7": ["customer: Where?", "agent: On its way."], "8": ["customer: Hi"]}


def test_json_lines_hold_their_comments_and_people(tmp_path: Path) -> None:
    record = ticket(requester=CUSTOMER, assignee=AGENT, comments=[comment(1, 1, "Where?"), comment(2, 2, "Here.", metadata={
        "system": {"ip_address": "192.0.2.7", "location": "Little Fenwick, United Kingdom", "client": "x"}})])  # fmt: skip
    row = rows(ingested(write(tmp_path / "in", tickets__jsonl=[record]), {**ZENDESK, "join": "file"}))[0]

    assert [turn["speaker"] for turn in row["turns"]] == ["customer", "agent"]
    assert row["outcome"] == {"resolved": True, "csat": 1.0, "reopened": None}
    assert (row["channel"], row["topics"]) == ("email", ["late"])
    assert sorted((each["role"], each["kind"], each["value"]) for each in row["participants"]) == [
        ("agent", "EMAIL_ADDRESS", "al@example.com"),
        ("agent", "IP_ADDRESS", "192.0.2.7"),
        ("agent", "LOCATION", "Little Fenwick"),
        ("agent", "LOCATION", "Little Fenwick, United Kingdom"),
        ("agent", "PERSON", "Al Roe"),
        ("customer", "EMAIL_ADDRESS", "jo@example.com"),
        ("customer", "PERSON", "Jo Fox"),
        ("customer", "PHONE_NUMBER", "555-0101"),
        ("other", "EMAIL_ADDRESS", "jo.fox@example.org"),
        ("other", "PERSON", "Jo F."),
    ]


def test_the_requester_is_the_customer_even_when_an_agent_asks(tmp_path: Path) -> None:
    record = ticket(requester_id=2, comments=[comment(1, 2, "My own order?")], users=[AGENT])

    assert texts(ingested(write(tmp_path / "in", tickets__jsonl=[record]), ZENDESK)) == {"7": ["customer: My own order?"]}


def test_a_ticket_without_comments_has_its_description(tmp_path: Path) -> None:
    table = ingested(folder_of(tmp_path, ticket_7={"ticket": ticket()}), ZENDESK)

    assert texts(table) == {"7": ["customer: Where is it?"]}


def test_a_ticket_whose_comments_are_all_private_is_dropped(tmp_path: Path) -> None:
    record = ticket(comments=[comment(1, 2, "He is rude.", public=False), comment(2, 2, "Or?", public=None)], users=[AGENT])
    table = ingested(write(tmp_path / "in", tickets__jsonl=[record]), ZENDESK)

    assert table.manifest.reasons == {"no_messages": 1}
    assert table.manifest.counts["private_notes"] == 2


def test_a_deleted_ticket_is_dropped(tmp_path: Path) -> None:
    table = ingested(write(tmp_path / "in", tickets__jsonl=[ticket(status="deleted")]), ZENDESK)

    assert table.manifest.reasons == {"deleted_ticket": 1}


def test_of_several_versions_of_a_ticket_the_one_updated_last_counts(tmp_path: Path) -> None:
    old = ticket(description="old", updated_at="2026-01-01T00:00:00Z")
    table = ingested(write(tmp_path / "in", tickets__jsonl=[ticket(description="new"), old]), ZENDESK)

    assert texts(table) == {"7": ["customer: new"]}
    assert table.manifest.counts["repeated_rows"] == 1


def test_the_same_comment_from_two_endpoints_is_one_turn(tmp_path: Path) -> None:
    pages = {
        "tickets": {"tickets": [ticket()]},
        "audits": {"audits": [audit(1, 1, said(1, 1, "Where?"))], "users": USERS},
        "ticket_7_comments": {"comments": [comment(1, 1, "Where?")]},
    }
    table = ingested(folder_of(tmp_path, **pages), ZENDESK)

    assert texts(table) == {"7": ["customer: Where?"]}
    assert table.manifest.counts["repeated_comments"] == 1


@pytest.mark.parametrize(
    ("pages", "expected"),
    [
        ({"audits": {"audits": [audit(1, 1, said(1, 1, "Where?"), ticket_id=9)]}}, ("audits.json", 1, "orphan", "1 rows without their ticket")),
        ({"comments": {"comments": [comment(1, 1, "Where?")]}}, ("comments.json", 1, "no_id", "")),
        ({"more": {"ticket": ticket(9, mood="bad")}}, ("more.json", 1, "unknown_field", "ticket.mood")),
        ({"more": {"ticket": ticket(9, comments=[comment(1, 44, "Who?")])}}, ("more.json", 1, "unknown_author", "author_id")),
        ({"more": {"ticket": ticket(9, comments=[{**comment(1, 1, "x"), "mood": 1}])}}, ("more.json", 1, "unknown_field", "comment.mood")),
        ({"more": {"ticket": ticket(9, comments=[7])}}, ("more.json", 1, "wrong_type", "comments")),
        ({"more": {"ticket": ticket(9, created_at="noon", description="x")}}, ("more.json", 1, "bad_time", "created_at")),
    ],
)  # fmt: skip
def test_what_cannot_be_read_is_set_aside_by_file_and_row(
    tmp_path: Path, pages: dict[str, Any], expected: tuple[Any, ...]
) -> None:
    table = ingested(folder_of(tmp_path, tickets={"tickets": [ticket()]}, **pages), ZENDESK)

    assert list(texts(table)) == ["7"]
    assert quarantined(table) == [expected]


def test_unknown_authors_speak_as_params_say(tmp_path: Path) -> None:
    folder = write(tmp_path / "in", tickets__jsonl=[ticket(comments=[comment(1, 44, "Hello"), comment(2, -1, "Merged.")])])

    assert texts(ingested(folder, {**ZENDESK, "unknown_author": "agent"})) == {"7": ["agent: Hello", "bot: Merged."]}


def test_custom_fields_hold_product_topic_and_identifiers_where_params_say(tmp_path: Path) -> None:
    fields = [{"id": 11, "value": "Tent"}, {"id": 12, "value": "HP-1"}, {"id": 13, "value": None}]
    mapping = {**ZENDESK, "product_field": 11, "topic_fields": [13], "identifier_fields": {12: "ORDER_NUMBER"}}
    row = rows(ingested(write(tmp_path / "in", tickets__jsonl=[ticket(custom_fields=fields)]), mapping))[0]

    assert (row["product"], row["topics"]) == ("Tent", ["late"])
    assert ("ORDER_NUMBER", "HP-1") in [(each["kind"], each["value"]) for each in row["participants"]]


def test_a_subject_may_be_put_above_the_first_turn(tmp_path: Path) -> None:
    folder = write(tmp_path / "in", tickets__jsonl=[ticket()])

    assert texts(ingested(folder, {**ZENDESK, "subject": "prepend"})) == {"7": ["customer: Order\n\nWhere is it?"]}


def test_a_comment_with_html_only_is_read_as_text(tmp_path: Path) -> None:
    record = ticket(comments=[{**comment(1, 1, ""), "html_body": "<div class='zd-comment'><p>Hi &amp; bye</p></div>"}])

    assert texts(ingested(write(tmp_path / "in", tickets__jsonl=[record]), ZENDESK)) == {"7": ["customer: Hi & bye"]}


def test_an_unknown_field_of_a_page_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match=r"^tickets.json: unknown field 'owner' beside the records; map it or list it"):
        ingested(folder_of(tmp_path, tickets={"tickets": [ticket()], "owner": "x"}), ZENDESK)


def test_each_folder_is_read_for_itself(tmp_path: Path) -> None:
    for day, description in (("day1", "old"), ("day2", "new")):
        write(tmp_path / "in").joinpath(day).mkdir()
        write(tmp_path / "in" / day, tickets__json=orjson.dumps({"tickets": [ticket(description=description)]}))
    table = ingested(tmp_path / "in", ZENDESK)

    assert texts(table) == {"7": ["customer: new"]}
    assert quarantined(table) == [("day1/tickets.json", 1, "duplicate_id", "delivered again in day2")]
    assert len(table.manifest.parts) == 2
    assert os.fspath(table.folder).endswith("in_ingested")
