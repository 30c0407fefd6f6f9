"""Answer stability over time, ungrounded specifics, volatile content, coverage: planted values are recovered."""

from datetime import timedelta
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

from checks.readiness.assess import Assessment, assess
from checks.readiness.masking import mask
from checks.readiness.measured import Measured
from checks.readiness.measures.coverage import good_turing, threshold_clusters
from checks.readiness.measures.knowledge import Decay, fit_decay, has_same_values, has_same_words, token_f1, ungrounded_in
from checks.readiness.specifics import VOLATILE, specifics_in
from pipeline.tables import Table
from tests.build import NOON, turn
from tests.checks.readiness.lines import STATED, params, sentence, talk, write_line
from tests.checks.readiness.rules import verdict_of


def assessed(table: Table, **settings: Any) -> Assessment:
    return assess(table, params(**{"statements": STATED, "evidence": "no-such-folder", **settings}))


def found(assessment: Assessment, measure: str, topic: str | None = None) -> Measured:
    one = assessment.values.own(measure, topic)
    assert one is not None, measure
    return one


def planted(half_life: float, seed: int, pairs: int = 300, noise: float = 0.1, floor: float = 0.0) -> tuple[Any, Any]:
    """Gaps of a 365-day log, and whether a detector that errs sees agreement."""
    generator = np.random.default_rng(seed)
    days = np.abs(generator.uniform(0, 365, pairs) - generator.uniform(0, 365, pairs))
    true = generator.random(pairs) < floor + (1 - floor) * 2 ** (-days / half_life)
    return days, np.where(generator.random(pairs) < noise, ~true, true).astype(float)


@pytest.mark.parametrize("half_life", [7, 30, 90])
def test_a_planted_half_life_is_recovered_from_300_noisy_pairs(half_life: float) -> None:
    fits = [fit_decay(*planted(half_life, seed)) for seed in range(40)]

    assert all(fit.shown for fit in fits)
    assert np.median([fit.half_life for fit in fits]) == pytest.approx(half_life, rel=0.2)


def test_answers_that_never_age_are_called_stable_in_99_of_100_logs() -> None:
    generator = np.random.default_rng(3)
    shown = []
    for _ in range(200):
        days = np.abs(generator.uniform(0, 365, 300) - generator.uniform(0, 365, 300))
        shown.append(fit_decay(days, (generator.random(300) < 0.9).astype(float)).shown)

    assert np.mean(shown) <= 0.03


def test_topics_that_agree_more_and_are_asked_within_fewer_days_are_no_fall() -> None:
    shown, naive = [], []
    for seed in range(30):
        generator = np.random.default_rng(seed)
        topic = np.repeat([0, 1], 300)
        days = np.abs(generator.uniform(0, np.where(topic, 200, 5)) - generator.uniform(0, np.where(topic, 200, 5)))
        agree = (generator.random(600) < np.where(topic, 0.5, 0.9)).astype(float)
        naive.append(fit_decay(days, agree).shown)
        shown.append(fit_decay(days, agree, topic).shown)

    assert np.mean(naive) > 0.9
    assert np.mean(shown) <= 0.1


def test_the_outdated_share_is_that_of_the_formula_and_the_safe_cycle_0_31_half_lives() -> None:
    decay = Decay(start=1, floor=0, half_life=97, shown=True)

    assert decay.outdated(30) == pytest.approx(0.1, abs=0.002)
    assert decay.safe_cycle(0.1) / 97 == pytest.approx(0.31, abs=0.01)
    assert Decay(0.9, 0.85, 1, shown=True).outdated(30) < 0.06  # what never ages is not out of date
    assert Decay(0.9, 0.85, 1, shown=True).safe_cycle(0.1) == float("inf")


def aged(count: int, change_at: int) -> list[dict[str, Any]]:
    """One question of ten kinds asked over and over; from day `change_at` on another answer stands."""
    rows = []
    for n in range(count):
        kind = n % 10
        day = n * 200 / count
        answer = sentence(100 + kind, 20) if day < change_at else sentence(900 + kind, 20)
        row = talk(n, f"{sentence(kind, 10)} please?", answer, opened_at=NOON + timedelta(days=day))
        row["turns"][1]["author_key"] = f"agent {n}"
        rows.append(row)
    return rows


def test_an_answer_that_changed_lowers_agreement_with_time_and_leads_to_retrieval(tmp_path: Path) -> None:
    rows = aged(600, 100)
    assessment = assessed(write_line(tmp_path / "line", rows))

    assert (found(assessment, "agreement").value or 0) > 0.9
    assert (found(assessment, "outdated_share").value or 0) > 0.1
    assert [f.key for f in assessment.judged.topics[0].ahead if f.measure == "outdated_share"] in ([], ["4.3"])


