"""Nested records whose list holds questions with their answers, as a mapping of `events`."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from pipeline.doctor.candidates import Candidate
from pipeline.doctor.columns import (
    Column,
    answers_as_a_bot,
    columns_of,
    declare_time,
    is_sure,
    pair_among,
    pair_columns,
    speaker_column,
    text_format,
    time_column,
)
from pipeline.doctor.nested import account_for_the_rest, describe_records, items_at
from pipeline.doctor.notes import messages_of
from pipeline.doctor.sampling import flat
from pipeline.reading.drafts import ReceivedFile

LEAST_WORDS: Final = 4
"""Somewhere something longer than a name is said."""


def as_pairs(
    rows: Sequence[Mapping[str, Any]], at: str, files: Sequence[ReceivedFile], reading: Mapping[str, Any]
) -> Candidate | None:
    """The mapping of records of these files whose list `at` holds pairs, and how they are read; null where it holds none."""
    listed = [items_at(row, at) for row in rows]
    columns = columns_of([flat(item) for items in listed for item in items])
    found = _in_order(listed, columns) if any(isinstance(item, list) for items in listed for item in items) else _by_name(columns)
    if found is None:
        return None
    question, answer = found
    pair = {"question": question.name, "answer": answer.name}
    if answers_as_a_bot(columns, answer):
        pair["answered_by"] = "bot"
    mapping: dict[str, Any] = {**reading, "turns": at, "pair": pair}
    reasons = [f"{at!r} is a list in each record; {question.name!r} in it holds questions, {answer.name!r} their answers"]
    remarks: list[str] = []
    if messages := messages_of(columns, question, remarks):
        mapping |= {"messages": messages, "kind": next(iter(messages))}
    used = {question.name, answer.name, *messages}
    time = time_column(columns, used)
    if time is not None:
        pair["asked_at"] = time[0].name
        declare_time(mapping, time, reasons, remarks)
        used.add(time[0].name)
    if closing := _closing(rows, at, listed, pair):
        mapping["closing"] = closing
        reasons.append(f"{closing['question']!r} and {closing['answer']!r} beside the list are what was asked and answered last")
    describe_records(mapping, [flat(dict(row)) for row in rows], at, reasons, None)
    mapping |= text_format(answer)
    account_for_the_rest(mapping, rows, at, used, {question.name, answer.name}, {}, remarks)
    return Candidate("events", files, mapping, reasons, remarks)


def _in_order(listed: Sequence[Sequence[Any]], columns: Mapping[str, Column]) -> tuple[Column, Column] | None:
    """Lists of two texts each, where the first is no name: names come again within a record."""
    items = [item for items in listed for item in items]
    if {len(item) if isinstance(item, list) else 0 for item in items} != {2} or speaker_column(columns, set()) is not None:
        return None
    asked = [[str(item[0]) for item in items] for items in listed]
    different = sum(len(set(each)) for each in asked)
    if different < 0.8 * len(items) or not all(column.is_scalar and column.mean_words > 1 for column in columns.values()):
        return None  # somebody may say the same again
    return (columns["0"], columns["1"]) if columns.keys() == {"0", "1"} else None


def _by_name(columns: Mapping[str, Column]) -> tuple[Column, Column] | None:
    """Two fields that are called a question and an answer, where none says who speaks; what is said may be one word or a few."""
    texts = [
        each
        for each in columns.values()
        if each.is_scalar and not each.time() and max(each.words) >= LEAST_WORDS and not each.holds_notes
    ]
    pair = pair_among(texts)
    if pair is None:
        return None
    speaker = speaker_column(columns, {column.name for column in pair})
    is_said = speaker is not None and (speaker[2] == "refuse" or not is_sure(pair))
    return None if is_said else pair


def _closing(
    rows: Sequence[Mapping[str, Any]], at: str, listed: Sequence[Sequence[Any]], pair: Mapping[str, str]
) -> dict[str, str] | None:
    """The fields of a last question and its answer beside the list, unless the list ends with them."""
    outer = [{name: value for name, value in flat(dict(row)).items() if not f"{name}.".startswith(f"{at}.")} for row in rows]
    found = pair_columns(columns_of(outer))
    if found is None or not is_sure(found):
        return None
    question, answer = found
    ends = [flat(items[-1]).get(pair["answer"]) for items in listed if items]
    said = [each.get(answer.name) for each, items in zip(outer, listed, strict=True) if items]
    if sum(one == other for one, other in zip(ends, said, strict=True)) * 2 > len(said):
        return None
    return {"question": question.name, "answer": answer.name}
