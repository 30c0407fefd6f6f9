"""The judge: what it says counts, once people said the same often enough."""

import csv
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from pipeline.answering.judging import agreement
from pipeline.answering.provider_params import JudgeParams
from pipeline.cli import app
from pipeline.errors import CurationError
from pipeline.generate import run
from pipeline.tables import Manifest, Table
from tests.build import MEANS, conversation
from tests.llm_server import Answer, LlmServer, Received, Status
from tests.pipeline.generate_tables import SHIPPED, deduped, judge_params, params

QUESTIONS = [conversation(number, f"Where is parcel {letter} of my order?") for number, letter in enumerate("abcdef")]

RUBRIC = "You judge replies"


@pytest.fixture(autouse=True)
def _key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TICKETMILL_TEST_KEY", "sk-not-a-real-key")


def is_swapped(received: Received) -> bool:
    text = received.body["messages"][0]["content"]
    return bool(text.index("The reply to judge") < text.index("Conversation:"))


def server_that_judges(verdict: Any) -> LlmServer:
    """Answers every question with its parcel, and says of a reply what `verdict(reply, is_swapped)` gives."""

    def script(received: Received) -> Answer | Status:
        text = received.body["messages"][0]["content"]
        if not text.startswith(RUBRIC):
            return Answer(f"Look at {received.body['messages'][-1]['content'].split()[3]}.")
        reply = text.split("The reply to judge:\n")[1].split("\n")[0]
        said = verdict(reply, is_swapped(received))
        return said if isinstance(said, Status) else Answer(said)

    return LlmServer(script)


def ask(server: LlmServer, folder: Path, questions: Sequence[dict[str, Any]] = QUESTIONS, **more: Any) -> Manifest:
    endpoint = {"openai__base_url": server.base_url, "openai__key_variable": "TICKETMILL_TEST_KEY"}
    chosen = params(folder, provider="openai", judge=judge_params(folder, **more), **endpoint)
    return run(deduped(folder, questions), folder / "generated", chosen, MEANS)


def validate(server: LlmServer, folder: Path, rows: Any, table: Path = Path("none"), **more: Any) -> Any:
    labels = folder / "labels.csv"
    with labels.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerows([("item_id", "question", "answer", "human"), *rows])
    sets = {"provider": "openai", "openai.base_url": server.base_url, "openai.key_variable": "TICKETMILL_TEST_KEY",
            "judge": judge_params(folder, **more), "replies": folder / "replies", "model.name": "tiny",
            "pace.first_wait_seconds": 0}  # fmt: skip
    arguments = ["judge", "validate", str(labels), "--json", "--params", str(SHIPPED), "--table", str(table)]
    ended = CliRunner().invoke(app, [*arguments, *(f"--set=generate.{name}={value}" for name, value in sets.items())])
    if ended.exception and not isinstance(ended.exception, SystemExit):
        raise ended.exception
    return json.loads(ended.stdout)


LABELLED = [(f"i{number}", "Where is it?", f"{'good' if number % 2 else 'bad'} {number}", number % 2) for number in range(12)]


def by_word(reply: str, _swapped: bool) -> str:
    bad = reply.startswith("bad") or reply in {"Look at b.", "Look at e."}
    return json.dumps({"verdict": "reject" if bad else "accept"})


def test_a_judge_that_agrees_with_people_rejects_and_what_it_rejects_is_for_review(tmp_path: Path) -> None:
    with server_that_judges(by_word) as server:
        found = validate(server, tmp_path, LABELLED)
        manifest = ask(server, tmp_path)

    assert (found["items"], found["kappa"], found["flip_rate"], found["may_decide"]) == (12, 1.0, 0.0, True)
    assert manifest.reasons == {"judge_reject": 2}
    assert (manifest.counts["judged_accept"], manifest.counts["judged_reject"]) == (4, 2)
    rejected = Table(tmp_path / "generated").scan("rejected").collect()
    assert sorted(rejected["text"]) == ["Look at b.", "Look at e."]


def test_a_judge_that_nobody_labelled_decides_nothing_and_is_counted(tmp_path: Path) -> None:
    with server_that_judges(by_word) as server:
        manifest = ask(server, tmp_path)

    assert (manifest.reasons, manifest.counts["judged_reject"]) == ({}, 2)


def test_a_judge_that_disagrees_with_people_decides_nothing(tmp_path: Path) -> None:
    with server_that_judges(by_word) as server:
        found = validate(server, tmp_path, [(*row[:3], number % 3 == 0) for number, row in enumerate(LABELLED)])
        manifest = ask(server, tmp_path)

    assert (found["may_decide"], manifest.reasons) == (False, {})


def test_labels_of_another_judge_do_not_count(tmp_path: Path) -> None:
    with server_that_judges(by_word) as server:
        validate(server, tmp_path, LABELLED, model="other")
        manifest = ask(server, tmp_path)

    assert manifest.reasons == {}


@pytest.mark.parametrize("said", ["Yes!", "{}", '{"verdict": "fine"}', '{"verdict": ["accept"]}', "[]", '"accept"'])
def test_a_verdict_that_cannot_be_read_is_a_rejection_and_counted(tmp_path: Path, said: str) -> None:
    with server_that_judges(by_word) as server:
        validate(server, tmp_path, LABELLED)
    with server_that_judges(lambda _reply, _swapped: said) as broken:
        broken.model = "tiny"
        manifest = ask(broken, tmp_path)

    assert manifest.reasons == {"judge_unparsable": 6}
    assert manifest.counts["judged_unparsable"] == 6


