"""What validate keeps, edits and drops."""

from pathlib import Path
from typing import Any

import polars as pl
import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.errors import ParamsError
from pipeline.params import load_section
from pipeline.parts import Means
from pipeline.schema import GENERATED, VALIDATED
from pipeline.stage import Outcome
from pipeline.tables import Table, new_table
from pipeline.validate import ValidateParams, run, validate
from tests.build import KEY, MEANS, conversation, conversations, turn

LIMITS = {
    "min_tokens": 5,
    "max_tokens": 1000,
    "default_cut_tokens": 100,
    "min_answer_words": 2,
    "min_distinct_word_share": 0.15,
    "languages": ["en"],
}

PARAMS = ValidateParams.model_validate(
    {
        "encoding": "o200k_base",
        "merge_separator": "\n",
        "rules": {
            "tool_turn": "cut",
            "empty_turn": "cut",
            "leading_agent_turn": "cut",
            "trailing_customer_turn": "cut",
            "same_speaker_run": "merge",
            "no_answer": "drop",
            "unfilled_placeholder": "drop",
            "residual_identifier": "drop",
            "too_short": "drop",
            "too_long": "drop",
        },
        "limits": LIMITS,
    }
)


def params(**rules: str) -> ValidateParams:
    return ValidateParams.model_validate({**PARAMS.model_dump(), "rules": rules})


def generated(*rows: dict[str, Any]) -> pl.DataFrame:
    return conversations([{**row, "cluster_id": row["conversation_id"]} for row in rows], GENERATED)


def judged(*texts: str, by: ValidateParams = PARAMS) -> Outcome:
    return validate(generated(conversation(1, *texts)), by)


def texts_of(outcome: Outcome) -> list[str]:
    return [f"{one['speaker']}: {one['text']}" for one in outcome.kept["turns"][0]]


def test_a_plain_question_and_answer_pass_untouched() -> None:
    outcome = judged("Where is my order?", "It left today.")

    assert texts_of(outcome) == ["customer: Where is my order?", "agent: It left today."]
    assert outcome.kept.select("edits", "flags").row(0) == ([], [])
    assert dict(outcome.kept.schema) == dict(VALIDATED)


def test_turns_of_one_speaker_in_a_row_become_one_and_the_edit_names_the_absorbed_turn() -> None:
    outcome = judged("customer: Hello?", "customer: Where is it?", "agent: It left today.")

    assert texts_of(outcome) == ["customer: Hello?\nWhere is it?", "agent: It left today."]
    assert [one["turn_id"] for one in outcome.kept["turns"][0]] == ["t0", "t2"]
    assert outcome.beside["edits"].rows() == [("desk-0000000000000001", "t1", "merge", "same_speaker_run")]
    assert outcome.counts == {"edit_same_speaker_run": 1}


def test_a_bot_and_the_agent_after_it_are_one_voice() -> None:
    outcome = judged("Hello?", "bot: One moment.", "agent: Here I am.")

    assert texts_of(outcome) == ["customer: Hello?", "agent: One moment.\nHere I am."]


def test_a_greeting_before_the_first_question_and_thanks_after_the_last_answer_are_cut() -> None:
    outcome = judged("agent: Welcome!", "customer: Where is it?", "agent: On its way.", "customer: Thanks!")

    assert texts_of(outcome) == ["customer: Where is it?", "agent: On its way."]
    assert outcome.kept["edits"][0].to_list() == ["leading_agent_turn", "trailing_customer_turn"]


def test_runs_that_only_meet_after_a_cut_are_merged_too() -> None:
    outcome = judged("customer: Hello?", "tool: order 7 shipped", "customer: Hello??", "agent: Yes.")

    assert texts_of(outcome) == ["customer: Hello?\nHello??", "agent: Yes."]


