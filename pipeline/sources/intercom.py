"""Intercom: conversations with their parts, as its API returns them, and the history tables of a warehouse.

    conversations.json    {"type": "conversation", "id": "7", "source": {"body": "<p>Hi</p>", "author": {"type": "user", …}},
                           "conversation_parts": {"conversation_parts": [{"part_type": "comment", "body": …}, …]}, …}
    contacts.json, admins.json             {"data": [{"role": "user", "email": …}, …]}, {"admins": [{"name": …}, …]}
    conversation_history.csv, conversation_part_history.csv, contact_history.csv, admin.csv, …

Fields: developers.intercom.com/docs/references/rest-api/api.intercom.io/conversations (2.x), and Fivetran's Intercom schema,
fivetran.com/docs/connectors/applications/intercom, both read 2026-11. The message that began a conversation is its `source`;
of its parts only those of `message_parts` become turns, so that notes never do. In a history table the row that is
`_fivetran_active` holds, of several the one updated last.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Final, Literal

from pydantic import Field

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
    distinct,
    finder,
    id_in,
    is_true,
    latest,
    names,
    put_subject,
    text_of,
    time_of,
    word,
)
from pipeline.reading.values import as_list, as_record, as_text, native_id
from pipeline.text import clean

_WAREHOUSE: Final = names("_fivetran_synced _fivetran_start _fivetran_end _fivetran_deleted")

KINDS: Final[Kinds] = {
    "conversation": Kind(
        names("id source conversation_parts"),
        names("""
            type created_at updated_at title state tags topics conversation_rating contacts teammates statistics custom_attributes
        """),
        names("""
            waiting_since snoozed_until open read priority admin_assignee_id team_assignee_id first_contact_reply sla_applied
            linked_objects ai_agent_participated ai_agent company ticket links assignee customers user participants
            customer_first_reply conversation_message links redacted url ai_topics ai_category_fields channel ai_attributes
        """),
    ),
    "conversation_history": Kind(
        names("id source_body source_author_type"),
        names("""
            updated_at created_at state source_author_id source_subject source_type source_delivered_as _fivetran_active
            _fivetran_deleted conversation_rating_value
        """),
        names("""
            assignee_id assignee_type conversation_rating_created_at conversation_rating_remark first_contact_reply_created_at
            first_contact_reply_type priority read sla_name sla_status snoozed_until source_id waiting_since open title
            first_contact_reply_url source_url source_attachments first_contact_reply_author_id statistics_*
            conversation_rating_* custom_* admin_assignee_id team_assignee_id ai_agent*
        """)
        | _WAREHOUSE,
    ),
    "part": Kind(
        names("id conversation_id part_type"),
        names("updated_at created_at author_id author_type body _fivetran_active author"),
        names("assigned_to_id assigned_to_type conversation_updated_at notified_at redacted attachments external_id metadata_*")
        | _WAREHOUSE,
    ),
    "conversation_contact": Kind(
        names("contact_id conversation_id"), names("_fivetran_active"), names("conversation_updated_at") | _WAREHOUSE
    ),
    "conversation_tag": Kind(
        names("tag_id conversation_id"), names("_fivetran_active"), names("conversation_updated_at applied_at") | _WAREHOUSE
    ),
    "contact": Kind(
        names("id role"),
        names("type name email phone external_id location_city _fivetran_active updated_at location"),
        names("""
            admin_id android_* browser browser_* created_at custom_* has_hard_bounced ios_* language_override last_* os
            location_country location_region marked_email_as_spam signed_up_at unsubscribed_from_* workspace_id avatar owner_id
            formatted_phone email_domain utm_* referrer tags notes companies social_profiles opted_* sms_consent *_content
            contact_type enabled_push_messaging _fivetran_*
        """),
    ),
    "admin": Kind(
        names("id email name"),
        names("type phone"),
        names("""
            job_title away_mode_enabled away_mode_reassign away_status_reason_id has_inbox_seat team_ids team_priority_level
            avatar _fivetran_* role
        """),
    ),
    "tag": Kind(
        names("id name"), names("type"), names("applied_at applied_by _fivetran_* reference admin_ids admin_priority_level")
    ),
}
"""What stands in an export. A field that is in no list is refused; `ignore_fields` of params adds to the last one."""

_SPEAKERS: Final = {
    "user": "customer",
    "lead": "customer",
    "contact": "customer",
    "visitor": "customer",
    "admin": "agent",
    "team": "agent",
    "bot": "bot",
    "operator": "bot",
    "workflow": "bot",
}
_NOTES: Final = frozenset({"note", "note_and_reopen", "note_and_close", "note_and_assignment", "note_and_unsnooze"})
_PERSONAL: Final = {
    "name": "PERSON",
    "email": "EMAIL_ADDRESS",
    "phone": "PHONE_NUMBER",
    "external_id": "ACCOUNT_NUMBER",
    "location_city": "LOCATION",
}


class IntercomSettings(ExportSettings):
    """An Intercom export."""

    format: Literal["intercom"]
    """intercom"""
    message_parts: list[str] = Field(default=["comment", "quick_reply", "open", "close"])
    """Values of part_type that are messages where they have a body; other parts are counted by it. Never list a note."""


def _native(kind: str, fields: Mapping[str, Any]) -> str | None:
    if kind in {"contact", "admin", "tag"} and not _is_active(fields):
        return None
    is_part = kind in {"part", "conversation_contact", "conversation_tag"}
    return native_id(fields.get("conversation_id" if is_part else "id"))


DESK: Final = Desk(
    KINDS,
    main=("conversation", "conversation_history"),
    native=_native,
    referents=frozenset({"contact", "admin", "tag"}),
    wrappers=("conversations", "data", "admins", "contacts", "tags", "teams"),
    beside=names("type pages total_count has_more page"),
)


def _is_active(fields: Mapping[str, Any]) -> bool:
    return "_fivetran_active" not in fields or is_true(fields["_fivetran_active"])


def assemble(rows: Sequence[Row], settings: IntercomSettings, find_referent: FindReferent) -> Draft:
    """One conversation with the parts that are messages."""
    found = DESK.unpacked(rows, settings)
    draft = Draft()
    active = {name: [each for each in versions if _is_active(each[1])] for name, versions in found.items()}
    if inactive := len(rows) - sum(map(len, active.values())):
        draft.count("superseded_versions", inactive)
    if active["conversation"]:
        conversation = latest(active["conversation"], "updated_at", settings, draft)
        begun = as_record(conversation["source"], "source")
        parts = as_list(as_record(conversation["conversation_parts"], "conversation_parts").get("conversation_parts"), "parts")
    elif active["conversation_history"]:
        conversation = latest(active["conversation_history"], "updated_at", settings, draft)
        begun = _nested(conversation)
        parts = []
    else:
        raise Refused("no_active_version", f"{len(rows)} rows")
    people = _People(settings, find_referent)
    said = [people.said(None, begun, conversation.get("created_at"))]
    every = [*parts, *_one_each([fields for _, fields in active["part"]], settings)]
    for part in every:
        kind = word(as_record(part, "parts").get("part_type"))
        if kind in _NOTES:
            draft.count("private_notes")
        elif kind in settings.message_parts and part.get("body"):
            said.append(people.said(native_id(part.get("id")), part, part.get("created_at")))
        else:
            draft.count(f"events.{kind}")
        people.meet(part)
    _add_people(people, conversation, active, draft)
    add_turns(draft, said)
    _describe(draft, conversation, begun, active, people, settings)
    return draft


def _nested(history: Mapping[str, Any]) -> dict[str, Any]:
    """The first message, as the API nests it."""
    prefix = "source_"
    return {name.removeprefix(prefix): value for name, value in history.items() if name.startswith(prefix)}


def _one_each(parts: Sequence[dict[str, Any]], settings: IntercomSettings) -> list[dict[str, Any]]:
    """Of several versions of a part the one updated last."""
    best: dict[str | None, dict[str, Any]] = {}
    for part in parts:
        key = native_id(part.get("id"))
        known = best.get(key)
        if known is None or (time_of(part, "updated_at", settings) or 0) > (time_of(known, "updated_at", settings) or 0):
            best[key] = part
    return list(best.values())


class _People:
    """Authors of one conversation."""

    def __init__(self, settings: IntercomSettings, find_referent: FindReferent) -> None:
        self._settings = settings
        self._find = {kind: finder(find_referent, kind) for kind in ("contact", "admin")}
        self.stated = People()
        self.customer: str | None = None

    def _author(self, message: Mapping[str, Any]) -> tuple[str | None, str, Mapping[str, Any]]:
        nested = as_record(message.get("author"), "author")
        kind = as_text(nested.get("type", message.get("author_type")), "author.type")
        return native_id(nested.get("id", message.get("author_id"))), kind, nested

    def meet(self, message: Mapping[str, Any]) -> None:
        """Note what is stated about an author."""
        person, kind, nested = self._author(message)
        self.know(person, _SPEAKERS.get(kind, "other"), nested)

    def know(self, person: str | None, role: str, fields: Mapping[str, Any]) -> None:
        """Note what a record, and the one it refers to, state about somebody."""
        if person and role in {"customer", "agent"}:
            self.stated.know(person, role)
            found = self._find["contact" if role == "customer" else "admin"](person)
            self.stated.state_all(person, found or {}, _PERSONAL, role)
        self.stated.state_all(person, fields, _PERSONAL, role)

    def said(self, key: str | None, message: Mapping[str, Any], sent_at: Any) -> Said:
        """A message."""
        person, kind, nested = self._author(message)
        speaker = _SPEAKERS.get(kind)
        if speaker is None:
            raise Refused("unknown_author", "author.type")
        self.know(person, speaker, nested)
        if speaker == "customer" and self.customer is None:
            self.customer = person
        text = text_of(message, (), ("body",))
        return Said(key, speaker, text, time_of({"created_at": sent_at}, "created_at", self._settings), person)


def _add_people(people: _People, conversation: Mapping[str, Any], active: Found, draft: Draft) -> None:
    for holder, role in (("contacts", "customer"), ("teammates", "agent")):
        listed = as_record(conversation.get(holder), holder)
        for each in as_list(listed.get(holder, listed.get("admins")), holder):
            people.know(id_in({"it": each}, "it"), role, as_record(each, holder))
    for _, link in active["conversation_contact"]:
        people.know(native_id(link.get("contact_id")), "customer", {})
        people.customer = people.customer or native_id(link.get("contact_id"))
    draft.customer = people.customer
    draft.people = people.stated.details()


def _describe(  # what is known of a conversation stands in as many places
    draft: Draft,
    conversation: Mapping[str, Any],
    begun: Mapping[str, Any],
    active: Found,
    people: _People,
    settings: IntercomSettings,
) -> None:
    draft.people = people.stated.details()
    draft.opened_at = time_of(conversation, "created_at", settings)
    draft.channel = {"conversation": "chat"}.get(kind := as_text(begun.get("type"), "source.type"), kind) or None
    topics: list[Any] = []
    for holder in ("tags", "topics"):
        topics += [
            as_record(each, holder).get("name")
            for each in as_list(as_record(conversation.get(holder), holder).get(holder), holder)
        ]
    topics += [link.get("tag_id") for _, link in active["conversation_tag"]]
    draft.topics = distinct(topics)
    state = conversation.get("state")
    draft.resolved = {"closed": True, "open": False, "snoozed": False}.get(state) if isinstance(state, str) else None
    rating = as_record(conversation.get("conversation_rating"), "conversation_rating").get("rating")
    mark = rating if rating is not None else conversation.get("conversation_rating_value")
    if mark not in (None, ""):
        draft.csat = _share(mark)
    reopens = as_record(conversation.get("statistics"), "statistics").get("count_reopens")
    draft.reopened = reopens > 0 if isinstance(reopens, int) else None
    if is_true(conversation.get("_fivetran_deleted")):
        draft.drop = "deleted_conversation"
    put_subject(draft, clean(as_text(begun.get("subject"), "source.subject"), "html"), settings)


def _share(mark: Any) -> float:
    """Intercom's faces, 1 to 5, as a share."""
    try:
        value = float(mark)
    except (TypeError, ValueError):
        raise Refused("unknown_value", "conversation_rating") from None
    if not 1 <= value <= 5:  # noqa: PLR2004  # its scale
        raise Refused("unknown_value", "conversation_rating")
    return (value - 1) / 4


SOURCE = Source(DESK.read, assemble, cuts="layout")
