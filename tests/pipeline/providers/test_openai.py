"""The provider over a real server on 127.0.0.1: what it sends, what it takes for an answer, when it gives up."""

import json
import math
import sqlite3
import ssl
import subprocess
import sys
import threading
import time
from contextlib import suppress
from email.utils import formatdate
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from pipeline.errors import CurationError, EndpointError, ParamsError
from pipeline.tables import Table
from tests.build import conversation
from tests.llm_server import (
    Answer,
    Chunked,
    CutOff,
    Drip,
    Hang,
    Junk,
    LlmServer,
    Received,
    Reset,
    Status,
    always,
    in_turn,
)
from tests.pipeline.generate_tables import deduped, params
from tests.pipeline.providers.endpoint import KEY, MANY, QUESTION, answers, ask


def test_the_reply_becomes_the_next_turn_with_the_model_as_the_endpoint_names_it(tmp_path: Path) -> None:
    with LlmServer(always(Answer("It is on its way.\n")), model="tiny-2026") as server:
        ask(server, tmp_path)

    turn = Table(tmp_path / "generated").scan().collect()["turns"][0][-1]
    assert turn["text"] == "It is on its way."
    assert (turn["generation"]["provider"], turn["generation"]["model"]) == ("openai", "tiny-2026")


def test_a_request_holds_the_model_the_instructions_every_turn_and_the_further_fields_of_params(tmp_path: Path) -> None:
    row = conversation(1, "Hello", "bot: Hi, what is it?", "My parcel", "tool: found", "Where is it?")
    with LlmServer() as server:
        ask(server, tmp_path, [row], model__extra="{top_p: 0.5}", openai__headers="{X-Team: desk}")

    [received] = server.received
    assert (received.path, received.headers["authorization"], received.headers["x-team"]) == (
        "/v1/chat/completions",
        f"Bearer {KEY}",
        "desk",
    )
    assert {name: received.body[name] for name in ("model", "temperature", "max_tokens", "top_p")} == {
        "model": "tiny",
        "temperature": 0,
        "max_tokens": 400,
        "top_p": 0.5,
    }
    system, *turns = received.body["messages"]
    assert system["role"] == "system"
    assert "Language: en." in system["content"]
    assert turns == [
        {"role": "user", "content": "Hello"},
        {"role": "assistant", "content": "Hi, what is it?"},
        {"role": "user", "content": "My parcel\n\n[tool] found\n\nWhere is it?"},
    ]


def test_the_knowledge_sent_along_is_recorded_as_grounding(tmp_path: Path) -> None:
    known = conversation(1, "Where is the red parcel I ordered?", "It waits at the depot.")
    with LlmServer() as server:
        ask(server, tmp_path, [known, QUESTION])

    assert "It waits at the depot." in server.received[0].body["messages"][0]["content"]
    [ground] = Table(tmp_path / "generated").scan().collect()["turns"][1][-1]["generation"]["grounding"]
    assert ground["id"] == f"{known['conversation_id']}/t1"


def test_a_second_run_asks_nothing(tmp_path: Path) -> None:
    with LlmServer() as server:
        ask(server, tmp_path, MANY)
        first, sent = answers(tmp_path), len(server.received)
        for path in (tmp_path / "generated").rglob("*"):
            if path.is_file():
                path.unlink()
        ask(server, tmp_path, MANY)

    assert (sent, len(server.received)) == (12, 12)
    assert answers(tmp_path) == first


@pytest.mark.parametrize(
    "change",
    [{"model__name": "other"}, {"model__temperature": 0.7},
     {"model__max_tokens": 7}, {"model__seed": 1}, {"model__extra": "{top_p: 1}"}, {"prompt__tone": "stern"}],
)  # fmt: skip
def test_a_reply_is_kept_for_exactly_this_request(tmp_path: Path, change: Any) -> None:
    with LlmServer() as server:
        ask(server, tmp_path)
        ask(server, tmp_path, **change)

        assert len(server.received) == 2


