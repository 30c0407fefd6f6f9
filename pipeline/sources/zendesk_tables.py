"""Zendesk tables of a warehouse: tickets, comments, users and chats, one CSV or Parquet file each.

    ticket.csv           id, requester_id, status, subject, description, created_at, via_channel, …
    ticket_comment.csv   id, ticket_id, user_id, body, public, created
    user.csv             id, name, email, role
    ticket_chat.csv, ticket_chat_event.csv   chat_id, ticket_id; chat_id, actor_id, type, message, created_at, original_message

Columns: fivetran.com/docs/connectors/applications/zendesk, read 2026-11; the files may have any name, a table is known by its
columns. Its rows become what the API would have returned, so that a ticket is read in one place: see zendesk.py.
"""

from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise
from typing import Any, Final, Literal

import orjson

from pipeline.reading.drafts import Draft, FindReferent, Limits, Read, ReceivedFile, Referent, Refused, Row, Source, fault
from pipeline.reading.exports import (
    Desk,
    ExportSettings,
    Kind,
    Kinds,
    Record,
    is_true,
    latest,
    names,
    records,
    time_of,
)
from pipeline.reading.values import native_id
from pipeline.sources import zendesk

KINDS: Final[Kinds] = {
    "comment": Kind(
        names("id ticket_id public user_id body"),
        names("created created_at html_body plain_body via_channel"),
        names("""
            facebook_comment tweet voice_comment call_* from_* recording_* started_at status to trusted transcription_* via_*
            _fivetran_*
        """),
    ),
    "ticket": Kind(
        names("id requester_id status subject"),
        names("""
            created_at updated_at description via_channel via_source_from_address via_source_to_address via_source_to_name
            via_source_from_title via_source_from_name submitter_id assignee_id brand_id group_id organization_id recipient
            satisfaction_rating_score raw_subject
        """),
        names("""
            allow_channelback due_at external_id forum_topic_id has_incidents is_public priority problem_id system_* type url
            ticket_form_id via_source_* merged_ticket_ids followup_ids via_followup_source_id custom_* tags _fivetran_*
            satisfaction_rating_* allow_attachments from_messaging_channel custom_status_id generated_timestamp
        """),
    ),
    "chat_event": Kind(
        names("chat_id actor_id type"),
        names("created_at message message_id original_message chat_index"),
        names("""
            external_message_id filename is_history_context message_source mime_type original_message_type parent_message_id
            reason size status status_updated_at url _fivetran_* _*_synced
        """),
    ),
    "chat": Kind(
        names("chat_id ticket_id"),
        frozenset(),
        names("""
            authenticated backend channel conversation_id initiator integration_id tags user_id visitor_id webpath _fivetran_*
        """),
    ),
    "tag": Kind(names("tag ticket_id"), frozenset(), names("index _fivetran_*")),
    "change": Kind(names("field_name ticket_id value"), names("updated"), names("user_id _fivetran_*")),
    "metric_set": Kind(names("ticket_id reopens"), frozenset(), names("*")),
    "user": Kind(
        names("id role email"),
        names("name alias phone"),
        zendesk.IGNORED["user"]
        | names("""
            authenticity_token remote_photo_url _fivetran_* custom_* photo_* time_zone
        """),
    ),
    "brand": Kind(names("id name subdomain"), frozenset(), names("*")),
    "organization": Kind(names("id name shared_tickets"), frozenset(), names("*")),
    "group": Kind(names("id name"), frozenset(), names("*")),
}
"""What stands in a warehouse. A column that is in no list is refused; `ignore_fields` of params adds to the last one."""


def _native(kind: str, fields: Mapping[str, Any]) -> str | None:
    return native_id(fields.get("id" if kind in {"ticket", "user", "brand", "organization", "group"} else "ticket_id"))


DESK: Final = Desk(
    KINDS, main=("ticket",), native=_native, referents=frozenset({"user", "brand", "organization", "group", "metric_set"})
)
_SOLVED: Final = frozenset({"solved", "closed"})
_UNSOLVED: Final = frozenset({"new", "open", "pending", "hold", "on-hold"})


class ZendeskTablesSettings(zendesk.TicketSettings, ExportSettings):
    """Zendesk tables of a warehouse."""

    format: Literal["zendesk_tables"]
    """zendesk_tables"""
    subject: Literal["leave", "prepend"] = "leave"
    """Whether the subject is left out, or put above the text of the first turn when that does not begin with it."""


def open_unit(files: Sequence[ReceivedFile], settings: ZendeskTablesSettings, limits: Limits) -> Read:
    """Find the ticket of each chat, then read: two ids per chat are held.

    A chat event names its chat only, and a chat may name several tickets: the one that was delivered is meant.
    """
    chats: dict[str, str | None] = {}
    several: dict[str, set[str]] = {}
    for number, file in enumerate(files):
        for found in _records(file, number, settings, limits, frozenset({"chat"})):
            chat, ticket = native_id(found.fields.get("chat_id")), native_id(found.fields.get("ticket_id"))
            if chat and ticket and (known := chats.setdefault(chat, ticket)) not in {ticket, None}:
                several.setdefault(chat, {str(known)}).add(ticket)
    wanted = set().union(*several.values())
    delivered: set[str] = set()
    for number, file in enumerate(files) if wanted else ():
        tickets = (native_id(each.fields.get("id")) for each in _records(file, number, settings, limits, frozenset({"ticket"})))
        delivered.update(ticket for ticket in tickets if ticket in wanted)
    chats |= {chat: _meant(tickets, delivered) for chat, tickets in several.items()}
    return lambda file, number, settings, limits: _read(file, number, settings, limits, chats)


