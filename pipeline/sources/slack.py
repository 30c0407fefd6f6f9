"""Slack: the folder or archive of a workspace export, one list of events per channel and day.

    users.json, channels.json
    help/2026-01-05.json    [{"type": "message", "user": "U1", "text": "<@U2> it broke", "ts": "1767614400.000100",
                              "thread_ts": "1767614400.000100"}, …]

Shape: slack.com/help/articles/220556107 (how to read Slack exports), and docs.slack.dev/messaging (message events, formatting
of text), both read 2026-11. A thread (`thread_ts`) is a conversation; messages outside threads are grouped by silence: after
`session_gap_minutes` without one, the next begins another. Joins, bots that are not named and uploads are counted.
"""

import re
from array import array
from bisect import bisect_right
from collections.abc import Callable, Iterator, Mapping, Sequence
from fnmatch import fnmatchcase
from html import unescape
from itertools import pairwise
from typing import Any, Final, Literal

import orjson
from pydantic import Field

from pipeline.reading.drafts import (
    Draft,
    FindReferent,
    Limits,
    Read,
    ReceivedFile,
    Referent,
    Refused,
    Row,
    Source,
    SourceSettings,
    fault,
)
from pipeline.reading.exports import People, Said, add_turns, finder, names, word
from pipeline.reading.files import json_records
from pipeline.reading.paths import shown
from pipeline.reading.values import as_record, as_text, native_id
from pipeline.text import clean

MAPPED: Final = names("""
    type subtype ts thread_ts user text edited bot_id username message deleted_ts previous_message hidden user_profile bot_profile
    files root
""")
IGNORED: Final = names("""
    attachments blocks reactions replies reply_count reply_users reply_users_count latest_reply subscribed last_read is_locked
    client_msg_id team user_team source_team inviter parent_user_id file comment is_intro upload display_as_bot event_ts channel
    channel_type old_name name topic pinned_to pinned_info permalink icons app_id metadata room no_notifications
    is_starred upload_reply_to x_files item item_type bot_link members invite_type saved parent has_thread is_limited saved_info
    assistant_app_thread language_context transcript retention_type unread_count update
""")
"""Known, and not needed downstream. A field of an event that is in neither list is refused; `ignore_fields` adds to this one."""

_LISTS: Final = {"users.json": "user", "channels.json": "channel", "groups.json": "channel"}
_OTHER_LISTS: Final = frozenset({
    "dms.json", "mpims.json", "integration_logs.json", "canvases.json", "huddle_transcripts.json", "file_conversations.json",
    "lists.json", "org_users.json",
})  # fmt: skip
_MESSAGES: Final = frozenset({"me_message", "thread_broadcast", "file_share", "reply_broadcast"})
_GONE: Final = frozenset({"message_deleted", "tombstone"})
_TS: Final = re.compile(r"\d{1,12}(\.\d{1,6})?")
_MARKUP: Final = re.compile(r"<([@#!]?)([^<>|]*)(?:\|([^<>]*))?>")
_USER: Final = {"real_name": "PERSON", "name": "USER_NAME"}
_PROFILE: Final = {
    "real_name": "PERSON",
    "real_name_normalized": "PERSON",
    "display_name": "USER_NAME",
    "first_name": "PERSON",
    "last_name": "PERSON",
    "email": "EMAIL_ADDRESS",
    "phone": "PHONE_NUMBER",
    "skype": "USER_NAME",
}


class SlackSettings(SourceSettings):
    """A Slack export."""

    format: Literal["slack"]
    """slack"""
    channels: list[str] = Field(min_length=1)
    """Globs over names of channels where support is given; the others are not read. ["*"] for all."""
    staff: list[str]
    """Who answers: user ids, user names, e-mail addresses, or domains written as "@example.com"."""
    bots: list[str] = Field(default_factory=list)
    """Bot ids or names whose posts are turns; posts of any other integration are counted."""
    session_gap_minutes: float = Field(ge=0)
    """Silence in a channel after which a message outside threads begins another conversation. Minutes."""
    ignore_fields: list[str] = Field(default_factory=list)
    """Further fields of events that are known and not read."""

    @property
    def joins_source(self) -> bool:
        """Users stand beside the channels, and a conversation may go on past midnight."""
        return True


def _channel_of(file: ReceivedFile) -> str:
    return file.label.replace("!", "/").rstrip("/").split("/")[-2] if "/" in file.label else ""


