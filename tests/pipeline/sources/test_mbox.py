"""Mailboxes and single mails become threads; whatever a mail holds, it is accounted for and never a traceback."""

import os
import random
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import pytest

from pipeline.errors import SourceError
from pipeline.mail.message import NotAMail, read_body, read_head
from tests.pipeline.received import ingested, rows, texts

MBOX: Final[Mapping[str, Any]] = {
    "format": "mbox",
    "path": ".",
    "files": ["*.mbox"],
    "join": "source",
    "staff": {"domains": ["harbour.example"]},
    "subject": "leave",
    "undated": "refuse",
    "thread_gap_days": 30,
    "clean_mail": True,
}
EML: Final = {**MBOX, "format": "eml", "files": ["*.eml"]}
SHARED: Final = Path(os.environ.get("TICKETMILL_SHARED", Path(__file__).parents[4] / "shared"))
JO: Final = "Jo Fox <jo.fox@example.com>"
DESK: Final = "Harbour Support <support@harbour.example>"


def mail(number: int, sender: str, to: str, text: str, *more: str, subject: str = "Where is it?", date: str = "") -> bytes:
    when = date or f"Mon, 5 Jan 2026 12:{number:02}:00 +0100"
    head = [f"From: {sender}", f"To: {to}", f"Message-ID: <{number}@example.com>", f"Date: {when}", f"Subject: {subject}", *more]
    return ("\n".join(head) + f"\n\n{text}\n").encode()


def mbox(folder: Path, name: str, mails: Sequence[bytes]) -> None:
    folder.mkdir(exist_ok=True)
    (folder / name).write_bytes(b"\n".join(b"From x@example.com Mon Jan  5 12:00:00 2026\n" + each for each in mails))


def test_a_thread_is_told_by_the_ids_its_mails_name_over_several_mailboxes(tmp_path: Path) -> None:
    folder = tmp_path / "received"
    mbox(folder, "inbox.mbox", [mail(1, JO, DESK, "Where is it?"), mail(9, "Kim <kim@example.com>", DESK, "Mine too.")])
    mbox(folder, "sent.mbox", [mail(2, DESK, JO, "On its way.", "In-Reply-To: <1@example.com>", subject="Re: Where is it?")])

    assert sorted(texts(ingested(folder, MBOX)).values()) == [
        ["customer: Mine too."],
        ["customer: Where is it?", "agent: On its way."],
    ]


def test_a_reply_that_names_no_id_joins_by_subject_and_customer_within_the_gap(tmp_path: Path) -> None:
    folder = tmp_path / "received"
    late = mail(4, JO, DESK, "Still nothing.", subject="Re: Where is it?", date="Mon, 6 Jul 2026 12:00:00 +0100")
    other = mail(3, "Kim <kim@example.com>", DESK, "And mine?", subject="Re: Where is it?")
    answer = mail(2, DESK, JO, "On its way.", subject="AW: [Ticket 7] Where is it?")
    mbox(folder, "all.mbox", [late, other, answer, mail(1, JO, DESK, "Where is it?")])

    assert sorted(texts(ingested(folder, MBOX)).values()) == [
        ["customer: And mine?"],
        ["customer: Still nothing."],
        ["customer: Where is it?", "agent: On its way."],
    ]


def test_the_order_of_the_mails_and_a_second_copy_change_nothing(tmp_path: Path) -> None:
    mails = [mail(1, JO, DESK, "One"), mail(2, DESK, JO, "Two", "References: <1@example.com>"), mail(3, JO, DESK, "Three")]
    mbox(tmp_path / "a", "all.mbox", mails)
    mbox(tmp_path / "b", "all.mbox", [*reversed(mails), mails[0]])

    ahead, back = (rows(ingested(tmp_path / name, MBOX)) for name in "ab")

    places = ("source_file", "source_row")
    assert [{k: v for k, v in row.items() if k not in places} for row in ahead] == [
        {k: v for k, v in row.items() if k not in places} for row in back
    ]


@pytest.mark.parametrize(
    ("header", "kind"),
    [
        ("Auto-Submitted: auto-replied", "auto_reply"),
        ("X-Autoreply: yes", "auto_reply"),
        ("Precedence: auto_reply", "auto_reply"),
        ("Content-Type: multipart/report; report-type=delivery-status; boundary=x", "bounce"),
        ("Content-Type: multipart/report; report-type=disposition-notification; boundary=x", "read_receipt"),
        ("Content-Type: text/calendar; method=REQUEST", "calendar"),
        ("X-Spam-Flag: YES", "spam"),
        ("Precedence: bulk", "bulk"),
    ],
)
def test_mail_of_machines_is_no_turn_and_a_thread_of_nothing_else_is_dropped_by_its_kind(
    tmp_path: Path, header: str, kind: str
) -> None:
    folder = tmp_path / "received"
    reply = mail(2, "Kim <kim@example.com>", DESK, "I am away.", header, "In-Reply-To: <1@example.com>")
    mbox(folder, "all.mbox", [mail(1, JO, DESK, "Hello"), reply, mail(3, "Lee <lee@example.com>", DESK, "x", header)])

    table = ingested(folder, MBOX)

    assert list(texts(table).values()) == [["customer: Hello"]]
    assert [row["reason"] for row in rows(table, "dropped")] == [kind]
    assert table.manifest.parts[0].counts[f"mails.{kind}"] == 2


