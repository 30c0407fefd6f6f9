"""Rows, one per message or one per question, as a mapping of `table`."""

# ruff: noqa: PLR2004  # it judges by rules of thumb; the comments beside the numbers say which

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from pipeline.doctor.candidates import Candidate
from pipeline.doctor.columns import (
    ANSWERED,
    ID,
    LABEL,
    LIST_STAFF,
    TEXT,
    Column,
    answers_as_a_bot,
    columns_of,
    declare_time,
    id_column,
    is_order,
    is_sure,
    kind_of_author,
    pair_columns,
    parent_columns,
    speaker_column,
    text_column,
    text_format,
    time_column,
    topic_column,
)
from pipeline.doctor.endings import describe_ending
from pipeline.doctor.notes import as_customers_write, kinds_that_speak, messages_of, without_programs
from pipeline.doctor.personal import number
from pipeline.doctor.sampling import flat, lists
from pipeline.doctor.transcripts import CELLS, transcript_of
from pipeline.reading.drafts import ReceivedFile
from pipeline.reading.mapped import is_one_of
from pipeline.reading.values import native_id
from pipeline.text import clean


def as_table(rows: Sequence[Mapping[str, Any]], files: Sequence[ReceivedFile], reading: Mapping[str, Any]) -> Candidate | None:
    """The mapping of rows of these files, and how they are read; null where no column holds text."""
    holds_records = any(isinstance(value, list | dict) for row in rows for value in row.values())
    unread = {path for row in rows for path, _ in lists(row, "", 0)}
    rows = [flat(row) for row in rows] if holds_records else rows
    columns = columns_of(rows)
    reasons: list[str] = []
    remarks: list[str] = []
    mapping: dict[str, Any] = dict(reading)
    text = text_column(columns, set())
    if text is None:
        return None
    rows = _messages(mapping, columns, rows, text, reasons, remarks)
    columns |= columns_of(rows)
    if speakers := transcript_of(_as_read(text), remarks):
        return _as_transcripts(files, mapping, columns, text, speakers, len(rows), remarks)
    pair = pair_columns(columns)
    group = id_column(columns, set(), text.name, rows)
    answers = parent_columns(columns)
    if answers is not None and group is not None and group.hints(ID) and not _is_of_rows(group, answers[1]):
        answers = None
    if answers is not None:
        group = answers[0]
    topic = topic_column(columns, group, rows) if answers is None else None
    group = topic[0] if topic else group
    speaker = speaker_column(columns, {text.name, *([group.name] if group else [])}) if group else None
    of_one: set[str] = set()
    while answers is None and group is not None and speaker is not None and _is_of_one(group, speaker, rows):
        of_one.add(group.name)
        group = id_column(columns, of_one, text.name, rows)
        speaker = speaker_column(columns, {text.name, *([group.name] if group else [])}) if group else None
    used = {text.name}
    if group is not None and speaker is not None and not (pair and is_sure(pair)):
        used |= _as_turns(mapping, columns, text, group, answers and answers[1], speaker, rows, reasons, remarks)
        used |= _name_topic(mapping, topic, reasons, remarks) if topic is not None else set()
    else:
        used = _as_questions(mapping, columns, pair or (text, None), group, reasons, remarks, len(rows))
    _rest_of_table(mapping, columns, used, text, remarks)
    unread |= {each.name for each in columns.values() if each.values and not each.is_scalar and each.name not in used}
    if unread:
        remarks.append(f"{', '.join(sorted(unread))}: holds lists or records, which are not read: is anything of people in them?")
    if holds_records:
        ignored = mapping.pop("ignore_columns", [])
        mapping["ignore_columns"] = _short(ignored, columns.keys() - set(ignored))
    return Candidate("table", files, mapping, reasons, remarks)


