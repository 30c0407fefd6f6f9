"""Between a question and an answer: what is sent of a long conversation, structured replies, repair, candidates, pace."""

import json
import time
from pathlib import Path
from typing import Any

import pytest

from pipeline.answering.asking import shorten
from pipeline.answering.request import Turn
from pipeline.generate import run
from pipeline.tables import Manifest, Table
from tests.build import MEANS, conversation
from tests.llm_server import Answer, Junk, LlmServer, Received, Script, Status, always
from tests.pipeline.generate_tables import deduped, params

KNOWN = conversation(1, "Where is the red parcel I ordered?", "It waits at the depot.")
QUESTION = conversation(2, "Where is the blue parcel I ordered?")
MANY = [conversation(number, f"Where is parcel {'abcdefghijklmnop'[number]} of my order?") for number in range(16)]


@pytest.fixture(autouse=True)
def _key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TICKETMILL_TEST_KEY", "sk-not-a-real-key")


def ask(folder: Path, script: Script, rows: Any = (KNOWN, QUESTION), **settings: Any) -> tuple[Manifest, list[Received]]:
    with LlmServer(script) as server:
        endpoint = {"openai__base_url": server.base_url, "openai__key_variable": "TICKETMILL_TEST_KEY"}
        chosen = params(folder, provider="openai", **endpoint, **settings)
        return run(deduped(folder, rows), folder / "generated", chosen, MEANS), server.received


def last_turn(folder: Path) -> dict[str, Any]:
    turn: dict[str, Any] = Table(folder / "generated").scan().collect()["turns"].to_list()[-1][-1]
    return turn


def written(answer: str = "It is on its way.", *, needs_human: Any = False, cited_ids: Any = ()) -> str:
    return json.dumps({"answer": answer, "needs_human": needs_human, "cited_ids": list(cited_ids)})


def turns(*texts: str) -> list[Turn]:
    return [Turn(f"t{number}", *text.split(": ")) for number, text in enumerate(texts)]


def test_a_conversation_within_the_bound_is_sent_whole() -> None:
    said = turns("customer: Hi", "agent: Hello", "customer: Where is it?")

    assert shorten(said, 20) == said


def test_of_a_long_conversation_the_first_and_the_last_customer_turns_stay_and_the_latest_of_the_rest() -> None:
    said = turns(
        "customer: first", "agent: " + "long " * 50, "customer: " + "more " * 50, "agent: near", "customer: last", "customer: one"
    )

    assert [turn.text for turn in shorten(said, 8)] == ["first", "near", "last", "one"]
    assert [turn.text for turn in shorten(said, 1)] == ["first", "last", "one"]


def test_a_structured_reply_gives_the_answer_and_cites_what_it_rests_on(tmp_path: Path) -> None:
    _, [received] = ask(tmp_path, always(Answer(written(cited_ids=[1]))), model__output="json_schema")

    assert received.body["response_format"]["json_schema"]["strict"] is True
    assert last_turn(tmp_path)["text"] == "It is on its way."
    assert [ground["id"] for ground in last_turn(tmp_path)["generation"]["grounding"]] == [f"{KNOWN['conversation_id']}/t1"]


def test_an_endpoint_that_cannot_enforce_json_is_asked_for_it_in_words(tmp_path: Path) -> None:
    _, [received] = ask(tmp_path, always(Answer(written())), model__output="json")

    assert "response_format" not in received.body
    assert '"needs_human"' in received.body["messages"][0]["content"]
    assert last_turn(tmp_path)["generation"]["grounding"] == []


@pytest.mark.parametrize(
    "bad",
    ["It is on its way.", f"{written()} {written()}", '{"answer": "It is"', "[]", "{}", written(needs_human="no"),
     written(cited_ids=["1"]), written(cited_ids=[True]), '{"answer": null, "needs_human": false, "cited_ids": []}'],
)  # fmt: skip
def test_a_reply_that_is_not_the_json_is_sent_back_once_for_repair(tmp_path: Path, bad: str) -> None:
    def script(received: Received) -> Answer:
        return Answer(written("Mended.")) if received.body["messages"][-1]["content"].startswith("That was not") else Answer(bad)

    _, received = ask(tmp_path, script, model__output="json")

    assert last_turn(tmp_path)["text"] == "Mended."
    assert [message["role"] for message in received[1].body["messages"]] == ["system", "user", "assistant", "user"]


@pytest.mark.parametrize("around", ["```json\n{}\n```", "```\n{}```\n", "\n``` JSON\n{}\n```", "{}\n"])
def test_json_in_a_code_fence_is_read_without_paying_for_a_repair(tmp_path: Path, around: str) -> None:
    _, received = ask(tmp_path, always(Answer(around.replace("{}", written()))), model__output="json")

    assert (last_turn(tmp_path)["text"], len(received)) == ("It is on its way.", 1)


def test_a_reply_that_cannot_be_repaired_is_a_named_gap_paid_once(tmp_path: Path) -> None:
    for _ in range(2):
        manifest, received = ask(tmp_path, always(Answer("No.")), model__output="json")
        assert manifest.reasons == {"unreadable_reply": 1}
        (tmp_path / "generated" / "_manifest.json").unlink()

    assert len(received) <= 2


