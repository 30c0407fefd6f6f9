"""Ingest: received files of any shape become conversations, and every row of them ends in exactly one place."""

# ruff: noqa: E501  # a message stands whole, so that it can be compared and searched

import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from hashlib import sha256
from pathlib import Path
from typing import Any, Final

import orjson
import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pipeline import ingest
from pipeline.errors import ParamsError, SourceError, TableError
from pipeline.params import load_section
from pipeline.parts import Means
from pipeline.reading.assembling import FRAME_ROWS
from pipeline.tables import Table
from tests.build import KEY
from tests.pipeline.received import CHATS, PAIRS, TURNS, chat, ingested, params, quarantined, rows, texts, write

ROOT: Final = Path(__file__).parent.parent.parent
SHARED: Final = Path(os.environ.get("TICKETMILL_SHARED", ROOT.parent / "shared")) / "data"
TRUTH: Final = orjson.loads((ROOT / "tests/data/sample_truth.json").read_bytes())

HEAD: Final = "ticket,from,body,at\n"
FOUR: Final = HEAD + "".join(
    f"{ticket},{who},{body} of {ticket},2026-01-05 12:0{minute}:00\n"
    for ticket in ("81", "82", "83", "84")
    for minute, (who, body) in enumerate([("c", "question"), ("a", "answer"), ("c", "thanks")])
)


def frames(table: Table, *without: str) -> dict[str, str]:
    """Digest of every frame of every part, without some columns."""
    return {
        f"{frame}/{part.name}": sha256(table.read(part, frame).drop(without, strict=False).write_json().encode()).hexdigest()
        for part in table.manifest.parts
        for frame in part.files
    }


def files_of(table: Table) -> dict[str, bytes]:
    return {str(path.relative_to(table.folder)): path.read_bytes() for path in table.folder.rglob("*") if path.is_file()}


@pytest.mark.parametrize(
    ("name", "folder", "kept", "dropped", "counts"),
    [
        ("banking77", "banking77", 13_083, {}, {"turns_customer": 13_083, "rows_read": 13_083}),
        ("bitext_support_qa", "bitext_support_qa", 4514, {}, {"turns_customer": 4514, "turns_agent": 4514}),
        ("abcd_sample", "abcd_sample", 3, {}, {"turns_customer": 31, "turns_agent": 32, "events.action": 9}),
        (
            "zendesk_api",
            "ingest_formats/zendesk_api",
            100,
            {},
            {"turns_customer": 101, "turns_agent": 18, "private_notes": 2, "events.Change": 80, "events.Create": 8},
        ),
        (
            "star_dialogues",
            "star_dialogues",
            6205,
            {"no_messages": 447},
            {"turns_customer": 54_214, "turns_agent": 53_923, "rows_read": 6652, "events.request_suggestions": 58_357},
        ),
    ],
)
def test_the_example_mappings_yield_what_the_sets_hold(
    tmp_path: Path, name: str, folder: str, kept: int, dropped: Mapping[str, int], counts: Mapping[str, int]
) -> None:
    section = load_section(ingest.IngestParams, "ingest", [ROOT / "params.yaml", ROOT / f"examples/{name}.yaml"])

    manifest = ingest.run(SHARED / folder, tmp_path / "ingested", section, Means(KEY))

    assert (manifest.total("kept"), manifest.reasons, manifest.total("quarantined")) == (kept, dropped, 0)
    assert {count: manifest.counts[count] for count in counts} == counts


def test_issues_are_read_out_of_an_hour_of_github(tmp_path: Path) -> None:
    issue = {"url": "https://api.example.com/issues/1", "title": "Leak", "user": {"login": "jo_fox"}, "body": "My tent leaks."}
    at, repo = {"created_at": "2026-01-05T12:00:00Z"}, {"id": 1, "name": "acme/tents"}
    hour = [
        {"id": "1", "type": "PushEvent", "actor": {"login": "zed"}, "repo": repo, "payload": {"size": 1}, "public": True, **at},
        {"id": "2", "type": "IssueCommentEvent", "actor": {"login": "al_roe"}, "repo": repo, "public": True,
         "payload": {"action": "created", "issue": issue, "comment": {"body": "Where?"}}, "created_at": "2026-01-05T12:10:00Z"},
        {"id": "3", "type": "IssuesEvent", "actor": {"login": "jo_fox"}, "repo": repo, "public": True,
         "payload": {"action": "opened", "issue": issue}, **at},
    ]  # fmt: skip
    section = load_section(ingest.IngestParams, "ingest", [ROOT / "params.yaml", ROOT / "examples/github_archive.yaml"])
    ingest.run(write(tmp_path / "in", hour__json__gz=hour), tmp_path / "ingested", section, Means(KEY))

    assert list(texts(Table(tmp_path / "ingested")).values()) == [["customer: My tent leaks.", "agent: Where?"]]


