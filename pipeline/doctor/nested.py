"""Records that hold a list of messages, as a mapping of `events`."""

# ruff: noqa: PLR2004  # it judges by rules of thumb; the comments beside the numbers say which

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from pipeline.doctor.candidates import Candidate
from pipeline.doctor.columns import (
    ID,
    LABEL,
    LIST_STAFF,
    TEXT,
    Column,
    columns_of,
    declare_time,
    kind_of_author,
    speaker_column,
    text_column,
    text_format,
    time_column,
)
from pipeline.doctor.endings import describe_ending
from pipeline.doctor.field_names import own_name, words_in
from pipeline.doctor.note_words import tells_note
from pipeline.doctor.notes import as_customers_write, kinds_that_speak, messages_of, without_programs
from pipeline.doctor.sampling import SAMPLED_ROWS, flat, lists, strings
from pipeline.reading.drafts import ReceivedFile
from pipeline.reading.mapped import is_one_of
from pipeline.reading.paths import EACH, find, first, parse
from pipeline.reading.values import native_id


def turns_path(rows: Sequence[Mapping[str, Any]]) -> str | None:
    """Where records hold a list of messages: the list with the most text, or those of each thread in a list without any."""
    sizes: Counter[str] = Counter()
    threads: Counter[str] = Counter()
    for row in rows[:200]:
        for path, items in lists(row, "", 0):
            if tells_note(words_in(own_name(path))):
                continue
            sizes[path] += _volume(items)
            for item in items:
                for inner, below in lists(item, "", 0) if isinstance(item, dict) else ():
                    threads[f"{path}.{EACH}.{inner}"] += _volume(below)
    best = max(sizes, key=lambda path: sizes[path], default=None)
    thread = max(threads, key=lambda path: threads[path], default=None)
    if best is not None and thread is not None and sizes[best] * 10 < threads[thread]:  # a title or two beside the messages
        return thread
    return best if best is not None and sizes[best] > 0 else None


def _volume(items: Sequence[Any]) -> int:
    return sum(len(text) for item in items for text in strings(item) if " " in text)


