"""The Slack source: threads, sessions by silence, edits, deletions, mentions, and who is staff."""

import shutil
from pathlib import Path
from typing import Any, Final

import orjson
import pytest

from pipeline.doctor.diagnosis import diagnose
from tests.pipeline.received import ingested, quarantined, rows, texts, write

SLACK: Final[dict[str, Any]] = {
    "format": "slack",
    "path": ".",
    "files": ["*.json"],
    "channels": ["help*"],
    "staff": ["sam", "@staff.example.com"],
    "session_gap_minutes": 30,
}
USERS: Final = [
    {"id": "U1", "name": "jo", "real_name": "Jo Fox", "profile": {"email": "jo@example.com", "display_name": "jojo"}},
    {"id": "U2", "name": "sam", "real_name": "Sam Roe", "profile": {"email": "sam@example.com"}},
    {"id": "U3", "name": "kim", "profile": {"email": "kim@Staff.example.com"}},
    {"id": "U4", "name": "robo", "is_bot": True, "profile": {}},
]


def said(minute: float, user: str, text: str, **more: Any) -> dict[str, Any]:
    return {"type": "message", "user": user, "text": text, "ts": at(minute), **more}


def at(minute: float) -> str:
    return f"{1767614400 + int(minute * 60)}.000100"


def export(tmp_path: Path, *events: dict[str, Any], **more: list[dict[str, Any]]) -> Path:
    folder = write(tmp_path / "in", users__json=orjson.dumps(USERS), channels__json=orjson.dumps([{"id": "C1", "name": "help"}]))
    for channel, days in {"help": list(events), **more}.items():
        (folder / channel).mkdir()
        write(folder / channel, **{"2026-01-05__json": orjson.dumps(days)})
    return folder


def test_threads_are_conversations_and_the_rest_is_told_apart_by_silence(tmp_path: Path) -> None:
    folder = export(
        tmp_path,
        said(0, "U1", "It broke", thread_ts=at(0)),
        said(1, "U1", "Another thing"),
        said(2, "U2", "Which part?", thread_ts=at(0)),
        said(20, "U3", "Done"),
        said(60, "U1", "Hello again"),
    )

    assert sorted(texts(ingested(folder, SLACK)).values()) == [
        ["customer: Another thing", "agent: Done"],
        ["customer: Hello again"],
        ["customer: It broke", "agent: Which part?"],
    ]


def test_a_session_goes_on_past_midnight_into_the_next_file(tmp_path: Path) -> None:
    folder = export(tmp_path, said(0, "U1", "Late"))
    write(folder / "help", **{"2026-01-06__json": orjson.dumps([said(10, "U2", "Here")])})

    assert list(texts(ingested(folder, SLACK)).values()) == [["customer: Late", "agent: Here"]]


def test_what_was_deleted_is_gone_and_what_was_edited_reads_as_edited(tmp_path: Path) -> None:
    folder = export(
        tmp_path,
        said(0, "U1", "first try"),
        said(1, "U2", "secret"),
        {"type": "message", "subtype": "message_deleted", "deleted_ts": at(1), "ts": at(3)},
        {"type": "message", "subtype": "message_changed", "ts": at(4), "message": said(0, "U1", "second try", edited={})},
    )
    table = ingested(folder, SLACK)

    assert list(texts(table).values()) == [["customer: second try"]]
    assert (table.manifest.counts["edits"], table.manifest.counts["deleted_messages"]) == (1, 1)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("<@U1> it &lt;b&gt; &amp; c", "@jojo it <b> & c"),
        ("<@U9|lee> look", "@lee look"),
        ("see <https://a.example/x|the page>", "see the page (https://a.example/x)"),
        ("<https://a.example/x> and <http://a.example|a.example>", "https://a.example/x and http://a.example"),
        ("<mailto:jo@example.com|jo@example.com>", "jo@example.com"),
        ("<!here> in <#C1> or <#C2|ops>", "@here in #help or #ops"),
        ("<!subteam^S1|@night-shift> 3 < 4", "@night-shift 3 < 4"),
    ],
)
def test_marked_up_text_reads_as_people_saw_it(text: str, shown: str, tmp_path: Path) -> None:
    assert list(texts(ingested(export(tmp_path, said(0, "U2", text)), SLACK)).values()) == [[f"agent: {shown}"]]


def test_bots_speak_only_where_params_name_them(tmp_path: Path) -> None:
    events = [
        said(0, "U1", "Hi"),
        {"type": "message", "subtype": "bot_message", "bot_id": "B1", "text": "Welcome", "ts": at(1)},
        {"type": "message", "subtype": "bot_message", "bot_id": "B2", "text": "Build 7", "ts": at(2)},
        {"type": "message", "subtype": "channel_join", "user": "U1", "text": "<@U1> has joined", "ts": at(3)},
    ]
    table = ingested(export(tmp_path, *events), {**SLACK, "bots": ["B1"]})

    assert list(texts(table).values()) == [["customer: Hi", "bot: Welcome"]]
    assert (table.manifest.counts["events.bot_message"], table.manifest.counts["events.channel_join"]) == (1, 1)


def test_only_support_channels_are_read_and_everyone_named_is_known(tmp_path: Path) -> None:
    table = ingested(export(tmp_path, said(0, "U1", "Hi <@U2>"), random=[said(0, "U1", "lunch?")]), SLACK)
    row = rows(table)[0]

    assert len(rows(table)) == 1
    assert {(each["role"], each["value"]) for each in row["participants"]} == {
        ("customer", "Jo Fox"),
        ("customer", "jo"),
        ("customer", "jojo"),
        ("customer", "jo@example.com"),
        ("other", "Sam Roe"),
        ("other", "sam"),
        ("other", "sam@example.com"),
    }


@pytest.mark.parametrize(
    ("event", "reason", "detail"),
    [
        ({"type": "message", "user": "U1", "text": "Hi"}, "no_id", ""),
        ({**said(500, "U1", "Hi"), "mood": 1}, "unknown_field", "mood"),
        ({**said(500, "U1", "Hi"), "text": [1]}, "wrong_type", "text"),
    ],
)
def test_what_cannot_be_read_is_set_aside(event: dict[str, Any], reason: str, detail: str, tmp_path: Path) -> None:
    table = ingested(export(tmp_path, said(0, "U1", "Hello"), event), SLACK)

    assert quarantined(table) == [("help/2026-01-05.json", 2, reason, detail)]


def test_an_export_is_read_as_the_zip_it_comes_in(tmp_path: Path) -> None:
    folder = export(tmp_path, said(0, "U1", "<@U2> it broke", thread_ts=at(0)), said(2, "U2", "Which part?", thread_ts=at(0)))
    write(folder / "help", **{"2026-01-06__json": orjson.dumps([said(1500, "U1", "The seam", thread_ts=at(0))])})
    packed = tmp_path / "packed"
    packed.mkdir()
    shutil.make_archive(str(packed / "Example Slack export Jan 5 2026"), "zip", folder)
    (found,) = diagnose(packed).sources
    read = texts(ingested(packed, {**found.mapping, "staff": ["sam"], "channels": ["help"]}))

    assert found.format == "slack"
    assert list(read.values()) == [["customer: @Sam Roe it broke", "agent: Which part?", "customer: The seam"]]
    assert read == texts(ingested(folder, SLACK))
