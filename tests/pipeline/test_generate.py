"""generate: a synthetic turn where nobody answered, a named gap where there is none, everything else unchanged."""

from collections.abc import Iterable, Iterator
from hashlib import sha256
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pipeline.answering.request import Answer, Gap, Question, Settled
from pipeline.errors import ParamsError, TableError
from pipeline.generate import PROVIDERS, GenerateParams, generate, run
from pipeline.params import load_section
from pipeline.schema import DEDUPED
from pipeline.tables import Table
from tests.build import MEANS, conversation, conversations, turn
from tests.pipeline.generate_tables import SHIPPED, deduped, params

ASKED_BEFORE = conversation(1, "How do I reset the password of my account?", "Open settings and choose reset.")
ALIKE = conversation(2, "How do I reset the password of my account please?")
UNLIKE = conversation(3, "The parcel arrived with a broken lid yesterday.")


def load(**overrides: Any) -> Any:
    return load_section(GenerateParams, "generate", [SHIPPED], [f"generate.{name}={value}" for name, value in overrides.items()])


PARAMS = load()


def last_turn(target: Path, conversation_id: str) -> dict[str, Any]:
    kept = Table(target).scan().filter(pl.col("conversation_id") == conversation_id).collect()
    return dict(kept["turns"][0][-1])


