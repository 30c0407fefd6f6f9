r"""Text logs of channels, one line per message, as IRC clients and bots write them.

    [12:00] <jo> hello, my parcel has not come
    [12:01] <sam> jo: which number does it have?
    === kim [~kim@example.com] has joined #support
    [12:02]  * jo looks for the mail

Read: `[HH:MM] <nick> text`, with seconds or a whole date in the brackets, without brackets (irssi), or as three columns
(weechat). Joins, parts, renamings and actions are counted by name and never become turns. The date comes from the file's name,
from "Day changed" lines, or from params; a time that steps back by more than twelve hours is the next day.
"""

import re
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import IO, Any, Final, Literal

import orjson
from pydantic import Field, field_validator

from pipeline.errors import SourceError
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
    Source,
    SourceSettings,
    fault,
)
from pipeline.reading.files import opened
from pipeline.reading.times import EPOCH, MICROSECOND, zone_of
from pipeline.text import clean

DATE_IN_NAME: Final = r"(?<!\d)(?P<year>\d{4})[-_/.]?(?P<month>[01]\d)[-_/.]?(?P<day>[0-3]\d)(?!\d)"
HALF_DAY: Final = timedelta(hours=12)

_NICK: Final = r"[^\s<>]{1,64}"
_NAME: Final = r"[^\s<>](?:[^<>]{0,62}[^\s<>])?"
"""Between angle brackets: bridges to other chats write names of several words there."""
_CLOCK: Final = r"\[?(?:(?P<date>\d{4}-\d\d-\d\d)[T ])?(?P<hour>[0-2]?\d):(?P<minute>[0-5]\d)(?::(?P<second>[0-5]\d))?\]?"
_TIME: Final = re.compile(_CLOCK)
_MESSAGE: Final = re.compile(rf"^{_CLOCK}\s+<[~&@%+ ]?(?P<nick>{_NAME}) ?>\s?(?P<text>.*)$")
_COLUMNS: Final = re.compile(rf"^{_CLOCK}\t[~&@%+ ]?(?P<nick>{_NICK})\t(?P<text>.*)$")
_ACTION: Final = re.compile(rf"^{_CLOCK}\s+\*\s(?P<nick>{_NICK})\s")
_CHANGED: Final = re.compile(
    r"^\W*(?:day changed(?: to)?|log opened|session start:?|begin logging at)\W*(?P<rest>.+)$", re.IGNORECASE
)
_EVENTS: Final = (
    ("joins", re.compile(r"\bjoins?:|has joined|\bentered the room|-->", re.IGNORECASE)),
    ("parts", re.compile(r"\bparts?:|\bquits?:|has (?:left|quit|parted)|<--", re.IGNORECASE)),
    ("renamings", re.compile(r"is now known as|nick change", re.IGNORECASE)),
    ("kicks", re.compile(r"was kicked|has been kicked", re.IGNORECASE)),
    ("modes", re.compile(r"\bmode\b|sets mode", re.IGNORECASE)),
    ("topics", re.compile(r"\btopic\b", re.IGNORECASE)),
)
_MARKED: Final = re.compile(rf"^(?:{_CLOCK}\s+)?(?:===|-!-|\*\*\*|---|-->|<--|\*|!|--)\s?")
_ADDRESSED: Final = re.compile(rf"^@?(?P<nick>{_NICK}?)[:,]\s+(?=\S)")
_DATES: Final = (
    "%a %b %d %H:%M:%S %Y",
    "%a %b %d %Y",
    "%a, %d %b %Y",
    "%d %b %Y",
    "%Y-%m-%d",
    "%a %d %b %Y",
    "%b %d %Y",
    "%Y/%m/%d",
)


