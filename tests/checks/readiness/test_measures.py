"""Volume, conversation shape, style and splits, measured on whole lines of tables."""

from pathlib import Path
from typing import Any

import polars as pl
import pytest

from checks.readiness.assess import Assessment, assess
from checks.readiness.clusters import cluster, similar_pairs
from checks.readiness.masking import mask
from checks.readiness.measured import Measured
from pipeline.errors import ParamsError, TableError
from pipeline.tables import Table
from tests.build import turn
from tests.checks.readiness.lines import STATED, params, sentence, talk, talks, write_line, write_table


def assessed(table: Table, **settings: Any) -> Assessment:
    return assess(table, params(**{"statements": STATED, "evidence": "no-such-folder", **settings}))


def found(assessment: Assessment, measure: str, topic: str | None = None) -> Measured:
    one = assessment.values.own(measure, topic)
    assert one is not None, measure
    return one


def value(assessment: Assessment, measure: str, topic: str | None = None) -> float | None:
    return found(assessment, measure, topic).value


def test_ten_copies_of_every_row_are_no_more_effective_examples(tmp_path: Path) -> None:
    once = talks(30)
    copied = [{**row, "conversation_id": f"{row['conversation_id']}-{n}"} for row in once for n in range(10)]
    plain, copies = assessed(write_line(tmp_path / "a", once)), assessed(write_line(tmp_path / "b", copied))

    assert (value(plain, "effective_examples"), value(plain, "inflation")) == (30, 1)
    assert (value(copies, "effective_examples"), value(copies, "inflation")) == (30, 10)


def test_one_template_with_other_values_is_one_example(tmp_path: Path) -> None:
    rows = [
        talk(
            n,
            "I want to know the balance of my account please",
            f"Sure, your current balance today is {n * 37} dollars, thank you",
        )
        for n in range(40)
    ]

    assert value(assessed(write_line(tmp_path / "line", rows)), "effective_examples") == 1


def test_surrogates_of_scrub_are_values_too(tmp_path: Path) -> None:
    names = ["Ruth Brandt", "Amir Haddad", "Lena Okoro"]
    rows = [
        talk(n, "please change the name on my contract for me", f"Done, the name is now {name} as you wished")
        for n, name in enumerate(names)
    ]
    findings = [
        {"conversation_id": row["conversation_id"], "turn_id": "t1", "new_start": 22, "new_end": 22 + len(name)}
        for row, name in zip(rows, names, strict=True)
    ]

    assert value(assessed(write_line(tmp_path / "a", rows, findings=findings)), "effective_examples") == 1
    assert value(assessed(write_line(tmp_path / "b", rows)), "effective_examples") == 3


def test_the_floor_per_topic_counts_traffic_of_the_raw_logs(tmp_path: Path) -> None:
    full, thin = talks(60, "delivery"), talks(49, "refund", 1000)
    unanswered = talks(11, "refund", 5000)
    assessment = assessed(write_line(tmp_path / "line", [*full, *thin], raw=unanswered))

    assert value(assessment, "traffic_in_full_topics") == pytest.approx(60 / 120)
    assert value(assessment, "effective_examples", "refund") == 49


def test_a_topic_of_which_nothing_was_exported_has_no_example(tmp_path: Path) -> None:
    assessment = assessed(write_line(tmp_path / "line", talks(60), raw=talks(10, "fraud", 5000)))

    assert value(assessment, "effective_examples", "fraud") == 0


def test_flattening_to_single_turns_leaves_a_multi_turn_ratio_of_nothing(tmp_path: Path) -> None:
    long = [talk(n, "hello there", "how can I help", sentence(n), sentence(n + 9000)) for n in range(20)]
    line = write_line(tmp_path / "line", long)
    flat = [{**row, "turns": row["turns"][-2:]} for row in long]
    shortened = write_line(tmp_path / "flat", flat, stages=("validate", "emit"))
    assert value(assessed(line), "multi_turn_ratio") == 1

    # the same raw table, with the flattened ones behind it
    mixed = write_line(tmp_path / "mixed", long, stages=("ingest", "scrub", "dedupe", "generate"))
    validated = write_table(tmp_path / "mixed" / "validate", "validate", flat, [], mixed, [], None, 1)
    assert value(assessed(validated), "multi_turn_ratio") == 0
    assert value(assessed(shortened), "multi_turn_ratio") is None  # without a raw table it is unknown


def test_an_answer_needs_its_context_when_it_reuses_a_word_from_before_the_last_turn(tmp_path: Path) -> None:
    needing = talk(1, "My kettle is broken", "Which colour?", "red", "We send a new kettle tomorrow")
    free = talk(2, "My kettle is broken", "Which colour?", "red", "We send one tomorrow")
    assessment = assessed(write_line(tmp_path / "line", [needing, free]))

    assert (value(assessment, "context_dependence"), found(assessment, "context_dependence").n) == (0.5, 2)


@pytest.mark.parametrize(
    "broken",
    [
        ["customer: Where?"],
        ["agent: Hello.", "customer: Where?", "agent: There."],
        ["customer: a", "customer: b", "agent: c"],
        ["customer: a", "agent:  "],
    ],
)
def test_an_exported_conversation_that_is_no_chat_is_counted_and_named(tmp_path: Path, broken: list[str]) -> None:
    bad = talk(99, *broken)
    assessment = assessed(write_line(tmp_path / "line", [*talks(5), bad]))

    assert found(assessment, "invalid_examples").records == (bad["conversation_id"],)
    assert assessment.judged.topics[0].row <= 3


