"""What a source yields: rows of received files, and the conversation assembled from those of one native id."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from hashlib import sha256
from pathlib import Path
from typing import Any, Final, Literal, NamedTuple

from pydantic import Field

from pipeline.params import Section
from pipeline.text import TextFormat

MAX_ID_CHARACTERS: Final = 1000
"""A longer native id is no id but a text in the wrong place."""

LANGUAGE: Final = r"^[A-Za-z]{2,3}([-_][A-Za-z0-9]{1,8})*$"
"""A language code; free text could hold personal details, and the column passes scrub as it is."""


class Row(NamedTuple):
    """One row of a received file: a line, a record of a document, a row of a table."""

    file: int
    """Number of its file within the unit."""
    number: int
    """1 for the first row of its file, a CSV header not counted; 0 for the file as a whole."""
    native: str
    """Native id of the conversation the row belongs to."""
    payload: bytes
    """JSON, for `assemble` of the same source."""
    reason: str = ""
    """Not empty: the row is unreadable, `native` only tells it from others."""
    detail: str = ""
    """A field name, a count or a position; never text."""


class Looked(NamedTuple):
    """Something rows refer to, such as a user; where a file states it twice, the later one holds."""

    kind: str
    key: str
    payload: bytes


LookUp = Callable[[str, str], Any]
"""Kind and key -> the decoded payload, or None."""


def fault(file: int, number: int, raw: bytes, reason: str, detail: str = "") -> Row:
    """An unreadable row; equal bytes get an equal id, so that the order of rows does not matter."""
    return Row(file, number, sha256(raw).hexdigest(), b"", reason, detail)


class Refused(Exception):  # noqa: N818  # not an error of the run: one conversation is quarantined, the others go on
    """The rows of one conversation do not make a conversation."""

    def __init__(self, reason: str, detail: str = "") -> None:
        super().__init__(reason, detail)
        self.reason, self.detail = reason, detail


class DraftTurn(NamedTuple):
    """One message; `author` is the source's own id of who wrote it."""

    speaker: str
    text: str
    sent_at: int | None
    """Microseconds since 1970, UTC."""
    author: str | None
    is_forward: bool = False
    """The mail hands on another one, which is its content."""


class Detail(NamedTuple):
    """One value the source states about somebody; `person` is the source's own id of them."""

    person: str | None
    role: str
    kind: str
    value: str


@dataclass(slots=True)
class Draft:
    """A conversation in its source's own ids, before hashing."""

    opened_at: int | None = None
    channel: str | None = None
    language: str | None = None
    product: str | None = None
    topics: Sequence[str] = ()
    customer: str | None = None
    resolved: bool | None = None
    csat: float | None = None
    reopened: bool | None = None
    turns: list[DraftTurn] = field(default_factory=list)
    people: list[Detail] = field(default_factory=list)
    counts: dict[str, int] = field(default_factory=dict)
    origin: Row | None = None
    """The row that stands for the conversation; null for its first."""
    heading: str = ""
    """Put above the text of the first turn, after that was cleaned: the subject of a mail."""
    drop: str = ""
    """A reason to drop the conversation although it was read well."""

    def count(self, name: str, number: int = 1) -> None:
        """Count something that became no turn."""
        self.counts[name] = self.counts.get(name, 0) + number


class Fixed(Section):
    """What holds for every conversation of the source and stands in none of its fields; a field that is mapped wins."""

    channel: str | None = None
    """chat, email, phone, web, ..."""
    language: str | None = Field(default=None, pattern=LANGUAGE)
    """ISO 639-1 code."""
    product: str | None = None
    """Product or brand the conversation is about."""


class SourceSettings(Section):
    """What every format needs to know of a source."""

    path: str = ""
    """Folder or file below SOURCE; the source's own name when empty, "." for all of SOURCE."""
    files: list[str] = Field(min_length=1)
    """Globs over paths below `path`: the files to read."""
    ignore: list[str] = Field(default_factory=list)
    """Globs over paths below `path`: files that are known and not read. A file that neither list covers is refused."""
    zone: str | None = None
    """IANA zone, such as Europe/Berlin, of times that state none; without it such times are refused."""
    time_format: str | None = None
    """strptime pattern of the times; null for ISO 8601 and Unix times in seconds, milliseconds or microseconds."""
    text_format: TextFormat = "plain"
    """plain, or html where message texts are HTML."""
    clean_mail: bool = False
    """Whether turns of conversations whose channel is mail lose what their author did not write: quoted history, signatures,
    disclaimers, the footers of programs."""
    reopened_after_days: float | None = Field(default=None, gt=0)
    """A silence after which the next message begins another conversation; null where an export's own ids decide. Days."""
    notices: Literal["keep", "remove"] = "keep"
    """What becomes of messages nobody wrote to anybody: requests for a rating, notes of a merge, "me too"s of others."""
    fixed: Fixed = Fixed()
    """Values for every conversation of this source."""

    @property
    def joins_folder(self) -> bool:
        """Whether the files of a folder are one unit: rows of one conversation may stand in several of them."""
        return False

    @property
    def joins_source(self) -> bool:
        """Whether all files of the source are one unit, in whatever folder they lie."""
        return False

    @property
    def rows_have_ids(self) -> bool:
        """Whether a row names its conversation; if not, every row is one."""
        return True


