"""What vLLM, llama.cpp, Ollama, Gemini and others make of a reply: its text, its end, its account."""

import gzip
import json
from pathlib import Path
from typing import Any

import pytest

from pipeline.answering.replies import Replies
from pipeline.providers.openai import LONGEST_REPLY
from pipeline.tables import Table
from tests.llm_server import Answer, Junk, LlmServer, Received, Status, always, in_turn
from tests.pipeline.providers.endpoint import QUESTION, answers, ask


def completion(**message: Any) -> Junk:
    """A reply of another make than OpenAI's: no usage, no id, no model."""
    return Junk(json.dumps({"choices": [{"message": message, "finish_reason": None}]}).encode())


@pytest.mark.parametrize(
    ("message", "text"),
    [
        ({"content": [{"type": "text", "text": "It is "}, {"type": "text", "text": "here."}]}, "It is here."),
        ({"content": [{"type": "thinking", "thinking": []}, {"type": "text", "text": "It is here."}]}, "It is here."),
        ({"content": "<think>\nWhere may it be?\n</think>\n\nIt is here."}, "It is here."),
        (
            {
                "content": "<|channel|>analysis<|message|>Where?<|end|><|start|>assistant<|channel|>final<|message|>It is here."
                "<|return|>"
            },
            "It is here.",
        ),
        ({"content": "It is here.<|im_end|>\n"}, "It is here."),
        ({"content": "It is here.<|eot_id|></s>"}, "It is here."),
        ({"content": "Where may it be?</think>It is here."}, "It is here."),
        ({"content": "<seed:think>Where may it be?</seed:think>It is here."}, "It is here."),
        ({"content": "\u25c1think\u25b7Where may it be?\u25c1/think\u25b7It is here."}, "It is here."),
        (
            {"content": "<|START_THINKING|>Where?<|END_THINKING|><|START_RESPONSE|>It is here.<|END_RESPONSE|>"},
            "It is here.",
        ),
        ({"content": "It is here.<|im_end|>\n<|im_start|>user\nThank you.<|im_end|>"}, "It is here."),
        ({"content": "It is here.<end_of_turn>\nuser\nThank you."}, "It is here."),
        ({"content": "It is here.<\uff5cend\u2581of\u2581sentence\uff5c>"}, "It is here."),
        ({"content": "It is <s>there</s> here."}, "It is <s>there</s> here."),
        ({"content": "It is here.", "reasoning_content": "Where may it be?", "reasoning": "Hm."}, "It is here."),
    ],
)
def test_what_other_servers_make_of_a_message_is_read_without_thoughts(tmp_path: Path, message: Any, text: str) -> None:
    with LlmServer(always(completion(role="assistant", **message))) as server:
        ask(server, tmp_path)

    turn = Table(tmp_path / "generated").scan().collect()["turns"][0][-1]
    assert (turn["text"], turn["generation"]["model"]) == (text, "tiny")


@pytest.mark.parametrize(
    ("message", "reason"),
    [
        ({"content": None}, "empty_reply"),
        ({"content": None, "reasoning_content": "Where may it be?"}, "empty_reply"),
        ({"content": []}, "empty_reply"),
        ({}, "empty_reply"),
        ({"content": "<think>Where may it be?"}, "cut_off"),
        ({"content": "<|channel|>analysis<|message|>Where may it be?"}, "cut_off"),
        ({"content": "</s>"}, "empty_reply"),
    ],
)
def test_a_message_that_says_nothing_is_a_named_gap(tmp_path: Path, message: Any, reason: str) -> None:
    with LlmServer(always(completion(**message))) as server:
        assert ask(server, tmp_path).reasons == {reason: 1}


@pytest.mark.parametrize(
    "message",
    [
        {"content": ["It is ", {"text": "here."}]},
        {"content": "<thinking>Where?</thinking> It is here."},
        {"content": "[THINK]Where?[/THINK]It is here."},
    ],
)
def test_texts_in_bare_pieces_and_thoughts_under_other_names_are_read_too(tmp_path: Path, message: Any) -> None:
    with LlmServer(always(completion(**message))) as server:
        ask(server, tmp_path)

    assert answers(tmp_path) == ["It is here."]


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        *[(words, "cut_off") for words in ("max_tokens", "MAX_TOKENS", "model_length", "model_context_window_exceeded")],
        *[(words, "refused") for words in ("SAFETY", "refusal", "guardrail_intervened", "content_filtered", "sensitive")],
    ],
)
def test_an_end_in_the_words_of_other_makers_is_understood(tmp_path: Path, words: str, reason: str) -> None:
    with LlmServer(always(Answer("It is", finish_reason=words))) as server:
        assert ask(server, tmp_path).reasons == {reason: 1}


