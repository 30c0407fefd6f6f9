"""Exports in every vendor's shape, written from one known set of conversations."""

import csv
import io
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import formataddr
from html import escape
from typing import Any, Final, NamedTuple
from xml.sax.saxutils import quoteattr

import orjson

NOON: Final = datetime(2026, 1, 5, 12, tzinfo=UTC)


class Message(NamedTuple):
    """One message of a known conversation; the first is the customer's."""

    speaker: str
    text: str
    is_note: bool = False


class Known(NamedTuple):
    """A conversation as it is known to be."""

    number: int
    customer: str
    agent: str
    messages: Sequence[Message]

    def expected(self, *, has_notes: bool = True) -> list[str]:
        """What reading it back must give."""
        return [f"{each.speaker}: {each.text}" for each in self.messages if each.text and not (each.is_note and has_notes)]


Files = dict[str, bytes]


def when(known: Known, place: int) -> datetime:
    """The time of a message."""
    return NOON + timedelta(days=known.number, minutes=place)


def iso(known: Known, place: int) -> str:
    """The time as most APIs write it."""
    return when(known, place).isoformat().replace("+00:00", "Z")


def plain(known: Known, place: int) -> str:
    """The time as warehouses write it."""
    return f"{when(known, place):%Y-%m-%d %H:%M:%S}"


def unix(known: Known, place: int) -> int:
    """The time in seconds."""
    return int(when(known, place).timestamp())


def mail(who: str, known: Known) -> str:
    """An address of somebody."""
    return f"{who}{known.number}@example.com"


def as_csv(rows: Sequence[Mapping[str, Any]], columns: Sequence[str]) -> bytes:
    """A table, quoted as spreadsheets do."""
    text = io.StringIO()
    writer = csv.DictWriter(text, columns, restval="")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue().encode()


def _people(known: Known) -> tuple[int, int]:
    return 1000 + known.number, 7


def _author(known: Known, message: Message) -> int:
    return _people(known)[message.speaker == "agent"]


def zendesk(every: Sequence[Known]) -> Files:
    """Tickets as JSON lines, their comments inside."""
    lines = []
    for known in every:
        customer, agent = _people(known)
        comments = [
            {
                "id": known.number * 100 + place,
                "author_id": _author(known, message),
                "body": message.text,
                "public": not message.is_note,
                "created_at": iso(known, place),
            }
            for place, message in enumerate(known.messages)
        ]
        users = [
            {"id": customer, "name": known.customer, "role": "end-user"},
            {"id": agent, "name": known.agent, "role": "agent"},
        ]
        lines.append({
            "id": known.number, "requester_id": customer, "status": "solved", "via": {"channel": "email"},
            "created_at": iso(known, 0), "updated_at": iso(known, 99), "comments": comments, "users": users,
        })  # fmt: skip
    return {"tickets.jsonl": b"\n".join(map(orjson.dumps, lines))}


def zendesk_audits(every: Sequence[Known]) -> Files:
    """Pages of tickets and audits, users side-loaded."""
    tickets, audits, users = [], [], []
    for known in every:
        customer, agent = _people(known)
        tickets.append({
            "id": known.number, "requester_id": customer, "status": "open", "via": {}, "created_at": iso(known, 0),
            "updated_at": iso(known, 99),
        })  # fmt: skip
        users += [{"id": customer, "name": known.customer, "role": "end-user"}, {"id": agent, "name": "Agent", "role": "agent"}]
        audits += [
            {
                "id": known.number * 100 + place, "ticket_id": known.number, "author_id": _author(known, message),
                "created_at": iso(known, place), "metadata": {}, "via": {},
                "events": [
                    {"id": known.number * 100 + place, "type": "Comment", "body": message.text, "public": not message.is_note},
                    {"id": 1, "type": "Change", "field_name": "priority", "value": "high"},
                ],
            }
            for place, message in enumerate(known.messages)
        ]  # fmt: skip
    return {"tickets.json": orjson.dumps({"tickets": tickets}), "audits.json": orjson.dumps({"audits": audits, "users": users})}