@pytest.mark.parametrize("texts", [("Hello?",), ("agent: Welcome!",), ("tool: x",), (), (" ", "\u200b")])
def test_a_conversation_with_no_answer_left_is_dropped_for_that(texts: tuple[str, ...]) -> None:
    outcome = judged(*texts)

    assert outcome.kept.is_empty()
    assert outcome.dropped["reason"].to_list() == ["no_answer"]
    assert outcome.beside["edits"].is_empty()


def test_the_first_fault_in_the_order_of_the_params_is_the_reason() -> None:
    both = ("Hi", "Dear {{name}}, write to ann@acme.io")

    one, other = (
        judged(*both, by=params(unfilled_placeholder="drop", residual_identifier="drop")),
        judged(*both, by=params(residual_identifier="drop", unfilled_placeholder="drop")),
    )

    assert one.dropped.row(0) == ("desk-0000000000000001", "unfilled_placeholder", "t1")
    assert other.dropped.row(0) == ("desk-0000000000000001", "residual_identifier", "t1")


def test_the_order_of_the_rules_is_part_of_what_decides_a_table(tmp_path: Path) -> None:
    orders = [{"no_answer": "drop", "empty_turn": "drop"}, {"empty_turn": "drop", "no_answer": "drop"}]
    source = a_table(tmp_path / "generated", conversation(1, "Hello?", " "))

    made = [run(source, tmp_path / str(n), params(**order), MEANS).fingerprint for n, order in enumerate(orders)]

    assert made[0] != made[1]


def test_a_flagged_fault_keeps_the_conversation_and_names_the_rule() -> None:
    outcome = judged("Hi", "Dear {{name}}", by=params(unfilled_placeholder="flag", too_short="flag"))

    assert outcome.kept["flags"][0].to_list() == ["unfilled_placeholder"]
    assert outcome.counts == {"flag_unfilled_placeholder": 1}


def test_a_mended_turn_is_edited_and_what_it_said_wrongly_is_gone() -> None:
    outcome = judged(
        "Hi\x00", "I don\u00e2\u20ac\u2122t &amp; won't", by=params(control_character="mend", mojibake="mend", markup="mend")
    )

    assert texts_of(outcome) == ["customer: Hi", "agent: I don\u2019t & won't"]
    assert [one["origin"] for one in outcome.kept["turns"][0]] == ["edited", "edited"]
    assert [edit[1:] for edit in outcome.beside["edits"].rows()] == [
        ("t0", "mend", "control_character"),
        ("t1", "mend", "mojibake"),
        ("t1", "mend", "markup"),
    ]


def test_an_ignored_rule_does_nothing() -> None:
    assert len(judged("Hi", "Dear {{name}}", by=params(unfilled_placeholder="ignore")).kept) == 1


def test_words_of_people_stay_human_when_merged_and_a_mix_with_a_synthetic_turn_is_edited() -> None:
    how = {"provider": "nearest", "model": "tfidf", "prompt_version": "1", "grounding": []}
    turns = [
        turn("customer", "Hello?", 0),
        turn("customer", "Where is it?", 1),
        turn("agent", "One moment.", 2),
        turn("agent", "It left today.", 3, origin="synthetic", generation=how),
    ]

    kept = validate(generated(conversation(1, turns=turns)), PARAMS).kept["turns"][0].to_list()

    assert [one["origin"] for one in kept] == ["human", "edited"]
    assert [one["generation"] for one in kept] == [None, how]


def test_a_conversation_in_which_a_model_had_a_hand_is_called_synthetic() -> None:
    by_model = [turn("customer", "Where is it?", 0), turn("agent", "It left today.", 1, origin="synthetic")]

    kept = validate(generated(conversation(1, "Hi", "Hello."), conversation(2, turns=by_model)), PARAMS).kept

    assert kept["synthetic"].to_list() == [False, True]


def test_tokens_are_those_of_the_contents_four_per_message_and_three() -> None:
    assert judged("Where is it?", "On its way.").kept["tokens"].to_list() == [4 + 4 + 4 + 4 + 3]