class Limits(Section):
    """What bounds memory while reading."""

    max_row_bytes: int = Field(gt=0)
    """A longer row is quarantined unread; in a CSV it also bounds how far an open quote is followed. Bytes, uncompressed."""
    max_unpacked_bytes: int = Field(gt=0)
    """A compressed file, or an archive as a whole, that unpacks to more is refused. Bytes."""
    max_unpacked_ratio: float = Field(gt=0)
    """One that unpacks to more than this many times its size is refused; the first 64 MiB are free."""


class ReceivedFile(NamedTuple):
    """A file to read; `label` is its path below SOURCE, the only name of it that leaves this machine's memory."""

    path: Path
    label: str
    member: str = ""
    """Its name inside the archive at `path`; empty for a file that lies there itself."""
    position: int = 0
    """Its place in that archive, counted from 0."""
    limits: Limits | None = None
    """What bounds its unpacking; null for no bound."""

    @property
    def name(self) -> str:
        """Its own name, without folders."""
        return self.member.rpartition("/")[2] if self.member else self.path.name


Read = Callable[[ReceivedFile, int, Any, Limits], Iterator[Row | Looked]]
"""File, its number in the unit, settings, limits -> its rows, streaming. Raises SourceError for a fault of the whole file."""

Assemble = Callable[[Sequence[Row], Any, LookUp], Draft]
"""Rows of one native id in file order, settings, look-up -> the conversation. Raises Refused."""


OpenUnit = Callable[[Sequence[ReceivedFile], Any, Limits], Read]
"""All files of a unit, settings, limits -> the `read` of these files, which is called once for each."""


@dataclass(frozen=True)
class Source:
    """One export format."""

    read: Read
    assemble: Assemble
    open_unit: OpenUnit | None = None
    """Where the rows of a file can only be told apart with the other files of its unit in view; takes the place of `read`."""
    reads_in_order: bool = False
    """Whether files must be read in the order of their names, even where they lie in another order in an archive."""


class Csat(Section):
    """A satisfaction rating as a share: 1 = fully satisfied."""

    at: str
    """Where the rating stands."""
    lowest: float | None = None
    """The worst mark of a scale; null where `marks` names each."""
    highest: float | None = None
    """The best mark of a scale."""
    marks: dict[str | int, float] = Field(default_factory=dict)
    """Mark -> share in [0, 1], such as {good: 1, bad: 0}."""

    def share(self, value: Any) -> float | None:
        """The share a mark stands for; null for no mark.

        Raises:
            Refused: the mark is not on the scale.
        """
        if value in (None, ""):
            return None
        if isinstance(value, str | int) and value in self.marks:
            return self.marks[value]
        try:
            mark = float(value)
        except (TypeError, ValueError):
            raise Refused("unknown_value", self.at) from None
        if self.lowest is None or self.highest is None or not self.lowest <= mark <= self.highest:
            raise Refused("unknown_value", self.at)
        return (mark - self.lowest) / (self.highest - self.lowest)


class Flag(Section):
    """A yes or no from a field."""

    at: str
    """Where it stands."""
    true_values: list[str | int | bool]
    """Values that mean yes."""
    false_values: list[str | int | bool] = Field(default_factory=list)
    """Values that mean no; any other value is unknown (null)."""

    def holds(self, value: Any) -> bool | None:
        """Yes, no, or null for neither."""
        if value in self.true_values:
            return True
        return False if value in self.false_values else None


class OutcomeFields(Section):
    """Where the source says how the conversation ended; what is not mapped stays null."""

    resolved: Flag | None = None
    """Whether the case was solved."""
    csat: Csat | None = None
    """The customer's rating."""
    reopened: Flag | None = None
    """Whether it was opened again after it was solved."""

    def fields(self) -> list[str]:
        """Every field that is read."""
        return [each.at for each in (self.resolved, self.csat, self.reopened) if each]

    def apply(self, draft: Draft, get: Callable[[str], Any]) -> None:
        """Set the outcome of `draft` from the fields that `get` reads."""
        if self.resolved:
            draft.resolved = self.resolved.holds(get(self.resolved.at))
        if self.csat:
            draft.csat = self.csat.share(get(self.csat.at))
        if self.reopened:
            draft.reopened = self.reopened.holds(get(self.reopened.at))


