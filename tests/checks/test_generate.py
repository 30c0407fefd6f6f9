"""The gate after generate: each measure sees what it is there for, and sees it in the turns, not in what the stage says."""

import json
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from checks.generate import Bounds, expectations, measure
from checks.parts import remembering
from pipeline.generate import run
from pipeline.params import load_section
from pipeline.schema import ASKED, empty
from pipeline.stage import Outcome
from pipeline.tables import Table, new_table
from tests.build import MEANS, conversation, turn
from tests.pipeline.generate_tables import SHIPPED, deduped, params

BOUNDS = load_section(Bounds, "gates.generate", [SHIPPED])

QUESTION = conversation(2, "Where is the blue parcel I ordered?")
ANSWERED = conversation(1, "Is there a lift?", "Yes, beside the stairs.")


def measured(table: Table) -> dict[str, Any]:
    return measure(table, BOUNDS).row(0, named=True)


def with_answer(folder: Path, text: str, fate: str = "answered", **more: Any) -> Table:
    """A generated table in which QUESTION got this answer."""
    source = Table(deduped(folder, [ANSWERED, QUESTION]))
    given = source.scan().collect()
    turns = [*QUESTION["turns"], turn("agent", text, 9, origin="synthetic", **more)]
    changed = pl.DataFrame(
        {"conversation_id": [QUESTION["conversation_id"]], "new": [turns]},
        schema={"conversation_id": pl.String, "new": given.schema["turns"]},
    )
    kept = given.join(changed, on="conversation_id", how="left").with_columns(turns=pl.coalesce("new", "turns")).drop("new")
    asked = pl.DataFrame([(QUESTION["conversation_id"], "t0", fate, None, None)], schema=ASKED, orient="row")
    with new_table(folder / "generated", "generate", "f", source) as writer:
        part = source.manifest.parts[0]
        writer.publish([writer.write(part.name, {part.name: part.files["kept"]}, Outcome(kept, beside={"asked": asked}))])
    return Table(folder / "generated")


def made_up(folder: Path) -> Table:
    """A generated table of two conversations, two of them again in other words, and a message to turn away."""
    rows = [conversation(number, f"Is there a lift in house {'ab'[number]}?", "Yes.", topics=["lifts"]) for number in range(2)]
    settings = {"paraphrases__max_share": 1, "boundaries__max_share": 0.5}
    run(deduped(folder, rows), folder / "generated", params(folder, provider="fake", **settings), MEANS)
    return Table(folder / "generated")


def unasked(source: Table, target: Path) -> Table:
    """A generated table that passed every conversation on and asked nothing."""
    with new_table(target, "generate", "f", source) as writer:
        (part,) = source.manifest.parts
        outcome = Outcome(source.read(part), beside={"asked": empty(ASKED)})
        writer.publish([writer.write(part.name, {part.name: part.files["kept"]}, outcome)])
    return Table(target)


def test_a_run_of_the_stage_is_balanced_and_its_shares_are_counted(tmp_path: Path) -> None:
    other = conversation(3, "Where is the red parcel that I ordered in May?")
    run(deduped(tmp_path, [ANSWERED, QUESTION], [other]), tmp_path / "generated", params(tmp_path, provider="fake"), MEANS)

    values = measured(Table(tmp_path / "generated"))

    assert values == {
        "asked": 2,
        "synthetic": 2,
        "synthetic_share": pytest.approx(2 / 3),
        "topic_synthetic_share": 0,
        "paraphrase_share": 0,
        "boundary_share": 0,
        "gap_share": 0,
        "provider_error_share": 0,
        "unanswered_share": 0,
        "echo_share": 0,
        "placeholders": 0,
        "identifiers": 0,
        "unbalanced": 0,
    }


def test_what_was_made_up_is_counted_by_kind_and_balances_where_it_is_said_to_be(tmp_path: Path) -> None:
    made_up(tmp_path)

    values = measured(Table(tmp_path / "generated"))

    assert (values["paraphrase_share"], values["boundary_share"]) == (pytest.approx(2 / 5), pytest.approx(1 / 5))
    assert (values["asked"], values["synthetic_share"], values["unbalanced"]) == (0, 0, 0)


def test_turns_that_do_not_say_that_they_were_made_up_are_unbalanced(tmp_path: Path) -> None:
    table = made_up(tmp_path)
    *parts, last = table.manifest.parts
    as_people = pl.col("turns").list.eval(pl.element().struct.with_fields(origin=pl.lit("human")))
    hidden = Outcome(
        table.read(last).with_columns(turns=as_people),
        beside={name: table.read(last, name) for name in ("asked", "rejected")},
        added=table.read(last, "added"),
    )
    with new_table(tmp_path / "hidden", "generate", "f", table.previous()) as writer:
        same = [
            writer.write(part.name, part.inputs, Outcome(table.read(part), beside={"asked": table.read(part, "asked")}))
            for part in parts
        ]
        writer.publish([*same, writer.write(last.name, last.inputs, hidden)])

    assert measured(Table(tmp_path / "hidden"))["unbalanced"] == 3


