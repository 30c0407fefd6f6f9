"""Help Scout: conversations with their threads, as its Inbox API 2.0 returns them with `embed=threads`.

    {"_embedded": {"conversations": [{"id": 7, "subject": "…", "status": "closed", "primaryCustomer": {…}, "_embedded": {
        "threads": [{"id": 1, "type": "customer", "body": "Hi<br>", "createdBy": {"type": "customer", "id": 5}, …}]}}]}}

Fields: developer.helpscout.com/mailbox-api/endpoints/conversations/list and …/threads/list, read 2026-11. Threads of type
customer, message (a reply), chat, phone and beaconchat become turns; notes, line items and forwards never do, nor drafts.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final, Literal

from pipeline.reading.drafts import Draft, FindReferent, Row, Source
from pipeline.reading.exports import (
    Desk,
    ExportSettings,
    Kind,
    Kinds,
    People,
    Said,
    add_turns,
    distinct,
    id_in,
    latest,
    names,
    put_subject,
    text_of,
    time_of,
    word,
)
from pipeline.reading.values import as_list, as_record, as_text, native_id

KINDS: Final[Kinds] = {
    "conversation": Kind(
        names("id subject status primaryCustomer"),
        names("""
            createdAt userUpdatedAt updatedAt state type source tags cc bcc createdBy assignee threads _embedded customFields
            customer mailbox
        """),
        names("""
            number folderId preview mailboxId closedAt closedBy closedByUser customerWaitingSince _links inboxId snooze nextEvent
            assignedTo slug mailboxName threadCount rating
        """),
    ),
    "thread": Kind(
        names("id type createdBy"),
        names("body text status state customer createdAt to cc bcc source action conversationId rating"),
        names("assignedTo savedReplyId openedAt attachments _embedded _links linkedConversationId scheduled translations"),
    ),
}
"""What stands in an export. A field that is in no list is refused; `ignore_fields` of params adds to the last one."""

_MESSAGES: Final = frozenset({"customer", "message", "chat", "phone", "beaconchat", "email", "reply"})
_NOTES: Final = frozenset({"note"})
_PERSONAL: Final = {
    "first": "PERSON",
    "last": "PERSON",
    "firstName": "PERSON",
    "lastName": "PERSON",
    "email": "EMAIL_ADDRESS",
    "phone": "PHONE_NUMBER",
}


class HelpscoutSettings(ExportSettings):
    """A Help Scout export."""

    format: Literal["helpscout"]
    """helpscout"""


def _native(kind: str, fields: Mapping[str, Any]) -> str | None:
    return native_id(fields.get("id" if kind == "conversation" else "conversationId"))


DESK: Final = Desk(
    KINDS,
    main=("conversation",),
    native=_native,
    wrappers=("conversations", "_embedded.conversations", "threads", "_embedded.threads"),
    beside=names("page _links"),
)


def assemble(rows: Sequence[Row], settings: HelpscoutSettings, _find_referent: FindReferent) -> Draft:
    """One conversation with its public threads."""
    found = DESK.unpacked(rows, settings)
    draft = Draft()
    conversation = latest(found["conversation"], "userUpdatedAt", settings, draft)
    threads = [fields for _, fields in found["thread"]]
    embedded = as_record(conversation.get("_embedded"), "_embedded").get("threads") or conversation.get("threads")
    threads += DESK.nested("thread", embedded if not isinstance(embedded, int) else None, "threads", settings)
    people = People()
    customer = id_in(conversation, "primaryCustomer") or id_in(conversation, "customer")
    people.know(customer, "customer")
    for at in ("primaryCustomer", "customer", "createdBy", "assignee"):
        person = as_record(conversation.get(at), at)
        people.state_all(native_id(person.get("id")), person, _PERSONAL, "customer" if "ustomer" in at else "other")
    people.state_addresses(None, [conversation.get("cc"), conversation.get("bcc")])
    add_turns(draft, _said(threads, draft, people, settings))
    draft.customer = customer
    draft.people = people.details()
    draft.opened_at = time_of(conversation, "createdAt", settings)
    draft.channel = as_text(conversation.get("type"), "type") or None
    tags = (
        as_record(each, "tags").get("tag", as_record(each, "tags").get("name"))
        for each in as_list(conversation.get("tags"), "tags")
    )
    draft.topics = distinct(tags)
    draft.resolved = {"closed": True, "active": False, "pending": False, "open": False}.get(word(conversation["status"]))
    if conversation.get("status") == "spam":
        draft.drop = "spam"
    elif conversation.get("state") == "deleted":
        draft.drop = "deleted_conversation"
    put_subject(draft, conversation.get("subject"), settings)
    return draft


def _said(threads: Sequence[Mapping[str, Any]], draft: Draft, people: People, settings: HelpscoutSettings) -> Iterator[Said]:
    for thread in threads:
        kind = word(thread.get("type"))
        author = as_record(thread.get("createdBy"), "createdBy")
        by_customer = kind == "customer" or author.get("type") == "customer"
        key = native_id(author.get("id"))
        person = None if key is None else key if by_customer else f"user {key}"  # customers and users count from 1 each
        speaker = "customer" if by_customer else "bot" if author.get("type") in {"workflow", "system", "bot"} else "agent"
        people.know(person, speaker)
        people.state_all(person, author, _PERSONAL, speaker)
        people.state_all(id_in(thread, "customer"), as_record(thread.get("customer"), "customer"), _PERSONAL, "customer")
        people.state_addresses(None, [thread.get("to"), thread.get("cc"), thread.get("bcc")])
        if kind in _NOTES:
            draft.count("private_notes")
        elif kind not in _MESSAGES or word(thread.get("state")) in {"draft", "hidden", "review"}:
            draft.count(f"events.{kind if kind not in _MESSAGES else thread.get('state')}")
        else:
            yield Said(
                native_id(thread.get("id")),
                speaker,
                text_of(thread, ("text",), ("body",)),
                time_of(thread, "createdAt", settings),
                person,
            )


SOURCE = Source(DESK.read, assemble, cuts="layout")
