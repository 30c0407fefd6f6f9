"""WhatsApp: one text file per chat, as "Export chat" writes it on a phone.

[05/01/2026, 12:00:01] Jo Fox: Hello, my parcel
has not come                                        iOS; a message goes on over lines
05.01.26, 12:04 - Harbour Support: Which number?    Android
[12:05 PM, 1/5/2026] Jo Fox: This one.              copied out of a browser

How the day is written follows the language of the phone and is declared (`date_order`). What WhatsApp itself puts in (media left
out, deleted messages, who joined, encryption) is counted by name and never becomes a turn.
"""

import re
from collections.abc import Collection, Iterator, Sequence
from datetime import tzinfo
from typing import IO, Any, Final, Literal, NamedTuple

import orjson
from pydantic import Field

from pipeline.errors import SourceError
from pipeline.reading.drafts import (
    FORGOTTEN,
    MARK,
    Detail,
    Draft,
    DraftTurn,
    FindReferent,
    Limits,
    ReceivedFile,
    Row,
    Source,
    SourceSettings,
    fault,
)
from pipeline.reading.files import opened
from pipeline.reading.phone_times import DAY_AND_TIME, MARKS, TIME_AND_DAY, DateOrder, moment
from pipeline.reading.times import EPOCH, MICROSECOND, zone_of
from pipeline.text import clean

_HEADERS: Final = tuple(
    re.compile(rf"^[{MARKS}]*(?P<bracket>\[)?[{MARKS}]*{written}(?(bracket)\]|\s[-\u2013])[{MARKS}]*\s", re.IGNORECASE)
    for written in (DAY_AND_TIME, TIME_AND_DAY)
)

_AUTHOR: Final = re.compile(rf"[{MARKS}]*(?P<who>[^:\n\u201c\u201d\"]{{1,60}}):(?: |$)")
_OMITTED: Final = re.compile(
    r"<[^\W\d_]+(?: [^\W\d_]+){1,5}>|<[^<>\s\x00-\x7f]{4,30}>|"
    r"(?:IMG|VID|AUD|PTT|STK|DOC)-\d{8}-WA\d+\.\w{2,5}(?: \([^()\n]{3,40}\))?|.{1,120}\.\w{2,5} "
    r"\((?:file attached|datei angehängt|archivo adjunto|fichier joint|file allegato|bestand bijgevoegd|arquivo anexado|"
    r"dosya ekli|файл добавлен|الملف مرفق|파일 첨부됨|文件附件|檔案已附加|ファイル添付)\)|"
    r"(?:image|video|audio|sticker|gif|document|contact card|video note|voice message) omitted|null",
    re.IGNORECASE,
)
"""<Media omitted>, IMG-20260105-WA0001.jpg (file attached); null stands for what could be seen once."""
_DELETED: Final = re.compile(
    r"(?:this message was deleted|you deleted this message|diese nachricht wurde gelöscht|du hast diese nachricht gelöscht|"
    r"(?:se )?elimin(?:ó|aste) este mensaje|ce message a été supprimé|vous avez supprimé ce message|(?:mensagem apagada|esta "
    r"mensagem foi apagada|você apagou esta mensagem)|questo messaggio è stato eliminato|hai eliminato questo messaggio|"
    r"dit bericht (?:is|werd) verwijderd|je hebt dit bericht verwijderd|bu mesaj silindi|bu mesaj\u0131 sildiniz|"
    r"данное сообщение удалено|вы удалили данное сообщение|pesan ini (?:telah )?dihapus|anda menghapus pesan ini|"
    r"تم حذف هذه الرسالة|(?:لقد )?حذفت هذه الرسالة|삭제된 메시지입니다|이 메시지는 삭제되었습니다|"
    r"此消息已(?:被)?删除|您已删除此消息|此訊息已(?:被)?刪除|(?:你|您)已刪除此訊息|"
    r"このメッセージ(?:は削除されました|を削除しました))[.。]?",
    re.IGNORECASE,
)
_EDITED: Final = re.compile(r"\s*\u200e<[^<>\n]{5,60}>\s*$|\s*<This message was edited>\s*$")
"""<This message was edited> behind a message."""
_PHONE: Final = re.compile(r"\+?[\d\s()\u00a0\u2011-]{6,25}")


class WhatsappSettings(SourceSettings):
    """Exported chats."""

    format: Literal["whatsapp"]
    """whatsapp"""
    date_order: DateOrder
    """How the phone that exported wrote the day: 05/01/2026, 1/5/26, 2026-01-05."""
    staff: list[str] = Field(default_factory=list)
    """Names, or numbers, of those who answer, as they stand in the chats."""
    bots: list[str] = Field(default_factory=list)
    """Those of programs."""
    gap_minutes: float = Field(gt=0)
    """A silence after which the next message begins a conversation. Minutes."""


class _Message(NamedTuple):
    """A message as it lies in its file: the number of its first line, and all its lines."""

    position: int
    raw: bytes
    is_cut: bool


def header_of(text: str) -> re.Match[str] | None:
    """What begins a message, up to its author."""
    return next((found for written in _HEADERS if (found := written.match(text))), None)


