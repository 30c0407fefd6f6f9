"""Whatever answers a record stands within it, and what answers that within that: threads of forums, trees of chats.

    {"text": "My tent leaks.", "replies": [{"text": "Where?", "replies": [{"text": "At the seams.", "replies": []}]}]}

Unfolded they stand one behind the other, each behind what it answers.
"""

from collections.abc import Iterable
from math import inf
from typing import Any

from pipeline.reading.paths import Path, first
from pipeline.reading.values import as_number


def unfolded(items: Iterable[Any], at: Path, rank: Path | None = None) -> tuple[list[Any], int]:
    """Items with all that answers them, their own lists of answers emptied, and how many were left out as alternatives.

    Args:
        items: records of a received file.
        at: where a record holds the list of those that answer it; names of fields only.
        rank: where each of these has its place among them, the least being the best; only that is taken. Null takes all.
    """
    waiting = [*items][::-1]
    found: list[Any] = []
    left_out = 0
    while waiting:
        item = waiting.pop()
        answers = at_names(item, at)
        if not isinstance(answers, list):
            found.append(item)
            continue
        found.append(replaced(item, at, []))
        if rank is not None and len(answers) > 1:
            left_out += len(answers) - 1
            answers = [min(answers, key=lambda each: standing(first(each, rank)))]
        waiting += answers[::-1]
    return found, left_out


def at_names(record: Any, at: Path) -> Any:
    """What stands below fields of these names; null where one is none."""
    for name in at:
        record = record.get(name) if isinstance(record, dict) else None
    return record


def replaced(record: dict[str, Any], at: Path, value: Any) -> dict[str, Any]:
    """The record with another value below fields of these names, which it has."""
    return {**record, at[0]: replaced(record[at[0]], at[1:], value) if at[1:] else value}


def standing(rank: Any) -> float:
    """Where a rank stands; behind all others where there is none."""
    number = as_number(rank)
    return inf if number is None else number
