"""HubSpot: threads of the conversations inbox with their messages, and tickets with the e-mails of their engagements.

    threads.json       {"results": [{"id": "7", "status": "CLOSED", "inboxId": "1", "associatedContactId": "5", …}]}
    messages.json      {"results": [{"id": "m1", "conversationsThreadId": "7", "type": "MESSAGE", "direction": "INCOMING",
                                     "text": "Hi", "richText": "<p>Hi</p>", "senders": [{"actorId": "V-5", …}], …}]}
    tickets.json       {"results": [{"id": "9", "properties": {"subject": …, "content": …, "createdate": …}, …}]}
    emails.json        {"results": [{"id": "3", "properties": {"hs_email_direction": "INCOMING_EMAIL", "hs_email_text": …},
                                     "associations": {"tickets": {"results": [{"id": "9"}]}}}]}

Fields: developers.hubspot.com/docs/api-reference/conversations-conversations-v3/guide (threads, messages, actors), and
developers.hubspot.com/docs/api-reference/crm-emails-v3/guide, crm-tickets-v3/guide, read 2026-11. COMMENTs are internal and
never become turns. Actors: V- visitors, E- and A- agents, B- and S- bots and the system.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final, Literal

from pipeline.mail.staff import INTERNAL, Staff, writer_of
from pipeline.reading.drafts import Draft, FindReferent, Refused, Row, Source
from pipeline.reading.exports import (
    Desk,
    ExportSettings,
    Found,
    Kind,
    Kinds,
    People,
    Said,
    add_turns,
    latest,
    mailboxes,
    names,
    put_subject,
    text_of,
    time_of,
    word,
)
from pipeline.reading.values import as_list, as_record, as_text, native_id

KINDS: Final[Kinds] = {
    "message": Kind(
        names("id conversationsThreadId type"),
        names("createdAt text richText direction senders recipients createdBy subject"),
        names("updatedAt client archived attachments truncationStatus channelId channelAccountId status inReplyToId"),
    ),
    "thread": Kind(
        names("id status inboxId"),
        names("createdAt latestMessageTimestamp associatedContactId messages closedAt"),
        names("""
            assignedTo spam archived latestMessageReceivedTimestamp latestMessageSentTimestamp originalChannelId
            originalChannelAccountId threadAssociations subject
        """),
    ),
    "object": Kind(
        names("id properties"),
        names("createdAt updatedAt associations archived emails"),
        names("propertiesWithHistory archivedAt objectWriteTraceId url"),
    ),
    "actor": Kind(names("id type name"), names("email"), names("avatar")),
}
"""What stands in an export; the `properties` of tickets and e-mails are chosen by whoever exports, and unknown ones not read."""

_SPEAKERS: Final = {"V": "customer", "A": "agent", "E": "agent", "B": "bot", "S": "bot", "I": "bot", "L": "bot"}
_INCOMING: Final = frozenset({"INCOMING", "INCOMING_EMAIL"})
_OUTGOING: Final = frozenset({"OUTGOING", "EMAIL"})
_RECIPIENTS: Final = ("to", "cc", "bcc")


class HubspotSettings(ExportSettings):
    """A HubSpot export."""

    format: Literal["hubspot"]
    """hubspot"""
    staff: Staff | None = None
    """Who writes for the company, where the direction of the mails is absent or wrong; everybody else who sends one is then a
    customer. In threads of the inbox those listed are agents, whatever the direction; of all others it is kept."""


def _native(kind: str, fields: Mapping[str, Any]) -> str | None:
    """Threads and tickets count from 1 each."""
    if kind == "object":
        key = native_id(fields.get("id")) if not _is_email(fields) else _ticket_of(fields)
        return None if key is None else f"ticket {key}"
    return native_id(fields.get("conversationsThreadId" if kind == "message" else "id"))


def _is_email(fields: Mapping[str, Any]) -> bool:
    properties = fields.get("properties")
    return isinstance(properties, dict) and any(name.startswith("hs_email_") for name in properties)


def _ticket_of(fields: Mapping[str, Any]) -> str | None:
    tickets = (fields.get("associations") or {}) if isinstance(fields.get("associations"), dict) else {}
    listed = tickets.get("tickets")
    results = listed.get("results") if isinstance(listed, dict) else None
    ids = (
        sorted({key for each in results if isinstance(each, dict) and (key := native_id(each.get("id")))})
        if isinstance(results, list)
        else []
    )
    return ids[0] if ids else None


DESK: Final = Desk(
    KINDS,
    main=(),
    native=_native,
    referents=frozenset({"actor"}),
    wrappers=("results", "messages", "threads"),
    beside=names("paging total status startedAt completedAt"),
)


def assemble(rows: Sequence[Row], settings: HubspotSettings, find_referent: FindReferent) -> Draft:
    """One thread with its messages, or one ticket with its e-mails."""
    found = DESK.unpacked(rows, settings)
    draft = Draft()
    people = People()
    mails = [fields for _, fields in found["object"] if _is_email(fields)]
    tickets = [(row, fields) for row, fields in found["object"] if not _is_email(fields)]
    if found["thread"]:
        _thread(draft, people, found, settings, find_referent)
    elif tickets:
        _ticket(draft, people, latest(tickets, "updatedAt", settings, draft), mails, settings)
    else:
        raise Refused("orphan", f"{len(rows)} rows without their thread or ticket")
    draft.people = people.details()
    return draft


def _thread(
    draft: Draft,
    people: People,
    found: Found,
    settings: HubspotSettings,
    find_referent: FindReferent,
) -> None:
    thread = latest(found["thread"], "latestMessageTimestamp", settings, draft)
    messages = [fields for _, fields in found["message"]]
    messages += DESK.nested("message", thread.get("messages"), "messages", settings)
    contact = native_id(thread.get("associatedContactId"))
    draft.customer = f"V-{contact}" if contact else None
    people.know(draft.customer, "customer")
    add_turns(draft, _messages(messages, draft, people, settings, find_referent))
    if draft.customer is None:
        draft.customer = next((turn.author for turn in draft.turns if turn.speaker == "customer" and turn.author), None)
    draft.opened_at = time_of(thread, "createdAt", settings)
    draft.resolved = {"CLOSED": True, "OPEN": False}.get(word(thread.get("status")))


def _messages(
    messages: Sequence[Mapping[str, Any]], draft: Draft, people: People, settings: HubspotSettings, find_referent: FindReferent
) -> Iterator[Said]:
    for message in messages:
        senders = [as_record(each, "senders") for each in as_list(message.get("senders"), "senders")]
        author = native_id(senders[0].get("actorId")) if senders else native_id(message.get("createdBy"))
        speaker = _speaker(message, author, senders, settings.staff)
        for each in (*senders, *as_list(message.get("recipients"), "recipients")):
            actor = native_id(as_record(each, "recipients").get("actorId"))
            address = as_record(each.get("deliveryIdentifier"), "deliveryIdentifier")
            people.state(actor, "PERSON", each.get("name"))
            people.state(actor, "EMAIL_ADDRESS", address.get("value") if address.get("type") == "HS_EMAIL_ADDRESS" else None)
            people.state(actor, "PHONE_NUMBER", address.get("value") if address.get("type") == "HS_PHONE_NUMBER" else None)
            known = find_referent("actor", actor) if actor else None
            people.state_all(actor, known or {}, {"name": "PERSON", "email": "EMAIL_ADDRESS"})
        kind = word(message.get("type"))
        if kind == "COMMENT":
            draft.count("private_notes")
        elif kind not in {"MESSAGE", "WELCOME_MESSAGE"}:
            draft.count(f"events.{kind}")
        elif speaker is None:
            raise Refused("unknown_author", "senders")
        elif speaker == INTERNAL:
            people.know(author, "agent")
            draft.count("mails.internal")
        else:
            people.know(author, speaker)
            if kind == "WELCOME_MESSAGE":
                speaker = "bot"
            text = text_of(message, ("text",), ("richText",))
            yield Said(native_id(message.get("id")), speaker, text, time_of(message, "createdAt", settings), author)


def _speaker(
    message: Mapping[str, Any], author: str | None, senders: Sequence[Mapping[str, Any]], staff: Staff | None
) -> str | None:
    """Who speaks in a message of a thread; null where nothing says it."""
    by_actor = _SPEAKERS.get((author or "").partition("-")[0])
    address = next(iter(_addresses(senders)), "")
    to = _addresses(as_list(message.get("recipients"), "recipients"))
    by_address = staff.writer(address, to) if staff and address else None
    direction = word(message.get("direction"))
    if by_address not in {None, "customer"}:
        return by_address
    if direction in _INCOMING:
        return "customer"
    return by_actor or ("agent" if direction in _OUTGOING else by_address)


def _addresses(ends: Sequence[Any]) -> list[str]:
    """Mail addresses of those a message is from, or to."""
    named = (as_record(as_record(each, "recipients").get("deliveryIdentifier"), "deliveryIdentifier") for each in ends)
    stated = (each.get("value") for each in named if each.get("type") == "HS_EMAIL_ADDRESS")
    return [each for each in stated if isinstance(each, str) and "@" in each]


def _ticket(
    draft: Draft, people: People, ticket: Mapping[str, Any], mails: list[dict[str, Any]], settings: HubspotSettings
) -> None:
    properties = as_record(ticket["properties"], "properties")
    at = "createdate" if properties.get("createdate") else "createdAt"
    draft.opened_at = time_of(properties if at == "createdate" else ticket, at, settings)
    said = list(_mails([*mails, *as_list(ticket.get("emails"), "emails")], draft, people, settings))
    if not any(each.text for each in said) and (text := text_of(properties, ("content",))):
        said = [Said(None, "customer", text, draft.opened_at, None)]
    add_turns(draft, said)
    draft.topics = [text for name in ("hs_ticket_category",) if (text := as_text(properties.get(name), name))]
    draft.channel = as_text(properties.get("source_type"), "source_type").lower() or None
    draft.resolved = True if properties.get("closed_date") else None
    draft.customer = next((turn.author for turn in draft.turns if turn.speaker == "customer" and turn.author), None)
    put_subject(draft, properties.get("subject"), settings)


def _mails(mails: Sequence[Mapping[str, Any]], draft: Draft, people: People, settings: HubspotSettings) -> Iterator[Said]:
    for mail in mails:
        fields = as_record(as_record(mail, "emails").get("properties"), "properties")
        stated = as_text(fields.get("hs_email_from_email"), "hs_email_from_email")
        sender = next((address for _, address in mailboxes(stated) if "@" in address), "")
        direction = word(fields.get("hs_email_direction"))
        for end in ("from", *_RECIPIENTS):
            people.state_addresses(None, as_text(fields.get(f"hs_email_{end}_email"), f"hs_email_{end}_email"))
        for name in ("hs_email_from_firstname", "hs_email_from_lastname", "hs_email_to_firstname", "hs_email_to_lastname"):
            people.state(None, "PERSON", fields.get(name))
        is_stated = fields.get("hs_email_direction") not in (None, "")
        if is_stated and direction not in _INCOMING | _OUTGOING:
            draft.count(f"events.{direction}")  # FORWARDED_EMAIL went to somebody else
            continue
        to = [address for end in _RECIPIENTS for _, address in mailboxes(fields.get(f"hs_email_{end}_email")) if "@" in address]
        incoming = direction in _INCOMING if is_stated else None
        writer = writer_of(settings.staff, sender, to, is_incoming=incoming, where="hs_email_direction")
        if writer == INTERNAL:
            draft.count("mails.internal")
            continue
        sent_at = time_of(fields, "hs_timestamp", settings)
        text = text_of(fields, ("hs_email_text",), ("hs_email_html",))
        yield Said(native_id(mail.get("id")), writer, text, sent_at, sender or None)


SOURCE = Source(DESK.read, assemble, cuts="layout")
