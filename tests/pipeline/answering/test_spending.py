"""Caps hold: before a request is sent, across processes and restarts, and whatever becomes of it."""

import json
import multiprocessing
import os
import sqlite3
import subprocess
import sys
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.answering.replies import Replies
from pipeline.answering.request import Choice, Message, Reply, Request
from pipeline.answering.spending import Account, BudgetParams, Price, PriceParams
from pipeline.errors import BudgetReached, ParamsError, ProviderError
from pipeline.generate import estimate, run
from pipeline.tables import Table
from tests.build import MEANS, conversation
from tests.llm_server import Answer, CutOff, LlmServer, Status, in_turn, with_faults
from tests.pipeline.generate_tables import SHIPPED, deduped, params

REQUEST = Request("http://127.0.0.1", "tiny", (Message("user", "Where is it? ✓"),), 0, 50)
MANY = [conversation(number, f"Where is parcel {'abcdefghijklmnopqrstuvwxyz'[number]} of my order?") for number in range(26)]
PRICES = "{tiny: {input_per_million: 100, output_per_million: 400}}"


def account(connection: sqlite3.Connection, **caps: Any) -> Account:
    budget = BudgetParams(**{"name": "b", "max_cost": None, "max_tokens": None, "max_requests": None, **caps})
    price = Price(input_per_million=Decimal("0.15"), output_per_million=Decimal("0.6"))
    return Account(
        connection, budget, PriceParams(currency="USD", as_of=None, batch_share=Decimal(1), models={"tiny": price}), "tiny"
    )


def reply(input_tokens: int, output_tokens: int) -> Reply:
    return Reply((Choice("Here.", "stop"),), "tiny", input_tokens, output_tokens)


@pytest.fixture
def connection() -> Any:
    with sqlite3.connect(":memory:", isolation_level=None) as connection:
        yield connection
    connection.close()


def test_the_worst_is_every_byte_of_the_body_a_token_and_a_full_reply(connection: sqlite3.Connection) -> None:
    worst = account(connection).worst(REQUEST)

    sent = len(json.dumps(REQUEST.body(), ensure_ascii=False, separators=(",", ":")).encode())
    assert worst.tokens == sent + 50
    assert worst.cost == sent * 150_000 + 50 * 600_000  # in 1e-12 of a unit


def test_a_cap_leaves_room_for_the_worst_or_for_nothing(connection: sqlite3.Connection) -> None:
    worst = account(connection).worst(REQUEST)
    tight = account(connection, max_tokens=2 * worst.tokens - 1)

    assert tight.reserve(worst)
    assert not tight.reserve(worst)


@pytest.mark.parametrize("cap", ["max_requests", "max_tokens", "max_cost"])
def test_every_cap_of_zero_allows_nothing(connection: sqlite3.Connection, cap: str) -> None:
    capped = account(connection, **{cap: 0})

    assert not capped.reserve(capped.worst(REQUEST))


def test_what_a_reply_cost_takes_the_place_of_the_worst(connection: sqlite3.Connection) -> None:
    one = account(connection)
    worst = one.worst(REQUEST)
    assert one.reserve(worst)

    one.settle(worst, reply(10, 5))

    spent = one.spent()
    assert (spent["requests"], spent["tokens"], spent["cost"]) == (1, 15, pytest.approx(10 * 0.15e-6 + 5 * 0.6e-6))
    assert (spent["held_requests"], spent["held_tokens"], spent["held_cost"]) == (0, 0, 0)


def test_a_reply_that_does_not_say_what_it_cost_costs_the_worst(connection: sqlite3.Connection) -> None:
    one = account(connection)
    worst = one.worst(REQUEST)
    one.reserve(worst)
    one.settle(worst, reply(0, 0))

    assert one.spent()["tokens"] == worst.tokens


def test_another_name_is_another_budget(connection: sqlite3.Connection) -> None:
    first = account(connection, max_requests=1)
    first.reserve(first.worst(REQUEST))

    assert not account(connection, max_requests=1).reserve(first.worst(REQUEST))
    assert account(connection, max_requests=1, name="c").reserve(first.worst(REQUEST))


