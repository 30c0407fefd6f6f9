"""The doctor before exports of forums, chats and trackers, in the shapes that their programs write."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from pipeline.doctor.diagnosis import diagnose
from tests.pipeline.received import ingested, texts, write
from tests.pipeline.test_doctor import SAYS, as_csv, diagnosed

ASKED: Final = ("customer", "agent", "customer", "agent")


def said(thread: int, roles: Sequence[str] = ASKED) -> list[str]:
    return [f"{role}: {says} {thread}" for role, says in zip(roles, SAYS, strict=True)]


def is_read(folder: Path, *, threads: int = 8) -> bool:
    """Whether the mapping as it is proposed makes these threads of what lies there."""
    read = texts(ingested(folder, diagnosed(folder).mapping)).values()
    return sorted(read) == sorted(said(thread) for thread in range(threads))


def turns(thread: int) -> list[dict[str, Any]]:
    """Who says what and when in one thread; each has a customer of its own."""
    names = ("Jo Fox", "Al Roe", "Jo Fox", "Al Roe")
    return [
        {
            "id": 100 * (thread + 1) + place,
            "login": f"jo_fox{thread}" if place % 2 == 0 else "al_roe",
            "name": name,
            "text": f"{says} {thread}",
            "at": f"2026-01-{thread + 1:02}T1{place}:30:00Z",
        }
        for place, (name, says) in enumerate(zip(names, SAYS, strict=True))
    ]


def test_a_note_of_osticket_is_no_message_and_its_letters_say_who_speaks(tmp_path: Path) -> None:
    entries = [
        {"id": each["id"], "thread_id": thread, "type": "MR"[place % 2], "poster": each["login"], "body": each["text"]}
        for thread in range(8)
        for place, each in enumerate(turns(thread))
    ]
    notes = [{**entries[4 * thread], "id": 9000 + thread, "type": "N", "body": "he is rude"} for thread in range(8)]

    assert is_read(write(tmp_path / "in", thread_entry__csv=as_csv([*entries, *notes])))


def test_a_dialogue_system_in_capitals_speaks_for_the_company(tmp_path: Path) -> None:
    dialogues = [
        {"dialogue_id": f"d{n}", "turns": [{"speaker": ("USER", "SYSTEM")[p % 2], "utterance": t["text"]} for p, t in said_by(n)]}
        for n in range(8)
    ]

    assert is_read(write(tmp_path / "in", dialogues__json=dialogues))


def said_by(thread: int) -> list[tuple[int, dict[str, Any]]]:
    return list(enumerate(turns(thread)))


def test_members_who_answer_in_a_community_are_agents_though_a_flag_calls_few_of_them_staff(tmp_path: Path) -> None:
    topics = [
        {
            "id": n,
            "posts": [
                {"post": t["text"], "username": t["login"], "staff": n == 0 and p == 1, "created_at": t["at"]}
                for p, t in said_by(n)
            ],
        }
        for n in range(8)
    ]

    assert is_read(write(tmp_path / "in", topics__jsonl=topics))


def test_flags_and_kinds_of_people_are_nobodys_name(tmp_path: Path) -> None:
    issues = [
        {
            "number": n,
            "body": turns(n)[0]["text"],
            "author": {"login": f"jo_fox{n}", "user_deleted": False},
            "createdAt": turns(n)[0]["at"],
            "comments": [
                {
                    "author": {"login": t["login"]}, "authorAssociation": "NONE", "viewerDidAuthor": False, "body": t["text"],
                    "user_avatar": f"https://example.com/{t['login']}.png", "createdAt": t["at"],
                }
                for t in turns(n)[1:]
            ],
        }
        for n in range(8)
    ]  # fmt: skip
    folder = write(tmp_path / "in", issues__json=issues)

    assert diagnosed(folder).mapping["identifiers"] == {
        "other": {"comments.*.author.login": "USER_NAME", "author.login": "USER_NAME"}
    }
    assert is_read(folder)


def test_ids_are_no_messages(tmp_path: Path) -> None:
    records = [{"message_tree_id": f"0{n}4e1df3-35e0-4bb8", "prompt": {"score": n}} for n in range(8)]

    assert diagnose(write(tmp_path / "in", trees__jsonl=records)).sources == []


def test_lines_of_any_text_are_no_table_of_one_row_for_most(tmp_path: Path) -> None:
    two, three = (
        [f"so {n}, {says}" for n, says in enumerate(SAYS * 2)],
        [f"{says}, he said, {n}" for n, says in enumerate(SAYS * 9)],
    )
    lines = "\n".join(["well, hello there", *two, *three])

    assert diagnose(write(tmp_path / "in", log__txt=lines)).sources == []


def test_who_wrote_a_row_does_not_tie_rows_together(tmp_path: Path) -> None:
    rows = [{"sender_id": n % 8, "sender": f"jo_fox{n % 8}", "content": f"{SAYS[n % 4]} {n}"} for n in range(32)]

    assert "turn" not in diagnosed(write(tmp_path / "in", log__jsonl=rows)).mapping
