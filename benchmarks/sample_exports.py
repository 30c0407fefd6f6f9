"""The shapes of three exports: what the API of a help desk returns, chat events in JSON lines, and rows of a CSV file."""

import csv
import gzip
import html
import io
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from random import Random
from typing import Any, Final
from zoneinfo import ZoneInfo

from sample_writing import AGENTS, CHAT, DESK, FAQ, Conversation, Person, Turn, chance

SHOP_ZONE: Final = ZoneInfo("Europe/London")
"""The FAQ export writes local time without a zone, as many back ends do; summer time begins within the sample."""

TICKETS_PER_PAGE: Final = 100
SILENT_CHATS: Final = 7
LOCALES: Final = {"en": "en-GB", "de": "de-DE", "es": "es-ES", "fr": "fr-FR"}
COUNTRIES: Final = {"en": "United Kingdom", "de": "Germany", "es": "Spain", "fr": "France"}


@dataclass
class Export:
    """Files of one source, and what stands in them besides the texts."""

    files: dict[str, bytes] = field(default_factory=dict)
    values: dict[str, set[tuple[str, str]]] = field(default_factory=dict)
    """Native id -> personal values in fields and non-message events."""

    bad_rows: list[dict[str, Any]] = field(default_factory=list)
    """File, row (from 1, a header not counted) and fault of what no reader can turn into a conversation."""

    silent: int = 0
    """Records that hold no message at all."""


def to_json(content: Any) -> str:
    """One line of JSON."""
    return json.dumps(content, ensure_ascii=False, separators=(",", ":"))


