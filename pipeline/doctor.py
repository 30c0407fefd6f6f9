"""What is this file or folder, and how would ingest read it?  Looks at names, fields and kinds of values; shows no content.

A help desk's export is known by the fields of its records. Anything else is read as rows (`table`) or nested records
(`events`): which field is the text, the time, the speaker or the id is judged by its name and by what its values are like.
Every mapping is tried on the sample before it is proposed; what it cannot read is taken out or said.
"""

# ruff: noqa: PLR2004  # it judges by rules of thumb; the comments beside the numbers say which

import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from fnmatch import fnmatchcase
from itertools import islice
from pathlib import Path
from typing import Any, Final

import orjson
from pydantic import TypeAdapter, ValidationError

from pipeline.errors import CurationError, SourceError
from pipeline.reading.archives import is_archive, members_of
from pipeline.reading.drafts import Draft, Limits, Looked, ReceivedFile, Refused, Row
from pipeline.reading.exports import Kinds, kind_of
from pipeline.reading.files import Dialect, csv_rows, json_lines, layout_of, opened, parquet_rows
from pipeline.reading.files import readable as opening_archive
from pipeline.sources import SOURCES, SourceMapping, doctor_kinds

SAMPLED_ROWS: Final = 2_000
SAMPLED_FILES: Final = 40
SHOWN: Final = 3
SHOWN_CHARACTERS: Final = 160
FEW: Final = 12
"""More different values than this are authors, not kinds of speakers."""

_LIMITS: Final = Limits(max_row_bytes=16 * 2**20, max_unpacked_bytes=2**40, max_unpacked_ratio=1000)
_HEAD_BYTES: Final = 2**16
_MAPPING: Final[TypeAdapter[Any]] = TypeAdapter(SourceMapping)

_ROLES: Final = {
    "customer": "customer user client visitor consumer buyer requester guest human caller patient student member end-user enduser"
    " end_user usr inbound incoming question asker c u customer_message shopper tenant subscriber contact lead",
    "agent": "agent support staff assistant operator representative rep admin advisor wizard employee helper sys gpt csr teacher"
    " moderator team seller merchant outbound outgoing answer answerer a agent_message company service expert doctor model",
    "bot": "bot chatbot automation auto virtual_assistant",
    "tool": "tool function action system",
}
_SPEAKS: Final = {word: role for role, words in _ROLES.items() for word in words.split()}

_TEXT: Final = "text body message content comment post utterance answer question reply response description selftext msg says"
_TIME: Final = "time date created sent posted timestamp ts at utc stamp when datetime updated"
_WHO: Final = "speaker role from sender author direction inbound participant who user by side party incoming name type usr"
_ID: Final = (
    "tid cid sid convid threadid conversation thread dialog dialogue ticket case session chat topic issue discussion link conv"
    " room"
)
_ORDER: Final = "turn index idx seq sequence position order step number no nr pos utterance line"
_LABEL: Final = "category tag tags intent label labels topic topics queue department product subject_area forum board section"
_QUESTION: Final = (
    "question query prompt instruction input ask customer user problem issue request title body utterance post text"
)
_ANSWER: Final = "answer response reply output completion solution agent assistant resolution accepted"
_PATTERNS: Final = (
    "%Y/%m/%d %H:%M:%S", "%Y/%m/%d %H:%M", "%d/%m/%Y %H:%M:%S", "%d/%m/%Y %H:%M", "%m/%d/%Y %H:%M:%S", "%m/%d/%Y %H:%M",
    "%m/%d/%Y %I:%M:%S %p", "%m/%d/%Y %I:%M %p", "%d.%m.%Y %H:%M:%S", "%d.%m.%Y %H:%M", "%d-%m-%Y %H:%M:%S", "%d-%m-%Y %H:%M",
    "%a %b %d %H:%M:%S %z %Y", "%a, %d %b %Y %H:%M:%S %z", "%a, %d %b %Y %H:%M:%S %Z", "%b %d, %Y %I:%M %p", "%d %b %Y %H:%M",
    "%d %B %Y %H:%M", "%B %d, %Y, %I:%M %p", "%d/%m/%Y", "%m/%d/%Y", "%d.%m.%Y", "%Y/%m/%d", "%d-%b-%Y", "%d-%b-%y",
)  # fmt: skip
_PERSONAL: Final = (
    ("email mail", "EMAIL_ADDRESS"),
    ("phone mobile tel", "PHONE_NUMBER"),
    ("ip", "IP_ADDRESS"),
    ("username nick handle screen login", "USERNAME"),
    ("name author customer agent user", "PERSON"),
)
_EMAIL: Final = re.compile(r"[^@\s<>]+@[^@\s<>]+\.[a-z]{2,}", re.IGNORECASE)
_TAGGED: Final = re.compile(r"</?(?:p|br|div|a|b|i|strong|span|ul|li|code|pre|blockquote)\b[^<>]*>", re.IGNORECASE)
_FROM_LINE: Final = re.compile(rb"From \S.*\d{1,2}:\d{2}")
_MAIL_HEADER: Final = re.compile(rb"^(?:from|to|subject|date|message-id|received|return-path|delivered-to):", re.IGNORECASE)
_CHAT_LINE: Final = re.compile(r"^\[?(?:\d{4}-\d\d-\d\d[T ])?\d{1,2}:\d\d(?::\d\d)?\]?\s+<[^<>\s]{1,64}>")


@dataclass
class Diagnosis:
    """What a file or folder is taken for."""

    format: str
    """A format of ingest; empty where nothing fits."""
    name: str
    """What its source may be called."""
    root: Path
    """The folder to give to ingest."""
    mapping: dict[str, Any]
    """The entry of `ingest.sources`."""
    reasons: list[str] = field(default_factory=list)
    """Why; names of fields and files, counts, never content."""
    remarks: list[str] = field(default_factory=list)
    """What to decide or to check before it is used."""
    read: Mapping[str, int] = field(default_factory=dict)
    """Rows and conversations of the sample: kept, dropped, refused by reason."""
    examples: list[list[str]] = field(default_factory=list)
    """Up to three conversations, masked: letters are x, digits 9."""

    def params(self) -> str:
        """The mapping as a params file, for `ticketmill ingest ... --params params.yaml --params THIS`."""
        import yaml  # noqa: PLC0415  # only the doctor writes YAML

        sources = {"ingest": {"sources!": {self.name: self.mapping}}}
        return str(yaml.safe_dump(sources, sort_keys=False, allow_unicode=True, width=120))