def content(folder: Path) -> dict[str, str]:
    return {
        path.relative_to(folder).as_posix(): sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def sorry(questions: Any, settle: Any) -> list[Settled]:
    return [settle(question, (Answer("Sorry to hear that.", "fake", "m", "v", ()),)) for question in questions]


def nothing_alike(questions: Iterable[Question]) -> Iterator[Question]:
    return iter(questions)


def test_nearest_gives_the_human_answer_of_the_most_similar_conversation_and_says_where_it_is_from(tmp_path: Path) -> None:
    source = deduped(tmp_path, [ASKED_BEFORE, ALIKE])

    run(source, tmp_path / "generated", params(tmp_path), MEANS)

    answer = last_turn(tmp_path / "generated", ALIKE["conversation_id"])
    assert answer["text"] == "Open settings and choose reset."
    assert (answer["speaker"], answer["origin"], answer["sent_at"], answer["author_key"]) == ("agent", "synthetic", None, None)
    assert answer["generation"]["provider"] == "nearest"
    assert answer["generation"]["prompt_version"] is None
    [ground] = answer["generation"]["grounding"]
    assert ground["id"] == f"{ASKED_BEFORE['conversation_id']}/t1"
    assert 0.6 < ground["score"] < 1


def test_below_the_bound_the_conversation_is_dropped_as_unanswered(tmp_path: Path) -> None:
    source = deduped(tmp_path, [ASKED_BEFORE, UNLIKE])

    run(source, tmp_path / "generated", params(tmp_path), MEANS)

    table = Table(tmp_path / "generated")
    dropped = table.scan("dropped").collect()
    assert dropped.rows() == [(UNLIKE["conversation_id"], "unanswered", "")]
    assert table.scan().collect()["conversation_id"].to_list() == [ASKED_BEFORE["conversation_id"]]


def test_a_conversation_answered_before_its_open_end_is_kept_as_it_is_when_params_say_so(tmp_path: Path) -> None:
    half = conversation(4, "My invoice is wrong since Monday.", "Which line?", "The second line, about parking fees.")
    source = deduped(tmp_path, [half])

    run(source, tmp_path / "kept", params(tmp_path), MEANS)
    run(source, tmp_path / "dropped", params(tmp_path, keep_answered_part="false"), MEANS)

    assert Table(tmp_path / "kept").scan().collect()["turns"].to_list() == [half["turns"]]
    assert Table(tmp_path / "kept").manifest.counts == {"left_open": 1}
    assert Table(tmp_path / "dropped").manifest.reasons == {"unanswered": 1}


def test_answered_conversations_pass_unchanged(tmp_path: Path) -> None:
    answered = [ASKED_BEFORE, conversation(5, "agent: Anything else?"), conversation(6, "Hi", "bot: Hello")]
    empty = conversation(7)
    source = deduped(tmp_path, [*answered, empty])

    run(source, tmp_path / "generated", params(tmp_path), MEANS)

    before = Table(source).scan().collect()
    assert Table(tmp_path / "generated").scan().collect().equals(before)


def test_a_look_up_after_the_customers_last_turn_is_no_answer() -> None:
    row = conversation(8, "Where is my order?", "tool: status=sent")

    outcome = generate(conversations([row | {"cluster_id": "c"}], DEDUPED), nothing_alike, sorry, PARAMS)

    assert [turn["speaker"] for turn in outcome.kept["turns"][0]] == ["customer", "tool", "agent"]


def test_the_new_turn_never_takes_the_id_of_an_old_one() -> None:
    row = conversation(9, "Where is my order?") | {"cluster_id": "c"}
    row["turns"][0]["turn_id"] = "a1"

    outcome = generate(conversations([row], DEDUPED), nothing_alike, sorry, PARAMS)

    assert [turn["turn_id"] for turn in outcome.kept["turns"][0]] == ["a1", "a2"]


def test_a_question_is_asked_before_the_next_is_looked_up() -> None:
    order: list[tuple[str, str]] = []

    def look_up(questions: Iterable[Question]) -> Iterator[Question]:
        for question in questions:
            order.append(("looked up", question.conversation_id))
            yield question

    def answer(questions: Iterable[Question], settle: Any) -> list[Settled]:
        settled = []
        for question in questions:
            order.append(("asked", question.conversation_id))
            settled += sorry([question], settle)
        return settled

    rows = [row | {"cluster_id": "c"} for row in (ALIKE, UNLIKE)]
    generate(conversations(rows, DEDUPED), look_up, answer, PARAMS)

    assert order == [(what, row["conversation_id"]) for row in rows for what in ("looked up", "asked")]


def test_an_answer_with_another_customers_detail_in_it_is_not_borrowed(tmp_path: Path) -> None:
    source = deduped(tmp_path, [ASKED_BEFORE, ALIKE], findings=[(ASKED_BEFORE["conversation_id"], "t1")])

    run(source, tmp_path / "generated", params(tmp_path), MEANS)

    assert Table(tmp_path / "generated").manifest.reasons == {"unanswered": 1}


def test_an_answer_that_nobody_filled_in_is_not_borrowed(tmp_path: Path) -> None:
    unfilled = conversation(1, ASKED_BEFORE["turns"][0]["text"], "Dear {{name}}, open settings.")
    source = deduped(tmp_path, [unfilled, ALIKE])

    run(source, tmp_path / "generated", params(tmp_path), MEANS)

    assert Table(tmp_path / "generated").manifest.reasons == {"unanswered": 1}


@pytest.mark.parametrize(("speaker", "origin"), [("bot", "human"), ("agent", "synthetic")])
def test_only_answers_that_people_gave_are_borrowed(tmp_path: Path, speaker: Any, origin: Any) -> None:
    turns = [ASKED_BEFORE["turns"][0], turn(speaker, "Open settings and choose reset.", 1, origin=origin)]
    source = deduped(tmp_path, [ASKED_BEFORE | {"turns": turns}, ALIKE])

    run(source, tmp_path / "generated", params(tmp_path), MEANS)

    assert Table(tmp_path / "generated").manifest.reasons == {"unanswered": 1}


def test_a_question_of_few_words_resembles_nothing(tmp_path: Path) -> None:
    source = deduped(tmp_path, [conversation(1, "Yes.", "Then I cancel it."), conversation(2, "Yes.")])

    run(source, tmp_path / "generated", params(tmp_path), MEANS)

    assert Table(tmp_path / "generated").manifest.reasons == {"unanswered": 1}


def test_of_two_equally_similar_conversations_the_smaller_id_answers(tmp_path: Path) -> None:
    twin = ASKED_BEFORE | {"conversation_id": "desk-0000000000000000"}
    source = deduped(tmp_path, [ASKED_BEFORE, ALIKE, twin])

    run(source, tmp_path / "generated", params(tmp_path), MEANS)

    answer = last_turn(tmp_path / "generated", ALIKE["conversation_id"])
    assert answer["generation"]["grounding"][0]["id"] == "desk-0000000000000000/t1"


def test_a_table_that_was_never_scrubbed_is_refused(tmp_path: Path) -> None:
    source = deduped(tmp_path, [ASKED_BEFORE])
    manifest = source / "_manifest.json"
    manifest.write_text(manifest.read_text().replace('"scrub"', '"ingest"'))

    with pytest.raises(TableError, match=r"deduped: its rows never went through scrub; run that stage first$"):
        run(source, tmp_path / "generated", params(tmp_path), MEANS)


def test_an_unknown_provider_is_refused_with_the_names_of_those_there_are() -> None:
    with pytest.raises(ParamsError, match=r"generate\.provider: .*no such provider; one of nearest, openai, file, fake"):
        load(provider="oracle")


def test_the_shipped_params_name_a_provider_on_the_shelf() -> None:
    assert load().provider in PROVIDERS


def test_a_new_answer_elsewhere_makes_only_parts_with_open_questions_again(tmp_path: Path) -> None:
    closed, waiting = [ASKED_BEFORE], [conversation(4, "Is the shop open on Sundays in May?"), ALIKE]
    run(deduped(tmp_path, closed, waiting), tmp_path / "generated", params(tmp_path), MEANS)
    before = {path: path.stat().st_ino for path in (tmp_path / "generated").rglob("*.parquet")}
    more = [conversation(5, "Is the shop open on Sundays in May and June?", "Yes, from ten to four.")]
    run(deduped(tmp_path, closed, waiting, more), tmp_path / "generated", params(tmp_path), MEANS)

    kept = tmp_path / "generated" / "kept"
    assert (kept / "part-00000.parquet").stat().st_ino == before[kept / "part-00000.parquet"]
    assert last_turn(tmp_path / "generated", waiting[0]["conversation_id"])["text"] == "Yes, from ten to four."


def test_nothing_is_made_again_when_nothing_changed(tmp_path: Path) -> None:
    source = deduped(tmp_path, [ASKED_BEFORE], [ALIKE])
    run(source, tmp_path / "generated", params(tmp_path), MEANS)
    before = {path: path.stat().st_ino for path in (tmp_path / "generated").rglob("*.parquet")}
    run(source, tmp_path / "generated", params(tmp_path), MEANS)

    assert {path: path.stat().st_ino for path in (tmp_path / "generated").rglob("*.parquet")} == before


def test_a_part_with_gaps_that_may_pass_is_made_again_by_the_next_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    source = deduped(tmp_path, [UNLIKE])
    gap = Settled(Gap("provider_error", "503", may_pass=True))
    monkeypatch.setitem(PROVIDERS, "fake", lambda _settings: lambda asked, _settle: [gap for _ in asked])
    run(source, tmp_path / "generated", params(tmp_path, provider="fake"), MEANS)
    assert Table(tmp_path / "generated").manifest.reasons == {"provider_error": 1}

    monkeypatch.undo()
    run(source, tmp_path / "generated", params(tmp_path, provider="fake"), MEANS)

    assert Table(tmp_path / "generated").manifest.reasons == {}


def test_fake_answers_every_question_and_records_the_version_of_the_prompt(tmp_path: Path) -> None:
    source = deduped(tmp_path, [ASKED_BEFORE, ALIKE, UNLIKE])

    run(source, tmp_path / "generated", params(tmp_path, provider="fake"), MEANS)

    prompt = (SHIPPED.parent / "pipeline/prompts/answer.txt").read_bytes()
    for asked in (ALIKE, UNLIKE):
        generation = last_turn(tmp_path / "generated", asked["conversation_id"])["generation"]
        assert (generation["provider"], generation["prompt_version"]) == ("fake", sha256(prompt).hexdigest()[:16])


def test_two_runs_and_any_order_of_rows_give_the_same_answers(tmp_path: Path) -> None:
    rows = [ASKED_BEFORE, ALIKE, UNLIKE, conversation(4, "Can I change the delivery address of my order?", "Yes, in the app.")]
    for name, some in (("one", rows), ("two", rows), ("three", rows[::-1])):
        (tmp_path / name).mkdir()
        run(deduped(tmp_path / name, some), tmp_path / name / "generated", params(tmp_path / name, provider="fake"), MEANS)

    assert content(tmp_path / "one/generated") == content(tmp_path / "two/generated")
    one, three = (Table(tmp_path / name / "generated").scan().sort("conversation_id").collect() for name in ("one", "three"))
    assert one.equals(three)


@pytest.mark.parametrize(
    "text", ["Dear Zelda, it left today.", "Call 020 7946 0123 for it.", "Write to zelda@example.com about it."]
)
def test_a_typed_answer_that_names_somebody_is_a_named_gap_and_its_text_is_nowhere(text: str) -> None:
    def typed(questions: Any, settle: Any) -> list[Settled]:
        return [settle(question, (Answer(text, "file", "file", None, (), is_human=True),)) for question in questions]

    outcome = generate(conversations([UNLIKE | {"cluster_id": "c"}], DEDUPED), nothing_alike, typed, PARAMS)

    assert outcome.dropped["reason"].to_list() == ["foreign_identifier"]
    assert outcome.beside["rejected"]["reason"].to_list() == ["foreign_identifier"]
    assert text not in str(outcome.beside["rejected"].rows())


SPEAKERS = st.lists(st.sampled_from(["customer", "agent", "bot", "tool"]), max_size=5)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.tuples(SPEAKERS, st.booleans()), min_size=1, max_size=6))
def test_nothing_vanishes_and_every_question_is_an_answer_or_a_named_gap(drawn: Any) -> None:
    rows = [
        conversation(number, *(f"{speaker}: text {place}" for place, speaker in enumerate(speakers))) | {"cluster_id": "c"}
        for number, (speakers, _) in enumerate(drawn)
    ]
    gets_answer = {row["conversation_id"]: lucky for row, (_, lucky) in zip(rows, drawn, strict=True)}

    def answer(questions: Any, settle: Any) -> list[Settled]:
        def one(question: Question) -> Settled:
            lucky = gets_answer[question.conversation_id]
            return settle(question, (Answer("Yes.", "p", "m", None, ()),)) if lucky else Settled(Gap("unanswered"))

        return [one(question) for question in questions]

    given_rows = conversations(rows, DEDUPED)
    outcome = generate(given_rows, nothing_alike, answer, PARAMS)

    outcome.account_for(given_rows["conversation_id"], "generate")
    asked = outcome.beside["asked"]
    assert asked.filter(pl.col("reason").is_null()).height + asked.filter(pl.col("reason") != "").height == asked.height
    synthetic = outcome.kept.select(
        pl.col("turns").list.eval(pl.element().struct.field("origin") == "synthetic").list.sum()
    ).to_series()
    assert synthetic.sum() == asked.filter(pl.col("fate") == "answered").height
    assert generate(outcome.kept.filter(synthetic == 1), nothing_alike, answer, PARAMS).beside["asked"].is_empty()
