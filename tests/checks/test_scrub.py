"""The gate after scrub sees what the stage missed, by evidence of its own."""

from pathlib import Path
from typing import Any

import polars as pl
import pytest

from checks.readiness.planting import by_slot
from checks.scrub import Bounds, expectations, measure, residual
from pipeline.params import load_section
from pipeline.schema import FINDINGS, SCRUBBED, empty
from pipeline.scrub import run
from pipeline.stage import Outcome
from pipeline.tables import Table, new_table
from tests.build import MEANS
from tests.pipeline.scrubbing import PATTERNS, ROOT, ingested, ingested_table, person, talk
from tests.pipeline.scrubbing import SHIPPED as SHIPPED_STAGE

SHIPPED = load_section(Bounds, "gates.scrub", [ROOT / "params.yaml"])

CRYSTAL = [
    person("Crystal Minh"),
    person("85731890", "ACCOUNT_NUMBER"),
    person("+1 (212) 867-5309", "PHONE_NUMBER"),
    person("crystal.minh@harbour-mail.example", "EMAIL_ADDRESS"),
    person("Mark Will", role="agent"),
]


def unscrubbed(folder: Path, *rows: dict[str, Any], kept: int | None = None) -> Table:
    """A table that claims to be scrubbed, with the texts as they came in."""
    before = ingested_table(folder / "ingested", [ingested(*rows)])
    (part,) = before.manifest.parts
    with new_table(folder / "scrubbed", "scrub", "test", given=before) as writer:
        frame = before.read(part).select(list(SCRUBBED)).head(len(rows) if kept is None else kept)
        outcome = Outcome(kept=frame, beside={"findings": empty(FINDINGS)})
        writer.publish([writer.write(part.name, {part.name: part.files["kept"]}, outcome)])
    return Table(folder / "scrubbed")


def measured(table: Table, **bounds: Any) -> dict[str, float | None]:
    return measure(table, SHIPPED.model_copy(update=bounds)).row(0, named=True)


@pytest.mark.parametrize(
    ("text", "hits"),
    [
        ("hello", 0),
        ("i am crystal", 1),
        ("MINH, Crystal", 1),
        ("crystalline", 0),
        ("it is 8573 1890", 1),
        ("it is 985731890", 0),
        ("+1 212.867.5309", 1),
        ("write to crystal.minh@harbour-mail.example", 2),
        ("i will mark it", 0),
        ("Mark said so", 1),
    ],
)
def test_a_known_value_that_still_stands_is_counted(text: str, hits: int, tmp_path: Path) -> None:
    result = measured(unscrubbed(tmp_path, talk(text, participants=CRYSTAL)))
    assert (result["known_value_hits"], result["known_values"]) == (hits, 5)


def test_a_known_value_counts_in_columns_too(tmp_path: Path) -> None:
    assert measured(unscrubbed(tmp_path, talk("hi", participants=CRYSTAL, topics=["crystal's boat"])))["known_value_hits"] == 1


@pytest.mark.parametrize("column", ["language", "channel", "product", "source_file"])
def test_a_known_value_counts_in_every_column_of_words(column: str, tmp_path: Path) -> None:
    row = talk("hi", participants=CRYSTAL, **{column: "crystal"})
    assert measured(unscrubbed(tmp_path, row))["known_value_hits"] == 1


@pytest.mark.parametrize(("file", "hits"), [("a.zip!/support.mbox.gz", 0), ("mbox.txt", 1), ("chat of mbox", 1)])
def test_the_ending_of_a_file_is_nobody_though_somebody_is_called_so(file: str, hits: int, tmp_path: Path) -> None:
    row = talk("hi", participants=[person("mbox", "USER_NAME")], source_file=file)
    assert measured(unscrubbed(tmp_path, row))["known_value_hits"] == hits


def test_values_of_types_that_may_stay_are_not_looked_for(tmp_path: Path) -> None:
    result = measured(unscrubbed(tmp_path, talk("crystal", participants=CRYSTAL)), not_swept=["PERSON"])
    assert (result["known_value_hits"], result["known_values"]) == (0, 3)


def test_the_value_of_another_conversation_does_not_count(tmp_path: Path) -> None:
    table = unscrubbed(tmp_path, talk("hi", participants=CRYSTAL), talk("a crystal glass", number=2))
    assert measured(table)["known_value_hits"] == 0


def test_a_lost_conversation_is_counted(tmp_path: Path) -> None:
    assert measured(unscrubbed(tmp_path, talk("a"), talk("b", number=2), kept=1))["lost"] == 1


def test_without_the_table_before_the_sweep_is_null_and_so_fails(tmp_path: Path) -> None:
    table = unscrubbed(tmp_path, talk("a"))
    (tmp_path / "ingested" / "kept" / "part-00000.parquet").rename(tmp_path / "gone")
    (tmp_path / "ingested" / "_manifest.json").write_text(
        (tmp_path / "ingested" / "_manifest.json").read_text().replace(table.manifest.parts[0].inputs["part-00000"], "0" * 64)
    )
    result = measured(table)
    assert result["known_value_hits"] is None
    assert result["lost"] is None


