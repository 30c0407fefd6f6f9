"""Endpoints that are not OpenAI's: what vLLM, llama.cpp, Ollama, LM Studio, Azure, OpenRouter and others say otherwise."""

import gzip
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from pipeline.answering.replies import Replies
from pipeline.errors import EndpointError
from pipeline.tables import Table
from tests.build import conversation
from tests.llm_server import Answer, Junk, LlmServer, Received, Status, always, in_turn
from tests.pipeline.generate_tables import judge_params
from tests.pipeline.providers.endpoint import KEY, MANY, QUESTION, answers, ask


@pytest.fixture(autouse=True)
def _key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TICKETMILL_TEST_KEY", KEY)


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
    "body",
    [b"", b"nope", b"[]", b'"no"', b"null", b'{"error": "no"}', b'{"error": null}', b'{"object": "error", "code": 400}',
     b'{"detail": [{"loc": ["body"]}]}', b"<html>", b"\xff"],
)  # fmt: skip
def test_an_error_in_any_words_is_told_by_its_status(tmp_path: Path, body: bytes) -> None:
    with LlmServer(always(Status(400, body=body))) as server:
        ask(server, tmp_path)

    assert Table(tmp_path / "generated").scan("dropped").collect().rows() == [
        (QUESTION["conversation_id"], "provider_error", "400")
    ]


def test_a_prompt_that_azure_filters_is_refused_for_good(tmp_path: Path) -> None:
    filtered = b'{"error": {"code": "content_filter", "message": "m", "innererror": {"code": "ResponsibleAIPolicyViolation"}}}'
    with LlmServer(always(Status(400, body=filtered))) as server:
        for _ in range(2):
            assert ask(server, tmp_path).reasons == {"refused": 1}

    assert len(server.received) == 1


def test_an_account_without_money_stops_the_run_at_once(tmp_path: Path) -> None:
    broke = Status(429, body=b'{"error": {"code": "insufficient_quota", "type": "insufficient_quota", "message": "m"}}')
    with LlmServer(always(broke)) as server, pytest.raises(EndpointError, match="the account there is used up"):
        ask(server, tmp_path, MANY, pace__concurrency=1)

    assert len(server.received) == 1


@pytest.mark.parametrize("status", [400, 422, 500, 501])
def test_an_endpoint_that_cannot_enforce_a_schema_is_asked_in_words_and_remembered(tmp_path: Path, status: int) -> None:
    def script(received: Received) -> Answer | Status:
        if "response_format" in received.body:
            return Status(status, body=b'{"object": "error", "message": "response_format is not supported"}')
        letter = received.body["messages"][-1]["content"].split()[3]
        return Answer(json.dumps({"answer": f"Parcel {letter} is here.", "needs_human": False, "cited_ids": []}))

    with LlmServer(script) as server:
        for _ in range(2):
            ask(server, tmp_path, MANY, model__output="json_schema", pace__concurrency=1)
            (tmp_path / "generated" / "_manifest.json").unlink()

    assert len(server.received) == 1 + len(MANY)


def test_a_request_that_is_wrong_for_another_reason_is_not_taken_for_a_refused_schema(tmp_path: Path) -> None:
    with LlmServer(always(Status(400))) as server:
        manifest = ask(server, tmp_path, MANY, model__output="json_schema", pace__concurrency=1)

    assert manifest.reasons == {"provider_error": len(MANY)}


def test_azure_gets_its_key_and_version_where_it_wants_them(tmp_path: Path) -> None:
    with LlmServer() as server:
        ask(server, tmp_path, openai__key_header="api-key", openai__query="{api-version: '2024-10-21'}")

    [received] = server.received
    assert received.path == "/v1/chat/completions?api-version=2024-10-21"
    assert received.headers["api-key"] == KEY
    assert "authorization" not in received.headers