def as_events(  # noqa: C901, PLR0912, PLR0915  # one mapping from top to bottom
    rows: Sequence[Mapping[str, Any]], at: str, files: Sequence[ReceivedFile], reading: Mapping[str, Any]
) -> Candidate | None:
    """The mapping of records of these files whose list `at` holds the messages, and how they are read.

    Null where nothing there is a text, or nobody speaks.
    """
    records = [flat(dict(row)) for row in rows]
    items = [item for row in rows for item in items_at(row, at)]
    columns = columns_of([flat(item) for item in items[: SAMPLED_ROWS * 3]])
    text = text_column(columns, set())
    if text is None:
        return None
    reasons = [
        f"{at!r} is a list in each record, {len(items) / max(len(rows), 1):.1f} items on average; {text.name!r} in it holds text"
    ]
    remarks: list[str] = []
    mapping: dict[str, Any] = {**reading, "turns": at}
    used = {text.name, *(reading[key] for key in ("replies", "rank") if key in reading)}
    filters = _filters(columns, [flat(item) for item in items], text.name)
    flat_items = [flat(item) for item in items]
    for found in (messages_of(columns, text, remarks), kinds_that_speak(columns, flat_items)):
        for name, values in found.items():
            filters[name] = [value for value in values if value in filters.get(name, values)]
    if filters:
        mapping |= {"messages": filters, "kind": next(iter(filters))}
        kept = [item for item in map(flat, items) if all(is_one_of(item.get(path), values) for path, values in filters.items())]
        columns = columns_of(kept)
        reasons.append(f"items are messages by {', '.join(map(repr, filters))}")
    has_opening = any(len(text.split()) >= 4 for row in rows[:50] for text in row.values() if isinstance(text, str))
    people_list = _participants(rows, columns, at, used)
    if people_list is not None:
        mapping["participants"], column, meaning, others = people_list
        mapping["author"] = column.name
        reasons.append(f"{mapping['participants']['at']!r} says of the ids in {column.name!r} what they are")
        for name, values in _filters(columns, [flat(item) for item in items], column.name).items():  # programs have no id
            filters[name] = [value for value in values if value in filters.get(name, values)]
        if filters:
            mapping |= {"messages": filters, "kind": next(iter(filters))}
    else:
        speaker = speaker_column(columns, used, least=1 if has_opening else 2)  # a question stands apart: all may be one agent's
        if speaker is None:
            return None
        if speaker[0].is_flag and (named := speaker_column(columns, used | {speaker[0].name}, least=2)) is not None:
            speaker = speaker if _answers(rows, at, speaker) else named
        column, meaning, others = speaker
    if filters and meaning.get("tool"):
        path, values = next(iter(filters.items()))
        speaks = [
            item.get(path) for item in map(flat, items) if item.get(text.name) and item.get(column.name) not in meaning["tool"]
        ]
        filters[path] = [value for value in values if value in speaks]
    if (calls := _calls(items, column.name, meaning, text.name)) is not None:
        mapping["calls"] = calls
        used |= {calls["name"], calls["arguments"]}
        reasons.append(f"{calls['name']!r} names look-ups, which validate.rules.tool_turn: ignore keeps as turns of a tool")
    without_programs(mapping, column, meaning)
    as_customers_write(mapping, columns, flat_items, column, meaning, remarks)
    used |= mapping.get("messages", {}).keys()
    mapping["speaker"] = {"at": column.name, **meaning, **({"others": others} if others == "starter" else {})}
    mapping["text"] = text.name
    used |= {column.name, *filters}
    reasons.append(
        f"{column.name!r} says who speaks"
        + ("" if others == "refuse" else " by name: the customer is whoever asked, or writes first, everybody else an agent")
    )
    if others == "starter":
        mapping["author"] = column.name
        remarks.append(LIST_STAFF)
    time = time_column(columns, used)
    if time is not None:
        mapping["sent_at"] = time[0].name
        declare_time(mapping, time, reasons, remarks)
        used.add(time[0].name)
    describe_records(mapping, records, at, reasons, column if others == "starter" else None)
    mapping |= text_format(text)
    people_at = mapping.get("participants", {}).get("at")
    if left := sorted(
        {path for row in rows[:200] for path, _ in lists(row, "", 0)} - {at, at.partition(f".{EACH}.")[0], people_at}
    ):
        remarks.append(f"{len(left)} other lists beside {at!r} are left out, {left[0]!r} first: are they messages, too?")
    if within := sorted({path for item in items if isinstance(item, dict) for path, _ in lists(item, "", 0)} - used):
        remarks.append(f"{', '.join(within)}: lists in the items of {at!r}, which are not read: is anything of people in them?")
    said = {text.name, *([column.name] if people_at else [])}
    if calls is not None:  # a tool is nobody
        said |= {
            calls["name"],
            *(["name"] if {name for item in items for name in find(item, ("name",))} <= _tools(items) else []),
        }
    people = {}
    if people_at:
        listed = columns_of([flat(each) for row in rows for each in items_at(row, people_at)])
        people = {f"{people_at}.*.{each.name}": kind for each in listed.values() if each.is_scalar and (kind := each.kind())}
    if others == "starter" and (kind := kind_of_author(column)) is not None:
        people[f"{at}.*.{column.name}"] = kind
    account_for_the_rest(mapping, rows, at, used, said, people, remarks)
    return Candidate("events", files, mapping, reasons, remarks)


def account_for_the_rest(
    mapping: dict[str, Any],
    rows: Sequence[Mapping[str, Any]],
    at: str,
    used: set[str],
    said: set[str],
    people: Mapping[str, str],
    remarks: list[str],
) -> None:
    """Put into the mapping what is said of the whole, which fields are personal, beside `people`, and which are not read.

    `used` are those of the items at `at` that the mapping reads, `said` those among them that hold what was said.
    """
    items = [flat(item) for row in rows for item in items_at(row, at)]
    inner = columns_of(items[: SAMPLED_ROWS * 3]).values()  # also of what is no message
    people = {
        **{f"{at}.*.{each.name}": kind for each in inner if each.is_scalar and (kind := each.kind()) and each.name not in said},
        **people,
    }
    taken = {mapping.get(key) for key in ("id", "opening", "opened_at", "customer")} | set(mapping.get("topics", ()))
    taken |= set(mapping.get("closing", {}).values())
    outer = columns_of([flat(dict(row)) for row in rows])
    taken |= describe_ending(mapping, (each for name, each in outer.items() if name not in taken), remarks)
    people |= {name: kind for name, each in outer.items() if name not in taken and each.is_scalar and (kind := each.kind())}
    if mapping.get("customer") and (kind := kind_of_author(outer[mapping["customer"]])):
        people[mapping["customer"]] = kind
    threads = _of_threads(rows, at)
    people |= {path: kind for path, each in threads.items() if each.is_scalar and (kind := each.kind())}
    if people:
        mapping["identifiers"] = {"other": people}
    known = {*taken, *people, at}
    top = {name for row in rows for name in row}
    ignore = []
    for name in sorted(top - {at.partition(".")[0]}):
        below = [path for path in outer if path == name or path.startswith(f"{name}.")]
        ignore += [name] if not any(path in known for path in below) else [path for path in below if path not in known]
    if "." in at:
        ignore += [path for path in outer if path.startswith(at.partition(".")[0] + ".") and path not in known]
    ignore += [path for path in sorted(threads) if path not in {at, *people}]
    every = {path for item in items for path in item}
    ignore += [f"{at}.*.{path}" for path in sorted(every - used) if f"{at}.*.{path}" not in people]
    if ignore:
        mapping["ignore_fields"] = ignore


