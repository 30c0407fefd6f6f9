"""Rows or nested records of anybody's making: the largest kind of them is mapped."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import islice
from pathlib import Path
from typing import Any

from pipeline.doctor.candidates import Candidate
from pipeline.doctor.nested import as_events, turns_path
from pipeline.doctor.rows import as_table
from pipeline.doctor.sampling import SAMPLED_FILES, SAMPLED_ROWS, sample
from pipeline.errors import SourceError
from pipeline.reading.drafts import ReceivedFile


def look(files: Sequence[ReceivedFile]) -> Iterator[Candidate]:
    """Rows or nested records of anybody's making."""
    read: list[tuple[ReceivedFile, list[dict[str, Any]], dict[str, Any]]] = []
    faults: list[str] = []
    for file in islice(files, SAMPLED_FILES):
        try:
            rows, settings = sample(file, SAMPLED_ROWS)
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
    nested = turns_path(rows)
    attempts: list[Callable[[], Candidate | None]] = [lambda: as_table(rows, {**common, **largest[2]})]
    if nested is not None:
        attempts.insert(0, lambda: as_events(rows, nested, {**common, **largest[2]}))
    for attempt in attempts:
        candidate = attempt()
        if candidate is not None:
            candidate.remarks += faults[:3]
            yield candidate


def _volume(rows: Sequence[Mapping[str, Any]]) -> int:
    return sum(len(str(value)) for row in rows[:200] for value in row.values())
