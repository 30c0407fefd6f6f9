"""The events source: nested records of which some events are messages."""

from pathlib import Path
from typing import Any

import orjson
import pytest
from pydantic import ValidationError

from pipeline.errors import SourceError
from pipeline.reading import files
from tests.pipeline.received import CHATS, chat, ingested, params, quarantined, rows, texts, write


def test_only_events_that_pass_every_filter_become_turns_and_the_others_are_counted(tmp_path: Path) -> None:
    record = chat(1, "Hello?", "Yes?")
    record["events"][1:1] = [{"type": "note", "who": "staff", "text": "rude"}, {"type": "a b" * 30}, {"type": None}]
    table = ingested(write(tmp_path / "in", log__jsonl=[record]), CHATS)

    assert texts(table) == {"1": ["customer: Hello?", "agent: Yes?"]}
    assert {name: count for name, count in table.manifest.counts.items() if name.startswith("events.")} == {
        "events.note": 1,
        "events.other": 2,
    }


def test_turns_may_be_pairs_of_speaker_and_text(tmp_path: Path) -> None:
    mapping = {**CHATS, "turns": "said", "messages": {"0": ["c", "a"]}, "kind": "0", "text": "1", "sent_at": None}
    mapping["speaker"] = {"at": "0", "customer": ["c"], "agent": ["a"]}
    record = {"id": 5, "said": [["c", "Hi"], ["a", "Hello"], ["a", "How can I help?"], ["action", "looked up"]]}

    table = ingested(write(tmp_path / "in", log__jsonl=[record]), mapping)

    assert texts(table) == {"5": ["customer: Hi", "agent: Hello", "agent: How can I help?"]}
    assert rows(table)[0]["opened_at"] is None


def test_values_stand_wherever_the_mapping_says_also_in_events_that_are_no_messages(tmp_path: Path) -> None:
    record = chat(1, "Hello?", "Yes?")
    record["events"].append({"type": "query", "with": [{"FullName": '"Jo Fox" '}, {"Age": "7"}, {"FullName": "null"}]})
    record["who"] = {"mails": ["jo@example.com", ""], "agent": "Al"}
    mapping = {
        **CHATS,
        "identifiers": {
            "customer": {"events.*.with.*.FullName": "PERSON", "who.mails": "EMAIL_ADDRESS"},
            "agent": {"who.agent": "PERSON"},
        },
        "ignore_fields": ["events.*.with.*.Age"],
    }

    people = rows(ingested(write(tmp_path / "in", log__jsonl=[record]), mapping))[0]["participants"]

    assert sorted((each["role"], each["kind"], each["value"]) for each in people) == [
        ("agent", "PERSON", "Al"),
        ("customer", "EMAIL_ADDRESS", "jo@example.com"),
        ("customer", "PERSON", "Jo Fox"),
    ]
    assert len({each["person"] for each in people}) == 2


def test_one_agent_is_the_same_person_in_every_conversation(tmp_path: Path) -> None:
    mapping = {**CHATS, "identifiers": {"agent": {"agent": "PERSON"}}}
    table = ingested(write(tmp_path / "in", log__jsonl=[chat(1, "a", agent="Al"), chat(2, "b", agent="al")]), mapping)

    assert len({row["participants"][0]["person"] for row in rows(table)}) == 1


@pytest.mark.parametrize("whole", [True, False], ids=["whole", "streamed"])
@pytest.mark.parametrize(
    ("document", "path"),
    [
        ([chat(1, "Hi"), chat(2, "Ho")], ""),
        ({"version": 3, "data": {"chats": [chat(1, "Hi"), chat(2, "Ho")]}}, "data.chats"),
        ({"train": [chat(1, "Hi")], "test": [chat(2, "Ho")]}, "*"),
    ],
    ids=["list", "below", "splits"],
)
def test_records_stand_in_a_list_anywhere_in_a_document(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, whole: bool, document: Any, path: str
) -> None:
    monkeypatch.setattr(files, "WHOLE_DOCUMENT_BYTES", 2**20 if whole else 64)
    mapping = {**CHATS, "records": path, "ignore_beside": ["version"]}
    table = ingested(write(tmp_path / "in", log__json=orjson.dumps(document, option=orjson.OPT_INDENT_2)), mapping)

    assert texts(table) == {"1": ["customer: Hi"], "2": ["customer: Ho"]}
    assert [row["source_row"] for row in sorted(rows(table), key=lambda row: str(row["native_id"]))] == [1, 2]


