"""Exported chats of WhatsApp: the forms of several phones, messages over lines, and what WhatsApp itself puts in."""

# ruff: noqa: RUF001  # phones write the digits and letters of their scripts

import io
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import pytest

from pipeline.doctor.diagnosis import diagnose
from pipeline.errors import SourceError
from pipeline.sources.whatsapp import without
from tests.pipeline.received import ingested, quarantined, rows, texts

WHATSAPP: Final[Mapping[str, Any]] = {
    "format": "whatsapp",
    "path": ".",
    "files": ["*.txt"],
    "zone": "Europe/Berlin",
    "date_order": "day_first",
    "staff": ["Harbour"],
    "gap_minutes": 720,
}


def chat(tmp_path: Path, *lines: str) -> Path:
    folder = tmp_path / "in"
    folder.mkdir()
    (folder / "chat.txt").write_text("\n".join(lines) + "\n", "utf-8")
    return folder


@pytest.mark.parametrize(
    ("header", "order"),
    [
        ("[15/01/2026, 09:05:01] {}: ", "day_first"),
        ("[1/15/26, 9:05:01\u202fAM] {}: ", "month_first"),
        ("1/15/26, 9:05 AM - {}: ", "month_first"),
        ("15/1/26, 9:05 a. m. - {}: ", "day_first"),
        ("15.01.26, 09:05 - {}: ", "day_first"),
        ("15-01-2026 09:05 - {}: ", "day_first"),
        ("2026-01-15, 09:05 - {}: ", "year_first"),
        ("[9:05 AM, 1/15/2026] {}: ", "month_first"),
        ("[09:05, 15.1.2026] {}: ", "day_first"),
        ("09:05, 15/01/2026 - {}: ", "day_first"),
        ("\u200e[15.01.26, 09:05:01] ~\u202f{}: ", "day_first"),
    ],
)
def test_days_and_times_are_read_as_phones_of_several_languages_write_them(header: str, order: str, tmp_path: Path) -> None:
    folder = chat(tmp_path, f"{header.format('Jo Fox')}Where is it?", f"{header.format('Harbour')}On its way.")
    table = ingested(folder, {**WHATSAPP, "date_order": order})

    assert list(texts(table).values()) == [["customer: Where is it?", "agent: On its way."]]
    assert {str(turn["sent_at"])[:16] for turn in rows(table)[0]["turns"]} == {"2026-01-15 08:05"}


@pytest.mark.parametrize(
    ("header", "order"),
    [
        ("2024. 3. 5. 오후 2:03 - {}: ", "year_first"),
        ("[2024. 3. 5. 오후 2:03:04] {}: ", "year_first"),
        ("24. 3. 5. 오후 2:03 - {}: ", "year_first"),
        ("2024년 3월 5일 오후 2:03 - {}: ", "year_first"),
        ("٥/٣/٢٠٢٤، ٢:٠٣ م - {}: ", "day_first"),
        ("[٥\u200f/٣\u200f/٢٠٢٤، ٢:٠٣:٠٤ م] {}: ", "day_first"),
        ("\u200f٥/٣/٢٠٢٤، ٢:٠٣\u202fم - \u200f{}: ", "day_first"),
        ("05/03/2024, 2:03 مساءً - {}: ", "day_first"),
        ("2024/3/5 下午2:03 - {}: ", "year_first"),
        ("[2024/3/5 下午2:03:04] {}: ", "year_first"),
        ("2024年3月5日 14:03 - {}: ", "year_first"),
        ("2024/03/05 午後2:03 - {}: ", "year_first"),
        ("2024/03/05 14:03 - {}: ", "year_first"),
        ("2024. 03. 05. 14:03 - {}: ", "year_first"),
        ("[5.3.2024 klo 14.03.04] {}: ", "day_first"),
        ("5.03.24 г., 14:03 - {}: ", "day_first"),
        ("05/03/2024 à 14:03 - {}: ", "day_first"),
        ("5/3/24, 2:03 μ.μ. - {}: ", "day_first"),
        ("५/३/२४, २:०३ अपराह्न - {}: ", "day_first"),
        ("5/3/2567 14:03 - {}: ", "day_first"),
        ("۱۴۰۲/۱۲/۱۵، ۲:۰۳ ب.ظ. - {}: ", "year_first"),
    ],
)
def test_days_and_times_are_read_in_other_scripts_and_calendars_and_told_by_the_doctor(
    header: str, order: str, tmp_path: Path
) -> None:
    folder = chat(tmp_path, *(f"{header.format(who)}Where is it?" for who in ("Jo Fox", "Harbour", "Jo Fox")))
    (found,) = diagnose(folder).sources
    table = ingested(folder, {**WHATSAPP, "zone": "UTC", "date_order": order})

    assert list(texts(table).values()) == [["customer: Where is it?", "agent: Where is it?", "customer: Where is it?"]]
    assert {str(turn["sent_at"])[:16] for turn in rows(table)[0]["turns"]} == {"2024-03-05 14:03"}
    assert (found.format, found.read) == ("whatsapp", {"kept": 1})
    assert found.mapping["date_order"] == order or any(order in remark for remark in found.remarks)


