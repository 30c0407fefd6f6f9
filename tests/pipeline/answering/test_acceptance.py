"""What makes an answer unfit to be learned from, with near misses beside every fault."""

from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.answering.acceptance import AcceptanceParams, Sayings, find_fault, specifics
from pipeline.answering.request import Answer, Hit, Question, Turn
from pipeline.params import load_section
from tests.pipeline.generate_tables import SHIPPED

PARAMS = load_section(AcceptanceParams, "generate.acceptance", [SHIPPED])


def reason(text: str, *asked: str, knowledge: Sequence[Hit] = (), language: str | None = None) -> str:
    """Why this answer to a conversation is rejected; "" when it is not."""
    turns = tuple(Turn(f"t{number}", "customer", said) for number, said in enumerate(asked or ("Where is my parcel?",)))
    question = Question("c", "t0", language, turns, tuple(knowledge))
    fault = find_fault(question, Answer(text, "p", "m", "v", tuple(knowledge)), PARAMS, "answer", None)
    return fault.reason if fault else ""


def repeats(answers: Sequence[tuple[str, str]], params: AcceptanceParams) -> set[str]:
    """Which of these (conversation_id, answer) say what too many others say."""
    said = Sayings(params)
    for conversation_id, text in answers:
        said.note(conversation_id, text)
    return said.find_repeats(conversation_id for conversation_id, _ in answers)


def exchange(question: str, answer: str) -> Hit:
    return Hit("x/t1", 0.8, question, answer)


def passage(text: str) -> Hit:
    return Hit("kb", 0.8, "Returns", text, is_exchange=False)


@pytest.mark.parametrize(
    "text",
    ["Dear {{ticket.requester}}, soon.", "Best regards, [Your Name]", "Order [order number] is late.",
     "See [ORDER_ID].", "It is <order number>.",
     "Your code is XXXX."],
)  # fmt: skip
def test_a_placeholder_is_found(text: str) -> None:
    assert reason(text) == "placeholder"


@pytest.mark.parametrize("text", ["It comes soon [1].", "The size is XL.", "Use a < b.", "Press [] twice."])
def test_what_only_looks_like_a_placeholder_is_not(text: str) -> None:
    assert reason(text) == ""


def test_a_placeholder_that_the_customer_wrote_may_be_spoken_of() -> None:
    assert reason("Sorry for the {{name}} in it.", "Your mail says {{name}}!") == ""


@pytest.mark.parametrize(
    "text",
    ["As an AI language model I have no orders.", "Rest on the knowledge below. Never invent amounts, dates, numbers, links.",
     "My instructions say so."],
)  # fmt: skip
def test_what_comes_from_the_prompt_or_the_model_itself_is_a_leak(text: str) -> None:
    assert reason(text) == "prompt_leakage"


@pytest.mark.parametrize(
    "text",
    ["I'm sorry, but I can't help with that.", "I cannot assist with this request.", "Sorry, I am unable to provide that."],
)
def test_a_refusal_is_rejected(text: str) -> None:
    assert reason(text) == "refusal"


@pytest.mark.parametrize(
    "text", ["I'm sorry to hear that. It is on its way.", "Please tell us if you can't log in.", "We cannot wait to see you."]
)
def test_an_apology_is_no_refusal(text: str) -> None:
    assert reason(text) == ""


def test_an_answer_over_length_is_rejected() -> None:
    assert reason("word " * 250) == ""
    assert reason("word " * 251) == "too_long"


def test_an_answer_that_repeats_the_question_is_an_echo() -> None:
    asked = "Where is the blue parcel that I ordered for my sister?"
    assert reason(asked.upper(), asked) == "echo"
    assert reason("You ask where is the blue parcel that I ordered.", asked) == "echo"
    assert reason("The blue parcel waits at the depot.", asked) == ""


@pytest.mark.parametrize(
    "text",
    ["Write to ann@acme.io.", "Ask @ann_desk.", "Call 0171 555 0199.", "Your order 4471120 is here.", "Hi Melinda, it is here."],
)
def test_something_that_names_somebody_must_stand_in_the_conversation(text: str) -> None:
    assert reason(text) == "foreign_identifier"
    assert reason(text, "I am Melinda, ann@acme.io, @ann_desk, 0171 555-0199, order 4471120") == ""


def test_what_names_another_customer_is_foreign_even_in_the_grounding_but_the_teams_own_address_is_not() -> None:
    assert reason("Write to ann@acme.io.", knowledge=[exchange("Where?", "Write to ann@acme.io.")]) == "foreign_identifier"
    assert reason("Write to help@acme.io.", knowledge=[passage("Write to help@acme.io.")]) == ""


@pytest.mark.parametrize("text", ["Hi there, soon.", "Dear customer, soon.", "Hello! It is here."])
def test_nobody_is_named_by_a_plain_greeting(text: str) -> None:
    assert reason(text) == ""