def test_the_sample_is_read_as_its_answer_key_says(tmp_path: Path) -> None:
    section = load_section(ingest.IngestParams, "ingest", [ROOT / "params.yaml"])
    ingest.run(ROOT / "data/raw/received", tmp_path / "ingested", section, Means(KEY))
    table = Table(tmp_path / "ingested")
    found = rows(table)

    for source, truth in TRUTH.items():
        own = [row for row in found if row["source"] == source]
        speakers = [turn["speaker"] for row in own for turn in row["turns"]]
        assert len(own) == truth["conversations"]
        assert {speaker: speakers.count(speaker) for speaker in sorted(set(speakers))} == truth["turns"]
    bad = [(source, fault["file"]) for source, truth in TRUTH.items() for fault in truth["bad_rows"]]
    assert sorted((Path(file).parent.name, Path(file).name) for file, *_ in quarantined(table)) == sorted(bad)
    assert table.manifest.reasons == {"no_messages": sum(truth["without_message"] for truth in TRUTH.values())}


def test_what_a_zendesk_export_states_about_its_people_becomes_known(tmp_path: Path) -> None:
    section = load_section(ingest.IngestParams, "ingest", [ROOT / "params.yaml"])
    ingest.run(ROOT / "data/raw/received", tmp_path / "ingested", section, Means(KEY))
    known = {row["native_id"]: row["participants"] for row in rows(Table(tmp_path / "ingested"))}
    stated = ("IP_ADDRESS", "PHONE_NUMBER", "ORDER_NUMBER", "LOCATION")  # mail addresses stand in texts, too
    entries = [orjson.loads(line) for line in (ROOT / "tests/data/sample_values.jsonl").read_bytes().splitlines()]
    wanted = {
        (entry["native_id"], value["kind"], value["value"])
        for entry in entries
        if entry["source"] == "harbour_desk"
        for value in entry["values"]
        if value["kind"] in stated
    }

    found = {(native, person["kind"], person["value"]) for native, people in known.items() for person in people}

    assert len(wanted) > 500
    assert wanted - found == set()


def test_rows_of_a_conversation_may_be_scattered_over_the_file_in_any_order(tmp_path: Path) -> None:
    head, *lines = FOUR.splitlines()
    shuffled = random.Random(7).sample(lines, len(lines))
    first = ingested(write(tmp_path / "first", log__csv=FOUR), TURNS, rows_per_part=3)
    second = ingested(write(tmp_path / "second", log__csv="\n".join([head, *shuffled]) + "\n"), TURNS, rows_per_part=3)

    assert texts(first)["83"] == ["customer: question of 83", "agent: answer of 83", "customer: thanks of 83"]
    assert frames(first, "source_row") == frames(second, "source_row")


def test_equal_rows_without_an_id_stay_apart_whatever_their_order(tmp_path: Path) -> None:
    body = ["Hello?,Yes", "Hello?,Yes", "Bye,", "Hello?,Yes"]
    made = [
        ingested(write(tmp_path / str(place), log__csv="\n".join(["question,answer", *lines]) + "\n"), PAIRS, rows_per_part=2)
        for place, lines in enumerate([body, sorted(body)])
    ]

    assert [len(rows(table)) for table in made] == [4, 4]
    assert len({row["conversation_id"] for row in rows(made[0])}) == 4
    assert frames(made[0], "source_row") == frames(made[1], "source_row")
    assert [part.rows["kept"] for part in made[0].manifest.parts] == [2, 2]


