"""Requests leave while other work is done."""

from collections.abc import Iterator
from concurrent.futures import Future
from pathlib import Path
from typing import Any

import pytest

from pipeline.answering import sending
from pipeline.answering.request import Choice, Message, Reply, Request
from pipeline.answering.sending import Ask, Dialogue, fetch_with
from tests.pipeline.generate_tables import params

DIALOGUES = 12


def lead(number: int, judged: list[int]) -> Dialogue[int]:
    yield Request("e", "tiny", (Message("user", f"{number}"),), 0, 10)
    judged.append(number)
    return number


def fetch(
    folder: Path, ask: Ask, is_ready: Future[Any], judged: list[int], dialogues: int = DIALOGUES, **settings: Any
) -> list[int]:
    async def close() -> None:
        pass

    fetch = fetch_with(params(folder, **settings), lambda: (ask, close), lambda: is_ready)
    begun: Iterator[Dialogue[int]] = (lead(number, judged) for number in range(dialogues))
    return fetch(begun)


def test_requests_leave_while_what_judges_their_replies_is_still_loading(tmp_path: Path) -> None:
    is_ready, sent, judged = Future[None](), list[str](), list[int]()

    async def ask(request: Request) -> Reply:
        assert judged == [] or is_ready.done()
        sent.append(request.messages[0].content)
        if len(sent) == DIALOGUES:  # a second one would never leave if a reply had to be judged first
            is_ready.set_result(None)
        return Reply((Choice("Here.", "stop"),), "tiny", 1, 1)

    assert fetch(tmp_path, ask, is_ready, judged, pace__concurrency=1) == list(range(DIALOGUES))
    assert (len(sent), sorted(judged)) == (DIALOGUES, list(range(DIALOGUES)))


def test_a_free_place_is_filled_before_replies_that_wait_are_judged(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sending, "MOST_AHEAD", 20)
    is_ready, judged, judged_by_then = Future[None](), list[int](), list[int]()

    async def ask(_request: Request) -> Reply:
        judged_by_then.append(len(judged))
        if len(judged_by_then) == 18:
            is_ready.set_result(None)
        return Reply((Choice("Here.", "stop"),), "tiny", 1, 1)

    assert fetch(tmp_path, ask, is_ready, judged, dialogues=60, pace__concurrency=1) == list(range(60))
    assert judged_by_then[45] < 40  # not all that waited
