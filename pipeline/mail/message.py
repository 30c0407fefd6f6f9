# ruff: noqa: RUF001, E501  # letters of 15 languages; a pattern is easier to read unbroken
"""One mail as bytes -> its sender, time, text and kind. Nothing a mail holds makes this raise, but `NotAMail`.

RFC 5322 and MIME by the standard library's parser under its `compat32` policy: `policy.default` parses addresses and dates
while it reads, and raises on headers that real mails have. Bytes are decoded by the charset they state, then as UTF-8, then as
Windows-1252, whichever fits first.
"""

import codecs
import re
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from email import message_from_bytes
from email.header import decode_header
from email.message import Message
from email.utils import getaddresses, parsedate_to_datetime
from hashlib import blake2b
from typing import Final, Literal, NamedTuple

Kind = Literal["", "auto_reply", "bounce", "bulk", "calendar", "read_receipt", "spam"]
"""Why a mail is nobody's words; empty for a mail somebody wrote."""

MAX_PARTS: Final = 500
MAX_ADDRESSES: Final = 100
MAX_REFERENCES: Final = 200
HEADER_BYTES: Final = 256 * 1024

_ID: Final = re.compile(r"<([^<>\s]{1,500})>")
_HEADER_LINE: Final = re.compile(rb"(?m)^(?:from|date|message-id|received|subject|to|return-path|x-[a-z-]+):", re.IGNORECASE)
_SPACES: Final = re.compile(r"\s+")
_AT: Final = re.compile(r"(\S+)\s+at\s+(\S+\.\S+)")
_ADDRESS: Final = re.compile(r"[^\s@<>\"(),;:]+@[^\s@<>\"(),;:]+")
_BETWEEN: Final = re.compile(r"[\s<>\"(),;:]+")
_IP: Final = re.compile(r"[0-9a-fA-F:.]{7,45}")
_ROBOT: Final = re.compile(r"^(?:mailer-daemon|postmaster)@", re.IGNORECASE)
_DIRECTED: Final = ("to", "cc", "bcc")
_CODECS_REFUSED: Final = frozenset({"idna", "punycode", "unicode_escape", "raw_unicode_escape", "undefined"})
_ALIASES: Final = {"gb2312": "gb18030", "gbk": "gb18030", "iso-8859-1": "cp1252", "latin-1": "cp1252", "us-ascii": "ascii"}
"""Charsets whose superset is what clients really send (as browsers do, WHATWG Encoding Standard)."""

_AUTO_SUBJECT: Final = re.compile(
    r"\s*(?:automatic reply|auto(?:matic)?[- ]?(?:reply|response)|out of (?:the )?office|automatische antwort|"
    r"abwesenheits(?:notiz|meldung)|r[ée]ponse automatique|absence du bureau|respuesta autom[áa]tica|fuera de la oficina|risposta automatica|fuori "
    r"sede|automatisch antwoord|afwezig(?:heids)?|resposta autom[áa]tica|odpowied[źz] automatyczna|autosvar|automatiskt? svar|"
    r"automaattinen vastaus|poissa|automatick[áa] odpov[ěe][ďd]|otomatik (?:yan[ıi]t|cevap)|автоматический ответ|автоответ|"
    r"自動(?:応答|返信)|不在(?:通知|連絡))\s*(?:[:：(\-–—]|$)",
    re.IGNORECASE,
)
"""As Outlook, Gmail and Exchange name automatic replies in the languages mail is cleaned in."""


class NotAMail(Exception):  # noqa: N818  # one row is quarantined, the others go on
    """Bytes without a mail's header."""


class Address(NamedTuple):
    """A mailbox: the name shown, and its address in lower case."""

    name: str
    address: str


class Head(NamedTuple):
    """What the header of a mail says."""

    message_id: str
    """Without its angle brackets; of a mail without one "~" and a hash of its header."""
    references: Sequence[str]
    """Ids it names as those before it, the oldest first."""
    subject: str
    sender: Address | None
    others: Sequence[Address]
    """Everybody else it names: To, Cc, Reply-To, Sender."""
    recipients: Sequence[str] | None
    """Every address in To, Cc and Bcc; null where none of these headers is there at all."""
    reply_to: Sequence[str]
    """Addresses an answer is to go to, where that is said apart."""
    sent_at: datetime | None
    """Without a zone where the mail states none."""
    kind: Kind
    origin_ip: str


class Body(NamedTuple):
    """What a mail says."""

    text: str
    is_html: bool
    attachments: int
    is_calendar: bool