def test_a_reply_of_one_endpoint_is_not_taken_for_anothers(tmp_path: Path) -> None:
    with LlmServer() as one, LlmServer() as other:
        ask(one, tmp_path)
        ask(other, tmp_path)

    assert (len(one.received), len(other.received)) == (1, 1)


@pytest.mark.parametrize(
    "fault",
    [Status(429), Status(429, {"retry-after": "0"}), Status(429, {"retry-after": "Fri, 31 Dec 1999 23:59:59 GMT"}), Status(500),
     Status(503), Status(408), Reset(), CutOff(), Junk(), Junk(b'{"choices": []}'), Junk(b'{"choices": [{}]}'), Junk(b"[]"),
     Junk(b"\xff\xfe"), Junk(b"")],
    ids=str,
)  # fmt: skip
def test_what_may_pass_is_tried_again(tmp_path: Path, fault: Any) -> None:
    with LlmServer(in_turn(fault, Answer("Here.")), idempotent=False) as server:
        ask(server, tmp_path)

    assert answers(tmp_path) == ["Here."]
    assert len(server.received) == 2


def test_a_request_that_hangs_is_given_up_after_the_timeout_and_tried_again(tmp_path: Path) -> None:
    with LlmServer(in_turn(Hang(), Answer("Here."))) as server:
        ask(server, tmp_path, pace__timeout_seconds=0.2)

    assert answers(tmp_path) == ["Here."]


def test_the_wait_that_a_429_asks_for_is_kept_up_to_the_longest_allowed(tmp_path: Path) -> None:
    moments: list[float] = []

    def script(received: Received) -> Answer | Status:
        moments.append(time.monotonic())
        return Status(429, {"retry-after": ["0.4", "3600"][received.attempt]}) if received.attempt < 2 else Answer("Here.")

    with LlmServer(script) as server:
        ask(server, tmp_path, pace__max_wait_seconds=0.8)

    assert 0.4 <= moments[1] - moments[0] < 0.8 <= moments[2] - moments[1] < 3


@pytest.mark.parametrize(
    ("fault", "detail"),
    [(Status(503), "503"), (Junk(), "no_completion"), (Status(400), "400"), (Reset(), "connection"), (Hang(), "timeout")],
    ids=str,
)
def test_a_request_that_fails_for_good_is_a_named_gap_and_the_others_are_answered(
    tmp_path: Path, fault: Any, detail: Any
) -> None:
    def script(received: Received) -> Any:
        return fault if "parcel c" in received.body["messages"][-1]["content"] else Answer("Here.")

    with LlmServer(script) as server:
        manifest = ask(server, tmp_path, MANY, pace__timeout_seconds=0.3)

    assert Table(tmp_path / "generated").scan("dropped").collect().rows() == [
        (MANY[2]["conversation_id"], "provider_error", detail)
    ]
    assert manifest.total("kept") == 11


@pytest.mark.parametrize(
    ("act", "reason"),
    [
        (Answer("I", finish_reason="length"), "cut_off"),
        (Answer("", finish_reason="content_filter"), "refused"),
        (Answer(refusal="No."), "refused"),
        (Answer(" \n"), "empty_reply"),
    ],
)
def test_a_reply_that_is_no_answer_is_a_named_gap_paid_once(tmp_path: Path, act: Any, reason: Any) -> None:
    with LlmServer(always(act)) as server:
        assert ask(server, tmp_path).reasons == {reason: 1}
        assert ask(server, tmp_path).reasons == {reason: 1}

    assert len(server.received) == 1


@pytest.mark.parametrize("status", [401, 403, 404])
def test_a_refused_key_or_address_stops_the_run_at_once(tmp_path: Path, status: Any) -> None:
    with LlmServer(always(Status(status))) as server, pytest.raises(EndpointError) as caught:
        ask(server, tmp_path, MANY, pace__concurrency=1)

    assert (
        str(caught.value) == f"generate: {server.base_url} answered {status}; correct generate.openai, generate.model or the key"
    )
    assert len(server.received) == 1


