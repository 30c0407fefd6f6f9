"""Threads whose replies stand within what they answer: pages of Reddit and Hacker News, posts with comments, trees of chats."""

import json
from pathlib import Path
from typing import Any, Final

import pytest
from pydantic import ValidationError

from pipeline.doctor.diagnosis import diagnose
from tests.pipeline.received import TURNS, ingested, params, quarantined, texts, write

SAYS: Final = (
    "the blue tent leaks at its seams",
    "please send a photo",
    "here is the photo you asked for",
    "a new tent leaves today",
)
THREADS: Final = 6
SAID: Final = [[f"{('customer', 'agent')[place % 2]}: {says} {n}" for place, says in enumerate(SAYS)] for n in range(THREADS)]
TITLED: Final = [
    [f"customer: Tent leaks {n}\n\n{turns[0].removeprefix('customer: ')}", *turns[1:]] for n, turns in enumerate(SAID)
]


def who(n: int, place: int) -> str:
    return f"asker_{n}" if place % 2 == 0 else "al_roe"


def nested(n: int, place: int, text: str, replies: str) -> dict[str, Any]:
    """What somebody wrote, and in it all that answers it, each by one."""
    below = [] if place + 1 == len(SAYS) else [nested(n, place + 1, text, replies)]
    return {
        "id": f"c{n}{place}",
        "author": who(n, place),
        text: f"{SAYS[place]} {n}",
        "created_utc": at(n, place),
        replies: below,
    }


def at(n: int, place: int) -> int:
    return 1767614400 + 10_000 * n + 60 * place


def listing(*children: dict[str, Any]) -> dict[str, Any]:
    return {"kind": "Listing", "data": {"after": None, "dist": len(children), "modhash": "", "children": [*children]}}


def comment(n: int, place: int) -> dict[str, Any]:
    """A comment as Reddit's API has it; below the first one stands that there are more."""
    more = {"kind": "more", "data": {"count": 2, "id": f"m{n}", "name": f"t1_m{n}", "parent_id": f"t1_c{n}1", "children": ["x"]}}
    below = [] if place + 1 == len(SAYS) else [comment(n, place + 1), *([more] if place == 1 else [])]
    return {
        "kind": "t1",
        "data": {
            "id": f"c{n}{place}", "name": f"t1_c{n}{place}", "parent_id": f"t1_c{n}{place - 1}" if place > 1 else f"t3_p{n}",
            "author": who(n, place), "body": f"{SAYS[place]} {n}", "created_utc": at(n, place), "score": 1,
            "replies": listing(*below) if below else "",
        },
    }  # fmt: skip


def page(n: int) -> list[dict[str, Any]]:
    """The post and its comments, as /comments/p0.json returns them."""
    post = {
        "id": f"p{n}", "name": f"t3_p{n}", "title": f"Tent leaks {n}", "selftext": f"{SAYS[0]} {n}", "author": who(n, 0),
        "created_utc": at(n, 0), "score": 4, "num_comments": 3,
    }  # fmt: skip
    return [listing({"kind": "t3", "data": post}), listing(comment(n, 1))]


def said(folder: Path) -> list[list[str]]:
    """Every conversation, as it is read by what the doctor proposes."""
    (found,) = diagnose(folder).sources
    table = ingested(folder, found.mapping)
    assert quarantined(table) == []
    return sorted(texts(table).values())


def test_pages_of_reddit_are_threads(tmp_path: Path) -> None:
    assert said(write(tmp_path / "in", **{f"p{n}__json": json.dumps(page(n)) for n in range(THREADS)})) == TITLED


def test_pages_of_hacker_news_are_threads(tmp_path: Path) -> None:
    def item(n: int, place: int) -> dict[str, Any]:
        return {
            "id": 100 * n + place, "parent_id": 100 * n + place - 1 if place else None, "author": who(n, place),
            "title": None if place else f"Tent leaks {n}", "text": f"{SAYS[place]} {n}", "created_at_i": at(n, place),
            "type": "comment" if place else "story", "children": [item(n, place + 1)] if place + 1 < len(SAYS) else [],
        }  # fmt: skip

    assert said(write(tmp_path / "in", **{f"{n}__json": json.dumps(item(n, 0)) for n in range(THREADS)})) == TITLED