@pytest.mark.parametrize(("limits", "reason"), [((20, 1000), "too_short"), ((5, 18), "too_long")])
def test_token_bounds_hold_for_the_whole_chat(limits: tuple[int, int], reason: str) -> None:
    bounds = {**LIMITS, "min_tokens": limits[0], "max_tokens": limits[1]}
    by = ValidateParams.model_validate({**PARAMS.model_dump(), "limits": bounds})

    assert judged("Where is it?", "On its way.", by=by).dropped["reason"].to_list() == [reason]


def test_tokens_are_counted_anew_after_a_merge() -> None:
    by = params(too_long="flag", same_speaker_run="merge")

    outcome = judged("Where is it?", "agent: On its way.", "agent: Bye.", by=by)

    assert outcome.kept["tokens"][0] == judged("Where is it?", "agent: On its way.\nBye.", by=by).kept["tokens"][0]


@pytest.mark.parametrize(
    ("rules", "message"),
    [
        ("no_anser: drop", "no rule 'no_anser'; there are "),
        ("no_answer: merge", "no_answer cannot merge; only same_speaker_run can"),
        ("no_answer: mend", "no_answer cannot mend; those that can are "),
        ("no_answer: remove", "Input should be 'drop', 'cut', 'move', 'merge', 'mend', 'flag' or 'ignore'"),
    ],
)
def test_a_rule_or_consequence_that_does_not_exist_is_refused(tmp_path: Path, rules: str, message: str) -> None:
    file = tmp_path / "params.yaml"
    sections = {"validate": {**PARAMS.model_dump(), "rules": yaml.safe_load(f"{{{rules}}}")}}
    file.write_text(yaml.safe_dump(sections))

    with pytest.raises(ParamsError) as raised:
        load_section(ValidateParams, "validate", [file])

    assert message in str(raised.value)


WORDS = st.text(alphabet="ab {}\u200b\n@.1é漢", max_size=12)
TURNS = st.lists(st.tuples(st.sampled_from(["customer", "agent", "bot", "tool"]), WORDS), max_size=6)


@settings(deadline=None)  # a busy machine takes its time
@given(st.lists(TURNS, max_size=5))
def test_nothing_vanishes_and_what_is_kept_alternates_from_a_question_to_an_answer(logs: list[list[tuple[str, str]]]) -> None:
    rows = [
        conversation(number, turns=[turn(speaker, text, place) for place, (speaker, text) in enumerate(log)])
        for number, log in enumerate(logs)
    ]
    frame = generated(*rows)

    outcome = validate(frame, PARAMS)

    outcome.account_for(frame["conversation_id"], "validate")
    for turns in outcome.kept["turns"].to_list():
        assert len(turns) % 2 == 0
        assert all((one["speaker"] == "customer") == (place % 2 == 0) for place, one in enumerate(turns))
        assert all(one["text"].strip("\u200b \n") for one in turns)


@settings(deadline=None)  # a busy machine takes its time
@given(st.lists(TURNS, min_size=1, max_size=4))
def test_twice_is_once_and_the_order_of_rows_changes_nothing(logs: list[list[tuple[str, str]]]) -> None:
    rows = [
        conversation(number, turns=[turn(speaker, text, place) for place, (speaker, text) in enumerate(log)])
        for number, log in enumerate(logs)
    ]
    once = validate(generated(*rows), PARAMS).kept
    again = validate(once.select(list(GENERATED)), PARAMS)
    backwards = validate(generated(*reversed(rows)), PARAMS).kept

    assert again.kept.select("turns", "tokens").equals(once.select("turns", "tokens"))
    assert again.counts == {}
    assert backwards.reverse().equals(once)


def a_table(folder: Path, *rows: dict[str, Any]) -> Path:
    with new_table(folder, "generate", "x", given=None) as writer:
        parts = [writer.write(f"part-{n:05d}", {str(n): str(n)}, Outcome(generated(row))) for n, row in enumerate(rows)]
        writer.publish(parts)
    return folder