def test_two_workers_make_the_bytes_that_one_makes(tmp_path: Path) -> None:
    files = {"a__csv": FOUR, "b__csv": FOUR.replace("8", "7"), "c__jsonl": b"not json\n" * 3 + b'{"ticket": 5}\n'}
    one = ingested(write(tmp_path / "one", **files), TURNS, rows_per_part=2)
    (tmp_path / "other").mkdir()
    two = ingested(write(tmp_path / "other/one", **files), TURNS, workers=2, rows_per_part=2)

    assert files_of(one) == files_of(two)
    assert len(one.manifest.parts) == 5


def test_a_part_holds_no_more_conversations_than_it_may(tmp_path: Path) -> None:
    table = ingested(write(tmp_path / "in", log__csv=FOUR), TURNS, rows_per_part=3)

    assert [part.rows["kept"] for part in table.manifest.parts] == [3, 1]


def test_a_part_of_large_conversations_holds_fewer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ingest, "BYTES_PER_PART", 20_000)
    large = [chat(number, f"Hello {number}? " + "x" * 8000) for number in range(7)]
    larger = chat(8, "Hello? " + "x" * 30_000)
    table = ingested(write(tmp_path / "in", log__jsonl=[*large, larger]), CHATS)

    assert sorted(texts(table)) == ["0", "1", "2", "3", "4", "5", "6", "8"]
    assert all(part.rows["kept"] <= 2 for part in table.manifest.parts)


def test_equal_rows_without_an_id_stay_apart_where_they_fill_several_parts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ingest, "BYTES_PER_PART", 100)
    table = ingested(
        write(tmp_path / "in", log__csv="question,answer\n" + "Hello?,Yes\n" * 9 + "Bye,\n" * 3), PAIRS, rows_per_part=2
    )

    assert len({row["conversation_id"] for row in rows(table)}) == 12


def test_a_new_file_leaves_the_parts_of_the_others_as_they_are(tmp_path: Path) -> None:
    folder = write(tmp_path / "in", b__csv=FOUR)
    before = ingested(folder, TURNS)
    inode = before.path(before.manifest.parts[0]).stat().st_ino

    after = ingested(write(folder, a__csv=FOUR.replace("8", "7")), TURNS)

    assert len(rows(after)) == 8
    assert after.path(after.manifest.parts[1]).stat().st_ino == inode


def test_what_other_code_has_read_is_read_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = write(tmp_path / "in", log__jsonl=[chat(1, "Hi")])
    before = {file.name for file in (ingested(folder, CHATS).folder / "units").iterdir()}
    monkeypatch.setattr(ingest, "code_digest", lambda: "other")
    after = {file.name for file in (ingested(folder, CHATS).folder / "units").iterdir()}

    assert len(before) == len(after) == 1
    assert not before & after


def test_a_conversation_that_is_delivered_again_takes_the_place_of_the_old_one(tmp_path: Path) -> None:
    again = HEAD + "82,c,corrected,2026-01-05 12:00:00\n"
    table = ingested(write(tmp_path / "in", day1__csv=FOUR, day2__csv=again), TURNS)

    assert texts(table)["82"] == ["customer: corrected"]
    assert [row[:3] for row in quarantined(table)] == [("day1.csv", row, "duplicate_id") for row in (4, 5, 6)]
    assert len({row["conversation_id"] for row in rows(table)}) == len(rows(table)) == 4


def test_a_delivery_that_grows_step_by_step_ends_as_if_it_had_come_at_once(tmp_path: Path) -> None:
    files = {"day1__csv": FOUR, "day2__csv": HEAD + "82,c,corrected,2026-01-05 12:00:00\n", "day3__csv": FOUR.replace("83", "93")}
    folder = tmp_path / "in"
    for name, content in files.items():
        step = ingested(write(folder, **{name: content}), TURNS, rows_per_part=2)
    (tmp_path / "other").mkdir()
    at_once = ingested(write(tmp_path / "other/in", **files), TURNS, rows_per_part=2)

    assert files_of(step) == files_of(at_once)


def test_a_conversation_without_a_message_is_dropped_and_its_events_are_counted(tmp_path: Path) -> None:
    silent = {"id": 7, "events": [{"type": "joined", "who": "visitor"}]}
    table = ingested(write(tmp_path / "in", log__jsonl=[silent, chat(8, "Hello?"), chat(9, " ")]), CHATS)

    assert table.manifest.reasons == {"no_messages": 2}
    assert table.manifest.counts == {
        "empty_texts": 1,
        "events.joined": 1,
        "rows_dropped": 2,
        "rows_kept": 1,
        "rows_quarantined": 0,
        "rows_read": 3,
        "turns_customer": 1,
    }