@pytest.mark.parametrize("whole", [True, False], ids=["whole", "streamed"])
def test_a_field_beside_the_records_is_mapped_ignored_or_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, whole: bool
) -> None:
    monkeypatch.setattr(files, "WHOLE_DOCUMENT_BYTES", 2**20 if whole else 64)
    folder = write(tmp_path / "in", log__json=orjson.dumps({"chats": [chat(1, "Hi" * 40)], "owner": {"mail": "x"}}))

    with pytest.raises(SourceError, match=r"^log.json: unknown field 'owner' beside the records; map it or list it as ignored"):
        ingested(folder, {**CHATS, "records": "chats"})


@pytest.mark.parametrize("size", [64, 2**20])
def test_a_document_that_is_cut_off_is_one_clear_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, size: int) -> None:
    monkeypatch.setattr(files, "WHOLE_DOCUMENT_BYTES", size)
    folder = write(tmp_path / "in", log__json=orjson.dumps([chat(1, "Hi" * 40), chat(2, "Ho")])[:-9])

    with pytest.raises(SourceError, match=r"^log.json: is not JSON"):
        ingested(folder, CHATS)


def test_a_record_in_a_stream_is_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(files, "WHOLE_DOCUMENT_BYTES", 64)
    folder = write(tmp_path / "in", log__json=orjson.dumps([chat(1, "Hi", "x" * 5000)]))

    with pytest.raises(SourceError, match=r"^log.json: a record is longer than max_row_bytes"):
        ingested(folder, CHATS, max_row_bytes=4000)


def test_one_document_may_be_one_conversation_and_json_may_hold_lines(tmp_path: Path) -> None:
    lines = b"".join(orjson.dumps(chat(number, "Hi")) + b"\n" for number in (2, 3))
    table = ingested(write(tmp_path / "in", one__json=orjson.dumps(chat(1, "Hi")), more__json=lines), CHATS)

    assert sorted(texts(table)) == ["1", "2", "3"]


def test_equal_records_of_a_file_count_once_and_different_ones_contradict(tmp_path: Path) -> None:
    records = [chat(1, "Hi"), chat(1, "Hi"), chat(2, "Hi"), chat(2, "Ho"), chat(3, "Hi")]
    table = ingested(write(tmp_path / "in", log__jsonl=records), CHATS)

    assert sorted(texts(table)) == ["1", "3"]
    assert quarantined(table) == [("log.jsonl", row, "contradicting_rows", "2 rows") for row in (3, 4)]
    assert table.manifest.counts["repeated_rows"] == 1


def test_a_csv_is_not_events(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match=r"^log.csv: is csv, not JSON; read it as format: table$"):
        ingested(write(tmp_path / "in", log__csv="a,b\n"), {**CHATS, "files": ["*.csv"]})


def test_html_becomes_text_where_it_is_declared(tmp_path: Path) -> None:
    folder = write(tmp_path / "in", log__jsonl=[chat(1, "<p>Caf&eacute; <b>&amp;</b> bar</p><p>x</p>")])

    assert texts(ingested(folder, {**CHATS, "text_format": "html"})) == {"1": ["customer: Café & bar\n\nx"]}


LOOK_UPS: dict[str, Any] = {
    **CHATS,
    "calls": {
        "when": {"type": ["query"]},
        "name": "api",
        "arguments": "with",
        "result_when": {"type": ["result"]},
        "result": "item",
    },
}


def look_up(api: str = "hotel search", **result: Any) -> list[dict[str, Any]]:
    return [
        {"type": "query", "api": api, "with": [{"City": '"Oslo"'}, {"Stars": 4}, {"City": "Bergen"}, {"jo@example.com": "x"}]},
        {"type": "result", "item": {"Name": "Fjord Inn", "Stars": 4, "At": {"Pool": True}}, **result},
    ]


def test_a_look_up_is_a_turn_of_the_tool_with_what_was_asked_and_what_came_back(tmp_path: Path) -> None:
    record = chat(1, "A hotel?", "The Fjord Inn.")
    record["events"][1:1] = look_up()
    table = ingested(write(tmp_path / "in", log__jsonl=[record]), LOOK_UPS)

    assert texts(table) == {
        "1": ["customer: A hotel?", "tool: Name: Fjord Inn\nStars: 4\nAt.Pool: true", "agent: The Fjord Inn."]
    }
    asked = [("City", "Oslo"), ("Stars", "4"), ("City_2", "Bergen"), ("argument", "x")]
    call = {"name": "hotel_search", "arguments": [{"name": name, "value": value} for name, value in asked]}
    assert [turn["call"] for turn in rows(table)[0]["turns"]] == [None, call, None]