class IrcSettings(SourceSettings):
    """Text logs of channels."""

    format: Literal["irc"]
    """irc"""
    date_in_name: str = DATE_IN_NAME
    """Regular expression with the groups year, month and day; its last match in the path of a file is the day its log begins."""
    date: str | None = None
    """The day every log begins where its name has none, as 2026-01-05."""
    staff: list[str] = Field(default_factory=list)
    """Nicks of those who answer."""
    bots: list[str] = Field(default_factory=list)
    """Nicks of programs."""
    sessions: Literal["channel", "pairs"]
    """channel: everything said until a silence is one conversation, staff are the agents; pairs: one conversation for each two
    who address each other ("jo: ..."), who asked first is the customer, what nobody was addressed with is dropped."""
    gap_minutes: float = Field(gt=0)
    """A silence of the channel (of the two) after which the next message begins a conversation. Minutes."""

    @field_validator("date_in_name")
    @classmethod
    def _has_groups(cls, value: str) -> str:
        try:
            groups = re.compile(value).groupindex.keys()
        except re.error as error:
            raise ValueError("is not a regular expression") from error
        if not {"year", "month", "day"} <= groups:
            raise ValueError("needs the groups (?P<year>…), (?P<month>…) and (?P<day>…)")
        return value

    @property
    def joins_folder(self) -> bool:
        """A day's file goes on where that of the day before ends."""
        return True


@dataclass(slots=True)
class _Said:
    """A message on its way to the conversation it belongs to."""

    file: int
    number: int
    at: int
    nick: str
    text: str
    to: str = ""
    session: str = ""


@dataclass(slots=True)
class _Log:
    """Where reading a log has come to."""

    day: date | None
    last: datetime | None = None


def open_unit(files: Sequence[ReceivedFile], settings: IrcSettings, _limits: Limits) -> Read:
    """What reads the files of a folder, in the order of their names, as one log."""
    sorter: _Channel | _Pairs = _Channel(settings) if settings.sessions == "channel" else _Pairs(settings)

    def read(file: ReceivedFile, number: int, _settings: Any, limits: Limits) -> Iterator[Row | Referent]:
        yield from _read(file, number, settings, limits, sorter)
        if file == files[-1]:
            yield from sorter.finish()

    return read


def read(file: ReceivedFile, number: int, settings: IrcSettings, limits: Limits) -> Iterator[Row | Referent]:
    """One file as a log of its own."""
    return open_unit([file], settings, limits)(file, number, settings, limits)


def _read(
    file: ReceivedFile, number: int, settings: IrcSettings, limits: Limits, sorter: "_Channel | _Pairs"
) -> Iterator[Row | Referent]:
    log = _Log(_day_of(file, settings))
    zone = zone_of(settings.zone)
    if zone is None:
        raise SourceError(f"{file.label}: an irc log states no time zone; declare zone in params")
    with opened(file) as stream:
        lines = iter(lambda: stream.readline(limits.max_row_bytes + 1), b"")
        for position, raw in enumerate(lines, start=1):
            if len(raw) > limits.max_row_bytes:
                yield fault(number, position, b"%d" % position, "too_long")
                continue
            line = _decoded(raw).rstrip("\r\n")
            if line.startswith(MARK):
                _pass_by(line.removeprefix(MARK).lstrip(), log)
                yield fault(number, position, MARK.encode(), FORGOTTEN)
                continue
            match = _MESSAGE.match(line) or _COLUMNS.match(line)
            if match:
                moment = _moment(match, log)
                if moment is None:
                    yield fault(number, position, raw, "bad_time", "no date in its name, in the log, or in params")
                    continue
                at = (moment.replace(tzinfo=zone) - EPOCH) // MICROSECOND
                yield from sorter.message(_Said(number, position, at, match["nick"], match["text"]), file.label)
            elif kind := _event(line, log):
                yield from sorter.event(number, position, kind, file.label)
            else:
                yield fault(number, position, raw, "unknown_line")


def _pass_by(kept: str, log: _Log) -> None:
    """What is left of a line that was cut: its time or its day, which those after it are counted from."""
    if match := _TIME.match(kept):
        _moment(match, log)
    else:
        _event(kept, log)


def without(stream: IO[bytes], rows: Collection[int], _settings: Any) -> Iterator[tuple[bytes, bool]]:
    """A log without these lines: of each a mark, with its time or its day."""
    for position, raw in enumerate(stream, start=1):
        if position not in rows:
            yield raw, False
            continue
        line = _decoded(raw).rstrip("\r\n")
        time = _TIME.match(line) if _MESSAGE.match(line) or _COLUMNS.match(line) else None
        kept = time.group() if time else line if _CHANGED.match(line) else ""
        yield f"{MARK} {kept}".rstrip().encode() + raw[len(raw.rstrip(b"\r\n")) :], True


def _decoded(raw: bytes) -> str:
    try:
        return raw.decode("utf-8").removeprefix("\ufeff")
    except UnicodeDecodeError:
        return raw.decode("cp1252", "replace")