@pytest.mark.parametrize("replies", ["replies", "children", "comments"])
def test_comments_below_comments_of_a_post_are_its_thread(replies: str, tmp_path: Path) -> None:
    posts = [
        {
            "id": f"p{n}", "selftext": f"{SAYS[0]} {n}", "author": who(n, 0), "created_utc": at(n, 0),
            "answers": [nested(n, 1, "body", replies)],
        } for n in range(THREADS)
    ]  # fmt: skip

    assert said(write(tmp_path / "in", posts__jsonl=posts)) == SAID


def message(n: int, place: int, worse: str = "") -> dict[str, Any]:
    """A message of a tree as OpenAssistant publishes them; every question has a better and a worse answer, the worse first."""
    below = [message(n, place + 1)] if place + 1 < len(SAYS) and not worse else []
    return {
        "message_id": f"m{n}{place}{worse}", "parent_id": f"m{n}{place - 1}" if place else None,
        "text": f"{SAYS[place]} {n}{worse}",
        "role": ("prompter", "assistant")[place % 2], "rank": (1 if worse else 0) if place % 2 else None, "lang": "en",
        "replies": [message(n, place + 1, " badly"), *below] if place % 2 == 0 and below else below,
    }  # fmt: skip


TREES: Final = [{"message_tree_id": f"m{n}0", "tree_state": "ready", "prompt": message(n, 0)} for n in range(THREADS)]


def test_of_trees_of_chats_the_answer_that_was_ranked_best_is_read_and_the_others_are_counted(tmp_path: Path) -> None:
    folder = write(tmp_path / "in", trees__jsonl=TREES)
    (found,) = diagnose(folder).sources
    table = ingested(folder, found.mapping)

    assert sorted(texts(table).values()) == SAID
    assert table.manifest.counts["events.alternative"] == 2 * THREADS


def test_of_the_messages_of_such_trees_in_rows_the_best_answer_is_read_too(tmp_path: Path) -> None:
    def rows(found: dict[str, Any]) -> list[dict[str, Any]]:
        own = {name: value for name, value in found.items() if name != "replies"}
        return [own, *(row for each in found["replies"] for row in rows(each))]

    folder = write(tmp_path / "in", messages__jsonl=[row for n in reversed(range(THREADS)) for row in rows(message(n, 0))])
    (found,) = diagnose(folder).sources
    table = ingested(folder, found.mapping)

    assert (found.mapping["turn"]["parent"], found.mapping["turn"]["rank"]) == ("parent_id", "rank")
    assert sorted(texts(table).values()) == SAID
    assert table.manifest.counts["events.alternative"] == 2 * THREADS


def test_an_unknown_field_of_a_reply_within_a_reply_is_refused_by_name(tmp_path: Path) -> None:
    folder = write(tmp_path / "in", trees__jsonl=TREES)
    mapping = diagnose(folder).sources[0].mapping
    first = message(9, 0)
    first["replies"][1]["replies"][0]["phone"] = "555-0101"
    write(folder, trees__jsonl=[*TREES, {"message_tree_id": "m90", "tree_state": "ready", "prompt": first}])

    assert quarantined(ingested(folder, mapping)) == [("trees.jsonl", THREADS + 1, "unknown_field", "prompt.2.phone")]


def test_an_unknown_field_of_a_row_within_a_row_is_refused_by_name(tmp_path: Path) -> None:
    folder = write(tmp_path / "in", **{f"p{n}__json": json.dumps(page(n)) for n in range(THREADS)})
    mapping = diagnose(folder).sources[0].mapping
    with_more = page(3)
    with_more[1]["data"]["children"][0]["data"]["replies"]["data"]["children"][0]["data"]["phone"] = "555-0101"
    write(folder, p3__json=json.dumps(with_more))

    assert quarantined(ingested(folder, mapping)) == [("p3.json", 2, "unknown_field", "data.phone")]


def test_a_rank_without_anything_to_rank_is_refused() -> None:
    shape = {"turns": "turns", "speaker": {"at": "who", "customer": ["c"]}, "text": "text", "rank": "rank"}

    with pytest.raises(ValidationError, match="'rank' tells which of several 'replies' is read"):
        params({"format": "events", "path": ".", "files": ["*.json"], **shape})
    with pytest.raises(ValidationError, match="'rank' tells which of several rows that answer one is read"):
        params({"format": "table", "path": ".", "files": ["*.csv"], "id": "id", "turn": {**TURNS["turn"], "rank": "rank"}})
