"""XML as databases and forums dump it: elements that repeat are records, each read when it ends.

    <posts>
      <row Id="1" PostTypeId="1" Body="&lt;p&gt;Where is it?&lt;/p&gt;" OwnerUserId="7" />
      <row Id="2" PostTypeId="2" ParentId="1" Body="&lt;p&gt;On its way.&lt;/p&gt;" OwnerUserId="9" />
    </posts>

What an element has becomes a field: its attributes, the elements in it (a list where one comes again; called by their attribute
`name` where they are a `field` or a `column`, as mysqldump and phpMyAdmin write them), and its own text, as `text` beside others.
Text with elements in it is one text. What the elements around the records have is ignored by name or refused.
No entity is taken from a file: one that declares any is refused, and nothing outside it is ever fetched.
"""

import re
from collections.abc import Callable, Collection, Iterator, Sequence
from typing import IO, Any, Final
from xml.parsers.expat import ExpatError, ParserCreate

import orjson

from pipeline.errors import SourceError
from pipeline.reading.drafts import FORGOTTEN, MARK, Limits, ReceivedFile, Row, fault
from pipeline.reading.files import opened
from pipeline.reading.paths import Path, shown

XML_MARK: Final = MARK.replace(":", ".")
"""The one attribute of an element that stands for a forgotten one; a colon would begin a namespace."""

ROOT: Final[Path] = (".",)
"""The path of the root itself, where a file is one record."""
MOST_DEEP: Final = 100
_CHUNK: Final = 2**16
_TAG: Final = re.compile(rb"""<(?:[^>"']|"[^"]*"|'[^']*')*>""")
_NAMED: Final = frozenset({"field", "column"})
_BOM: Final = b"\xef\xbb\xbf"


def xml_records(
    file: ReceivedFile, number: int, records: Path, ignored: Collection[str], limits: Limits
) -> Iterator[tuple[int, bytes, dict[str, Any]] | Row]:
    """(row, its record as JSON, its record) of every element on a path below the root; without a path of all in the root.

    `ROOT` makes the file one record.

    Raises:
        SourceError: the file is no XML, is cut off, declares entities, or has beside its records elements, attributes or text
            (by the name `text`) that are neither on the path nor ignored.
    """
    reader = _Reader(file, records, ignored, limits.max_row_bytes)
    position = 0
    with opened(file) as stream:
        for record in reader.read(stream):
            position += 1
            raw = b"%d" % position if record is None else orjson.dumps(record)
            if record is None:
                yield fault(number, position, raw, "too_long")
            elif XML_MARK in record:
                yield fault(number, position, raw, FORGOTTEN)
            else:
                yield position, raw, record


class _Element:
    """What is read of an element that is open."""

    def __init__(self, name: str, attributes: dict[str, str]) -> None:
        self.name, self._attributes = name, attributes
        self._below: dict[str, Any] = {}
        self.own: list[str] = []
        self.said: list[str] = []
        """Its own text and that of the elements in it, as it stands."""

    def take(self, name: str, value: Any, said: str) -> None:
        """An element in it has ended."""
        _put(self._below, name, value)
        self.said.append(said)

    def value(self) -> dict[str, Any] | str:
        """Its fields, or its text where it has none; text with elements in it is one text, as of `My <b>order</b> is late`."""
        text = "".join(self.own).strip()
        fields: dict[str, Any] = dict(self._attributes)
        if text and self._below:
            text = "".join(self.said).strip()
        else:
            for name, value in self._below.items():
                _put(fields, name, value)
        if text and fields:
            _put(fields, "text", text)
        return fields or text