def _day_of(file: ReceivedFile, settings: IrcSettings) -> date | None:
    try:
        for match in list(re.finditer(settings.date_in_name, file.label))[-1:]:  # a folder may be named by its month
            return date(int(match["year"]), int(match["month"]), int(match["day"]))
        return date.fromisoformat(settings.date) if settings.date else None
    except ValueError:
        raise SourceError(f"{file.label}: its name, or date in params, holds no date; correct date_in_name in params") from None


def _moment(match: re.Match[str], log: _Log) -> datetime | None:
    hour = int(match["hour"])
    try:
        day = date.fromisoformat(match["date"]) if match["date"] else log.day
        if day is None:
            return None
        moment = datetime(day.year, day.month, day.day, hour, int(match["minute"]), int(match["second"] or 0))  # noqa: DTZ001  # the caller adds the zone
        if match["date"]:
            log.day = day
        elif log.last is not None and log.last - moment > HALF_DAY:
            moment += timedelta(days=1)
            log.day = moment.date()
    except (ValueError, OverflowError):
        return None
    log.last = moment
    return moment


def _event(line: str, log: _Log) -> str:
    """What a line that is no message tells; empty for a line that is none of a log."""
    if not line.strip():
        return "blank_lines"
    if _ACTION.match(line):
        return "actions"
    if match := _CHANGED.match(line):
        for pattern in _DATES:
            try:
                log.day = datetime.strptime(match["rest"].strip(" -"), pattern).date()  # noqa: DTZ007  # a day has no zone
                log.last = None
                break
            except ValueError:
                continue
        return "days"
    if _MARKED.match(line) or re.match(rf"{_CLOCK}\s+(?:-|\*|!)", line):
        return next((name for name, pattern in _EVENTS if pattern.search(line)), "notices")
    return ""


def _row(said: _Said) -> Row:
    return Row(said.file, said.number, said.session, orjson.dumps([said.at, said.nick, said.text, said.to]))


def _event_row(number: int, position: int, session: str, kind: str) -> Row:
    return Row(number, position, session, orjson.dumps([kind]))


class _Channel:
    """Everything said until a silence is one conversation."""

    def __init__(self, settings: IrcSettings) -> None:
        self._gap = int(settings.gap_minutes * 60_000_000)
        self._session, self._last = "", 0
        self._early: list[tuple[int, int, str]] = []

    def message(self, said: _Said, label: str) -> Iterator[Row]:
        """Its row, and those of the events before the first message."""
        if not self._session or said.at - self._last > self._gap:
            self._session = f"{label}:{said.number}"
        self._last = said.at
        for number, position, kind in self._early:
            yield _event_row(number, position, self._session, kind)
        self._early.clear()
        said.session = self._session
        yield _row(said)

    def event(self, number: int, position: int, kind: str, _label: str) -> Iterator[Row]:
        """Its row: an event belongs to the conversation that goes on."""
        if self._session:
            yield _event_row(number, position, self._session, kind)
        else:
            self._early.append((number, position, kind))

    def finish(self) -> Iterator[Row]:
        """The events of a log without messages."""
        for number, position, kind in self._early:
            yield _event_row(number, position, "events", kind)


@dataclass(slots=True)
class _Talk:
    """Two who address each other."""

    session: str
    last: int
    people: frozenset[str] = field(default_factory=frozenset)


