"""Salesforce: cases with their comments and e-mails, as Data Export (CSV) or a query of the API (JSON) writes them.

    Case.csv            Id, CaseNumber, Subject, Description, Status, Origin, ContactId, SuppliedEmail, CreatedDate, …
    CaseComment.csv     Id, ParentId, CommentBody, IsPublished, CreatedById, CreatedDate
    EmailMessage.csv    Id, ParentId, TextBody, HtmlBody, FromAddress, ToAddress, Incoming, MessageDate, Status
    Contact.csv, User.csv     Id, Name, Email, Phone

Fields: developer.salesforce.com/docs/atlas.en-us.object_reference.meta/object_reference (Case, CaseComment, EmailMessage,
Contact, User), read 2026-11. Comments that are not published and e-mails that are drafts never become turns. A comment is the
customer's where its author's UserType is one of those who come through a portal, and an agent's otherwise.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final, Literal

from pipeline.mail.staff import INTERNAL, Staff, writer_of
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
    is_false,
    is_true,
    latest,
    mailboxes,
    names,
    put_subject,
    text_of,
    time_of,
    word,
)
from pipeline.reading.values import as_record, as_text, native_id

_SYSTEM: Final = names(
    "attributes SystemModstamp LastModifiedById LastViewedDate LastReferencedDate *__c *__r OwnerId RecordTypeId CurrencyIsoCode"
)

KINDS: Final[Kinds] = {
    "comment": Kind(
        names("Id ParentId CommentBody"),
        names("IsPublished CreatedById CreatedDate IsDeleted CreatedBy CreatorName"),
        names("LastModifiedDate CreatorFullPhotoUrl CreatorSmallPhotoUrl IsNotificationSelected") | _SYSTEM,
    ),
    "email": Kind(
        names("Id ParentId FromAddress"),
        names("""
            TextBody HtmlBody FromName ToAddress CcAddress BccAddress Incoming MessageDate Subject Status CreatedDate IsDeleted
            IsPrivateDraft CreatedById
        """),
        names("""
            ActivityId Headers HasAttachment ValidatedFromAddress ReplyToEmailMessageId IsExternallyVisible MessageIdentifier
            ThreadIdentifier IsClientManaged RelatedToId IsTracked IsOpened FirstOpenedDate LastOpenedDate IsBounced
            EmailTemplateId ContentDocumentIds MessageSize Source AutomationType LastModifiedDate EmailRoutingAddressId
        """)
        | _SYSTEM,
    ),
    "case": Kind(
        names("Id CaseNumber"),
        names("""
            Subject Description Status Origin ContactId Contact SuppliedEmail SuppliedName SuppliedPhone SuppliedCompany
            CreatedDate LastModifiedDate IsClosed IsDeleted Type Reason Language CreatedById CaseComments EmailMessages Product
            ContactEmail ContactPhone ContactMobile
        """),
        names("""
            ParentId AccountId AssetId ProductId EntitlementId SourceId BusinessHoursId Priority IsEscalated ClosedDate Comments
            ContactFax MasterRecordId IsStopped StopStartDate SlaStartDate SlaExitDate MilestoneStatus CommunityId
            FeedItemId ServiceContractId IsClosedOnCreate HasCommentsUnreadByOwner HasSelfServiceComments
            IsSelfServiceClosed IsVisibleInSelfService CreatorName CreatorFullPhotoUrl CreatorSmallPhotoUrl QuestionId
        """)
        | _SYSTEM,
    ),
    "user": Kind(
        names("Id Username"), names("Name FirstName LastName Email Phone MobilePhone UserType Alias ContactId"), names("*")
    ),
    "contact": Kind(
        names("Id LastName Email"), names("Name FirstName Phone MobilePhone HomePhone MailingStreet MailingCity"), names("*")
    ),
}
"""What stands in an export. A field that is in no list is refused; custom ones (`__c`) are ignored unless params map them."""

_CUSTOMERS: Final = frozenset({
    "CspLitePortal", "CustomerSuccess", "PowerCustomerSuccess", "CSPLitePortal", "Guest", "PowerPartner", "SelfService",
})  # fmt: skip
"""Values of UserType of those who come through a portal (object reference, User)."""
_DRAFT: Final = "5"
_RECIPIENTS: Final = ("ToAddress", "CcAddress", "BccAddress")
_PERSONAL: Final = {
    "Name": "PERSON",
    "FirstName": "PERSON",
    "LastName": "PERSON",
    "Email": "EMAIL_ADDRESS",
    "Phone": "PHONE_NUMBER",
    "MobilePhone": "PHONE_NUMBER",
    "HomePhone": "PHONE_NUMBER",
    "MailingStreet": "LOCATION",
    "MailingCity": "LOCATION",
}
_SUPPLIED: Final = {
    "SuppliedName": "PERSON",
    "SuppliedEmail": "EMAIL_ADDRESS",
    "SuppliedPhone": "PHONE_NUMBER",
    "SuppliedCompany": "ORGANIZATION",
    "ContactEmail": "EMAIL_ADDRESS",
    "ContactPhone": "PHONE_NUMBER",
    "ContactMobile": "PHONE_NUMBER",
}


class SalesforceSettings(CustomFieldSettings):
    """A Salesforce export."""

    format: Literal["salesforce"]
    """salesforce"""
    staff: Staff | None = None
    """Who writes for the company, where `Incoming` of the mails is absent or wrong; everybody else is then a customer."""


def _native(kind: str, fields: Mapping[str, Any]) -> str | None:
    return _id(fields.get("ParentId" if kind in {"comment", "email"} else "Id"))


def _id(value: Any) -> str | None:
    """An id in its 15 case-sensitive characters: the longer form adds three that only check them."""
    key = native_id(value)
    return key[:15] if key and len(key) == 18 else key  # noqa: PLR2004  # the two lengths of an id


DESK: Final = Desk(
    KINDS,
    main=("case",),
    native=_native,
    referents=frozenset({"user", "contact"}),
    wrappers=("records",),
    beside=names("totalSize done nextRecordsUrl"),
)


def assemble(rows: Sequence[Row], settings: SalesforceSettings, find_referent: FindReferent) -> Draft:
    """One case with its published comments and its e-mails."""
    found = DESK.unpacked(rows, settings)
    draft = Draft()
    case = latest(found["case"], "LastModifiedDate", settings, draft)
    comments = [fields for _, fields in found["comment"]] + _nested(case, "CaseComments", "comment", settings)
    mails = [fields for _, fields in found["email"]] + _nested(case, "EmailMessages", "email", settings)
    people = People()
    customer = _id(case.get("ContactId"))
    people.know(customer, "customer")
    people.state_all(customer, case, _SUPPLIED, "customer")
    people.state_all(customer, as_record(case.get("Contact"), "Contact"), _PERSONAL, "customer")
    people.state_all(customer, (find_referent("contact", customer) if customer else None) or {}, _PERSONAL, "customer")
    for name, kind in settings.identifier_fields.items():
        people.state(customer, kind, case.get(name), "customer")
    said = [*_mails(mails, draft, people, settings), *_comments(comments, draft, people, settings, find_referent)]
    description = text_of(case, ("Description",))
    opened_at = time_of(case, "CreatedDate", settings)
    # a case that a mail opened holds its text as description, too
    if description and not any(_alike(description, each.text) for each in said):
        said.insert(0, Said(None, "customer", description, opened_at, customer))
    add_turns(draft, said)
    draft.customer = customer or next((turn.author for turn in draft.turns if turn.speaker == "customer" and turn.author), None)
    draft.people = people.details()
    draft.opened_at = opened_at
    draft.channel = as_text(case.get("Origin"), "Origin").lower() or None
    draft.product = as_text(case.get(settings.product_field), settings.product_field) or None if settings.product_field else None
    draft.topics = distinct(case.get(name) for name in ("Type", "Reason", *settings.topic_fields))
    closed = case.get("IsClosed", word(case.get("Status")) == "Closed" if case.get("Status") else None)
    draft.resolved = None if closed is None else is_true(closed)
    if is_true(case.get("IsDeleted")):
        draft.drop = "deleted_case"
    put_subject(draft, case.get("Subject"), settings)
    return draft


def _alike(description: str, text: str) -> bool:
    one, other = " ".join(description.split()), " ".join(text.split())
    return bool(other) and (one.startswith(other) or other.startswith(one))


def _nested(case: Mapping[str, Any], at: str, kind: str, settings: SalesforceSettings) -> list[dict[str, Any]]:
    return DESK.nested(kind, as_record(case.get(at), at).get("records"), at, settings)


def _mails(mails: Sequence[Mapping[str, Any]], draft: Draft, people: People, settings: SalesforceSettings) -> Iterator[Said]:
    for mail in mails:
        sender = next(
            (address for _, address in mailboxes(as_text(mail.get("FromAddress"), "FromAddress")) if "@" in address), ""
        )
        to = [address for at in _RECIPIENTS for _, address in mailboxes(mail.get(at)) if "@" in address]
        incoming = True if is_true(mail.get("Incoming")) else False if is_false(mail.get("Incoming")) else None
        writer = writer_of(settings.staff, sender, to, is_incoming=incoming, where="Incoming")
        role = {INTERNAL: "agent", "bot": "other"}.get(writer, writer)
        people.know(sender or None, role)
        people.state(sender or None, "PERSON", mail.get("FromName"), role)
        people.state(sender or None, "EMAIL_ADDRESS", sender, role)
        for at in _RECIPIENTS:
            people.state_addresses(None, mail.get(at))
        if is_true(mail.get("IsDeleted")):
            draft.count("deleted_messages")
        elif str(mail.get("Status")) == _DRAFT or mail.get("Status") == "Draft" or is_true(mail.get("IsPrivateDraft")):
            draft.count("drafts")
        elif writer == INTERNAL:
            draft.count("mails.internal")
        else:
            at = "MessageDate" if mail.get("MessageDate") else "CreatedDate"
            text = text_of(mail, ("TextBody",), ("HtmlBody",))
            yield Said(native_id(mail.get("Id")), writer, text, time_of(mail, at, settings), sender or None)


def _comments(
    comments: Sequence[Mapping[str, Any]], draft: Draft, people: People, settings: SalesforceSettings, find_referent: FindReferent
) -> Iterator[Said]:
    for comment in comments:
        author = _id(comment.get("CreatedById"))
        user = (find_referent("user", author) if author else None) or {}
        kind = user.get("UserType") or as_record(comment.get("CreatedBy"), "CreatedBy").get("UserType")
        speaker = "customer" if word(kind) in _CUSTOMERS else "agent"
        people.know(author, speaker)
        people.state_all(author, user, _PERSONAL, speaker)
        people.state_all(author, as_record(comment.get("CreatedBy"), "CreatedBy"), _PERSONAL, speaker)
        people.state(author, "PERSON", comment.get("CreatorName"), speaker)
        if is_true(comment.get("IsDeleted")):
            draft.count("deleted_messages")
        elif not is_true(comment.get("IsPublished")):
            draft.count("private_notes")
        else:
            text = text_of(comment, ("CommentBody",))
            yield Said(native_id(comment.get("Id")), speaker, text, time_of(comment, "CreatedDate", settings), author)


SOURCE = Source(DESK.read, assemble, cuts="layout")
