"""What the reference holds does not stay in the training set, wherever it stands there."""

import gzip
import json
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.decontaminate import DecontaminateParams, Reference, decontaminate, read_reference, run
from pipeline.errors import SourceError
from pipeline.params import load_section
from pipeline.tables import Table
from tests.build import MEANS, conversation, conversations
from tests.pipeline.test_dedupe import content, scrubbed, words

PARAMS = DecontaminateParams(shingle_size=5, min_containment=0.8, min_words=8)


def dropped(rows: list[dict[str, Any]], reference: list[str], params: DecontaminateParams = PARAMS) -> list[tuple[Any, ...]]:
    held = Reference([(f"row {number}", [text]) for number, text in enumerate(reference)], params)
    outcome = decontaminate(conversations(rows), held)
    outcome.account_for(pl.Series([row["conversation_id"] for row in rows]), "test")
    return outcome.dropped.select(pl.col("conversation_id").str.tail(1), "reason", "detail").rows()


def test_a_conversation_that_holds_a_row_is_dropped_and_the_row_named() -> None:
    rows = [conversation(1, words(1)), conversation(2, f"hello {words(2, 20).upper()}! bye", words(3))]

    assert dropped(rows, [words(9, 20), words(2, 20)]) == [("2", "holds_reference", "row 1")]


def test_a_row_is_held_when_enough_of_it_is() -> None:
    row = words(2, 24)  # 20 shingles
    almost = " ".join(row.split()[:20]) + " quite something else"  # 16 of them
    less = " ".join(row.split()[:19]) + " quite something else"

    assert [name for name, *_ in dropped([conversation(1, almost), conversation(2, less)], [row])] == ["1"]


def test_the_row_that_is_held_most_is_named() -> None:
    row = words(2, 24)

    assert dropped([conversation(1, row)], [row + " and ten more words that are not there, sorry", row])[0][2] == "row 1"


def test_short_rows_are_not_looked_for_but_counted() -> None:
    held = Reference([("a", ["thank you very much"]), ("b", [words(1)])], PARAMS)

    assert (held.names, held.too_short) == (["b"], 1)
    assert dropped([conversation(1, "thank you very much")], ["thank you very much", words(1)]) == []


@given(
    st.lists(st.lists(st.integers(0, 9), min_size=8, max_size=14), min_size=1, max_size=6),
    st.lists(st.lists(st.integers(0, 9), min_size=0, max_size=40), min_size=1, max_size=6),
    st.sampled_from([0.3, 0.5, 0.8, 1.0]),
)
@settings(max_examples=150, deadline=None)
def test_found_is_just_what_brute_force_finds(reference: list[list[int]], talks: list[list[int]], least: float) -> None:
    def shingles(numbers: list[int]) -> set[tuple[int, ...]]:
        return {tuple(numbers[start : start + 2]) for start in range(max(1, len(numbers) - 1))}

    def text(numbers: list[int]) -> str:
        return " ".join(f"w{number}" for number in numbers)

    params = DecontaminateParams(shingle_size=2, min_containment=least, min_words=8)
    found = dropped([conversation(number, text(talk)) for number, talk in enumerate(talks)], list(map(text, reference)), params)

    def held(talk: list[int], row: list[int]) -> bool:
        return len(talk) > 0 and len(shingles(talk) & shingles(row)) / len(shingles(row)) >= least

    assert [name for name, *_ in found] == [
        str(number) for number, talk in enumerate(talks) if any(held(talk, row) for row in reference)
    ]


def test_a_table_is_made_and_says_what_was_looked_for(tmp_path: Path) -> None:
    rows = [conversation(number, words(number)) for number in range(5)]
    source = scrubbed(tmp_path / "scrubbed", rows, [2])
    reference = tmp_path / "eval.jsonl"
    reference.write_text(json.dumps({"question": words(3), "answer": "yes"}) + "\n" + json.dumps({"text": "no"}) + "\n")

    run(source, tmp_path / "clean", reference, PARAMS, MEANS)

    table = Table(tmp_path / "clean")
    assert table.manifest.reasons == {"holds_reference": 1}
    assert table.scan("dropped").collect()["detail"].to_list() == ["eval.jsonl:1"]
    assert json.loads((tmp_path / "clean/reference.json").read_text()) == {"looked_for": 1, "too_short": 1}
    assert not any(b"w3x1 " in text for name, text in content(tmp_path / "clean").items() if name.endswith(".json"))


def test_a_table_can_be_the_reference(tmp_path: Path) -> None:
    old = scrubbed(tmp_path / "old", [conversation(7, words(3))], [])
    source = scrubbed(tmp_path / "scrubbed", [conversation(number, words(number)) for number in range(5)], [])

    run(source, tmp_path / "clean", old, PARAMS, MEANS)

    assert Table(tmp_path / "clean").scan("dropped").collect()["detail"].to_list() == [conversation(7)["conversation_id"]]


@pytest.mark.parametrize(
    ("line", "texts"),
    [
        ({"messages": [{"role": "system", "content": "be kind"}, {"role": "user", "content": "hi"}]}, ["hi"]),
        ({"messages": [{"role": "assistant", "content": None}]}, [""]),
        ({"prompt": "a", "completion": "b"}, ["a", "b"]),
        ({"question": "a", "answer": "b"}, ["a", "b"]),
        ({"text": "a"}, ["a"]),
    ],
)
def test_rows_of_these_shapes_are_read(tmp_path: Path, line: dict[str, Any], texts: list[str]) -> None:
    file = tmp_path / "eval.jsonl.gz"
    file.write_bytes(gzip.compress(json.dumps(line).encode()))

    assert list(read_reference(file)) == [("eval.jsonl.gz:1", texts)]


@pytest.mark.parametrize(
    ("name", "content_", "message"),
    [
        ("eval.csv", b"a", "a reference is a table of ticketmill, a .jsonl or a .txt, also .gz"),
        ("eval.jsonl", b"{", "row 1: is not JSON"),
        ("eval.jsonl", b'{"label": 1}', "row 1: has none of messages, prompt and completion, question and answer, text"),
        ("eval.jsonl", b'{"text": 1}', "row 1: holds something else than text"),
        ("eval.txt", b"\xff", "cannot be read as UTF-8 text"),
        ("eval.txt.gz", b"no gzip", "cannot be read as UTF-8 text"),
    ],
)
def test_another_shape_is_refused(tmp_path: Path, name: str, content_: bytes, message: str) -> None:
    (tmp_path / name).write_bytes(content_)

    with pytest.raises(SourceError, match=message):
        list(read_reference(tmp_path / name))


def test_a_reference_of_short_rows_alone_is_refused(tmp_path: Path) -> None:
    (tmp_path / "eval.txt").write_text("hello\n")
    source = scrubbed(tmp_path / "scrubbed", [conversation(1, words(1))], [])

    with pytest.raises(SourceError, match="has no row of 8 words"):
        run(source, tmp_path / "clean", tmp_path / "eval.txt", PARAMS, MEANS)


def test_the_shipped_section_loads() -> None:
    load_section(DecontaminateParams, "decontaminate", [Path(__file__).parents[2] / "params.yaml"])
