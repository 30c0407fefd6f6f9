"""The gate of dedupe sees missed copies and wrong drops, by other means than the stage."""

from pathlib import Path
from typing import Any, Final

import polars as pl
import pytest

from checks.dedupe import Bounds, expectations, measure
from pipeline.params import load_section
from pipeline.schema import CLUSTERS, DEDUPED, DROPPED, empty
from pipeline.stage import Outcome
from pipeline.tables import Table, new_table
from tests.build import conversation, conversations

BOUNDS: Final = load_section(Bounds, "gates.dedupe", [Path(__file__).parents[2] / "params.yaml"])


def words(number: int, count: int = 80) -> str:
    return " ".join(f"w{number}x{place}" for place in range(count))


def table(
    folder: Path,
    kept: list[dict[str, Any]],
    dropped: list[tuple[dict[str, Any], dict[str, Any]]],
    clusters: list[tuple[str, str, bool, float]] | None = None,
    canned: int = 0,
) -> Table:
    """A table `deduped` with these kept rows and these (dropped, keeper) pairs, made from a table `scrubbed` of all of them."""
    with new_table(folder / "scrubbed", "scrub", "test", given=None) as writer:
        everything = conversations([*kept, *(row for row, _ in dropped)])
        writer.publish([writer.write("part-00000", {"seed": "0"}, Outcome(everything))])
    if clusters is None:
        clusters = []
        for row, keeper in dropped:
            clusters.append((keeper["conversation_id"], row["conversation_id"], False, 1.0))
        clusters.extend((name, name, True, 1.0) for name in sorted({keeper["conversation_id"] for _, keeper in dropped}))
    outcome = Outcome(
        conversations([{**row, "cluster_id": row["conversation_id"]} for row in kept], DEDUPED),
        pl.DataFrame(
            [(row["conversation_id"], "near_duplicate", keeper["conversation_id"]) for row, keeper in dropped],
            schema=DROPPED,
            orient="row",
        ),
        {"clusters": pl.DataFrame(clusters, schema=CLUSTERS, orient="row") if clusters else empty(CLUSTERS)},
        {"canned_replies": canned},
    )
    with new_table(folder / "deduped", "dedupe", "test", given=Table(folder / "scrubbed")) as writer:
        writer.publish([writer.write("part-00000", {"seed": "0"}, outcome)])
    return Table(folder / "deduped")


def measured(deduped: Table) -> dict[str, float | None]:
    return measure(deduped, BOUNDS).row(0, named=True)


def failing(measures: dict[str, float | None], bounds: Bounds = BOUNDS) -> set[str]:
    """The limits these measures break, by name."""
    broken = set()
    for limit in expectations(bounds):
        value = measures[limit.measure]
        if value is None or (limit.least is not None and value < limit.least) or (limit.most is not None and value > limit.most):
            broken.add(limit.measure)
    return broken


def test_a_sound_table_passes(tmp_path: Path) -> None:
    kept = [conversation(number, words(number)) for number in range(12)]
    copy = conversation(20, words(3) + " thanks")

    measures = measured(table(tmp_path, kept, [(copy, kept[3])]))

    assert failing(measures) == set()
    assert measures == {
        "kept": 12,
        "dropped_share": pytest.approx(1 / 13),
        "largest_cluster_share": pytest.approx(2 / 13),
        "canned_share": 0,
        "orphans": 0,
        "missed_share": 0,
        "unlike_share": 0,
    }


def test_a_copy_that_was_kept_is_seen(tmp_path: Path) -> None:
    kept = [conversation(number, words(number)) for number in range(18)]
    kept += [conversation(18, words(3).upper() + " !"), conversation(19, "Well, " + words(4))]

    measures = measured(table(tmp_path, kept, []))

    assert measures["missed_share"] == pytest.approx(4 / 20)
    assert failing(measures) == {"missed_share"}


def test_a_copy_in_chinese_that_was_kept_is_seen(tmp_path: Path) -> None:
    text = "".join(chr(0x4E00 + 37 * place) for place in range(200))
    kept = [*(conversation(number, words(number)) for number in range(12)), conversation(12, text), conversation(13, text + "。")]

    assert measured(table(tmp_path, kept, []))["missed_share"] == pytest.approx(2 / 14)


def test_a_conversation_dropped_for_one_it_is_unlike_is_seen(tmp_path: Path) -> None:
    kept = [conversation(number, words(number)) for number in range(12)]
    dropped = [(conversation(20, words(3)), kept[3]), (conversation(21, words(21)), kept[4])]

    measures = measured(table(tmp_path, kept, dropped))

    assert measures["unlike_share"] == 0.5
    assert failing(measures) == {"unlike_share"}


def test_a_keeper_that_is_not_kept_and_a_cluster_with_two_keepers_are_seen(tmp_path: Path) -> None:
    kept = [conversation(number, words(number)) for number in range(12)]
    stranger = conversation(99, words(3))
    doubled = [("c", "a", True, 1.0), ("c", "b", True, 1.0)]

    measures = measured(table(tmp_path, kept, [(conversation(20, words(3)), stranger)], doubled))

    assert measures["orphans"] == 2


def test_what_cannot_be_measured_is_null_and_fails(tmp_path: Path) -> None:
    kept = [conversation(number, words(number)) for number in range(12)]
    deduped = table(tmp_path, kept, [(conversation(20, words(3)), kept[3])])
    (tmp_path / "scrubbed/_manifest.json").unlink()

    measures = measured(deduped)

    assert measures["unlike_share"] is None
    assert failing(measures) == {"unlike_share"}


def test_too_many_drops_and_a_giant_cluster_are_seen(tmp_path: Path) -> None:
    kept = [conversation(number, words(number)) for number in range(10)]
    dropped = [(conversation(20 + number, words(0)), kept[0]) for number in range(11)]

    assert failing(measured(table(tmp_path, kept, dropped))) == {"dropped_share", "largest_cluster_share"}


def test_a_set_of_canned_replies_alone_is_seen(tmp_path: Path) -> None:
    kept = [conversation(number, words(number)) for number in range(12)]

    assert failing(measured(table(tmp_path, kept, [], canned=11))) == {"canned_share"}


def test_an_empty_table_fails_instead_of_dividing_by_zero(tmp_path: Path) -> None:
    measures = measured(table(tmp_path, [], []))

    assert failing(measures) == {"kept", "dropped_share", "largest_cluster_share", "canned_share", "missed_share"}
