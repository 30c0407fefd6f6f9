"""Batches: handed in once, collected by a later run, whatever the endpoint makes of them and whenever we are killed."""

import json
import threading
from pathlib import Path
from typing import Any

import pytest

from pipeline.answering.replies import Replies
from pipeline.errors import BudgetReached, EndpointError
from pipeline.generate import estimate, run
from pipeline.tables import Manifest, Table
from tests.build import MEANS, conversation
from tests.llm_server import Answer, Hang, Junk, LlmServer, Received, Status, always, in_turn
from tests.pipeline.generate_tables import deduped, params

MANY = [conversation(number, f"Where is parcel {'abcdefghij'[number]} of my order?") for number in range(10)]


@pytest.fixture(autouse=True)
def _key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TICKETMILL_TEST_KEY", "sk-not-a-real-key")


def go(server: LlmServer, folder: Path, **more: Any) -> Manifest:
    endpoint = {"openai__base_url": server.base_url, "openai__key_variable": "TICKETMILL_TEST_KEY"}
    chosen = params(folder, **{"provider": "openai", "mode": "batch", **endpoint, **more})
    return run(deduped(folder, MANY), folder / "generated", chosen, MEANS)


def texts(folder: Path) -> list[str]:
    return [turns[-1]["text"] for turns in Table(folder / "generated").scan().collect()["turns"].to_list()]


def test_the_first_run_hands_in_and_ends_the_second_collects_the_third_asks_nothing(tmp_path: Path) -> None:
    with LlmServer() as server:
        first = go(server, tmp_path)
        second = go(server, tmp_path)
        (tmp_path / "generated" / "_manifest.json").unlink()
        before = len(server.received)
        third = go(server, tmp_path)

        assert len(server.received) == before
    assert first.reasons == {"awaiting_batch": 10}
    assert (second.total("kept"), third.total("kept")) == (10, 10)
    assert len(server.batches) == 1


def test_an_estimate_leaves_out_what_is_in_a_batch_and_knows_what_a_batch_costs(tmp_path: Path) -> None:
    prices = "{tiny: {input_per_million: 100, output_per_million: 400}}"
    with LlmServer() as server:
        chosen = {"openai__base_url": server.base_url, "openai__key_variable": "TICKETMILL_TEST_KEY", "provider": "openai",
                  "prices__models": prices, "prices__batch_share": 0.5}  # fmt: skip
        source = deduped(tmp_path, MANY)
        direct, before = (estimate(source, params(tmp_path, mode=mode, **chosen)) for mode in ("direct", "batch"))
        go(server, tmp_path)
        after = estimate(source, params(tmp_path, mode="batch", **chosen))

    assert direct.cost is not None
    assert (before.requests, before.cost) == (10, pytest.approx(direct.cost / 2))
    assert (after.requests, after.cost) == (0, 0)


def test_a_gap_names_the_batch_it_waits_for(tmp_path: Path) -> None:
    with LlmServer() as server:
        go(server, tmp_path)

    assert set(Table(tmp_path / "generated").scan("dropped").collect()["detail"]) == {"batch-0"}


def test_a_batch_that_is_not_done_is_waited_for_and_nothing_is_handed_in_again(tmp_path: Path) -> None:
    with LlmServer() as server:
        server.polls_per_batch = 3
        results = [go(server, tmp_path).total("kept") for _ in range(4)]

    assert results == [0, 0, 0, 10]
    assert len(server.batches) == 1


@pytest.mark.parametrize(
    "spell", [str.upper, lambda state: {"in_progress": "PROGRESS"}.get(state, state)], ids=["Together", "Novita"]
)
def test_a_batch_whose_state_is_written_otherwise_is_waited_for_and_paid_once(tmp_path: Path, spell: Any) -> None:
    with LlmServer() as server:
        server.polls_per_batch, server.spell = 3, spell
        results = [go(server, tmp_path).total("kept") for _ in range(4)]

        assert (len(server.batches), max(server.billed.values())) == (1, 1)
    assert results == [0, 0, 0, 10]


