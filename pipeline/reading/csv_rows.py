"""CSV, row by row: every dialect that params can say, what spreadsheets leave behind, and quotes that never close."""

import csv
import io
import re
from collections.abc import Iterator, Sequence
from typing import Final, Literal

from pydantic import Field

from pipeline.errors import SourceError
from pipeline.params import Section
from pipeline.reading.drafts import FORGOTTEN, MARK, Limits, ReceivedFile, Row, fault
from pipeline.reading.files import BOM, SURROGATE, Joined, opened

_NO_NAME: Final = re.compile(r"[\x00-\x08\x0e-\x1f\ud800-\udfff]")
_SEPARATOR: Final = re.compile('"?sep=(.)"?', re.IGNORECASE)


def csv_rows(
    file: ReceivedFile, number: int, dialect: "Dialect", limits: Limits
) -> Iterator[list[str] | tuple[int, list[str]] | Row]:
    """First the header, then (row, cells) of every row; a row of another length or encoding comes as a fault.

    A row of empty cells is none, and neither are the columns behind the last that has a name, if they are empty.

    Raises:
        SourceError: the file is empty, or a quote is never closed: the rows after it cannot be told apart.
    """
    csv.field_size_limit(limits.max_row_bytes)
    nulls = frozenset(dialect.nulls)
    with opened(file) as stream:
        head = stream.read(len(BOM))
        whole = io.BufferedReader(Joined(head, stream), 2**18)
        # a mark knows better than params; without one UTF-16 is the kind that Windows writes
        encoding = "utf-8" if head == BOM else {"utf-16": "utf-16-le"}.get(dialect.encoding, dialect.encoding)
        text = io.TextIOWrapper(whole, encoding=encoding, errors="surrogateescape", newline="")
        lines = _Counted(text, limits.max_row_bytes, dialect)
        lines.skip(dialect.skip_lines)
        reader = csv.reader(
            lines,
            delimiter=dialect.delimiter,
            quotechar=dialect.quote or None,
            escapechar=dialect.escape,
            quoting=csv.QUOTE_MINIMAL if dialect.quote else csv.QUOTE_NONE,
            doublequote=dialect.escape is None,
            strict=True,
        )
        header = _cells(file, reader, lines, dialect, "the header")
        if header is None:
            raise SourceError(f"{file.label}: is empty; fetch it again or ignore it")
        header = [cell.strip() for cell in header]
        if not any(header) or _NO_NAME.search("".join(header)):
            raise SourceError(f"{file.label}: has no header row in its first line; is it a CSV in {dialect.encoding}?")
        names = header[: max(place for place, name in enumerate(header, start=1) if name)]
        yield names
        position = 1
        while (cells := _cells(file, reader, lines, dialect, f"row {position}")) is not None:
            if lines.passed_over:
                lines.passed_over = False
                yield fault(file=number, number=position, raw=b"%d" % position, reason="too_long")
                position += 1
            elif any(cells):  # not a blank line
                yield _checked(number, position, ["" if cell in nulls else cell for cell in cells] if nulls else cells, names)
                position += 1


def _cells(file: ReceivedFile, reader: Iterator[list[str]], lines: "_Counted", dialect: "Dialect", row: str) -> list[str] | None:
    lines.unread, begun = 0, lines.count + 1
    try:
        return next(reader, None)
    except (csv.Error, _Endless):
        raise SourceError(
            f"{file.label}: a quote opened in {row} (line {begun}) is never closed or closes inside a cell; "
            "mend that row, or correct the csv dialect in params"
        ) from None
    except UnicodeError:
        raise SourceError(f"{file.label}: is not {dialect.encoding} near line {begun}; correct csv.encoding in params") from None


def _checked(number: int, position: int, cells: list[str], names: Sequence[str]) -> tuple[int, list[str]] | Row:
    """The cells of the columns that have names; spreadsheets write empty ones behind them."""
    joined = "\x1f".join(cells)
    if cells[0] == MARK:
        return fault(number, position, MARK.encode(), FORGOTTEN)
    width = len(names)
    if len(cells) != width:
        if len(cells) < width or any(cells[width:]):
            raw = joined.encode("utf-8", "surrogateescape")
            return fault(number, position, raw, "wrong_number_of_cells", f"{len(cells)} instead of {width}")
        cells = cells[:width]
    if cells == names:  # files put together keep the header of each
        return fault(number, position, joined.encode("utf-8", "surrogateescape"), "header_again")
    if not joined.isascii() and SURROGATE.search(joined):
        return fault(number, position, joined.encode("utf-8", "surrogateescape"), "not_utf8")
    return position, cells


class _Endless(Exception):  # noqa: N818  # never leaves this module
    """A row that does not end within the limit: somewhere in it a quote stands open."""


class _Counted:
    """The lines of a text with their number and the characters since a row last ended."""

    def __init__(self, text: io.TextIOWrapper, most: int, dialect: "Dialect") -> None:
        self._text, self._most = text, most
        self._binding = [each for each in (dialect.quote, dialect.escape) if each]
        self.count = 0
        self.unread = 0
        self.passed_over = False
        """Whether the row is one line that is too long and opens no quote; an empty line stands in its place."""

    def __iter__(self) -> Iterator[str]:
        return self

    def skip(self, number: int) -> None:
        """Pass over lines, however long they are."""
        for _ in range(number):
            while (piece := self._text.readline(2**20)) and not piece.endswith(("\n", "\r")):
                pass
            self.count += 1

    def __next__(self) -> str:
        line = self._text.readline(self._most + 1)
        self.unread += len(line)
        if self.unread > self._most:
            if not self.count or self.unread > len(line) or not self._skip(line):
                raise _Endless
            self.passed_over, line = True, "\n"
        if not line:
            raise StopIteration
        if not self.count:
            line = line.removeprefix("\ufeff")
            if _SEPARATOR.fullmatch(line.rstrip("\r\n")):  # for Excel, not for us
                self.count += 1
                self.unread = 0
                return next(self)
        self.count += 1
        return line

    def _skip(self, line: str) -> bool:
        """Read the rest of a line; false where a quote in it could carry the row on to other lines."""
        while line:
            if any(each in line for each in self._binding):
                return False
            if line.endswith(("\n", "\r")):
                return True
            line = self._text.readline(2**20)
        return True


class Dialect(Section):
    """How a CSV is written."""

    delimiter: str = Field(default=",", min_length=1, max_length=1)
    """One character between cells."""
    quote: str = Field(default='"', max_length=1)
    """One character around cells that hold a delimiter or line break; empty for none."""
    escape: str | None = Field(default=None, max_length=1)
    """One character before a quote inside a cell; null where quotes are doubled."""
    encoding: Literal["utf-8", "utf-16", "latin-1", "cp1252"] = "utf-8"
    """Of files without a byte order mark; a row with bytes that are none of it is quarantined."""
    skip_lines: int = Field(default=0, ge=0)
    """Lines above the header, such as the title of a report."""
    nulls: list[str] = Field(default_factory=list)
    """Cells that mean no value, such as NULL or \\N as databases write them."""
