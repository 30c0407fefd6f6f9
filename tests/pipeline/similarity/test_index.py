"""An index makes the next run cheaper and changes nothing about its result."""

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from typer.testing import CliRunner

from pipeline import dedupe as stage
from pipeline.dedupe import DedupeParams, query_index, rebuild_index, run
from pipeline.errors import TableError
from pipeline.index_cli import app
from pipeline.similarity import judging, verdicts
from pipeline.similarity.clusters import HUBS
from pipeline.similarity.index import open_index
from pipeline.tables import Table
from tests.build import MEANS, conversation
from tests.pipeline.test_dedupe import CANNED, content, crowd, params, scrubbed, words


def table_of(folder: Path) -> dict[str, list[tuple[Any, ...]]]:
    table = Table(folder)
    return {frame: table.scan(frame).collect().rows() for frame in ("kept", "dropped", "clusters")} | {
        "counts": sorted(table.manifest.counts.items())
    }


@st.composite
def history(draw: st.DrawFn) -> tuple[list[dict[str, Any]], list[int]]:
    """Conversations, mostly near one another, and the cuts of the batches they came in."""
    count = draw(st.integers(4, 24))
    rows = []
    for number in range(count):
        story, shift = draw(st.integers(0, 2)), draw(st.integers(0, 8))
        text = " ".join(f"w{story}x{place}" for place in range(shift, shift + 30))
        rows.append(
            conversation(
                number,
                text,
                CANNED if draw(st.booleans()) else words(number),
                outcome={"resolved": draw(st.sampled_from([None, True])), "csat": None, "reopened": None},
                opened_at=draw(st.sampled_from([None, *(conversation(day)["opened_at"] for day in range(6))])),
            )
        )
    if draw(st.booleans()):  # half of the histories are in the order of time
        rows.sort(key=lambda row: (row["opened_at"] is None, str(row["opened_at"]), row["conversation_id"]))
    cuts = sorted(draw(st.lists(st.integers(1, count), max_size=3)))
    return rows, cuts


@given(
    history(), st.sampled_from(["any", "keeper"]), st.sampled_from([None, 1, 2]), st.sampled_from(["question", "conversation"])
)
@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_batch_after_batch_gives_what_one_run_over_all_gives(
    tmp_path_factory: pytest.TempPathFactory,
    drawn: tuple[list[dict[str, Any]], list[int]],
    link: str,
    limit: int | None,
    match: str,
) -> None:
    rows, cuts = drawn
    folder = tmp_path_factory.mktemp("history")
    chosen = params(link=link, max_per_template=limit, match=match)
    source = folder / "scrubbed"
    for batches in range(1, len(cuts) + 2):
        end = [*cuts, len(rows)][batches - 1]
        run(scrubbed(source, rows[:end], cuts[: batches - 1]), folder / "deduped", chosen, MEANS)
    (folder / "fresh").mkdir()
    run(source, folder / "fresh/deduped", chosen, MEANS)

    assert table_of(folder / "deduped") == table_of(folder / "fresh/deduped")
    assert content(folder / "index") == content(folder / "fresh/index")


def clusters_of(folder: Path) -> dict[str, str]:
    """Conversation -> id of its cluster, its own where it is like no other."""
    table = Table(folder)
    alone = table.scan("kept").select("conversation_id", "cluster_id").collect()
    return dict([*alone.rows(), *table.scan("clusters").select("conversation_id", "cluster_id").collect().rows()])


@given(history(), st.sampled_from([[], params().prefer]))
@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_later_conversations_part_no_cluster_and_rename_it_only_by_a_better_keeper(
    tmp_path_factory: pytest.TempPathFactory, drawn: tuple[list[dict[str, Any]], list[int]], prefer: list[str]
) -> None:
    rows, cuts = drawn
    rows.sort(key=lambda row: (row["opened_at"] is None, str(row["opened_at"]), row["conversation_id"]))
    first = min([*cuts, len(rows)])
    folder = tmp_path_factory.mktemp("history")
    source, target = folder / "scrubbed", folder / "deduped"
    run(scrubbed(source, rows[:first], []), target, params(prefer=prefer), MEANS)
    before = clusters_of(target)

    run(scrubbed(source, rows, [first]), target, params(prefer=prefer), MEANS)

    after = clusters_of(target)
    for one, cluster in before.items():
        assert after[one] == after[cluster]
        # another id is that of a cluster it was joined to, or of a new conversation that is preferred; the earliest never is new
        assert after[one] in before.values() or (prefer and after[one] not in before)