def _name_topic(mapping: dict[str, Any], found: tuple[Column, Column], reasons: list[str], remarks: list[str]) -> set[str]:
    """Put into the mapping that a channel and a topic name conversations together; returns the column of the topic."""
    channel, topic = found
    mapping["id"] = [channel.name, topic.name]
    reasons.append(f"{topic.name!r} parts what has one {channel.name!r}")
    if topic.filled < 1:
        remarks.append(f"id: messages without {topic.name!r}, such as those between two people, are refused as no_id")
    return {topic.name}


def _as_read(text: Column) -> Column:
    """The column with the texts as ingest reads them, as many as show what they are."""
    written = text_format(text).get("text_format", "plain")
    return Column(text.name, [clean(each, written) for each in text.texts[:CELLS]], text.rows)


def _as_turns(
    mapping: dict[str, Any],
    columns: Mapping[str, Column],
    text: Column,
    group: Column,
    parent: Column | None,
    speaker: tuple[Column, dict[str, list[Any]], str],
    rows: Sequence[Mapping[str, Any]],
    reasons: list[str],
    remarks: list[str],
) -> set[str]:
    """Put one row per message into the mapping; returns the columns that it takes."""
    column, meaning, others = speaker
    without_programs(mapping, column, meaning)
    as_customers_write(mapping, columns, rows, column, meaning, remarks)
    turn: dict[str, Any] = {"speaker": {"at": column.name, **meaning}, "text": text.name}
    if others == "starter":
        turn["speaker"]["others"] = "starter"
        turn["author"] = column.name
        remarks.append(LIST_STAFF)
    mapping |= {"id": group.name, "turn": turn}
    used = {text.name, group.name, column.name}
    if others == "starter" and (guest := _guest(columns, column, rows)) is not None:
        turn["guest"] = guest.name
        reasons.append(f"{guest.name!r} names who speaks where {column.name!r} is empty")
        used.add(guest.name)
    if (other := _complement(columns, text, rows)) is not None:
        turn["text"] = [text.name, other.name]
        used.add(other.name)
        reasons.append(f"{other.name!r} holds the text where {text.name!r} is empty")
    if parent is not None:
        turn["parent"] = parent.name
        used.add(parent.name)
        if "rank" in columns and others == "refuse" and all(number(text) is not None for text in columns["rank"].texts):
            turn["rank"] = "rank"
            used.add("rank")
        if (title := _title(columns, parent, rows)) is not None:
            turn["subject"] = title.name
            used.add(title.name)
    reasons += [
        f"one row per message: {text.name!r} holds text of {text.mean_words:.0f} words on average",
        f"{group.name!r} repeats, {len(rows) / max(group.distinct, 1):.1f} rows for each value"
        if parent is None
        else f"{parent.name!r} names the row that each answers by its {group.name!r}",
        f"{column.name!r} says who speaks"
        + ("" if others == "refuse" else " by name: whoever writes first is taken for the customer, everybody else for an agent"),
    ]
    time = time_column(columns, used)
    if time is not None:
        turn["sent_at"] = time[0].name
        declare_time(mapping, time, reasons, remarks)
        used.add(time[0].name)
    order = next((each for each in columns.values() if each.name not in used and is_order(each, rows, group.name)), None)
    if order is not None:
        turn["order"] = order.name
        used.add(order.name)
        reasons.append(f"{order.name!r} counts the messages of a conversation")
    return used


def _is_of_rows(group: Column, parent: Column) -> bool:
    """Whether a thread is called by the row that opens it, which every thread has one of at most."""
    answered = set(map(native_id, parent.texts))
    return len({native_id(text) for text in group.texts} & answered) * 2 > group.distinct >= parent.rows - len(parent.values)


def _is_of_one(group: Column, speaker: tuple[Column, dict[str, list[Any]], str], rows: Sequence[Mapping[str, Any]]) -> bool:
    """Whether what ties rows together is only who wrote them: nobody answers anybody."""
    authors: dict[str, set[str]] = {}
    for row in rows:
        authors.setdefault(str(row.get(group.name)), set()).add(str(row.get(speaker[0].name)))
    return len(set().union(*authors.values())) > 1 and all(len(each) == 1 for each in authors.values())