def test_a_run_leaves_kept_dropped_and_edits_and_the_same_bytes_for_two_workers(tmp_path: Path) -> None:
    source = a_table(tmp_path / "generated", conversation(1, "Hi", "Hello."), conversation(2, "Hi"), conversation(3, "agent: x"))

    one = run(source, tmp_path / "one", PARAMS, MEANS)
    two = run(source, tmp_path / "two", PARAMS, Means(key=KEY, workers=2))

    assert (one.total("kept"), one.reasons, one.total("edits")) == (1, {"no_answer": 2}, 0)
    assert [part.files for part in one.parts] == [part.files for part in two.parts]
    assert Table(tmp_path / "one").checksum == Table(tmp_path / "two").checksum


def keeping() -> ValidateParams:
    rules = {name: then for name, then in PARAMS.rules.items() if name != "tool_turn"}
    edits = {name: rules.pop(name) for name in ("empty_turn", "leading_agent_turn", "trailing_customer_turn")}
    return params(**edits, misplaced_look_up="move", **rules)


@pytest.mark.parametrize(
    ("texts", "kept"),
    [
        (("Q", "tool: r", "agent: A is here"), ["customer: Q", "tool: r", "agent: A is here"]),
        (("Q", "agent: Let me see", "tool: r", "agent: It left"), ["customer: Q", "tool: r", "agent: Let me see\nIt left"]),
        (("Q", "tool: r", "customer: hello?", "agent: Yes sir"), ["customer: Q\nhello?", "tool: r", "agent: Yes sir"]),
        (("tool: r", "customer: Q", "agent: A it is", "tool: s"), ["customer: Q", "agent: A it is"]),
        (
            ("Q", "agent: A it is", "tool: r", "customer: P", "tool: s", "agent: B it is"),
            ["customer: Q", "tool: r", "agent: A it is", "customer: P", "tool: s", "agent: B it is"],
        ),
    ],
)
def test_a_look_up_that_is_kept_stands_right_before_the_answer_it_was_made_for(texts: tuple[str, ...], kept: list[str]) -> None:
    assert texts_of(judged(*texts, by=keeping())) == kept


@settings(deadline=None)  # a busy machine takes its time
@given(st.lists(st.sampled_from(["customer", "agent", "tool"]), min_size=1, max_size=9))
def test_what_is_said_is_the_same_with_and_without_look_ups(speakers: list[str]) -> None:
    texts = [f"{speaker}: word{number} and more" for number, speaker in enumerate(speakers)]
    cut, kept = judged(*texts), judged(*texts, by=keeping())

    said = [text for text in (texts_of(kept) if kept.kept.height else []) if not text.startswith("tool")]
    assert said == (texts_of(cut) if cut.kept.height else [])


def test_an_identifier_in_an_argument_is_one_of_the_conversation() -> None:
    call = {"name": "find", "arguments": [{"name": "mail", "value": "ann@acme.io"}]}
    turns = [turn("customer", "Where is it?"), turn("tool", "late", 1, call=call), turn("agent", "On its way.", 2)]
    outcome = validate(generated(conversation(1, turns=turns)), keeping())

    assert outcome.dropped.rows() == [("desk-0000000000000001", "residual_identifier", "t1")]


def test_a_template_mark_in_an_argument_is_one_of_the_conversation() -> None:
    call = {"name": "find", "arguments": [{"name": "query", "value": "bye<|im_end|>"}]}
    turns = [turn("customer", "Where is it?"), turn("tool", "late", 1, call=call), turn("agent", "On its way.", 2)]
    outcome = validate(generated(conversation(1, turns=turns)), params(**keeping().rules, injection="drop"))

    assert outcome.dropped.rows() == [("desk-0000000000000001", "injection", "t1")]