def zendesk_tables(every: Sequence[Known]) -> Files:
    """Tables of a warehouse."""
    tickets, comments, users = [], [], [{"id": 7, "role": "agent", "email": "a@example.com", "name": "Agent"}]
    for known in every:
        customer, _ = _people(known)
        tickets.append({
            "id": known.number, "requester_id": customer, "status": "closed", "subject": "x", "created_at": plain(known, 0),
            "updated_at": plain(known, 99),
        })  # fmt: skip
        users.append({"id": customer, "role": "end-user", "email": mail("c", known), "name": known.customer})
        comments += [
            {
                "id": known.number * 100 + place, "ticket_id": known.number, "user_id": _author(known, message),
                "body": message.text, "public": "FALSE" if message.is_note else "TRUE", "created": plain(known, place),
            }
            for place, message in enumerate(known.messages)
        ]  # fmt: skip
    return {
        "ticket.csv": as_csv(tickets, ["id", "requester_id", "status", "subject", "created_at", "updated_at"]),
        "comment.csv": as_csv(comments, ["id", "ticket_id", "user_id", "body", "public", "created"]),
        "user.csv": as_csv(users, ["id", "role", "email", "name"]),
    }


def html(text: str) -> str:
    """A text as help desks keep it."""
    return f"<p>{escape(text)}</p>" if text else ""


def intercom(every: Sequence[Known]) -> Files:
    """Conversations with parts, as the API pages them."""
    found = []
    for known in every:
        authors = {
            "customer": {"type": "user", "id": f"u{known.number}", "name": known.customer, "email": mail("c", known)},
            "agent": {"type": "admin", "id": "7", "name": known.agent},
        }
        parts = [
            {
                "type": "conversation_part", "id": f"{known.number}-{place}",
                "part_type": "note" if message.is_note else "comment",
                "body": html(message.text), "created_at": unix(known, place), "author": authors[message.speaker],
            }
            for place, message in enumerate(known.messages)
            if place
        ]  # fmt: skip
        found.append({
            "type": "conversation", "id": str(known.number), "created_at": unix(known, 0), "updated_at": unix(known, 99),
            "source": {"type": "conversation", "body": html(known.messages[0].text), "author": authors["customer"]},
            "conversation_parts": {"type": "conversation_part.list", "conversation_parts": parts},
        })  # fmt: skip
    return {"page.json": orjson.dumps({"type": "conversation.list", "conversations": found, "total_count": len(found)})}


def intercom_tables(every: Sequence[Known]) -> Files:
    """History tables, with versions that no longer hold."""
    history, parts = [], []
    for known in every:
        row = {
            "id": known.number, "source_author_type": "user", "source_author_id": f"u{known.number}", "state": "open",
            "created_at": plain(known, 0),
        }  # fmt: skip
        history.append({**row, "source_body": "old", "updated_at": plain(known, 0), "_fivetran_active": "false"})
        body = html(known.messages[0].text)
        history.append({**row, "source_body": body, "updated_at": plain(known, 99), "_fivetran_active": "true"})
        parts += [
            {
                "id": f"{known.number}{place:02}", "conversation_id": known.number, "body": html(message.text),
                "part_type": "note" if message.is_note else "comment", "created_at": plain(known, place),
                "_fivetran_active": "TRUE",
                "author_type": "admin" if message.speaker == "agent" else "user", "author_id": _author(known, message),
            }
            for place, message in enumerate(known.messages)
            if place
        ]  # fmt: skip
    columns = ["id", "conversation_id", "part_type", "body", "author_id", "author_type", "created_at", "_fivetran_active"]
    head = [
        "id",
        "source_body",
        "source_author_type",
        "source_author_id",
        "state",
        "created_at",
        "updated_at",
        "_fivetran_active",
    ]
    return {"conversation.csv": as_csv(history, head), "part.csv": as_csv(parts, columns)}