SAM: Final = "Sam <sam@harbour.example>"
KIM: Final = "Kim <kim@harbour.example>"


def counts_of(folder: Path) -> dict[str, int]:
    return dict(ingested(folder, MBOX).manifest.parts[0].counts)


@pytest.mark.parametrize("more", ["X-Nothing: 1", "Cc: support@harbour.example", "Reply-To: kim@harbour.example"])
def test_what_staff_write_to_staff_alone_is_no_turn_of_the_customers_thread_and_is_counted(tmp_path: Path, more: str) -> None:
    folder = tmp_path / "received"
    note = mail(2, KIM, SAM, "He is a difficult one.", "In-Reply-To: <1@example.com>", more)
    answer = mail(3, SAM, JO, "On its way.", "Cc: support@harbour.example", "In-Reply-To: <2@example.com>")
    mbox(folder, "all.mbox", [mail(1, JO, DESK, "Where is it?"), note, answer])

    assert list(texts(ingested(folder, MBOX)).values()) == [["customer: Where is it?", "agent: On its way."]]
    assert counts_of(folder)["mails.internal"] == 1
    assert {"Kim", "kim@harbour.example"} <= {each["value"] for each in rows(ingested(folder, MBOX))[0]["participants"]}


@pytest.mark.parametrize("to", ["To", "Cc"])
def test_an_answer_to_a_customer_behind_many_of_the_staff_is_an_answer(tmp_path: Path, to: str) -> None:
    folder = tmp_path / "received"
    everybody = ",\n ".join([*(f"Team {n} <staff{n}@harbour.example>" for n in range(900)), JO])
    answer = mail(2, SAM, DESK, "On its way.", "In-Reply-To: <1@example.com>").replace(
        b"To: ", f"{to}: {everybody},\n ".encode(), 1
    )
    mbox(folder, "all.mbox", [mail(1, JO, DESK, "Where is it?"), answer])

    assert list(texts(ingested(folder, MBOX)).values()) == [["customer: Where is it?", "agent: On its way."]]
    assert "mails.internal" not in counts_of(folder)


def test_a_thread_among_staff_alone_is_dropped_as_internal_and_one_of_a_program_to_staff_too(tmp_path: Path) -> None:
    folder = tmp_path / "received"
    robot = mail(3, "Desk <noreply@harbour.example>", SAM, "A ticket is yours.", subject="Assigned")
    lunch = [mail(1, KIM, SAM, "Lunch?", subject="Lunch"), mail(2, SAM, KIM, "Yes", "In-Reply-To: <1@example.com>")]
    mbox(folder, "all.mbox", [*lunch, robot, mail(4, JO, DESK, "Hello")])

    table = ingested(folder, {**MBOX, "staff": {**MBOX["staff"], "bots": ["noreply@harbour.example"]}})

    assert list(texts(table).values()) == [["customer: Hello"]]
    assert [row["reason"] for row in rows(table, "dropped")] == ["internal", "internal"]


def test_a_forward_of_the_customers_own_to_the_desk_is_the_customers(tmp_path: Path) -> None:
    folder = tmp_path / "received"
    mbox(folder, "all.mbox", [mail(1, JO, DESK, "See below.", subject="Fwd: Where is it?")])

    assert list(texts(ingested(folder, MBOX)).values()) == [["customer: See below."]]


@pytest.mark.parametrize("sender", ["Contact form <web@harbour.example>", "'Jo Fox' via Support <support@harbour.example>"])
def test_a_form_or_a_group_that_writes_in_a_customers_place_is_told_by_where_answers_go(tmp_path: Path, sender: str) -> None:
    folder = tmp_path / "received"
    form = mail(1, sender, DESK, "Where is it?", f"Reply-To: {JO}")
    mbox(folder, "all.mbox", [form, mail(2, SAM, JO, "On its way.", "In-Reply-To: <1@example.com>")])

    assert list(texts(ingested(folder, MBOX)).values()) == [["customer: Where is it?", "agent: On its way."]]