def test_three_violations_in_a_hundred_answers_are_three_percent(tmp_path: Path) -> None:
    rows = [
        talk(n, f"Where is {sentence(n)}?", f"{'Thanks' if n < 3 else 'Dear customer'}, {sentence(n + 99)}.") for n in range(100)
    ]
    assessment = assessed(write_line(tmp_path / "line", rows), style={"opening": "Dear customer"})
    one = found(assessment, "format_conformity")

    assert one.value == pytest.approx(0.97)
    assert one.low is not None
    assert one.high is not None
    assert one.low < 0.97 < one.high
    assert len(one.records) == 3


@pytest.mark.parametrize(
    ("style", "conformity"),
    [
        ({"pattern": "It is"}, 1.0),
        ({"max_characters": 3}, 0.0),
        ({"min_characters": 3}, 1.0),
        ({"closing": r"\."}, 1.0),
        ({"languages": ["de"]}, 0.0),
        ({"json_schema": {"type": "object"}}, 0.0),
    ],
)
def test_every_rule_of_a_style_is_looked_at(tmp_path: Path, style: dict[str, Any], conformity: float) -> None:
    assert value(assessed(write_line(tmp_path / "line", talks(4)), style=style), "format_conformity") == conformity


def test_a_pattern_that_is_none_is_one_clear_error(tmp_path: Path) -> None:
    line = write_line(tmp_path / "line", talks(4))

    with pytest.raises(ParamsError, match=r"readiness\.style: a pattern is not a regular expression of the Rust kind"):
        assessed(line, style={"pattern": "("})


def test_planted_copies_and_shared_customers_between_splits_are_counted(tmp_path: Path) -> None:
    rows = talks(50)
    copies = [{**talk(900 + n), "turns": rows[n]["turns"], "customer_key": f"new-{n}"} for n in range(4)]
    same_customer = {**talk(990), "customer_key": rows[0]["customer_key"]}
    clean = [talk(2000 + n) for n in range(15)]
    held_out = [*copies, same_customer, *clean]
    splits = {row["conversation_id"]: "test" for row in held_out}
    assessment = assessed(write_line(tmp_path / "line", [*rows, *held_out], splits=splits))

    assert value(assessment, "near_copies") == pytest.approx(4 / 20)
    assert found(assessment, "shared_between_splits").records == (same_customer["conversation_id"],)


def test_without_a_held_out_split_leakage_is_unknown(tmp_path: Path) -> None:
    rows = talks(5)
    line = write_line(tmp_path / "line", rows, splits={row["conversation_id"]: "train" for row in rows})

    assert found(assessed(line), "near_copies").unknown == "no training split beside a held-out one; run emit with both"


def test_row_order_parts_and_language_names_change_no_number(tmp_path: Path) -> None:
    rows = [
        *talks(80),
        *talks(40, "refund", 900),
        *[{**row, "conversation_id": f"{row['conversation_id']}-again"} for row in talks(9)],
    ]
    one = assessed(write_line(tmp_path / "one", rows)).metrics()

    assert assessed(write_line(tmp_path / "two", rows[::-1], parts=3)).metrics() == one
    merged = assessed(write_line(tmp_path / "three", [{**row, "language": "en-GB"} for row in rows])).metrics()
    by_lexicon = {"boundary_share", "boundary_examples", "refusal_share"}  # which reads English only, and says so
    assert {name: value for name, value in merged.items() if name not in by_lexicon} == {
        name: value for name, value in one.items() if name not in by_lexicon
    }


def test_other_ids_change_no_number(tmp_path: Path) -> None:
    rows = [*talks(60), *[{**row, "conversation_id": f"{row['conversation_id']}-again"} for row in talks(9)]]
    splits = {row["conversation_id"]: "test" if n % 5 == 0 else "train" for n, row in enumerate(rows)}
    renamed = [{**row, "conversation_id": f"other-{n * 7919 % 1009:04d}"} for n, row in enumerate(rows)]
    others = {new["conversation_id"]: splits[old["conversation_id"]] for old, new in zip(rows, renamed, strict=True)}

    before = assessed(write_line(tmp_path / "one", rows, splits=splits)).metrics()
    assert assessed(write_line(tmp_path / "two", renamed, splits=others)).metrics() == before


def test_a_line_without_a_validated_table_is_one_clear_error(tmp_path: Path) -> None:
    line = write_line(tmp_path / "line", talks(3), stages=("ingest", "scrub"))

    with pytest.raises(TableError, match="readiness reads a table of validate or emit; run the line that far"):
        assessed(line)


def test_of_more_conversations_than_agreed_a_sample_is_looked_at_and_said_so(tmp_path: Path) -> None:
    assessment = assessed(write_line(tmp_path / "line", talks(150)), samples={"max_conversations": 100})

    assert (assessment.exported, assessment.looked_at) == (150, 100)


def test_a_line_without_a_conversation_is_assessed_too(tmp_path: Path) -> None:
    assessment = assessed(write_line(tmp_path / "line", []))

    assert assessment.verdict.startswith("do-not-fine-tune")


def test_tool_turns_are_no_answers(tmp_path: Path) -> None:
    row = talk(1, "Where is it?", "It left today.")
    row["turns"].insert(1, turn("tool", "status=left", 5))
    assessment = assessed(write_line(tmp_path / "line", [row]))

    assert value(assessment, "invalid_examples") == 0


def test_a_crowd_of_equals_is_one_cluster_and_costs_no_all_pairs_step() -> None:
    texts = pl.Series([sentence(n // 1000) for n in range(20_000)])

    assert cluster(texts, 0.8, 5, 1).n_unique() == 20
    assert similar_pairs(texts, 0.6, 2, 1, 3).height < 20_000 * 4


def test_what_is_masked_is_the_value_and_not_the_sentence() -> None:
    assert mask(pl.Series(["Pay 12.50 by 3/4 to bo@example.com"])).to_list() == ["Pay <NUMBER> by <NUMBER> to <EMAIL>"]