@pytest.mark.parametrize("said", ['{"verdict": "ACCEPT"}', 'The verdict:\n```json\n{"verdict": " Accept "}\n```'])
def test_a_verdict_is_read_however_it_is_written(tmp_path: Path, said: str) -> None:
    with server_that_judges(lambda *_: said) as server:
        validated = validate(server, tmp_path, LABELLED)

    assert validated["unparsable"] == 0


def test_an_item_that_is_too_long_for_the_judge_is_named(tmp_path: Path) -> None:
    too_long = Status(400, message="prompt is too long: 210000 tokens > 200000 maximum")
    with server_that_judges(lambda reply, _: too_long if reply == "good 3" else '{"verdict": "accept"}') as server:
        with pytest.raises(CurationError, match=r"1 of 12 items got no verdict \(i3 prompt_too_long 400\); run again"):
            validate(server, tmp_path, LABELLED)

        assert validate(server, tmp_path, [row for row in LABELLED if row[0] != "i3"])["items"] == 11


def test_a_verdict_that_follows_the_order_is_none(tmp_path: Path) -> None:
    def first_of_two(reply: str, swapped: bool) -> str:
        if reply.startswith("Look"):
            return json.dumps({"verdict": "reject" if swapped else "accept"})
        return by_word(reply, swapped)

    with server_that_judges(first_of_two) as server:
        validate(server, tmp_path, LABELLED)
        assert ask(server, tmp_path, swapped_share=1).reasons == {"judge_flipped": 6}


def test_the_share_judged_twice_is_asked_twice(tmp_path: Path) -> None:
    many = [conversation(number, f"Where is parcel p{number} of my order?") for number in range(40)]
    with server_that_judges(by_word) as server:
        ask(server, tmp_path, many, swapped_share=0.5)

    swapped = [r for r in server.received if r.body["messages"][0]["content"].startswith(RUBRIC) and is_swapped(r)]
    assert 0 < len(swapped) < 40


def test_flips_hold_a_judge_back(tmp_path: Path) -> None:
    def flips(reply: str, swapped: bool) -> str:
        return json.dumps({"verdict": "accept"}) if swapped else by_word(reply, swapped)

    with server_that_judges(flips) as server:
        found = validate(server, tmp_path, LABELLED)

    assert (found["kappa"], found["flip_rate"], found["may_decide"]) == (1.0, 0.5, False)


def test_a_judge_that_does_not_answer_leaves_a_gap_that_may_pass_where_it_decides(tmp_path: Path) -> None:
    with server_that_judges(by_word) as server:
        validate(server, tmp_path, LABELLED)
    with server_that_judges(lambda _reply, _swapped: Status(400)) as broken:
        assert ask(broken, tmp_path).reasons == {"provider_error": 6}


def test_validation_asks_again_for_nothing_it_has(tmp_path: Path) -> None:
    with server_that_judges(by_word) as server:
        validate(server, tmp_path, LABELLED)
        validate(server, tmp_path, LABELLED)

    assert len(server.received) == 24
    rows = list(csv.DictReader((tmp_path / "judges.csv").read_text("utf-8").splitlines()))
    assert len(rows) == 12
    assert rows[1] | {"judge": ""} == {
        "judge": "", "item_id": "i1", "human": "yes", "verdict": "yes", "swapped": "yes", "length": "6",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("row", "message"),
    [
        (("i1", "Where?", "There.", "perhaps"), "row 1 says neither yes nor no"),
        (("i1", "Where?", "", "yes"), "row 1 has no answer"),
        (("i1", "I am ann@acme.io", "There.", "yes"), "row 1 holds something like EMAIL_ADDRESS"),
    ],
)
def test_labels_that_are_not_what_they_promise_are_one_clear_error(tmp_path: Path, row: Any, message: str) -> None:
    with server_that_judges(by_word) as server:
        with pytest.raises(CurationError, match=message):
            validate(server, tmp_path, [row])
        assert server.received == []


def test_an_item_with_somebodys_detail_is_not_sent_but_a_stand_in_of_a_scrubbed_table_is(tmp_path: Path) -> None:
    said = "My name is Thorvald Ekelund, where is it?"
    rows = [("i1", said, "It is good.", "yes"), ("i2", "Where is it?", "Bring it to 27 Maple Street.", "no")]
    table = deduped(tmp_path, [conversation(1, f"Hello,\n{said}")])
    with server_that_judges(by_word) as server:
        with pytest.raises(CurationError) as refused:
            validate(server, tmp_path, rows)
        assert (str(refused.value).count("i1 PERSON"), str(refused.value).count("i2 STREET_ADDRESS")) == (1, 1)
        assert "Ekelund" not in str(refused.value)
        with pytest.raises(CurationError, match=r"1 items .*i2 STREET_ADDRESS"):
            validate(server, tmp_path, rows, table=table)
        assert server.received == []

        validate(server, tmp_path, rows[:1], table=table)
        assert len(server.received) == 2


def test_kappa_is_the_one_of_the_paper() -> None:
    # Cohen 1960: agreement of 0.7 where chance gives 0.5 is 0.4
    rows = [(True, True)] * 20 + [(True, False)] * 5 + [(False, True)] * 10 + [(False, False)] * 15
    bounds = JudgeParams.model_validate(json.loads(judge_params(Path())))

    found = agreement("j", [(human, verdict, verdict, False) for human, verdict in rows], bounds)

    assert found.kappa == 0.4
    assert found.kappa_low < 0.4 < found.kappa_high
    assert agreement("j", [(True, True, True, False)] * 9, bounds).kappa == 0