def _meant(tickets: set[str], delivered: set[str]) -> str | None:
    """The one ticket of a chat; null where several of its tickets were delivered."""
    here = tickets & delivered
    return min(here or tickets) if len(here) < 2 else None  # noqa: PLR2004  # several


def _records(
    file: ReceivedFile, number: int, settings: ZendeskTablesSettings, limits: Limits, wanted: frozenset[str]
) -> Iterator[Record]:
    for found in records(file, number, KINDS, (), (), settings, limits):
        if isinstance(found, Record):
            if found.kind not in wanted:
                return  # a table holds one kind
            yield found


def _read(
    file: ReceivedFile,
    number: int,
    settings: ZendeskTablesSettings,
    limits: Limits,
    chats: Mapping[str, str | None],
) -> Iterator[Row | Referent]:
    for found in records(file, number, KINDS, (), (), settings, limits):
        if isinstance(found, Row):
            yield found
        elif found.kind in DESK.referents:
            yield from found.referents(_native(found.kind, found.fields), KINDS[found.kind])
        elif found.kind == "chat_event":
            chat = native_id(found.fields.get("chat_id")) or ""
            ticket = chats.get(chat, f"chat {chat}")
            if ticket is None:
                yield fault(number, found.position, orjson.dumps(found.fields), "several_tickets")
            else:
                yield found.row(number, ticket)
        else:
            yield found.row(number, _native(found.kind, found.fields))


def assemble(rows: Sequence[Row], settings: ZendeskTablesSettings, find_referent: FindReferent) -> Draft:
    """One ticket with its public comments and chats."""
    found = DESK.unpacked(rows, settings)
    draft = Draft()
    ticket = _ticket(latest(found["ticket"], "updated_at", settings, draft))
    ticket["tags"] = list(dict.fromkeys(fields["tag"] for _, fields in found["tag"] if fields.get("tag")))
    comments = [_comment(fields) for _, fields in found["comment"]]
    chats = [_entry(fields) for _, fields in found["chat_event"]]
    if found["change"]:
        draft.reopened = _was_reopened([fields for _, fields in found["change"]], settings)
    return zendesk.conversation(draft, ticket, (), comments, chats, settings, find_referent)


def _ticket(fields: dict[str, Any]) -> dict[str, Any]:
    """A row of the ticket table as the API would return it."""
    ends = {
        "from": {"address": fields.get("via_source_from_address"), "name": fields.get("via_source_from_name")},
        "to": {"address": fields.get("via_source_to_address"), "name": fields.get("via_source_to_name")},
    }
    rating = fields.get("satisfaction_rating_score")
    return {**fields, "via": {"channel": fields.get("via_channel"), "source": ends}, "satisfaction_rating": {"score": rating}}


def _comment(fields: Mapping[str, Any]) -> dict[str, Any]:
    bodies = {name: fields[name] for name in ("body", "html_body", "plain_body") if name in fields}
    return {
        "id": fields.get("id"),
        "author_id": fields.get("user_id"),
        "public": is_true(fields.get("public")),
        "created_at": fields.get("created") or fields.get("created_at"),
        **bodies,
    }


def _entry(fields: Mapping[str, Any]) -> dict[str, Any]:
    """A row of the chat event table as an audit would hold it."""
    kind, _, author = str(fields.get("actor_id", "")).rpartition(":")
    try:
        original = orjson.loads(str(fields.get("original_message") or "{}"))
    except orjson.JSONDecodeError:
        raise Refused("not_json", "original_message") from None
    by_system = author.startswith("__")
    return {
        "type": fields.get("type"),
        "timestamp": fields.get("created_at"),
        "message": fields.get("message"),
        "message_id": fields.get("message_id"),
        "original_message": original,
        "actor_type": "trigger" if by_system else kind or None,
        "actor_id": None if by_system else author or None,
    }


def _was_reopened(changes: Sequence[Mapping[str, Any]], settings: ZendeskTablesSettings) -> bool | None:
    """Whether the status ever went from solved back to open; null where no change of it is known."""
    timed = sorted(
        (time_of(change, "updated", settings) or 0, str(change.get("value")))
        for change in changes
        if change.get("field_name") == "status"
    )
    steps = [status for _, status in timed]
    if not steps:
        return None
    return any(before in _SOLVED and after in _UNSOLVED for before, after in pairwise(steps))


def read(file: ReceivedFile, number: int, settings: ZendeskTablesSettings, limits: Limits) -> Iterator[Row | Referent]:
    """One file of a warehouse, for itself."""
    yield from open_unit([file], settings, limits)(file, number, settings, limits)


SOURCE = Source(read, assemble, open_unit, cuts="layout")