def test_a_model_that_allows_no_temperature_gets_none(tmp_path: Path) -> None:
    with LlmServer() as server:
        ask(server, tmp_path, model__temperature="null")

    assert "temperature" not in server.received[0].body


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
    [("max_tokens", "cut_off"), ("MAX_TOKENS", "cut_off"), ("model_length", "cut_off"), ("SAFETY", "refused")],
)
def test_an_end_in_the_words_of_other_makers_is_understood(tmp_path: Path, words: str, reason: str) -> None:
    with LlmServer(always(Answer("It is", finish_reason=words))) as server:
        assert ask(server, tmp_path).reasons == {reason: 1}


@pytest.mark.parametrize("words", ["eos", "eos_token", "stop_sequence", "end_turn", "tool_calls"])
def test_any_other_end_is_one_of_its_own_accord(tmp_path: Path, words: str) -> None:
    with LlmServer(always(Answer("It is here.", finish_reason=words))) as server:
        ask(server, tmp_path)

    assert answers(tmp_path) == ["It is here."]


@pytest.mark.parametrize("words", ["error", "abort"])
def test_half_a_text_that_the_server_broke_off_is_asked_for_again(tmp_path: Path, words: str) -> None:
    with LlmServer(in_turn(Answer("It is", finish_reason=words), Answer("It is here.")), idempotent=False) as server:
        ask(server, tmp_path)

    assert answers(tmp_path) == ["It is here."]


@pytest.mark.parametrize(
    "body",
    [b'{"error": {"code": 429, "message": "slow"}}', b'{"error": {"code": "502", "message": "m"}, "user_id": "u"}',
     b'{"error": "model is loading"}', b'{"object": "error", "message": "m", "type": "internal", "code": 50001}',
     b'{"object": "error", "message": "slow", "code": 429}', b'{"error": {"message": "m", "code": null}, "choices": []}'],
)  # fmt: skip
def test_an_error_inside_a_200_is_tried_again_and_costs_nothing(tmp_path: Path, body: bytes) -> None:
    with LlmServer(in_turn(Junk(body), Answer("Here."))) as server:
        ask(server, tmp_path, budget__max_requests=1)

    assert answers(tmp_path) == ["Here."]
    with Replies(tmp_path / "replies") as replies:
        assert replies.connection.execute("SELECT requests, held_requests FROM account").fetchone() == (1, 0)


def test_a_key_refused_inside_a_200_stops_the_run(tmp_path: Path) -> None:
    with LlmServer(always(Junk(b'{"error": {"code": 401, "message": "No auth"}}'))) as server:
        with pytest.raises(EndpointError, match="answered 401"):
            ask(server, tmp_path, MANY, pace__concurrency=1)

        assert len(server.received) == 1


@pytest.mark.parametrize(
    ("status", "error"),
    [
        (400, {"message": "Unrecognized request argument supplied: seed", "type": "invalid_request_error", "param": None}),
        (400, {"message": 'json: unknown field "seed"'}),
        (422, [{"type": "extra_forbidden", "loc": ["body", "seed"], "msg": "Extra inputs are not permitted", "input": 7}]),
        (400, {"message": "Bad request"}),
        (501, {"message": "not implemented"}),
    ],
)
def test_an_endpoint_that_knows_no_seed_is_asked_without_it_and_remembered(tmp_path: Path, status: int, error: Any) -> None:
    def script(received: Received) -> Answer | Status:
        if "seed" in received.body:
            return Status(status, body=json.dumps({"error": error}).encode())
        return Answer(f"Look at {received.body['messages'][-1]['content'].split()[3]}.")

    with LlmServer(script) as server:
        ask(server, tmp_path, MANY, model__seed=7, pace__concurrency=1, budget__max_requests=len(MANY))

    assert len(answers(tmp_path)) == len(MANY)
    assert len(server.received) == 1 + len(MANY)