@pytest.mark.parametrize("words", ["eos", "eos_token", "stop_sequence", "end_turn", "tool_calls"])
def test_any_other_end_is_one_of_its_own_accord(tmp_path: Path, words: str) -> None:
    with LlmServer(always(Answer("It is here.", finish_reason=words))) as server:
        ask(server, tmp_path)

    assert answers(tmp_path) == ["It is here."]


@pytest.mark.parametrize("words", ["error", "abort", "network_error"])
def test_half_a_text_that_the_server_broke_off_is_asked_for_again(tmp_path: Path, words: str) -> None:
    with LlmServer(in_turn(Answer("It is", finish_reason=words), Answer("It is here.")), idempotent=False) as server:
        ask(server, tmp_path)

    assert answers(tmp_path) == ["It is here."]


def in_pieces(*pieces: dict[str, Any], end: str = "data: [DONE]\n\n") -> Junk:
    """Server-sent events, as some send them to whom did not ask for any."""
    events = "".join(f"data: {json.dumps(piece)}\n\n" for piece in pieces)
    return Junk(f": processing\n\nevent: message\n{events}{end}".encode(), "text/event-stream")


def piece(text: str | None = None, finish_reason: str | None = None, **more: Any) -> dict[str, Any]:
    delta = {"role": "assistant"} if text is None else {"content": text}
    return {"object": "chat.completion.chunk", "choices": [{"index": 0, "delta": delta, "finish_reason": finish_reason}], **more}


USAGE = {"prompt_tokens": 30, "completion_tokens": 5}


@pytest.mark.parametrize(
    "act",
    [
        in_pieces(piece(), piece("It is "), piece("here.", model="served"), piece("", "stop"), {"choices": [], "usage": USAGE}),
        in_pieces(piece("It is here.", "stop", usage=USAGE), end=""),
        in_pieces({"choices": [{"message": {"content": "It is here."}}], "usage": USAGE}),
    ],
)
def test_a_reply_in_pieces_that_nobody_asked_for_is_put_together(tmp_path: Path, act: Junk) -> None:
    with LlmServer(always(act)) as server:
        ask(server, tmp_path)

    assert answers(tmp_path) == ["It is here."]
    with Replies(tmp_path / "replies") as replies:
        assert replies.connection.execute("SELECT requests, tokens FROM account").fetchone() == (1, 35)


def test_a_model_that_only_streams_is_asked_to(tmp_path: Path) -> None:
    def script(received: Received) -> Junk | Status:
        if not received.body.get("stream"):
            return Status(
                400, message="This model only support stream mode, please enable the stream parameter to access the model."
            )
        return in_pieces(piece("It is "), piece("here.", "stop"), {"choices": [], "usage": USAGE})

    with LlmServer(script) as server:
        ask(server, tmp_path, model__extra="{stream: true, stream_options: {include_usage: true}}")

    assert answers(tmp_path) == ["It is here."]


@pytest.mark.parametrize(
    ("act", "gap"),
    [
        (in_pieces(piece("It is"), end=""), ("provider_error", "no_completion")),
        (in_pieces(piece("It is", "length")), ("cut_off", "length")),
        (in_pieces({"error": {"code": 429, "message": "slow"}}, end=""), ("provider_error", "429")),
        (Junk(b"data: nope\n\n", "text/event-stream"), ("provider_error", "no_completion")),
        (in_pieces({"choices": [{"index": "first"}, {"index": 0}]}), ("provider_error", "no_completion")),
    ],
)
def test_pieces_that_break_off_are_no_reply(tmp_path: Path, act: Junk, gap: tuple[str, str]) -> None:
    with LlmServer(always(act)) as server:
        ask(server, tmp_path, pace__max_attempts=1)

    assert Table(tmp_path / "generated").scan("dropped").collect().rows() == [(QUESTION["conversation_id"], *gap)]


def test_a_packed_reply_is_unpacked_and_a_damaged_one_asked_for_again(tmp_path: Path) -> None:
    packed = gzip.compress(completion(content="It is here.").body)
    damaged, sound = (Status(200, {"content-encoding": "gzip"}, body=body) for body in (packed[:20] + b"no", packed))
    with LlmServer(in_turn(damaged, sound), idempotent=False) as server:
        ask(server, tmp_path)

    assert answers(tmp_path) == ["It is here."]


def test_a_reply_that_unpacks_to_more_than_any_reply_has_is_given_up_unread(tmp_path: Path) -> None:
    bomb = Status(200, {"content-encoding": "gzip"}, body=gzip.compress(bytes(LONGEST_REPLY + 1), 1))
    with LlmServer(always(bomb)) as server:
        ask(server, tmp_path, pace__max_attempts=1)

    assert Table(tmp_path / "generated").scan("dropped").collect()["detail"].to_list() == ["too_long"]


