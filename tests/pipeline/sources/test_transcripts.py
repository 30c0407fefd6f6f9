"""Text files that are transcripts: one conversation each, or several with a line between them."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import pytest

from pipeline.doctor.diagnosis import diagnose
from tests.pipeline.received import ingested, quarantined, rows, texts, write

TRANSCRIPTS: Final[Mapping[str, Any]] = {
    "format": "transcripts",
    "path": ".",
    "files": ["*.txt"],
    "transcript": {"customer": ["Customer"], "agent": ["Agent"], "bot": ["Bot"]},
}
ONE: Final = (
    "Chat of 5 January\n\nBot: Hello, who are you?\nCustomer: Jo.\nWhere is my order?\nAgent (Al Roe): It left on Monday.\n"
)
OTHER: Final = "Customer: My tent leaks.\nAgent: Send a photo."


def test_a_file_is_a_conversation(tmp_path: Path) -> None:
    table = ingested(write(tmp_path / "in", a__txt=ONE, b__txt=OTHER.encode("utf-8-sig")), TRANSCRIPTS)

    assert sorted(texts(table).values()) == [
        ["bot: Hello, who are you?", "customer: Jo.\nWhere is my order?", "agent: It left on Monday."],
        ["customer: My tent leaks.", "agent: Send a photo."],
    ]


def test_a_file_holds_several_with_a_line_between_them_and_the_same_one_twice_is_two(tmp_path: Path) -> None:
    folder = write(tmp_path / "in", a__txt=f"-----\n{ONE}\n-----\n{OTHER}\n-----\n\n------\n{OTHER}\n")
    table = ingested(folder, {**TRANSCRIPTS, "separator": "-{5,}"})

    assert sorted(row["source_row"] for row in rows(table)) == [1, 2, 3]
    assert len({row["conversation_id"] for row in rows(table)}) == 3


def test_a_text_in_which_nobody_is_told_to_speak_is_set_aside_and_the_others_are_read(tmp_path: Path) -> None:
    table = ingested(write(tmp_path / "in", a__txt=OTHER, b__txt="Dear Jo, hello."), TRANSCRIPTS)

    assert quarantined(table) == [("b.txt", 1, "unknown_speaker", "transcript")]
    assert len(rows(table)) == 1


def test_a_conversation_longer_than_a_row_may_be_is_set_aside_whole(tmp_path: Path) -> None:
    folder = write(tmp_path / "in", a__txt=f"{OTHER}\n---\nCustomer: {'long ' * 400}\n---\n{OTHER}\n")
    table = ingested(folder, {**TRANSCRIPTS, "separator": "---"}, max_row_bytes=1000)

    assert quarantined(table) == [("a.txt", 2, "too_long", "")]
    assert len(rows(table)) == 2


def test_the_end_of_an_over_long_line_is_no_line_between_two_conversations(tmp_path: Path) -> None:
    size = 1000
    over_long = f"Customer: {'x' * (size + 1 - len('Customer: '))}-----"
    folder = write(tmp_path / "in", a__txt=f"{over_long}\nAgent: Seen.\n-----\n{OTHER}\n")
    table = ingested(folder, {**TRANSCRIPTS, "separator": "-{5}"}, max_row_bytes=size)

    assert quarantined(table) == [("a.txt", 1, "too_long", "")]
    assert list(texts(table).values()) == [["customer: My tent leaks.", "agent: Send a photo."]]


@pytest.mark.parametrize("line", ["", "*****", "Conversation #{}"])
def test_the_doctor_sees_what_stands_between_conversations(line: str, tmp_path: Path) -> None:
    pieces = [f"{line.format(n)}\n{OTHER} {n}\n" for n in range(6)]
    files = {"all__txt": "".join(pieces)} if line else {f"chat{n}__txt": piece for n, piece in enumerate(pieces)}
    folder = write(tmp_path / "in", **files)
    (found,) = diagnose(folder).sources

    assert found.format == "transcripts"
    assert sorted(texts(ingested(folder, found.mapping)).values()) == [
        ["customer: My tent leaks.", f"agent: Send a photo. {n}"] for n in range(6)
    ]
