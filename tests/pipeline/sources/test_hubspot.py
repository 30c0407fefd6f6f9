"""The HubSpot source: threads of the inbox, tickets with e-mails."""

from pathlib import Path
from typing import Any, Final

import orjson
import pytest

from pipeline.errors import SourceError
from tests.pipeline.received import ingested, quarantined, rows, texts, write

HUBSPOT: Final[dict[str, Any]] = {"format": "hubspot", "path": ".", "files": ["*.json"]}


def message(number: int, actor: str, text: str, kind: str = "MESSAGE", **more: Any) -> dict[str, Any]:
    address = {"type": "HS_EMAIL_ADDRESS", "value": "jo@example.com"}
    values = {"id": f"m{number}", "conversationsThreadId": "7", "type": kind, "createdAt": f"2026-01-05T12:0{number}:00Z"}
    return {**values, "text": text, "senders": [{"actorId": actor, "name": "Jo Fox", "deliveryIdentifier": address}], **more}


def page(*results: dict[str, Any]) -> bytes:
    return orjson.dumps({"results": list(results), "paging": {"next": {"after": "1"}}})


THREAD: Final = {"id": "7", "status": "CLOSED", "inboxId": "1", "createdAt": "2026-01-05T12:00:00Z", "associatedContactId": "5"}


def test_messages_of_a_thread_become_turns_and_comments_never_do(tmp_path: Path) -> None:
    messages = [
        message(1, "S-hubspot", "Welcome", "WELCOME_MESSAGE"),
        message(2, "V-5", "Where is it?"),
        message(3, "A-2", "He is rude", "COMMENT"),
        message(4, "A-2", "", richText="<p>On its way</p>"),
        message(5, "A-2", "", "THREAD_STATUS_CHANGE"),
    ]
    table = ingested(write(tmp_path / "in", threads__json=page(THREAD), messages__json=page(*messages)), HUBSPOT)
    row = rows(table)[0]

    assert texts(table) == {"7": ["bot: Welcome", "customer: Where is it?", "agent: On its way"]}
    assert (table.manifest.counts["private_notes"], row["outcome"]["resolved"]) == (1, True)
    assert ("customer", "jo@example.com") in {(each["role"], each["value"]) for each in row["participants"]}


def test_mails_of_a_ticket_become_turns_and_forwards_never_do(tmp_path: Path) -> None:
    ticket = {"id": "9", "properties": {"subject": "Order", "content": "Where?", "createdate": "2026-01-05T12:00:00Z"}}
    mails = [
        {
            "id": str(number),
            "properties": {
                "hs_email_direction": direction,
                "hs_email_text": text,
                "hs_timestamp": f"2026-01-05T12:0{number}:00Z",
            },
            "associations": {"tickets": {"results": [{"id": "9", "type": "email_to_ticket"}]}},
        }
        for number, (direction, text) in enumerate(
            [("INCOMING_EMAIL", "Where is it?"), ("FORWARDED_EMAIL", "Look at this"), ("EMAIL", "On its way")]
        )
    ]
    folder = write(tmp_path / "in", tickets__json=page(ticket, {**ticket, "id": "10"}), emails__json=page(*mails))

    assert texts(ingested(folder, HUBSPOT)) == {
        "ticket 9": ["customer: Where is it?", "agent: On its way"],
        "ticket 10": ["customer: Where?"],
    }


def test_messages_without_their_thread_are_set_aside(tmp_path: Path) -> None:
    folder = write(
        tmp_path / "in",
        a__json=page(THREAD),
        b__json=page(message(1, "V-5", "Hi"), message(2, "V-5", "x", conversationsThreadId="8")),
    )

    assert quarantined(ingested(folder, HUBSPOT)) == [("b.json", 2, "orphan", "1 rows without their thread or ticket")]


STAFF: Final = {"domains": ["shop.example"], "bots": ["robot@shop.example"]}


@pytest.mark.parametrize("direction", [None, "", "EMAIL"])
def test_where_the_direction_of_mails_is_absent_or_wrong_staff_are_known_by_their_addresses(
    direction: str | None, tmp_path: Path
) -> None:
    ticket = {"id": "9", "properties": {"subject": "Order", "createdate": "2026-01-05T12:00:00Z"}}
    written = [
        ("jo@example.org", "help@shop.example", "Where is it?"),
        ("al@shop.example", "kim@shop.example;help@shop.example", "He is rude"),
        ("AL@shop.example", "jo@example.org", "On its way"),
    ]
    mails = [
        {
            "id": str(number),
            "properties": {
                "hs_email_direction": direction, "hs_email_text": text, "hs_timestamp": f"2026-01-05T12:0{number}:00Z",
                "hs_email_from_email": sender, "hs_email_to_email": to,
            },
            "associations": {"tickets": {"results": [{"id": "9"}]}},
        }
        for number, (sender, to, text) in enumerate(written)
    ]  # fmt: skip
    folder = write(tmp_path / "in", tickets__json=page(ticket), emails__json=page(*mails))
    table = ingested(folder, {**HUBSPOT, "staff": STAFF})

    assert texts(table) == {"ticket 9": ["customer: Where is it?", "agent: On its way"]}
    assert table.manifest.counts["mails.internal"] == 1
    if not direction:
        with pytest.raises(SourceError, match="unknown_author: hs_email_direction"):
            ingested(folder, HUBSPOT)


def test_in_a_thread_of_the_inbox_staff_are_agents_whatever_direction_their_mail_has(tmp_path: Path) -> None:
    def sent(number: int, actor: str, sender: str, to: str, text: str) -> dict[str, Any]:
        ends = {name: [{"actorId": actor, "deliveryIdentifier": {"type": "HS_EMAIL_ADDRESS", "value": each}}]
                for name, each in (("senders", sender), ("recipients", to))}  # fmt: skip
        return message(number, actor, text, direction="INCOMING", **ends)

    messages = [
        sent(1, "V-5", "jo@example.org", "help@shop.example", "Where is it?"),
        sent(2, "V-6", "al@shop.example", "jo@example.org", "On its way"),
        sent(3, "V-6", "al@shop.example", "kim@shop.example", "He is rude"),
        sent(4, "V-7", "robot@shop.example", "jo@example.org", "It was sent."),
    ]
    table = ingested(write(tmp_path / "in", a__json=page(THREAD), b__json=page(*messages)), {**HUBSPOT, "staff": STAFF})

    assert texts(table) == {"7": ["customer: Where is it?", "agent: On its way", "bot: It was sent."]}
    assert table.manifest.counts["mails.internal"] == 1