@pytest.mark.parametrize(
    "text",
    ["Here is the JSON:\n```json\n{said}\n```\nI hope it helps.", "```json {said}```", "Sure! {said}", "{said}\n\nDone."],
)
def test_json_is_found_among_the_words_around_it(tmp_path: Path, text: str) -> None:
    said = json.dumps({"answer": "It is here.", "needs_human": False, "cited_ids": []})
    with LlmServer(always(Answer(text.replace("{said}", said)))) as server:
        ask(server, tmp_path, model__output="json")

        assert len(server.received) == 1
    assert answers(tmp_path) == ["It is here."]


@pytest.mark.parametrize("kind", ["text/plain", "text/html; charset=utf-8", "application/octet-stream", ""])
def test_a_reply_counts_whatever_it_is_said_to_be(tmp_path: Path, kind: str) -> None:
    body = completion(content="It is here.").body
    with LlmServer(always(Junk(body, kind))) as server:
        ask(server, tmp_path)

    assert answers(tmp_path) == ["It is here."]


def test_a_byte_order_mark_before_a_reply_is_no_part_of_it(tmp_path: Path) -> None:
    with LlmServer(always(Junk(b"\xef\xbb\xbf" + completion(content="It is here.").body))) as server:
        ask(server, tmp_path)

    assert answers(tmp_path) == ["It is here."]


@pytest.mark.parametrize(
    ("usage", "booked"),
    [
        ({"prompt_tokens": 30, "completion_tokens": 5}, 35),
        ({"prompt_tokens": 30, "total_tokens": 35}, 35),
        ({"prompt_tokens": 30.0, "completion_tokens": 5.0, "prompt_tokens_details": None}, 35),
    ],
)
def test_usage_is_booked_as_far_as_it_is_told(tmp_path: Path, usage: Any, booked: int) -> None:
    assert tokens_booked(tmp_path, usage) == booked


@pytest.mark.parametrize(
    "usage",
    [None, {}, [], "unknown", {"prompt_tokens": "many", "completion_tokens": {}}, {"prompt_tokens": 30},
     {"prompt_tokens": 0, "completion_tokens": 0},
     {"prompt_tokens": 1e30, "completion_tokens": 5}, {"prompt_tokens": 30, "completion_tokens": 2**64 - 1}],
)  # fmt: skip
def test_usage_that_leaves_the_reply_out_is_booked_at_the_worst(tmp_path: Path, usage: Any) -> None:
    assert tokens_booked(tmp_path, usage) > 400


def tokens_booked(folder: Path, usage: Any) -> int:
    reply = {"choices": [{"message": {"content": "It is here."}}], "usage": usage}
    with LlmServer(always(Junk(json.dumps(reply).encode()))) as server:
        ask(server, folder)
    with Replies(folder / "replies") as replies:
        booked: int = replies.connection.execute("SELECT tokens FROM account").fetchone()[0]
    return booked


def test_a_choice_that_names_an_error_is_asked_for_again(tmp_path: Path) -> None:
    error = {"code": 502, "message": "Upstream error"}
    broken = Junk(json.dumps({"choices": [{"message": {"content": "It is"}, "finish_reason": None, "error": error}]}).encode())
    with LlmServer(in_turn(broken, Answer("It is here."))) as server:
        ask(server, tmp_path)

    assert answers(tmp_path) == ["It is here."]


def test_a_reply_that_stands_under_the_name_of_its_provider_is_read(tmp_path: Path) -> None:
    nested = {"choices": [{"message": {"content": "It is here."}, "finish_reason": "stop"}], "model": "served", "usage": USAGE}
    with LlmServer(always(Junk(json.dumps({"id": None, "choices": None, "model": None, "provider": nested}).encode()))) as server:
        ask(server, tmp_path)

    turn = Table(tmp_path / "generated").scan().collect()["turns"][0][-1]
    assert (turn["text"], turn["generation"]["model"]) == ("It is here.", "served")


def test_lines_that_keep_a_connection_alive_are_no_part_of_a_reply(tmp_path: Path) -> None:
    with LlmServer(always(Junk(b"\n\n  \n" + completion(content="It is here.").body))) as server:
        ask(server, tmp_path)

    assert answers(tmp_path) == ["It is here."]


def test_a_reply_that_is_not_the_json_asked_for_is_mended_though_the_endpoint_calls_it_an_error(tmp_path: Path) -> None:
    error = {"message": "Failed to generate JSON.", "code": "json_validate_failed", "failed_generation": "It is here."}

    def script(received: Received) -> Answer | Status:
        if len(received.body["messages"]) == 2:
            return Status(400, body=json.dumps({"error": error}).encode())
        return Answer(json.dumps({"answer": "It is here.", "needs_human": False, "cited_ids": []}))

    with LlmServer(script) as server:
        ask(server, tmp_path, model__output="json_schema")

        assert [received.body["messages"][-1]["role"] for received in server.received] == ["user", "user"]
        assert all("response_format" in received.body for received in server.received)
    assert answers(tmp_path) == ["It is here."]