def test_agreement_is_measured_before_duplicates_were_dropped(tmp_path: Path) -> None:
    rows = aged(400, 999)  # everybody agrees, so dedupe would leave ten
    assessment = assessed(write_line(tmp_path / "line", rows[:10], raw=rows[10:]))

    assert found(assessment, "agreement").value == 1.0
    assert found(assessment, "agreement").n == found(assessment, "agreement_pairs").value


def test_without_times_agreement_is_known_and_its_fall_is_not(tmp_path: Path) -> None:
    rows = [{**row, "opened_at": None} for row in aged(400, 999)]
    assessment = assessed(write_line(tmp_path / "line", rows[:10], raw=rows[10:]))

    assert found(assessment, "agreement").value == 1.0
    assert found(assessment, "outdated_share").unknown == "too few pairs are dated"


def exchange(question: str, answer: str) -> tuple[str, str, str]:
    masked = mask(pl.Series([answer]))[0]
    return masked, answer, question


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        (
            ("How much?", "The plan costs 10 dollars a month for you"),
            ("How much?", "The plan costs 12 dollars a month for you"),
            False,
        ),
        (("How much?", "The plan costs 10 dollars a month"), ("How much is it?", "The plan costs 10 dollars each month"), True),
        (("Where is 4711?", "Order 4711 left today"), ("Where is 4712?", "Order 4712 left today"), True),  # the customer's own
        (("How?", "Open the settings and press reset"), ("How?", "You must call us for that"), False),
    ],
)
def test_answers_agree_in_their_words_and_in_values_the_customer_did_not_bring(
    one: tuple[str, str], other: tuple[str, str], same: bool
) -> None:
    first, second = exchange(*one), exchange(*other)
    assert (has_same_words(first[0], second[0], 0.6) and has_same_values(first, second) is not False) is same


def test_what_one_agent_repeats_is_no_agreement(tmp_path: Path) -> None:
    rows = aged(400, 999)
    for row in rows:
        row["turns"][1]["author_key"] = "ann"
    assert found(assessed(write_line(tmp_path / "line", rows)), "agreement_pairs").value == 0


def test_differing_words_alone_are_no_reason_to_repair_but_differing_values_are() -> None:
    assert verdict_of(agreement=0.3, value_agreement=None).verdict == "pilot-first"
    assert verdict_of(agreement=0.3, value_agreement=0.3).verdict == "collect-or-repair"


def test_token_f1_is_of_bags_of_words() -> None:
    assert token_f1(["a", "b"], ["a", "c"]) == 0.5
    assert token_f1(["a", "a"], ["a"]) == pytest.approx(2 / 3)
    assert token_f1([], []) == 1


@pytest.mark.parametrize(
    ("answer", "before", "stated"),
    [
        ("Your balance is $5,225.10.", "what is my balance", {"5225.1"}),
        ("Your balance is 5225.10 dollars", "is it $5,225.10?", set()),
        ("Order AB-4711 is late.", "where is ab-4711", set()),
        ("Order AB-4712 is late.", "where is ab-4711", {"ab-4712"}),
        ("It ships on March 3rd", "when?", {"march 3rd"}),
        ("See https://help.example.com/x.", "how?", {"https://help.example.com/x"}),
        ("Use version 2.4.1", "which?", {"2.4.1"}),
        ("1. Open it.\n2. Close it.\n10. Done", "how?", set()),
        ("We have 3 plans", "how many?", set()),
        ("At 9:30 am", "when?", {"9:30 am"}),
    ],
)
def test_a_specific_is_grounded_when_an_earlier_turn_holds_it(answer: str, before: str, stated: set[str]) -> None:
    assert ungrounded_in(answer, before) == stated


def test_a_grounded_number_swapped_for_another_is_flagged(tmp_path: Path) -> None:
    good = [talk(n, f"Where is order {n}4711 please?", f"Order {n}4711 left the house.") for n in range(10)]
    bad = [talk(n, f"Where is order {n}4711 please?", f"Order {n}9999 left the house.") for n in range(10, 14)]
    rows = [*good, *bad]
    assessment = assessed(write_line(tmp_path / "line", rows))

    assert found(assessment, "ungrounded_share").value == pytest.approx(4 / 14)
    assert found(assessment, "ungrounded_share").records == tuple(sorted(row["conversation_id"] for row in bad))


TOPICS = (("orders", range(10, 14)), ("refunds", range(20, 26)))


def test_each_topic_names_the_conversations_with_ungrounded_answers_that_are_its_own(tmp_path: Path) -> None:
    rows = {
        name: [talk(n, "Where is it?", f"Order {n}9999 left. It was {n}8888.", topic=name) for n in ns] for name, ns in TOPICS
    }
    good = [talk(n, "Where is it?", "It left the house.", topic="orders") for n in range(50, 55)]
    assessment = assessed(write_line(tmp_path / "line", [*good, *rows["orders"], *rows["refunds"]]))
    named = {name: found(assessment, "ungrounded_share", name).records for name in rows}

    assert named == {name: tuple(sorted(row["conversation_id"] for row in bad)) for name, bad in rows.items()}
    assert found(assessment, "ungrounded_share").records == tuple(sorted(one for ids in named.values() for one in ids))