def freshdesk(every: Sequence[Known]) -> Files:
    """Tickets, and conversations beside them."""
    tickets, said = [], []
    for known in every:
        customer, agent = _people(known)
        text = known.messages[0].text
        tickets.append({
            "id": known.number, "requester_id": customer, "responder_id": agent, "status": 5, "source": 1, "subject": "x",
            "description": html(text), "description_text": text, "created_at": iso(known, 0), "updated_at": iso(known, 99),
        })  # fmt: skip
        said += [
            {
                "id": known.number * 100 + place, "ticket_id": known.number, "incoming": message.speaker == "customer",
                "private": message.is_note, "user_id": _author(known, message), "body": html(message.text),
                "body_text": message.text,
                "created_at": iso(known, place),
            }
            for place, message in enumerate(known.messages)
            if place
        ]  # fmt: skip
    return {"tickets.json": orjson.dumps(tickets), "conversations.json": orjson.dumps(said)}


def slack(every: Sequence[Known]) -> Files:
    """Threads of one channel, one file per day."""
    days: Files = {}
    for known in every:
        thread = f"{unix(known, 0)}.{known.number:06}"
        events = [
            {
                "type": "message", "user": "UAGENT" if message.speaker == "agent" else f"U{known.number}", "thread_ts": thread,
                "text": escape(message.text, quote=False), "ts": f"{unix(known, place)}.{known.number:06}",
            }
            for place, message in enumerate(known.messages)
        ]  # fmt: skip
        days[f"help/{when(known, 0):%Y-%m-%d}.json"] = orjson.dumps(events)
    users = [{"id": "UAGENT", "name": "helper", "profile": {"display_name": "helper"}}]
    return {**days, "users.json": orjson.dumps(users), "channels.json": b"[]"}


def helpscout(every: Sequence[Known]) -> Files:
    """A page of conversations with their threads embedded."""
    found = []
    for known in every:
        threads = [
            {
                "id": known.number * 100 + place,
                "type": "note" if message.is_note else "customer" if message.speaker == "customer" else "message",
                "body": html(message.text), "state": "published", "createdAt": iso(known, place),
                "createdBy": {"id": _author(known, message), "type": "customer" if message.speaker == "customer" else "user"},
            }
            for place, message in enumerate(known.messages)
        ]  # fmt: skip
        found.append({
            "id": known.number, "subject": "x", "status": "closed", "type": "email", "createdAt": iso(known, 0),
            "primaryCustomer": {"id": 1000 + known.number, "first": known.customer, "email": mail("c", known)},
            "_embedded": {"threads": threads},
        })  # fmt: skip
    return {"page.json": orjson.dumps({"_embedded": {"conversations": found}, "page": {"number": 1}})}


def hubspot(every: Sequence[Known]) -> Files:
    """Threads, and their messages beside them."""
    threads, messages = [], []
    for known in every:
        threads.append({
            "id": str(known.number), "status": "OPEN", "inboxId": "1", "createdAt": iso(known, 0),
            "associatedContactId": str(known.number),
        })  # fmt: skip
        messages += [
            {
                "id": f"m{known.number}-{place}", "conversationsThreadId": str(known.number), "createdAt": iso(known, place),
                "type": "COMMENT" if message.is_note else "MESSAGE", "text": message.text, "richText": html(message.text),
                "direction": "INCOMING" if message.speaker == "customer" else "OUTGOING",
                "senders": [{"actorId": "A-7" if message.speaker == "agent" else f"V-{known.number}"}],
            }
            for place, message in enumerate(known.messages)
        ]  # fmt: skip
    return {
        "threads.json": orjson.dumps({"results": threads}),
        "messages.json": orjson.dumps({"results": messages, "paging": {}}),
    }