def judged_again(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many conversations each call of the judge saw."""
    seen: list[int] = []
    judge = judging.judge

    def watched(rows: pl.DataFrame, *arguments: Any) -> pl.DataFrame:
        seen.append(rows.height)
        return judge(rows, *arguments)

    monkeypatch.setattr(judging, "judge", watched)
    return seen


def test_of_an_old_batch_only_what_news_may_touch_is_judged_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    old = [conversation(number, words(number)) for number in range(50)]
    run(scrubbed(tmp_path / "scrubbed", old, [20]), tmp_path / "deduped", params(), MEANS)
    seen = judged_again(monkeypatch)
    new = [conversation(60, words(3)), conversation(61, words(61))]

    run(scrubbed(tmp_path / "scrubbed", [*old, *new], [20, 50]), tmp_path / "deduped", params(), MEANS)

    assert seen == [3]


def test_an_old_part_is_not_sketched_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run(scrubbed(tmp_path / "scrubbed", crowd(), [20]), tmp_path / "deduped", params(), MEANS)
    sketched: list[int] = []
    sketch_part = stage.sketch_part

    def watched(rows: pl.DataFrame, *arguments: Any) -> Any:
        sketched.append(rows.height)
        return sketch_part(rows, *arguments)

    monkeypatch.setattr(stage, "sketch_part", watched)

    run(scrubbed(tmp_path / "scrubbed", [*crowd(), conversation(90, words(90))], [20, 40]), tmp_path / "deduped", params(), MEANS)
    run(tmp_path / "scrubbed", tmp_path / "deduped", params(min_jaccard=0.9), MEANS)

    assert sketched == [1]


def test_without_news_nothing_is_judged(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    source = scrubbed(tmp_path / "scrubbed", crowd(), [20])
    run(source, tmp_path / "deduped", params(), MEANS)
    seen = judged_again(monkeypatch)

    run(source, tmp_path / "deduped", params(), MEANS)

    assert seen == []


def test_a_part_that_is_gone_leaves_the_index(tmp_path: Path) -> None:
    run(scrubbed(tmp_path / "scrubbed", crowd(), [20]), tmp_path / "deduped", params(), MEANS)

    run(scrubbed(tmp_path / "scrubbed", crowd()[:20], []), tmp_path / "deduped", params(), MEANS)

    (tmp_path / "fresh").mkdir()
    run(tmp_path / "scrubbed", tmp_path / "fresh/deduped", params(), MEANS)
    assert content(tmp_path / "index") == content(tmp_path / "fresh/index")


def test_a_crowd_that_gets_an_earlier_member_is_judged_anew(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    rows = [conversation(number + 10, words(0) + f" w{number}") for number in range(HUBS + 3)]
    run(scrubbed(tmp_path / "scrubbed", rows, []), tmp_path / "deduped", params(), MEANS)
    seen = judged_again(monkeypatch)

    early = conversation(1, words(0) + " first")
    run(scrubbed(tmp_path / "scrubbed", [*rows, early], [len(rows)]), tmp_path / "deduped", params(), MEANS)

    assert seen == [len(rows) + 1, len(rows) + 1]  # the first was given up


class Killed(BaseException):
    """Stands for kill -9; `benchmarks/dedupe.py kills` sends the real one."""


def test_ten_kills_change_no_byte_of_table_or_index(tmp_path: Path) -> None:
    old, new = crowd(), [conversation(number, words(number % 9, 40), words(number % 3, 3)) for number in range(60, 80)]
    run(scrubbed(tmp_path / "scrubbed", old, [20]), tmp_path / "known/deduped", params(), MEANS)
    source = scrubbed(tmp_path / "scrubbed", [*old, *new], [20, 40])
    replace, renamed, deadline = Path.replace, [0], [10**6]

    def watched(path: Path, target: Path) -> Path:
        renamed[0] += 1
        if renamed[0] > deadline[0]:
            raise Killed
        return replace(path, target)

    def run_on(name: str) -> dict[str, bytes]:
        renamed[0] = 0
        run(source, tmp_path / name / "deduped", params(), MEANS)
        return {path: data for path, data in content(tmp_path / name).items() if not path.endswith(".lock")}

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Path, "replace", watched)
        shutil.copytree(tmp_path / "known", tmp_path / "whole")
        wanted = run_on("whole")
        for number, moment in enumerate(np.linspace(0, renamed[0] - 1, 10).astype(int).tolist()):
            shutil.copytree(tmp_path / "known", tmp_path / f"killed{number}")
            deadline[0] = moment
            with pytest.raises(Killed):
                run_on(f"killed{number}")
            deadline[0] = 10**6
            assert run_on(f"killed{number}") == wanted


def test_other_params_start_anew(tmp_path: Path) -> None:
    run(scrubbed(tmp_path / "scrubbed", crowd(), [20]), tmp_path / "deduped", params(), MEANS)
    run(tmp_path / "scrubbed", tmp_path / "deduped", params(link="keeper"), MEANS)
    (tmp_path / "fresh").mkdir()
    run(tmp_path / "scrubbed", tmp_path / "fresh/deduped", params(link="keeper"), MEANS)

    assert content(tmp_path / "index") == content(tmp_path / "fresh/index")


def broken(tmp_path: Path, pattern: str) -> Path:
    """An index beside `deduped` with one file of this pattern cut short; returns the file."""
    run(scrubbed(tmp_path / "scrubbed", crowd(), [20]), tmp_path / "deduped", params(), MEANS)
    victim = min((tmp_path / "index").glob(pattern))
    victim.write_bytes(victim.read_bytes()[:-8])
    return victim


@pytest.mark.parametrize("pattern", ["sketches/*.arrow", "sketches/*.keys", "sketches/*.shingles"])
def test_a_file_that_is_cut_off_is_refused(tmp_path: Path, pattern: str) -> None:
    victim = broken(tmp_path, pattern)

    with pytest.raises(TableError, match=f"{victim.name}: is missing or cut off; run `ticketmill index rebuild`"):
        run(tmp_path / "scrubbed", tmp_path / "deduped", params(), MEANS)


def test_a_manifest_that_is_no_json_is_refused(tmp_path: Path) -> None:
    broken(tmp_path, "_manifest.json")

    with pytest.raises(TableError, match=r"_manifest\.json: cannot be read; run `ticketmill index rebuild`"):
        run(tmp_path / "scrubbed", tmp_path / "deduped", params(), MEANS)


def test_a_changed_byte_is_found_by_verify(tmp_path: Path) -> None:
    chosen = params()
    run(scrubbed(tmp_path / "scrubbed", crowd(), []), tmp_path / "deduped", chosen, MEANS)
    victim = next((tmp_path / "index/sketches").glob("*.shingles"))
    victim.write_bytes(bytes([victim.read_bytes()[0] ^ 1]) + victim.read_bytes()[1:])

    with (
        open_index(tmp_path / "index", chosen.made_by()) as index,
        pytest.raises(TableError, match="is not what was written"),
    ):
        index.verify()


def test_an_index_of_another_format_counts_as_empty(tmp_path: Path) -> None:
    run(scrubbed(tmp_path / "scrubbed", crowd(), []), tmp_path / "deduped", params(), MEANS)
    path = tmp_path / "index/_manifest.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), "format": 0}))

    run(tmp_path / "scrubbed", tmp_path / "deduped", params(), MEANS)

    assert json.loads(path.read_text())["format"] == 3


def test_two_runs_at_once_on_one_index_are_refused(tmp_path: Path) -> None:
    chosen: DedupeParams = params()
    scrubbed(tmp_path / "scrubbed", crowd(), [])

    with (
        open_index(tmp_path / "index", chosen.made_by()),
        pytest.raises(TableError, match="another process is using this index"),
    ):
        run(tmp_path / "scrubbed", tmp_path / "deduped", chosen, MEANS)


def test_the_index_holds_no_text(tmp_path: Path) -> None:
    rows = [conversation(number, "unmistakable " + words(number)) for number in range(4)]
    run(scrubbed(tmp_path / "scrubbed", rows, []), tmp_path / "deduped", params(), MEANS)

    assert not any(b"unmistakable" in content_ or b"w1x1" in content_ for content_ in content(tmp_path / "index").values())


def test_a_query_names_the_neighbours_of_a_text_and_how_near_they_are(tmp_path: Path) -> None:
    rows = [conversation(1, words(1)), conversation(2, words(1) + " more"), conversation(3, words(3))]
    run(scrubbed(tmp_path / "scrubbed", rows, [1]), tmp_path / "deduped", params(), MEANS)

    found = query_index(tmp_path / "index", ["nothing like it", words(1).upper()], params(), 0.5)

    keeper, other = rows[1]["conversation_id"], rows[0]["conversation_id"]
    assert found.rows() == [(1, other, keeper, 1.0, True), (1, keeper, keeper, round(56 / 57, 6), False)]


def test_a_query_needs_an_index_of_these_params(tmp_path: Path) -> None:
    run(scrubbed(tmp_path / "scrubbed", crowd(), []), tmp_path / "deduped", params(), MEANS)

    with pytest.raises(TableError, match="was made with other params; run `ticketmill index rebuild`"):
        query_index(tmp_path / "index", ["hello"], params(min_jaccard=0.7), 0.5)
    with pytest.raises(TableError, match="is no index"):
        query_index(tmp_path / "nowhere", ["hello"], params(), 0.5)


def test_a_rebuilt_index_is_the_one_that_grew(tmp_path: Path) -> None:
    source = scrubbed(tmp_path / "scrubbed", crowd(), [20])
    run(source, tmp_path / "deduped", params(), MEANS)
    before = content(tmp_path / "index")
    next((tmp_path / "index/sketches").glob("*.arrow")).write_bytes(b"broken")

    stats = rebuild_index(source, tmp_path / "index", params(), MEANS)

    assert content(tmp_path / "index") == before
    assert (stats["parts"], stats["conversations"], stats["kept"]) == (2, 40, Table(tmp_path / "deduped").manifest.total("kept"))


def test_compact_removes_what_a_killed_run_left(tmp_path: Path) -> None:
    run(scrubbed(tmp_path / "scrubbed", crowd(), []), tmp_path / "deduped", params(), MEANS)
    before = content(tmp_path / "index")
    (tmp_path / "index/sketches/0123.arrow.writing").write_bytes(b"x" * 10)

    with open_index(tmp_path / "index", params().made_by()) as index:
        freed = index.compact()

    assert freed == 10
    assert content(tmp_path / "index") == before


def test_a_new_copy_of_a_known_text_opens_no_pair_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    old = [conversation(1, words(1)), conversation(2, words(1) + " more"), conversation(3, words(3))]
    run(scrubbed(tmp_path / "scrubbed", old, []), tmp_path / "deduped", params(), MEANS)
    new_ones: list[int] = []
    components = verdicts.components

    def watched(*arguments: Any, **more: Any) -> Any:
        new_ones.append(int(arguments[5].sum()))
        return components(*arguments, **more)

    monkeypatch.setattr(verdicts, "components", watched)

    run(scrubbed(tmp_path / "scrubbed", [*old, conversation(4, words(1))], [3]), tmp_path / "deduped", params(), MEANS)

    assert new_ones == [0]


def test_news_at_the_end_of_a_chain_finds_the_keeper_at_its_other_end(tmp_path: Path) -> None:
    links = [conversation(number, " ".join(f"w{place}" for place in range(number * 4, number * 4 + 60))) for number in range(7)]
    run(scrubbed(tmp_path / "scrubbed", links[:6], []), tmp_path / "deduped", params(), MEANS)

    run(scrubbed(tmp_path / "scrubbed", links, [6]), tmp_path / "deduped", params(), MEANS)

    assert set(Table(tmp_path / "deduped").scan("dropped").collect()["detail"]) == {links[0]["conversation_id"]}


def test_sketches_of_another_match_are_not_taken_for_those_of_this_one(tmp_path: Path) -> None:
    source = scrubbed(tmp_path / "scrubbed", [conversation(number, words(1), words(number)) for number in range(3)], [])
    run(source, tmp_path / "deduped", params(), MEANS)

    run(source, tmp_path / "deduped", params(match="question"), MEANS)

    assert Table(tmp_path / "deduped").manifest.total("kept") == 1


def test_a_text_on_standard_input_is_looked_up_and_that_none_is_like_it_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    rows = crowd()
    options = ["--params", str(Path(__file__).parents[3] / "params.yaml")]
    scrubbed(tmp_path / "scrubbed", rows, [])
    said = " ".join(turn["text"] for turn in rows[0]["turns"])

    assert CliRunner().invoke(app, ["rebuild", "scrubbed", "index", *options]).exit_code == 0
    found = CliRunner().invoke(app, ["query", "-", "index", *options], input=f"{said}\n")
    assert rows[0]["conversation_id"] in found.stdout
    none = CliRunner().invoke(app, ["query", "-", "index", *options], input="nothing of that kind at all\n")
    assert (none.exit_code, none.stdout) == (0, "")
    assert "none of 1 texts is like any in index" in none.stderr