def diagnose(source: Path) -> Diagnosis:
    """Say which format a file or folder is in, and how to map it.

    Raises:
        SourceError: there is nothing to look at.
    """
    root, files = _files_of(source)
    name = re.sub(r"[^a-z0-9_]+", "_", source.resolve().name.partition(".")[0].casefold()).strip("_") or "desk"
    name = name if name[0].isalpha() else f"s_{name}"
    looked = Diagnosis("", name, root, {})
    for attempt in (_slack, _desk, _mail, _chat_log, _generic):
        for candidate in attempt(files):
            if source.is_file():
                siblings = sorted(path.name for path in root.iterdir() if path.is_file() and path.name != source.name)
                if siblings:
                    candidate.mapping.setdefault("ignore", []).extend(siblings)
            tried = _tried(looked, candidate, files)
            if tried.read.get("kept", 0):
                return tried
            looked.remarks += [f"read as {candidate.format}, none of the sample makes a conversation"]
    looked.remarks += list(islice(_faults(files), SHOWN))
    looked.remarks.append("nothing here looks like messages; export them as CSV, JSON lines or Parquet, one row per message")
    return looked


@dataclass
class _Candidate:
    format: str
    mapping: dict[str, Any]
    reasons: list[str]
    remarks: list[str] = field(default_factory=list)


def _files_of(source: Path) -> tuple[Path, list[ReceivedFile]]:
    if not source.exists():
        raise SourceError(f"{source}: no such file or folder; name what was received")
    root = source if source.is_dir() else source.parent
    paths = sorted(path for path in source.rglob("*") if path.is_file()) if source.is_dir() else [source]
    files: list[ReceivedFile] = []
    for path in paths:
        label = path.relative_to(root).as_posix()
        if any(step.startswith(".") for step in label.split("/")):
            continue
        if is_archive(path.name):
            with opening_archive(ReceivedFile(path, label)):
                files += members_of(path, label, _LIMITS)
        else:
            files.append(ReceivedFile(path, label, limits=_LIMITS))
    if not files:
        raise SourceError(f"{source}: holds no files; name what was received")
    return root, files


# --- known formats ---------------------------------------------------------------------------------------------------


def _slack(files: Sequence[ReceivedFile]) -> Iterator[_Candidate]:
    names = {file.name for file in files}
    days = [file for file in files if re.fullmatch(r"\d{4}-\d\d-\d\d\.json", file.name)]
    if not days or not names & {"users.json", "channels.json", "org_users.json"}:
        return
    channels = sorted({file.label.replace("!", "/").split("/")[-2] for file in days if "/" in file.label})
    others = [file.label for file in files if not file.name.endswith(".json")]
    mapping = {
        "format": "slack", "path": ".", "files": ["*.json"], **({"ignore": others} if others else {}),
        "channels": ["*"], "staff": [], "session_gap_minutes": 60,
    }  # fmt: skip
    yield _Candidate(
        "slack",
        mapping,
        [f"users.json or channels.json beside {len(days)} files named by day, in {len(channels)} channels"],
        ["list in `channels` those where support is given, and in `staff` who answers there: until then everybody is a customer"],
    )


def _desk(files: Sequence[ReceivedFile]) -> Iterator[_Candidate]:
    """A help desk, where most fields of its records are the desk's."""
    found: dict[str, list[tuple[ReceivedFile, str, float]]] = {}
    for file in islice(files, SAMPLED_FILES):
        for fields in _first_fields(file):
            for vendor, kinds in doctor_kinds().items():
                kind = kind_of(fields, kinds)
                if kind is not None:
                    found.setdefault(vendor, []).append((file, kind, _known_share(fields, kinds, kind)))
    scores = {vendor: _score(hits) for vendor, hits in found.items()}
    for vendor, score in sorted(scores.items(), key=lambda each: -each[1]):
        if score < 0.8:  # of the fields: fewer than four in five known is another's shape
            continue
        hits = found[vendor]
        kinds_found = sorted({kind for _, kind, _ in hits})
        suffixes = sorted({"*" + "".join(Path(file.name).suffixes[-2:]) for file, _, _ in hits})
        others = sorted(file.label for file in files if not any(file.name.endswith(suffix[1:]) for suffix in suffixes))
        mapping: dict[str, Any] = {"format": vendor, "path": ".", "files": suffixes}
        if others:
            mapping["ignore"] = others
        if vendor == "zendesk":
            mapping |= {"join": "folder", "subject": "leave", "unknown_author": "agent"}
        if vendor == "zendesk_tables":
            mapping |= {"unknown_author": "agent"}
        reason = f"{', '.join(kinds_found)}: {score:.0%} of the fields are those of {vendor}"
        yield _Candidate(
            vendor, {**mapping, "zone": "UTC"}, [reason], ["zone: times that state none are taken as UTC; put yours"]
        )


def _score(hits: Sequence[tuple[ReceivedFile, str, float]]) -> float:
    main = [share for _, kind, share in hits if kind in MAIN_KINDS]
    return max(main, default=max(share for _, _, share in hits) / 2)


MAIN_KINDS: Final = frozenset({"ticket", "conversation", "conversation_history", "case", "thread", "message", "email"})
"""Records that a conversation can begin with."""


def _known_share(fields: Iterable[str], kinds: Kinds, kind: str) -> float:
    present = frozenset(fields)
    known = kinds[kind]
    hits = present & (known.telling | known.mapped | known.ignored)
    return len(hits) / max(len(present), 1)


def _first_fields(file: ReceivedFile) -> Iterator[set[str]]:
    try:
        records, _ = _sample(file, 20)
    except (CurationError, UnicodeError):
        return
    for record in records[:20]:
        yield set(record)
        for value in record.values():  # a page of the API: its records stand one below
            if isinstance(value, list) and value and isinstance(value[0], dict):
                yield set(value[0])
            elif isinstance(value, dict):
                yield set(value)
                for _, items in _lists(value, "", 0):
                    yield from (set(item) for item in items[:1] if isinstance(item, dict))