def test_people_become_keyed_hashes_and_their_ids_stay_out_of_every_key(tmp_path: Path) -> None:
    mapping = {**CHATS, "customer": "visitor", "identifiers": {"customer": {"name": "PERSON"}, "agent": {"staff": "PERSON"}}}
    record = chat(8, "Hello?", "Yes?", visitor="v1", name='"Jo Fox"', staff="null")
    row = rows(ingested(write(tmp_path / "in", log__jsonl=[record]), mapping))[0]

    assert row["customer_key"] == KEY.hash("person", "desk\0v1")
    assert row["conversation_id"] == f"desk-{KEY.hash('conversation', '8')}"
    assert row["participants"] == [{"person": row["customer_key"], "role": "customer", "kind": "PERSON", "value": "Jo Fox"}]


def test_a_bad_row_is_quarantined_and_the_others_are_read(tmp_path: Path) -> None:
    deep = b'{"id": 9, "events": ' + b"[" * 2000 + b"]" * 2000 + b"}"
    lines = [
        orjson.dumps(chat(1, "Hello?")),
        b"{cut off",
        b'{"id": 2, "events": [{"type": "message", "who": "visitor", "text": "\xff", "at": 1}]}',
        deep,
        orjson.dumps({"events": []}),
        b"[1, 2]",
        orjson.dumps(chat(3, "Hello?", mood="fine")),
        orjson.dumps(chat(4, "Hello?")).replace(b"visitor", b"kiosk"),
        orjson.dumps(chat(5, "Hello?")).replace(b"1767614400", b'"noon"'),
        orjson.dumps(chat(6, "Hello?")).replace(b"1767614400", b'"2026-01-05 12:00:00"'),
        orjson.dumps({"id": 7, "events": "none"}),
        b'{"id": 8, "events": [], "x": "' + b"x" * 10**6 + b'"}',
        orjson.dumps(chat(10, "Bye")),
    ]
    table = ingested(write(tmp_path / "in", log__jsonl=b"\n".join(lines)), CHATS)

    assert sorted(texts(table)) == ["1", "10"]
    assert quarantined(table) == [
        ("log.jsonl", 2, "not_json", "column 2"),
        ("log.jsonl", 3, "not_utf8", "byte 69"),
        ("log.jsonl", 4, "nested_too_deep", ""),
        ("log.jsonl", 5, "no_id", ""),
        ("log.jsonl", 6, "not_a_record", ""),
        ("log.jsonl", 7, "unknown_field", "mood"),
        ("log.jsonl", 8, "unknown_speaker", "who"),
        ("log.jsonl", 9, "bad_time", "at"),
        ("log.jsonl", 10, "no_time_zone", "at"),
        ("log.jsonl", 11, "unknown_field", "events"),
        ("log.jsonl", 12, "too_long", ""),
    ]


@pytest.mark.parametrize(
    ("mapping", "files"),
    [
        (CHATS, {"log__jsonl": [chat(1, "Hello?"), {**chat(2, "Hello?"), "jo.fox@example.com": 1}]}),
        ({**CHATS, "records": "chats"}, {"log__json": orjson.dumps({"jo.fox@example.com": 1, "chats": [chat(1, "Hello?")]})}),
        (TURNS, {"log__csv": FOUR, "more__csv": FOUR.replace("at\n", "at,jo.fox@example.com\n", 1)}),
        (TURNS, {"log__csv": FOUR, "more__jsonl": [{"jo.fox@example.com": 1}]}),
    ],
)
def test_a_mail_address_in_the_place_of_a_field_name_is_neither_printed_nor_stored(
    tmp_path: Path, mapping: Mapping[str, Any], files: Mapping[str, Any]
) -> None:
    try:
        said = str(quarantined(ingested(write(tmp_path / "in", **files), mapping, on_bad_file="quarantine")))
    except SourceError as error:
        said = str(error)

    assert "unknown" in said
    assert "jo.fox" not in said