def test_what_a_tool_said_before_grounds_an_answer_and_what_the_system_prompt_says_too(tmp_path: Path) -> None:
    row = talk(1, "What is my balance?", "It is 5225 dollars, call 4400 for more.")
    with_tool = {**row, "turns": [row["turns"][0], turn("tool", "balance=5225", 5), row["turns"][1]]}
    line = write_line(tmp_path / "line", [with_tool])

    assert found(assessed(line), "ungrounded_share").value == 1.0
    assert found(assessed(line, system_prompt="Our line is 4400."), "ungrounded_share").value == 0.0


def test_a_surrogate_the_model_could_not_have_seen_is_counted_apart(tmp_path: Path) -> None:
    rows = [talk(1, "Who helps me?", "Ask Amir Haddad tomorrow"), talk(2, "I am Amir Haddad", "Hello Amir Haddad")]
    findings = [
        {"conversation_id": rows[0]["conversation_id"], "turn_id": "t1", "new_start": 4, "new_end": 15},
        {"conversation_id": rows[1]["conversation_id"], "turn_id": "t0", "new_start": 5, "new_end": 16},
        {"conversation_id": rows[1]["conversation_id"], "turn_id": "t1", "new_start": 6, "new_end": 17},
    ]
    assessment = assessed(write_line(tmp_path / "line", rows, findings=findings))

    assert found(assessment, "unseen_placeholder_share").value == 0.5


@pytest.mark.parametrize("text", ["It is $5 now", "until 2026-03-01", "am 3.4.2026", "das kostet 5 €", "cuesta 10 euros"])
def test_prices_and_dates_age_in_any_language(text: str) -> None:
    assert pl.Series([text, "We will help you with that"]).str.contains(VOLATILE).to_list() == [True, False]


def test_specifics_are_the_same_in_other_writings() -> None:
    assert specifics_in("$1,200.00") == specifics_in("1200 dollars") == {"1200"}


def kinds(count: int, shares: list[float], seed: int = 1) -> list[dict[str, Any]]:
    """Conversations of some topics, each with words of its own; opened one after the other."""
    drawn = np.random.default_rng(seed).choice(len(shares), count, p=shares)
    order = np.random.default_rng(seed + 1)
    rows = []
    for n, kind in enumerate(drawn.tolist()):
        words = [f"{word}{chr(97 + kind)}" for word in sentence(kind, 8).split()]
        order.shuffle(words)
        rows.append(talk(n, " ".join(words), sentence(n), topic=f"topic {kind}", opened_at=NOON + timedelta(hours=n)))
    return rows


def test_hiding_a_topic_from_training_lowers_coverage_by_its_share_of_traffic(tmp_path: Path) -> None:
    rows = kinds(1000, [0.3, 0.2, 0.5])
    hidden = [row for row in rows if row["topics"] == ["topic 1"]]
    shown = [row for row in rows if row["topics"] != ["topic 1"]]
    whole = assessed(write_line(tmp_path / "a", rows))
    without = assessed(write_line(tmp_path / "b", shown, raw=hidden))
    later = [row for row in rows[800:] if row["topics"] == ["topic 1"]]

    assert found(whole, "coverage").value == 1.0
    assert found(without, "coverage").value == pytest.approx(1 - len(later) / 200, abs=0.02)
    assert found(without, "coverage", "topic 1").value == 0.0
    assert without.tables["uncovered"].row(0)[:3] == ("topic 1", len(later), len(later))


def test_coverage_of_more_training_is_never_less(tmp_path: Path) -> None:
    curve = assessed(write_line(tmp_path / "line", kinds(600, [0.05] * 20))).tables["coverage"]

    assert curve["coverage"].is_sorted()


def test_unanswered_later_questions_are_traffic_too(tmp_path: Path) -> None:
    rows = kinds(500, [0.5, 0.5])
    unanswered = [{**talk(9000 + n, sentence(7000 + n, 9)), "opened_at": NOON + timedelta(days=300, hours=n)} for n in range(100)]
    for row in unanswered:
        row["turns"] = row["turns"][:1]

    assert (found(assessed(write_line(tmp_path / "line", rows, raw=unanswered)), "coverage").value or 0) < 0.3


def test_good_turing_is_one_less_the_share_seen_once() -> None:
    assert good_turing(pl.Series([5, 3, 2])) == 1.0
    assert good_turing(pl.Series([8, 1, 1])) == pytest.approx(1 - 2 / 10 * (9 * 1 / (9 * 1 + 2)))
    assert good_turing(pl.Series([], dtype=pl.Int64)) == 0.0


def test_threshold_clusters_tie_what_is_alike() -> None:
    labels = threshold_clusters(pl.Series(["late order here", "my late order", "forgot password", "password forgot"]), 0.4)

    assert labels.n_unique() == 2
