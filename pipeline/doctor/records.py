"""Rows or nested records of anybody's making: the largest kind of them is mapped."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from pipeline.doctor.candidates import Candidate
from pipeline.doctor.columns import answers, columns_of, parent_columns
from pipeline.doctor.nested import as_events, turns_path
from pipeline.doctor.pairs import as_pairs
from pipeline.doctor.replies import replies_in, trees_at, unfold, unfold_events
from pipeline.doctor.rows import as_table
from pipeline.doctor.sampling import SAMPLED_ROWS, alike, flat, sample, spread, whole
from pipeline.errors import SourceError
from pipeline.reading.drafts import ReceivedFile


def look(files: Sequence[ReceivedFile]) -> Iterator[Candidate]:
    """Rows or nested records of anybody's making."""
    read: list[tuple[ReceivedFile, list[dict[str, Any]], dict[str, Any]]] = []
    faults: list[str] = []
    for file in spread(files):
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
    same = [each for each in read if len(shape & frozenset(each[1][0])) * 2 >= len(shape)]
    same += [
        each
        for each in read
        if all(each is not other for other in same) and each[2] == largest[2] and _hang_together(largest[1], each[1])
    ]
    claimed = alike(files, [file for file, _, _ in same])
    rows = [row for each in same for row in each[1]][: SAMPLED_ROWS * 2]
    for attempt in _attempts(rows, claimed, largest[2]):
        candidate = attempt()
        if candidate is not None and _are_apart(candidate) and (together := _by_file(same, claimed)) is not None:
            yield together
        if candidate is not None:
            candidate.remarks += faults[:3]
            yield candidate


def _are_apart(candidate: Candidate) -> bool:
    """Whether each row is a text that nobody answers."""
    return "pair" in candidate.mapping and "answer" not in candidate.mapping["pair"]


def _by_file(
    read: Sequence[tuple[ReceivedFile, list[dict[str, Any]], dict[str, Any]]], claimed: Sequence[ReceivedFile]
) -> Candidate | None:
    """Each file as one conversation, where it is one record that holds them."""
    found = [each for file, _, _ in read if (each := whole(file)) is not None]
    documents = [document for document, _ in found]
    at = turns_path(documents)
    candidate = as_events(documents, at, claimed, found[0][1]) if at is not None else None
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