def _ticks(ts: Any) -> int | None:
    """A message's `ts` in microseconds, which also names it in its channel; null where it is none."""
    if not isinstance(ts, str) or not _TS.fullmatch(ts):
        return None
    seconds, _, sequence = ts.partition(".")
    return int(seconds) * 1_000_000 + int(sequence.ljust(6, "0") or 0)


def open_unit(files: Sequence[ReceivedFile], settings: SlackSettings, limits: Limits) -> Read:
    """Find where sessions begin, channel by channel, then read: 8 bytes per message are held."""
    times: dict[str, array[int]] = {}
    for number, file in enumerate(files):
        if _is_day(file, settings):
            for event in _events(file, number, limits):
                if not isinstance(event, Row) and _is_message(event[2], settings) and event[2].get("thread_ts") is None:
                    ticks = _ticks(event[2].get("ts"))
                    if ticks is not None:
                        times.setdefault(_channel_of(file), array("q")).append(ticks)
    gap = settings.session_gap_minutes * 60_000_000
    starts = {channel: _starts(sorted(ticks), gap) for channel, ticks in times.items()}
    return lambda file, number, settings, limits: _read(file, number, settings, limits, starts)


def _starts(ticks: Sequence[int], gap: float) -> Sequence[int]:
    found = array("q", ticks[:1])
    found.extend(later for earlier, later in pairwise(ticks) if later - earlier > gap)
    return found


def _is_day(file: ReceivedFile, settings: SlackSettings) -> bool:
    if file.name in _LISTS or file.name in _OTHER_LISTS:
        return False
    return any(fnmatchcase(_channel_of(file), glob) for glob in settings.channels)


def _events(file: ReceivedFile, number: int, limits: Limits) -> Iterator[Row | tuple[int, bytes, dict[str, Any]]]:
    for found in json_records(file, number, [()], (), limits):
        yield found if isinstance(found, Row) else found[1:]


def _is_message(event: Mapping[str, Any], settings: SlackSettings) -> bool:
    if event.get("type") != "message":
        return False
    if event.get("subtype") == "file_share" and "files" not in event:
        return False  # before 2018 the text of an upload was written by Slack
    if event.get("subtype") == "bot_message" or event.get("bot_id"):
        return any(event.get(at) in settings.bots for at in ("bot_id", "username", "user") if event.get(at))
    return not event.get("subtype") or word(event.get("subtype")) in _MESSAGES


def _read(
    file: ReceivedFile, number: int, settings: SlackSettings, limits: Limits, starts: Mapping[str, Sequence[int]]
) -> Iterator[Row | Referent]:
    kind = _LISTS.get(file.name)
    if kind:
        for found in _events(file, number, limits):
            if isinstance(found, Row):
                yield found
            elif (key := native_id(found[2].get("id"))) is not None:
                yield Referent(kind, key, found[1])
    elif _is_day(file, settings):
        channel = _channel_of(file)
        for found in _events(file, number, limits):
            yield found if isinstance(found, Row) else _row(number, *found, channel, starts.get(channel, ()))


def _row(
    number: int, position: int, raw: bytes, event: Mapping[str, Any], channel: str, starts: Sequence[int]
) -> Row:  # an event and where it stands
    about = as_dict(event.get("message")) or as_dict(event.get("previous_message")) or event
    thread = _ticks(event.get("thread_ts") or about.get("thread_ts"))
    ticks = _ticks(event.get("deleted_ts") or about.get("ts") or event.get("ts"))
    if ticks is None:
        return fault(number, position, raw, "no_id")
    if thread is None:
        # what is no message, such as a join, belongs to the session it falls into or follows
        thread = starts[max(bisect_right(starts, ticks) - 1, 0)] if starts else 0
        return Row(number, position, f"{channel}/session/{thread}", raw)
    return Row(number, position, f"{channel}/{thread}", raw)


def as_dict(value: Any) -> dict[str, Any]:
    """A record, or an empty one for anything else."""
    return value if isinstance(value, dict) else {}


