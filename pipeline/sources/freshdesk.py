"""Freshdesk: tickets and their conversations, as its API (v2, and v1 where teams kept old exports) returns them.

    tickets.json          [{"id": 1, "description_text": "…", "requester_id": 7, "status": 2, "source": 2, …}]
    conversations.json    [{"ticket_id": 1, "incoming": false, "private": true, "body": "<div>…", "body_text": "…", …}]
    contacts.json, agents.json

Fields and codes: developers.freshdesk.com/api (tickets, conversations, contacts, agents), read 2026-11. A ticket's description
is its first message. `private` notes and mails forwarded to third persons never become turns; `incoming` says who speaks.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final, Literal

from pipeline.reading.drafts import Draft, FindReferent, Row, Source
from pipeline.reading.exports import (
    CustomFieldSettings,
    Desk,
    Kind,
    Kinds,
    People,
    Said,
    add_turns,
    distinct,
    finder,
    is_false,
    is_true,
    latest,
    names,
    put_subject,
    text_of,
    time_of,
)
from pipeline.reading.values import as_list, as_record, as_text, native_id

KINDS: Final[Kinds] = {
    "ticket": Kind(
        names("id requester_id status"),
        names("""
            created_at updated_at subject description description_text description_html source type ticket_type tags responder_id
            product_id requester requester_name responder_name deleted spam stats conversations notes company cc_emails cc_email
            custom_fields custom_field to_emails reply_cc_emails fwd_emails ticket_cc_emails email phone name twitter_id
            support_email product_name
        """),
        names("""
            priority priority_name due_by fr_due_by frDueBy fr_escalated is_escalated isescalated group_id email_config_id
            company_id attachments association_type associated_tickets_* internal_agent_id internal_group_id nr_due_by
            nr_escalated sentiment_score initial_sentiment_score delta owner_id to_email trained urgent status_name
            requester_status_name source_name facebook_id form_id parent_ticket_id structured_description source_additional_info
            display_id helpdesk_ticket group_name
        """),
    ),
    "conversation": Kind(
        names("id incoming private"),
        names("""
            ticket_id body body_text user_id created_at updated_at source from_email to_emails cc_emails bcc_emails
            support_email deleted
        """),
        names("""
            attachments last_edited_at last_edited_user_id automation_id automation_type_id auto_response category
            email_failure_count outgoing_failures thread_id thread_message_id threading_type source_additional_info
            cloud_files has_quoted_text full_text full_text_html associated_tickets
        """),
    ),
    "agent": Kind(
        names("id contact ticket_scope"),
        frozenset(),
        names("""
            available occasional signature created_at updated_at available_since last_active_at group_ids role_ids skill_ids
            type focus_mode agent_level_id org_agent_id deactivated agent_operational_status scope availability
            contribution_group_ids org_contribution_group_ids
        """),
    ),
    "contact": Kind(
        names("id name email"),
        names("phone mobile address twitter_id other_emails"),
        names("""
            active company_id view_all_tickets description job_title language time_zone created_at updated_at custom_fields
            custom_field tags other_companies avatar customer_id deleted external_id fb_profile_id helpdesk_agent
            unique_external_id preferred_source facebook_id first_name last_name visitor_id org_contact_id csat_rating
            twitter_* other_phone_numbers
        """),
    ),
}
"""What stands in an export. A field that is in no list is refused; `ignore_fields` of params adds to the last one."""

_PERSONAL: Final = {
    "name": "PERSON",
    "email": "EMAIL_ADDRESS",
    "other_emails": "EMAIL_ADDRESS",
    "phone": "PHONE_NUMBER",
    "mobile": "PHONE_NUMBER",
    "address": "LOCATION",
    "twitter_id": "USER_NAME",
}
_ADDRESSES: Final = ("cc_emails", "to_emails", "bcc_emails", "reply_cc_emails", "fwd_emails", "ticket_cc_emails", "from_email")
_CHANNELS: Final = {
    "1": "email",
    "2": "web",
    "3": "phone",
    "5": "twitter",
    "6": "facebook",
    "7": "chat",
    "8": "chat",
    "9": "web",
    "10": "email",
    "11": "ecommerce",
    "13": "chat",
    "15": "chat",
}
"""Numbers of `source` of a ticket."""
_OUTBOUND: Final = "10"
"""The `source` of a ticket that an agent opened by writing a mail: its description is the agent's."""
_FORWARDED: Final = "8"
"""The `source` of a conversation that went to a third person."""
_SOLVED: Final = frozenset({"4", "5"})
_UNSOLVED: Final = frozenset({"2", "3", "6", "7"})


class FreshdeskSettings(CustomFieldSettings):
    """A Freshdesk export."""

    format: Literal["freshdesk"]
    """freshdesk"""


def _native(kind: str, fields: Mapping[str, Any]) -> str | None:
    return native_id(fields.get("ticket_id" if kind == "conversation" else "id"))


DESK: Final = Desk(
    KINDS,
    main=("ticket",),
    native=_native,
    referents=frozenset({"agent", "contact"}),
    wrappers=("results", "tickets", "conversations", "contacts", "agents"),
    beside=names("total meta links"),
)


