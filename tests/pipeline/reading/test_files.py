"""What programs write although no standard has it, and what it is read as."""

import json
from pathlib import Path
from typing import Any, Final

import pytest

from pipeline.doctor.diagnosis import diagnose
from pipeline.errors import SourceError
from pipeline.reading.csv_rows import Dialect
from pipeline.reading.cutting import Cut, cut
from pipeline.reading.drafts import ReceivedFile
from tests.pipeline.received import CHATS, PAIRS, TURNS, chat, ingested, quarantined, texts, write

CSV: Final = "ticket,from,body,at\n81,c,Where is it? é,2026-01-05 12:00:00\n81,a,It left.,2026-01-05 12:04:00\n"
SAID: Final = {"81": ["customer: Where is it? é", "agent: It left."]}
LINE: Final = json.dumps(chat(1, "Hi"))


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-32"])
def test_a_byte_order_mark_says_the_encoding_whatever_params_declare(encoding: str, tmp_path: Path) -> None:
    mapping = {**TURNS, "csv": {"encoding": "cp1252"}}

    assert texts(ingested(write(tmp_path / "in", log__csv=CSV.encode(encoding)), mapping)) == SAID


@pytest.mark.parametrize("encoding", ["utf-16", "utf-32"])
def test_json_lines_and_documents_may_be_in_utf_16(encoding: str, tmp_path: Path) -> None:
    content = {"one__jsonl": f"{LINE}\n".encode(encoding), "two__json": json.dumps([chat(2, "Ho")]).encode(encoding)}

    assert texts(ingested(write(tmp_path / "in", **content), CHATS)) == {"1": ["customer: Hi"], "2": ["customer: Ho"]}


def test_utf_16_without_a_mark_is_read_where_params_declare_it(tmp_path: Path) -> None:
    mapping = {**TURNS, "csv": {"encoding": "utf-16"}}

    assert texts(ingested(write(tmp_path / "in", log__csv=CSV.encode("utf-16-le")), mapping)) == SAID


@pytest.mark.parametrize("line", ["sep=,", '"sep=,"', "SEP=;"])
def test_the_line_that_tells_excel_its_separator_is_no_header(line: str, tmp_path: Path) -> None:
    assert texts(ingested(write(tmp_path / "in", log__csv=f"{line}\r\n{CSV}"), TURNS)) == SAID


def test_cells_that_mean_no_value_are_empty_where_params_name_them(tmp_path: Path) -> None:
    content = CSV + "81,a,NULL,2026-01-05 12:05:00\n81,c,null,2026-01-05 12:06:00\n"
    table = ingested(write(tmp_path / "in", log__csv=content), {**TURNS, "csv": {"nulls": ["NULL"]}})

    assert texts(table) == {"81": [*SAID["81"], "customer: null"]}
    assert table.manifest.counts["empty_texts"] == 1


@pytest.mark.parametrize(
    ("line", "said"),
    [
        (LINE.replace('"Hi"', '"Hi \\ud83d"'), "Hi \ufffd"),
        (LINE.replace('"Hi"', '"Hi\t!"'), "Hi\t!"),
        (LINE + ",", "Hi"),
        (LINE[:-1] + ', "score": NaN}', "Hi"),
    ],
    ids=["half a surrogate pair", "bare tab", "comma", "NaN"],
)
def test_json_that_can_mean_one_thing_only_is_read(line: str, said: str, tmp_path: Path) -> None:
    mapping = {**CHATS, "ignore_fields": ["score"]}

    assert texts(ingested(write(tmp_path / "in", log__jsonl=line + "\n"), mapping)) == {"1": [f"customer: {said}"]}


def test_documents_one_after_another_are_a_list(tmp_path: Path) -> None:
    content = "\n".join(json.dumps(chat(number, "Hi"), indent=1) for number in (1, 2))

    assert texts(ingested(write(tmp_path / "in", log__json=content), CHATS)) == {"1": ["customer: Hi"], "2": ["customer: Hi"]}


def test_two_records_in_one_line_are_a_bad_row(tmp_path: Path) -> None:
    table = ingested(write(tmp_path / "in", log__jsonl=f"{LINE}\n{LINE}{LINE}\n"), CHATS)

    assert quarantined(table) == [("log.jsonl", 2, "not_json", f"column {len(LINE) + 1}")]


def test_records_may_stand_by_their_ids(tmp_path: Path) -> None:
    mapping = {**{name: value for name, value in CHATS.items() if name != "id"}, "by_id": True, "ignore_fields": ["id"]}
    table = ingested(write(tmp_path / "in", log__json=json.dumps({"a.json": chat(1, "Hi"), "b.json": chat(2, "Ho")})), mapping)

    assert sorted(texts(table).values()) == [["customer: Hi"], ["customer: Ho"]]