@pytest.mark.parametrize(
    ("field", "error"),
    [
        (
            "temperature",
            "Unsupported value: 'temperature' does not support 0 with this model. Only the default (1) is supported.",
        ),
        ("temperature", "temperature is not supported with this model"),
        ("n", "Only one completion choice is allowed"),
        ("n", "n > 1 is not supported"),
    ],
)
def test_how_a_model_draws_is_left_to_an_endpoint_that_decides_it_alone_and_counted(
    tmp_path: Path, field: str, error: str
) -> None:
    def script(received: Received) -> Answer | Status:
        if field in received.body:
            return Status(400, body=json.dumps({"error": {"message": error, "code": "unsupported_value"}}).encode())
        return Answer(f"Look at {received.body['messages'][-1]['content'].split()[3]}.")

    with LlmServer(script) as server:
        for _ in range(2):
            manifest = ask(server, tmp_path, MANY, model__candidates=2, pace__concurrency=1, budget__max_requests=len(MANY))
            assert manifest.counts[f"asked_without_{field}"] == len(MANY)
            (tmp_path / "generated" / "_manifest.json").unlink()

    assert len(server.received) == 1 + len(MANY)


TEMPLATES = [
    (400, {"object": "error", "message": "System role not supported", "type": "BadRequestError", "code": 400}),
    (400, {"object": "error", "message": "After the optional system message, conversation roles must alternate user/assistant"}),
    (
        422,
        {"error": "Template error: Only user and assistant roles are supported! (in <string>:1)", "error_type": "template_error"},
    ),
    (400, [{"error": {"code": 400, "message": "Developer instruction is not enabled for models/gemma-3-12b-it"}}]),
    (500, {"error": {"code": 500, "message": "Jinja Exception: Conversation roles must alternate user/assistant/user/..."}}),
]


@pytest.mark.parametrize(("status", "error"), TEMPLATES)
def test_a_model_without_a_system_role_is_told_its_task_by_the_user(tmp_path: Path, status: int, error: Any) -> None:
    def script(received: Received) -> Answer | Status:
        if received.body["messages"][0]["role"] == "system":
            return Status(status, body=json.dumps(error).encode())
        return Answer(f"Look at {received.body['messages'][-1]['content'].rsplit('parcel ', 1)[-1][:1]}.")

    with LlmServer(script) as server:
        manifest = ask(server, tmp_path, MANY, pace__concurrency=1)

    assert len(server.received) == 1 + len(MANY)
    before, after = (received.body["messages"] for received in server.received[:2])
    assert after == [{"role": "user", "content": f"{before[0]['content']}\n\n{before[1]['content']}"}]
    assert manifest.counts["asked_without_system"] == len(MANY)


def test_a_model_that_wants_a_user_to_speak_first_hears_one(tmp_path: Path) -> None:
    def script(received: Received) -> Answer | Status:
        roles = [message["role"] for message in received.body["messages"]]
        if roles != ["user", "assistant", "user"][: len(roles)]:
            return Status(400, message="Conversation roles must alternate user/assistant/user/assistant/...")
        return Answer("It is here.")

    opened = conversation(3, "agent: Hello, how can I help?", "customer: Where is the blue parcel I ordered?")
    with LlmServer(script) as server:
        ask(server, tmp_path, [opened])

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


@pytest.mark.parametrize(("ours", "theirs"), [("max_tokens", "max_completion_tokens"), ("max_completion_tokens", "max_tokens")])
def test_the_bound_of_a_reply_is_called_what_the_endpoint_calls_it(tmp_path: Path, ours: str, theirs: str) -> None:
    def script(received: Received) -> Answer | Status:
        error = {"message": f"Unsupported parameter: '{ours}' is not supported with this model.", "param": ours}
        if ours in received.body:
            return Status(400, body=json.dumps({"error": error}).encode())
        return Answer(f"Look at {received.body['messages'][-1]['content'].split()[3]}.")

    with LlmServer(script) as server:
        ask(server, tmp_path, MANY, model__length_field=ours, pace__concurrency=1)

    assert len(server.received) == 1 + len(MANY)
    assert server.received[-1].body[theirs] == 400