def assemble(rows: Sequence[Row], settings: FreshdeskSettings, find_referent: FindReferent) -> Draft:
    """One ticket with its public conversations."""
    found = DESK.unpacked(rows, settings)
    draft = Draft()
    ticket = latest(found["ticket"], "updated_at", settings, draft)
    said = [fields for _, fields in found["conversation"]]
    for at in ("conversations", "notes"):
        said += DESK.nested("conversation", ticket.get(at), at, settings)
    people = People()
    requester, responder = native_id(ticket.get("requester_id")), native_id(ticket.get("responder_id"))
    people.know(requester, "customer")
    people.know(responder, "agent")
    find = {kind: finder(find_referent, kind) for kind in ("contact", "agent")}
    by_agent = str(ticket.get("source")) == _OUTBOUND
    first = Said(
        None,
        "agent" if by_agent else "customer",
        _description(ticket),
        time_of(ticket, "created_at", settings),
        responder if by_agent else requester,
    )
    add_turns(draft, [first, *_public(said, draft, people, settings)])
    draft.customer = requester
    _state(people, ticket, requester, responder, settings)
    authors = {(first.speaker, first.author), *((turn.speaker, turn.author) for turn in draft.turns)}
    for speaker, author in sorted(authors, key=str):
        contact = find["contact"](author) if speaker == "customer" else None
        agent = find["agent"](author) if speaker == "agent" else None
        people.state_all(author, contact or {}, _PERSONAL, speaker)
        people.state_all(author, as_record((agent or {}).get("contact"), "contact"), _PERSONAL, speaker)
    draft.people = people.details()
    _describe(draft, ticket, settings)
    put_subject(draft, ticket.get("subject"), settings)
    return draft


def _description(ticket: Mapping[str, Any]) -> str:
    if "description_html" in ticket:  # v1, where `description` is the text
        return text_of(ticket, ("description",), ("description_html",))
    return text_of(ticket, ("description_text",), ("description",))


def _public(said: Sequence[Mapping[str, Any]], draft: Draft, people: People, settings: FreshdeskSettings) -> Iterator[Said]:
    for each in said:
        author = native_id(each.get("user_id"))
        speaker = "customer" if is_true(each.get("incoming")) else "agent"
        for at in _ADDRESSES:
            people.state_addresses(None, each.get(at))
        if not is_false(each.get("private")):
            draft.count("private_notes")
        elif str(each.get("source")) == _FORWARDED:
            draft.count("forwards_to_others")
        elif is_true(each.get("deleted")):
            draft.count("deleted_messages")
        else:
            people.know(author, speaker)
            text = text_of(each, ("body_text",), ("body",))
            yield Said(native_id(each.get("id")), speaker, text, time_of(each, "created_at", settings), author)


def _state(
    people: People, ticket: Mapping[str, Any], requester: str | None, responder: str | None, settings: FreshdeskSettings
) -> None:
    people.state_all(requester, as_record(ticket.get("requester"), "requester"), _PERSONAL, "customer")
    people.state_all(
        requester, ticket, {"email": "EMAIL_ADDRESS", "phone": "PHONE_NUMBER", "name": "PERSON", "twitter_id": "USER_NAME"}
    )
    people.state(requester, "PERSON", ticket.get("requester_name"), "customer")
    people.state(responder, "PERSON", ticket.get("responder_name"), "agent")
    people.state(None, "ORGANIZATION", as_record(ticket.get("company"), "company").get("name"))
    for at in _ADDRESSES:
        people.state_addresses(None, ticket.get(at))
    for addresses in as_record(ticket.get("cc_email"), "cc_email").values():
        people.state_addresses(None, addresses)
    for name, kind in settings.identifier_fields.items():
        people.state(requester, kind, _custom(ticket, name), "customer")


def _custom(ticket: Mapping[str, Any], name: str) -> Any:
    for at in ("custom_fields", "custom_field"):
        if name in (fields := as_record(ticket.get(at), at)):
            return fields[name]
    return None


def _describe(draft: Draft, ticket: Mapping[str, Any], settings: FreshdeskSettings) -> None:
    draft.opened_at = time_of(ticket, "created_at", settings)
    draft.channel = _CHANNELS.get(str(ticket.get("source")))
    product = ticket.get("product_name") if settings.product_field is None else _custom(ticket, settings.product_field)
    draft.product = as_text(product, "product") or None
    topics = [*as_list(ticket.get("tags"), "tags"), ticket.get("type"), ticket.get("ticket_type")]
    topics += [_custom(ticket, name) for name in settings.topic_fields]
    draft.topics = distinct(topics)
    status = str(ticket.get("status"))
    draft.resolved = True if status in _SOLVED else False if status in _UNSOLVED else None
    if "stats" in ticket:
        draft.reopened = bool(as_record(ticket["stats"], "stats").get("reopened_at"))
    if is_true(ticket.get("deleted")):
        draft.drop = "deleted_ticket"
    elif is_true(ticket.get("spam")):
        draft.drop = "spam"


SOURCE = Source(DESK.read, assemble, cuts="layout")