def _answers(rows: Sequence[Mapping[str, Any]], at: str, speaker: tuple[Column, dict[str, list[Any]], str]) -> bool:
    """Whether by this flag somebody answers in half of the records; in a community members answer, and staff does seldom."""
    said = [{first(item, parse(speaker[0].name)) for item in items_at(row, at)} for row in rows]
    several = [values for values, row in zip(said, rows, strict=True) if len(items_at(row, at)) > 1]
    return sum(bool(values & set(speaker[1].get("agent", ()))) for values in several) * 2 >= len(several)


def _of_threads(rows: Sequence[Mapping[str, Any]], at: str) -> dict[str, Column]:
    """Path -> what stands beside the lists at a path, where each thread has one; none where a record has one list."""
    above, each, _ = at.rpartition(f".{EACH}.")
    found = columns_of([flat(thread) for row in rows for thread in items_at(row, above)]) if each else {}
    return {f"{above}.{EACH}.{name}": column for name, column in found.items()}


def _participants(
    rows: Sequence[Mapping[str, Any]], columns: Mapping[str, Column], at: str, used: set[str]
) -> tuple[dict[str, str], Column, dict[str, list[Any]], str] | None:
    """A list of people that says what those are who speak by their ids alone; null where there is none."""
    for path in sorted({path for row in rows[:200] for path, _ in lists(row, "", 0)} - {at, at.partition(f".{EACH}.")[0]}):
        people = columns_of([flat(each) for row in rows for each in items_at(row, path)])
        found = speaker_column(people, set())
        if found is None or found[2] != "refuse":
            continue
        for own in people.values():
            ids = set(map(native_id, own.texts))
            for column in columns.values():
                named = set(map(native_id, column.texts))
                if column.name not in used and own is not found[0] and column.is_scalar and named and named <= ids:
                    return {"at": path, "id": own.name, "role": found[0].name}, column, found[1], "refuse"
    return None


def _calls(items: Sequence[Any], speaker: str, meaning: Mapping[str, Sequence[Any]], text: str) -> dict[str, Any] | None:
    """Where look-ups stand: as for OpenAI's chat models, in `tool_calls` or the older `function_call`; as in ShareGPT."""
    tools = meaning.get("tool", ())
    if "tool" in tools and any(first(item, parse("tool_calls.0.function.name")) for item in items):
        has_ids = any(first(item, parse("tool_calls.0.id")) for item in items) and any("tool_call_id" in item for item in items)
        asked = {"each": "tool_calls", "name": "function.name", "arguments": "function.arguments"}
        ids = {"id": "id", "result_id": "tool_call_id"} if has_ids else {}
        return {**asked, **ids, "result_when": {speaker: ["tool"]}, "result": "content"}
    if "function" in tools and any(first(item, parse("function_call.name")) for item in items):
        asked = {"name": "function_call.name", "arguments": "function_call.arguments"}
        return {**asked, "result_when": {speaker: ["function"]}, "result": "content"}
    if {"function_call", "observation"} <= set(tools):
        asked = {"each": text, "name": "name", "arguments": "arguments"}
        return {"when": {speaker: ["function_call"]}, **asked, "result_when": {speaker: ["observation"]}, "result": text}
    return None


def _tools(items: Sequence[Any]) -> set[Any]:
    """What the tools are called that such look-ups ask."""
    paths = (parse("function_call.name"), parse(f"tool_calls.{EACH}.function.name"))
    return {name for item in items for path in paths for name in find(item, path)}


def items_at(row: Mapping[str, Any], at: str) -> list[Any]:
    """The items of the list at a path, or of every list there; none where none is."""
    return [item for found in find(row, parse(at)) if isinstance(found, list) for item in found]


