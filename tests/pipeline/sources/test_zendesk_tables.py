"""Zendesk tables of a warehouse: which ticket a chat is of, and rows whose ticket never came."""

from pathlib import Path
from typing import Any, Final

from tests.pipeline.received import ingested, quarantined, texts, write

TABLES: Final[dict[str, Any]] = {
    "format": "zendesk_tables", "path": ".", "files": ["*.csv"], "zone": "UTC", "unknown_author": "agent",
}  # fmt: skip
TICKETS: Final = "id,requester_id,status,subject,description,created_at\n"
COMMENTS: Final = "id,ticket_id,public,user_id,body,created\n"
CHATS: Final = "chat_id,ticket_id\n"
EVENTS: Final = "chat_id,actor_id,type,message,created_at\n"


def ticket(number: int) -> str:
    return f"{number},1,solved,Order,Where is {number}?,2026-01-05 12:00:00\n"


def test_a_chat_of_several_tickets_is_of_the_one_that_was_delivered(tmp_path: Path) -> None:
    folder = write(
        tmp_path / "in",
        ticket__csv=TICKETS + ticket(7),
        ticket_chat__csv=CHATS + "c1,7\nc1,8\nc1,9\n",
        ticket_chat_event__csv=EVENTS + "c1,end-user:1,ChatMessage,Hi there,2026-01-05 12:01:00\n",
    )

    assert texts(ingested(folder, TABLES)) == {"7": ["customer: Where is 7?", "customer: Hi there"]}


def test_a_chat_whose_tickets_were_all_delivered_is_nobodys(tmp_path: Path) -> None:
    folder = write(
        tmp_path / "in",
        ticket__csv=TICKETS + ticket(7) + ticket(8),
        ticket_chat__csv=CHATS + "c1,7\nc1,8\n",
        ticket_chat_event__csv=EVENTS + "c1,end-user:1,ChatMessage,Hi there,2026-01-05 12:01:00\n",
    )
    table = ingested(folder, TABLES)

    assert texts(table) == {"7": ["customer: Where is 7?"], "8": ["customer: Where is 8?"]}
    assert quarantined(table) == [("ticket_chat_event.csv", 1, "several_tickets", "")]


def test_comments_and_chats_whose_ticket_never_came_are_reported_as_orphans(tmp_path: Path) -> None:
    folder = write(
        tmp_path / "in",
        ticket__csv=TICKETS + ticket(7),
        comment__csv=COMMENTS + "1,7,true,1,Where is it?,2026-01-05 12:00:00\n2,99,true,1,Lost,2026-01-05 12:00:00\n",
        ticket_chat__csv=CHATS + "c1,98\n",
        ticket_chat_event__csv=EVENTS
        + "c1,end-user:1,ChatMessage,Hi,2026-01-05 12:01:00\nc2,end-user:1,ChatMessage,Ho,2026-01-05 12:01:00\n",
    )
    table = ingested(folder, TABLES)

    assert texts(table) == {"7": ["customer: Where is it?"]}
    assert quarantined(table) == [
        ("comment.csv", 2, "orphan", "1 rows without their ticket"),
        ("ticket_chat.csv", 1, "orphan", "2 rows without their ticket"),
        ("ticket_chat_event.csv", 1, "orphan", "2 rows without their ticket"),
        ("ticket_chat_event.csv", 2, "orphan", "1 rows without their ticket"),
    ]