def _messages(stream: IO[bytes], most: int) -> Iterator[_Message]:
    """Every message; lines before the first are one each."""
    position, lines, size, has_begun = 0, [b""], 0, False
    number, is_whole = 0, True
    for line in iter(lambda: stream.readline(most + 1), b""):
        starts, is_whole = is_whole, line.endswith(b"\n")  # of an over-long line, the rest is none of its own
        number += starts
        begins = starts and (line.startswith(MARK.encode()) or header_of(_decoded(line[:200])) is not None)
        if begins or (starts and not has_begun):
            if position:
                yield _Message(position, b"".join(lines), size > most)
            position, lines, size = number, [], 0
            has_begun = has_begun or begins
        size += len(line)
        if size <= most:
            lines.append(line)
    if position:
        yield _Message(position, b"".join(lines), size > most)


def _decoded(raw: bytes) -> str:
    return raw.decode("utf-8", "replace").removeprefix("\ufeff")


def read(file: ReceivedFile, number: int, settings: WhatsappSettings, limits: Limits) -> Iterator[Row]:
    """The messages of one chat, each in the conversation that a silence before it begins.

    Raises:
        SourceError: no time zone is declared, or nothing in the file begins as a message does.
    """
    zone = zone_of(settings.zone)
    if zone is None:
        raise SourceError(f"{file.label}: an exported chat states no time zone; declare zone in params")
    gap = int(settings.gap_minutes * 60_000_000)
    session, last, has_begun = "", 0, False
    early: list[tuple[int, str]] = []
    with opened(file) as stream:
        for message in _messages(stream, limits.max_row_bytes):
            said = _read(message, settings, zone)
            has_begun = has_begun or not isinstance(said, tuple) or said[0] != "unknown_line"
            if isinstance(said, tuple):
                yield fault(number, message.position, message.raw, *said)
            elif isinstance(said, str):
                early.append((message.position, said))
            else:
                if not session or said[0] - last > gap:
                    session = f"{file.label}:{message.position}"
                last = said[0]
                yield Row(number, message.position, session, orjson.dumps(said))
            if session:
                yield from (Row(number, place, session, orjson.dumps([kind])) for place, kind in early)
                early.clear()
    if not has_begun:
        raise SourceError(f"{file.label}: no line begins as a message of an exported chat does; correct its format in params")
    yield from (Row(number, place, f"{file.label}:events", orjson.dumps([kind])) for place, kind in early)


def _read(message: _Message, settings: WhatsappSettings, zone: tzinfo) -> tuple[str, str] | str | list[Any]:
    """Reason and detail of what cannot be read, the kind of what is no message, or time, author and text of one."""
    text = _decoded(message.raw)
    if text.startswith(MARK):
        return FORGOTTEN, ""
    if message.is_cut:
        return "too_long", ""
    header = header_of(text)
    if header is None:
        return ("unknown_line", "") if text.strip() else "blank_lines"
    sent_at = moment(header, settings.date_order)
    if sent_at is None:
        return "bad_time", "date_order"
    said = _said(text[header.end() :].rstrip("\r\n"))
    return said if isinstance(said, str) else [(sent_at.replace(tzinfo=zone) - EPOCH) // MICROSECOND, *said]


def _said(rest: str) -> str | tuple[str, str, int]:
    """Author and text of a message, and how many lines beside it were WhatsApp's; or the kind of what WhatsApp says."""
    author = _AUTHOR.match(rest)
    if author is None:
        return "system"
    lines = rest[author.end() :].split("\n")
    if _DELETED.fullmatch(lines[0].strip(MARKS + " \r")):
        return "deleted"
    # what stands below a file is what was said of it
    is_medium = _OMITTED.fullmatch(lines[0].strip(MARKS + " \r")) is not None
    left = [line for line in lines[is_medium:] if not line.startswith("\u200e")]
    if not "".join(left).strip() and any(line.strip() for line in lines):
        return "media_or_system"
    return author["who"].strip("~\u202f\u00a0 " + MARKS), _EDITED.sub("", "\n".join(left)), len(lines) - len(left)


def assemble(rows: Sequence[Row], settings: WhatsappSettings, _find_referent: FindReferent) -> Draft:
    """The conversation of one session."""
    draft = Draft(channel="whatsapp")
    staff, bots = ({name.casefold() for name in names} for names in (settings.staff, settings.bots))
    for row in rows:
        record = orjson.loads(row.payload)
        if len(record) == 1:
            draft.count(f"events.{record[0]}")
            continue
        at, who, text, of_whatsapp = record
        if of_whatsapp:
            draft.count("events.media_or_system")
        name = who.casefold()
        speaker = "bot" if name in bots else "agent" if name in staff else "customer"
        kind = "PHONE_NUMBER" if _PHONE.fullmatch(who) else "PERSON"
        detail = Detail(name, speaker if speaker != "bot" else "other", kind, who)
        if who and detail not in draft.people:
            draft.people.append(detail)
        if bare := clean(text, settings.text_format):
            draft.turns.append(DraftTurn(speaker, bare, at, name))
        else:
            draft.count("empty_texts")
    draft.customer = next((turn.author for turn in draft.turns if turn.speaker == "customer"), None)
    return draft


def without(stream: IO[bytes], rows: Collection[int], _settings: Any) -> Iterator[tuple[bytes, bool]]:
    """A chat without these messages: of each a mark, and its further lines empty, so that those after it keep their numbers."""
    for position, raw, _ in _messages(stream, 2**62):
        if position not in rows:
            yield raw, False
            continue
        lines = raw.splitlines(keepends=True)
        ends = [line[len(line.rstrip(b"\r\n")) :] for line in lines]
        yield MARK.encode() + b"".join(ends), True


SOURCE = Source(read, assemble, cuts=without)
