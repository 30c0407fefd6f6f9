"""Zendesk: pages of its API, and tickets as JSON lines with their comments inside.

    tickets.json             {"tickets": [{"id": 7, "requester_id": 1, "description": "…", …}], "next_page": …, "count": …}
    ticket_7_audits.json     {"audits": [{"ticket_id": 7, "events": [{"type": "Comment", "public": true, …}], …}], "users": […]}
    ticket_7_comments.json   {"comments": [{"id": 9, "author_id": 1, "body": "…", "public": true, …}], "users": […]}
    tickets.jsonl            {"id": 7, "requester": {…}, "comments": [{…}], …}

Fields: developer.zendesk.com/api-reference/ticketing (tickets, ticket_comments, ticket_audits, users), read 2026-11.
Public comments become turns; private ones are counted. The requester is the customer whatever their role; anybody else
speaks as their role says. A ticket without comments has its description, which Zendesk defines as the first comment.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from itertools import chain
from typing import Any, Final, Literal

import orjson
from pydantic import Field

from pipeline.errors import SourceError
from pipeline.reading.drafts import (
    Detail,
    Draft,
    DraftTurn,
    FindReferent,
    Limits,
    ReceivedFile,
    Referent,
    Refused,
    Row,
    Source,
    SourceSettings,
    fault,
)
from pipeline.reading.files import json_lines, json_records, layout_of
from pipeline.reading.paths import shown
from pipeline.reading.times import microseconds
from pipeline.reading.values import as_list, as_record, as_text, native_id, stated
from pipeline.text import clean


def _fields(names: str) -> frozenset[str]:
    return frozenset(names.split())


MAPPED: Final[Mapping[str, frozenset[str]]] = {
    "ticket": _fields("""
        id via created_at updated_at generated_timestamp subject raw_subject description status recipient requester_id
        submitter_id assignee_id organization_id collaborator_ids follower_ids email_cc_ids tags satisfaction_rating brand_id
        requester submitter assignee collaborator collaborators followers email_ccs organization brand comments audits users
        metric_set custom_fields
    """),
    "audit": _fields("""
        id ticket_id created_at author_id via metadata events
    """),
    "comment": _fields("""
        id ticket_id audit_id type author_id author body html_body plain_body public created_at via metadata
    """),
    "user": _fields("""
        id name email phone alias role
    """),
}

IGNORED: Final[Mapping[str, frozenset[str]]] = {
    "ticket": _fields("""
        url external_id type priority group_id group forum_topic_id problem_id has_incidents due_at fields
        sharing_agreement_ids ticket_form_id followup_ids custom_status_id encoded_id is_public allow_channelback
        allow_attachments allow_attachments_from_messaging from_messaging_channel attribute_value_ids macro_id macro_ids
        result_type safe_update satisfaction_probability support_type via_followup_source_id comment_count dates slas
        deleted_ticket_form_id assignee_email requester_updated_at tde_workspace voice_comment lookup_relationship_fields
        ticket_form metric_events metric_sets
    """),
    "audit": frozenset({"url"}),
    "comment": _fields("""
        url attachments uploads formatted_from transcription_visible trusted data author_name author_email value field_name
        previous_value
    """),
    "user": _fields("""
        url created_at updated_at time_zone iana_time_zone photo locale_id locale organization_id verified external_id tags
        active shared shared_agent last_login_at two_factor_auth_enabled signature details notes custom_role_id role_type
        moderator ticket_restriction only_private_comments restricted_agent suspended chat_only user_fields default_group_id
        report_csv permanently_deleted shared_phone_number is_billing_admin
    """),
}
"""Known, and not needed downstream. A field that is in neither table is refused; `ignore_fields` of params adds to this one."""

_RECORDS: Final = {
    ("tickets", "*"): "ticket",
    ("ticket",): "ticket",
    ("audits", "*"): "audit",
    ("comments", "*"): "comment",
    ("users", "*"): "user",
    ("user",): "user",
    ("brands", "*"): "brand",
    ("groups", "*"): "group",
    ("organizations", "*"): "organization",
    ("metric_sets", "*"): "metric_set",
    ("ticket_metrics", "*"): "metric_set",
}
_LOOKED: Final = frozenset({"user", "brand", "group", "organization", "metric_set"})
_BESIDE: Final = _fields("""
        next_page previous_page count end_of_stream end_time start_time after_cursor after_url before_cursor before_url meta
        links last_audits dates sharing_agreements comment_counts slas incident_counts
    """)
"""At the top of a page: where the next one is, and side-loads that nothing downstream needs."""

TICKET_IN_NAME: Final = re.compile(r"tickets?[_/-](\d+)")
"""The id of the ticket whose comments a page holds, which do not state it, in the path of the file."""
_SOLVED: Final = frozenset({"solved", "closed"})
_UNSOLVED: Final = frozenset({"new", "open", "pending", "hold"})
_COMMENTS: Final = frozenset({"Comment", "VoiceComment"})
_SPEAKERS: Final = {"end-user": "customer", "agent": "agent", "admin": "agent"}
_CHATS: Final = frozenset({"ChatStartedEvent", "ChatEndedEvent", "MessagingStartedEvent", "MessagingEndedEvent"})
_ACTORS: Final = {"end-user": "customer", "end_user": "customer", "visitor": "customer", "agent": "agent"} | dict.fromkeys(
    ("system", "trigger", "bot", "answer_bot"), "bot"
)
_CHAT_TITLE: Final = "Conversation with "
"""How the description begins that Zendesk writes into a ticket that began as a messaging session."""
_MACROS: Final = frozenset({"AgentMacroReference", "MacroReference"})
_KIND: Final = re.compile(r"[A-Za-z_]{1,40}")
_MARKS: Final = {"good": 1.0, "good_with_comment": 1.0, "bad": 0.0, "bad_with_comment": 0.0}


class TicketSettings(SourceSettings):
    """What becomes of a Zendesk ticket, wherever it came from."""

    subject: Literal["leave", "prepend"]
    """Whether the subject is left out, or put above the text of the first turn when that does not begin with it."""
    unknown_author: Literal["refuse", "agent", "customer"]
    """Who speaks in a comment whose author no user record names: a ticket with one is quarantined, or the given role."""
    product_field: int | None = None
    """Id of the custom field that holds the product; null for the name of the brand."""
    topic_fields: list[int] = Field(default_factory=list)
    """Ids of custom fields that hold topics, beside the tags."""
    identifier_fields: dict[int, str] = Field(default_factory=dict)
    """Ids of custom fields that hold personal values -> entity type, such as {36000102: ORDER_NUMBER}."""
    ignore_fields: list[str] = Field(default_factory=list)
    """Further fields of tickets, comments, audits and users that are known and not read."""


class ZendeskSettings(TicketSettings):
    """A Zendesk export."""

    format: Literal["zendesk"]
    """zendesk"""
    join: Literal["folder", "file", "source"]
    """folder: tickets, comments, audits and users of one folder belong together; source: those of all folders do; file: every
    file stands for itself."""

    @property
    def joins_source(self) -> bool:
        """Whether rows of one ticket may stand in several folders."""
        return self.join == "source"

    @property
    def joins_folder(self) -> bool:
        """Whether rows of one ticket may stand in several files."""
        return self.join == "folder"


def read(file: ReceivedFile, number: int, settings: ZendeskSettings, limits: Limits) -> Iterator[Row | Referent]:
    """Tickets, audits and comments of one file as rows, its users as what they refer to."""
    layout = layout_of(file)
    if layout == "jsonl":
        for row in json_lines(file, number, limits):
            yield row if isinstance(row, Row) else _row(number, row[0], row[1], row[2], _kind_of(row[2]), None)
    elif layout == "json":
        beside = [*_BESIDE, *settings.ignore_fields]
        ticket = TICKET_IN_NAME.search(file.label)
        for found in json_records(file, number, list(_RECORDS), beside, limits):
            if isinstance(found, Row):
                yield found
                continue
            path, position, raw, record = found
            kind = _RECORDS[path]
            if kind in _LOOKED:
                if (key := native_id(record.get("ticket_id" if kind == "metric_set" else "id"))) is not None:
                    yield Referent(kind, key, raw)
            else:
                yield _row(number, position, raw, record, kind, ticket[1] if ticket else None)
    else:
        raise SourceError(f"{file.label}: is {layout}, not JSON; Zendesk warehouse tables are read as format: zendesk_tables")


def _kind_of(record: Mapping[str, Any]) -> str:
    if "events" in record:
        return "audit"
    return "comment" if "ticket_id" in record else "ticket"


def _row(number: int, position: int, raw: bytes, record: Mapping[str, Any], kind: str, ticket: str | None) -> Row:
    native = native_id(record.get("id") if kind == "ticket" else record.get("ticket_id", ticket))
    if native is None:
        return fault(number, position, raw, "no_id")
    return Row(number, position, native, b"%c%b" % (kind[0].encode(), raw))


def assemble(rows: Sequence[Row], settings: ZendeskSettings, find_referent: FindReferent) -> Draft:
    """One ticket with its public comments."""
    ticket_rows = [row for row in rows if row.payload[:1] == b"t"]
    audits = [orjson.loads(row.payload[1:]) for row in rows if row.payload[:1] == b"a"]
    comments = [orjson.loads(row.payload[1:]) for row in rows if row.payload[:1] == b"c"]
    if not ticket_rows:
        raise Refused("orphan", f"{len(rows)} rows without their ticket")
    draft = Draft(origin=ticket_rows[0])
    ticket = _latest([orjson.loads(row.payload[1:]) for row in ticket_rows], draft)
    _check("ticket", ticket, settings)
    audits += as_list(ticket.get("audits"), "audits")
    comments += [as_record(comment, "comments") for comment in as_list(ticket.get("comments"), "comments")]
    return conversation(draft, ticket, audits, comments, (), settings, find_referent)


def conversation(  # a ticket and all that was said in it
    draft: Draft,
    ticket: dict[str, Any],
    audits: Sequence[Any],
    comments: Sequence[dict[str, Any]],
    chats: Sequence[dict[str, Any]],
    settings: TicketSettings,
    find_referent: FindReferent,
) -> Draft:
    """The ticket with everything that was said in public.

    Args:
        draft: what is known so far.
        ticket: as the API returns it.
        audits: its audits, with comments and chats among their events.
        comments: what the comments endpoint returned.
        chats: entries of its chats, each with type, timestamp, message, actor_type, actor_id, actor_name.
        settings: of the source.
        find_referent: users, brands, groups, organizations, metric sets.
    """
    _join(ticket, find_referent)
    people = _People(ticket, settings, find_referent)
    said = list(chain(_from_audits(audits, draft, settings, people), _from_comments(comments, settings, people)))
    if not said:
        said = [{"author_id": ticket.get("requester_id"), "created_at": ticket.get("created_at"), "public": True}]
        said[0]["body"] = ticket.get("description")
    in_chats = list(_from_chats([*chats, *_chats_in(audits)], draft, people))
    said = [*_without_transcripts(said, in_chats, draft), *in_chats]
    requester = native_id(ticket.get("requester_id")) or native_id(as_record(ticket.get("requester"), "requester").get("id"))
    draft.customer = requester
    _add_turns(draft, said, settings, people, requester)
    _add_ticket(draft, ticket, settings)
    draft.people = people.details(requester)
    return draft


def _join(ticket: dict[str, Any], find_referent: FindReferent) -> None:
    """Put into a ticket what it refers to and does not hold itself."""
    for name in ("brand", "group", "organization"):
        key = native_id(ticket.get(f"{name}_id"))
        if ticket.get(name) is None and key is not None and (found := find_referent(name, key)) is not None:
            ticket[name] = found
    key = native_id(ticket.get("id"))
    if ticket.get("metric_set") is None and key is not None:
        ticket["metric_set"] = find_referent("metric_set", key)


def _chats_in(audits: Sequence[Any]) -> Iterator[dict[str, Any]]:
    """The entries of chats and messaging sessions, which stand in an event of an audit."""
    for audit in audits:
        for event in as_list(audit.get("events"), "audits.events"):
            if str(event.get("type")) in _CHATS:
                value = event.get("value")
                history = as_list(as_record(value, "value").get("history") if isinstance(value, dict) else None, "history")
                yield from (as_record(entry, "history") for entry in history)


def _from_chats(entries: Sequence[dict[str, Any]], draft: Draft, people: "_People") -> Iterator[dict[str, Any]]:
    for entry in entries:
        kind = entry.get("type")
        original = as_record(entry.get("original_message"), "original_message")
        author = native_id(entry.get("actor_id"))
        people.state(author, "PERSON", entry.get("actor_name"))
        if kind != "ChatMessage":
            draft.count(f"events.{kind if isinstance(kind, str) and _KIND.fullmatch(kind) else 'other'}")
            continue
        body = entry.get("message") or as_record(original.get("content"), "content").get("text")
        yield {
            "id": entry.get("message_id") or None,
            "author_id": author,
            "created_at": entry.get("timestamp"),
            "body": body if isinstance(body, str) else None,
            "public": True,
            "speaker": _chatter(entry, original, people, author),
        }


def _chatter(entry: Mapping[str, Any], original: Mapping[str, Any], people: "_People", author: str | None) -> str | None:
    """Who speaks in a chat; null where only the users can say."""
    wrote = as_record(original.get("author"), "author").get("type")
    if as_record(original.get("source"), "source").get("type") == "zd:answerBot":
        return "bot"
    if wrote == "USER":
        return "customer"
    named = entry.get("actor_type")
    if named == "agent" and author is not None and people.role(author) == "customer":
        return "customer"
    return _ACTORS.get(named) if isinstance(named, str) else None


def _without_transcripts(
    said: Sequence[dict[str, Any]], chats: Sequence[Mapping[str, Any]], draft: Draft
) -> Iterator[dict[str, Any]]:
    """The comments but those that repeat a whole chat: a chat is also written into its ticket, as one comment."""
    texts = [text for chat in chats if (text := _text(chat))]
    for comment in said:
        body = _text(comment) if texts and comment.get("public") is True else ""
        if body and (body in texts or body.startswith(_CHAT_TITLE) or all(text in body for text in texts)):
            draft.count("chat_transcripts")
        else:
            yield comment


def _latest(tickets: Sequence[dict[str, Any]], draft: Draft) -> dict[str, Any]:
    """Of several versions of a ticket the one updated last: incremental exports repeat what changed."""
    best = max(tickets, key=lambda ticket: str(ticket.get("updated_at") or ""))
    rivals = [ticket for ticket in tickets if ticket.get("updated_at") == best.get("updated_at")]
    if any({**ticket, "url": ""} != {**best, "url": ""} for ticket in rivals):
        raise Refused("contradicting_rows", f"{len(rivals)} tickets of one update")
    if len(tickets) > 1:
        draft.count("repeated_rows", len(tickets) - 1)
    return best


def _check(kind: str, record: Mapping[str, Any], settings: TicketSettings) -> None:
    unknown = record.keys() - MAPPED[kind] - IGNORED[kind]
    if unknown and (left := unknown - set(settings.ignore_fields)):
        raise Refused("unknown_field", f"{kind}.{shown(min(left))}")


class _People:
    """The users of one ticket: embedded in it, or referred to; and every value that the ticket states about anybody."""

    def __init__(self, ticket: Mapping[str, Any], settings: TicketSettings, find_referent: FindReferent) -> None:
        self._settings, self._find_referent = settings, find_referent
        self._users: dict[str, Mapping[str, Any] | None] = {}
        self._stated: dict[tuple[str | None, str, str], None] = {}
        embedded = [as_record(ticket.get(name), name) for name in ("requester", "submitter", "assignee")]
        for name in ("users", "collaborator", "collaborators", "followers", "email_ccs"):
            embedded += [each for each in as_list(ticket.get(name), name) if isinstance(each, dict)]
        for user in embedded:
            self.take(user)
        for name in ("requester_id", "submitter_id", "assignee_id"):
            self.find(native_id(ticket.get(name)))
        for name in ("collaborator_ids", "follower_ids", "email_cc_ids"):
            for each in as_list(ticket.get(name), name):
                self.find(native_id(each))
        self.state(None, "EMAIL_ADDRESS", ticket.get("recipient"))
        self.state(None, "ORGANIZATION", as_record(ticket.get("organization"), "organization").get("name"))
        self.see_via(ticket.get("via"))
        for field, kind in settings.identifier_fields.items():
            self.state(native_id(ticket.get("requester_id")), kind, _custom(ticket, field))

    def take(self, user: Mapping[str, Any]) -> None:
        """Note a user and what is stated about them."""
        _check("user", user, self._settings)
        if (key := native_id(user.get("id"))) is not None:
            self._users[key] = user
        for kind, field in (("PERSON", "name"), ("PERSON", "alias"), ("EMAIL_ADDRESS", "email"), ("PHONE_NUMBER", "phone")):
            self.state(key, kind, user.get(field))

    def find(self, key: str | None) -> Mapping[str, Any] | None:
        """The user of this id; their values are noted."""
        if key is None:
            return None
        if key not in self._users:
            user = self._find_referent("user", key)
            self._users[key] = user
            if user is not None:
                self.take(user)
        return self._users[key]

    def state(self, person: str | None, kind: str, value: Any) -> None:
        """Note a value the export states."""
        if value and not isinstance(value, list | dict | bool):
            self._stated[person, kind, str(value)] = None

    def see_via(self, via: Any) -> None:
        """Note who wrote from where: `via.source.from` and `to` hold names, addresses, numbers, handles."""
        source = as_record(as_record(via, "via").get("source"), "via.source")
        for end in ("from", "to"):
            if place := as_record(source.get(end), f"via.source.{end}"):
                for field, kind in _VIA_FIELDS:
                    self.state(None, kind, place.get(field))

    def see_system(self, author: str | None, metadata: Any) -> None:
        """Note the address and place Zendesk recorded of whoever wrote a comment."""
        system = as_record(as_record(metadata, "metadata").get("system"), "metadata.system")
        self.state(author, "IP_ADDRESS", system.get("ip_address"))
        if place := as_text(system.get("location"), "metadata.system.location"):
            self.state(author, "LOCATION", place)
            self.state(author, "LOCATION", place.partition(",")[0])  # people write the town, not the town with its country

    def speaker(self, author: str | None, requester: str | None) -> str:
        """Who speaks.

        Raises:
            Refused: nothing says who the author is.
        """
        if author is not None and author == requester:
            return "customer"
        user = self.find(author)
        role = user.get("role") if user else None
        if isinstance(role, str) and role in _SPEAKERS:
            return _SPEAKERS[role]
        if author == "-1":
            return "bot"  # Zendesk's own automations write as user -1
        if self._settings.unknown_author == "refuse":
            raise Refused("unknown_author", "author_id")
        return self._settings.unknown_author

    def role(self, author: str) -> str | None:
        """What a user record says that somebody is."""
        user = self.find(author)
        role = user.get("role") if user else None
        return _SPEAKERS.get(role) if isinstance(role, str) else None

    def details(self, requester: str | None) -> list[Detail]:
        """Every noted value once."""
        found: dict[Detail, None] = {}
        for person, kind, value in self._stated:
            user = self._users.get(person) if person else None
            role = "other"
            if person is not None and person == requester:
                role = "customer"
            elif user and isinstance(user.get("role"), str):
                role = _SPEAKERS.get(user["role"], "other")
            if (bare := stated(value)) is not None:
                found[Detail(person, role, kind, bare)] = None
        return list(found)


_VIA_FIELDS: Final = (
    ("name", "PERSON"),
    ("address", "EMAIL_ADDRESS"),
    ("email", "EMAIL_ADDRESS"),
    ("phone", "PHONE_NUMBER"),
    ("formatted_phone", "PHONE_NUMBER"),
    ("username", "USER_NAME"),
    ("profile_url", "URL"),
)


def _from_audits(audits: Sequence[Any], draft: Draft, settings: TicketSettings, people: _People) -> Iterator[dict[str, Any]]:
    for audit in audits:
        _check("audit", as_record(audit, "audits"), settings)
        people.see_via(audit.get("via"))
        people.see_system(native_id(audit.get("author_id")), audit.get("metadata"))
        for event in as_list(audit.get("events"), "audits.events"):
            kind = as_record(event, "audits.events").get("type")
            if isinstance(kind, str) and kind in _COMMENTS:
                _check("comment", event, settings)
                is_macro = any(isinstance(other, dict) and str(other.get("type")) in _MACROS for other in audit["events"])
                origin = "macro" if is_macro else "human"
                yield {"author_id": audit.get("author_id"), "created_at": audit.get("created_at"), **event, "origin": origin}
            else:
                if event.get("field_name") == "status" and str(event.get("previous_value")) in _SOLVED:
                    draft.reopened = draft.reopened or str(event.get("value")) in _UNSOLVED
                draft.count(f"events.{kind if isinstance(kind, str) and _KIND.fullmatch(kind) else 'other'}")


def _from_comments(comments: Sequence[dict[str, Any]], settings: TicketSettings, people: _People) -> Iterator[dict[str, Any]]:
    for comment in comments:
        _check("comment", comment, settings)
        people.see_via(comment.get("via"))
        people.see_system(native_id(comment.get("author_id")), comment.get("metadata"))
        if isinstance(author := comment.get("author"), dict):
            people.take(author)
        yield comment


def _add_turns(
    draft: Draft, said: Sequence[Mapping[str, Any]], settings: TicketSettings, people: _People, requester: str | None
) -> None:
    turns: list[tuple[int, int, DraftTurn]] = []
    seen: set[str] = set()
    for position, comment in enumerate(said):
        if (key := native_id(comment.get("id"))) is not None:
            if key in seen:  # the same comment, as an audit event and from the comments endpoint
                draft.count("repeated_comments")
                continue
            seen.add(key)
        if comment.get("public") is not True:
            draft.count("private_notes")
            continue
        text = _text(comment)
        if not text:
            draft.count("empty_texts")
            continue
        author = native_id(comment.get("author_id"))
        if author is None and isinstance(comment.get("author"), dict):
            author = native_id(comment["author"].get("id"))
        sent_at = microseconds(comment.get("created_at"), settings.zone, settings.time_format, "created_at")
        if sent_at is None:
            raise Refused("bad_time", "created_at")
        speaker = comment.get("speaker") or people.speaker(author, requester)
        turns.append(
            (
                sent_at,
                position,
                DraftTurn(speaker, text, sent_at, author, origin="macro" if comment.get("origin") == "macro" else "human"),
            )
        )
    draft.turns.extend(turn for _, _, turn in sorted(turns, key=lambda each: each[:2]))


def _text(comment: Mapping[str, Any]) -> str:
    for field in ("plain_body", "body"):
        if text := clean(as_text(comment.get(field), field)):
            return text
    return clean(as_text(comment.get("html_body"), "html_body"), "html")


def _add_ticket(draft: Draft, ticket: Mapping[str, Any], settings: TicketSettings) -> None:
    draft.opened_at = microseconds(ticket.get("created_at"), settings.zone, settings.time_format, "created_at")
    draft.channel = as_text(as_record(ticket.get("via"), "via").get("channel"), "via.channel") or None
    brand = as_record(ticket.get("brand"), "brand").get("name")
    product = brand if settings.product_field is None else _custom(ticket, settings.product_field)
    draft.product = as_text(product, "product") or None
    topics = [*as_list(ticket.get("tags"), "tags"), *(_custom(ticket, field) for field in settings.topic_fields)]
    topics.append(as_record(ticket.get("group"), "group").get("name"))
    draft.topics = list(dict.fromkeys(text for topic in topics if (text := as_text(topic, "tags"))))
    status = str(ticket.get("status"))
    draft.resolved = True if status in _SOLVED else False if status in _UNSOLVED else None
    rating = ticket.get("satisfaction_rating")
    mark = rating.get("score") if isinstance(rating, dict) else rating
    draft.csat = _MARKS.get(mark) if isinstance(mark, str) else None
    metrics = as_record(ticket.get("metric_set"), "metric_set")
    if isinstance(reopens := metrics.get("reopens"), int):
        draft.reopened = reopens > 0
    if status == "deleted":
        draft.drop = "deleted_ticket"
    subject = clean(as_text(ticket.get("subject"), "subject"))
    if settings.subject == "prepend" and subject and draft.turns and not draft.turns[0].text.startswith(subject):
        draft.turns[0] = draft.turns[0]._replace(text=f"{subject}\n\n{draft.turns[0].text}")


def _custom(ticket: Mapping[str, Any], field: int) -> Any:
    for each in as_list(ticket.get("custom_fields"), "custom_fields"):
        if as_record(each, "custom_fields").get("id") == field:
            return each.get("value")
    return None


SOURCE = Source(read, assemble, cuts="layout")