def salesforce(every: Sequence[Known]) -> Files:
    """Cases, comments of agents, e-mails of customers, users, as Data Export writes them."""
    cases, comments, mails = [], [], []
    for known in every:
        key = f"500{known.number:012}"
        cases.append({
            "Id": f"{key}AAA", "CaseNumber": known.number, "Status": "Closed", "CreatedDate": plain(known, 0),
            "LastModifiedDate": plain(known, 99), "SuppliedName": known.customer,
        })  # fmt: skip
        for place, message in enumerate(known.messages):
            at = {"ParentId": f"{key}AAA", "CreatedDate": plain(known, place)}
            if message.speaker == "customer" and not message.is_note:
                mails.append({
                    **at, "Id": f"02s{known.number:06}{place:06}", "FromAddress": mail("c", known), "TextBody": message.text,
                    "Incoming": "1", "MessageDate": plain(known, place),
                })  # fmt: skip
            else:
                published = "0" if message.is_note else "1"
                comments.append({
                    **at, "Id": f"00a{known.number:06}{place:06}", "CommentBody": message.text, "IsPublished": published,
                    "CreatedById": "005000000000007AAA",
                })  # fmt: skip
    return {
        "Case.csv": as_csv(cases, list(cases[0])),
        "CaseComment.csv": as_csv(comments, ["Id", "ParentId", "CommentBody", "IsPublished", "CreatedById", "CreatedDate"]),
        "EmailMessage.csv": as_csv(
            mails, ["Id", "ParentId", "FromAddress", "TextBody", "Incoming", "MessageDate", "CreatedDate"]
        ),
    }


def table(every: Sequence[Known]) -> Files:
    """One row per message."""
    rows = [
        {"chat": known.number, "who": message.speaker, "text": message.text, "at": iso(known, place)}
        for known in every
        for place, message in enumerate(known.messages)
    ]
    return {"log.csv": as_csv(rows, ["chat", "who", "text", "at"])}


def events(every: Sequence[Known]) -> Files:
    """One record per conversation."""
    records = [
        {
            "id": known.number,
            "events": [
                {
                    "kind": "note" if message.is_note else "message",
                    "who": message.speaker,
                    "text": message.text,
                    "at": iso(known, place),
                }
                for place, message in enumerate(known.messages)
            ],
        }
        for known in every
    ]
    return {"log.jsonl": b"\n".join(map(orjson.dumps, records))}


def pairs(every: Sequence[Known]) -> Files:
    """One record per conversation, in which each question stands beside its answer."""
    records = []
    for known in every:
        history: list[dict[str, Any]] = []
        for place, message in enumerate(known.messages):
            half = "response" if message.speaker == "agent" else "query"
            said = {half: message.text, f"{half}_at": iso(known, place)}
            if message.is_note:
                history.append({"kind": "note", "query": message.text, "query_at": iso(known, place)})
            elif half == "response" and history and history[-1]["kind"] == "pair" and "response" not in history[-1]:
                history[-1] |= said
            else:
                history.append({"kind": "pair", **said})
        records.append({"id": known.number, "history": history})
    return {"log.jsonl": b"\n".join(map(orjson.dumps, records))}


def xml_rows(every: Sequence[Known]) -> Files:
    """One element per message, with attributes as databases dump them."""
    rows = "\n".join(
        f"  <row Chat={quoteattr(str(known.number))} Who={quoteattr(message.speaker)} At={quoteattr(iso(known, place))}"
        f" Kind={quoteattr('note' if message.is_note else 'message')} Text={quoteattr(message.text)} />"
        for known in every
        for place, message in enumerate(known.messages)
    )
    return {"log.xml": f'<?xml version="1.0" encoding="utf-8"?>\n<rows xmlns:x="urn:x" count="9">\n{rows}\n</rows>\n'.encode()}