def _guest(columns: Mapping[str, Column], author: Column, rows: Sequence[Mapping[str, Any]]) -> Column | None:
    """The column with a name in most of the rows in which the author's is empty, such as that of a member who left."""
    nameless = [row for row in rows if row.get(author.name) in (None, "")]
    named = [
        (sum(row.get(each.name) not in (None, "") for row in nameless), each)
        for each in columns.values()
        if each.is_scalar and each is not author and each.tokens & {"name", "username", "author", "poster"} and each.kind()
    ]
    best = max(named, key=lambda each: each[0], default=None)
    return best[1] if best is not None and best[0] * 2 > len(nameless) > 0 else None


def _complement(columns: Mapping[str, Column], text: Column, rows: Sequence[Mapping[str, Any]]) -> Column | None:
    """The column with the text of nearly all rows that have none: questions and their answers have theirs apart."""
    silent = [row for row in rows if row.get(text.name) in (None, "")]
    if len(silent) * 20 < len(rows):  # a message may be empty now and then
        return None
    return next(
        (
            each
            for each in columns.values()
            if each.hints(TEXT)
            and each.is_scalar
            and not each.holds_notes
            and each.mean_words >= 2
            and sum(row.get(each.name) not in (None, "") for row in silent) * 2 > len(silent)
            and not any(row.get(each.name) not in (None, "") and row.get(text.name) not in (None, "") for row in rows)
        ),
        None,
    )


def _title(columns: Mapping[str, Column], parent: Column, rows: Sequence[Mapping[str, Any]]) -> Column | None:
    """The column with titles, which only rows that answer none have."""
    openings = [row for row in rows if row.get(parent.name) in (None, "")]
    return next(
        (
            each
            for each in columns.values()
            if each.tokens & {"title", "subject", "headline"}
            and each.mean_words >= 2
            and not any(row.get(each.name) not in (None, "") and row.get(parent.name) not in (None, "") for row in rows)
            and sum(row.get(each.name) not in (None, "") for row in openings) * 10 >= len(openings) * 9  # some may have none
        ),
        None,
    )


def _messages(
    mapping: dict[str, Any],
    columns: Mapping[str, Column],
    rows: Sequence[Mapping[str, Any]],
    text: Column,
    reasons: list[str],
    remarks: list[str],
) -> Sequence[Mapping[str, Any]]:
    """Put into the mapping which rows are messages, and no internal notes; returns those."""
    messages = messages_of(columns, text, remarks)
    for name, values in kinds_that_speak(columns, rows).items():
        messages[name] = [value for value in messages.get(name, values) if value in values]
    if not messages:
        return rows
    mapping |= {"messages": messages, "kind": next(iter(messages))}
    reasons.append(f"rows are messages by {', '.join(map(repr, messages))}")
    return [row for row in rows if all(is_one_of(row.get(name), values) for name, values in messages.items())]


def _as_transcripts(
    files: Sequence[ReceivedFile],
    mapping: dict[str, Any],
    columns: Mapping[str, Column],
    text: Column,
    speakers: Mapping[str, Any],
    rows: int,
    remarks: list[str],
) -> Candidate:
    used = {text.name}
    mapping["transcript"] = {"at": text.name, **speakers}
    if (unique := _unique(columns, used, rows)) is not None:
        mapping["id"] = unique
        used.add(unique)
    _rest_of_table(mapping, columns, used, text, remarks)
    return Candidate(
        "table",
        files,
        mapping,
        [f"{text.name!r} holds whole conversations: their lines begin with who speaks and a colon"],
        remarks,
    )