@pytest.mark.parametrize("status", [301, 302, 307, 308])
def test_a_redirect_is_refused_and_its_target_never_called(tmp_path: Path, status: Any) -> None:
    with LlmServer() as elsewhere:
        redirect = Status(status, {"location": f"{elsewhere.base_url}/chat/completions"})
        with LlmServer(always(redirect)) as server, pytest.raises(EndpointError, match="only the address in params is allowed"):
            ask(server, tmp_path)

    assert elsewhere.received == []


def test_an_endpoint_that_only_fails_stops_the_run_instead_of_making_a_gap_of_every_question(tmp_path: Path) -> None:
    with (
        LlmServer(always(Status(500))) as server,
        pytest.raises(EndpointError, match="failed 6 times in a row, the last time with 500"),
    ):
        ask(server, tmp_path, MANY, pace__max_failures_in_a_row=6, pace__concurrency=1)


def test_an_endpoint_that_is_down_stops_the_run_however_few_are_asked_and_publishes_nothing(tmp_path: Path) -> None:
    with LlmServer() as server:
        pass  # nobody listens at its address any more

    with pytest.raises(EndpointError, match=r"^generate: http://127\.0\.0\.1:\d+/v1 cannot be reached; run again when it can"):
        ask(server, tmp_path, pace__max_attempts=2)
    assert not (tmp_path / "generated/_manifest.json").exists()


def test_replies_got_before_the_run_stopped_are_kept(tmp_path: Path) -> None:
    def script(_received: Received) -> Answer | Status:
        return Answer("Here.") if len(server.received) <= 5 else Status(401)

    with LlmServer(script) as server:
        with pytest.raises(EndpointError):
            ask(server, tmp_path, MANY, pace__concurrency=1)
        server.script = always(Answer("Here."))
        ask(server, tmp_path, MANY, pace__concurrency=1)

    assert len(server.received) == 6 + 7


def test_no_more_requests_than_allowed_are_under_way_at_once(tmp_path: Path) -> None:
    with LlmServer(latency_seconds=0.03) as server:
        ask(server, tmp_path, MANY, pace__concurrency=3)

    assert server.most_open == 3


def test_every_attempt_at_a_request_carries_the_same_idempotency_key_and_others_another(tmp_path: Path) -> None:
    with LlmServer(in_turn(Status(500), Answer("Here."))) as server:
        ask(server, tmp_path, MANY[:2])

    keys = {received.headers["idempotency-key"]: received.fingerprint for received in server.received}
    assert (len(server.received), len(keys), len(set(keys.values()))) == (4, 2, 2)


def test_equal_questions_are_asked_once(tmp_path: Path) -> None:
    rows = [conversation(number, "Where is the blue parcel I ordered?") for number in range(3)]
    with LlmServer() as server:
        ask(server, tmp_path, rows)

    assert len(server.received) == 1
    assert len(set(answers(tmp_path))) == 1