def xml_nested(every: Sequence[Known]) -> Files:
    """One element per conversation, with its messages in it, as issue trackers export them."""

    def message(known: Known, place: int, each: Message) -> str:
        kind = "note" if each.is_note else "message"
        text = escape(each.text, quote=False) if place % 2 else f"<![CDATA[{each.text}]]>"
        return f'<comment kind="{kind}" who="{each.speaker}" at="{iso(known, place)}"><said>{text}</said></comment>'

    items = "\n".join(
        f"<item><key>{known.number}</key><comments>"
        f"{''.join(message(known, place, each) for place, each in enumerate(known.messages))}<comment kind='seen'/>"
        "</comments></item>"
        for known in every
    )
    return {"log.xml": f'<rss version="0.92"><channel><title>Desk</title>{items}</channel></rss>'.encode()}


def _mails(every: Sequence[Known]) -> list[bytes]:
    """Each message as a mail that names the one before it."""
    found = []
    for known in every:
        for place, message in enumerate(known.messages):
            sender = mail("jo", known) if message.speaker == "customer" else "al@support.example.com"
            letter = EmailMessage(policy=SMTP.clone(cte_type="7bit"))
            letter["From"] = formataddr((known.customer if message.speaker == "customer" else known.agent, sender))
            letter["To"] = "al@support.example.com" if message.speaker == "customer" else mail("jo", known)
            letter["Subject"] = f"{'Re: ' if place else ''}Order {known.number}"
            letter["Date"] = when(known, place)
            letter["Message-ID"] = f"<{known.number}.{place}@mail.example.com>"
            if place:
                letter["In-Reply-To"] = f"<{known.number}.{place - 1}@mail.example.com>"
                letter["References"] = " ".join(f"<{known.number}.{before}@mail.example.com>" for before in range(place))
            letter.set_content(message.text, charset="utf-8")
            found.append(letter.as_bytes())
    return found


def mbox(every: Sequence[Known]) -> Files:
    """One mailbox."""
    return {
        "support.mbox": b"".join(b"From jo@example.com Mon Jan  5 12:00:00 2026\n" + each + b"\n\n" for each in _mails(every))
    }


def eml(every: Sequence[Known]) -> Files:
    """A file for each mail."""
    return {f"{number:04}.eml": each for number, each in enumerate(_mails(every))}


def irc(every: Sequence[Known]) -> Files:
    """A log for each day, on each of which one conversation takes place."""
    return {
        f"{when(known, 0):%Y-%m-%d}.log": "".join(
            f"[{when(known, place):%H:%M}] <{'jo' if message.speaker == 'customer' else 'al'}> {message.text}\n"
            for place, message in enumerate(known.messages)
        ).encode()
        for known in every
    }


NAMED: Final = {"customer": "Jo Fox", "agent": "Al Roe"}


def whatsapp(every: Sequence[Known]) -> Files:
    """A chat for each conversation, as a phone set to German exports it."""
    return {
        f"chat {known.number}.txt": (
            f"{when(known, 0):%d.%m.%y, %H:%M} - Nachrichten und Anrufe sind Ende-zu-Ende-verschlüsselt.\n"
            + "".join(
                f"{when(known, place):%d.%m.%y, %H:%M} - {NAMED[message.speaker]}: {message.text}\n"
                for place, message in enumerate(known.messages)
            )
        ).encode()
        for known in every
    }


def transcripts(every: Sequence[Known]) -> Files:
    """All conversations in one text, with a line between them."""
    return {
        "all.txt": "\n=====\n".join(
            "\n".join(f"{message.speaker.capitalize()}: {message.text}" for message in known.messages) for known in every
        ).encode()
    }


_SPEAKER: Final = {"at": "who", "customer": ["customer"], "agent": ["agent"]}
_ALL: Final[dict[str, Any]] = {"path": ".", "files": ["*.json", "*.jsonl", "*.csv"], "zone": "UTC"}
_MAIL: Final[dict[str, Any]] = {
    "path": ".",
    "join": "source",
    "staff": {"domains": ["support.example.com"]},
    "subject": "leave",
    "thread_gap_days": 30,
    "zone": "UTC",
}
_ZENDESK: Final = {"join": "folder", "subject": "leave", "unknown_author": "refuse"}