class _Reader:
    """The records of one file; what is read of an element stands on a stack while it is open."""

    def __init__(self, file: ReceivedFile, records: Path, ignored: Collection[str], most: int) -> None:
        self._file, self._records, self._ignored, self._most = file, records, frozenset(ignored), most
        self._way: list[str] = []
        self._open: list[_Element] = []
        self._passed = 0  # elements open below one that is ignored
        self._size = 0
        self._done: list[dict[str, Any] | None] = []

    def read(self, stream: IO[bytes]) -> Iterator[dict[str, Any] | None]:
        """Every record; null for one that is too long."""
        head = stream.read(_CHUNK)
        parser = _parser(head, self._start, self._end, self._text, self._file)
        unread = 0
        try:
            while head:
                size = self._size
                parser.Parse(head, False)
                unread = 0 if self._done or self._size != size else unread + len(head)
                if unread > self._most:
                    raise SourceError(
                        f"{self._file.label}: a tag is longer than max_row_bytes; raise it in params or ignore the file"
                    )
                yield from self._done
                self._done.clear()
                head = stream.read(_CHUNK)
            parser.Parse(b"", True)
        except (ExpatError, ValueError, LookupError) as error:
            raise _refusal(self._file, error) from None
        yield from self._done

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        attributes = {key: value for key, value in attributes.items() if not _declares(key)}
        self._size += len(name) + sum(len(key) + len(value) for key, value in attributes.items())
        if self._passed or self._open:
            if len(self._open) > MOST_DEEP:
                raise SourceError(f"{self._file.label}: is nested too deep for any export; fetch it again")
            if self._passed:
                self._passed += 1
            else:
                self._open.append(_Element(_called(name, attributes), attributes))
            return
        self._way.append(name)
        below = tuple(self._way[1:])
        if (below == self._records or not self._records) if below else self._records == ROOT:
            self._way.pop()
            self._size = 0
            self._open.append(_Element(name, attributes))
        elif below != self._records[: len(below)]:
            self._way.pop()
            self._require_ignored(name)
            self._passed = 1
        else:
            for key in attributes:
                self._require_ignored(key)

    def _require_ignored(self, name: str) -> None:
        """Raise SourceError for what stands in an element around the records and is not ignored by name."""
        if name not in self._ignored:
            where = ".".join(map(shown, (*self._way[1:], name)))
            raise SourceError(
                f"{self._file.label}: unknown field {where!r} beside the records; map it or list it as ignored in params"
            )

    def _end(self, _name: str) -> None:
        if self._passed:
            self._passed -= 1
        elif not self._open:
            self._way.pop()
        else:
            element = self._open.pop()
            value = element.value()
            if not self._open:
                self._done.append(None if self._size > self._most else value if isinstance(value, dict) else {"text": value})
            elif self._size <= self._most:
                self._open[-1].take(element.name, value, "".join(element.said))

    def _text(self, text: str) -> None:
        if self._open:
            self._size += len(text)
            if self._size <= self._most:
                self._open[-1].own.append(text)
                self._open[-1].said.append(text)
        elif not self._passed and text.strip():
            self._require_ignored("text")


def _parser(
    head: bytes,
    start: Callable[[str, dict[str, str]], None],
    end: Callable[[str], Any],
    text: Callable[[str], None],
    file: ReceivedFile,
) -> Any:
    """A parser that refuses entities, which it would leave out without a word.

    A byte order mark knows better than the declaration how the file is written.
    """

    def refuse(*_: Any) -> None:
        raise SourceError(
            f"{file.label}: declares entities, or a document type elsewhere that may, which are not read; export it without"
        )

    parser = ParserCreate("utf-8" if head.startswith(_BOM) else None)
    parser.buffer_text = True
    parser.EntityDeclHandler = refuse
    parser.StartDoctypeDeclHandler = lambda _name, system, public, _has_subset: refuse() if system or public else None
    parser.StartElementHandler, parser.EndElementHandler, parser.CharacterDataHandler = start, end, text
    return parser


def _refusal(file: ReceivedFile, error: ExpatError | ValueError | LookupError) -> SourceError:
    if isinstance(error, ExpatError):
        where = f"line {error.lineno}, column {error.offset + 1}"
        return SourceError(f"{file.label}: is not XML at {where}, or is cut off; fetch it again")
    return SourceError(f"{file.label}: declares an encoding that is not read; export it as UTF-8")


def _declares(attribute: str) -> bool:
    """Whether it says what names mean, and holds nothing itself."""
    return attribute == "xmlns" or attribute.startswith("xmlns:")