Identifiers = Mapping[str, str]
"""Field -> entity type of the personal value in it, spelt as Presidio spells it: {email: EMAIL_ADDRESS}."""


class PeopleFields(Section):
    """Fields with values the source states about people: scrub looks for them in every turn of the conversation."""

    customer: Identifiers = Field(default_factory=dict)
    """About the customer."""
    agent: Identifiers = Field(default_factory=dict)
    """About the agent."""
    other: Identifiers = Field(default_factory=dict)
    """About third persons."""

    def items(self) -> Iterator[tuple[str, str, str]]:
        """(role, field, entity type) of every mapped value."""
        for role, fields in (("customer", self.customer), ("agent", self.agent), ("other", self.other)):
            for at, kind in fields.items():
                yield role, at, kind

    def fields(self) -> list[str]:
        """Every field that is read."""
        return [at for _, at, _ in self.items()]


class Speakers(Section):
    """What the source calls who spoke."""

    at: str
    """Field with the speaker."""
    customer: list[str | int | bool] = Field(default_factory=list)
    """Values that mean the customer."""
    agent: list[str | int | bool] = Field(default_factory=list)
    """Values that mean a human agent."""
    bot: list[str | int | bool] = Field(default_factory=list)
    """Values that mean a bot."""
    tool: list[str | int | bool] = Field(default_factory=list)
    """Values that mean a tool or a system that took part."""
    others: Literal["refuse", "starter"] = "refuse"
    """What any other value means: the conversation is refused, or, as in a forum, the field names the author, whoever wrote
    first is the customer and everybody else an agent."""

    @cached_property
    def names(self) -> dict[Any, str]:
        """Value -> speaker."""
        lists = {"customer": self.customer, "agent": self.agent, "bot": self.bot, "tool": self.tool}
        return {value: speaker for speaker, values in lists.items() for value in values}

    def of(self, value: Any) -> str:
        """Who a value means; `STARTER` and the value where that shows only when the messages are in order.

        Raises:
            Refused: it is none of the known ones.
        """
        bare = None if isinstance(value, list | dict) else value
        if (speaker := self.names.get(bare)) is not None:
            return speaker
        if self.others == "refuse" or bare in (None, ""):
            raise Refused("unknown_speaker", self.at)
        return f"{STARTER}{bare}"


STARTER: Final = "starter:"
"""Begins the speaker of a turn that is not yet known to be the customer's or an agent's."""


def named_by_starter(turns: Sequence[DraftTurn], customer: str | None = None) -> list[DraftTurn]:
    """Turns in order, where whoever wrote first, or is known to be the customer, is that, and every other author an agent."""
    starter = next((turn.speaker for turn in turns if turn.speaker.startswith(STARTER)), None)
    if customer is not None:
        starter = f"{STARTER}{customer}"
    return [
        turn._replace(speaker="customer" if turn.speaker == starter else "agent") if turn.speaker.startswith(STARTER) else turn
        for turn in turns
    ]


_NOTHING: Final = frozenset({"", "null", "none", "nan", "n/a", "undefined"})
_QUOTES: Final = "\"' \t\r\n\u00a0\u201c\u201d\u2018\u2019"


def stated(value: Any) -> str | None:
    """A stated value without outer quotes and blanks; null where it states nothing."""
    if value is None or isinstance(value, bool | dict | list):
        return None
    bare = str(value).strip(_QUOTES)
    return None if bare.casefold() in _NOTHING else bare


def as_text(value: Any, where: str) -> str:
    """A text field; null is empty.

    Raises:
        Refused: it is a list or a record.
    """
    if isinstance(value, str):
        return value
    if value is None:
        return ""
    if isinstance(value, int | float):
        return str(value)
    raise Refused("wrong_type", where)


def as_list(value: Any, where: str) -> list[Any]:
    """A list field; null is empty.

    Raises:
        Refused: it is no list.
    """
    if value is None:
        return []
    if isinstance(value, list):
        return value
    raise Refused("wrong_type", where)


def as_record(value: Any, where: str) -> dict[str, Any]:
    """A record field; null is empty.

    Raises:
        Refused: it is no record.
    """
    if value is None:
        return {}
    if isinstance(value, dict):
        return value
    raise Refused("wrong_type", where)


def native_id(value: Any) -> str | None:
    """An id as text; null where the value is none."""
    if value is None or isinstance(value, bool | float | list | dict):
        return None
    text = str(value).strip()
    return text if 0 < len(text) <= MAX_ID_CHARACTERS else None
