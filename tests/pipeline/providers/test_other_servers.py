"""Endpoints that are not OpenAI's: their errors, addresses, keys, and what stops a run."""

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
from tests.llm_server import Answer, Junk, LlmServer, Received, Status, always, in_turn
from tests.pipeline.providers.endpoint import KEY, MANY, QUESTION, answers, ask


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


def test_a_question_that_openrouter_flags_is_refused_for_good_and_stops_no_other(tmp_path: Path) -> None:
    words = "Your chosen model requires moderation and your input was flagged"
    flagged = {"error": {"code": 403, "message": words, "metadata": {"reasons": ["violence"], "flagged_input": "Where is"}}}

    def script(received: Received) -> Answer | Status:
        if "parcel c" in received.body["messages"][-1]["content"]:
            return Status(403, body=json.dumps(flagged).encode())
        return Answer(f"Look at {received.body['messages'][-1]['content'].split()[3]}.")

    with LlmServer(script) as server:
        for _ in range(2):
            assert ask(server, tmp_path, MANY, pace__concurrency=1).reasons == {"refused": 1}

    assert len(server.received) == len(MANY)


@pytest.mark.parametrize(
    ("location", "where"),
    [
        ("https://127.0.0.1/v1/chat/completions", "https on the same host"),
        ("/v1/chat/completions/", "another path or port of its host"),
        ("https://login.example.com/?next=/v1", "another host"),
        ("", "no address"),
        ("http://[", "no address"),
    ],
)
def test_a_redirect_says_what_to_correct_and_is_not_followed(tmp_path: Path, location: str, where: str) -> None:
    with LlmServer(always(Status(307, {"location": location}))) as server:
        with pytest.raises(
            EndpointError, match=f"answered 307: it redirects to {where}, and only the address in params is allowed"
        ):
            ask(server, tmp_path)

        assert len(server.received) == 1


@pytest.mark.parametrize(
    ("status", "error"),
    [
        (429, {"code": "insufficient_quota", "type": "insufficient_quota", "message": "m"}),
        (429, {"type": "exceeded_current_quota_error", "message": "Your account is suspended, please check your plan"}),
        (429, {"code": 429, "metadata": {"raw": "Your account is suspended due to insufficient balance, please recharge"}}),
        (400, {"code": "Arrearage", "type": "Arrearage", "message": "make sure your account is in good standing"}),
        (400, {"type": "invalid_request_error", "message": "Your credit balance is too low to access the Anthropic API."}),
        (500, {"type": "api_error", "message": "insufficient balance (1008)"}),
    ],
)
def test_an_account_without_money_stops_the_run_at_once(tmp_path: Path, status: int, error: Any) -> None:
    broke = Status(status, body=json.dumps({"error": error}).encode())
    with LlmServer(always(broke)) as server, pytest.raises(EndpointError, match="the account there is used up"):
        ask(server, tmp_path, MANY, pace__concurrency=1)

    assert len(server.received) == 1


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


@pytest.mark.parametrize("status", [424, 498, 502, 503, 504, 520])
def test_an_error_page_of_a_proxy_is_tried_again(tmp_path: Path, status: int) -> None:
    page = Status(status, {"content-type": "text/html"}, body=b"<html><h1>Bad gateway</h1></html>")
    with LlmServer(in_turn(page, page, Answer("Here."))) as server:
        ask(server, tmp_path)

    assert answers(tmp_path) == ["Here."]


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