def test_bad_rows_of_a_csv_are_quarantined_and_the_others_are_read(tmp_path: Path) -> None:
    body = b"81,c,Hello?,2026-01-05 12:00:00\n82,c\n83,c,M\xfcnchen,2026-01-05 12:00:00\n,c,Hello?,2026-01-05 12:00:00\n"
    table = ingested(write(tmp_path / "in", log__csv=HEAD.encode() + body), TURNS)

    assert sorted(texts(table)) == ["81"]
    assert quarantined(table) == [
        ("log.csv", 2, "wrong_number_of_cells", "2 instead of 4"),
        ("log.csv", 3, "not_utf8", ""),
        ("log.csv", 4, "no_id", ""),
    ]


def test_a_row_too_long_for_an_old_limit_is_read_once_the_limit_is_raised(tmp_path: Path) -> None:
    folder = write(tmp_path / "in", log__jsonl=[chat(1, "Hello?"), chat(2, "word " * 400)])
    assert [row[2] for row in quarantined(ingested(folder, CHATS, max_row_bytes=1000))] == ["too_long"]

    table = ingested(folder, CHATS, max_row_bytes=10_000)

    assert sorted(texts(table)) == ["1", "2"]
    assert quarantined(table) == []


def test_a_long_row_of_a_csv_is_set_aside_alone(tmp_path: Path) -> None:
    long = f"82,c,{'word ' * 400},2026-01-05 12:00:00\n"
    table = ingested(
        write(tmp_path / "in", log__csv=OK_CSV + long + OK_CSV[len(HEAD) :].replace("81", "83")), TURNS, max_row_bytes=1000
    )

    assert sorted(texts(table)) == ["81", "83"]
    assert quarantined(table) == [("log.csv", 2, "too_long", "")]


def test_a_long_last_row_of_a_csv_is_set_aside_alone(tmp_path: Path) -> None:
    table = ingested(write(tmp_path / "in", log__csv=f"{OK_CSV}82,c,{'x' * 2000}"), TURNS, max_row_bytes=1000)

    assert sorted(texts(table)) == ["81"]
    assert quarantined(table) == [("log.csv", 2, "too_long", "")]


def test_a_long_row_of_a_csv_with_a_quote_still_sets_the_file_aside(tmp_path: Path) -> None:
    for place in (f'"{"x" * 2000}', f'{"x" * 2000}"', f'"a\n{"x" * 2000}'):
        with pytest.raises(SourceError, match="a quote opened in row 2"):
            ingested(write(tmp_path / "in", log__csv=f"{OK_CSV}82,c,{place}"), TURNS, max_row_bytes=1000)


def test_one_turn_of_300_kilobytes_is_a_turn(tmp_path: Path) -> None:
    long = "word " * 60_000
    table = ingested(write(tmp_path / "in", log__jsonl=[chat(1, long)]), CHATS)

    assert texts(table)["1"] == [f"customer: {long.strip()}"]


def test_nul_bytes_leave_the_text_and_nothing_else_does(tmp_path: Path) -> None:
    table = ingested(write(tmp_path / "in", log__csv=HEAD + "81,c,Hel\0lo,2026-01-05 12:00:00\n"), TURNS)

    assert texts(table) == {"81": ["customer: Hello"]}


PNG: Final = b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR\x00\x00\x00\x01" + bytes(range(256)) * 20
OK_CSV: Final = HEAD + "81,c,Hello?,2026-01-05 12:00:00\n"