@pytest.mark.parametrize(
    "words",
    [
        "'max_tokens' or 'max_completion_tokens' is too large: 400. This model's maximum context length is 512 tokens",
        "This model's maximum context length is 512 tokens. However, you requested 600 (200 in the messages, 400 for max_tokens)",
        "the request exceeds the available context size, increase it or lower max_tokens",
    ],
)
def test_a_prompt_without_room_for_its_reply_takes_the_bound_from_no_other(tmp_path: Path, words: str) -> None:
    def script(received: Received) -> Answer | Status:
        is_bounded = "max_tokens" in received.body  # by its other name it is ignored
        if is_bounded and "parcel a" in received.body["messages"][-1]["content"]:
            return Status(400, body=json.dumps({"error": {"message": words}}).encode())
        return Answer(f"Look at {received.body['messages'][-1]['content'].split()[3]}.")

    with LlmServer(script) as server:
        for _ in range(2):  # it will be as long tomorrow
            manifest = ask(server, tmp_path, MANY, model__seed=7, pace__concurrency=1)

    assert manifest.reasons == {"prompt_too_long": 1}
    assert len(server.received) == len(MANY)
    assert all(received.body["max_tokens"] == 400 for received in server.received)


@pytest.mark.parametrize(
    ("status", "error"),
    [
        (400, {"error": {"message": "The decoder prompt (length 5951) is longer than the maximum model length of 4096."}}),
        (400, {"error": {"message": "max_tokens must be at least 1, got -46771. (parameter=max_tokens, value=-46771)"}}),
        (400, {"object": "error", "message": "The input (5951 tokens) is longer than the model's context length (4096 tokens)."}),
        (422, {"error": "Input validation error: `inputs` tokens + `max_new_tokens` must be <= 4096. Given: 4031 `inputs` tokens "
               "and 400 `max_new_tokens`", "error_type": "validation"}),
        (422, {"error": "Input validation error: `inputs` must have less than 4095 tokens. Given: 5951"}),
        (400, {"error": {"code": 400, "message": "the request exceeds the available context size, try increasing it",
                         "type": "exceed_context_size_error", "n_ctx": 4096}}),
        (500, {"error": {"code": 500, "message": "input is too large to process. increase the physical batch size"}}),
        (200, {"error": "Trying to keep the first 5951 tokens when context the overflows. However, the model is loaded with "
               "context length of only 4096 tokens, which is not enough."}),
        (400, {"detail": "Request length 5551 + 400 is greater than max_seq_len 4096"}),
        (400, {"error": {"message": "litellm.ContextWindowExceededError: OpenAIException - no", "code": "400"}}),
        (400, [{"error": {"message": "The input token count (1200000) exceeds the maximum number of tokens allowed (9)."}}]),
        (400, {"error": {"message": "Please reduce the length of the messages or completion.", "param": "messages"}}),
        (400, {"error": {"message": "prompt is too long: 210000 tokens > 200000 maximum"}}),
        (413, {"error": "Payload Too Large"}),
    ],
)  # fmt: skip
def test_a_prompt_that_is_too_long_is_a_gap_of_its_own_question_in_whatever_words(
    tmp_path: Path, status: int, error: Any
) -> None:
    def script(received: Received) -> Answer | Status:
        if "parcel c" in received.body["messages"][-1]["content"]:
            return Status(status, body=json.dumps(error).encode())
        return Answer(f"Look at {received.body['messages'][-1]['content'].split()[3]}.")

    with LlmServer(script) as server:
        manifest = ask(server, tmp_path, MANY, model__seed=7, pace__concurrency=1)

    assert manifest.reasons == {"prompt_too_long": 1}
    assert len(server.received) == len(MANY)


@pytest.mark.parametrize("status", [400, 500])
@pytest.mark.parametrize("words", ["The limit of this hour is exceeded", "It took too many seconds"])
def test_another_limit_is_not_taken_for_the_length_of_the_prompt(tmp_path: Path, status: int, words: str) -> None:
    with LlmServer(always(Status(status, message=words))) as server:
        assert ask(server, tmp_path).reasons == {"provider_error": 1}