def _as_questions(
    mapping: dict[str, Any],
    columns: Mapping[str, Column],
    pair: tuple[Column, Column | None],
    group: Column | None,
    reasons: list[str],
    remarks: list[str],
    rows: int,
) -> set[str]:
    """Put one row per question into the mapping; returns the columns that it takes."""
    question, answer = pair
    mapping["pair"] = {"question": question.name, **({"answer": answer.name} if answer else {})}
    used = {question.name, *([answer.name] if answer else [])}
    reasons.append(
        f"one row per question: {question.name!r}"
        + (f", answered in {answer.name!r}" if answer else ", and no answer in any column")
    )
    if answer and answers_as_a_bot(columns, answer):
        mapping["pair"]["answered_by"] = "bot"
    if answer and group is not None and group.name not in used and group.hints(ID) and group.distinct < rows:
        mapping["id"] = group.name
        mapping["pair"]["several"] = "join"
        used.add(group.name)
        reasons.append(f"{group.name!r} repeats, {rows / group.distinct:.1f} questions for each value")
    elif (unique := _unique(columns, used, rows)) is not None:
        mapping["id"] = unique
        used.add(unique)
    time = time_column(columns, used)
    if time is not None:
        mapping["pair"]["asked_at"] = time[0].name
        declare_time(mapping, time, reasons, remarks)
        used.add(time[0].name)
        if answer and (answered := _answered_at(columns, used, time)) is not None:
            mapping["pair"]["answered_at"] = answered
            used.add(answered)
    return used


def _answered_at(columns: Mapping[str, Column], used: set[str], asked: tuple[Column, str | None, bool]) -> str | None:
    """The column with the times of answers, written as those of the questions."""
    return next(
        (
            each.name
            for each in columns.values()
            if each.name not in used and each.is_scalar and each.tokens & ANSWERED and each.time() == asked[1:]
        ),
        None,
    )


def _unique(columns: Mapping[str, Column], used: set[str], rows: int) -> str | None:
    """The column that names each row: called an id, always there, and never twice the same."""
    return next(
        (each.name for each in columns.values() if each.name not in used and each.is_scalar and each.filled == 1
         and each.distinct == rows and each.kind() is None and (each.hints(ID) or "id" in each.tokens)), None
    )  # fmt: skip


def _rest_of_table(
    mapping: dict[str, Any], columns: Mapping[str, Column], used: set[str], text: Column, remarks: list[str]
) -> None:
    used = used | {*mapping.get("messages", ()), *([mapping["replies"]] if "replies" in mapping else [])}
    used |= describe_ending(mapping, (each for each in columns.values() if each.name not in used), remarks)
    topics, people = [], {}
    for column in columns.values():
        if column.name in used or not column.is_scalar:
            continue
        kind = column.kind()
        if kind is not None:
            people[column.name] = kind
        elif (
            column.hints(LABEL)
            and not column.tokens & {"title", "subject"}
            and column.mean_words <= 4
            and column.distinct <= max(50, column.rows / 5)
        ):  # a label is short, and repeats
            topics.append(column.name)
    for author in (mapping.get("turn", {}).get("author"), mapping.get("turn", {}).get("guest")):
        if author is not None and (kind := kind_of_author(columns[author])) is not None:
            people[author] = kind
    if topics:
        mapping["topics"] = topics
    if people:
        mapping["identifiers"] = {"other": people}
    used = used | set(topics) | set(people)
    if rest := [name for name in columns if name not in used and not f"{mapping.get('replies', '')}.".startswith(f"{name}.")]:
        mapping["ignore_columns"] = rest
    mapping |= text_format(text)


def _short(names: Sequence[str], read: Collection[str]) -> list[str]:
    """These columns; of a record in a row only the record, where nothing below it is read."""
    tops = dict.fromkeys(name.partition(".")[0] for name in names)
    taken = {name.partition(".")[0] for name in read}
    return [
        each for top in tops for each in ([top] if top not in taken else [name for name in names if name.startswith(f"{top}.")])
    ]
