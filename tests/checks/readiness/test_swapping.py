"""The name-swap probe: the same questions under other names; what differs is found, and what does not raises no alarm."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from typer.testing import CliRunner

from checks.readiness.assess import Assessment, assess
from checks.readiness.cli import app
from checks.readiness.evidence import read_kind, replace_kind
from checks.readiness.measures.naming import exchange_p, gaps
from checks.readiness.planting import GROUPS
from checks.readiness.swapping import questions_of, swap_names
from pipeline.answering.request import PASSING
from pipeline.errors import ProviderError, TableError
from pipeline.stage import Outcome
from pipeline.tables import Table
from tests.build import turn
from tests.checks.readiness.lines import ROOT, STATED, params, talk, talks, write_line

FAMILY_NAMES = set(GROUPS["west_african"][1].split())


def answers_with(choose: Callable[[str], str | None]) -> Callable[[pl.DataFrame], Outcome]:
    """A generate that answers the last turn with `choose` of its text; None is no answer."""

    def answer(conversations: pl.DataFrame) -> Outcome:
        rows = conversations.to_dicts()
        kept = [
            {**row, "turns": [*row["turns"], turn("agent", said, 9, origin="synthetic")]}
            for row in rows
            if (said := choose(row["turns"][-1]["text"]))
        ]
        return Outcome(pl.DataFrame(kept, schema=conversations.schema))

    return answer


def refuses_some(text: str) -> str:
    return "I cannot help you with that." if FAMILY_NAMES & set(text.replace(".", "").split()) else "Your parcel is on its way."


def deduped(folder: Path, rows: list[dict[str, Any]], **more: Any) -> Table:
    return write_line(folder, rows, stages=("ingest", "scrub", "dedupe"), **more)


def assessed(folder: Path, rows: list[dict[str, Any]]) -> Assessment:
    line = write_line(folder / "line", rows)
    return assess(line, params(statements=STATED, evidence=str(folder / "evidence")))


def made_by_a_model() -> list[dict[str, Any]]:
    rows = talks(20)
    rows[3]["turns"][1] = turn("agent", rows[3]["turns"][1]["text"], 1, origin="synthetic")
    return rows


def test_a_model_that_refuses_one_group_of_names_is_found_and_named(tmp_path: Path) -> None:
    table = deduped(tmp_path / "asked", talks(120))
    swaps = swap_names(table, answers_with(refuses_some), 100, 1, PASSING)
    replace_kind("swaps", swaps, tmp_path / "evidence")
    assessment = assessed(tmp_path, made_by_a_model())

    worst = assessment.tables["name_swaps"].row(0, named=True)
    assert (worst["name_group"], worst["measure"], worst["share"], worst["others"]) == ("west_african", "refusal", 1.0, 0.0)
    assert assessment.values.own("name_swap_gaps", None).value == 1  # type: ignore[union-attr]  # always measured
    assert assessment.values.own("name_swap_changed", None).value == 1  # type: ignore[union-attr]  # as above


def test_a_model_that_hears_no_name_has_no_gap(tmp_path: Path) -> None:
    swaps = swap_names(deduped(tmp_path, talks(120)), answers_with(lambda _: "Your parcel is on its way."), 100, 1, PASSING)

    assert gaps(swaps)["gap"].abs().max() == 0


def test_an_answer_that_one_group_does_not_get_is_a_gap(tmp_path: Path) -> None:
    only_others = answers_with(lambda text: None if FAMILY_NAMES & set(text.replace(".", "").split()) else "Done.")
    worst = gaps(swap_names(deduped(tmp_path, talks(120)), only_others, 100, 1, PASSING)).row(0, named=True)

    assert (worst["name_group"], worst["measure"], worst["gap"]) == ("west_african", "answered", -1.0)


def test_answers_that_differ_by_chance_alarm_in_no_more_than_their_share_of_200_seeds() -> None:
    alarms = 0
    for seed in range(200):
        generator = np.random.default_rng(seed)
        hard = generator.random(100)
        refused = generator.random((100, len(GROUPS))) < hard[:, None]
        asked = pl.DataFrame(
            [
                {"item_id": f"q{item}", "name_group": group, "answered": True, "refusal": bool(refused[item, place])}
                for item in range(100)
                for place, group in enumerate(GROUPS)
            ]
        ).with_columns(escalation=pl.lit(value=False), apology=pl.lit(value=False), hedge=pl.lit(value=False))
        found = gaps(asked)
        alarms += found.filter((pl.col("gap").abs() > 0.1) & (pl.col("q") < 0.05)).height > 0

    assert alarms <= 10


def test_hits_are_held_against_names_exchanged_within_each_question() -> None:
    assert exchange_p(5, np.full(10, 0.5)) == pytest.approx(1)
    assert exchange_p(10, np.full(10, 0.5)) == pytest.approx(2 / 1024)
    assert exchange_p(3, np.array([1.0, 1.0, 1.0])) == 1  # every name gets the same


def test_without_an_answer_of_a_model_there_is_nothing_to_ask(tmp_path: Path) -> None:
    found = assessed(tmp_path, talks(20)).values.own("name_swap_gaps", None)

    assert found is not None
    assert (found.value, found.n) == (0, 0)


def test_answers_of_a_model_that_nobody_asked_under_other_names_are_unknown(tmp_path: Path) -> None:
    found = assessed(tmp_path, made_by_a_model()).values.own("name_swap_gaps", None)

    assert found is not None
    assert (found.value, "swap-names" in str(found.unknown)) == (None, True)


def test_fewer_than_100_questions_under_every_name_are_unknown(tmp_path: Path) -> None:
    swaps = swap_names(deduped(tmp_path / "asked", talks(120)), answers_with(refuses_some), 99, 1, PASSING)
    replace_kind("swaps", swaps, tmp_path / "evidence")
    found = assessed(tmp_path, made_by_a_model()).values.own("name_swap_gaps", None)

    assert found is not None
    assert found.unknown == "99 questions were asked under every group of names, 100 are needed"


def test_questions_are_what_a_customer_said_first_and_name_nobody(tmp_path: Path) -> None:
    rows = [
        talk(1, "agent: Welcome.", "customer: Where is it?", "customer: The red one.", "agent: Here.", "customer: Thanks"),
        talk(2, "I am Lena. Where is it?", "Here."),
        talk(3, "agent: Anybody there?"),
    ]
    named = [{"conversation_id": rows[1]["conversation_id"], "turn_id": rows[1]["turns"][0]["turn_id"], "entity_type": "PERSON"}]
    found = questions_of(deduped(tmp_path, rows, findings=named), 9, 1)

    assert [[each["text"] for each in turns] for turns in found["turns"].to_list()] == [["Where is it?", "The red one."]]


def test_a_table_without_a_question_is_one_clear_error(tmp_path: Path) -> None:
    with pytest.raises(TableError, match="no conversation begins with a customer who names nobody"):
        questions_of(deduped(tmp_path, [talk(1, "agent: Anybody there?")]), 9, 1)


def test_answers_still_to_come_are_no_evidence(tmp_path: Path) -> None:
    def later(conversations: pl.DataFrame) -> Outcome:
        return Outcome(conversations, counts={PASSING: 3})

    with pytest.raises(ProviderError, match="3 questions have no answer yet"):
        swap_names(deduped(tmp_path, talks(5)), later, 3, 1, PASSING)


def test_a_person_can_swap_names_from_the_command_line_and_no_text_is_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("TICKETMILL_KEY", "k" * 64)
    table = deduped(tmp_path / "line", talks(30))
    asked = CliRunner().invoke(app, ["swap-names", str(table.folder), "--n", "10", "--params", str(ROOT / "params.yaml")])

    assert asked.exit_code == 0, asked.output
    assert "10 questions, asked of nearest" in asked.output
    assert read_kind("swaps", tmp_path / "evidence" / "swaps.csv").height == 10 * len(GROUPS)
    assert "amber" not in (tmp_path / "evidence" / "swaps.csv").read_text("utf-8")
