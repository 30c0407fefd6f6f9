"""Text logs of channels: sessions by silence or by who addresses whom, events counted, dates from names."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import pytest

from pipeline.errors import SourceError
from tests.pipeline.received import ingested, rows, texts

IRC: Final[Mapping[str, Any]] = {
    "format": "irc",
    "path": ".",
    "files": ["*.log"],
    "zone": "UTC",
    "staff": ["sam"],
    "bots": ["helpbot"],
    "sessions": "channel",
    "gap_minutes": 30,
}
PAIRS: Final = {**IRC, "staff": [], "sessions": "pairs"}


def log(tmp_path: Path, text: str, name: str = "2026-01-05.log") -> Path:
    folder = tmp_path / "received"
    folder.mkdir(exist_ok=True)
    (folder / name).write_text(text, "utf-8")
    return folder


def test_what_is_said_until_a_silence_is_one_conversation_and_staff_are_the_agents(tmp_path: Path) -> None:
    folder = log(
        tmp_path,
        "[12:00] <jo> where is my parcel?\n[12:01] <@sam> jo: which number?\n"
        "[12:02] <helpbot> jo: see the faq\n[13:00] <kim> hello\n",
    )

    assert list(texts(ingested(folder, IRC)).values()) in (
        [["customer: where is my parcel?", "agent: which number?", "bot: see the faq"], ["customer: hello"]],
        [["customer: hello"], ["customer: where is my parcel?", "agent: which number?", "bot: see the faq"]],
    )


def test_joins_parts_renamings_and_actions_are_counted_and_no_turns(tmp_path: Path) -> None:
    folder = log(
        tmp_path,
        "=== jo [~jo@example.com] has joined #support\n[12:00] <jo> hello\n[12:00]  * jo waves\n"
        "=== jo is now known as joanna\n[12:02] -!- kim has quit [Ping]\n*** Mode #support +o sam\n",
    )

    table = ingested(folder, IRC)

    assert list(texts(table).values()) == [["customer: hello"]]
    counts = table.manifest.parts[0].counts
    assert {name: counts[name] for name in counts if name.startswith("events.")} == {
        "events.actions": 1,
        "events.joins": 1,
        "events.modes": 1,
        "events.parts": 1,
        "events.renamings": 1,
    }


def test_those_who_address_each_other_have_a_conversation_of_their_own_amid_others(tmp_path: Path) -> None:
    folder = log(
        tmp_path,
        "[12:00] <jo> my printer is dead\n[12:01] <kim> how do i mount a disk?\n[12:02] <lee> jo: is it plugged in?\n"
        "[12:03] <sam> kim: with mount\n[12:04] <jo> lee: yes\n[12:05] <kim> and then?\n[12:06] <max> anyone here?\n",
    )

    table = ingested(folder, PAIRS)

    assert sorted(texts(table).values()) == [
        ["customer: how do i mount a disk?", "agent: with mount", "customer: and then?"],
        ["customer: my printer is dead", "agent: is it plugged in?", "customer: yes"],
    ]
    assert [row["reason"] for row in rows(table, "dropped")] == ["not_addressed"]


@pytest.mark.parametrize(
    "line",
    [
        "[12:00] <jo> hi",
        "[12:00:05] <+jo> hi",
        "12:00 <@jo> hi",
        "12:00:05 < jo> hi",
        "[2026-01-05 12:00:05] <jo> hi",
        "2026-01-05 12:00:05\tjo\thi",
    ],
)
def test_lines_of_several_clients_are_read(tmp_path: Path, line: str) -> None:
    table = ingested(log(tmp_path, line + "\n"), IRC)

    assert list(texts(table).values()) == [["customer: hi"]]
    assert str(rows(table)[0]["turns"][0]["sent_at"]).startswith("2026-01-05 12:00")


def test_a_session_goes_on_over_midnight_and_over_two_files(tmp_path: Path) -> None:
    log(tmp_path, "[23:55] <jo> hello\n", "2026-01-05.log")
    folder = log(tmp_path, "[00:05] <sam> hi\n", "2026-01-06.log")

    assert list(texts(ingested(folder, IRC)).values()) == [["customer: hello", "agent: hi"]]


def test_a_time_that_steps_back_is_the_next_day(tmp_path: Path) -> None:
    table = ingested(log(tmp_path, "[23:55] <jo> hello\n[00:05] <sam> hi\n"), IRC)

    assert [str(turn["sent_at"])[:16] for turn in rows(table)[0]["turns"]] == ["2026-01-05 23:55", "2026-01-06 00:05"]


def test_every_nick_is_a_known_value(tmp_path: Path) -> None:
    table = ingested(log(tmp_path, "[12:00] <Jo_Fox> hello\n[12:01] <sam> Jo_Fox: hi\n"), IRC)

    assert {(each["kind"], each["value"]) for each in rows(table)[0]["participants"]} == {
        ("USER_NAME", "Jo_Fox"),
        ("USER_NAME", "sam"),
    }


def test_a_line_that_is_none_of_a_log_is_quarantined(tmp_path: Path) -> None:
    table = ingested(log(tmp_path, "[12:00] <jo> hello\nwhat is this\n"), IRC)

    assert [(row["source_row"], row["reason"]) for row in rows(table, "quarantined")] == [(2, "unknown_line")]


def test_a_log_whose_zone_nobody_declares_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match=r"^2026-01-05\.log: an irc log states no time zone; declare zone in params$"):
        ingested(log(tmp_path, "[12:00] <jo> hello\n"), {**IRC, "zone": None}, on_bad_file="stop")


def test_a_nick_may_have_blanks_as_bridges_to_other_chats_write_names(tmp_path: Path) -> None:
    folder = log(tmp_path, "[12:00] <Jo [m] Fox> where is it?\n[12:01] <sam > Jo: on its way\n")

    assert list(texts(ingested(folder, IRC)).values()) == [["customer: where is it?", "agent: Jo: on its way"]]