def test_a_cap_on_cost_without_a_price_is_refused(connection: sqlite3.Connection) -> None:
    budget = BudgetParams(name="b", max_cost=Decimal(1), max_tokens=None, max_requests=None)

    with pytest.raises(ParamsError, match=r"max_cost is set, and generate\.prices\.models has no price for 'tiny'"):
        Account(connection, budget, PriceParams(currency="USD", as_of=None, batch_share=Decimal(1), models={}), "tiny")


@settings(max_examples=50, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 60), st.integers(0, 50), st.sampled_from(["settle", "release", "lose"])), max_size=40))
def test_spent_and_held_never_exceed_a_cap_while_replies_keep_to_their_worst(attempts: Any) -> None:
    with sqlite3.connect(":memory:", isolation_level=None) as connection:
        one = account(connection, max_tokens=600)
        worst = one.worst(REQUEST)
        for input_tokens, output_tokens, end in attempts:
            if not one.reserve(worst):
                continue
            if end == "settle":
                one.settle(worst, reply(input_tokens, output_tokens))
            elif end == "release":
                one.release(worst)
            spent = one.spent()
            assert spent["tokens"] + spent["held_tokens"] <= 600
            assert min(spent.values()) >= 0
    connection.close()


def _reserve_until_refused(folder: Path, worst_tokens: int) -> None:
    with Replies(folder) as replies:
        one = account(replies.connection, max_tokens=100 * worst_tokens)
        while one.reserve(one.worst(REQUEST)):
            pass


def test_a_cap_holds_for_several_processes_at_once(tmp_path: Path) -> None:
    with Replies(tmp_path) as replies:
        worst = account(replies.connection).worst(REQUEST)
        context = multiprocessing.get_context("spawn")
        processes = [context.Process(target=_reserve_until_refused, args=(tmp_path, worst.tokens)) for _ in range(3)]
        for process in processes:
            process.start()
        for process in processes:
            process.join()

        assert account(replies.connection).spent()["held_requests"] == 100


def ask(server: LlmServer, folder: Path, **more: Any) -> None:
    endpoint = {"openai__base_url": server.base_url, "openai__key_variable": "TICKETMILL_TEST_KEY"}
    chosen = params(folder, provider="openai", prices__models=PRICES, **endpoint, **more)
    run(deduped(folder, MANY), folder / "generated", chosen, MEANS)


@pytest.fixture(autouse=True)
def _key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TICKETMILL_TEST_KEY", "sk-not-a-real-key")


def billed(server: LlmServer) -> float:
    return server.billed_tokens["input"] * 100e-6 + server.billed_tokens["output"] * 400e-6


def test_a_run_stops_at_its_cap_and_goes_on_where_it_stopped_when_the_cap_is_raised(tmp_path: Path) -> None:
    with LlmServer() as server:
        with pytest.raises(BudgetReached, match=r"budget 'default' leaves no room for the next request \(requests 10 of 10\)"):
            ask(server, tmp_path, budget__max_requests=10)
        assert len(server.received) == 10
        ask(server, tmp_path, budget__max_requests=26)

    assert len(server.received) == 26
    assert Table(tmp_path / "generated").manifest.total("kept") == 26


@pytest.mark.parametrize("seed", range(6))
def test_what_the_server_bills_stays_under_the_cap_with_faults_and_restarts(tmp_path: Path, seed: int) -> None:
    with LlmServer(with_faults(0.4, seed), idempotent=False) as server:
        for _ in range(3):
            with pytest.raises(BudgetReached, match="cost"):
                ask(server, tmp_path, budget__max_cost=1, pace__concurrency=8)

    assert 0 < billed(server) <= 1


def test_a_cut_off_reply_stays_reserved_and_a_refused_request_does_not(tmp_path: Path) -> None:
    with LlmServer(in_turn(CutOff(), Status(429, {"retry-after": "0"}), Answer("Here it is.")), idempotent=False) as server:
        ask(server, tmp_path)
    with Replies(tmp_path / "replies") as replies:
        spent = Account(
            replies.connection,
            params(tmp_path).budget,
            PriceParams(currency="USD", as_of=None, batch_share=Decimal(1), models={}),
            "tiny",
        ).spent()

    assert (spent["requests"], spent["held_requests"]) == (26, 26)


