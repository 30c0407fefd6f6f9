"""Exports as their vendors write them (shared/data/ingest_formats): exactly the turns the README there counts, no note."""

import os
from collections import Counter
from pathlib import Path
from typing import Any, Final

import pytest
import yaml

from pipeline.ledger import balance
from pipeline.tables import Table
from tests.pipeline.received import ingested, quarantined, rows

ROOT: Final = Path(__file__).parents[3]
FORMATS: Final = Path(os.environ.get("TICKETMILL_SHARED", ROOT.parent / "shared")) / "data" / "ingest_formats"


def example(name: str, tmp_path: Path) -> Table:
    """What the committed mapping makes of the fixture."""
    mapping = yaml.safe_load((ROOT / "examples" / f"{name}.yaml").read_text("utf-8"))["ingest"]["sources!"][name]
    folder = tmp_path / name
    folder.symlink_to(FORMATS / name)
    return ingested(folder, mapping)


def speakers(table: Table) -> Counter[str]:
    """How many turns each kind of speaker has."""
    return Counter(turn["speaker"] for row in rows(table) for turn in row["turns"])


@pytest.mark.parametrize(
    ("name", "conversations", "turns", "orphans", "more"),
    [
        ("zendesk_api", 100, {"customer": 101, "agent": 18}, {}, {"private_notes": 2}),
        (
            "zendesk_tables",
            8,
            {"customer": 8, "bot": 1},
            {
                "ticket_comment_data.csv": 20,
                "ticket_chat_event_data.csv": 10,
                "ticket_chat_data.csv": 9,
                "ticket_tag_data.csv": 10,
                "ticket_field_history_data.csv": 19,
            },
            {"events.ChatEmailChanged": 1},
        ),
        (
            "intercom_tables",
            2,
            {"customer": 2},
            {
                "conversation_part_history_data.csv": 9,
                "conversation_contact_history_data.csv": 9,
                "conversation_tag_history_data.csv": 9,
            },
            {"superseded_versions": 7},
        ),
        ("freshdesk_api", 1, {"customer": 1, "agent": 1}, {}, {"private_notes": 2, "repeated_messages": 1}),
        (
            "slack_export",
            18,
            {"customer": 17, "agent": 32},
            {},
            {"rows_read": 158, "events.bot_message": 94, "events.channel_join": 8, "events.bot_add": 3, "events.file_share": 3},
        ),
    ],
)
def test_every_fixture_yields_the_turns_that_its_readme_counts(  # a row of the table above
    name: str, conversations: int, turns: dict[str, int], orphans: dict[str, int], more: dict[str, int], tmp_path: Path
) -> None:
    table = example(name, tmp_path)
    counts = table.manifest.counts

    assert table.manifest.total("kept") == conversations
    assert speakers(table) == turns
    assert Counter(file for file, _, reason, _ in quarantined(table) if reason == "orphan") == orphans
    assert len(quarantined(table)) == sum(orphans.values())
    assert {key: counts[key] for key in more} == more
    assert counts["rows_read"] == counts["rows_kept"] + counts["rows_dropped"] + counts["rows_quarantined"]
    assert [entry.balance for entry in balance(table)] == [0]


def test_no_note_of_any_fixture_is_in_any_turn(tmp_path: Path) -> None:
    notes = ["This is a private note", "0kDc36cAPudSN4iygXsITQ=="]
    texts = [
        turn["text"]
        for name in ("freshdesk_api", "intercom_tables")
        for row in rows(example(name, tmp_path))
        for turn in row["turns"]
    ]

    assert not [text for text in texts for note in notes if note in text]


def test_a_slack_export_shows_names_links_and_signs_as_people_saw_them(tmp_path: Path) -> None:
    texts: list[Any] = [turn["text"] for row in rows(example("slack_export", tmp_path)) for turn in row["turns"]]

    assert "@harry: https://github.com/acme-demo/miguel/blob/master/setup.py" in texts
    assert not [text for text in texts if "<@" in text or "<http" in text or "&gt;" in text]