@pytest.mark.parametrize(
    ("written", "hour"), [("오전 12:03", 0), ("오후 12:03", 12), ("오전 9:03", 9), ("上午11:03", 11), ("凌晨12:03", 0)]
)
def test_twelve_in_the_morning_is_the_first_hour(written: str, hour: int, tmp_path: Path) -> None:
    table = ingested(
        chat(tmp_path, f"2024. 3. 5. {written} - Jo Fox: Hi"), {**WHATSAPP, "date_order": "year_first", "zone": "UTC"}
    )

    assert rows(table)[0]["turns"][0]["sent_at"].hour == hour


@pytest.mark.parametrize("day", ["29/12/1402", "30/12/1403", "30/07/1403", "31/06/1403"])
def test_the_last_days_of_persian_months_are_days(day: str, tmp_path: Path) -> None:
    assert len(texts(ingested(chat(tmp_path, f"{day}, 14:03 - Jo Fox: Hi"), WHATSAPP))) == 1


@pytest.mark.parametrize("day", ["30/12/1402", "31/07/1403", "05/03/1445", "05/03/1999", "05/03/67"])
def test_a_day_of_no_known_calendar_is_set_aside(day: str, tmp_path: Path) -> None:
    folder = chat(tmp_path, "15.01.26, 09:05 - Jo Fox: Hi", f"{day}, 14:03 - Jo Fox: Hello")

    assert quarantined(ingested(folder, WHATSAPP)) == [("chat.txt", 2, "bad_time", "date_order")]


@pytest.mark.parametrize(
    ("line", "kind"),
    [
        ("<미디어 파일 제외됨>", "media_or_system"), ("<تم استبعاد الوسائط>", "media_or_system"),
        ("<省略多媒体文件>", "media_or_system"), ("<メディアは含まれていません>", "media_or_system"),
        ("bill.pdf (파일 첨부됨)", "media_or_system"), ("삭제된 메시지입니다.", "deleted"), ("تم حذف هذه الرسالة", "deleted"),
        ("此消息已删除", "deleted"), ("このメッセージは削除されました。", "deleted"),
    ],
)  # fmt: skip
def test_what_whatsapp_puts_in_is_counted_in_other_scripts_too(line: str, kind: str, tmp_path: Path) -> None:
    folder = chat(tmp_path, "15.01.26, 09:05 - Jo Fox: Hi", f"15.01.26, 09:06 - Jo Fox: {line}")
    table = ingested(folder, WHATSAPP)

    assert list(texts(table).values()) == [["customer: Hi"]]
    assert table.manifest.counts[f"events.{kind}"] == 1


def test_a_message_goes_on_over_lines_and_a_silence_begins_another_conversation(tmp_path: Path) -> None:
    folder = chat(
        tmp_path,
        "15.01.26, 09:05 - Jo Fox: Hello,",
        "",
        "my parcel: where is it?",
        "15.01.26, 09:06 - Harbour: On its way.",
        "18.01.26, 09:06 - Jo Fox: Still nothing",
    )

    assert sorted(texts(ingested(folder, WHATSAPP)).values()) == [
        ["customer: Hello,\n\nmy parcel: where is it?", "agent: On its way."],
        ["customer: Still nothing"],
    ]