def _filters(columns: Mapping[str, Column], items: Sequence[Mapping[str, Any]], text: str) -> dict[str, list[Any]]:
    """The field that tells messages from other events, where some have no text: its values that always come with one."""
    without = [item for item in items if item.get(text) in (None, "")]
    if not without:
        return {}
    for column in columns.values():
        if (
            column.name == text or not column.is_scalar or not 1 < column.distinct <= 40 or column.filled < 0.9
        ):  # kinds are few and always there
            continue
        texts = Counter(str(item.get(column.name)) for item in items if item.get(text) not in (None, ""))
        silent = Counter(str(item.get(column.name)) for item in without)
        if texts and not any(
            silent[value] > count * 0.05 for value, count in texts.items()
        ):  # a message may be empty now and then
            return {column.name: list({str(v): v for v in column.values if str(v) in texts}.values())}
    return {}


def _names_record(column: Column, records: int) -> bool:
    """Whether a field is the id of its record: one word, different in each."""
    if not column.is_scalar or column.filled < 1 or column.distinct < records or column.mean_words > 1.5 or column.time():
        return False
    words = column.tokens & {"id", "key", "uuid", "guid", "number", "no"}
    return bool(column.hints(ID) or words) or column.name.casefold().endswith("id")


def _names_alike(asker: Column, speaker: Column) -> bool:
    """Whether two fields of one name, such as `user.login`, hold the same people."""
    last = [each.name.rpartition(".")[2] for each in (asker, speaker)]
    return last[0] == last[1] and not set(asker.texts).isdisjoint(speaker.texts)


def _nearness_to(at: str) -> Callable[[Column], tuple[bool, bool, int, int]]:
    """How well a field names the conversation of the list at a path: one beside it does, for a chat has several threads."""
    beside = at.rpartition(".")[0]

    def nearness(column: Column) -> tuple[bool, bool, int, int]:
        above, _, name = column.name.rpartition(".")
        return (
            above == beside and name.casefold() == "id",
            column.name.casefold() == "id",
            column.hints(ID),
            -column.name.count("."),
        )

    return nearness


def describe_records(  # what a record says beside its messages stands in as many places
    mapping: dict[str, Any], records: Sequence[Mapping[str, Any]], at: str, reasons: list[str], authors: Column | None
) -> None:
    """Put into the mapping what records say of their conversations; `authors`: where only names say who speaks."""
    outer = {name: column for name, column in columns_of(records).items() if name != at and not name.startswith(f"{at}.")}
    ids = [each for each in outer.values() if _names_record(each, len(records))]
    found = max(ids, key=_nearness_to(at), default=None)
    if found is not None:
        mapping["id"] = found.name
        reasons.append(f"{found.name!r} is different in each record")
    taken = {*mapping.get("closing", {}).values(), *([found.name] if found else [])}
    opening = [
        each
        for each in outer.values()
        if each.name not in taken
        and each.is_scalar
        and each.mean_words >= 4
        and each.hints(TEXT)
        and each.kind() is None
        and not each.holds_notes
    ]  # a question has words
    if authors is not None and opening:
        best = max(opening, key=lambda each: (each.mean_words, each.name))
        mapping["opening"] = best.name
        reasons.append(f"{best.name!r} holds the question that the list answers")
        asked = [
            each
            for each in outer.values()
            if each.is_scalar
            and (each.hints("author user asker owner op poster customer requester") or _names_alike(each, authors))
            and each.mean_words <= 4
            and not each.time()
        ]  # a name has few words
        if asked:
            mapping["customer"] = max(
                asked, key=lambda each: (set(each.texts) & set(authors.texts) != set(), each.hints("author user"))
            ).name
    time = time_column(outer, taken)
    sent = mapping.get("sent_at") or mapping.get("pair", {}).get("asked_at")
    if (
        time is not None
        and (sent is None or time[1] == mapping.get("time_format"))
        and (time[2] or "zone" in mapping or sent is None)
    ):
        mapping["opened_at"] = time[0].name
        if time[1]:
            mapping["time_format"] = time[1]
        if not time[2]:
            mapping["zone"] = "UTC"
    topics = [
        each.name
        for each in outer.values()
        if each.hints(LABEL)
        and each.values
        and each.name not in taken
        and each.mean_words <= 4
        and each.name != mapping.get("opening")
    ]  # a label is short
    if topics:
        mapping["topics"] = topics
