"""What a source yields: rows of received files, and the conversation assembled from those of one native id."""

from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import IO, Any, Final, Literal, NamedTuple

from pydantic import Field

from pipeline.errors import SourceError
from pipeline.params import Section
from pipeline.text import TextFormat

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


class Referent(NamedTuple):
    """Something rows refer to, such as a user; where a file states it twice, the later one holds."""

    kind: str
    key: str
    payload: bytes


FindReferent = Callable[[str, str], Any]
"""Kind and key -> the decoded payload, or None."""


MARK: Final = "ticketmill:forgotten"
"""Stands in a received file where the row of a forgotten customer stood, so that the rows after it keep their numbers: the
first cell of an otherwise empty row, the one key of an otherwise empty record, the beginning of a line of a log, the one
header of a mail. A Parquet file lists the numbers of such rows under this key of its metadata."""

FORGOTTEN: Final = "forgotten"
"""The reason of such a row."""


def fault(file: int, number: int, raw: bytes, reason: str, detail: str = "") -> Row:
    """An unreadable row; equal bytes get an equal id, so that the order of rows does not matter."""
    return Row(file, number, sha256(raw).hexdigest(), b"", reason, detail)


class Refused(Exception):  # noqa: N818  # not an error of the run: one conversation is quarantined, the others go on
    """The rows of one conversation do not make a conversation."""

    def __init__(self, reason: str, detail: str = "") -> None:
        super().__init__(reason, detail)
        self.reason, self.detail = reason, detail


class Call(NamedTuple):
    """What an agent asked a tool."""

    name: str
    arguments: tuple[tuple[str, str], ...] = ()


class DraftTurn(NamedTuple):
    """One message; `author` is the source's own id of who wrote it."""

    speaker: str
    text: str
    sent_at: int | None
    """Microseconds since 1970, UTC."""
    author: str | None
    is_forward: bool = False
    """The mail hands on another one, which is its content."""
    call: Call | None = None
    origin: Literal["human", "macro"] = "human"
    """macro: the help desk marks it as a prepared answer."""
    """Of a look-up: what was asked; the text is what came back."""


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


LEFT_OUT: Final = (
    *("mails.", "events.", "private_notes", "drafts", "deleted_messages", "forwards_to_others", "mails_without_own_words"),
    *("empty_texts", "texts_before_speakers", "look_ups_without_result", "results_without_look_up"),
)
"""How the names of counts begin that say what was received and became no turn, though it could be read."""


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
    """plain; html where message texts are HTML; escaped where they are plain but for entities, such as &#39;; bbcode where they
    are posts of a forum, [quote=…]…[/quote], [url=…], [b], perhaps with HTML among it: quotations go."""
    clean_mail: bool = False
    """Whether turns of conversations whose channel is mail lose what their author did not write: quoted history, signatures,
    disclaimers, the footers of programs."""
    reopened_after_days: float | None = Field(default=None, gt=0)
    """A silence after which the next message begins another conversation; null where an export's own ids decide. Days."""
    notices: Literal["keep", "remove"] = "keep"
    """What becomes of messages nobody wrote to anybody: requests for a rating, notes of a merge, "me too"s of others."""
    guess_language: bool = True
    """Whether the language of a conversation that nobody states, and of each turn, is guessed from its words."""
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


@dataclass(frozen=True)
class Unit:
    """Files of one source that are read together."""

    source: str
    label: str
    """Path below SOURCE of its file or folder."""
    files: tuple[ReceivedFile, ...]
    key: str
    """Over the content of the files, their names, the mapping, max_row_bytes, the project key and the code: equal key, equal
    rows."""


def require_utf8(label: str) -> None:
    """Raise SourceError for a name that no table could hold: Linux takes any bytes, and old archives bring some."""
    shown = label.encode("utf-8", "backslashreplace").decode()
    if shown != label:
        raise SourceError(f"{shown}: a name that is not UTF-8; rename the file, in its archive too")


Read = Callable[[ReceivedFile, int, Any, Limits], Iterator[Row | Referent]]
"""File, its number in the unit, settings, limits -> its rows, streaming. Raises SourceError for a fault of the whole file."""

Assemble = Callable[[Sequence[Row], Any, FindReferent], Draft]
"""Rows of one native id in file order, settings, what finds a referent -> the conversation. Raises Refused."""


OpenUnit = Callable[[Sequence[ReceivedFile], Any, Limits], Read | None]
"""All files of a unit, settings, limits -> the `read` of these files, which is called once for each; null where the settings
let every file be read by itself."""


Without = Callable[[IO[bytes], Collection[int]], Iterator[tuple[bytes, bool]]]
"""A file and the numbers of rows -> the file in pieces with marks in the place of these rows, and which pieces are marks."""

CutOut = Callable[[IO[bytes], Collection[int], Any], Iterator[tuple[bytes, bool]]]
"""The same with the settings of the source."""

Cuts = Literal["layout", "elements", "files"] | CutOut
"""What can be cut out of received files of a format when a customer is forgotten. layout: rows, as the layout of the file says
(CSV, JSON lines, JSON, Parquet). elements: of JSON documents, whatever the file is called. files: those of which every row
goes. Or how rows leave a file that only its format can read."""


@dataclass(frozen=True)
class Source:
    """One export format."""

    read: Read
    assemble: Assemble
    open_unit: OpenUnit | None = None
    """Where the rows of a file can only be told apart with the other files of its unit in view; takes the place of `read`."""
    reads_in_order: bool = False
    """Whether files must be read in the order of their names, even where they lie in another order in an archive."""
    cuts: Cuts = "files"
    """What `ticketmill forget` may cut; said by the format, never guessed from the name of a file."""