def test_a_part_of_which_nothing_came_is_lost(tmp_path: Path) -> None:
    before = ingested_table(tmp_path / "ingested", [ingested(talk("a")), ingested(talk("b", number=2), talk("c", number=3))])
    with new_table(tmp_path / "scrubbed", "scrub", "test", given=before) as writer:
        part = before.manifest.parts[0]
        outcome = Outcome(kept=before.read(part).select(list(SCRUBBED)), beside={"findings": empty(FINDINGS)})
        writer.publish([writer.write(part.name, {part.name: part.files["kept"]}, outcome)])
    assert measured(Table(tmp_path / "scrubbed"))["lost"] == 2


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("write to a@harbour.co.uk", ["emails"]),
        ("write to a@harbour.example.com", []),
        ("4111 1111 1111 1111", ["cards"]),
        ("4111 1111 1111 1112", []),
        ("IE00LBJZ4111111111111111", []),
        ("GB82 WEST 1234 5698 7654 32", ["ibans"]),
        ("GB00 WEST 1234 5698 7654 32", []),
        ("from 81.2.69.160", ["ip_addresses"]),
        ("from 192.0.2.44 or 203.0.113.9", []),
        ("version 1.2.3.4.5", []),
        ("212-867-5309", ["phones"]),
        ("(212) 555-0134", []),
        ("call +49 1512 3456789", ["phones"]),
        ("call +44 207 123 4567", ["phones"]),
        ("call +44 207 946 0123 or +44 7700 900123", []),
        ("call +39 001 234 5678", []),
        ("call +63 998 123 4567", ["phones"]),
        ("302-312-5567 or 207-946-0123", ["phones", "phones"]),
        ("on 06.12.34.56", []),
        ("key AKIAIOSFODNN7EXAMPLE", ["secrets"]),
        ("https://me:hunter22@harbour.example.com", ["secrets"]),
        ("order 66 is late", []),
    ],
)
def test_the_second_detector_sees_valid_identifiers_outside_the_reserved_ranges(text: str, names: list[str]) -> None:
    assert residual(text) == names


def test_what_the_stage_writes_passes(tmp_path: Path) -> None:
    said = "i am crystal, 85731890, (212) 867-5309, crystal.minh@harbour-mail.example, card 4111 1111 1111 1111, ip 81.2.69.160"
    source = ingested_table(tmp_path / "ingested", [ingested(talk(said, "Hello", "thanks", participants=CRYSTAL))])
    run(source.folder, tmp_path / "scrubbed", SHIPPED_STAGE, MEANS)
    result = measured(Table(tmp_path / "scrubbed"))
    for limit in expectations(SHIPPED):
        value = result[limit.measure]
        assert value is not None
        assert limit.least is None or value >= limit.least
        assert limit.most is None or value <= limit.most


def test_every_bound_judges_a_measure_that_is_taken(tmp_path: Path) -> None:
    assert {limit.measure for limit in expectations(SHIPPED)} <= measured(unscrubbed(tmp_path, talk("a"))).keys()


def test_without_a_model_planted_names_are_left_and_the_gate_says_so(tmp_path: Path) -> None:
    source = ingested_table(tmp_path / "ingested", [ingested(talk("i am crystal", "Hello"))])
    run(source.folder, tmp_path / "scrubbed", PATTERNS, MEANS)
    lower = measured(Table(tmp_path / "scrubbed"), planted_ids_per_kind=5, planted_names_per_group=30)["planted_names_lower"]
    assert lower is not None
    assert lower < SHIPPED.min_planted_names_lower


def test_one_new_conversation_in_a_hundred_changes_one_host_in_a_hundred(tmp_path: Path) -> None:
    def hosts(*parts: range) -> set[str]:
        with new_table(tmp_path / "ingested", "ingest", "", None) as writer:
            frames = [pl.DataFrame({"conversation_id": [f"desk-{one}" for one in ids]}) for ids in parts]
            writer.publish([writer.write(f"part-{n:05d}", {"of": str(n)}, Outcome(kept)) for n, kept in enumerate(frames)])
        return {one for _, one in by_slot(Table(tmp_path / "ingested"), 200, 1)}

    before, after = hosts(range(4000)), hosts(range(4000, 4040), range(4000))
    assert len(before) == len(after) == 200
    assert 0 < len(after - before) <= 4


def test_planted_recall_of_a_table_that_does_not_say_how_it_was_made_is_unmeasured(tmp_path: Path) -> None:
    result = measured(unscrubbed(tmp_path, talk("a")))
    assert {result[name] for name in ("planted_ids_lower", "planted_names_lower", "planted_gap")} == {None}