def read_head(raw: bytes) -> tuple[Message, Head]:
    """The message and what its header says.

    Raises:
        NotAMail: there is no header.
    """
    message = parse(raw)
    fields: dict[str, list[str]] = {}
    for name, value in message.raw_items():
        fields.setdefault(name.lower(), []).append(decoded(str(value)))

    def field(name: str) -> str:
        return fields.get(name, [""])[0]

    ids = _ID.findall(" ".join(fields.get("references", []))[:50_000])
    replied = _ID.findall(field("in-reply-to"))[:5]
    references = list(dict.fromkeys([*ids[:1], *ids[-MAX_REFERENCES:], *replied]))
    message_id = _ID.search(field("message-id"))
    senders = _addresses(fields.get("from", []) or fields.get("sender", []))
    names = (*_DIRECTED, "reply-to", "sender", "delivered-to")
    others = [address for name in names for address in _addresses(fields.get(name, []))]
    directed = [name for name in _DIRECTED if name in fields]
    recipients = dict.fromkeys(address for name in directed for address in _all_addresses(fields[name]))
    ip = _IP.search(field("x-originating-ip") or field("x-sender-ip"))
    head = Head(
        message_id[1] if message_id else f"~{blake2b(repr(fields).encode('utf-8', 'replace'), digest_size=16).hexdigest()}",
        references,
        _SPACES.sub(" ", field("subject")).strip()[:1000],
        senders[0] if senders else None,
        (senders[1:] + others)[:MAX_ADDRESSES],
        list(recipients) if directed else None,
        [each.address for each in _addresses(fields.get("reply-to", []))],
        _sent_at(field("date"), fields.get("received", [])),
        _kind(message, fields, senders[0].address if senders else ""),
        ip[0] if ip else "",
    )
    return message, head


def parse(raw: bytes) -> Message:
    """The message, however broken.

    Raises:
        NotAMail: there is no header, or its parts are nested beyond any use.
    """
    if not _HEADER_LINE.search(raw[:HEADER_BYTES]):
        raise NotAMail
    try:
        return message_from_bytes(raw)
    except (RecursionError, ValueError, LookupError, AssertionError, AttributeError, TypeError):
        raise NotAMail from None


def _addresses(values: Sequence[str]) -> list[Address]:
    found: dict[Address, None] = {}
    for value in values:
        plain = value[:20_000] if "@" in value else _AT.sub(r"\1@\2", value[:20_000])  # as public archives hide addresses
        try:
            pairs = getaddresses([plain])
        except (ValueError, IndexError, TypeError, RecursionError):
            pairs = []
        if not any("@" in address for _, address in pairs):
            pairs = [("", address) for address in _ADDRESS.findall(plain)]
        for name, address in pairs[:MAX_ADDRESSES]:
            bare = _ADDRESS.search(address)
            if bare:
                shown = _SPACES.sub(" ", name).strip(" '\"\t")
                found[Address("" if "@" in shown else shown[:200], bare[0].lower()[:320])] = None
    return list(found)


def _all_addresses(values: Sequence[str]) -> Iterator[str]:
    """Every address, however many there are: who they are does not matter here, but that none is missing."""
    yield from (each.address for each in _addresses(values))
    for value in values:
        yield from (word.lower()[:320] for word in _BETWEEN.split(value) if _ADDRESS.fullmatch(word))


def _sent_at(date: str, received: Sequence[str]) -> datetime | None:
    for text in (date, received[0].rpartition(";")[2] if received else ""):
        if not text.strip():
            continue
        try:
            moment = parsedate_to_datetime(_SPACES.sub(" ", text).strip()[:200])
        except (ValueError, TypeError, IndexError, OverflowError, AttributeError):
            continue
        if moment.tzinfo is None and "-0000" in text:  # RFC 5322, 3.3: UTC, of unknown place
            moment = moment.replace(tzinfo=UTC)
        return moment
    return None


def _kind(message: Message, fields: dict[str, list[str]], sender: str) -> Kind:  # noqa: PLR0911  # one line per kind of machine
    def field(name: str) -> str:
        return fields.get(name, [""])[0].strip().lower()

    content_type = field("content-type")
    if "multipart/report" in content_type or "message/delivery-status" in content_type:
        return "read_receipt" if "disposition-notification" in content_type else "bounce"
    if "x-failed-recipients" in fields or (_ROBOT.match(sender) and field("return-path") in {"", "<>"}):
        return "bounce"
    if field("auto-submitted").startswith("auto-replied") or field("precedence") in {"auto_reply", "auto-reply"}:
        return "auto_reply"
    if any(field(name) not in {"", "no"} for name in ("x-autoreply", "x-autorespond", "x-autoresponse", "x-auto-reply")):
        return "auto_reply"
    if _AUTO_SUBJECT.match(field("subject")):
        return "auto_reply"
    if field("x-spam-flag") == "yes":
        return "spam"
    if field("precedence") in {"bulk", "junk"} and "list-id" not in fields:
        return "bulk"
    return "calendar" if content_type.startswith("text/calendar") or message.get_content_type() == "text/calendar" else ""