def test_a_citation_of_what_was_never_shown_is_a_named_gap(tmp_path: Path) -> None:
    assert ask(tmp_path, always(Answer(written(cited_ids=[2]))), model__output="json")[0].reasons == {"unknown_citation": 1}


@pytest.mark.parametrize(("policy", "reasons"), [("keep", {}), ("leave", {"needs_human": 1})])
def test_an_answer_that_needs_a_human_is_kept_or_left_by_params(tmp_path: Path, policy: str, reasons: dict[str, int]) -> None:
    script = always(Answer(written(needs_human=True)))

    assert ask(tmp_path, script, model__output="json", prompt__needs_human=policy)[0].reasons == reasons


@pytest.mark.parametrize(
    ("policy", "reasons", "requests"), [("ask", {}, 1), ("hand_over", {}, 0), ("leave", {"ungrounded": 1}, 0)]
)
def test_without_grounding_the_model_is_asked_or_the_question_handed_over_or_left(
    tmp_path: Path, policy: str, reasons: dict[str, int], requests: int
) -> None:
    manifest, received = ask(tmp_path, always(Answer("Soon.")), [QUESTION], prompt__without_grounding=policy)

    assert (manifest.reasons, len(received)) == (reasons, requests)
    if policy == "hand_over":
        assert last_turn(tmp_path)["text"].startswith("Thank you for your message. I will pass this to a colleague")
        assert last_turn(tmp_path)["generation"]["model"] == "hand_over"


def test_rejected_answers_stand_beside_the_table_for_review(tmp_path: Path) -> None:
    manifest, _ = ask(tmp_path, always(Answer("It costs $99.")))

    assert manifest.reasons == {"unsupported_specific": 1}
    rejected = Table(tmp_path / "generated").scan("rejected").collect()
    assert rejected.rows() == [(QUESTION["conversation_id"], "t0", "unsupported_specific", "It costs $99.")]


def test_requests_leave_no_faster_than_the_rate(tmp_path: Path) -> None:
    moments: list[float] = []

    def script(_received: Received) -> Answer:
        moments.append(time.monotonic())
        return Answer("Soon, I hope.")

    ask(tmp_path, script, MANY[:8], pace__requests_per_minute=1200)

    assert moments[-1] - moments[0] >= 7 * 0.05 - 0.02


def test_a_429_with_retry_after_holds_every_request_back(tmp_path: Path) -> None:
    moments: list[float] = []

    def script(_received: Received) -> Answer | Status:
        moments.append(time.monotonic())
        return Status(429, {"retry-after": "0.5"}) if len(moments) == 1 else Answer("Soon, I hope.")

    ask(tmp_path, script, MANY, pace__concurrency=1)

    assert moments[1] - moments[0] >= 0.5


def test_a_busy_endpoint_gets_fewer_requests_at_once(tmp_path: Path) -> None:
    seen: list[int] = []

    def script(received: Received) -> Answer | Status:
        seen.append(server.open_now)
        return Status(429) if received.attempt == 0 else Answer("Soon, I hope.", after_seconds=0.02)

    with LlmServer(script) as server:
        endpoint = {"openai__base_url": server.base_url, "openai__key_variable": "TICKETMILL_TEST_KEY"}
        pace = {"pace__concurrency": 16, "pace__first_wait_seconds": 0.01}
        manifest = run(
            deduped(tmp_path, MANY), tmp_path / "generated", params(tmp_path, provider="openai", **endpoint, **pace), MEANS
        )

    assert manifest.reasons == {}
    assert max(seen[-8:]) <= 8


def test_the_way_the_team_writes_is_shown_beside_what_is_known_and_supports_nothing(tmp_path: Path) -> None:
    chatty = [
        conversation(20 + number, f"Can I pay parcel {number} by invoice?", f"Sure thing, {word}! It costs $4{number}.")
        for number, word in enumerate(("friend", "buddy", "pal"))
    ]
    settings = {"retrieval__min_similarity": 0.99, "prompt__style_examples": 2}
    manifest, [received] = ask(tmp_path, always(Answer("It costs $40.")), [*chatty, QUESTION], **settings)

    instructions = received.body["messages"][0]["content"]
    assert instructions.count("Sure thing") == 2
    assert "There is no knowledge for this question" in instructions
    assert manifest.reasons == {"unsupported_specific": 1}


def test_of_several_candidates_the_first_sound_one_is_taken_and_the_others_are_for_review(tmp_path: Path) -> None:
    choices = [
        {"message": {"content": text}, "finish_reason": "stop"} for text in ("It costs $99.", "It is on its way.", "It is late.")
    ]
    _, [received] = ask(tmp_path, always(Junk(json.dumps({"choices": choices}).encode())), model__candidates=3)

    assert received.body["n"] == 3
    assert last_turn(tmp_path)["text"] == "It is on its way."
    assert Table(tmp_path / "generated").scan("rejected").collect()["text"].to_list() == ["It costs $99."]


def test_half_a_character_in_a_reply_is_not_taken_for_json(tmp_path: Path) -> None:
    manifest, _ = ask(
        tmp_path, always(Answer(r'{"answer": "\ud83d", "needs_human": false, "cited_ids": []}')), model__output="json"
    )

    assert manifest.reasons == {"unreadable_reply": 1}