def _faults(files: Sequence[ReceivedFile]) -> Iterator[str]:
    """What keeps files from being looked into."""
    for file in islice(files, SAMPLED_FILES):
        try:
            _sample(file, 1)
        except SourceError as error:
            yield str(error)


def _mail(files: Sequence[ReceivedFile]) -> Iterator[_Candidate]:
    boxes, mails, others = [], [], []
    for file in files:
        head = _head(file)
        lines = head.split(b"\n", 30)
        if _FROM_LINE.match(head):
            boxes.append(file)
        elif sum(bool(_MAIL_HEADER.match(line)) for line in lines) >= 2:  # one may be prose
            mails.append(file)
        else:
            others.append(file.label)
    for kind, found in (("mbox", boxes), ("eml", mails)):
        if len(found) * 2 > len(files) and kind in SOURCES:
            mapping: dict[str, Any] = {"format": kind, "path": ".", "files": _globs(found)}
            rest = [file.label for file in files if file not in found]
            if rest:
                mapping["ignore"] = rest
            yield _Candidate(
                kind,
                {**mapping, **_REQUIRED[kind]},
                [f"{len(found)} of {len(files)} files begin as mails do"],
                ["staff: put the domains, or the addresses, from which your team answers"],
            )


def _chat_log(files: Sequence[ReceivedFile]) -> Iterator[_Candidate]:
    found = []
    for file in islice(files, SAMPLED_FILES):
        lines = _head(file).decode("utf-8", "replace").splitlines()[:50]
        if lines and sum(bool(_CHAT_LINE.match(line)) for line in lines) * 2 > len(lines):
            found.append(file)
    if found and "irc" in SOURCES:
        yield _Candidate(
            "irc",
            {"format": "irc", "path": ".", "files": _globs(found), **_REQUIRED["irc"]},
            [f"lines of {len(found)} files are a time, a nick in <> and a text"],
            ["name in `staff` the nicks that answer", "date: where neither file names nor lines state one, put it there"],
        )


_REQUIRED: Final[Mapping[str, Mapping[str, Any]]] = {
    "mbox": {
        "join": "source",
        "staff": {"domains": ["support.example.com"]},
        "subject": "prepend",
        "undated": "refuse",
        "thread_gap_days": 30,
        "zone": "UTC",
    },
    "eml": {
        "join": "source",
        "staff": {"domains": ["support.example.com"]},
        "subject": "prepend",
        "undated": "keep",
        "thread_gap_days": 30,
        "zone": "UTC",
    },
    "irc": {"zone": "UTC", "sessions": "channel", "gap_minutes": 60, "staff": []},
}
"""A start for settings that only people can decide."""


def _globs(files: Sequence[ReceivedFile]) -> list[str]:
    suffixes = {Path(file.name).suffix for file in files}
    return sorted(f"*{suffix}" for suffix in suffixes) if "" not in suffixes else ["*"]


def _head(file: ReceivedFile) -> bytes:
    try:
        with opened(file) as stream:
            return stream.read(_HEAD_BYTES)
    except SourceError:
        return b""


# --- rows and records ------------------------------------------------------------------------------------------------


def _sample(file: ReceivedFile, most: int) -> tuple[list[dict[str, Any]], dict[str, Any]]:
    """The first records of a structured file, and the settings that reading it needs."""
    layout = layout_of(file)
    if layout == "csv":
        dialect = _dialect(file)
        names: list[str] = []
        rows: list[dict[str, Any]] = []
        for row in csv_rows(file, 0, Dialect(**dialect), _LIMITS):
            if isinstance(row, list):
                names = row
            elif not isinstance(row, Row):
                rows.append(dict(zip(names, row[1], strict=True)))
                if len(rows) >= most:
                    break
        return rows or [dict.fromkeys(names, "")], {"csv": dialect} if dialect else {}
    if layout == "parquet":
        content = parquet_rows(file)
        columns = [str(name) for name in next(content)]
        return [dict(zip(columns, row[1], strict=True)) for row in islice(content, most)], {}
    if layout == "jsonl":
        lines = (line for line in json_lines(file, 0, _LIMITS) if not isinstance(line, Row))
        return [record for _, _, record in islice(lines, most)], {}
    return _document(file, most)


def _document(file: ReceivedFile, most: int) -> tuple[list[dict[str, Any]], dict[str, Any]]:
    import ijson  # type: ignore[import-untyped]  # ships no types  # noqa: PLC0415  # only documents need it

    with opened(file) as stream:
        head = stream.read(16 * 2**20)
    try:
        document = orjson.loads(head)
    except orjson.JSONDecodeError:
        try:
            with opened(file) as stream:
                document = list(islice((each for each in ijson.items(stream, "item", use_float=True)), most))
        except ijson.JSONError:
            raise SourceError(f"{file.label}: is not JSON; fetch it again") from None
    if isinstance(document, list):
        return [each for each in document[:most] if isinstance(each, dict)], {}
    if isinstance(document, dict):
        lists = {
            key: value for key, value in document.items() if isinstance(value, list) and value and isinstance(value[0], dict)
        }
        if len(lists) == 1 and not _has_text(document, lists):
            key = next(iter(lists))
            beside = sorted(document.keys() - {key})
            return [each for each in lists[key][:most] if isinstance(each, dict)], {
                "records": key,
                **({"ignore_beside": beside} if beside else {}),
            }
        return [document], {}
    return [], {}


def _has_text(document: Mapping[str, Any], lists: Mapping[str, Any]) -> bool:
    """Whether a document is itself a conversation: it holds text, or an id, beside its list."""
    beside = [key for key in document if key not in lists]
    return any(isinstance(document[key], str) and len(document[key].split()) > 3 for key in beside) or any(  # a sentence
        key.casefold().endswith("id") for key in beside
    )