VENDORS: Final[Mapping[str, tuple[Callable[[Sequence[Known]], Files], dict[str, Any]]]] = {
    "zendesk": (zendesk, {"format": "zendesk", **_ALL, **_ZENDESK}),
    "zendesk_audits": (zendesk_audits, {"format": "zendesk", **_ALL, **_ZENDESK}),
    "zendesk_tables": (zendesk_tables, {"format": "zendesk_tables", **_ALL, **_ZENDESK}),
    "intercom": (intercom, {"format": "intercom", **_ALL}),
    "intercom_tables": (intercom_tables, {"format": "intercom", **_ALL}),
    "freshdesk": (freshdesk, {"format": "freshdesk", **_ALL}),
    "slack": (slack, {"format": "slack", **_ALL, "channels": ["*"], "staff": ["helper"], "session_gap_minutes": 60}),
    "helpscout": (helpscout, {"format": "helpscout", **_ALL}),
    "hubspot": (hubspot, {"format": "hubspot", **_ALL}),
    "salesforce": (salesforce, {"format": "salesforce", **_ALL}),
    "table": (table, {"format": "table", **_ALL, "id": "chat", "turn": {"speaker": _SPEAKER, "text": "text", "sent_at": "at"}}),
    "events": (
        events,
        {
            "format": "events",
            **_ALL,
            "id": "id",
            "turns": "events",
            "messages": {"kind": ["message"]},
            "kind": "kind",
            "speaker": _SPEAKER,
            "text": "text",
            "sent_at": "at",
        },
    ),
    "pairs": (
        pairs,
        {
            "format": "events",
            **_ALL,
            "id": "id",
            "turns": "history",
            "messages": {"kind": ["pair"]},
            "kind": "kind",
            "pair": {"question": "query", "answer": "response", "asked_at": "query_at", "answered_at": "response_at"},
        },
    ),
    "xml_rows": (
        xml_rows,
        {
            "format": "table",
            "path": ".",
            "files": ["*.xml"],
            "ignore_beside": ["count"],
            "id": "Chat",
            "messages": {"Kind": ["message"]},
            "kind": "Kind",
            "turn": {"speaker": {**_SPEAKER, "at": "Who"}, "text": "Text", "sent_at": "At"},
        },
    ),
    "xml_nested": (
        xml_nested,
        {
            "format": "events",
            "path": ".",
            "files": ["*.xml"],
            "records": "channel.item",
            "ignore_beside": ["version", "title"],
            "id": "key",
            "turns": "comments.comment",
            "messages": {"kind": ["message"]},
            "kind": "kind",
            "speaker": _SPEAKER,
            "text": "said",
            "sent_at": "at",
        },
    ),
    "mbox": (mbox, {"format": "mbox", "undated": "refuse", **_MAIL, "files": ["*.mbox"]}),
    "eml": (eml, {"format": "eml", "undated": "keep", **_MAIL, "files": ["*.eml"]}),
    "irc": (
        irc,
        {
            "format": "irc",
            "path": ".",
            "files": ["*.log"],
            "zone": "UTC",
            "staff": ["al"],
            "sessions": "channel",
            "gap_minutes": 60,
        },
    ),
    "transcripts": (
        transcripts,
        {
            "format": "transcripts",
            "path": ".",
            "files": ["*.txt"],
            "transcript": {"customer": ["Customer"], "agent": ["Agent"]},
            "separator": "=+",
        },
    ),
    "whatsapp": (
        whatsapp,
        {
            "format": "whatsapp",
            "path": ".",
            "files": ["*.txt"],
            "zone": "UTC",
            "date_order": "day_first",
            "staff": ["Al Roe"],
            "gap_minutes": 60,
        },
    ),
}
"""Vendor -> who writes its export, and the mapping that reads it."""

WITHOUT_NOTES: Final = frozenset({"slack", "table", "mbox", "eml", "irc", "whatsapp", "transcripts"})
"""Shapes that know no internal notes: what is said there is said to all."""
