"""The Zendesk source: API pages and JSON lines; public comments only, speakers by role, people known."""

# ruff: noqa: E501  # a message stands whole, so that it can be compared and searched

import os
from pathlib import Path
from typing import Any, Final

import orjson
import pytest

from pipeline.doctor.diagnosis import diagnose
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


def chat_event(*history: dict[str, Any], kind: str = "ChatStartedEvent") -> dict[str, Any]:
    return {"id": 90, "type": kind, "value": {"chat_id": "c1", "visitor_id": "v1", "history": list(history)}}


def entry(minute: int, actor: str, author: int, text: str, kind: str = "ChatMessage", **more: Any) -> dict[str, Any]:
    moment = 1767614400000 + 60_000 * minute
    return {
        "type": kind,
        "timestamp": moment,
        "actor_type": actor,
        "actor_id": author,
        "actor_name": "N. N.",
        "message": text,
        **more,
    }


def test_a_chat_inside_an_audit_becomes_turns_and_its_transcript_none(tmp_path: Path) -> None:
    started = chat_event(
        entry(1, "end-user", 1, "Where is it?"),
        entry(2, "trigger", -1, "An agent will be with you."),
        entry(3, "agent", 2, "It left on Monday."),
        entry(4, "end-user", 1, "", kind="ChatJoin"),
        entry(5, "system", -1, "photo.jpg", kind="ChatFileAttachment"),
    )
    transcript = said(91, 1, "(12:01) Jo: Where is it? (12:02) An agent will be with you. (12:03) Al: It left on Monday.")
    later = said(92, 2, "Did it come?")
    folder = folder_of(
        tmp_path,
        tickets={"tickets": [ticket(via={"channel": "chat", "source": {}})]},
        audits={"audits": [audit(1, 1, started, transcript), audit(9, 2, later)], "users": [CUSTOMER, AGENT]},
    )
    table = ingested(folder, ZENDESK)

    assert texts(table)["7"] == [
        "customer: Where is it?", "bot: An agent will be with you.", "agent: It left on Monday.", "agent: Did it come?",
    ]  # fmt: skip
    counts = table.manifest.counts
    assert (counts["chat_transcripts"], counts["events.ChatJoin"], counts["events.ChatFileAttachment"]) == (1, 1, 1)
    assert rows(table)[0]["channel"] == "chat"


def test_a_messaging_session_knows_its_authors_by_their_original_messages(tmp_path: Path) -> None:
    session = chat_event(
        entry(1, "agent", 1, "Hi", original_message={"author": {"type": "USER"}, "content": {"text": "Hi"}}),
        entry(2, "agent", 9, "", original_message={"source": {"type": "zd:answerBot"}, "content": {"text": "I am a bot."}}),
        entry(3, "agent", 2, "Hello"),
        kind="MessagingStartedEvent",
    )
    opened = said(91, 1, "Conversation with Web User 5f3")
    folder = folder_of(
        tmp_path, tickets={"tickets": [ticket()]}, audits={"audits": [audit(1, 1, opened, session)], "users": [CUSTOMER, AGENT]}
    )

    assert texts(ingested(folder, ZENDESK))["7"] == ["customer: Hi", "bot: I am a bot.", "agent: Hello"]


def test_brand_group_and_tags_become_product_and_topics_by_side_loads_or_embedded(tmp_path: Path) -> None:
    side_loaded = {
        "tickets": [ticket(brand_id=5, group_id=6, organization_id=8)],
        "users": [CUSTOMER, AGENT],
        "brands": [{"id": 5, "name": "Gannet"}],
        "groups": [{"id": 6, "name": "Returns"}],
        "organizations": [{"id": 8, "name": "Fenwick Ltd"}],
    }
    row = rows(ingested(folder_of(tmp_path, tickets=side_loaded), ZENDESK))[0]

    assert (row["product"], row["topics"]) == ("Gannet", ["late", "Returns"])
    assert ("ORGANIZATION", "Fenwick Ltd") in {(each["kind"], each["value"]) for each in row["participants"]}


@pytest.mark.parametrize(
    ("rating", "csat"),
    [
        ({"score": "good"}, 1.0),
        ({"score": "bad_with_comment", "comment": "rude"}, 0.0),
        ({"score": "offered"}, None),
        (None, None),
    ],
)
def test_a_satisfaction_rating_is_a_share(rating: Any, csat: float | None, tmp_path: Path) -> None:
    page = {"tickets": [ticket(satisfaction_rating=rating)], "users": [CUSTOMER, AGENT]}

    assert rows(ingested(folder_of(tmp_path, tickets=page), ZENDESK))[0]["outcome"]["csat"] == csat


def test_a_ticket_that_went_from_solved_to_open_was_reopened(tmp_path: Path) -> None:
    def change(before: str, after: str) -> dict[str, Any]:
        return {"id": 50, "type": "Change", "field_name": "status", "previous_value": before, "value": after}

    audits = [audit(1, 1, said(11, 1, "Hi")), audit(2, 2, change("open", "solved")), audit(3, 1, change("solved", "open"))]
    folder = folder_of(tmp_path, tickets={"tickets": [ticket()]}, audits={"audits": audits, "users": [CUSTOMER, AGENT]})

    assert rows(ingested(folder, ZENDESK))[0]["outcome"] == {"resolved": True, "csat": 1.0, "reopened": True}


def test_reopens_stand_in_the_metrics_of_a_ticket(tmp_path: Path) -> None:
    page = {"tickets": [ticket(7), ticket(8)], "users": [CUSTOMER, AGENT], "metric_sets": [{"ticket_id": 7, "reopens": 2}]}
    outcomes = {
        row["native_id"]: row["outcome"]["reopened"] for row in rows(ingested(folder_of(tmp_path, tickets=page), ZENDESK))
    }

    assert outcomes == {"7": True, "8": None}


def test_a_comment_that_a_macro_wrote_says_so(tmp_path: Path) -> None:
    macro = {"id": 60, "type": "AgentMacroReference", "macro_id": "4", "macro_title": "Late parcel"}
    audits = [
        audit(1, 1, said(11, 1, "Hi")),
        audit(2, 2, said(12, 2, "We are sorry."), macro),
        audit(3, 2, said(13, 2, "Found it!")),
    ]
    folder = folder_of(tmp_path, tickets={"tickets": [ticket()]}, audits={"audits": audits, "users": [CUSTOMER, AGENT]})

    assert [turn["origin"] for turn in rows(ingested(folder, ZENDESK))[0]["turns"]] == ["human", "macro", "human"]


def test_the_comments_of_a_ticket_may_lie_in_a_folder_that_names_it(tmp_path: Path) -> None:
    folder = folder_of(tmp_path, tickets={"tickets": [ticket(), ticket(8, description="Hi")], "users": USERS})
    (folder / "tickets/7").mkdir(parents=True)
    said_there = {"comments": [comment(2, 2, "On its way."), comment(1, 1, "Where?")], "count": 2, "next_page": None}
    (folder / "tickets/7/comments.json").write_bytes(orjson.dumps(said_there))
    (found,) = diagnose(folder).sources
    table = ingested(folder, found.mapping)

    assert found.mapping["join"] == "source"
    assert texts(table) == {"7": ["customer: Where?", "agent: On its way."], "8": ["customer: Hi"]}