def test_a_look_up_that_found_nothing_says_so_and_one_without_a_result_is_counted(tmp_path: Path) -> None:
    record = chat(1, "A hotel?", "None.")
    record["events"][1:1] = [*look_up(item=None), look_up()[0]]
    table = ingested(write(tmp_path / "in", log__jsonl=[record]), LOOK_UPS)

    assert texts(table) == {"1": ["customer: A hotel?", "tool: nothing found", "agent: None."]}
    assert table.manifest.counts["look_ups_without_result"] == 1


def test_look_ups_alone_make_no_conversation(tmp_path: Path) -> None:
    record = {"id": 2, "events": look_up()}
    table = ingested(write(tmp_path / "in", log__jsonl=[chat(1, "Hi", "Hello"), record]), LOOK_UPS)

    assert table.manifest.reasons == {"no_messages": 1}


def test_a_sentence_is_no_name_of_a_tool(tmp_path: Path) -> None:
    record = chat(1, "A hotel?", "None.")
    record["events"][1:1] = look_up(api="please call jo@example.com")
    with pytest.raises(SourceError, match=r"unknown_value: api"):
        ingested(write(tmp_path / "in", log__jsonl=[record]), LOOK_UPS)


def test_a_tool_named_like_somebody_is_not_named(tmp_path: Path) -> None:
    record = chat(1, "A hotel?", "None.")
    record["events"][1:1] = look_up(api="Thorvaldsen Siobhan")
    table = ingested(write(tmp_path / "in", log__jsonl=[record]), LOOK_UPS)
    calls = [turn["call"] for turn in table.scan().collect()["turns"][0] if turn["call"]]

    assert [call["name"] for call in calls] == ["look_up"]


def test_the_event_may_hold_its_own_result(tmp_path: Path) -> None:
    mapping = {**CHATS, "turns": "said", "messages": {"0": ["c", "a"]}, "kind": "0", "text": "1", "sent_at": None}
    mapping["speaker"] = {"at": "0", "customer": ["c"], "agent": ["a"]}
    mapping["calls"] = {"when": {"0": ["action"]}, "tool": "desk", "result": "1"}
    record = {"id": 5, "said": [["c", "Hi"], ["action", "Account pulled up."], ["a", "Hello"]]}

    table = ingested(write(tmp_path / "in", log__jsonl=[record]), mapping)

    assert texts(table) == {"5": ["customer: Hi", "tool: Account pulled up.", "agent: Hello"]}
    assert rows(table)[0]["turns"][1]["call"] == {"name": "desk", "arguments": []}


def test_people_named_by_ids_alone_are_what_the_list_of_people_says_and_an_id_that_is_not_in_it_is_refused(
    tmp_path: Path,
) -> None:
    people = {"participants": {"at": "people", "id": "no", "role": "is"}}
    known, stranger = (
        {**chat(n, "Hi", "Hello"), "people": [{"no": 7, "is": "visitor"}, {"no": "8", "is": "staff"}]} for n in (1, 2)
    )
    for record, ids in ((known, ("7", 8)), (stranger, (7, 9))):
        for event, who in zip(record["events"], ids, strict=True):
            event["who"] = who
    table = ingested(write(tmp_path / "in", log__jsonl=[known, stranger]), {**CHATS, **people})

    assert texts(table) == {"1": ["customer: Hi", "agent: Hello"]}
    assert quarantined(table) == [("log.jsonl", 2, "unknown_speaker", "who")]


HISTORY: dict[str, Any] = {
    "format": "events", "path": ".", "files": ["*.jsonl"], "id": "id", "turns": "history",
    "pair": {"question": "q", "answer": "a", "answered_by": "bot"},
}  # fmt: skip


def test_a_record_may_hold_questions_with_their_answers(tmp_path: Path) -> None:
    history = [{"q": "Hi", "a": "Hello"}, {"q": "", "a": "Still there?"}, {"q": "Yes", "a": None}]
    table = ingested(write(tmp_path / "in", log__jsonl=[{"id": 1, "history": history}, {"id": 2, "history": []}]), HISTORY)

    assert texts(table) == {"1": ["customer: Hi", "bot: Hello", "bot: Still there?", "customer: Yes"]}
    assert table.manifest.counts["empty_texts"] == 2
    assert [row["reason"] for row in rows(table, "dropped")] == ["no_messages"]