def decoded(value: str) -> str:
    """A header without encoded words (RFC 2047); raw bytes in it as UTF-8 or Windows-1252."""
    if not value.isascii():
        value = decode(value.encode("utf-8", "surrogateescape"), None)
    if "=?" not in value:
        return value
    try:
        parts = decode_header(value[:20_000])
        return "".join(part if isinstance(part, str) else decode(part, charset) for part, charset in parts)
    except (ValueError, LookupError, TypeError):  # HeaderParseError and binascii.Error are ValueErrors
        return value


def decode(raw: bytes, charset: str | None) -> str:
    """Bytes as text, by their charset or by what they look like."""
    name = (charset or "").strip("\"' ").lower()
    for codec in (_ALIASES.get(name, name), "utf-8"):
        try:
            found = codecs.lookup(codec).name.replace("-", "_") if codec else ""
            if found and found not in _CODECS_REFUSED:
                return raw.decode(found)
        except (LookupError, ValueError, OverflowError):
            continue
    return raw.decode("cp1252", "replace")


def read_body(message: Message) -> Body:
    """The text a reader is shown first: plain text where there is any, else HTML; attachments are counted, not read."""
    parts = list(_parts(message))
    attachments = sum(kind == "attachment" for kind, _ in parts)
    is_calendar = any(kind == "calendar" for kind, _ in parts)
    plain = "\n".join(text for kind, text in parts if kind == "plain" and text.strip())
    if plain:
        return Body(plain, is_html=False, attachments=attachments, is_calendar=is_calendar)
    html = "\n".join(text for kind, text in parts if kind == "html" and text.strip())
    return Body(html, is_html=bool(html), attachments=attachments, is_calendar=is_calendar)


def _parts(message: Message) -> Iterator[tuple[str, str]]:
    waiting = [message]
    for _ in range(MAX_PARTS):
        if not waiting:
            return
        part = waiting.pop()
        try:
            kind = part.get_content_type()
        except (ValueError, LookupError, TypeError):
            kind = "application/octet-stream"
        if kind.startswith("multipart/") and part.is_multipart():
            waiting += reversed(part.get_payload())  # type: ignore[arg-type]  # a list, because it is multipart
        elif kind == "text/calendar":
            yield "calendar", ""
        elif kind not in {"text/plain", "text/html"} or _is_attached(part):
            yield ("attachment", "") if kind != "multipart/mixed" else ("empty", "")
        else:
            yield kind.removeprefix("text/"), _text(part)


def _is_attached(part: Message) -> bool:
    disposition = decoded(str(part.get("content-disposition", ""))).strip().lower()
    return disposition.startswith("attachment") or "filename" in disposition


def _text(part: Message) -> str:
    try:
        payload = part.get_payload(decode=True)
    except (ValueError, LookupError, TypeError, AssertionError):
        payload = None
    raw = payload if isinstance(payload, bytes) else str(part.get_payload()).encode("utf-8", "surrogateescape")
    try:
        charset = part.get_content_charset()
        flowed = str(part.get_param("format", "")).lower() == "flowed"
        spaces_go = str(part.get_param("delsp", "")).lower() == "yes"
    except (ValueError, LookupError, TypeError):
        charset, flowed, spaces_go = None, False, False
    text = decode(raw, charset).replace("\r\n", "\n").replace("\r", "\n")
    return unflowed(text, spaces_go=spaces_go) if flowed and part.get_content_type() == "text/plain" else text


_FLOWED: Final = re.compile(r"^(>*) ?(.*)$")


def unflowed(text: str, *, spaces_go: bool) -> str:
    """Paragraphs of a `format=flowed` text on one line each again (RFC 3676)."""
    lines: list[str] = []
    open_depth = -1
    for line in text.split("\n"):
        match = _FLOWED.match(line)
        depth, rest = (len(match[1]), match[2]) if match else (0, line)
        if depth == 0 and line[:1] != " ":
            rest = line
        if open_depth == depth and rest != "-- ":
            lines[-1] += rest
        else:
            lines.append((">" * depth + " " if depth else "") + rest)
        open_depth = depth if rest.endswith(" ") and rest != "-- " else -1
        if open_depth >= 0 and spaces_go:
            lines[-1] = lines[-1][:-1]
    return "\n".join(lines)