@pytest.mark.parametrize(
    ("mapping", "files", "message"),
    [
        (TURNS, {}, "{folder}: holds no files; put what was received there"),
        (TURNS, {"log__txt": "x"}, "{folder}: no file of source 'desk' (*.csv, *.csv.gz, *.csv.zst, *.jsonl, *.parquet below .); correct the mapping or remove the source"),
        (TURNS, {"log__csv": OK_CSV, "extra__pdf": "x", "more__pdf": "x"}, "{folder}: extra.pdf and 1 more: no source maps it; add it to ingest.sources, or to ignore in params"),
        (CHATS, {"log__jsonl": PNG}, "log.jsonl: none of its first 23 rows can be read (not_json, not_utf8); correct its format in params or fetch it again"),
        (CHATS, {"log__jsonl": FOUR}, "log.jsonl: none of its first 13 rows can be read (not_json); correct its format in params or fetch it again"),
        (CHATS, {"log__json": '{"id": 1, "events": ['}, "log.json: is not JSON at line 1, column 22; fetch the file again, or correct its format in params"),
        (CHATS, {"log__json": "[" * 2000 + "]" * 2000}, "log.json: is nested more than 1024 deep; fetch the file again, or correct its format in params"),
        (TURNS, {"log__csv": PNG}, "log.csv: has no header row in its first line; is it a CSV in utf-8?"),
        (TURNS, {"log__csv": ""}, "log.csv: is empty; fetch it again or ignore it"),
        (TURNS, {"log__csv": OK_CSV.replace("body", "note")}, "log.csv: has no column 'body'; correct the mapping in params"),
        (TURNS, {"log__csv": OK_CSV.replace("at\n", "at,mail\n", 1)}, "log.csv: unknown column 'mail'; map it or list it in ignore_columns"),
        (TURNS, {"log__csv": FOUR + '85,c,"never closed,2026-01-05 12:00:00\n86,c,x,2026-01-05 12:00:00\n'}, "log.csv: a quote opened in row 13 (line 14) is never closed or closes inside a cell; mend that row, or correct the csv dialect in params"),
        (TURNS, {"log__csv": FOUR + '85,c,"never closed,y\n86,c,"x",2026-01-05 12:00:00\n'}, "log.csv: a quote opened in row 13 (line 14) is never closed or closes inside a cell; mend that row, or correct the csv dialect in params"),
        (TURNS, {"log__parquet": "no parquet"}, "log.parquet: is not a Parquet file, or is cut off; fetch it again"),
        (TURNS, {"log__jsonl": ""}, "source 'desk': its 1 files hold no rows; fetch them again or remove the source"),
        (CHATS, {"log__jsonl": [{"id": 1, "events": [], "mood": "fine"}]}, "source 'desk': not one of its 1 rows can be read; the first, log.jsonl row 1, unknown_field: mood; correct the mapping in params"),
    ],
)  # fmt: skip
def test_a_source_that_cannot_be_read_is_one_clear_error(
    tmp_path: Path, mapping: Mapping[str, Any], files: Mapping[str, Any], message: str
) -> None:
    folder = write(tmp_path / "in", **files)

    with pytest.raises(SourceError) as error:
        ingested(folder, mapping)

    assert str(error.value).startswith(message.format(folder=folder))
    assert not (tmp_path / "in_ingested").exists()


def test_a_missing_source_folder_is_named(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match=r"/nowhere: no such folder; name the folder that holds what was received$"):
        ingested(tmp_path / "nowhere", TURNS)


@pytest.mark.parametrize("cut", [12, 60, -9, -1])
def test_a_truncated_gzip_is_one_clear_error(tmp_path: Path, cut: int) -> None:
    folder = write(tmp_path / "in", log__csv__gz=FOUR)
    whole = (folder / "log.csv.gz").read_bytes()
    (folder / "log.csv.gz").write_bytes(whole[:cut])

    with pytest.raises(SourceError, match=r"^log.csv.gz: the compressed data is cut off; fetch the file again$"):
        ingested(folder, TURNS)


def test_two_sources_may_not_map_the_same_file(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match=r"log.csv: two sources map it, 'desk' and 'shop'; leave it to one$"):
        ingested(write(tmp_path / "in", log__csv=FOUR), sources={"desk": TURNS, "shop": TURNS})


def test_a_zone_that_does_not_exist_is_named(tmp_path: Path) -> None:
    with pytest.raises(ParamsError, match=r"^zone 'Mars/North' is not an IANA time zone; write it as Europe/Berlin or UTC$"):
        ingested(write(tmp_path / "in", log__csv=FOUR), {**TURNS, "zone": "Mars/North"})


def test_one_corrupt_file_is_set_aside_until_it_is_mended(tmp_path: Path) -> None:
    folder = write(tmp_path / "in", a__csv=FOUR, b__csv__gz=FOUR.replace("8", "7"))
    whole = (folder / "b.csv.gz").read_bytes()
    (folder / "b.csv.gz").write_bytes(whole[:-20])
    before = ingested(folder, TURNS)
    assert quarantined(before) == [
        ("b.csv.gz", 0, "unreadable_file", "b.csv.gz: the compressed data is cut off; fetch the file again")
    ]
    assert len(rows(before)) == 4

    (folder / "b.csv.gz").write_bytes(whole)
    after = ingested(folder, TURNS)

    assert (len(rows(after)), quarantined(after)) == (8, [])