def test_the_last_question_may_stand_outside_the_list(tmp_path: Path) -> None:
    mapping = {**HISTORY, "pair": {"question": "0", "answer": "1"}, "closing": {"question": "ask", "answer": "say"}}
    records = [
        {"id": 1, "history": [["Hi", "Hello"]], "ask": "Where is it?", "say": "On its way"},
        {"id": 2, "history": None, "ask": "When?", "say": ""},
    ]

    assert texts(ingested(write(tmp_path / "in", log__jsonl=records), mapping)) == {
        "1": ["customer: Hi", "agent: Hello", "customer: Where is it?", "agent: On its way"],
        "2": ["customer: When?"],
    }


def test_a_pair_of_another_shape_than_mapped_is_refused_with_its_path(tmp_path: Path) -> None:
    mapping = {**HISTORY, "pair": {"question": "0", "answer": "1"}}
    records = [{"id": n, "history": pairs} for n, pairs in enumerate([[["Hi", "Ho"]], [["Hi", "Ho", "Hu"]], ["Hi"], {"0": "Hi"}])]
    table = ingested(write(tmp_path / "in", log__jsonl=records), mapping)

    assert texts(table) == {"0": ["customer: Hi", "agent: Ho"]}
    assert quarantined(table) == [
        ("log.jsonl", 2, "unknown_field", "history.0.2"),
        ("log.jsonl", 3, "unknown_field", "history.0"),
        ("log.jsonl", 4, "unknown_field", "history.*"),
    ]


def test_pairs_come_by_their_times_and_one_without_follows_the_last(tmp_path: Path) -> None:
    mapping = {**HISTORY, "pair": {"question": "q", "answer": "a", "asked_at": "at", "answered_at": "said"}}
    history = [
        {"q": "Later", "a": "", "at": "2026-01-05T12:09:00Z"},
        {"q": "", "a": "Last", "said": "2026-01-05T12:10:00Z"},
        {"q": "First", "a": "Hello", "at": "2026-01-05T12:00:00Z"},
        {"q": "Second", "a": None},
    ]
    table = ingested(write(tmp_path / "in", log__jsonl=[{"id": 1, "history": history}]), mapping)

    assert texts(table) == {"1": ["customer: First", "agent: Hello", "customer: Second", "customer: Later", "agent: Last"]}


@pytest.mark.parametrize(
    ("change", "says"),
    [({"pair": None}, r"map 'speaker' and 'text' .* or 'pair'"), ({"text": "q"}, "'pair' says who speaks, what and when")],
)
def test_events_are_messages_or_pairs(change: dict[str, Any], says: str) -> None:
    with pytest.raises(ValidationError, match=says):
        params({**HISTORY, **change})


@pytest.mark.parametrize("listed", [False, True])
def test_below_a_question_those_listed_as_staff_answer_and_the_path_of_an_agent_says_who_that_is(
    listed: bool, tmp_path: Path
) -> None:
    mapping = {
        "format": "events", "path": ".", "files": ["*.jsonl"], "id": "id", "opening": "asks", "customer": "by", "agent": "owner",
        "turns": "posts", "text": "text", "speaker": {"at": "who", "others": "starter", **({"agent": ["al"]} if listed else {})},
    }  # fmt: skip
    record = {
        "id": 1,
        "by": "jo",
        "owner": 9,
        "asks": "It hums",
        "posts": [{"who": "kim", "text": "Mine too"}, {"who": "al", "text": "Sorry"}],
    }
    (row,) = rows(ingested(write(tmp_path / "in", log__jsonl=[record]), mapping))
    said = [(turn["speaker"], turn["text"], turn["author_key"] == row["customer_key"]) for turn in row["turns"]]

    assert said == [
        ("customer", "It hums", True),
        ("customer" if listed else "agent", "Mine too", listed),
        ("agent", "Sorry", False),
    ]
    assert row["turns"][2]["author_key"] is not None


def test_a_chat_may_hold_its_messages_thread_by_thread(tmp_path: Path) -> None:
    first_, second = chat(1, "Hi", "Ho"), chat(1, "Again", "Yes?")
    later = [{**event, "at": event["at"] + 86_400 * 9} for event in second["events"]]
    record = {"id": 1, "threads": [{"events": later}, {"events": first_["events"]}, {"events": None}]}
    folder = write(tmp_path / "in", log__jsonl=[record])
    mapping = {**CHATS, "turns": "threads.*.events"}

    assert texts(ingested(folder, mapping)) == {"1": ["customer: Hi", "agent: Ho", "customer: Again", "agent: Yes?"]}
    assert texts(ingested(folder, {**mapping, "reopened_after_days": 7})) == {
        "1": ["customer: Hi", "agent: Ho"], "1~2": ["customer: Again", "agent: Yes?"],
    }  # fmt: skip
