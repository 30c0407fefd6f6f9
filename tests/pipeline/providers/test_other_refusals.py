"""What other endpoints refuse of a request, and how it is asked otherwise; prompts that are too long for them."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.build import conversation
from tests.llm_server import Answer, LlmServer, Received, Status, always, in_turn
from tests.pipeline.generate_tables import judge_params
from tests.pipeline.providers.endpoint import MANY, answers, ask


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


def test_a_line_break_in_an_error_is_not_taken_for_the_field_n(tmp_path: Path) -> None:
    error = Status(400, body=json.dumps({"error": {"message": "Bad request.\n\nSee above."}}).encode())
    with LlmServer(always(error)) as server:
        assert ask(server, tmp_path, model__candidates=2).reasons == {"provider_error": 1}