def test_without_a_key_in_the_environment_nothing_is_sent(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("TICKETMILL_TEST_KEY")
    with LlmServer() as server, pytest.raises(ParamsError, match=r"\$TICKETMILL_TEST_KEY is not set"):
        ask(server, tmp_path)

    assert server.received == []


@pytest.mark.parametrize("url", ["https://user:pw@api.example.com/v1", "ftp://api.example.com", "api.example.com"])
def test_an_address_with_credentials_or_without_http_is_refused(tmp_path: Path, url: Any) -> None:
    with pytest.raises(ParamsError, match=r"generate\.openai\.base_url"):
        params(tmp_path, openai__base_url=url)


@pytest.mark.parametrize(
    "url",
    [
        "http://localhost:800O/v1",
        "http://localhost:99999/v1",
        "http://a..example.com/v1",
        "http://[::1/v1",
        f"http://{'a' * 64}/v1",
    ],
)
def test_an_address_that_nobody_can_have_is_refused(tmp_path: Path, url: str) -> None:
    with pytest.raises(ParamsError, match=r"generate\.openai\.base_url"):
        params(tmp_path, provider="openai", openai__base_url=f"'{url}'")


def test_a_header_or_key_of_several_lines_is_refused_and_nothing_is_sent(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TICKETMILL_TEST_KEY", f"{KEY}\nhost: example.org")
    with LlmServer() as server:
        with pytest.raises(ParamsError, match="control character"):
            ask(server, tmp_path, openai__headers='{X-Team: "desk\\ndesk"}')
        with pytest.raises(ParamsError, match="control character; put the key alone there") as caught:
            ask(server, tmp_path)

    assert KEY not in str(caught.value)
    assert server.received == []


@pytest.mark.parametrize(
    "act", [Status(401, message="key sk-not is bad: blue parcel"), Status(500), Reset(), Junk(b"blue parcel"), Status(400)]
)
def test_no_error_or_table_quotes_the_key_the_prompt_or_the_reply(
    tmp_path: Path, act: Any, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("DEBUG")
    with LlmServer(always(act)) as server:
        text = ""
        try:
            ask(server, tmp_path, pace__max_failures_in_a_row=2)
        except CurationError as error:
            text = "".join(
                [str(error), repr(error.__cause__), repr(error.__context__ if not error.__suppress_context__ else None)]
            )
    with suppress(CurationError):
        text += str(Table(tmp_path / "generated").scan("dropped").collect().rows())

    assert KEY not in text + caplog.text
    assert "blue parcel" not in text


def test_kept_replies_hold_neither_the_key_nor_the_question(tmp_path: Path) -> None:
    with LlmServer(always(Answer("Soon."))) as server:
        ask(server, tmp_path)

    with sqlite3.connect(tmp_path / "replies" / "replies.sqlite") as database:
        dump = "\n".join(database.iterdump())
    assert "Soon." in dump
    assert KEY not in dump
    assert "blue parcel" not in dump


def test_the_environment_of_the_openai_package_sends_nothing_along(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_ORG_ID", "org-of-mine")
    monkeypatch.setenv("OPENAI_PROJECT_ID", "project-of-mine")
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    with LlmServer() as server:
        ask(server, tmp_path)

    assert "of-mine" not in json.dumps(dict(server.received[0].headers))


def test_several_runs_share_the_kept_replies(tmp_path: Path) -> None:
    replies = tmp_path / "shared"
    with LlmServer(latency_seconds=0.01) as server:
        folders = [tmp_path / str(number) for number in range(3)]
        threads = [threading.Thread(target=ask, args=(server, folder, MANY), kwargs={"replies": replies}) for folder in folders]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    assert answers(folders[0]) == answers(folders[1]) == answers(folders[2])


def test_answers_stand_under_their_own_question_whatever_the_order_of_replies(tmp_path: Path) -> None:
    def script(received: Received) -> Answer:
        letter = received.body["messages"][-1]["content"].split()[3]
        return Answer(f"Parcel {letter} is here.", after_seconds=(ord("m") - ord(letter)) / 100)

    with LlmServer(script) as server:
        ask(server, tmp_path, MANY, pace__concurrency=12)

    asked_and_answered = (
        Table(tmp_path / "generated")
        .scan()
        .select(asked=pl.col("turns").list.first().struct.field("text"), answer=pl.col("turns").list.last().struct.field("text"))
    )
    for asked, answer in asked_and_answered.collect().rows():
        assert asked.split()[3] == answer.split()[1]


def test_an_endpoint_hears_nothing_of_this_machine(tmp_path: Path) -> None:
    with LlmServer() as server:
        ask(server, tmp_path)

    assert [name for name, value in server.received[0].headers.items() if name.startswith("x-stainless") and value] == []


@pytest.mark.parametrize("seconds", [1, 2])
def test_the_wait_of_a_retry_after_may_be_a_date(tmp_path: Path, seconds: int) -> None:
    moments: list[float] = []

    def script(received: Received) -> Answer | Status:
        moments.append(time.time())
        date = formatdate(math.ceil(moments[0]) + seconds, usegmt=True)
        return Answer("Here.") if received.attempt else Status(429, {"retry-after": date})

    with LlmServer(script) as server:
        ask(server, tmp_path, pace__max_wait_seconds=5)

    assert seconds <= moments[1] - moments[0] < seconds + 3


def test_a_reply_that_drips_for_ever_is_given_up_after_the_timeout(tmp_path: Path) -> None:
    with LlmServer(in_turn(Drip(), Answer("Here.")), idempotent=False) as server:
        ask(server, tmp_path, pace__timeout_seconds=0.5)

    assert answers(tmp_path) == ["Here."]


def test_connections_that_end_after_every_reply_lose_nothing(tmp_path: Path) -> None:
    with LlmServer(lambda received: Chunked(f"Look at {received.body['messages'][-1]['content'].split()[3]}.")) as server:
        manifest = ask(server, tmp_path, MANY, pace__concurrency=2)

    assert manifest.reasons == {}
    assert server.billed.total() == len(MANY)


def test_of_several_processes_one_asks_and_all_get_its_reply(tmp_path: Path) -> None:
    def script(received: Received) -> Answer:
        return Answer(f"Look at {received.body['messages'][-1]['content'].split()[3]}.", after_seconds=0.05)

    with LlmServer(script, idempotent=False) as server:
        folders = [tmp_path / str(number) for number in range(3)]
        shared = {"replies": tmp_path / "shared", "pace__concurrency": 3}
        threads = [threading.Thread(target=ask, args=(server, folder, MANY), kwargs=shared) for folder in folders]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    assert answers(folders[0]) == answers(folders[1]) == answers(folders[2])
    assert len(server.received) == len(MANY)


def test_what_a_killed_process_was_asking_for_is_asked_by_the_next_at_once(tmp_path: Path) -> None:
    with LlmServer(in_turn(Hang(), Answer("Here."))) as server:
        code = (
            "import sys; from pathlib import Path; from pipeline.generate import run; from tests.build import MEANS; "
            "from tests.pipeline.generate_tables import params; folder = Path(sys.argv[1]); "
            "run(folder / 'deduped', folder / 'generated', params(folder, provider='openai', openai__base_url=sys.argv[2], "
            "openai__key_variable='TICKETMILL_TEST_KEY', pace__timeout_seconds=60), MEANS)"
        )
        deduped(tmp_path, [QUESTION])
        process = subprocess.Popen([sys.executable, "-c", code, str(tmp_path), server.base_url])
        while not server.received:
            time.sleep(0.02)
        process.kill()
        process.wait()
        started = time.monotonic()
        server.idempotent = False  # it still works on the first
        ask(server, tmp_path)

    assert answers(tmp_path) == ["Here."]
    assert time.monotonic() - started < 20
    assert list((tmp_path / "replies").glob("owner-*")) == []


def test_a_certificate_that_nobody_trusts_stops_the_run_and_nothing_is_sent(tmp_path: Path) -> None:
    key, certificate = tmp_path / "key.pem", tmp_path / "certificate.pem"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", key, "-out", certificate, "-days", "1",
         "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1"], check=True, capture_output=True,
    )  # fmt: skip
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    with LlmServer(tls=context) as server, pytest.raises(EndpointError, match="presents a certificate that is not trusted"):
        ask(server, tmp_path, openai__base_url=server.base_url.replace("http:", "https:"))

    assert server.received == []
