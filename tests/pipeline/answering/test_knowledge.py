"""The team's knowledge: what is read, what is found, what is refused."""

import os
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from pipeline.answering.knowledge import KnowledgeParams, load_knowledge
from pipeline.errors import SourceError
from pipeline.generate import run
from pipeline.params import load_section
from pipeline.parts import Means
from pipeline.tables import Table
from pipeline.unscrubbed import look_for_details
from tests.build import MEANS, conversation
from tests.llm_server import LlmServer
from tests.pipeline.generate_tables import SHIPPED, deduped, params

SHARED = Path(os.environ.get("TICKETMILL_SHARED", Path(__file__).parents[4] / "shared")) / "data"

RETURNS = """# Returns

Send the parcel back within 30 days.

# Warranty

A lamp that flickers is replaced.
"""


def knowledge(folder: Path, **files: str) -> Any:
    """Knowledge of these files; `returns_md` is returns.md."""
    for name, text in files.items():
        path = folder / "kb" / ".".join(name.rsplit("_", 1))
        path.parent.mkdir(exist_ok=True)
        path.write_text(text, "utf-8")
    return load_knowledge(settings(folder=folder / "kb"))


def settings(**more: Any) -> KnowledgeParams:
    return load_section(
        KnowledgeParams, "generate.knowledge", [SHIPPED], [f"generate.knowledge.{name}={value}" for name, value in more.items()]
    )


def test_the_passage_that_covers_the_question_is_found_with_its_place_and_score(tmp_path: Path) -> None:
    [hit] = knowledge(tmp_path, returns_md=RETURNS).find(["My lamp flickers, what about the warranty?"])[0].hits

    assert (hit.id, hit.question, hit.answer) == ("kb/returns.md#1", "Warranty", "A lamp that flickers is replaced.")
    assert 0.35 < hit.score < 1
    assert not hit.is_exchange


@pytest.mark.parametrize("question", ["Who won the match?", "", "?!"])
def test_a_question_about_something_else_finds_nothing(tmp_path: Path, question: str) -> None:
    assert knowledge(tmp_path, returns_md=RETURNS).find([question])[0].hits == ()


def test_html_and_json_are_read_as_text_under_their_headings(tmp_path: Path) -> None:
    known = knowledge(
        tmp_path,
        a_html="<h1>Lamp</h1><p>Turn the lamp <b>off</b>.</p>",
        b_json='{"Desk": {"Chair": {"text": "Turn the chair."}}}',
    )

    [lamp], [chair] = (found.hits for found in known.find(["Turn the lamp off", "Turn the chair of the desk"]))
    assert "Turn the lamp off." in lamp.answer
    assert (chair.id, chair.question, chair.answer) == ("kb/b.json#0", "Desk / Chair", "Turn the chair.")


def test_a_long_section_becomes_several_passages(tmp_path: Path) -> None:
    paragraphs = "\n\n".join(f"word{number} " * 90 for number in range(5))

    known = knowledge(tmp_path, long_txt=paragraphs)

    assert [found.hits[0].id for found in known.find(["word0", "word2", "word4"])] == [
        "kb/long.txt#0",
        "kb/long.txt#1",
        "kb/long.txt#2",
    ]


def test_the_guidelines_of_abcd_answer_what_its_customers_ask(tmp_path: Path) -> None:
    (tmp_path / "guidelines.json").write_bytes((SHARED / "abcd_sample" / "guidelines.json").read_bytes())

    hits = load_knowledge(settings(folder=tmp_path)).find(["I want to recover my username"])[0].hits

    assert hits[0].question == "Account Access / subflows / Recover Username / instructions"


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("a.pdf", b"%PDF", r"a\.pdf: is none of \.md, .*; convert it or move it away"),
        ("a.md", b"\xff\xfe\xff", r"a\.md: cannot be read as UTF-8 text"),
        ("a.json", b"{", r"is not JSON; correct or remove it"),
        ("a.md", b"Write to ann@acme.io", r"a\.md: passage 0 holds something like EMAIL_ADDRESS; remove it, or list it"),
    ],
)
def test_what_cannot_be_used_stops_the_run(tmp_path: Path, name: str, content: bytes, message: str) -> None:
    (tmp_path / name).write_bytes(content)

    with pytest.raises(SourceError, match=message):
        load_knowledge(settings(folder=tmp_path))


def test_a_folder_that_is_missing_stops_the_run(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match=r"no such folder; correct generate\.knowledge\.folder"):
        load_knowledge(settings(folder=tmp_path / "none"))


def test_the_teams_own_address_may_be_allowed_by_name(tmp_path: Path) -> None:
    (tmp_path / "a.md").write_text("Write to help@acme.io")

    assert load_knowledge(settings(folder=tmp_path, allow="[help@acme.io]")).find(["Write to help"])[0].hits != ()


def test_a_changed_passage_makes_parts_with_questions_again(tmp_path: Path) -> None:
    (tmp_path / "kb").mkdir()
    source = deduped(tmp_path, [conversation(1, "My lamp flickers, is that covered by the warranty?")])
    answers = set()
    for text in (RETURNS, RETURNS.replace("replaced", "mended")):
        (tmp_path / "kb" / "returns.md").write_text(text)
        run(source, tmp_path / "generated", params(tmp_path, provider="fake", knowledge__folder=tmp_path / "kb"), MEANS)
        last = Table(tmp_path / "generated").scan().collect()["turns"][0][-1]
        assert last["generation"]["grounding"][0]["id"] == "kb/returns.md#1"
        answers.add(last["text"])

    assert len(answers) == 2


def test_a_passage_that_names_somebody_is_never_sent_unless_allowed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TICKETMILL_TEST_KEY", "sk-not-a-real-key")
    (tmp_path / "kb").mkdir()
    (tmp_path / "kb/lifts.md").write_text(
        "# Lifts\n\nAsk Thorvald Ekelund for the key of the lift.\n\n# Doors\n\nThey open.", "utf-8"
    )
    source = deduped(tmp_path, [conversation(1, "Who has the key of the lift in this house?")])
    means = replace(MEANS, details=look_for_details([SHIPPED], []))

    def ask(means: Means, **more: Any) -> None:
        endpoint = {"openai__base_url": server.base_url, "openai__key_variable": "TICKETMILL_TEST_KEY"}
        chosen = params(tmp_path, provider="openai", knowledge__folder=tmp_path / "kb", **endpoint, **more)
        run(source, tmp_path / "generated", chosen, means)

    with LlmServer() as server:
        with pytest.raises(SourceError, match=r"1 passages .*kb/lifts\.md#0 PERSON") as refused:
            ask(means)
        assert "Ekelund" not in str(refused.value)
        with pytest.raises(SourceError, match="cannot be looked through"):
            ask(MEANS)
        assert server.received == []

        ask(means, knowledge__allow="[Thorvald Ekelund]")
        assert len(server.received) == 1