def test_dropped_questions_are_gaps(tmp_path: Path) -> None:
    run(deduped(tmp_path, [ANSWERED, QUESTION]), tmp_path / "generated", params(tmp_path), MEANS)

    values = measured(Table(tmp_path / "generated"))

    assert (values["asked"], values["gap_share"], values["unbalanced"]) == (1, 1, 0)


@pytest.mark.parametrize(
    ("text", "measure_name", "value"),
    [
        ("Where is the blue parcel?", "echo_share", 1),
        ("The blue parcel is at the depot.", "echo_share", 0),
        ("Dear {{name}}, it is at the depot.", "placeholders", 1),
        ("Write to ann@acme.io about it.", "identifiers", 1),
        ("Write to ann@example.com about it.", "identifiers", 0),
    ],
)
def test_a_bad_answer_is_counted(tmp_path: Path, text: str, measure_name: str, value: float) -> None:
    assert measured(with_answer(tmp_path, text))[measure_name] == value


def test_a_turn_added_without_being_asked_for_or_a_question_left_without_fate_is_unbalanced(tmp_path: Path) -> None:
    for fate in ("left_open", "dropped"):
        (tmp_path / fate).mkdir()
        assert measured(with_answer(tmp_path / fate, "At the depot.", fate))["unbalanced"] == 1


def test_a_look_up_is_nobodys_last_word(tmp_path: Path) -> None:
    looked_up = conversation(5, "Where is the green parcel of mine?", "tool: status=sent")
    source = deduped(tmp_path, [ANSWERED, looked_up])
    run(source, tmp_path / "asked", params(tmp_path, provider="fake"), MEANS)
    nobody_asked = unasked(Table(source), tmp_path / "unasked")

    values = measured(Table(tmp_path / "asked"))
    assert (values["asked"], values["synthetic"], values["unbalanced"]) == (1, 1, 0)
    assert Table(tmp_path / "asked").scan("asked").collect()["turn_id"].to_list() == ["t0"]
    assert measured(nobody_asked)["unbalanced"] == 1


def test_a_part_is_measured_once_for_all_nights(tmp_path: Path) -> None:
    run(deduped(tmp_path, [ANSWERED, QUESTION]), tmp_path / "generated", params(tmp_path, provider="fake"), MEANS)
    table = Table(tmp_path / "generated")

    nights = [measure(table, BOUNDS, remembering(tmp_path / "m")) for _ in range(2)]

    assert nights[0].equals(nights[1])
    assert nights[0].equals(measure(table, BOUNDS))
    (known,) = json.loads((tmp_path / "m").read_text()).values()
    assert (known["asked"], known["unbalanced"]) == (1, 0)


def test_a_part_that_came_from_nowhere_leaves_the_balance_unknown_and_the_gate_says_no(tmp_path: Path) -> None:
    source = Table(deduped(tmp_path, [ANSWERED], [QUESTION]))
    for label in ("another", source.manifest.parts[0].files["kept"]):
        with new_table(tmp_path / "generated", "generate", "f", source) as writer:
            kept = source.read(source.manifest.parts[0])
            writer.publish([writer.write("part-00000", {"given": label}, Outcome(kept, beside={"asked": empty(ASKED)}))])

        assert measured(Table(tmp_path / "generated"))["unbalanced"] is None


def test_a_table_without_parts_is_measured(tmp_path: Path) -> None:
    run(deduped(tmp_path), tmp_path / "generated", params(tmp_path), MEANS)

    assert measured(Table(tmp_path / "generated"))["unbalanced"] == 0


def test_every_bound_limits_a_measure_that_is_taken(tmp_path: Path) -> None:
    limits = expectations(BOUNDS)

    assert len(limits) == len(set(Bounds.model_fields) - {"min_topic_conversations"})
    assert {limit.measure for limit in limits} <= set(measured(with_answer(tmp_path, "At the depot.")))


def test_the_share_of_synthetic_answers_is_taken_topic_by_topic_where_there_are_enough(tmp_path: Path) -> None:
    answered = [conversation(number, f"Is the shop {number} open?", "Yes, until six.", topics=["hours"]) for number in range(3)]
    asked = [conversation(number, f"Where is parcel {number} of mine?", topics=["parcels", "hours"]) for number in range(7, 9)]
    run(deduped(tmp_path, answered, asked), tmp_path / "generated", params(tmp_path, provider="fake"), MEANS)
    table = Table(tmp_path / "generated")

    def share(fewest: int) -> Any:
        return measure(table, BOUNDS.model_copy(update={"min_topic_conversations": fewest}))["topic_synthetic_share"].item()

    assert (share(2), share(3), share(6)) == (1.0, pytest.approx(2 / 5), 0.0)