def _zendesk_time(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


def _agent_values(agent: int) -> set[tuple[str, str]]:
    first, last = AGENTS[agent]
    return {("PERSON", first), ("PERSON", last), ("EMAIL_ADDRESS", _agent_email(agent))}


def _agent_email(agent: int) -> str:
    return f"{AGENTS[agent][0].lower()}@harbour-pine.example"


def export_desk(conversations: Sequence[Conversation], draw: Random) -> Export:
    """What `GET /api/v2/tickets` and `GET /api/v2/tickets/{id}/audits?include=users` return, the audits page by page.

    Source: developer.zendesk.com, Tickets and Ticket Audits (2026-01); shapes as in its recorded API traffic.
    """
    export = Export()
    tickets = [_ticket(conversation, draw) for conversation in conversations]
    pages = [range(start, min(start + TICKETS_PER_PAGE, len(tickets))) for start in range(0, len(tickets), TICKETS_PER_PAGE)]
    for number, page in enumerate(pages, start=1):
        ahead = f"https://harbour-pine.example/api/v2/{{}}.json?page={number + 1}" if number < len(pages) else None
        behind = f"https://harbour-pine.example/api/v2/{{}}.json?page={number - 1}" if number > 1 else None
        audits = [audit for at in page for audit in _audits(conversations[at], draw, export)]
        for kind, content in {
            "tickets": {"tickets": [tickets[at] for at in page]},
            "audits": {"audits": audits, "users": _users([conversations[at] for at in page])},
        }.items():
            turning = {"next_page": ahead and ahead.format(kind), "previous_page": behind and behind.format(kind)}
            count = len(tickets) if kind == "tickets" else len(audits)
            export.files[f"{kind}_page{number}.json"] = (to_json({**content, **turning, "count": count}) + "\n").encode()
    return export


def _requester_id(customer: Person) -> int:
    return 361000200 + 7 * customer.number


def _agent_id(agent: int) -> int:
    return 361000010 + agent


def _ticket(conversation: Conversation, draw: Random) -> dict[str, Any]:
    first = conversation.turns[0].text
    answered = conversation.is_answered
    score = draw.choices(("good", "bad", "offered", "unoffered"), (5, 1, 4, 10))[0] if answered else "unoffered"
    rating = {"score": score, "id": 99000 + int(conversation.native_id)} if score in {"good", "bad"} else {"score": score}
    if score == "good" and chance(draw, 0.3):
        rating["comment"] = f"{AGENTS[conversation.agent][0]} was lovely"
    subject = (
        " ".join(first.replace("\n", " ").split(" ")[:3]) + " ..." if chance(draw, 0.2) else conversation.topic.replace("_", " ")
    )
    return {
        "url": f"https://harbour-pine.example/api/v2/tickets/{conversation.native_id}.json",
        "id": int(conversation.native_id),
        "external_id": None,
        "via": {"channel": draw.choice(("email", "email", "web")), "source": {"from": {}, "to": {}, "rel": None}},
        "created_at": _zendesk_time(conversation.opened),
        "updated_at": _zendesk_time(conversation.opened + timedelta(days=3)),
        "type": "question",
        "subject": subject,
        "raw_subject": subject,
        "description": first,
        "priority": draw.choice(("low", "normal", "normal", "high")),
        "status": draw.choice(("solved", "closed")) if answered else draw.choice(("new", "open")),
        "recipient": "help@harbour-pine.example",
        "requester_id": _requester_id(conversation.customer),
        "submitter_id": _requester_id(conversation.customer),
        "assignee_id": _agent_id(conversation.agent) if answered else None,
        "organization_id": None,
        "group_id": 36100001,
        "collaborator_ids": [],
        "forum_topic_id": None,
        "problem_id": None,
        "has_incidents": False,
        "due_at": None,
        "tags": [conversation.topic],
        "custom_fields": [{"id": 36000101, "value": conversation.product}, {"id": 36000102, "value": conversation.order}],
        "satisfaction_rating": rating,
        "brand_id": 36000001,
    }


def _audits(conversation: Conversation, draw: Random, export: Export) -> Iterator[dict[str, Any]]:
    customer, moment = conversation.customer, conversation.opened
    values = export.values.setdefault(conversation.native_id, set())
    values |= {
        ("PERSON", customer.first),
        ("PERSON", customer.last),
        ("EMAIL_ADDRESS", customer.email),
        ("PHONE_NUMBER", customer.phone),
        ("IP_ADDRESS", customer.ip),
        ("LOCATION", customer.town),
        ("ORDER_NUMBER", conversation.order),
    }
    for number, turn in enumerate(conversation.turns):
        is_customer = turn.speaker == "customer"
        author = _requester_id(customer) if is_customer else _agent_id(conversation.agent)
        audit = 700_000 + int(conversation.native_id) * 20 + number * 2
        if not is_customer:
            values |= _agent_values(conversation.agent)
        events: list[dict[str, Any]] = [
            {
                "id": audit + 1,
                "type": "Comment",
                "author_id": author,
                "body": turn.text,
                "html_body": _html_body(turn.text),
                "public": not turn.is_private,
                "attachments": [],
                "audit_id": audit,
            }
        ]
        if number == 0:
            events.append({"id": audit + 900_001, "type": "Create", "value": "new", "field_name": "status"})
        elif not is_customer and not turn.is_private:
            change = {"type": "Change", "value": "pending", "field_name": "status", "previous_value": "open"}
            events.append({"id": audit + 900_001, **change})
        system = {
            "client": "Mozilla/5.0",
            "ip_address": customer.ip,
            "location": f"{customer.town}, {COUNTRIES[customer.language]}",
        }
        yield {
            "id": audit,
            "ticket_id": int(conversation.native_id),
            "created_at": _zendesk_time(moment),
            "author_id": author,
            "via": {"channel": "email" if is_customer else "web", "source": {"from": {}, "to": {}, "rel": None}},
            "metadata": {"system": system if is_customer else {}, "custom": {}},
            "events": events,
        }
        moment += timedelta(minutes=draw.randint(3, 2000))


def _html_body(text: str) -> str:
    paragraphs = "".join(f"<p>{html.escape(part, quote=False).replace(chr(10), '<br>')}</p>" for part in text.split("\n\n"))
    return f'<div class="zd-comment" dir="auto">{paragraphs}</div>'


def _users(conversations: Sequence[Conversation]) -> list[dict[str, Any]]:
    customers = {one.customer.number: one.customer for one in conversations}
    agents = sorted({one.agent for one in conversations})
    people: list[tuple[int, str, str, str | None, str, str]] = [
        (_requester_id(one), one.full, one.email, one.phone, "end-user", LOCALES[one.language])
        for _, one in sorted(customers.items())
    ]
    people += [
        (_agent_id(agent), " ".join(AGENTS[agent]), _agent_email(agent), None, "admin" if agent == 0 else "agent", "en-GB")
        for agent in agents
    ]
    return [
        {"id": id_, "name": name, "email": email, "phone": phone, "role": role, "locale": locale, "active": True, "tags": []}
        for id_, name, email, phone, role, locale in people
    ]


def export_chat(conversations: Sequence[Conversation], draw: Random) -> Export:
    """One JSON record per chat and line, one file per month; messages are events of type `message` among others."""
    export = Export()
    lines: dict[str, list[str]] = {}
    entities = set(draw.sample([one.native_id for one in conversations], 12))
    silent = set(draw.sample(range(len(conversations)), SILENT_CHATS))
    for number, conversation in enumerate(conversations):
        month = lines.setdefault(f"chats-{conversation.opened:%Y-%m}.jsonl", [])
        month.append(to_json(_chat_record(conversation, draw, export, has_entities=conversation.native_id in entities)))
        if number in silent:
            export.silent += 1
            month.append(to_json(_silent_record(conversation, draw)))
    _add_bad_chats(lines, conversations, export)
    export.files = {name: ("\n".join(content) + "\n").encode() for name, content in lines.items()}
    return export


def _chat_record(conversation: Conversation, draw: Random, export: Export, *, has_entities: bool) -> dict[str, Any]:
    customer, values = conversation.customer, export.values.setdefault(conversation.native_id, set())
    clock = int(conversation.opened.timestamp())
    visitor = {"id": f"v{customer.number:04d}", "ip": customer.ip}
    values.add(("IP_ADDRESS", customer.ip))
    if is_known := chance(draw, 0.75):
        visitor |= {"name": customer.full, "email": customer.email}
        values |= {("PERSON", customer.first), ("PERSON", customer.last), ("EMAIL_ADDRESS", customer.email)}
    events: list[dict[str, Any]] = [{"type": "visitor_joined", "at": clock, "visitor": visitor}]
    if is_known and chance(draw, 0.4):
        clock += draw.randint(2, 20)
        events.append({"type": "form_submitted", "at": clock, "form": {"order": conversation.order, "phone": customer.phone}})
        values |= {("ORDER_NUMBER", conversation.order), ("PHONE_NUMBER", customer.phone)}
    has_agent = False
    for turn in conversation.turns:
        clock += draw.randint(4, 90)
        if turn.speaker == "agent" and not has_agent:
            has_agent = True
            agent = {"id": f"a{conversation.agent}", "name": " ".join(AGENTS[conversation.agent])}
            events.append({"type": "agent_joined", "at": clock, "agent": agent})
            values |= {("PERSON", name) for name in AGENTS[conversation.agent]}
            clock += 3
        if chance(draw, 0.15):
            events.append({"type": "typing", "at": clock - 2, "author": _chat_author(turn, conversation)})
        kind = "note" if turn.is_private else "message"
        text = html.escape(turn.text) if has_entities else turn.text
        events.append({"type": kind, "at": clock, "author": _chat_author(turn, conversation), "text": text})
    if conversation.is_answered and chance(draw, 0.35):
        events.append({"type": "rated", "at": clock + 30, "stars": draw.choice((5, 5, 5, 4, 4, 3, 1))})
    events.append({"type": "chat_ended", "at": clock + 60, "by": draw.choice(("visitor", "timeout"))})
    return {
        "chat_id": conversation.native_id,
        "started": int(conversation.opened.timestamp()),
        "language": customer.language,
        "department": conversation.topic,
        "product": conversation.product,
        "events": events,
    }


def _chat_author(turn: Turn, conversation: Conversation) -> dict[str, str]:
    match turn.speaker:
        case "customer":
            return {"role": "visitor", "id": f"v{conversation.customer.number:04d}"}
        case "agent":
            return {"role": "agent", "id": f"a{conversation.agent}"}
        case _:
            return {"role": "bot", "id": "pip"}


def _silent_record(beside: Conversation, draw: Random) -> dict[str, Any]:
    started = int(beside.opened.timestamp()) + 5
    joined = {"type": "visitor_joined", "at": started, "visitor": {"id": "v9999", "ip": f"192.0.2.{draw.randint(1, 254)}"}}
    return {
        "chat_id": f"{draw.getrandbits(48):012x}",
        "started": started,
        "language": "en",
        "department": None,
        "product": None,
        "events": [joined, {"type": "chat_ended", "at": started + 41, "by": "visitor"}],
    }


def _add_bad_chats(lines: Mapping[str, list[str]], conversations: Sequence[Conversation], export: Export) -> None:
    """Put a line that was cut off into the second month, and a record with a speaker nobody declared into the third."""
    _, second, third = sorted(lines)
    cut = to_json({"chat_id": "0badc0ffee01", "started": 1771000000, "events": []})[:-9]
    lines[second].insert(17, cut)
    export.bad_rows.append({"file": second, "row": 18, "reason": "not_json"})
    kiosk = {"type": "message", "at": 1773300060, "author": {"role": "kiosk", "id": "k1"}, "text": "Number 14, please."}
    record = {
        "chat_id": "0badc0ffee02",
        "started": 1773300000,
        "language": "en",
        "department": conversations[-1].topic,
        "product": None,
        "events": [kiosk, {"type": "chat_ended", "at": 1773300120, "by": "timeout"}],
    }
    lines[third].insert(8, to_json(record))
    export.bad_rows.append({"file": third, "row": 9, "reason": "unknown_speaker"})


def export_faq(conversations: Sequence[Conversation], draw: Random) -> Export:
    """One row per question and answer, with line breaks inside quotes where people typed them."""
    export = Export()
    sheet = io.StringIO()
    writer = csv.writer(sheet, lineterminator="\n")
    writer.writerow(("entry", "asked_at", "topic", "language", "asked_by", "email", "question", "answer"))
    unreadable = 101
    able = [one.native_id for one in conversations if _is_mojibake_safe(one.turns[0].text)]
    mojibake = set(draw.sample(able, 5))
    for number, one in enumerate(conversations):
        question, answer = one.turns[0].text, one.turns[1].text if one.is_answered else ""
        named = chance(draw, 0.5)
        if named:
            values = {("PERSON", one.customer.first), ("PERSON", one.customer.last), ("EMAIL_ADDRESS", one.customer.email)}
            export.values[one.native_id] = values
        if one.native_id in mojibake:
            question = question.encode().decode("cp1252")
        asked_at = one.opened.astimezone(SHOP_ZONE).strftime("%Y-%m-%d %H:%M:%S")
        who = (one.customer.full, one.customer.email) if named else ("", "")
        if number == unreadable:
            writer.writerow(("", asked_at, one.topic, "en", "", "", "Do you sell gift wrap?", "Yes, at the till."))
            export.bad_rows.append({"file": "questions.csv.gz", "row": unreadable + 1, "reason": "no_id"})
        writer.writerow((one.native_id, asked_at, one.topic, one.customer.language, *who, question, answer))
    export.files["questions.csv.gz"] = gzip.compress(sheet.getvalue().encode(), mtime=0)
    return export


def _is_mojibake_safe(text: str) -> bool:
    try:
        return text.encode().decode("cp1252") != text
    except UnicodeDecodeError:
        return False


EXPORTERS: Final = {DESK: export_desk, CHAT: export_chat, FAQ: export_faq}