def _dialect(file: ReceivedFile) -> dict[str, Any]:
    """How a CSV is written, as far as its beginning shows: only what differs from the default."""
    head = _head(file)
    found: dict[str, Any] = {}
    if head.startswith((b"\xff\xfe", b"\xfe\xff")):
        found["encoding"] = "utf-16"
        text = head[: len(head) // 2 * 2].decode("utf-16", "replace")
    else:
        try:
            text = head[: head.rfind(b"\n") + 1 or None].decode("utf-8")
        except UnicodeDecodeError:
            found["encoding"] = "cp1252"
            text = head.decode("cp1252", "replace")
    first = text.split("\n", 1)[0]
    counts = {delimiter: first.count(delimiter) for delimiter in ",;\t|"}
    best = max(counts, key=lambda each: counts[each])
    if best != "," and counts[best]:
        found["delimiter"] = best
    return found


@dataclass
class _Column:
    """What the values of one field are like."""

    name: str
    values: list[Any]
    """Those that are not empty."""
    rows: int

    def __post_init__(self) -> None:
        self.texts = [str(value) for value in self.values if not isinstance(value, list | dict)]
        self.words = [len(text.split()) for text in self.texts]
        self.distinct = len(set(self.texts))
        self.filled = len(self.values) / max(self.rows, 1)
        self.mean_words = sum(self.words) / max(len(self.words), 1)
        self.tokens = set(re.findall(r"[a-z]+", re.sub(r"([a-z])([A-Z])", r"\1 \2", self.name.rpartition(".")[2]).casefold()))

    def hints(self, words: str) -> int:
        """How many words of its name are among these; a whole one counts more than a part."""
        known = set(words.split())
        return 2 * len(self.tokens & known) + sum(
            any(len(word) > 3 and word in token for word in known) for token in self.tokens - known
        )  # shorter parts stand in any word

    @property
    def is_scalar(self) -> bool:
        return bool(self.texts) and len(self.texts) == len(self.values)

    def time(self) -> tuple[str | None, bool] | None:
        """The pattern its times are written in (null for those ingest knows), and whether they state a zone."""
        sample = [value for value in self.values if not isinstance(value, list | dict | bool)][:200]
        if not sample:
            return None
        numbers = [_number(value) for value in sample]
        if all(number is not None for number in numbers):
            plausible = all(any(6e8 < abs(number or 0) / unit < 2.6e9 for unit in (1, 1e3, 1e6)) for number in numbers)
            return (None, True) if plausible and (self.hints(_TIME) or self.distinct > FEW) else None
        texts = [str(value) for value in sample]
        zones = [_iso_zone(text) for text in texts]
        if all(zone is not None for zone in zones):
            return None, all(zones)
        for pattern in _PATTERNS:
            if all(_fits(text, pattern) for text in texts):
                return pattern, "%z" in pattern
        return None

    def kind(self) -> str | None:
        """The entity type of its values, where they are personal."""
        texts = self.texts[:200]
        if texts and sum(bool(_EMAIL.fullmatch(text.strip())) for text in texts) * 2 > len(texts):
            return "EMAIL_ADDRESS"
        for words, kind in _PERSONAL:
            if self.tokens & set(words.split()) and self.mean_words <= 4 and not self.time():  # a name has few words
                return None if kind == "PERSON" and all(_number(text) is not None for text in texts) else kind
        return None


def _number(value: Any) -> float | None:
    if isinstance(value, bool):
        return None
    try:
        return float(value)
    except (TypeError, ValueError):
        return None


def _iso_zone(text: str) -> bool | None:
    """Whether an ISO time states its zone; null for no time."""
    bare = text.strip()
    bare = bare.removesuffix(" UTC") + "+00:00" if bare.endswith(" UTC") else bare
    try:
        moment = datetime.fromisoformat(bare)
    except ValueError:
        return None
    return None if len(bare) < 8 else moment.tzinfo is not None  # 20260105


def _fits(text: str, pattern: str) -> bool:
    try:
        datetime.strptime(text.strip(), pattern)  # noqa: DTZ007  # only whether it fits
    except ValueError:
        return False
    return True


def _columns(rows: Sequence[Mapping[str, Any]]) -> dict[str, _Column]:
    names = dict.fromkeys(name for row in rows for name in row)
    return {
        name: _Column(name, [row[name] for row in rows if row.get(name) not in (None, "", [], {})], len(rows)) for name in names
    }


def _text_column(columns: Mapping[str, _Column], taken: set[str]) -> _Column | None:
    candidates = [
        column
        for column in columns.values()
        if column.name not in taken
        and column.is_scalar
        and (column.mean_words >= 2 or column.hints(_TEXT))
        and not column.time()  # a message has words
        and any(isinstance(value, str) for value in column.values)
        and column.kind() is None
    ]

    def worth(column: _Column) -> float:
        hint = column.hints(_TEXT) and 3.0
        return hint + min(column.mean_words, 30) / 5 + column.distinct / max(len(column.texts), 1) + (column.filled > 0.5)  # half

    return max(candidates, key=worth, default=None)


def _speaker(columns: Mapping[str, _Column], taken: set[str]) -> tuple[_Column, dict[str, list[Any]], str] | None:
    """The column that says who speaks, what its values mean, and what any other means."""
    best: tuple[float, _Column, dict[str, list[Any]]] | None = None
    for column in columns.values():
        if column.name in taken or not column.is_scalar or column.filled < 0.9:  # somebody always speaks
            continue
        values = {str(value): value for value in column.values}
        if len(values) > FEW:
            continue
        meaning = _meaning(column, values)
        known = sum(map(len, meaning.values()))
        if "customer" not in meaning or (known < len(values) and "agent" not in meaning):
            continue
        named = {str(value) for each in meaning.values() for value in each}
        if left := [value for text, value in values.items() if text not in named]:
            meaning.setdefault("tool", []).extend(left)  # beside customers and agents: a system that took part
        score = column.hints(_WHO) + known + ("agent" in meaning) * 2
        if best is None or score > best[0]:
            best = score, column, meaning
    if best is not None:
        return best[1], best[2], "refuse"
    authors = [
        column
        for column in columns.values()
        if column.name not in taken and column.is_scalar and column.hints(_WHO + " owner id uid poster nick screen login email")
        and column.hints(_WHO + " owner poster nick uid login email usr") and column.mean_words <= 4 and column.distinct > 1
        and not column.time() and column.filled > 0.5  # half
    ]  # fmt: skip
    found = max(
        authors,
        key=lambda each: (each.hints("author user usr sender from speaker poster owner"), each.filled, each.distinct),
        default=None,
    )
    return None if found is None else (found, {}, "starter")


def _meaning(column: _Column, values: Mapping[str, Any]) -> dict[str, list[Any]]:
    found: dict[str, list[Any]] = {}
    if column.tokens & {"inbound", "incoming", "customer", "user"} and set(values) <= {
        "True",
        "False",
        "true",
        "false",
        "0",
        "1",
        "TRUE",
        "FALSE",
    }:
        for text, value in values.items():
            found.setdefault("customer" if text.casefold() in {"true", "1"} else "agent", []).append(value)
        return found
    for text, value in values.items():
        word = re.sub(r"[\s:]+", "_", text.strip().casefold()).strip("_")
        role = _SPEAKS.get(word) or _SPEAKS.get(word.rpartition("_")[2]) or _SPEAKS.get(word.partition("_")[0])
        if role:
            found.setdefault(role, []).append(value)
    if "agent" not in found and "bot" not in found and found.get("tool") == [values.get("system")] and "system" in values:
        found["agent"] = found.pop("tool")  # "user" and "system": a dialogue system speaks for the company
    return found


def _group_id(
    columns: Mapping[str, _Column], taken: set[str], text: str | None, rows: Sequence[Mapping[str, Any]]
) -> _Column | None:
    """The column whose value ties the messages of a conversation together."""
    best: tuple[float, _Column] | None = None
    for column in columns.values():
        if (
            column.name in taken or column.name == text or not column.is_scalar or column.filled < 0.95 or column.mean_words > 2
        ):  # an id is always there, and short
            continue
        if column.kind() is not None or any(isinstance(value, float | bool) and value != int(value) for value in column.values):
            continue
        size = len(column.texts) / max(column.distinct, 1)
        looks = column.hints(_ID) * 2 + ("id" in column.tokens) + (column.name.casefold().endswith("id"))
        is_label = bool(column.hints(_LABEL)) and "id" not in column.tokens
        if (
            not looks
            or size < 1.2
            or (column.distinct <= 2 and len(rows) > 50)
            or is_label
            or (column.time() and not column.hints(_ID))
        ):  # repeats, but not everywhere
            continue
        score = looks + (2 if 1.5 <= size <= 60 else 0)  # messages of a conversation
        if best is None or score > best[0]:
            best = score, column
    return best[1] if best else None


def _generic(files: Sequence[ReceivedFile]) -> Iterator[_Candidate]:
    """Rows or nested records of anybody's making."""
    read: list[tuple[ReceivedFile, list[dict[str, Any]], dict[str, Any]]] = []
    faults: list[str] = []
    for file in islice(files, SAMPLED_FILES):
        try:
            rows, settings = _sample(file, SAMPLED_ROWS)
        except SourceError as error:
            faults.append(f"not looked into: {error}")
            continue
        if rows:
            read.append((file, rows, settings))
    if not read:
        return
    largest = max(read, key=lambda each: _volume(each[1]))
    shape = frozenset(largest[1][0])
    alike = [each for each in read if len(shape & frozenset(each[1][0])) * 2 >= len(shape)]
    suffixes = sorted({"*" + "".join(Path(each[0].name).suffixes[-2:]) for each in alike})
    if len(files) == 1:
        suffixes = [largest[0].label]
    others = sorted(file.label for file in files if file.label not in {each[0].label for each in alike})
    common: dict[str, Any] = {"path": ".", "files": suffixes}
    if others:
        common["ignore"] = others
    rows = [row for each in alike for row in each[1]][: SAMPLED_ROWS * 2]
    nested = _turns_path(rows)
    attempts: list[Callable[[], _Candidate | None]] = [lambda: _as_table(rows, {**common, **largest[2]})]
    if nested is not None:
        attempts.insert(0, lambda: _as_events(rows, nested, {**common, **largest[2]}))
    for attempt in attempts:
        candidate = attempt()
        if candidate is not None:
            candidate.remarks += faults[:3]
            yield candidate


def _volume(rows: Sequence[Mapping[str, Any]]) -> int:
    return sum(len(str(value)) for row in rows[:200] for value in row.values())


def _as_table(rows: Sequence[Mapping[str, Any]], common: dict[str, Any]) -> _Candidate | None:
    columns = _columns(rows)
    reasons: list[str] = []
    remarks: list[str] = []
    mapping: dict[str, Any] = {"format": "table", **common}
    text = _text_column(columns, set())
    if text is None:
        return None
    pair = _pair(columns)
    group = _group_id(columns, set(), text.name, rows)
    speaker = _speaker(columns, {text.name, *([group.name] if group else [])}) if group else None
    used = {text.name}
    if group is not None and speaker is not None and not (pair and _is_sure(pair)):
        column, meaning, others = speaker
        turn: dict[str, Any] = {"speaker": {"at": column.name, **meaning}, "text": text.name}
        if others == "starter":
            turn["speaker"]["others"] = "starter"
            turn["author"] = column.name
        mapping |= {"id": group.name, "turn": turn}
        used |= {group.name, column.name}
        reasons += [
            f"one row per message: {text.name!r} holds text of {text.mean_words:.0f} words on average",
            f"{group.name!r} repeats, {len(rows) / max(group.distinct, 1):.1f} rows for each value",
            f"{column.name!r} says who speaks"
            + (
                ""
                if others == "refuse"
                else " by name: whoever writes first is taken for the customer, everybody else for an agent"
            ),
        ]
        time = _time_column(columns, used)
        if time is not None:
            turn["sent_at"] = time[0].name
            _declare(mapping, time, reasons, remarks)
            used.add(time[0].name)
        order = next((each for each in columns.values() if each.name not in used and _is_order(each, rows, group.name)), None)
        if order is not None:
            turn["order"] = order.name
            used.add(order.name)
            reasons.append(f"{order.name!r} counts the messages of a conversation")
    elif pair is not None or speaker is None or group is None:
        question, answer = pair or (text, None)
        mapping["pair"] = {"question": question.name, **({"answer": answer.name} if answer else {})}
        used |= {question.name, *([answer.name] if answer else [])}
        reasons.append(
            f"one row per question: {question.name!r}"
            + (f", answered in {answer.name!r}" if answer else ", and no answer in any column")
        )
        unique = next(
            (each for each in columns.values() if each.name not in used and each.is_scalar and each.filled == 1
             and each.distinct == len(rows) and (each.hints(_ID) or "id" in each.tokens)), None
        )  # fmt: skip
        if unique is not None:
            mapping["id"] = unique.name
            used.add(unique.name)
        time = _time_column(columns, used)
        if time is not None:
            mapping["pair"]["asked_at"] = time[0].name
            _declare(mapping, time, reasons, remarks)
            used.add(time[0].name)
    _rest_of_table(mapping, columns, used, text)
    if nested := [column.name for column in columns.values() if column.values and not column.is_scalar]:
        remarks.append(f"{', '.join(nested)}: holds lists or records, which are not read")
    return _Candidate("table", mapping, reasons, remarks)


def _rest_of_table(mapping: dict[str, Any], columns: Mapping[str, _Column], used: set[str], text: _Column) -> None:
    topics, people = [], {}
    for column in columns.values():
        if column.name in used or not column.is_scalar:
            continue
        kind = column.kind()
        if kind is not None:
            people[column.name] = kind
        elif (
            column.hints(_LABEL)
            and not column.tokens & {"title", "subject"}
            and column.mean_words <= 4
            and column.distinct <= max(50, column.rows / 5)
        ):  # a label is short, and repeats
            topics.append(column.name)
    author = mapping.get("turn", {}).get("author")
    if author is not None and (kind := _who(columns[author])) is not None:
        people[author] = kind
    if topics:
        mapping["topics"] = topics
    if people:
        mapping["identifiers"] = {"other": people}
    used = used | set(topics) | set(people)
    if rest := [name for name in columns if name not in used]:
        mapping["ignore_columns"] = rest
    if _is_html(text):
        mapping["text_format"] = "html"


def _who(author: _Column) -> str | None:
    """What the names of authors are: personal, unless they are only numbers."""
    return None if all(_number(text) is not None for text in author.texts) else author.kind() or "USERNAME"


def _is_html(text: _Column) -> bool:
    sample = text.texts[:500]
    return bool(sample) and sum(bool(_TAGGED.search(each)) for each in sample) * 5 > len(sample)


def _pair(columns: Mapping[str, _Column]) -> tuple[_Column, _Column] | None:
    """A column with questions and one with their answers."""
    texts = [
        column
        for column in columns.values()
        if column.is_scalar and column.mean_words >= 2 and not column.time() and column.kind() is None  # a message has words
        and column.distinct * 3 > len(column.texts)
    ]  # fmt: skip
    answers = [column for column in texts if column.tokens & set(_ANSWER.split())]
    if not answers:
        return None
    answer = max(answers, key=lambda each: (each.mean_words, each.name))
    questions = [column for column in texts if column is not answer and column.tokens & set(_QUESTION.split())]
    if not questions:
        return None
    return max(
        questions, key=lambda each: (min(each.mean_words, 8), each.hints("question query prompt instruction body"), each.name)
    ), answer


def _is_sure(pair: tuple[_Column, _Column]) -> bool:
    return pair[0].filled > 0.9 and pair[1].filled > 0.3  # not every question has an answer


def _is_order(column: _Column, rows: Sequence[Mapping[str, Any]], group: str) -> bool:
    """Whether a column counts the messages of each conversation: whole numbers, none of them twice."""
    if not column.hints(_ORDER) or column.filled < 1 or any(_number(value) is None for value in column.values):
        return False
    pairs = Counter((str(row.get(group)), str(row.get(column.name))) for row in rows)
    return max(pairs.values()) == 1


def _time_column(columns: Mapping[str, _Column], used: set[str]) -> tuple[_Column, str | None, bool] | None:
    best: tuple[int, tuple[_Column, str | None, bool]] | None = None
    for column in columns.values():
        if column.name in used or not column.is_scalar or column.filled < 1:
            continue
        found = column.time()
        if found is not None:
            score = (
                column.hints(_TIME) * 2
                + min(column.distinct, 5)
                + (not column.tokens & {"updated", "modified", "edited", "closed"})
            )
            if best is None or score > best[0]:
                best = score, (column, *found)
    return best[1] if best else None


def _declare(mapping: dict[str, Any], time: tuple[_Column, str | None, bool], reasons: list[str], remarks: list[str]) -> None:
    column, pattern, has_zone = time
    reasons.append(f"{column.name!r} holds times" + (f" written as {pattern}" if pattern else ""))
    if pattern is not None:
        mapping["time_format"] = pattern
        if pattern.startswith(("%d/%m", "%m/%d")):
            remarks.append("time_format: check that day and month are not the other way round")
    if not has_zone:
        mapping["zone"] = "UTC"
        remarks.append("zone: the times state none and are taken as UTC; put yours, such as Europe/Berlin")


# --- nested records --------------------------------------------------------------------------------------------------


def _turns_path(rows: Sequence[Mapping[str, Any]]) -> str | None:
    """Where records hold a list of messages: the list with the most text."""
    sizes: Counter[str] = Counter()
    for row in rows[:200]:
        for path, items in _lists(row, "", 0):
            sizes[path] += sum(len(text) for item in items for text in _strings(item) if " " in text)
    best = max(sizes, key=lambda path: sizes[path], default=None)
    return best if best is not None and sizes[best] > 0 else None


def _lists(value: Mapping[str, Any], above: str, depth: int) -> Iterator[tuple[str, list[Any]]]:
    for key, below in value.items():
        path = f"{above}.{key}" if above else key
        if isinstance(below, list) and below and all(isinstance(item, dict | list) for item in below):
            yield path, below
        elif isinstance(below, dict) and depth < 4:  # deeper than any export seen
            yield from _lists(below, path, depth + 1)


def _strings(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for each in value.values():
            yield from _strings(each) if isinstance(each, str | dict) else ()
    elif isinstance(value, list):
        yield from (each for each in value if isinstance(each, str))


def _flat(value: Any, above: str = "") -> dict[str, Any]:
    """Path -> value, of everything below; a list of plain values is one value."""
    if isinstance(value, dict):
        found: dict[str, Any] = {}
        for key, below in value.items():
            found |= _flat(below, f"{above}.{key}" if above else str(key))
        return found
    if isinstance(value, list) and not above:
        return {path: each for position, item in enumerate(value) for path, each in _flat(item, str(position)).items()}
    if isinstance(value, list) and any(isinstance(each, dict | list) for each in value):
        return {above: None}
    return {above: value}


def _as_events(  # noqa: C901, PLR0912, PLR0915  # one mapping from top to bottom
    rows: Sequence[Mapping[str, Any]], at: str, common: dict[str, Any]
) -> _Candidate | None:
    records = [_flat(dict(row)) for row in rows]
    items = [item for row in rows for item in _at(row, at)]
    columns = _columns([_flat(item) for item in items[: SAMPLED_ROWS * 3]])
    text = _text_column(columns, set())
    if text is None:
        return None
    reasons = [
        f"{at!r} is a list in each record, {len(items) / max(len(rows), 1):.1f} items on average; {text.name!r} in it holds text"
    ]
    remarks: list[str] = []
    mapping: dict[str, Any] = {"format": "events", **common, "turns": at}
    used = {text.name}
    filters = _filters(columns, [_flat(item) for item in items], text.name)
    if filters:
        mapping |= {"messages": filters, "kind": next(iter(filters))}
        kept = [item for item in map(_flat, items) if all(item.get(path) in values for path, values in filters.items())]
        columns = _columns(kept)
        reasons.append(f"items are messages by {next(iter(filters))!r}")
    speaker = _speaker(columns, used)
    if speaker is None:
        return None
    column, meaning, others = speaker
    if filters and meaning.get("tool"):
        path, values = next(iter(filters.items()))
        speaks = [
            item.get(path) for item in map(_flat, items) if item.get(text.name) and item.get(column.name) not in meaning["tool"]
        ]
        filters[path] = [value for value in values if value in speaks]
    mapping["speaker"] = {"at": column.name, **meaning, **({"others": others} if others == "starter" else {})}
    mapping["text"] = text.name
    used |= {column.name, *filters}
    reasons.append(
        f"{column.name!r} says who speaks"
        + ("" if others == "refuse" else " by name: the customer is whoever asked, or writes first, everybody else an agent")
    )
    if others == "starter":
        mapping["author"] = column.name
    time = _time_column(columns, used)
    if time is not None:
        mapping["sent_at"] = time[0].name
        _declare(mapping, time, reasons, remarks)
        used.add(time[0].name)
    _record_fields(mapping, records, at, column, reasons, others)
    if _is_html(text):
        mapping["text_format"] = "html"
    if left := sorted({path for row in rows[:200] for path, _ in _lists(row, "", 0)} - {at}):
        remarks.append(f"{len(left)} other lists beside {at!r} are left out, {left[0]!r} first: are they messages, too?")
    people = {
        f"{at}.*.{each.name}": kind
        for each in columns.values()
        if each.is_scalar and (kind := each.kind()) and each.name != text.name
    }
    if others == "starter" and (kind := _who(column)) is not None:
        people[f"{at}.*.{column.name}"] = kind
    taken = {mapping.get(key) for key in ("id", "opening", "opened_at", "customer")} | set(mapping.get("topics", ()))
    outer = _columns(records)
    people |= {name: kind for name, each in outer.items() if name not in taken and each.is_scalar and (kind := each.kind())}
    if mapping.get("customer") and (kind := _who(outer[mapping["customer"]])):
        people[mapping["customer"]] = kind
    if people:
        mapping["identifiers"] = {"other": people}
    known = {*taken, *people, at}
    top = {name for row in rows for name in row}
    ignore = []
    for name in sorted(top - {at.partition(".")[0]}):
        below = [path for path in outer if path == name or path.startswith(f"{name}.")]
        ignore += [name] if not any(path in known for path in below) else [path for path in below if path not in known]
    if "." in at:
        ignore += [path for path in outer if path.startswith(at.partition(".")[0] + ".") and path not in known]
    every = {path for item in items for path in _flat(item)}
    ignore += [f"{at}.*.{path}" for path in sorted(every - used) if f"{at}.*.{path}" not in people]
    if ignore:
        mapping["ignore_fields"] = ignore
    return _Candidate("events", mapping, reasons, remarks)


def _at(row: Mapping[str, Any], at: str) -> list[Any]:
    value: Any = row
    for step in at.split("."):
        value = value.get(step) if isinstance(value, dict) else None
    return value if isinstance(value, list) else []


def _filters(columns: Mapping[str, _Column], items: Sequence[Mapping[str, Any]], text: str) -> dict[str, list[Any]]:
    """The field that tells messages from other events, where some have no text: its values that always come with one."""
    without = [item for item in items if item.get(text) in (None, "")]
    if not without:
        return {}
    for column in columns.values():
        if (
            column.name == text or not column.is_scalar or not 1 < column.distinct <= 40 or column.filled < 0.9
        ):  # kinds are few and always there
            continue
        texts = Counter(str(item.get(column.name)) for item in items if item.get(text) not in (None, ""))
        silent = Counter(str(item.get(column.name)) for item in without)
        if texts and not any(
            silent[value] > count * 0.05 for value, count in texts.items()
        ):  # a message may be empty now and then
            return {column.name: list({str(v): v for v in column.values if str(v) in texts}.values())}
    return {}


def _names_record(column: _Column, records: int) -> bool:
    """Whether a field is the id of its record: one word, different in each."""
    if not column.is_scalar or column.filled < 1 or column.distinct < records or column.mean_words > 1.5 or column.time():
        return False
    words = column.tokens & {"id", "key", "uuid", "guid", "number", "no"}
    return bool(column.hints(_ID) or words) or column.name.casefold().endswith("id")


def _record_fields(  # what a record says beside its messages stands in as many places
    mapping: dict[str, Any], records: Sequence[Mapping[str, Any]], at: str, speaker: _Column, reasons: list[str], others: str
) -> None:
    outer = {name: column for name, column in _columns(records).items() if name != at and not name.startswith(f"{at}.")}
    ids = [each for each in outer.values() if _names_record(each, len(records))]
    found = max(ids, key=lambda each: (each.name.casefold() == "id", each.hints(_ID), -each.name.count(".")), default=None)
    if found is not None:
        mapping["id"] = found.name
        reasons.append(f"{found.name!r} is different in each record")
    taken = {found.name} if found else set()
    opening = [
        each
        for each in outer.values()
        if each.name not in taken and each.is_scalar and each.mean_words >= 4 and each.hints(_TEXT) and each.kind() is None
    ]  # a question has words
    if others == "starter" and opening:
        best = max(opening, key=lambda each: (each.mean_words, each.name))
        mapping["opening"] = best.name
        reasons.append(f"{best.name!r} holds the question that the list answers")
        asked = [
            each
            for each in outer.values()
            if each.is_scalar
            and each.hints("author user asker owner op poster customer requester")
            and each.mean_words <= 4
            and not each.time()
        ]  # a name has few words
        if asked:
            mapping["customer"] = max(
                asked, key=lambda each: (set(each.texts) & set(speaker.texts) != set(), each.hints("author user"))
            ).name
    time = _time_column(outer, taken)
    if (
        time is not None
        and (mapping.get("sent_at") is None or time[1] == mapping.get("time_format"))
        and (time[2] or "zone" in mapping or "sent_at" not in mapping)
    ):
        mapping["opened_at"] = time[0].name
        if time[1]:
            mapping["time_format"] = time[1]
        if not time[2]:
            mapping["zone"] = "UTC"
    topics = [
        each.name
        for each in outer.values()
        if each.hints(_LABEL) and each.name not in taken and each.mean_words <= 4 and each.name != mapping.get("opening")
    ]  # a label is short
    if topics:
        mapping["topics"] = topics


# --- trying it -------------------------------------------------------------------------------------------------------


def _tried(looked: Diagnosis, candidate: _Candidate, files: Sequence[ReceivedFile]) -> Diagnosis:
    """Read the sample with the mapping; what keeps rows from being read is taken out of it."""
    mapping = candidate.mapping
    for _ in range(4):
        drafts, counts, first = _read(mapping, files)
        if counts.get("kept", 0) or not _mend(mapping, first):
            break
        candidate.remarks.append(f"left out, since the sample could not be read with it: {first}")
    examples = [[f"{turn.speaker}: {mask(turn.text)}" for turn in draft.turns[:6]] for draft in drafts[:SHOWN]]
    return Diagnosis(
        candidate.format,
        looked.name,
        looked.root,
        mapping,
        candidate.reasons,
        [*candidate.remarks],
        dict(sorted(counts.items())),
        examples,
    )


def _mend(mapping: dict[str, Any], first: str) -> bool:
    """Take out what the first refusal names; whether there was anything."""
    turn = mapping.get("turn") or mapping.get("pair") or mapping
    if first.startswith(("bad_time", "no_time_zone")):
        taken = [turn.pop(key, None) for key in ("sent_at", "asked_at", "answered_at", "opened_at")]
        return any(taken)
    if first.startswith("bad_order"):
        return turn.pop("order", None) is not None
    if first.startswith("unknown_field"):
        mapping.setdefault("ignore_fields", []).append(
            first.partition(": ")[2].rpartition(".")[2]
            if mapping["format"] not in {"events", "table"}
            else first.partition(": ")[2]
        )
        return True
    return False


def _read(  # noqa: C901  # every fate a row can have
    mapping: Mapping[str, Any], files: Sequence[ReceivedFile]
) -> tuple[list[Draft], dict[str, int], str]:
    try:
        settings = _MAPPING.validate_python(mapping)
    except ValidationError as error:
        return [], {}, f"invalid: {error.errors()[0]['loc']}"
    source = SOURCES[settings.format]
    used = [
        file
        for file in files
        if any(fnmatchcase(file.label, glob) for glob in settings.files) and file.label not in settings.ignore
    ]
    rows: dict[str, list[Row]] = {}
    looked: dict[tuple[str, str], bytes] = {}
    counts: Counter[str] = Counter()
    first = ""
    groups = [used] if settings.joins_folder or settings.joins_source else [[file] for file in used[:SAMPLED_FILES]]
    for group in groups:
        try:
            read = source.open_unit(group, settings, _LIMITS) if source.open_unit else source.read
            for number, file in enumerate(group):
                for row in islice(read(file, number, settings, _LIMITS), SAMPLED_ROWS * 5):
                    if isinstance(row, Looked):
                        looked[row.kind, row.key] = row.payload
                    elif row.reason:
                        counts[row.reason] += 1
                        first = first or f"{row.reason}: {row.detail}"
                    else:
                        rows.setdefault(row.native, []).append(row)
        except SourceError as error:
            counts["unreadable_file"] += 1
            first = first or str(error)

    def find(kind: str, key: str) -> Any:
        payload = looked.get((kind, key))
        return None if payload is None else orjson.loads(payload)

    drafts: list[Draft] = []
    for members in islice(rows.values(), SAMPLED_ROWS):
        try:
            for each in [members] if settings.rows_have_ids else [[row] for row in members]:
                draft = source.assemble(each, settings, find)
                counts["kept" if draft.turns and not draft.drop else "dropped"] += 1
                drafts += [draft] if draft.turns else []
        except Refused as refusal:
            counts[refusal.reason] += 1
            first = first or f"{refusal.reason}: {refusal.detail}"
    drafts.sort(key=lambda draft: -min(len(draft.turns), 4))
    return drafts, counts, first


def mask(text: str) -> str:
    """The outline of a text: letters are x, digits 9, and every other sign that is no punctuation of ASCII is x too."""
    line = " ".join(text.split())
    outline = "".join("9" if sign.isdigit() else sign if sign.isascii() and not sign.isalnum() else "x" for sign in line)
    return outline if len(outline) <= SHOWN_CHARACTERS else f"{outline[:SHOWN_CHARACTERS]}..."