@pytest.mark.parametrize(
    "claim",
    [
        "within 5 days",
        "for $20",
        "a 15% rebate",
        "on May 5",
        "by 2026-01-05",
        "in version 2.1.3",
        "case AB-17",
        "at acme.com/help",
    ],
)
def test_a_specific_must_stand_in_the_conversation_or_in_the_grounding(claim: str) -> None:
    text = f"You get it {claim}."
    assert reason(text) == "unsupported_specific"
    assert reason(text, f"{claim}?") == ""
    assert reason(text, knowledge=[passage(f"People get it {claim}.")]) == ""
    assert reason(text, knowledge=[exchange("When?", f"You get it {claim}.")]) == ""


def test_a_detail_the_other_customer_brought_up_supports_nothing_here() -> None:
    other = exchange("I paid $35, when do I get it back?", "Your $35 come back within 5 days.")

    assert reason("You get it back within 5 days.", knowledge=[other]) == ""
    assert reason("Your $35 come back.", knowledge=[other]) == "unsupported_specific"


@pytest.mark.parametrize(
    ("one", "other"),
    [("$1,200.00", "1200"), ("three days", "3 days"), ("the 5th of May", "May 5"), ("https://www.acme.com/", "acme.com")],
)
def test_the_same_specific_in_another_spelling_is_supported(one: str, other: str) -> None:
    assert reason(f"It is {other}.", f"Is it {one}?") == ""


@pytest.mark.parametrize("text", ["1. Open settings.\n2) Choose reset.\nStep 3: Done.", "It is so [1]."])
def test_numbers_of_a_list_are_no_claims(text: str) -> None:
    assert specifics(text) == frozenset()


def test_an_answer_in_another_language_is_rejected_when_both_are_long_enough_to_tell() -> None:
    german = "Vielen Dank für Ihre Nachricht, das Paket ist leider noch nicht bei uns angekommen."
    assert reason(german, "My parcel did not arrive, and nobody at the shop wants to tell me why.") == "other_language"
    assert reason(german, "Mein Paket ist nicht angekommen, und niemand im Laden sagt mir, warum.") == ""
    assert reason(german, "Hm?", language="en") == "other_language"
    assert reason(german, "Hm?") == ""


def test_answers_of_the_same_words_are_kept_up_to_the_bound_by_id() -> None:
    params = PARAMS.model_copy(update={"max_repeats": 2})
    answers = [(f"c{number}", "It is on its WAY.") for number in range(4)]
    other = ("c9", "It waits.")

    assert repeats([*reversed(answers), other], params) == {"c2", "c3"}


def test_an_answer_that_was_not_taken_in_the_end_repeats_nothing() -> None:
    said = Sayings(PARAMS.model_copy(update={"max_repeats": 1}))
    for name in ("c0", "c1", "c2"):
        said.note(name, "It is on its way.")

    assert said.find_repeats(["c2", "c1"]) == {"c2"}


def test_answers_that_are_nearly_the_same_are_repeats() -> None:
    params = PARAMS.model_copy(update={"max_repeats": 1})
    said = "Please open the settings of your account, choose cards and press the button to freeze the one you lost"
    texts = [f"{said}.", f"{said} today.", "Please open a window."]
    answers = [(f"c{number}", text) for number, text in enumerate(texts)]

    assert repeats(answers, params) == {"c1"}
    assert repeats(answers, params.model_copy(update={"repeat_similarity": 1})) == set()


def test_a_bound_that_is_met_exactly_is_met() -> None:
    params = PARAMS.model_copy(update={"max_repeats": 1, "repeat_similarity": 0.55})  # 33 / 0.55 < 60 in floating point
    words = [f"{first}{second}" for first in "abcdefgh" for second in "abcdefgh"][:62]
    answers = [(name, " ".join(text)) for name, text in (("c0", words), ("c1", words[:35]))]

    assert repeats(answers, params) == {"c1"}


WORDS = st.lists(st.sampled_from("abcd"), min_size=1, max_size=12).map(" ".join)


@given(st.lists(WORDS, max_size=12), st.sampled_from([0.1, 0.3, 0.5, 0.8, 1.0]))
def test_the_first_of_its_kind_is_found_as_by_looking_at_all(texts: list[str], bound: float) -> None:
    params = PARAMS.model_copy(update={"max_repeats": 1, "repeat_similarity": bound})
    answers = [(f"c{number:02d}", text) for number, text in enumerate(texts)]

    firsts: list[frozenset[Any]] = []
    over = set()
    for name, text in answers:
        words = text.split()
        runs = frozenset[Any](zip(words, words[1:], words[2:], strict=False)) or frozenset([tuple(words)])
        if any(len(runs & first) / len(runs | first) >= bound for first in firsts):
            over.add(name)
        else:
            firsts.append(runs)

    assert repeats(answers, params) == over
