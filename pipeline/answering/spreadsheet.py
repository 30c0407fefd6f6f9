"""Rows that people filled in: CSV as spreadsheets save it, or JSON lines.

Bytes become text by the rules that received files are read by: UTF-8, or UTF-16 where its mark says so, as Excel's "Unicode
Text" has it. What is neither is refused: in a code page of Windows every byte means something, and another thing in another.
"""

import csv
import io
from pathlib import Path
from typing import Any, Final

import orjson

from pipeline.errors import SourceError
from pipeline.reading.drafts import ReceivedFile
from pipeline.reading.files import layout_of, opened

SEPARATORS: Final = ",;\t"
"""Where the comma is in numbers, spreadsheets put a semicolon between columns."""

SAVE_AS: Final = (
    'save it as UTF-8: in Excel as the file type "CSV UTF-8", in LibreOffice as "Text CSV" with "Edit filter settings" ticked '
    "and the character set Unicode (UTF-8)"
)


def read_rows(path: Path) -> list[Any]:
    """The rows of a file, as its ending says; those of a CSV file are mappings, in which a cell that is not there is empty.

    Raises:
        SourceError: it is not there, or not what its ending says.
    """
    if not path.exists():
        raise SourceError(f"{path}: no such file")
    file = ReceivedFile(path, str(path))
    layout = layout_of(file)
    if layout not in {"csv", "jsonl"}:
        raise SourceError(f"{path}: is neither CSV nor JSON lines; save it as one of them")
    with opened(file) as stream:
        text = _decoded(path, stream.read())
    return _csv_rows(path, text) if layout == "csv" else _json_lines(path, text)


def _decoded(path: Path, content: bytes) -> str:
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        before = content[: error.start]
        line, byte = before.count(b"\n") + 1, error.start - before.rfind(b"\n")
        raise SourceError(f"{path}: is not UTF-8 at line {line}, byte {byte}; {SAVE_AS}") from None  # the cause quotes the row


def _csv_rows(path: Path, text: str) -> list[dict[str, str]]:
    separator = max(SEPARATORS, key=text.splitlines()[0].count) if text else ","
    # Excel leaves out the last cells of a chunk of rows when all of them are empty (StataCorp, "How Excel writes empty cells")
    reader = csv.DictReader(io.StringIO(text, newline=""), delimiter=separator, strict=True, restval="")
    rows: list[dict[str, str]] = []
    try:
        for row in reader:
            if any(row.pop(None, ())):  # where DictReader puts cells beyond the header
                raise SourceError(
                    f"{path}: the row that ends in line {reader.line_num} has more cells than the header; "
                    "put its texts into double quotes"
                )
            rows.append(row)
    except csv.Error:
        raise SourceError(
            f"{path}: a quote in the row that begins in line {reader.line_num + 1} is not closed or closes inside a cell; mend it"
        ) from None  # as above
    return rows


def _json_lines(path: Path, text: str) -> list[Any]:
    rows: list[Any] = []
    for number, line in enumerate(text.split("\n"), 1):
        try:
            rows += [orjson.loads(line)] if line.strip() else []
        except ValueError:
            raise SourceError(f"{path}: line {number} is not JSON; mend that line") from None  # as above
    return rows