class _Pairs:
    """One conversation for each two who address each other.

    As the Ubuntu Dialogue Corpus was made (Lowe et al., 2015): who addresses somebody answers what that one said last to
    nobody; from then on what the two say to each other is theirs, and what one of them says to nobody while in no other
    talk. Waiting messages are held for one gap at most.
    """

    def __init__(self, settings: IrcSettings) -> None:
        self._gap = int(settings.gap_minutes * 60_000_000)
        self._bots = {nick.casefold() for nick in settings.bots}
        self._seen: dict[str, int] = {}
        self._talks: dict[frozenset[str], _Talk] = {}
        self._waiting: list[_Said] = []
        self._events = ""

    def message(self, said: _Said, label: str) -> Iterator[Row]:
        """Its row if its conversation is known; rows of those that waited too long."""
        yield from self._expire(said.at)
        who = said.nick.casefold()
        match = _ADDRESSED.match(said.text)
        to = match["nick"].casefold() if match else ""
        if to and to in self._seen and to != who:
            said.to = to
            yield from self._addressed(said, who, to, label)
        elif talk := self._only_talk(who):
            said.session, talk.last = talk.session, said.at
            yield _row(said)
        else:
            self._waiting.append(said)
        self._seen[who] = said.at

    def _addressed(self, said: _Said, who: str, to: str, label: str) -> Iterator[Row]:
        pair = frozenset({who, to})
        talk = self._talks.get(pair)
        if talk is None or said.at - talk.last > self._gap:
            asked = [each for each in self._waiting if each.nick.casefold() == to]
            first = asked[0] if asked else said
            talk = self._talks[pair] = _Talk(f"{label}:{said.number}:{first.number}", said.at, pair)
            for each in asked:
                each.session = talk.session
                yield _row(each)
            self._waiting = [each for each in self._waiting if each.nick.casefold() != to]
        talk.last = said.at
        said.session = talk.session
        yield _row(said)

    def _only_talk(self, who: str) -> _Talk | None:
        if who in self._bots:
            return None
        own = [talk for pair, talk in self._talks.items() if who in pair]
        return own[0] if len(own) == 1 else None

    def _expire(self, now: int) -> Iterator[Row]:
        if self._waiting and now - self._waiting[0].at > self._gap:
            old = [each for each in self._waiting if now - each.at > self._gap]
            self._waiting = [each for each in self._waiting if now - each.at <= self._gap]
            yield from map(_unaddressed, old)
        if len(self._talks) > 1000 or (self._talks and min(talk.last for talk in self._talks.values()) < now - self._gap):  # noqa: PLR2004  # a sweep now and then
            self._talks = {pair: talk for pair, talk in self._talks.items() if now - talk.last <= self._gap}
        if len(self._seen) > 10_000:  # noqa: PLR2004  # as above
            self._seen = {nick: at for nick, at in self._seen.items() if now - at <= self._gap * 10}

    def event(self, number: int, position: int, kind: str, label: str) -> Iterator[Row]:
        """Its row: events are of the channel, not of a pair."""
        yield _event_row(number, position, f"{label}:events", kind)

    def finish(self) -> Iterator[Row]:
        """What nobody answered by name."""
        yield from map(_unaddressed, self._waiting)
        self._waiting = []


def _unaddressed(said: _Said) -> Row:
    said.session = f"{said.nick.casefold()}:{said.file}:{said.number}:unaddressed"
    return _row(said)


def assemble(rows: Sequence[Row], settings: IrcSettings, _find_referent: FindReferent) -> Draft:
    """The conversation of one session."""
    draft = Draft(channel="chat")
    said: list[tuple[int, str, str, str]] = []
    for row in rows:
        record = orjson.loads(row.payload)
        if len(record) == 1:
            draft.count(f"events.{record[0]}")
        else:
            said.append(tuple(record))
    if rows[0].native.endswith(":unaddressed"):
        draft.drop = "not_addressed"
    staff, bots = ({nick.casefold() for nick in nicks} for nicks in (settings.staff, settings.bots))
    nicks = list(dict.fromkeys(nick for _, nick, _, _ in said))
    asked = next((nick.casefold() for nick in nicks if nick.casefold() not in staff | bots), None)

    def speaker(nick: str) -> str:
        who = nick.casefold()
        if who in bots:
            return "bot"
        if who in staff:
            return "agent"
        return "customer" if settings.sessions == "channel" or who == asked else "agent"

    known = {nick.casefold() for nick in nicks}
    for at, nick, text, to in said:
        bare = clean(_without_address(text, known | ({to} if to else set())))
        if not bare:
            draft.count("empty_texts")
            continue
        draft.turns.append(DraftTurn(speaker(nick), bare, at, nick.casefold()))
    draft.customer = asked
    addressed = {to for _, _, _, to in said if to} - known
    draft.people = [
        Detail(nick.casefold(), role if (role := speaker(nick)) in {"customer", "agent"} else "other", "USER_NAME", nick)
        for nick in [*nicks, *sorted(addressed)]
    ]
    if not said and not draft.drop and not rows:
        raise Refused("no_rows")
    return draft


def _without_address(text: str, known: set[str]) -> str:
    match = _ADDRESSED.match(text)
    return text[match.end() :] if match and match["nick"].casefold() in known else text


SOURCE = Source(read, assemble, open_unit, reads_in_order=True, cuts=without)
