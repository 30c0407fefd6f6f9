"""Mails become rows, and the rows of a thread a conversation: the same for every format that holds mails.

Who is staff is an agent, everybody else a customer. Mail of machines (bounces, automatic replies, invitations) and what staff
write to staff alone is counted by its kind and never becomes a turn; a thread of nothing else is dropped for the kind of its
first mail.
"""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Final, Literal, NamedTuple

import orjson
from pydantic import Field

from pipeline.errors import SourceError
from pipeline.mail.markup import mail_to_text
from pipeline.mail.message import Address, Head, NotAMail, read_body, read_head
from pipeline.mail.staff import INTERNAL, Staff
from pipeline.mail.threads import FORWARD, ThreadWriter
from pipeline.reading.drafts import (
    FORGOTTEN,
    MARK,
    Detail,
    Draft,
    DraftTurn,
    FindReferent,
    Limits,
    Read,
    ReceivedFile,
    Referent,
    Refused,
    Row,
    SourceSettings,
    fault,
)
from pipeline.reading.times import EPOCH, MICROSECOND, zone_of
from pipeline.text import clean

_END_OF_HEADER: Final = re.compile(rb"\r?\n\r?\n|\r\r")

SHARED_MAILBOXES: Final = frozenset(
    """
    support info help helpdesk service customerservice customercare care contact contacts hello hi team office sales billing
    orders admin mail noreply no-reply donotreply do-not-reply notifications kundenservice kundendienst hilfe kontakt assistance
    aide ayuda soporte atencion suporte ajuda atendimento assistenza aiuto klantenservice klantendienst pomoc wsparcie obsluga
    kundtjanst kundeservice asiakaspalvelu podpora destek yardim iletisim
    """.split()  # noqa: SIM905  # reads better than forty quoted words
)
"""What stands before the @ of an address that is nobody's own: the name shown with it is an organisation's."""


class MailSettings(SourceSettings):
    """What is common to all formats that hold mails."""

    join: Literal["source", "folder", "file"]
    """Where mails of one thread may stand: in all files of the source (an inbox and its sent mail), in a folder, in one file."""
    staff: Staff
    """Who is not a customer."""
    subject: Literal["leave", "prepend"]
    """Whether the subject is left out, or put above the text of the first turn when that does not begin with it."""
    undated: Literal["refuse", "keep"]
    """A mail that says no time at all: quarantined, or kept without one, after those with one."""
    thread_gap_days: float = Field(ge=0)
    """A reply that names no mail before it joins one of the same subject and customer that is at most so much older. Days."""

    @property
    def joins_folder(self) -> bool:
        """Whether mails of one thread may stand in several files of a folder."""
        return self.join == "folder"

    @property
    def joins_source(self) -> bool:
        """Whether mails of one thread may stand in any files of the source."""
        return self.join == "source"


class RawMail(NamedTuple):
    """One mail as it lies in its file."""

    content: bytes
    is_cut: bool
    """Longer than a row may be: what is missing are attachments, for they come last."""


GONE: Final = MARK.encode()
"""The one header of what stands in the place of a mail that was cut out."""

Split = Callable[[ReceivedFile, Limits], Iterator[RawMail]]
"""The mails of a file, streaming."""


def opener(split: Split) -> Callable[[Sequence[ReceivedFile], Any, Limits], Read]:
    """What opens a unit of files that `split` takes apart: their headers are read once for the threads, then all of each mail."""

    def open_unit(files: Sequence[ReceivedFile], settings: MailSettings, limits: Limits) -> Read:
        writer = ThreadWriter()
        for file in sorted(files, key=lambda each: (str(each.path), each.position)):
            try:
                for mail in split(file, limits):
                    if mail.content.startswith(GONE):
                        continue
                    try:
                        head = read_head(_header(mail.content))[1]
                    except NotAMail:
                        continue
                    writer.add(head, _outside(head, settings.staff))
            except SourceError:
                continue  # reading it for its rows says the same once more, where it is accounted for
        threads = writer.finish(settings.thread_gap_days)

        def read(file: ReceivedFile, number: int, _settings: Any, _limits: Limits) -> Iterator[Row | Referent]:
            for position, mail in enumerate(split(file, limits), start=1):
                if mail.content.startswith(GONE):
                    yield fault(number, position, GONE, FORGOTTEN)
                else:
                    yield _row(number, position, mail, settings, threads.of)

        return read

    return open_unit


def reader(split: Split) -> Read:
    """What reads one file as a unit of its own."""

    def read(file: ReceivedFile, number: int, settings: MailSettings, limits: Limits) -> Iterator[Row | Referent]:
        return opener(split)([file], settings, limits)(file, number, settings, limits)

    return read


def _header(content: bytes) -> bytes:
    end = _END_OF_HEADER.search(content)
    return content[: end.end()] if end else content


def _outside(head: Head, staff: Staff) -> Iterator[str]:
    everybody = (head.sender, *head.others) if head.sender else head.others
    return (each.address for each in everybody if staff.speaker(each.address) == "customer")