@pytest.mark.parametrize(("name", "content"), [("log__txt", f"{LINE}\n"), ("log__txt", f"[{LINE}]"), ("log__dat", f"{LINE}\n")])
def test_an_ending_that_promises_nothing_is_looked_into(name: str, content: str, tmp_path: Path) -> None:
    mapping = {**CHATS, "files": ["log.*"]}

    assert texts(ingested(write(tmp_path / "in", **{name: content}), mapping)) == {"1": ["customer: Hi"]}


@pytest.mark.parametrize(
    ("name", "words"),
    [("log__xlsx", "is an Excel workbook; save each sheet as CSV UTF-8"), ("log__html", "is HTML; export it as JSON or CSV")],
)
def test_what_is_not_read_is_named_with_what_to_do(name: str, words: str, tmp_path: Path) -> None:
    mapping: dict[str, Any] = {**CHATS, "files": ["log.*"]}

    with pytest.raises(SourceError, match=words):
        ingested(write(tmp_path / "in", **{name: "x"}), mapping)


def test_a_column_that_stands_twice_is_refused_only_where_it_is_mapped(tmp_path: Path) -> None:
    twice = "ticket,from,body,at,note,note\n81,c,Where?,2026-01-05 12:00:00,x,y\n"
    folder = write(tmp_path / "in", log__csv=twice)

    assert texts(ingested(folder, {**TURNS, "ignore_columns": ["note"]})) == {"81": ["customer: Where?"]}
    with pytest.raises(SourceError, match="has two columns 'note'; rename one in the file"):
        ingested(folder, {**TURNS, "topics": ["note"]})


def test_columns_without_name_and_rows_without_content_behind_a_table_are_none(tmp_path: Path) -> None:
    lines = "ticket,question,answer,,\n81,Where?,Here.,,\n,,,,\n82,Where?,Here.\n83,Where?,Here.,,a remark\n"
    table = ingested(write(tmp_path / "in", log__csv=lines), {**PAIRS, "id": "ticket"})

    assert sorted(texts(table)) == ["81", "82"]
    assert quarantined(table) == [("log.csv", 3, "wrong_number_of_cells", "5 instead of 3")]


def test_a_header_in_the_midst_of_a_file_is_no_row_of_it(tmp_path: Path) -> None:
    lines = "ticket,question,answer\n81,Where?,Here.\nticket,question,answer\n82,Where?,Here.\n"
    table = ingested(write(tmp_path / "in", log__csv=lines), {**PAIRS, "id": "ticket"})

    assert sorted(texts(table)) == ["81", "82"]
    assert quarantined(table) == [("log.csv", 2, "header_again", "")]


REPORT: Final = "Export of all tickets\nmade on Monday\n\nticket;question;answer\n" + "".join(
    f"{n};Where is tent {n}?;It left on Monday, {n}.\n" for n in (81, 82, 83)
)


def test_what_stands_above_the_header_of_a_table_is_passed_over(tmp_path: Path) -> None:
    folder = write(tmp_path / "in", report__csv=REPORT)
    (found,) = diagnose(folder).sources

    assert found.mapping["csv"] == {"delimiter": ";", "skip_lines": 3}
    assert sorted(texts(ingested(folder, {**PAIRS, "id": "ticket", "csv": found.mapping["csv"]}))) == ["81", "82", "83"]


def test_a_row_is_cut_out_of_a_table_below_other_lines(tmp_path: Path) -> None:
    folder = write(tmp_path / "in", report__csv=REPORT)
    dialect = Dialect(delimiter=";", skip_lines=3)
    file = ReceivedFile(folder / "report.csv", "report.csv")

    assert cut(file, Cut(frozenset({2}), []), "csv", dialect, tmp_path / "left.csv") == 1
    assert (tmp_path / "left.csv").read_text("utf-8") == REPORT.replace(
        "82;Where is tent 82?;It left on Monday, 82.", "ticketmill:forgotten;;"
    )


@pytest.mark.parametrize("text", ["first\nNo comma here\nOne, two\nThree, four\nFive, six\n", "a,b\n1,2\n3,4\n"])
def test_a_table_that_begins_with_its_header_has_nothing_above_it(text: str, tmp_path: Path) -> None:
    assert "skip_lines" not in str(diagnose(write(tmp_path / "in", log__csv=text)).params())
