"""CSV files as spreadsheets save them: commas, semicolons or tabs; UTF-8 with or without a mark, UTF-16, a code page."""

import codecs
import csv
import io
from pathlib import Path
from typing import Final

from pipeline.errors import SourceError

MARKS: Final = ((codecs.BOM_UTF8, "utf-8-sig"), (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"))

DELIMITERS: Final = ",;\t"
"""A spreadsheet of a country with decimal commas writes semicolons, and tabs where it saves "Unicode text"."""


def read_cells(path: Path, code_page: str | None = None) -> tuple[list[str], list[tuple[int, dict[str, str]]]]:
    """The header; line and cells by heading of every row with anything in it, a missing cell being empty.

    Args:
        path: the file.
        code_page: how to read what is no UTF-8, for files of which nothing but ids and yes or no is taken; None: refuse it.

    Raises:
        SourceError: there is no such file, or it is no CSV file with a header.
    """
    try:
        reader = csv.reader(io.StringIO(text := _decoded(path.read_bytes(), code_page), newline=""), delimiter=_delimiter(text))
        header = [name.strip() for name in next(reader, [])]
        rows = [(reader.line_num, row) for row in reader if any(cell.strip() for cell in row)]
    except FileNotFoundError:
        raise SourceError(f"{path}: no such file") from None
    except (OSError, UnicodeError, csv.Error) as error:
        raise SourceError(f"{path}: cannot be read as a CSV file in UTF-8; save it as one") from error
    if not any(header) or len(set(header)) < len(header):
        raise SourceError(f"{path}: is not a CSV file with a header that names each column once")
    if long := [line for line, row in rows if len(row) > len(header)]:
        raise SourceError(f"{path}: line {long[0]} has more cells than the header; put quotes around cells that hold a delimiter")
    return header, [(line, dict(zip(header, [*row, *[""] * (len(header) - len(row))], strict=True))) for line, row in rows]


def _decoded(content: bytes, code_page: str | None) -> str:
    for mark, encoding in MARKS:
        if content.startswith(mark):
            return content.decode(encoding)
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError:
        if code_page is None:
            raise
        return content.decode(code_page)


def _delimiter(text: str) -> str:
    first = text.partition("\n")[0]
    return max(DELIMITERS, key=first.count)