def test_replay_answers_from_kept_replies_and_stops_when_one_is_missing(tmp_path: Path) -> None:
    with LlmServer() as server:
        with pytest.raises(ProviderError, match="26 of 26 replies are not kept, and replay sends nothing"):
            ask(server, tmp_path, replay="true")
        ask(server, tmp_path)
        (tmp_path / "generated" / "_manifest.json").unlink()
        ask(server, tmp_path, replay="true")

    assert len(server.received) == 26


def test_a_budget_that_is_used_up_ends_the_command_with_4_and_one_line(tmp_path: Path) -> None:
    source = deduped(tmp_path, MANY[:1])
    with LlmServer() as server:
        sets = {
            "provider": "openai", "openai.base_url": server.base_url, "openai.key_variable": "TICKETMILL_TEST_KEY",
            "budget.max_requests": "0", "replies": str(tmp_path / "replies"),
        }  # fmt: skip
        command = [
            sys.executable,
            "-c",
            "from pipeline.cli import main; main()",
            "generate",
            str(source),
            str(tmp_path / "generated"),
        ]
        command += ["--params", str(SHIPPED), *(f"--set=generate.{name}={value}" for name, value in sets.items())]
        ended = subprocess.run(
            command, capture_output=True, text=True, check=False, env={**os.environ, "TICKETMILL_KEY": "0" * 64}
        )

    assert ended.returncode == 4
    assert ended.stderr == (
        "ticketmill: generate: budget 'default' leaves no room for the next request (requests 0 of 0); replies are kept, "
        "raise generate.budget and run again\n"
    )
    assert server.received == []


def test_an_estimate_counts_what_would_be_sent_and_sends_nothing(tmp_path: Path) -> None:
    source = deduped(tmp_path, [*MANY, conversation(40, "Hello", "agent: Hi")])
    with LlmServer() as server:
        endpoint = {"openai__base_url": server.base_url, "openai__key_variable": "TICKETMILL_TEST_KEY"}
        chosen = params(tmp_path, provider="openai", prices__models=PRICES, pace__requests_per_minute=13, **endpoint)
        before = estimate(source, chosen)
        assert server.received == []
        run(source, tmp_path / "generated", params(tmp_path, provider="openai", **endpoint), MEANS)
        after = estimate(source, chosen)

    assert (before.questions, before.requests, before.output_tokens, before.minutes) == (26, 26, 26 * 400, 2)
    assert before.cost == pytest.approx((before.input_tokens * 100 + before.output_tokens * 400) / 1e6)
    assert (after.questions, after.requests, after.cost) == (26, 0, 0)


def test_an_estimate_counts_the_judge_at_its_own_price(tmp_path: Path) -> None:
    source = deduped(tmp_path, MANY[:2])
    judge = json.dumps({"prompt": "judge", "model": "wise", "max_tokens": 10, "swapped_share": 0.5, "labels": "none.csv",
                        "min_items": 1, "min_kappa": 0, "max_flips": 1})  # fmt: skip
    prices = PRICES[:-1] + ", wise: {input_per_million: 1000, output_per_million: 4000}}"
    plain = estimate(source, params(tmp_path, provider="fake", prices__models=prices))
    judged = estimate(source, params(tmp_path, provider="fake", prices__models=prices, judge=judge))

    assert (plain.requests, judged.requests, judged.output_tokens) == (2, 5, plain.output_tokens + 30)
    assert judged.input_tokens == plain.input_tokens + 1.5 * (plain.input_tokens + 2 * 400)
    assert plain.cost is not None
    assert judged.cost == pytest.approx(plain.cost + ((judged.input_tokens - plain.input_tokens) * 1000 + 30 * 4000) / 1e6)
    assert estimate(source, params(tmp_path, provider="fake", prices__models=PRICES, judge=judge)).cost is None


def test_an_estimate_of_the_offline_provider_costs_nothing(tmp_path: Path) -> None:
    assert estimate(deduped(tmp_path, MANY), params(tmp_path)).requests == 0