def test_one_corrupt_file_stops_the_run_where_params_say_so(tmp_path: Path) -> None:
    folder = write(tmp_path / "in", a__csv=FOUR, b__csv=OK_CSV + '"')

    with pytest.raises(SourceError, match=r"^b.csv: a quote opened in row 2 \(line 3\)"):
        ingested(folder, TURNS, on_bad_file="stop")


LINES: Final = st.one_of(
    st.builds(lambda number, text: orjson.dumps(chat(number, text)), st.integers(0, 5), st.text(max_size=20)),
    st.binary(max_size=30),
    st.sampled_from(
        [b"{}", b'{"id": 1}', b'{"id": null, "events": []}', b"[]", b"null", b'{"id": 2, "events": [7, null, [], {}]}']
    ),
)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(lines=st.lists(LINES, max_size=12))
def test_nothing_vanishes_whatever_the_lines_are(tmp_path_factory: pytest.TempPathFactory, lines: list[bytes]) -> None:
    lines = [line.replace(b"\n", b" ").replace(b"\r", b" ") for line in [*lines, orjson.dumps(chat(99, "Hello?"))]]
    folder = write(tmp_path_factory.mktemp("any") / "in", log__jsonl=b"\n".join(lines))

    table = ingested(folder, CHATS, rows_per_part=2)

    counts = table.manifest.counts
    read = sum(1 for line in lines if line.strip())
    assert counts["rows_read"] == read
    assert counts["rows_kept"] + counts["rows_dropped"] + len(quarantined(table)) == read
    ids = [row["conversation_id"] for frame in ("kept", "dropped") for row in rows(table, frame)]
    assert len(ids) == len(set(ids))


RUN: Final = """
import sys; from pathlib import Path
from pipeline import ingest; from pipeline.parts import Means; from tests.build import KEY; from tests.pipeline.received import TURNS, params
if __name__ == "__main__":
    ingest.run(Path(sys.argv[1]), Path(sys.argv[2]), params(TURNS, rows_per_part=500), Means(KEY, 2))
"""


def test_a_run_killed_at_any_moment_is_taken_up_by_the_next_and_ends_the_same(tmp_path: Path) -> None:
    many = HEAD + "".join(f"{number},c,question {number},2026-01-05 12:00:00\n" for number in range(12_000))
    folder = write(tmp_path / "in", a__csv=many, b__csv=many.replace("question", "again"))
    whole = ingested(folder, TURNS, rows_per_part=500)
    target = tmp_path / "killed/in_ingested"
    for delay in (0.5, 0.8, 1.1, 1.5):
        process = subprocess.Popen([sys.executable, "-c", RUN, folder, target], cwd=ROOT, stderr=subprocess.DEVNULL)
        time.sleep(delay)
        process.send_signal(signal.SIGKILL)
        process.wait()

    ingest.run(folder, target, params(TURNS, rows_per_part=500), Means(KEY))

    assert files_of(Table(target)) == files_of(whole)
    assert [path.name for path in target.parent.iterdir()] == ["in_ingested"]


def test_a_full_disk_is_one_clear_error_and_the_next_run_goes_on(tmp_path: Path) -> None:
    folder, target = write(tmp_path / "in", log__csv=FOUR), tmp_path / "in_ingested"
    [unit] = ingest.plan(folder, params(TURNS), KEY)
    spill = tmp_path / ".in_ingested.unfinished" / ingest.SPILLS / f"{unit.key}.writing"
    spill.parent.mkdir(parents=True)
    spill.symlink_to("/dev/full")  # every write to it fails with ENOSPC

    with pytest.raises(TableError, match=r"_spill: the disk is full; free some space and run again, finished parts are kept$"):
        ingested(folder, TURNS)

    assert not target.exists()
    assert len(rows(ingested(folder, TURNS))) == 4


def test_no_frame_of_python_objects_grows_with_the_part(tmp_path: Path) -> None:
    many = HEAD + "".join(f"{number},c,question,2026-01-05 12:00:00\n" for number in range(2 * FRAME_ROWS + 1))
    table = ingested(write(tmp_path / "in", log__csv=many), TURNS, rows_per_part=10_000)

    assert table.read(table.manifest.parts[0])["conversation_id"].is_sorted()
    assert pl.concat([table.read(part) for part in table.manifest.parts]).height == 2 * FRAME_ROWS + 1