def test_what_one_model_of_a_gateway_does_not_know_is_still_sent_to_another(tmp_path: Path) -> None:
    names = {"tiny": "max_tokens", "other": "max_completion_tokens"}

    def script(received: Received) -> Answer | Status:
        known = names[received.body["model"]]
        if unknown := next((name for name in names.values() if name != known and name in received.body), None):
            return Status(422, body=json.dumps({"detail": f"{unknown}: extra inputs are not permitted"}).encode())
        if received.body["model"] == "other":
            return Answer('{"verdict": "accept"}')
        return Answer(f"Look at {received.body['messages'][-1]['content'].split()[3]}.")

    with LlmServer(script) as server:
        manifest = ask(server, tmp_path, MANY, judge=judge_params(tmp_path, model="other"), pace__concurrency=1)

    assert manifest.reasons == {}
    assert len(server.received) == 1 + 2 * len(MANY)


def test_everything_an_endpoint_does_not_know_is_learned_one_after_the_other(tmp_path: Path) -> None:
    known = {"model", "messages", "temperature", "max_completion_tokens"}

    def script(received: Received) -> Answer | Status:
        if unknown := sorted(received.body.keys() - known):
            return Status(400, body=json.dumps({"error": {"message": f"unknown: {unknown[0]}"}}).encode())
        return Answer(json.dumps({"answer": "It is here.", "needs_human": False, "cited_ids": []}))

    with LlmServer(script) as server:
        ask(server, tmp_path, model__seed=7, model__output="json_schema")
        tokens = [received.headers["idempotency-key"] for received in server.received]

    assert answers(tmp_path) == ["It is here."]
    assert (len(tokens), len(set(tokens))) == (4, 4)  # another body is another request to who honours the key


def test_a_500_that_passes_is_not_taken_for_a_refused_schema(tmp_path: Path) -> None:
    text = json.dumps({"answer": "It is here.", "needs_human": False, "cited_ids": []})
    with LlmServer(in_turn(Status(500), Answer(text))) as server:
        ask(server, tmp_path, model__output="json_schema")

    assert all("response_format" in received.body for received in server.received)


def test_once_a_field_was_taken_a_refusal_is_about_the_question(tmp_path: Path) -> None:
    def script(received: Received) -> Answer | Status:
        if "parcel c" in received.body["messages"][-1]["content"]:
            return Status(400, message="not allowed")
        return Answer(json.dumps({"answer": "It is here.", "needs_human": False, "cited_ids": []}))

    with LlmServer(script) as server:
        manifest = ask(server, tmp_path, MANY, model__output="json_schema", pace__concurrency=1)

    assert manifest.reasons == {"provider_error": 1}
    assert len(server.received) == len(MANY)


@pytest.mark.parametrize(
    ("act", "said"),
    [
        (Status(400, body=b'{"error": {"message": "Unrecognized request argument supplied: top_k"}}'),
         "answered 400: it does not take the field 'top_k'"),
        (Status(400, body=b'{"error": {"message": "Invalid model name passed in model=tiny"}}'),
         "answered 400: it has no model 'tiny'"),
        (Status(404, body=b'{"error": {"message": "model \\"tiny\\" not found, try pulling it first"}}'),
         "answered 404: it has no model 'tiny'"),
        (Status(400, body=b'{"error": {"message": "No models loaded. Please load a model in the developer page"}}'),
         "answered 400: it has loaded no model"),
        (Status(400, message="max_tokens=400 cannot be greater than max_model_len=max_total_tokens=256."),
         "answered 400: a reply of up to 400 tokens is more than it allows"),
        (Status(422, body=b'{"error": "Input validation error: `max_new_tokens` must be <= 256. Given: 400"}'),
         "answered 422: a reply of up to 400 tokens is more than it allows"),
        (Status(400, message="max_tokens is too large: 400. This model supports at most 256 completion tokens"),
         "answered 400: a reply of up to 400 tokens is more than it allows"),
        (Status(400, body=b'{"error": {"message": "Budget has been exceeded!", "type": "budget_exceeded", "code": "400"}}'),
         "answered 400: the account there is used up"),
    ],
)  # fmt: skip
def test_what_no_request_would_get_stops_the_run_and_is_named(tmp_path: Path, act: Status, said: str) -> None:
    with LlmServer(always(act)) as server, pytest.raises(EndpointError) as caught:
        ask(server, tmp_path, MANY, model__extra="{top_k: 5}", pace__concurrency=1)

    assert str(caught.value) == f"generate: {server.base_url} {said}; correct generate.openai, generate.model or the key"
    assert len(server.received) == 1