@pytest.mark.parametrize("to", ["", "undisclosed-recipients:;"])
def test_a_mail_of_staff_that_says_nobody_it_is_to_is_left_out_where_other_mails_of_its_thread_say_so(
    tmp_path: Path, to: str
) -> None:
    folder = tmp_path / "received"
    hidden = mail(2, SAM, to, "All of you: it is late.", "In-Reply-To: <1@example.com>")
    hidden = hidden if to else hidden.replace(b"To: \n", b"", 1)
    mbox(folder, "all.mbox", [mail(1, JO, DESK, "Where is it?"), hidden])

    assert list(texts(ingested(folder, MBOX)).values()) == [["customer: Where is it?"]]
    assert counts_of(folder)["mails.undisclosed"] == 1


def test_in_an_archive_that_says_of_no_mail_whom_it_is_to_staff_answer(tmp_path: Path) -> None:
    folder = tmp_path / "received"
    mails = [mail(1, JO, "", "Where is it?"), mail(2, SAM, "", "On its way.", "In-Reply-To: <1@example.com>")]
    mbox(folder, "all.mbox", [each.replace(b"To: \n", b"", 1) for each in mails])

    assert list(texts(ingested(folder, MBOX)).values()) == [["customer: Where is it?", "agent: On its way."]]


def test_names_and_addresses_of_everybody_are_known_values_and_a_shared_mailbox_is_no_person(tmp_path: Path) -> None:
    folder = tmp_path / "received"
    mbox(folder, "all.mbox", [mail(1, JO, DESK, "Hello", "Cc: =?utf-8?q?Zo=C3=AB?= <zoe@example.com>")])

    people = {(each["role"], each["kind"], each["value"]) for each in rows(ingested(folder, MBOX))[0]["participants"]}

    assert people == {
        ("customer", "EMAIL_ADDRESS", "jo.fox@example.com"),
        ("customer", "PERSON", "Jo Fox"),
        ("customer", "EMAIL_ADDRESS", "zoe@example.com"),
        ("customer", "PERSON", "Zoë"),
        ("agent", "EMAIL_ADDRESS", "support@harbour.example"),
        ("agent", "ORGANIZATION", "Harbour Support"),
    }


def test_a_time_without_a_zone_is_refused_or_read_in_the_declared_one(tmp_path: Path) -> None:
    folder = tmp_path / "received"
    mbox(folder, "all.mbox", [mail(1, JO, DESK, "A"), mail(2, JO, DESK, "B", date="Mon, 5 Jan 2026 12:00:00")])

    refused = ingested(folder, MBOX)
    assert [(row["source_row"], row["reason"]) for row in rows(refused, "quarantined")] == [(2, "no_time_zone")]

    declared = ingested(folder, {**MBOX, "zone": "Europe/Berlin"})
    assert {str(turn["sent_at"]) for row in rows(declared) for turn in row["turns"]} == {
        "2026-01-05 11:01:00+00:00",
        "2026-01-05 11:00:00+00:00",
    }


def test_an_escaped_from_line_is_text_and_a_bare_one_in_a_text_begins_no_mail(tmp_path: Path) -> None:
    folder = tmp_path / "received"
    mbox(folder, "all.mbox", [mail(1, JO, DESK, "Look:\n\n>From the shop\n\nFrom there to here.")])

    assert list(texts(ingested(folder, MBOX)).values()) == [["customer: Look:\n\nFrom the shop\n\nFrom there to here."]]


def test_a_file_that_is_no_mailbox_is_one_clear_error_and_the_others_are_read(tmp_path: Path) -> None:
    folder = tmp_path / "received"
    mbox(folder, "good.mbox", [mail(1, JO, DESK, "Hello")])
    (folder / "bad.mbox").write_bytes(b"PK\x03\x04 nothing of the kind")

    with pytest.raises(SourceError, match=r"^bad\.mbox: does not begin with a line 'From ' as an mbox does"):
        ingested(folder, MBOX, on_bad_file="stop")

    table = ingested(folder, MBOX)
    assert list(texts(table).values()) == [["customer: Hello"]]
    assert [(row["source_file"], row["reason"]) for row in rows(table, "quarantined")] == [("bad.mbox", "unreadable_file")]


def test_a_mail_longer_than_a_row_keeps_its_text_and_loses_only_what_comes_last(tmp_path: Path) -> None:
    folder = tmp_path / "received"
    long = mail(
        1, JO, DESK, "--x\nContent-Type: text/plain\n\nThe words.\n--x\nContent-Type: image/png\n\n" + ("A" * 70 + "\n") * 700
    )
    mbox(folder, "all.mbox", [long.replace(b"\nDate", b'\nContent-Type: multipart/mixed; boundary="x"\nDate')])

    table = ingested(folder, MBOX, max_row_bytes=5000)

    assert list(texts(table).values()) == [["customer: The words."]]
    assert table.manifest.parts[0].counts["cut_mails"] == 1