def assemble(rows: Sequence[Row], settings: SlackSettings, find_referent: FindReferent) -> Draft:
    """One thread or session."""
    draft = Draft(channel="chat")
    events: dict[int, dict[str, Any]] = {}
    gone: set[int] = set()
    changes: list[tuple[int, dict[str, Any]]] = []
    for row in rows:
        event = orjson.loads(row.payload)
        if unknown := event.keys() - MAPPED - IGNORED - set(settings.ignore_fields):
            raise Refused("unknown_field", shown(min(unknown)))
        subtype, ticks = word(event.get("subtype")), _ticks(event.get("ts"))
        if subtype in _GONE:
            gone.add(_ticks(event.get("deleted_ts") or event.get("ts")) or 0)
            draft.count("deleted_messages")
        elif subtype == "message_changed":
            changed = as_record(event.get("message"), "message")
            changes.append((_ticks(changed.get("ts")) or 0, changed))
            draft.count("edits")
        elif not _is_message(event, settings):
            draft.count(f"events.{subtype}")
        elif ticks in events:
            draft.count("repeated_messages")  # a reply that was also sent to the channel
        elif ticks is not None:
            events[ticks] = event
            draft.origin = draft.origin or row
    for ticks, changed in changes:
        if ticks in events:
            events[ticks] = {**events[ticks], "text": changed.get("text")}
    people = _People(settings, find_referent)
    said = [people.said(ticks, event) for ticks, event in sorted(events.items()) if ticks not in gone]
    add_turns(draft, said)
    draft.customer = next((turn.author for turn in draft.turns if turn.speaker == "customer" and turn.author), None)
    draft.people = people.stated.details()
    return draft


class _People:
    """The users who write, or are named, in one conversation."""

    def __init__(self, settings: SlackSettings, find_referent: FindReferent) -> None:
        self._settings = settings
        self._find: Callable[[str | None], Any] = finder(find_referent, "user")
        self._find_channel: Callable[[str | None], Any] = finder(find_referent, "channel")
        self.stated = People()

    def said(self, ticks: int, event: Mapping[str, Any]) -> Said:
        """A message."""
        user = native_id(event.get("user")) or native_id(event.get("bot_id"))
        speaker = self._speaker(user, event)
        self.stated.know(user, speaker)
        self._state(user, as_dict(event.get("user_profile")))
        return Said(None, speaker, clean(self._plain(as_text(event.get("text"), "text"))), ticks, user)

    def _speaker(self, user: str | None, event: Mapping[str, Any]) -> str:
        found = as_dict(self._find(user))
        self._state(user, as_dict(event.get("user_profile")))
        if event.get("subtype") == "bot_message" or event.get("bot_id") or found.get("is_bot"):
            return "bot"
        profile = as_dict(found.get("profile")) or as_dict(event.get("user_profile"))
        self._state(user, {})
        known = {word(found.get("name")), word(profile.get("name")), str(profile.get("email")), user or ""}
        known.add(f"@{str(profile.get('email')).rpartition('@')[2].casefold()}")
        return "agent" if known & set(self._settings.staff) else "customer"

    def _state(self, user: str | None, profile: Mapping[str, Any]) -> None:
        found = as_dict(self._find(user))
        self.stated.state_all(user, found, _USER)
        self.stated.state_all(user, as_dict(found.get("profile")), _PROFILE)
        self.stated.state_all(user, profile, _PROFILE)

    def _plain(self, text: str) -> str:
        return unescape_slack(_MARKUP.sub(self._shown, text))

    def _shown(self, match: re.Match[str]) -> str:
        sign, target, label = match.groups()
        if sign == "@":
            self._state(target, {})
            return f"@{label or self._name(target)}"
        if sign == "#":
            return f"#{label or as_dict(self._find_channel(target)).get('name') or 'channel'}"
        if sign == "!":
            return label or f"@{target.partition('^')[0]}"
        bare = target.removeprefix("mailto:").removeprefix("tel:")
        if not label or label in {bare, target} or target.partition("://")[2].rstrip("/") == label.rstrip("/"):
            return bare
        return f"{label} ({bare})"

    def _name(self, user: str) -> str:
        found = as_dict(self._find(user))
        profile = as_dict(found.get("profile"))
        names = (profile.get("display_name"), profile.get("real_name"), found.get("real_name"), found.get("name"))
        return next((str(name) for name in names if name), "user")


def unescape_slack(text: str) -> str:
    """The three signs that Slack escapes."""
    return unescape(text) if "&" in text and re.search(r"&(?:amp|lt|gt);", text) else text


def read(file: ReceivedFile, number: int, settings: SlackSettings, limits: Limits) -> Iterator[Row | Referent]:
    """One file of an export, for itself."""
    yield from open_unit([file], settings, limits)(file, number, settings, limits)


SOURCE = Source(read, assemble, open_unit, cuts="elements")