def _called(name: str, attributes: dict[str, str]) -> str:
    """What an element is called; a field of a database by its attribute `name`, which is then none of its fields."""
    if name not in _NAMED or "name" not in attributes:
        return name
    attributes.pop("xsi:nil", None)  # NULL: it holds nothing
    return attributes.pop("name")


def _put(fields: dict[str, Any], name: str, value: Any) -> None:
    """A value under its name; where that is taken both stand in a list."""
    if name not in fields:
        fields[name] = value
    elif isinstance(fields[name], list):
        fields[name].append(value)
    else:
        fields[name] = [fields[name], value]


def _spans(content: bytes, file: ReceivedFile, records: Path) -> list[tuple[int, int, str]]:
    """(start, end, name) of every element that is a record, in the order in which `xml_records` numbers them."""
    way: list[str] = []
    found: list[tuple[int, int, str]] = []
    begun: list[tuple[int, int]] = []  # where a record begins, and how deep it stands

    def start(name: str, _attributes: dict[str, str]) -> None:
        way.append(name)
        is_record = len(way) == 1 if records == ROOT else tuple(way[1:]) == records if records else len(way) > 1
        if is_record and not begun:
            begun.append((parser.CurrentByteIndex, len(way)))

    def end(name: str) -> None:
        if begun and begun[0][1] == len(way):
            at = begun.pop()[0]
            tag = _TAG.match(content, at)
            stop = tag.end() if tag and tag[0].endswith(b"/>") else content.index(b">", parser.CurrentByteIndex) + 1
            found.append((at, stop, name))
        way.pop()

    parser = _parser(content, start, end, lambda _text: None, file)
    parser.Parse(content, True)
    return found


def without_elements(content: bytes, file: ReceivedFile, records: Path, rows: Collection[int]) -> Iterator[tuple[bytes, bool]]:
    """The file in pieces with marks in the place of these rows, and which pieces are marks."""
    position = 0
    for number, (start, end, name) in enumerate(_spans(content, file, records), start=1):
        if number in rows:
            yield content[position:start], False
            yield f'<{name} {XML_MARK}="true"/>'.encode(), True
            position = end
    yield content[position:], False


def wrapped_in(content: Sequence[bytes], file: ReceivedFile) -> tuple[Path, list[str]]:
    """The path of the elements that hold most of a file's beginning, and what stands beside; () for all in the root."""
    way: list[str] = []
    counts: dict[Path, int] = {}
    sizes: dict[Path, int] = {}
    others: dict[Path, set[str]] = {}  # attributes, and text itself, of each element

    def add(size: int) -> None:
        for depth in range(1, len(way)):
            path = tuple(way[1 : depth + 1])
            sizes[path] = sizes.get(path, 0) + size

    def start(name: str, attributes: dict[str, str]) -> None:
        way.append(name)
        path = tuple(way[1:])
        counts[path] = counts.get(path, 0) + 1
        others.setdefault(path, set()).update(key for key in attributes if not _declares(key))
        add(sum(map(len, attributes.values())))

    def text(said: str) -> None:
        add(len(said.strip()))
        if said.strip():
            others[tuple(way[1:])].add("text")

    parser = _parser(b"".join(content[:1]), start, lambda _name: way.pop(), text, file)
    try:
        for each in content:
            parser.Parse(each, False)
    except (ExpatError, ValueError, LookupError) as error:
        raise _refusal(file, error) from None
    whole = sum(size for path, size in sizes.items() if len(path) == 1)
    most = [path for path, size in sizes.items() if counts[path] > 1 and size * 2 > whole]
    best = min(most, key=len, default=())
    beside = {path[-1] for path in counts if path and len(path) <= len(best) and path[:-1] == best[: len(path) - 1]}
    beside -= set(best)
    if len(best) == 1 and not beside:  # all in the root
        best = ()
    around = (best[:depth] for depth in range(max(len(best), 1)))
    return best, sorted(beside.union(*(others.get(path, ()) for path in around)))