HEAD: Final = b"From: jo@example.com\nDate: Mon, 5 Jan 2026 12:00:00 +0100\n"


@pytest.mark.parametrize(
    ("raw", "text"),
    [
        (b"Content-Type: text/plain; charset=iso-8859-1\n\ncaf\xe9", "café"),
        (b"Content-Type: text/plain; charset=x-unknown\n\ncaf\xc3\xa9", "café"),
        (b"Content-Type: text/plain; charset=us-ascii\n\ncaf\xe9 \x80", "café €"),
        (b"Content-Type: text/plain; charset=shift_jis\n\n\x83\x89\x83\x93\x83v", "ランプ"),
        (b"Content-Transfer-Encoding: base64\n\nSGVsbG8=", "Hello"),
        (b"Content-Transfer-Encoding: base64\n\nSGVsbG8", "Hello"),
        (b"Content-Transfer-Encoding: quoted-printable\n\nHel=\nlo =41", "Hello A"),
        (b"Content-Type: text/plain; format=flowed\n\nOne \ntwo\nthree", "One two\nthree"),
        (
            b"Content-Type: multipart/alternative; boundary=b\n\n--b\n\nplain\n--b\nContent-Type: text/html\n\n<p>html\n--b--",
            "plain",
        ),
        (
            b"Content-Type: multipart/alternative; boundary=b\n\n--b\n\n \n--b\nContent-Type: text/html\n\n<p>html\n--b--",
            "<p>html",
        ),
        (
            b"Content-Type: multipart/mixed; boundary=b\n\n--b\n\none\n--b\nContent-Disposition: attachment\n\nsecret\n--b--",
            "one",
        ),
        (b"Content-Type: text/plain; charset=idna\n\nHello", "Hello"),
    ],
)
def test_charsets_encodings_and_parts_are_read_as_a_reader_would_see_them(raw: bytes, text: str) -> None:
    assert read_body(read_head(HEAD + raw)[0]).text.strip() == text


def test_an_attachment_is_counted(tmp_path: Path) -> None:
    folder = tmp_path / "received"
    folder.mkdir()
    part = b"--b\n\none\n--b\nContent-Type: text/plain\nContent-Disposition: attachment\n\nsecret\n--b--"
    (folder / "a.eml").write_bytes(HEAD + b"Content-Type: multipart/mixed; boundary=b\n\n" + part)

    table = ingested(folder, EML)

    assert list(texts(table).values()) == [["customer: one"]]
    assert table.manifest.parts[0].counts["attachments"] == 1


@pytest.mark.parametrize("depth", [50, 3000])
def test_parts_nested_without_end_are_no_traceback(depth: int) -> None:
    nested = b"".join(b"Content-Type: multipart/mixed; boundary=b%d\n\n--b%d\n" % (n, n) for n in range(depth))
    try:
        read_body(read_head(HEAD + nested + b"\n\nHello")[0])
    except NotAMail:
        assert depth == 3000


def mutated(raw: bytes, seed: int) -> bytes:
    draw = random.Random(seed)
    match seed % 4:
        case 0:
            return raw[: draw.randrange(len(raw))]
        case 1:
            changed = bytearray(raw)
            for _ in range(draw.randrange(1, 30)):
                changed[draw.randrange(len(changed))] ^= 1 << draw.randrange(8)
            return bytes(changed)
        case 2:
            return raw.decode("utf-8", "replace").encode(draw.choice(["utf-16", "latin-1", "cp1251", "utf-7"]), "replace")
        case _:
            lines = raw.split(b"\n")
            draw.shuffle(lines)
            return b"\n".join(lines)


def mutants(shared: Path, number: int) -> dict[str, bytes]:
    seeds = [path.read_bytes() for path in sorted((shared / "data/ingest_formats/email_replies/eml").glob("*.eml"))]
    return {f"{n:05}.eml": mutated(seeds[n % len(seeds)], n) for n in range(number)}


def test_400_mutated_mails_are_each_accounted_for(tmp_path: Path) -> None:
    folder = tmp_path / "received"
    folder.mkdir()
    for name, raw in mutants(SHARED, 400).items():
        (folder / name).write_bytes(raw)

    counts: dict[str, int] = {}
    for part in ingested(folder, {**EML, "undated": "keep", "zone": "UTC"}).manifest.parts:
        for name, count in part.counts.items():
            counts[name] = counts.get(name, 0) + count

    assert counts["rows_read"] == 400
    assert counts["rows_kept"] > 150
