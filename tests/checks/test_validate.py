"""The gate after validate: a table as the rules leave it passes, and each fault put into one is seen."""

import json
from pathlib import Path
from typing import Any

import pytest

from checks.parts import remembering
from checks.validate import Bounds, expectations, measure
from pipeline.schema import DROPPED, GENERATED, VALIDATED
from pipeline.stage import Outcome
from pipeline.tables import Table, new_table
from tests.build import conversation, conversations, turn

BOUNDS = Bounds(
    min_kept=1,
    min_kept_share=0.3,
    max_dropped_share={"no_answer": 0.2},
    max_cut_share=0.3,
    min_characters_per_token=0.5,
    max_characters_per_token=8,
)

SOUND = conversation(1, "Where is my order, please?", "It left today and comes tomorrow.")


def table_of(folder: Path, *rows: dict[str, Any], dropped: str | None = None, tokens: int | None = 20) -> Table:
    before = conversations([{**row, "cluster_id": "x"} for row in (*rows, conversation(99, "Hi"))], GENERATED)
    with new_table(folder / "generated", "generate", "x", given=None) as writer:
        given = writer.publish([writer.write("part-00000", {"a": "a"}, Outcome(before))])
    kept = conversations(
        [{**row, "cluster_id": "x", "tokens": tokens, "synthetic": False, "edits": [], "flags": []} for row in rows], VALIDATED
    )
    outcome = Outcome(kept)
    if dropped:
        outcome = Outcome(kept, conversations([{"conversation_id": "c9", "reason": dropped, "detail": "t0"}], DROPPED))
    with new_table(folder / "validated", "validate", "x", given=Table(folder / "generated")) as writer:
        writer.publish([writer.write("part-00000", {"part-00000": given.parts[0].files["kept"]}, outcome)])
    return Table(folder / "validated")


def broken(table: Table) -> set[str]:
    row = measure(table, BOUNDS).row(0, named=True)
    limits = expectations(BOUNDS)
    return {
        limit.measure
        for limit in limits
        if row[limit.measure] is None
        or (limit.least is not None and row[limit.measure] < limit.least)
        or (limit.most is not None and row[limit.measure] > limit.most)
    }


def test_a_sound_table_breaks_nothing(tmp_path: Path) -> None:
    assert broken(table_of(tmp_path, SOUND)) == set()


@pytest.mark.parametrize(
    ("fault", "texts"),
    [
        ("not_alternating", ("Hi", "customer: again", "Hello.")),
        ("with_misplaced_look_up", ("Hi", "agent: Hello.", "tool: late")),
        ("with_misplaced_look_up", ("tool: late", "customer: Hi", "agent: Hello.")),
        ("not_alternating", ("Hi",)),
        ("not_alternating", ()),
        ("not_alternating", ("agent: Hi", "customer: Hello")),
        ("with_empty_turn", ("Hi", " \n")),
        ("with_placeholder", ("Hi", "Dear {{name}}, hello")),
        ("with_address", ("I am ann@acme.io", "Hello.")),
    ],
)
def test_a_kept_conversation_that_breaks_a_rule_stops_the_line(tmp_path: Path, fault: str, texts: tuple[str, ...]) -> None:
    assert fault in broken(table_of(tmp_path, SOUND, conversation(2, *texts)))


def test_addresses_of_example_domains_are_surrogates(tmp_path: Path) -> None:
    texts = ("I am ann@example.com and bob@mail.example.org", "Hello to both of you.")

    assert broken(table_of(tmp_path, conversation(2, *texts))) == set()


def test_too_few_kept_or_too_many_dropped_for_one_reason_stop_the_line(tmp_path: Path) -> None:
    assert broken(table_of(tmp_path, SOUND, dropped="no_answer")) == {"dropped_no_answer_share"}


def test_a_reason_that_nobody_bounded_stops_the_line(tmp_path: Path) -> None:
    assert broken(table_of(tmp_path, SOUND, dropped="new_reason")) == {"reasons_without_bound"}


def test_a_table_without_conversations_is_not_measured_and_so_not_passed(tmp_path: Path) -> None:
    assert "kept" in broken(table_of(tmp_path))


@pytest.mark.parametrize("tokens", [None, 0, 1, 1000])
def test_counts_of_tokens_that_cannot_be_stop_the_line(tmp_path: Path, tokens: int | None) -> None:
    assert broken(table_of(tmp_path, SOUND, tokens=tokens)) & {"without_tokens", "characters_per_token"}


def test_edits_that_ate_the_text_stop_the_line(tmp_path: Path) -> None:
    given = table_of(tmp_path, SOUND).previous()
    assert given
    turns = [turn("customer", "Where?", 0), turn("agent", "x", 1)]
    shrunk = conversations(
        [{**SOUND, "turns": turns, "cluster_id": "x", "tokens": 10, "synthetic": False, "edits": [], "flags": []}], VALIDATED
    )
    for label, cut in ((given.manifest.parts[0].files["kept"], 1 - 7 / 59), ("another", None)):
        with new_table(tmp_path / "shrunk", "validate", "x", given=given) as writer:
            writer.publish([writer.write("part-00000", {"part-00000": label}, Outcome(shrunk))])

        assert broken(Table(tmp_path / "shrunk")) == {"cut_share"}
        assert measure(Table(tmp_path / "shrunk"), BOUNDS)["cut_share"].item() == (cut and pytest.approx(cut))


def test_a_part_is_measured_once_for_all_nights(tmp_path: Path) -> None:
    table = table_of(tmp_path, SOUND, conversation(2, "Hi", "customer: again", "Hello."))

    nights = [measure(table, BOUNDS, remembering(tmp_path / "m")) for _ in range(2)]

    assert nights[0].equals(nights[1])
    assert nights[0].equals(measure(table, BOUNDS))
    (known,) = json.loads((tmp_path / "m").read_text()).values()
    assert (known["kept"], known["not_alternating"]) == (2, 1)