def test_what_whatsapp_itself_puts_in_is_counted_and_no_turn(tmp_path: Path) -> None:
    folder = chat(
        tmp_path,
        "[15.01.26, 09:05:01] Harbour: \u200eMessages and calls are end-to-end encrypted.",
        "[15.01.26, 09:05:02] Jo Fox: \u200eimage omitted",
        "[15.01.26, 09:05:03] Jo Fox: Here it is <b> \u200e<This message was edited>",
        "[15.01.26, 09:05:04] Jo Fox: <Media omitted>",
        "[15.01.26, 09:05:05] Jo Fox: IMG-20260115-WA0001.jpg (file attached)",
        "the seam",
        "[15.01.26, 09:05:06] Jo Fox: This message was deleted",
        "[15.01.26, 09:05:07] Jo Fox added Kim",
        "[15.01.26, 09:05:08] Harbour: Seen, version 2.10 (the new one)",
    )
    table = ingested(folder, WHATSAPP)

    assert list(texts(table).values()) == [
        ["customer: Here it is <b>", "customer: the seam", "agent: Seen, version 2.10 (the new one)"]
    ]
    assert {name: n for name, n in table.manifest.counts.items() if name.startswith("events.")} == {
        "events.media_or_system": 4, "events.deleted": 1, "events.system": 1,
    }  # fmt: skip


def test_what_looks_like_a_mark_of_whatsapp_stays_where_a_customer_wrote_it(tmp_path: Path) -> None:
    folder = chat(
        tmp_path,
        "15.01.26, 09:05 - Jo Fox: the output is:",
        "null",
        "<script>",
        "15.01.26, 09:06 - Jo Fox: <jane.roe@example.com>",
        "15.01.26, 09:07 - Harbour: Seen",
    )
    said = ["customer: the output is:\nnull\n<script>", "customer: <jane.roe@example.com>", "agent: Seen"]
    assert list(texts(ingested(folder, WHATSAPP)).values()) == [said]


def test_messages_after_an_over_long_line_are_cut_by_the_numbers_they_were_read_by(tmp_path: Path) -> None:
    over_long = f"15.01.26, 09:05 - Jo Fox: {'x' * 5000}"
    folder = chat(tmp_path, over_long, "15.01.26, 09:06 - Harbour: Hi", "18.01.26, 09:06 - Kim: And?")
    table = ingested(folder, WHATSAPP, max_row_bytes=1024)
    received = (folder / "chat.txt").read_bytes()
    kept = {row["turns"][0]["text"]: row["source_row"] for row in rows(table)}
    pieces = list(without(io.BytesIO(received), {kept["And?"]}, None))
    assert b"Kim" not in b"".join(piece for piece, _ in pieces)
    assert kept == {"Hi": 2, "And?": 3}


def test_names_and_numbers_of_those_who_write_are_known_values(tmp_path: Path) -> None:
    folder = chat(tmp_path, "15.01.26, 09:05 - +1 212 555 0101: Hi", "15.01.26, 09:06 - Harbour: Hello")
    people = {(each["role"], each["kind"], each["value"]) for each in rows(ingested(folder, WHATSAPP))[0]["participants"]}

    assert people == {("customer", "PHONE_NUMBER", "+1 212 555 0101"), ("agent", "PERSON", "Harbour")}


def test_a_day_that_is_none_in_the_declared_order_is_set_aside(tmp_path: Path) -> None:
    folder = chat(tmp_path, "15.01.26, 09:05 - Jo Fox: Hi", "01.15.26, 09:06 - Jo Fox: Hello")

    assert quarantined(ingested(folder, WHATSAPP)) == [("chat.txt", 2, "bad_time", "date_order")]


def test_a_message_is_cut_out_of_a_chat_with_all_its_lines_and_the_others_keep_their_numbers(tmp_path: Path) -> None:
    lines = ["15.01.26, 09:05 - Jo Fox: Hello", "my number", "15.01.26, 09:06 - Harbour: Hi", "18.01.26, 09:06 - Kim: And mine?"]
    folder = chat(tmp_path, *lines)
    pieces = list(without(io.BytesIO((folder / "chat.txt").read_bytes()), {1, 3}, None))
    (folder / "chat.txt").write_bytes(b"".join(piece for piece, _ in pieces))
    table = ingested(folder, WHATSAPP)

    assert [is_mark for _, is_mark in pieces] == [True, True, False]
    assert [(row["source_row"], row["turns"][0]["text"]) for row in rows(table)] == [(4, "And mine?")]
    assert quarantined(table) == [("chat.txt", row, "forgotten", "") for row in (1, 3)]


@pytest.mark.parametrize(("more", "message"), [({"zone": None}, "declare zone in params"), ({}, "no line begins as a message")])
def test_what_is_no_chat_or_has_no_zone_is_one_clear_error(more: dict[str, Any], message: str, tmp_path: Path) -> None:
    with pytest.raises(SourceError, match=message):
        ingested(chat(tmp_path, "Dear Jo,", "hello"), {**WHATSAPP, **more}, on_bad_file="stop")