def _row(number: int, position: int, mail: RawMail, settings: MailSettings, thread_of: Callable[[str], str]) -> Row:
    try:
        message, head = read_head(mail.content)
        thread = thread_of(head.message_id)
        body = read_body(message)
    except (NotAMail, KeyError, IndexError, RecursionError):
        return fault(number, position, mail.content, "not_a_mail")
    if head.sender is None:
        return fault(number, position, mail.content, "no_sender")
    sent_at = None
    if head.sent_at is None:
        if settings.undated == "refuse":
            return fault(number, position, mail.content, "bad_time", "date")
    else:
        moment, declared = head.sent_at, zone_of(settings.zone)
        if moment.tzinfo is None:
            if declared is None:
                return fault(number, position, mail.content, "no_time_zone", "date")
            moment = moment.replace(tzinfo=declared)
        try:
            sent_at = (moment - EPOCH) // MICROSECOND
        except OverflowError:
            return fault(number, position, mail.content, "bad_time", "date")
    record = {
        "id": head.message_id,
        "from": head.sender,
        "others": head.others,
        "to": head.recipients and sorted({settings.staff.speaker(each) for each in head.recipients}),
        "reply_to": head.reply_to,
        "subject": head.subject,
        "sent_at": sent_at,
        "kind": head.kind or ("calendar" if body.is_calendar else ""),
        "ip": head.origin_ip,
        "text": body.text,
        "is_html": body.is_html,
        "attachments": body.attachments,
        "is_cut": mail.is_cut,
    }
    return Row(number, position, thread, orjson.dumps(_sound(record)))


def _sound(value: Any) -> Any:
    """Lone surrogates, which UTF-8 cannot hold, as the replacement character."""
    if isinstance(value, str):
        return value.encode("utf-8", "replace").decode() if not value.isascii() else value
    if isinstance(value, dict):
        return {key: _sound(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [_sound(each) for each in value]
    return value


def assemble(rows: Sequence[Row], settings: MailSettings, _find_referent: FindReferent) -> Draft:
    """The conversation of one thread."""
    draft = Draft(channel="email")
    kinds: list[str] = []
    mails = _once(rows, draft)
    mails.sort(key=lambda mail: (mail["sent_at"] is None, mail["sent_at"] or 0))
    people: dict[Detail, None] = {}
    outsiders: list[str] = []
    subject = ""
    names_recipients = any(mail["to"] for mail in mails)
    for mail in mails:
        sender = Address(*mail["from"])
        everybody = [sender, *(Address(*each) for each in mail["others"])]
        outsiders += [each.address for each in everybody if settings.staff.speaker(each.address) == "customer"]
        if mail["kind"] != "bounce":  # its sender is a mail server
            people.update(dict.fromkeys(_details(everybody, mail["ip"], settings.staff)))
        draft.count("attachments", mail["attachments"])
        if mail["is_cut"]:
            draft.count("cut_mails")
        author, kind = _author_of(mail, settings.staff, names_recipients=names_recipients)
        if kind:
            draft.count(f"mails.{kind}")
            kinds.append(kind)
            continue
        text = mail_to_text(mail["text"]) if mail["is_html"] else mail["text"]
        if not (text := clean(text)):
            draft.count("empty_texts")
            continue
        speaker = settings.staff.speaker(author)
        is_forward = FORWARD.match(mail["subject"]) is not None
        draft.turns.append(DraftTurn(speaker, text, mail["sent_at"], author, is_forward=is_forward))
        subject = subject or mail["subject"]
    draft.customer = next((turn.author for turn in draft.turns if turn.speaker == "customer"), None) or next(
        iter(outsiders), None
    )
    draft.people = list(people)
    if not draft.turns and kinds:
        draft.drop = kinds[0]
    if settings.subject == "prepend" and draft.turns and subject and not draft.turns[0].text.startswith(subject):
        draft.heading = subject
    return draft


def _author_of(mail: Mapping[str, Any], staff: Staff, *, names_recipients: bool) -> tuple[str, str]:
    """The address of whose words a mail is, and why it becomes no turn; empty where it does.

    What staff write is an answer if a customer is among those it is to. Where only staff are, but whoever answers it writes to
    customers, a customer wrote it: in a contact form, or to a group that put its own address in the place of theirs. Where it
    says nobody, it is an answer only if no mail of its thread does, as in the archives of mailing lists.
    """
    sender: str = mail["from"][1]
    if mail["kind"] or staff.speaker(sender) == "customer":
        return sender, mail["kind"]
    to = mail["to"] or ()
    if "customer" in to or (mail["to"] is None and not names_recipients):
        return sender, ""
    if not to:
        return sender, "undisclosed"
    answered = mail["reply_to"]
    if answered and all(staff.speaker(address) == "customer" for address in answered):
        return answered[0], ""
    return sender, INTERNAL


def _once(rows: Sequence[Row], draft: Draft) -> list[dict[str, Any]]:
    """Every mail once: an export holds the same one in several folders."""
    mails: dict[tuple[Any, ...], dict[str, Any]] = {}
    for row in rows:
        mail = orjson.loads(row.payload)
        told_apart_by = mail["text"] if mail["id"].startswith("~") else ""  # no id of its own: by what it says
        key = (mail["id"], mail["from"][1], mail["sent_at"], told_apart_by)
        if key in mails:
            draft.count("repeated_mails")
        else:
            mails[key] = mail
    if not mails:
        raise Refused("no_mails")
    return list(mails.values())


def _details(everybody: Sequence[Address], ip: str, staff: Staff) -> Iterator[Detail]:
    for number, (name, address) in enumerate(everybody):
        role = staff.speaker(address)
        role = role if role in {"customer", "agent"} else "other"
        yield Detail(address, role, "EMAIL_ADDRESS", address)
        is_shared = role != "customer" and address.partition("@")[0] in SHARED_MAILBOXES
        if name and name.casefold() != address:
            yield Detail(address, role, "ORGANIZATION" if is_shared else "PERSON", name)
        if ip and not number:
            yield Detail(address, role, "IP_ADDRESS", ip)
