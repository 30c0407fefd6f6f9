"""Rows that people filled in: CSV as spreadsheets save it, or JSON lines."""

import csv
import io
from pathlib import Path
from typing import Any, Final

import orjson

from pipeline.errors import SourceError

SEPARATORS: Final = ",;\t"
"""Where the comma is in numbers, spreadsheets put a semicolon between columns."""


def read_rows(path: Path) -> list[Any]:
    """The rows of a file, as its ending says; those of a CSV file are mappings.

    Raises:
        SourceError: it is not there, or not what its ending says.
    """
    try:
        text = path.read_text("utf-8-sig")
        if path.suffix == ".jsonl":
            return [orjson.loads(line) for line in text.split("\n") if line.strip()]
        separator = max(SEPARATORS, key=text.partition("\n")[0].count)
        return list(csv.DictReader(io.StringIO(text, newline=""), delimiter=separator, strict=True))
    except FileNotFoundError:
        raise SourceError(f"{path}: no such file") from None
    except (OSError, ValueError, csv.Error):
        raise SourceError(
            f"{path}: cannot be read as UTF-8 CSV or JSON lines; save it as such (in Excel: CSV UTF-8)"
        ) from None  # the cause quotes the row
