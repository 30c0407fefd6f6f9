"""The table source: one row per turn, or one row per question and answer."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import polars as pl
import pytest
import zstandard
from pydantic import ValidationError

from pipeline.errors import SourceError
from tests.pipeline.received import PAIRS, TURNS, ingested, params, quarantined, rows, texts, write

HEAD = "ticket,from,body,at\n"
ROWS = HEAD + "81,a,It left on Monday.,2026-01-05 12:04:00\n81,c,Where is my order?,2026-01-05 12:00:00\n"
SAID = {"81": ["customer: Where is my order?", "agent: It left on Monday."]}


def test_turns_stand_in_the_order_of_their_time(tmp_path: Path) -> None:
    table = ingested(write(tmp_path / "in", log__csv=ROWS), TURNS)

    assert texts(table) == SAID
    assert rows(table)[0]["opened_at"] == datetime(2026, 1, 5, 12, tzinfo=UTC)


def test_turns_of_one_moment_stand_in_the_order_of_their_rows(tmp_path: Path) -> None:
    lines = HEAD + "".join(f"81,c,{word},2026-01-05 12:00:00\n" for word in ("one", "two", "three"))

    assert texts(ingested(write(tmp_path / "in", log__csv=lines), TURNS)) == {
        "81": ["customer: one", "customer: two", "customer: three"]
    }


NOTES: Final = "ticket,from,body,at,kind,public\n" + "".join(
    f"81,{who},{body},2026-01-05 12:0{minute}:00,{kind},{public}\n"
    for minute, (who, body, kind, public) in enumerate(
        [
            ("c", "Where is my order?", "reply", "True"),
            ("boss", "He never pays", "note", "False"),
            ("a", "It left on Monday.", "reply", "TRUE"),
            ("a", "Call the police", "reply", ""),
            ("a", "Lost again", "reply", "0"),
            ("a", "Is merged", "a kind of its own", "1"),
        ]
    )
)


def test_internal_notes_among_the_rows_make_no_turns_and_are_counted(tmp_path: Path) -> None:
    mapping = {**TURNS, "messages": {"kind": ["reply"], "public": [True]}, "kind": "kind"}
    table = ingested(write(tmp_path / "in", log__csv=NOTES), mapping)

    assert texts(table) == SAID
    assert {name: n for name, n in table.manifest.counts.items() if name.startswith("events.")} == {
        "events.note": 1, "events.reply": 2, "events.other": 1,
    }  # fmt: skip


@pytest.mark.parametrize("ending", ["csv", "jsonl"])
def test_a_row_that_is_no_message_and_of_no_conversation_is_dropped_and_one_that_is_a_message_is_at_fault(
    ending: str, tmp_path: Path
) -> None:
    records = [
        {"ticket": "81", "from": "c", "body": "Where is my order?", "at": "2026-01-05 12:00:00", "kind": "reply"},
        {"ticket": "", "from": "", "body": "", "at": "2026-01-05 12:01:00", "kind": "login"},
        {"ticket": "", "from": "c", "body": "Hello?", "at": "2026-01-05 12:02:00", "kind": "reply"},
    ]
    lines = "\n".join([",".join(records[0]), *(",".join(each.values()) for each in records)])
    folder = write(tmp_path / "in", **{f"log__{ending}": lines if ending == "csv" else records})
    table = ingested(folder, {**TURNS, "messages": {"kind": ["reply"]}, "kind": "kind"})

    assert texts(table) == {"81": ["customer: Where is my order?"]}
    assert table.manifest.counts["rows_dropped"] == 1
    assert quarantined(table) == [(f"log.{ending}", 3, "no_id", "")]


@pytest.mark.parametrize("ending", ["csv", "jsonl"])
def test_several_columns_may_name_a_conversation_together(ending: str, tmp_path: Path) -> None:
    records = [
        {"channel": channel, "topic": topic, "from": who, "body": f"{topic} of {channel}", "at": f"2026-01-05 12:0{place}:00"}
        for channel in ("north", "south") for topic in ("tents", "boots") for place, who in enumerate("ca")
    ]  # fmt: skip
    lines = "\n".join(
        [",".join(records[0]), *(",".join(each.values()) for each in records), "north,,c,Hello?,2026-01-05 12:09:00"]
    )
    folder = write(tmp_path / "in", **{f"log__{ending}": lines if ending == "csv" else [*records, {**records[0], "topic": None}]})
    table = ingested(folder, {**TURNS, "id": ["channel", "topic"]})

    assert sorted(texts(table).values()) == [
        [f"customer: {topic} of {channel}", f"agent: {topic} of {channel}"]
        for topic in ("boots", "tents") for channel in ("north", "south")
    ]  # fmt: skip
    assert quarantined(table) == [(f"log.{ending}", 9, "no_id", "")]


def test_rows_that_are_named_by_several_columns_cannot_be_answered_by_others() -> None:
    turn = {**TURNS["turn"], "parent": "answers"}

    with pytest.raises(ValidationError, match="'parent' needs one column as 'id'"):
        params({**TURNS, "id": ["channel", "topic"], "turn": turn})


def test_where_a_column_names_the_customer_nobody_who_wrote_first_is_taken_for_them(tmp_path: Path) -> None:
    lines = "ticket,from,body,at,asker\n81,al,Any news?,2026-01-05 12:00:00,jo\n81,jo,It works now,2026-01-05 12:01:00,jo\n"
    turn = {**TURNS["turn"], "speaker": {"at": "from", "others": "starter"}}
    table = ingested(write(tmp_path / "in", log__csv=lines), {**TURNS, "turn": turn, "customer": "asker"})

    assert texts(table) == {"81": ["agent: Any news?", "customer: It works now"]}


def test_every_layout_says_alike_what_is_no_note(tmp_path: Path) -> None:
    mapping = {**TURNS, "messages": {"note": [False, ""]}}
    records = [
        {"ticket": 81, "from": who, "body": body, "at": at, "note": note}
        for who, body, at, note in [
            ("c", "Where is my order?", "2026-01-05 12:00:00", None),
            ("a", "He never pays", "2026-01-05 12:01:00", True),
            ("a", "It left on Monday.", "2026-01-05 12:04:00", False),
        ]
    ]
    pl.DataFrame(records).write_parquet(write(tmp_path / "parquet") / "log.parquet")
    pl.DataFrame(records).write_csv(write(tmp_path / "csv") / "log.csv")
    write(tmp_path / "jsonl", log__jsonl=records)

    assert [texts(ingested(tmp_path / each, mapping)) for each in ("parquet", "csv", "jsonl")] == [SAID] * 3


def test_a_conversation_of_notes_only_is_dropped_by_that_reason(tmp_path: Path) -> None:
    mapping = {**PAIRS, "messages": {"internal": [False]}}
    table = ingested(write(tmp_path / "in", log__csv="question,answer,internal\nWho?,Jo,yes\nWhat?,That,no\n"), mapping)

    assert list(texts(table).values()) == [["customer: What?", "agent: That"]]
    assert [row["reason"] for row in rows(table, "dropped")] == ["no_messages"]


POSTS: Final = {
    **TURNS,
    "id": "post",
    "turn": {
        "speaker": {"at": "who", "others": "starter"}, "text": "said", "sent_at": "at", "author": "who", "parent": "answers",
    },
}  # fmt: skip
POSTED: Final = "post,answers,who,said,at\n"


def test_rows_that_answer_one_another_are_one_conversation_wherever_they_stand(tmp_path: Path) -> None:
    one = (
        POSTED
        + "4,2.0,jo,It does.,2026-01-05 12:03:00\n7,,kim,Where is it?,2026-01-05 12:09:00\n2,1,al,Try it.,2026-01-05 12:01:00\n"
    )
    other = POSTED + "3,1,bo,Or this.,2026-01-05 12:02:00\n1,,jo,My lamp hums.,2026-01-05 12:00:00\n"
    first = ingested(write(tmp_path / "a", one__csv=one, other__csv=other), POSTS)
    second = ingested(write(tmp_path / "b", one__csv=other, other__csv=one), POSTS, rows_per_part=1)

    said = [["customer: My lamp hums.", "agent: Try it.", "agent: Or this.", "customer: It does."], ["customer: Where is it?"]]
    assert sorted(texts(first).values()) == said
    assert texts(first) == texts(second)


def test_where_staff_are_listed_nobody_else_is_an_agent_whoever_writes_first(tmp_path: Path) -> None:
    said = "1,,al,We are back.,2026-01-05\n2,1,jo,My lamp hums.,2026-01-06\n3,2,kim,Mine too.,2026-01-07\n"
    speaker = {**POSTS["turn"]["speaker"], "agent": ["al"]}
    table = ingested(write(tmp_path / "in", one__csv=POSTED + said), {**POSTS, "turn": {**POSTS["turn"], "speaker": speaker}})

    assert list(texts(table).values()) == [["agent: We are back.", "customer: My lamp hums.", "customer: Mine too."]]
    assert rows(table)[0]["customer_key"] == rows(table)[0]["turns"][1]["author_key"]


@pytest.mark.parametrize("parent", ["answers", "thread"])
def test_rows_that_name_reddits_kinds_only_of_others_are_linked_and_a_comment_is_never_taken_for_a_post(
    parent: str, tmp_path: Path
) -> None:
    rows_ = [
        {"post": "a1", "who": "jo", "said": "My lamp hums.", "at": 1700000000},
        {"post": "b2", "who": "kim", "said": "Where is it?", "at": 1700000001},
        {"post": "b2", "answers": "t3_a1", "thread": "t3_a1", "who": "al", "said": "Try it.", "at": 1700000002},
        {"post": "c3", "answers": "t1_b2", "thread": "t3_a1", "who": "jo", "said": "It does.", "at": 1700000003},
    ]
    mapping = {**POSTS, "turn": {**POSTS["turn"], "parent": parent}, "ignore_columns": ["answers", "thread"]}
    for each in (rows_, rows_[::-1]):
        found = sorted(texts(ingested(write(tmp_path / "in", log__jsonl=each), mapping)).values())

        assert found == [["customer: My lamp hums.", "agent: Try it.", "customer: It does."], ["customer: Where is it?"]]


def test_answers_to_a_row_that_was_not_delivered_are_dropped_since_nobody_knows_who_asked(tmp_path: Path) -> None:
    lines = (
        POSTED
        + "5,1,al,It is on its way.,2026-01-05 12:01:00\n6,1,jo,Thanks!,2026-01-05 12:02:00\n8,9,kim,Hm?,2026-01-05 12:00:00\n"
    )
    table = ingested(write(tmp_path / "in", log__csv=lines), POSTS)

    assert texts(table) == {}
    assert [row["reason"] for row in rows(table, "dropped")] == ["opening_not_delivered"] * 2


def test_answers_to_a_row_that_was_not_delivered_are_one_conversation_where_each_says_who_speaks(tmp_path: Path) -> None:
    lines = (
        POSTED + "5,1,a,It is on its way.,2026-01-05 12:01:00\n6,1,c,Thanks!,2026-01-05 12:02:00\n8,9,c,Hm?,2026-01-05 12:00:00\n"
    )
    roles = {"at": "who", "customer": ["c"], "agent": ["a"]}
    table = ingested(write(tmp_path / "in", log__csv=lines), {**POSTS, "turn": {**POSTS["turn"], "speaker": roles}})

    assert sorted(texts(table).values()) == [["agent: It is on its way.", "customer: Thanks!"], ["customer: Hm?"]]


def test_questions_and_answers_have_their_texts_apart_and_a_title_stands_before_the_question(tmp_path: Path) -> None:
    turn = {**POSTS["turn"], "text": ["said", "asked"], "subject": "title"}
    lines = (
        "post,answers,who,said,asked,title,at\n1,,jo,,It hums.,My lamp,2026-01-05 12:00:00\n"
        "2,1,al,Try it.,,,2026-01-05 12:01:00\n3,,kim,,,Where is it?,2026-01-05 12:02:00\n"
    )

    assert sorted(texts(ingested(write(tmp_path / "in", log__csv=lines), {**POSTS, "turn": turn})).values()) == [
        ["customer: My lamp\n\nIt hums.", "agent: Try it."], ["customer: Where is it?"],
    ]  # fmt: skip


def test_a_row_without_its_own_id_is_set_aside_and_the_others_are_joined(tmp_path: Path) -> None:
    lines = (
        POSTED + ",1,al,Lost,2026-01-05 12:01:00\n2,1,al,Try it.,2026-01-05 12:01:00\n1,,jo,My lamp hums.,2026-01-05 12:00:00\n"
    )
    table = ingested(write(tmp_path / "in", log__csv=lines), POSTS)

    assert [len(turns) for turns in texts(table).values()] == [2]
    assert [row[:3] for row in quarantined(table)] == [("log.csv", 1, "no_id")]


def test_an_order_column_goes_before_time(tmp_path: Path) -> None:
    lines = "ticket,from,body,at,place\n81,c,second,2026-01-05,2\n81,c,tenth,2026-01-04,10\n81,a,first,2026-01-06,1\n"
    mapping = {**TURNS, "turn": {**TURNS["turn"], "order": "place"}}

    assert texts(ingested(write(tmp_path / "in", log__csv=lines), mapping)) == {
        "81": ["agent: first", "customer: second", "customer: tenth"]
    }


def test_every_layout_and_compression_reads_the_same(tmp_path: Path) -> None:
    frame = pl.read_csv(ROWS.encode())
    folders = [write(tmp_path / name) for name in ("jsonl", "parquet", "zst", "gz", "bom")]
    frame.write_ndjson(folders[0] / "log.jsonl")
    frame.with_columns(pl.col("at").str.to_datetime()).write_parquet(folders[1] / "log.parquet")
    (folders[2] / "log.csv.zst").write_bytes(zstandard.compress(ROWS[:50].encode()) + zstandard.compress(ROWS[50:].encode()))
    write(folders[3], log__csv__gz=ROWS)
    write(folders[4], log__csv="\ufeff" + ROWS)

    assert [texts(ingested(folder, TURNS)) for folder in folders] == [SAID] * 5


@pytest.mark.parametrize("cut", [10, -1])
def test_a_truncated_zstandard_file_is_one_clear_error(tmp_path: Path, cut: int) -> None:
    folder = write(tmp_path / "in")
    (folder / "log.csv.zst").write_bytes(zstandard.compress(ROWS.encode() * 50)[:cut])

    with pytest.raises(SourceError, match=r"^log.csv.zst: the compressed data is cut off; fetch the file again$"):
        ingested(folder, TURNS)


def test_other_dialects_are_declared(tmp_path: Path) -> None:
    lines = "ticket;from;body;at\n81;c;'Wo ist, ''bitte'', die Größe; 42?\nDanke';2026-01-05\n".encode("cp1252")
    mapping = {**TURNS, "csv": {"delimiter": ";", "quote": "'", "encoding": "cp1252"}}

    assert texts(ingested(write(tmp_path / "in", log__csv=lines), mapping)) == {
        "81": ["customer: Wo ist, 'bitte', die Größe; 42?\nDanke"]
    }


def test_cells_keep_their_line_breaks(tmp_path: Path) -> None:
    table = ingested(write(tmp_path / "in", log__csv='question,answer\n"a\r\nb","c\n\nd"\n'), PAIRS)

    assert list(texts(table).values()) == [["customer: a\nb", "agent: c\n\nd"]]


def test_a_question_without_an_answer_is_unanswered(tmp_path: Path) -> None:
    table = ingested(write(tmp_path / "in", log__csv="question,answer\nHello?,\n"), PAIRS)

    assert list(texts(table).values()) == [["customer: Hello?"]]
    assert table.manifest.counts["empty_texts"] == 1


def test_what_a_row_says_of_its_conversation_is_mapped(tmp_path: Path) -> None:
    mapping: dict[str, Any] = {
        "channel": "via",
        "product": "shop",
        "topics": ["tag"],
        "customer": "who",
        "outcome": {"csat": {"at": "stars", "lowest": 1, "highest": 5}, "resolved": {"at": "done", "true_values": ["y"]}},
        "identifiers": {"customer": {"mail": "EMAIL_ADDRESS"}},
        "fixed": {"language": "en", "channel": "chat"},
        "ignore_columns": ["noise"],
    }
    lines = "question,answer,via,shop,tag,who,stars,done,mail,noise\nHi,Yes,,tents,size,7,4,y,Jo@example.com,x\n"

    row = rows(ingested(write(tmp_path / "in", log__csv=lines), {**PAIRS, **mapping}))[0]

    assert {name: row[name] for name in ("channel", "language", "product", "topics")} == {
        "channel": "chat",
        "language": "en",
        "product": "tents",
        "topics": ["size"],
    }
    assert row["outcome"] == {"resolved": True, "csat": 0.75, "reopened": None}
    assert row["participants"] == [
        {"person": row["customer_key"], "role": "customer", "kind": "EMAIL_ADDRESS", "value": "Jo@example.com"}
    ]


def test_a_rating_with_a_decimal_comma_is_a_number_and_one_that_is_none_is_refused(tmp_path: Path) -> None:
    mapping = {**PAIRS, "outcome": {"csat": {"at": "stars", "lowest": 1, "highest": 5}}, "csv": {"delimiter": ";"}}
    table = ingested(write(tmp_path / "in", log__csv="question;answer;stars\nHi;Yes;4,5\nHo;No;good\nHu;No;4,500\n"), mapping)

    assert [row["outcome"]["csat"] for row in rows(table)] == [0.875]
    assert quarantined(table) == [("log.csv", row, "unknown_value", "stars") for row in (2, 3)]


@pytest.mark.parametrize(
    ("lines", "reason"),
    [
        ("81,c,Hi,2026-01-05,tents\n81,c,Hi,2026-01-05,boots\n", ("contradicting_rows", "shop")),
        ("81,x,Hi,2026-01-05,tents\n81,c,Hi,2026-01-05,tents\n", ("unknown_speaker", "from")),
        ("81,c,Hi,yesterday,tents\n81,c,Hi,2026-01-05,tents\n", ("bad_time", "at")),
        ("81,c,Hi,,tents\n81,c,Hi,2026-01-05,tents\n", ("bad_time", "at")),
    ],
)
def test_rows_that_contradict_each_other_or_their_mapping_are_set_aside_together(
    tmp_path: Path, lines: str, reason: tuple[str, str]
) -> None:
    sound = "82,c,Hi,2026-01-05,tents\n"
    table = ingested(write(tmp_path / "in", log__csv="ticket,from,body,at,shop\n" + lines + sound), {**TURNS, "product": "shop"})

    assert list(texts(table)) == ["82"]
    assert quarantined(table) == [("log.csv", 1, *reason), ("log.csv", 2, *reason)]


def test_the_pairs_of_a_session_with_a_bot_are_one_conversation_in_the_order_of_their_times(tmp_path: Path) -> None:
    lines = (
        "id,question,answer,at\n7,And how?,By post.,2026-01-05 12:01:00\n7,Where?,Here.,2026-01-05 12:00:00\n"
        "8,Hm?,,2026-01-05 12:00:00\n"
    )
    pair = {**PAIRS["pair"], "asked_at": "at", "several": "join", "answered_by": "bot"}
    table = ingested(write(tmp_path / "in", log__csv=lines), {**PAIRS, "id": "id", "zone": "UTC", "pair": pair})

    assert texts(table) == {
        "7": ["customer: Where?", "bot: Here.", "customer: And how?", "bot: By post."], "8": ["customer: Hm?"],
    }  # fmt: skip


def test_a_pair_whose_id_stands_twice_in_a_file_is_set_aside(tmp_path: Path) -> None:
    table = ingested(write(tmp_path / "in", log__csv="id,question,answer\n7,a,b\n7,c,d\n8,e,f\n"), {**PAIRS, "id": "id"})

    assert list(texts(table)) == ["8"]
    assert quarantined(table) == [("log.csv", row, "repeated_id", "2 rows") for row in (1, 2)]


@pytest.mark.parametrize(
    ("change", "words"),
    [({"pair": PAIRS["pair"]}, "map either 'turn'"), ({"turn": None}, "map either 'turn'"), ({"id": None}, "'turn' needs 'id'")],
)
def test_a_mapping_that_is_neither_turns_nor_pairs_is_refused(change: dict[str, Any], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        params({**TURNS, **change})


CHATTED: Final = {
    "format": "table",
    "path": ".",
    "files": ["*.csv"],
    "id": "chat",
    "transcript": {"at": "said", "customer": ["Customer", "Client"], "agent": ["Agent"], "bot": ["Bot"]},
}


@pytest.mark.parametrize(
    ("cell", "turns"),
    [
        ("Customer: Hi\nIt: broke\nAgent: Which: part?", ["customer: Hi\nIt: broke", "agent: Which: part?"]),
        ("[12:03] client (Jo): Hi\n[12:04 PM] AGENT (Al) : Hello", ["customer: Hi", "agent: Hello"]),
        ("Client: It broke. Agent: Which part? Client: Poles", ["customer: It broke.", "agent: Which part?", "customer: Poles"]),
        ("**Bot:** Welcome\n\n**Customer:** Hi", ["bot: Welcome", "customer: Hi"]),
        ("Customer: I told your Agent: no\nAgent:\nAgent: Fine", ["customer: I told your Agent: no", "agent: Fine"]),
        ("Chat of Monday\nCustomer： Hi", ["customer: Hi"]),  # noqa: RUF001  # as typed in Japan and China
    ],
)  # fmt: skip
def test_a_cell_may_be_a_whole_conversation(cell: str, turns: list[str], tmp_path: Path) -> None:
    quoted = cell.replace('"', '""')

    assert texts(ingested(write(tmp_path / "in", log__csv=f'chat,said\n7,"{quoted}"\n'), CHATTED)) == {"7": turns}


NAMED: Final = {
    **CHATTED,
    "transcript": {"at": "said", "customer": ["Customer"], "agent": ["Agent", "Support"], "bot": ["Bot"], "others": "starter"},
}


@pytest.mark.parametrize(
    ("cell", "turns"),
    [
        ("Al Roe (Agent): Hello\nJane Fox: It broke\nat the seam.", ["agent: Hello", "customer: It broke\nat the seam."]),
        ("[10:02] Jane: Hi\n[10:03] Al: Hello\n[10:04] Jane: Bye", ["customer: Hi", "agent: Hello", "customer: Bye"]),
        ("Jane Fox: Hi\nAl Roe: Hello", ["customer: Hi", "agent: Hello"]),
        ("Jane: Hi\nOrder: 81\nAcme Support: Hm\nJane: Bye", ["customer: Hi\nOrder: 81", "agent: Hm", "customer: Bye"]),
        ("Shop Bot: Welcome\nAgent Al: Hello\njane_f: see https://example.com", ["bot: Welcome", "agent: Hello", "customer: see https://example.com"]),
    ],
)  # fmt: skip
def test_lines_of_a_conversation_may_begin_with_names(cell: str, turns: list[str], tmp_path: Path) -> None:
    table = ingested(write(tmp_path / "in", log__csv=f'chat,said\n7,"{cell}"\n'), NAMED)

    assert texts(table) == {"7": turns}


def test_names_before_a_colon_are_values_about_people_and_names_of_teams_are_not(tmp_path: Path) -> None:
    cell = "Jane Fox: Hi\nAl Roe (Agent): Hello\nAcme Support: Hm\nJane Fox: Bye"
    table = ingested(write(tmp_path / "in", log__csv=f'chat,said\n7,"{cell}"\n'), NAMED)

    assert sorted((each["role"], each["kind"], each["value"]) for each in rows(table)[0]["participants"]) == [
        ("agent", "PERSON", "Al Roe"), ("customer", "PERSON", "Jane Fox"),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("mapping", "cell"),
    [
        (NAMED, "Jane Fox: Hi\nIt broke\nAl Roe: Hello"),
        (CHATTED, "Customer: Hi\nAl Roe: Hello\nCustomer: Bye\nAl Roe: Bye"),
        (CHATTED, "[10:02] Customer: Hi\n[10:03] Al Roe: Hello"),
    ],
)
def test_a_conversation_where_nobody_says_who_answers_is_set_aside_and_not_one_turn(
    mapping: dict[str, Any], cell: str, tmp_path: Path
) -> None:
    table = ingested(write(tmp_path / "in", log__csv=f'chat,said\n6,"Customer: Hi"\n7,"{cell}"\n'), mapping)

    assert quarantined(table) == [("log.csv", 2, "unknown_speaker", "said")]


def test_what_stands_before_anybody_speaks_is_counted_and_a_cell_where_nobody_does_is_set_aside(tmp_path: Path) -> None:
    table = ingested(write(tmp_path / "in", log__csv='chat,said\n7,"Chat of Monday\nAgent: Hi"\n8,Hello\n9,\n'), CHATTED)

    assert texts(table) == {"7": ["agent: Hi"]}
    assert table.manifest.counts["texts_before_speakers"] == 1
    assert quarantined(table) == [("log.csv", 2, "unknown_speaker", "said")]
    assert [row["reason"] for row in rows(table, "dropped")] == ["no_messages"]


def test_an_entity_type_spelt_otherwise_is_refused_with_the_right_spelling(tmp_path: Path) -> None:
    mapping = {**PAIRS, "identifiers": {"customer": {"mail": "EMAIL"}}}
    with pytest.raises(ValidationError, match="EMAIL is spelt EMAIL_ADDRESS here"):
        ingested(write(tmp_path / "in", log__csv="question,answer,mail\nHi,Yes,Jo@example.com\n"), mapping)