def test_a_line_break_in_an_error_is_not_taken_for_the_field_n(tmp_path: Path) -> None:
    error = Status(400, body=json.dumps({"error": {"message": "Bad request.\n\nSee above."}}).encode())
    with LlmServer(always(error)) as server:
        assert ask(server, tmp_path, model__candidates=2).reasons == {"provider_error": 1}


def test_an_endpoint_that_refuses_everything_stops_the_run_instead_of_making_a_gap_of_every_question(tmp_path: Path) -> None:
    with (
        LlmServer(always(Status(400))) as server,
        pytest.raises(EndpointError, match="failed 6 times in a row, the last time with 400"),
    ):
        ask(server, tmp_path, MANY, pace__max_failures_in_a_row=6, pace__concurrency=1)

    assert len(server.received) == 6


@pytest.mark.parametrize("ending", ["", "/", "/v1", "/v1/", "/v1/chat/completions", "/v1/chat/completions/"])
def test_an_address_is_found_with_and_without_what_people_put_at_its_end(tmp_path: Path, ending: str) -> None:
    with LlmServer() as server:
        manifest = ask(server, tmp_path, MANY, openai__base_url=server.base_url.removesuffix("/v1") + ending, pace__concurrency=1)

    assert manifest.reasons == {}
    assert len([received for received in server.received if received.path == "/v1/chat/completions"]) == len(MANY)
    assert len(server.received) <= 1 + len(MANY)


def test_lm_studio_says_with_a_200_that_there_is_no_such_path(tmp_path: Path) -> None:
    def script(received: Received) -> Answer | Junk:
        nothing = b'{"error": "Unexpected endpoint or method. (POST /chat/completions). Returning 200 anyway"}'
        return Answer("Here.") if received.path.startswith("/v1/") else Junk(nothing)

    with LlmServer(script, paths=("/chat/completions", "/v1/chat/completions")) as server:
        ask(server, tmp_path, openai__base_url=server.base_url.removesuffix("/v1"))

    assert answers(tmp_path) == ["Here."]


@pytest.mark.parametrize("how", [{"openai__key_variable": "null"}, {}, {"openai__key_header": "api-key"}])
def test_an_endpoint_that_asks_for_no_key_gets_none(tmp_path: Path, how: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TICKETMILL_TEST_KEY", "")
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    monkeypatch.setenv("OPENAI_ADMIN_KEY", KEY)
    with LlmServer() as server:
        ask(server, tmp_path, **how)

    [received] = server.received
    assert not {"authorization", "api-key"} & received.headers.keys()
    assert KEY not in str(received.headers)


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


@pytest.mark.parametrize("status", [424, 498, 502, 503, 504, 520])
def test_an_error_page_of_a_proxy_is_tried_again(tmp_path: Path, status: int) -> None:
    page = Status(status, {"content-type": "text/html"}, body=b"<html><h1>Bad gateway</h1></html>")
    with LlmServer(in_turn(page, page, Answer("Here."))) as server:
        ask(server, tmp_path)

    assert answers(tmp_path) == ["Here."]


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


class _Plain(BaseHTTPRequestHandler):
    """Another make of server: the standard library's, HTTP/1.0, a connection per request, no field that is not needed."""

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["content-length"])))
        said = f"Look at {body['messages'][-1]['content'].split()[3]}."
        self.send_response(200)
        self.end_headers()
        self.wfile.write(json.dumps({"choices": [{"message": {"content": said}}]}).encode())

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@contextmanager
def plain_server() -> Iterator[str]:
    with ThreadingHTTPServer(("127.0.0.1", 0), _Plain) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


def test_a_server_that_ends_every_connection_and_tells_no_length_answers_everything(tmp_path: Path) -> None:
    with plain_server() as address, LlmServer() as unused:
        manifest = ask(unused, tmp_path, MANY, openai__base_url=address)

    assert (manifest.reasons, unused.received) == ({}, [])
    assert len(answers(tmp_path)) == len(MANY)