@pytest.mark.parametrize(
    ("page", "words"),
    [
        (b"<html>Sign in</html>", "gave no answer; correct generate.openai"),
        (b'{"job": {"id": "batch-1"}}', "gives files and batches no id; correct base_url, or use mode: direct"),
        (b"{}", "gives files and batches no id; correct base_url, or use mode: direct"),
    ],
)
def test_an_endpoint_that_names_no_file_or_batch_is_one_clear_error(
    tmp_path: Path, page: bytes, words: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(LlmServer, "_desk", lambda _server, _received: page)
    with LlmServer() as server, pytest.raises(EndpointError, match=words):
        go(server, tmp_path)


def test_an_answer_given_directly_is_the_one_given_in_a_batch(tmp_path: Path) -> None:
    (tmp_path / "direct").mkdir()
    with LlmServer() as server:
        go(server, tmp_path)
        go(server, tmp_path)
        endpoint = {"openai__base_url": server.base_url, "openai__key_variable": "TICKETMILL_TEST_KEY"}
        run(deduped(tmp_path, MANY), tmp_path / "direct" / "generated", params(tmp_path, provider="openai", **endpoint), MEANS)

        assert [received.path for received in server.received].count("/v1/chat/completions") == 0
    assert texts(tmp_path / "direct") == texts(tmp_path)


@pytest.mark.parametrize("fault", [Status(500), Status(429), Hang(), Junk(b"{"), Junk(b'{"custom_id": "x"}')], ids=str)
def test_only_what_failed_or_expired_is_handed_in_again(tmp_path: Path, fault: Any) -> None:
    def script(received: Received) -> Any:
        is_c = "parcel c" in received.body["messages"][-1]["content"]
        return in_turn(fault, Answer("Here, at last."))(received) if is_c else Answer("Here.")

    with LlmServer(script) as server:
        kept = [go(server, tmp_path).total("kept") for _ in range(3)]

    assert kept == [0, 9, 10]
    assert [len(server.files[batch["input_file_id"]]) for batch in server.batches.values()] == [10, 1]
    with Replies(tmp_path / "replies") as replies:
        assert replies.connection.execute("SELECT requests, held_requests FROM account").fetchone() == (10, 0)


def test_what_fails_in_every_batch_becomes_a_named_gap(tmp_path: Path) -> None:
    with LlmServer(lambda _received: Status(500)) as server:
        reasons = [go(server, tmp_path, pace__max_attempts=2).reasons for _ in range(4)]

    assert reasons[1:] == [{"awaiting_batch": 10}, {"provider_error": 10}, {"provider_error": 10}]
    assert len(server.batches) == 2


def test_a_batch_refused_for_a_field_is_an_error_of_the_next_run_not_a_gap_after_five(tmp_path: Path) -> None:
    with LlmServer(lambda _received: Status(400, message="Unsupported parameter: 'max_tokens'")) as server:
        go(server, tmp_path)
        with pytest.raises(EndpointError, match="refused every request of a batch for max_tokens"):
            go(server, tmp_path)
        assert len(server.batches) == 1

    with Replies(tmp_path / "replies") as replies:
        assert replies.connection.execute("SELECT requests, held_requests FROM account").fetchone() == (0, 0)


@pytest.mark.parametrize("words", ["The parcel is not welcome", "too long: max_tokens leaves no room"])
def test_a_batch_refused_for_its_questions_stops_no_night(tmp_path: Path, words: str) -> None:
    with LlmServer(lambda _received: Status(400, message=words)) as server:
        reasons = [go(server, tmp_path, pace__max_attempts=1).reasons for _ in range(2)]

    assert reasons == [{"awaiting_batch": 10}, {"provider_error": 10}]


def test_a_line_separator_inside_a_reply_ends_no_result(tmp_path: Path) -> None:
    with LlmServer(always(Answer("It is here.\u2028Do look.\x85"))) as server:
        server.mangle = lambda lines: [json.dumps(json.loads(line), ensure_ascii=False).encode() for line in lines]
        for _ in range(2):
            go(server, tmp_path)

        assert (len(server.batches), max(server.billed.values())) == (1, 1)
    assert len(texts(tmp_path)) == len(MANY)


def test_results_out_of_order_twice_or_unknown_end_under_their_own_question(tmp_path: Path) -> None:
    def script(received: Received) -> Answer:
        return Answer(f"Parcel {received.body['messages'][-1]['content'].split()[3]} is here.")

    with LlmServer(script) as server:
        server.mangle = lambda lines: [*reversed(lines), lines[3], lines[0].replace(b'"custom_id": "', b'"custom_id": "0')]
        go(server, tmp_path)
        go(server, tmp_path)

    for turns in Table(tmp_path / "generated").scan().collect()["turns"].to_list():
        assert turns[0]["text"].split()[3] == turns[-1]["text"].split()[1]
    with Replies(tmp_path / "replies") as replies:
        assert replies.connection.execute("SELECT requests, held_requests FROM account").fetchone() == (10, 0)


@pytest.mark.parametrize("moment", ["before", "after"])
def test_a_run_killed_while_handing_in_pays_for_no_second_batch(
    tmp_path: Path, moment: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    class KilledError(BaseException):
        """Stands for kill -9: nothing after it runs."""

    from pipeline.providers.openai import _BatchDesk  # noqa: PLC0415  # beside its only use

    hand_in = _BatchDesk.hand_in

    def killed(self: Any, lines: bytes, token: str) -> str:
        if moment == "after":
            hand_in(self, lines, token)
        raise KilledError

    with LlmServer() as server:
        monkeypatch.setattr(_BatchDesk, "hand_in", killed)
        with pytest.raises(KilledError):
            go(server, tmp_path)
        monkeypatch.undo()
        monkeypatch.setenv("TICKETMILL_TEST_KEY", "sk-not-a-real-key")
        for _ in range(3):
            manifest = go(server, tmp_path)

    assert manifest.total("kept") == 10
    assert len(server.batches) == 1
    assert max(server.billed.values()) == 1


def test_a_batch_is_handed_in_as_far_as_the_budget_goes(tmp_path: Path) -> None:
    with LlmServer() as server:
        with pytest.raises(BudgetReached, match="requests 4 of 4"):
            go(server, tmp_path, budget__max_requests=4)
        assert [len(server.files[batch["input_file_id"]]) for batch in server.batches.values()] == [4]


def test_many_requests_make_several_batches(tmp_path: Path) -> None:
    with LlmServer() as server:
        go(server, tmp_path, batch__max_requests=4)

        assert [len(server.files[batch["input_file_id"]]) for batch in server.batches.values()] == [4, 4, 2]
        assert go(server, tmp_path, batch__max_requests=4).total("kept") == 10


def test_an_endpoint_without_batches_is_one_clear_error(tmp_path: Path) -> None:
    with LlmServer() as server, pytest.raises(EndpointError, match=r"answered 404; correct generate\.openai"):
        go(server, tmp_path, openai__base_url=server.base_url.replace("/v1", "/other"))


def test_two_runs_at_once_hand_in_one_batch(tmp_path: Path) -> None:
    from pipeline.providers.openai import _BatchDesk  # noqa: PLC0415  # beside its only use

    began, may_go_on = threading.Event(), threading.Event()
    hand_in = _BatchDesk.hand_in

    class SlowDesk(_BatchDesk):
        def hand_in(self, lines: bytes, token: str) -> str:
            began.set()
            may_go_on.wait(10)
            return hand_in(self, lines, token)

    with LlmServer() as server, pytest.MonkeyPatch.context() as patch:
        for name in ("one", "two"):
            (tmp_path / name).mkdir()
        shared = {"replies": tmp_path / "shared"}
        patch.setattr("pipeline.providers.openai._BatchDesk", SlowDesk)
        first = threading.Thread(target=go, args=(server, tmp_path / "one"), kwargs=shared)
        first.start()
        began.wait(10)
        assert go(server, tmp_path / "two", **shared).reasons == {"awaiting_batch": 10}
        may_go_on.set()
        first.join()
        assert go(server, tmp_path / "two", **shared).total("kept") == 10

    assert len(server.batches) == 1


def test_a_repair_is_handed_in_with_the_next_batch(tmp_path: Path) -> None:
    def script(received: Received) -> Answer:
        is_repair = received.body["messages"][-1]["content"].startswith("That was not")
        letter = received.body["messages"][1]["content"].split()[3]
        return Answer(
            json.dumps({"answer": f"Look at {letter}.", "needs_human": False, "cited_ids": []}) if is_repair else "Look!"
        )

    with LlmServer(script) as server:
        reasons = [go(server, tmp_path, model__output="json").reasons for _ in range(3)]

    assert reasons == [{"awaiting_batch": 10}, {"awaiting_batch": 10}, {}]
    assert len(server.batches) == 2


@pytest.mark.parametrize(
    "line",
    [b"{}", b"nope", b'{"custom_id": 5}', b'{"custom_id": "x", "response": null, "error": {"code": "batch_expired"}}',
     b'{"custom_id": "x", "response": {"status_code": 200, "body": {"choices": []}}}', b"[1]", b""],
)  # fmt: skip
def test_a_line_that_is_no_result_costs_nothing_but_itself(tmp_path: Path, line: bytes) -> None:
    with LlmServer(lambda received: Answer(f"Look at {received.body['messages'][-1]['content'].split()[3]}.")) as server:
        server.mangle = lambda lines: [line, *lines]
        go(server, tmp_path)

        assert go(server, tmp_path).total("kept") == 10


def test_a_run_killed_while_collecting_collects_the_rest_and_pays_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class KilledError(BaseException):
        """Stands for kill -9: nothing after it runs."""

    kept: list[str] = []
    keep = Replies.keep

    def killed(self: Any, key: str, reply: Any) -> None:
        kept.append(key)
        if len(kept) == 4:
            raise KilledError
        keep(self, key, reply)

    with LlmServer(lambda received: Answer(f"Look at {received.body['messages'][-1]['content'].split()[3]}.")) as server:
        go(server, tmp_path)
        with monkeypatch.context() as patch:
            patch.setattr(Replies, "keep", killed)
            with pytest.raises(KilledError):
                go(server, tmp_path)
        assert go(server, tmp_path).total("kept") == 10

    assert len(server.batches) == 1
    with Replies(tmp_path / "replies") as replies:
        assert replies.connection.execute("SELECT requests, held_requests FROM account").fetchone() == (10, 0)
