"""Rows or nested records of anybody's making: kind by kind they are mapped, the largest first."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from pipeline.doctor.candidates import Candidate
from pipeline.doctor.columns import answers, columns_of, parent_columns
from pipeline.doctor.nested import as_events, turns_path
from pipeline.doctor.pairs import as_pairs
from pipeline.doctor.replies import replies_in, trees_at, unfold, unfold_events
from pipeline.doctor.rows import as_table
from pipeline.doctor.sampling import SAMPLED_ROWS, alike, delivery_of, flat, sample, spread, whole
from pipeline.errors import SourceError
from pipeline.reading.drafts import ReceivedFile


class _Read(NamedTuple):
    """A file that was looked into."""

    file: ReceivedFile
    rows: list[dict[str, Any]]
    settings: dict[str, Any]
    """What reading it needs."""


def look(files: Sequence[ReceivedFile]) -> Iterator[Candidate]:
    """Rows or nested records of anybody's making, those with most in them first."""
    left: list[_Read] = []
    faults: list[str] = []
    for file in spread(files):
        try:
            rows, settings = sample(file, SAMPLED_ROWS)
        except SourceError as error:
            faults.append(f"not looked into: {error}")
            continue
        if rows:
            left.append(_Read(file, rows, settings))
    while left:
        largest = max(left, key=lambda each: _volume(each.rows))
        same = [each for each in left if _is_of_shape(each, largest)]
        same += [
            each
            for each in left
            if all(each is not other for other in same)
            and _key(each.settings) == _key(largest.settings)
            and _hang_together(largest.rows, each.rows)
        ]
        left = [each for each in left if all(each is not other for other in same)]
        claimed = alike(files, [each.file for each in same])
        rows = [row for each in same for row in each.rows][: SAMPLED_ROWS * 2]
        for attempt in _attempts(rows, claimed, _together(same)):
            candidate = attempt()
            if candidate is not None and _are_apart(candidate) and (by_file := _by_file(same, claimed)) is not None:
                yield by_file
            if candidate is not None:
                candidate.remarks += faults[:3]
                yield candidate


def _is_of_shape(each: _Read, largest: _Read) -> bool:
    """Whether the records of one file are like those of another, and read alike; of other deliveries they must be more so."""
    shape, other = frozenset(largest.rows[0]), frozenset(each.rows[0])
    least = len(shape) if delivery_of(each.file) == delivery_of(largest.file) else max(len(shape), len(other))
    return len(shape & other) * 2 >= least and _key(each.settings) == _key(largest.settings)


def _key(settings: Mapping[str, Any]) -> dict[str, Any]:
    """What must be equal for files to be read together; the rest adds up."""
    dialect = settings.get("csv", {})
    return {
        **{name: settings.get(name) for name in ("records", "by_id")},
        **{name: dialect.get(name) for name in ("delimiter", "encoding", "quote")},
    }


def _together(read: Sequence[_Read]) -> dict[str, Any]:
    """The settings with which all these files can be read."""
    found: dict[str, Any] = {}
    for each in read:
        found |= each.settings
    dialects = [each.settings.get("csv", {}) for each in read]
    if dialect := {name: value for each in dialects for name, value in each.items()}:
        nulls = sorted({null for each in dialects for null in each.get("nulls", ())})
        found["csv"] = {**dialect, **({"nulls": nulls} if nulls else {})}
    if beside := sorted({name for each in read for name in each.settings.get("ignore_beside", ())}):
        found["ignore_beside"] = beside
    return found


def _are_apart(candidate: Candidate) -> bool:
    """Whether each row is a text that nobody answers."""
    return "pair" in candidate.mapping and "answer" not in candidate.mapping["pair"]


def _by_file(read: Sequence[_Read], claimed: Sequence[ReceivedFile]) -> Candidate | None:
    """Each file as one conversation, where it is one record that holds them."""
    found = [each for other in read if (each := whole(other.file)) is not None]
    documents = [document for document, _ in found]
    at = turns_path(documents)
    candidate = as_events(documents, at, claimed, found[0][1]) if at is not None else None
    if candidate is not None and len(found) == 1 and "id" not in candidate.mapping:  # a page of whatever there was
        return None
    if candidate is not None:
        candidate.remarks.append("each file is taken for one conversation; reopened_after_days parts it where it was silent")
    return candidate


def _attempts(
    rows: Sequence[Mapping[str, Any]], claimed: Sequence[ReceivedFile], reading: Mapping[str, Any]
) -> Iterator[Callable[[], Candidate | None]]:
    """Ways to read records, the likeliest first."""
    if (replies := replies_in(rows)) is not None:
        every = unfold(rows, replies)
        if parent_columns(columns_of([flat(row) for row in every])) is not None:
            yield lambda: as_table(every, claimed, {**reading, "replies": replies})
    nested = turns_path(rows)
    if nested is not None and (trees := trees_at(rows, nested)) is not None:
        at, folded = trees
        yield lambda: as_events(unfold_events(rows, at, folded["replies"]), at, claimed, {**reading, **folded})
    elif nested is not None:
        yield lambda: as_pairs(rows, nested, claimed, reading)
        yield lambda: as_events(rows, nested, claimed, reading)
    yield lambda: as_table(rows, claimed, reading)


def _hang_together(some: Sequence[Mapping[str, Any]], others: Sequence[Mapping[str, Any]]) -> bool:
    """Whether rows of one file name rows of the other that they answer: posts and comments, issues and their comments."""
    one, two = (columns_of([flat(dict(row)) for row in rows]) for rows in (some, others))
    both = columns_of([flat(dict(row)) for row in (*some, *others)])
    found = parent_columns(both)
    if found is None or any(found[0].name not in each for each in (one, two)):
        return False
    return any(
        answers(opening[found[0].name], replying[found[1].name])
        for opening, replying in ((one, two), (two, one))
        if found[1].name in replying
    )


def _volume(rows: Sequence[Mapping[str, Any]]) -> int:
    return sum(len(str(value)) for row in rows[:200] for value in row.values())
