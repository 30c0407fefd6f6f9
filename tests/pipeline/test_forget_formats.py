"""Of every format one customer is cut out, and the others keep every byte and their numbers."""

from pathlib import Path
from typing import Any, Final

import pytest

from pipeline import forget, ingest
from pipeline.parts import Means
from pipeline.tables import Table
from tests.build import KEY
from tests.pipeline.received import params, rows
from tests.pipeline.sources.vendors import VENDORS, Known, Message
from tests.pipeline.test_forget import by_id

LOG: Final = (
    "[12:00] <jo> hello, my parcel has not come, 5512009\n"
    "[12:01] <sam> jo: which number does it have?\n"
    "[18:00] <bo> mine neither, 4410027\n"
    "[18:01] <sam> bo: I look\n"
)


IRC: Final[dict[str, Any]] = {
    "format": "irc", "path": "channel", "files": ["*.log"], "zone": "UTC", "date": "2026-01-05", "staff": ["sam"],
    "sessions": "channel", "gap_minutes": 60,
}  # fmt: skip


def cut_out(
    root: Path, mapping: dict[str, Any], first_row: int
) -> tuple[forget.Erased, list[dict[str, Any]], list[dict[str, Any]]]:
    """What is done about the conversation that begins in that row, and the conversations of the others before and after it."""
    section, received, target = params(sources={"one": mapping}), root / "in", root / "out"
    ingest.run(received, target, section, Means(KEY))
    before = rows(Table(target))
    [talk] = [row for row in before if row["source_row"] == first_row]
    found = forget.look_for(Table(target), talk["conversation_id"], KEY)
    assert found is not None
    erased = forget.leave_out([Table(target)], received, section, found, KEY)
    ingest.run(received, target, section, Means(KEY))
    return erased, [row for row in before if row != talk], rows(Table(target))


def test_of_a_channel_log_lines_go_and_the_others_keep_every_byte_their_numbers_and_their_day(tmp_path: Path) -> None:
    log = tmp_path / "in/channel/day.log"
    log.parent.mkdir(parents=True)
    later = "[22:30] <kim> and me? 7730021\r\n[01:10] <al> hm\n"
    log.write_bytes((LOG.replace("[18:00]", "--- Day changed Tue Jan 06 2026\n[18:00]") + later).encode())
    erased, before, after = cut_out(tmp_path, IRC, 1)
    assert erased.left == {}
    assert erased.cut == {"channel/day.log": 3}
    assert before == after
    mark = "ticketmill:forgotten"
    assert log.read_bytes().decode() == (
        f"{mark} [12:00]\n{mark} [12:01]\n{mark} --- Day changed Tue Jan 06 2026\n"
        f"[18:00] <bo> mine neither, 4410027\n[18:01] <sam> bo: I look\n{later}"
    )


def test_of_a_mailbox_mails_go_and_the_others_keep_every_byte_and_their_numbers(tmp_path: Path) -> None:
    def mail(number: int, who: str, end: str) -> str:
        lines = [
            "From x@example.com Mon Jan  5 12:00:00 2026", f"From: {who}@example.com", "To: help@example.org",
            f"Message-ID: <{number}@example.com>", f"Date: Mon, 0{number} Jan 2026 12:00:00 +0000", f"Subject: {number}", "",
            f"Where is {number}2277?", ">From here it left.", "",
        ]  # fmt: skip
        return end.join([*lines, ""])

    content = [mail(1, "bo", "\n"), mail(2, "jo", "\r\n"), mail(3, "kim", "\n")]
    (tmp_path / "in/mail").mkdir(parents=True)
    box = tmp_path / "in/mail/box.mbox"
    box.write_bytes("".join(content).encode())
    mapping = {**VENDORS["mbox"][1], "path": "mail", "files": ["*.mbox"], "staff": {"domains": ["example.org"]}}
    erased, before, after = cut_out(tmp_path, mapping, 2)
    assert (erased.left, erased.cut) == ({}, {"mail/box.mbox": 1})
    assert before == after
    gone = "From - Thu Jan  1 00:00:00 1970\r\nticketmill:forgotten\r\n\r\n"
    assert box.read_bytes().decode() == content[0] + gone + content[2]


def test_of_xml_elements_go_and_the_others_keep_every_byte_and_their_numbers(tmp_path: Path) -> None:
    rows = [
        f'<row Id="{n}" Ticket="t{n}" By="{who}" Body="Where is {n}2277 &gt; x?" />' for n, who in enumerate(["bo", "jo", "kim"])
    ]
    content = '<?xml version="1.0"?>\n<posts>\n  {}\n  {}{}</posts>\n'
    (tmp_path / "in/forum").mkdir(parents=True)
    dump = tmp_path / "in/forum/posts.xml"
    dump.write_text(content.format(*rows))
    shape = {"speaker": {"at": "By", "others": "starter"}, "text": "Body", "author": "By"}
    mapping = {"format": "table", "path": "forum", "files": ["*.xml"], "id": "Ticket", "turn": shape, "ignore_columns": ["Id"]}
    erased, before, after = cut_out(tmp_path, mapping, 2)
    assert (erased.left, erased.cut) == ({}, {"forum/posts.xml": 1})
    assert before == after
    assert dump.read_text() == content.format(rows[0], '<row ticketmill.forgotten="true"/>', rows[2])


THREE: Final = [
    Known(number, customer, "Al Roe", [Message("customer", f"Where is {number}2277?"), Message("agent", "It left on Monday.")])
    for number, customer in enumerate(["Jo Fox", "Bo Lee", "Kim Ray"], start=1)
]


BY_HAND: Final = frozenset({"zendesk_tables"})
"""Vendors whose user records stand in a table of their own, which is not cut."""


@pytest.mark.parametrize("vendor", VENDORS)
def test_of_every_vendor_a_customer_is_cut_out_or_named_and_the_others_stay(vendor: str, tmp_path: Path) -> None:
    write_all, mapping = VENDORS[vendor]
    for name, content in write_all(THREE).items():
        (tmp_path / "in" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "in" / name).write_bytes(content)
    section, target = params(mapping), tmp_path / "out"
    ingest.run(tmp_path / "in", target, section, Means(KEY))
    before = by_id(Table(target))
    [one] = [key for key, row in before.items() if row["turns"][0]["text"].endswith("12277?")]
    found = forget.look_for(Table(target), one, KEY)
    assert found is not None
    erased = forget.leave_out([Table(target)], tmp_path / "in", section, found, KEY)
    ingest.run(tmp_path / "in", target, section, Means(KEY))
    after = Table(target)
    assert by_id(after) == {key: row for key, row in before.items() if key not in found.entry.conversations}
    assert bool(erased.left) == (vendor in BY_HAND), erased
    assert after.manifest.reasons == {}
