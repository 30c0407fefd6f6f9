"""The gate after emit: files as emit leaves them pass, and each fault put into them is seen."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.feature_extraction.text import HashingVectorizer  # type: ignore[import-untyped]  # ships no types

from checks.emit import Bounds, expectations, measure, nearest
from pipeline.emit import run
from pipeline.tables import Table
from tests.build import MEANS, conversation
from tests.pipeline.test_emit import PARAMS, SYNTHETIC, a_table

BOUNDS = Bounds(
    min_train_rows=10,
    min_validation_rows=1,
    min_test_rows=1,
    size="floor",
    min_clusters={"floor": 10, "start": 50, "pilot": 1000, "production": 10_000},
    max_file_bytes=100_000,
    max_lost_share=0,
    max_untrained_rows=0,
    max_cut_share=0.1,
    max_dropped_share=0.05,
    similarity=0.9,
    max_similar_share=0.02,
    max_test_sample=100,
    max_train_sample=1000,
)

WORDS = (
    "parcel",
    "late",
    "red",
    "shoes",
    "broken",
    "box",
    "refund",
    "please",
    "card",
    "order",
    "lamp",
    "blue",
    "size",
    "wrong",
    "shop",
    "door",
    "van",
    "week",
    "call",
    "mail",
)


def chat(folder: Path, count: int = 40, synthetic: bool = False) -> Table:
    rows = [
        conversation(n, " ".join(WORDS[(n * k) % 17] + str(n % (k + 1)) for k in range(1, 9)), f"Answer {n} of {n * 7}.")
        for n in range(count)
    ]
    if synthetic:
        rows = [conversation(n, turns=SYNTHETIC, synthetic=False) for n in range(count)]  # as if validate had not noticed
    run(a_table(folder / "validated", rows), folder / "chat", PARAMS, MEANS)
    return Table(folder / "chat")


def broken(table: Table, bounds: Bounds = BOUNDS) -> set[str]:
    row = measure(table, bounds).row(0, named=True)
    return {
        limit.measure
        for limit in expectations(bounds)
        if row[limit.measure] is None
        or (limit.least is not None and row[limit.measure] < limit.least)
        or (limit.most is not None and row[limit.measure] > limit.most)
    }


def test_files_as_emit_leaves_them_break_nothing(tmp_path: Path) -> None:
    assert broken(chat(tmp_path)) == set()


def edit(path: Path, change: Callable[[list[str]], list[str]]) -> None:
    path.write_text("".join(f"{line}\n" for line in change(path.read_text("utf-8").splitlines())), "utf-8")


ROW = {"messages": [{"role": "user", "content": "a"}, {"role": "assistant", "content": "b"}]}


@pytest.mark.parametrize(
    ("fault", "line"),
    [
        ("unreadable_lines", "{"),
        ("unreadable_lines", '{"messages": NaN}'),
        ("against_schema", "[]"),
        ("against_schema", json.dumps({**ROW, "conversation_id": "desk-1"})),
        ("against_schema", json.dumps({"messages": [{"role": "customer", "content": "a"}, *ROW["messages"]]})),
        ("against_schema", json.dumps({"messages": [{"role": "assistant", "content": "b", "weight": 0}]})),
        ("against_schema", json.dumps({"messages": [{"role": "assistant", "content": "b", "weight": True}]})),
        ("against_schema", json.dumps({"messages": [{"role": "user", "content": ""}, *ROW["messages"]]})),
        ("against_schema", json.dumps({"messages": [{"role": "user", "content": "a"}]})),
    ],
)
def test_a_row_that_no_consumer_would_take_stops_the_line(tmp_path: Path, fault: str, line: str) -> None:
    table = chat(tmp_path)
    edit(table.folder / "openai/train.jsonl", lambda lines: [line, *lines[1:]])

    assert broken(table) == {fault}


def test_a_line_without_its_provenance_stops_the_line(tmp_path: Path) -> None:
    table = chat(tmp_path)
    edit(table.folder / "openai/train.meta.jsonl", lambda lines: lines[1:])

    assert "out_of_step" in broken(table)


def test_provenance_without_a_line_stops_the_line(tmp_path: Path) -> None:
    table = chat(tmp_path)
    edit(table.folder / "openai/train.meta.jsonl", lambda lines: [*lines, lines[-1]])

    assert broken(table) == {"out_of_step"}


def test_a_conversation_in_two_splits_stops_the_line(tmp_path: Path) -> None:
    table = chat(tmp_path)
    for kind in ("", ".meta"):
        first = (table.folder / f"openai/train{kind}.jsonl").read_text("utf-8").splitlines()[0]
        edit(table.folder / f"openai/test{kind}.jsonl", lambda lines, one=first: [*lines, one.replace('"train"', '"test"')])

    assert {"customers_in_two_splits", "clusters_in_two_splits"} <= broken(table)


def test_a_synthetic_answer_outside_train_stops_the_line(tmp_path: Path) -> None:
    assert "synthetic_outside_train" in broken(chat(tmp_path, synthetic=True))


def test_test_rows_that_repeat_train_rows_stop_the_line(tmp_path: Path) -> None:
    rows = [conversation(n, "Where is my order number one?", "It left today and comes soon.") for n in range(40)]
    run(a_table(tmp_path / "validated", rows), tmp_path / "chat", PARAMS, MEANS)

    assert broken(Table(tmp_path / "chat")) == {"similar_share_at_least"}


@pytest.mark.parametrize("split", ["train", "validation", "test"])
def test_a_file_emptied_on_disk_has_no_rows_and_stops_the_line(tmp_path: Path, split: str) -> None:
    table = chat(tmp_path)
    (table.folder / f"openai/{split}.jsonl").write_bytes(b"")

    found = measure(table, BOUNDS).row(0, named=True)
    assert found[f"{split}_rows"] == 0
    assert {f"{split}_rows", "out_of_step"} <= broken(table)


def test_too_few_rows_stop_the_line(tmp_path: Path) -> None:
    assert {"train_rows", "train_clusters"} <= broken(chat(tmp_path, count=5))


@pytest.mark.parametrize(("size", "clusters"), [("floor", 10), ("start", 50), ("pilot", 1000), ("production", 10_000)])
def test_one_cluster_short_of_the_size_it_is_meant_for_stops_the_line(tmp_path: Path, size: str, clusters: int) -> None:
    (limit,) = (each for each in expectations(BOUNDS.model_copy(update={"size": size})) if each.measure == "train_clusters")
    assert limit.least == clusters
    table = chat(tmp_path, count=80)
    held = measure(table, BOUNDS)["train_clusters"][0]
    enough = BOUNDS.model_copy(update={"size": size, "min_clusters": {size: held}})

    assert "train_clusters" not in broken(table, enough)
    assert "train_clusters" in broken(table, enough.model_copy(update={"min_clusters": {size: held + 1}}))


def test_copies_of_one_chat_are_one_cluster_however_many_rows_they_fill(tmp_path: Path) -> None:
    rows = [conversation(n, f"Where is parcel {n}?", f"In van {n}.", cluster_id=f"c{n % 3}") for n in range(60)]
    run(a_table(tmp_path / "validated", rows), tmp_path / "chat", PARAMS, MEANS)

    found = broken(Table(tmp_path / "chat"))
    assert "train_clusters" in found
    assert "train_rows" not in found


def test_fewer_rows_than_a_consumer_trains_on_stop_the_line_whatever_the_params_ask(tmp_path: Path) -> None:
    lenient = BOUNDS.model_copy(update={"min_train_rows": 0, "min_clusters": {"floor": 0}})
    assert "formats_below_floor" in broken(chat(tmp_path, count=9), lenient)


@given(
    st.lists(st.text(st.sampled_from("ab é1_-.\n"), max_size=40), min_size=1, max_size=6),
    st.lists(st.text(st.sampled_from("ab é1_-.\n"), max_size=40), min_size=1, max_size=6),
)
def test_the_likeness_of_two_chats_is_the_cosine_of_scikit_learns_vectors(asked: list[str], others: list[str]) -> None:
    vectors = HashingVectorizer(ngram_range=(3, 3), binary=True, alternate_sign=False)
    scores = (vectors.transform(asked) @ vectors.transform(others).T).toarray().max(axis=1)

    assert nearest(asked, others) == pytest.approx(scores.tolist(), abs=1e-6)


def test_a_file_over_the_limit_stops_the_line(tmp_path: Path) -> None:
    assert broken(chat(tmp_path), BOUNDS.model_copy(update={"max_file_bytes": 1000})) == {"largest_file_bytes"}


def test_a_stranger_among_the_files_stops_the_line(tmp_path: Path) -> None:
    table = chat(tmp_path)
    (table.folder / "openai/old.jsonl").write_text("")

    assert broken(table) == {"files_not_named"}


def test_an_empty_table_does_not_pass(tmp_path: Path) -> None:
    assert {"formats", "train_rows"} <= broken(chat(tmp_path, count=0))


def trained_at(max_tokens: int, folder: Path) -> None:
    """Let files written for 5,000 tokens say that their trainer is told less."""
    noted = folder / "manifest.json"
    noted.write_text(noted.read_text().replace('"max_tokens": 5000', f'"max_tokens": {max_tokens}'))


@pytest.mark.parametrize(
    ("texts", "faults"),
    [
        (("word " * 1100, "Yes."), {"untrained_rows", "cut_share"}),
        (("Where is it?", "word " * 1100), {"cut_share"}),
    ],
)
def test_rows_that_their_consumer_would_cut_stop_the_line(tmp_path: Path, texts: tuple[str, str], faults: set[str]) -> None:
    rows = [conversation(n, f"{n} {texts[0]}", texts[1], tokens=1200) for n in range(40)]
    by = PARAMS.model_copy(update={"formats": ["trl"], "max_tokens": {"trl": 5000}})
    run(a_table(tmp_path / "validated", rows), tmp_path / "chat", by, MEANS)
    table = Table(tmp_path / "chat")
    assert not broken(table) & {"untrained_rows", "cut_share"}
    trained_at(1024, table.folder / "trl")

    assert broken(table) & {"untrained_rows", "cut_share"} == faults
    assert measure(table, BOUNDS)["recommended_max_tokens"].item() == 1200
