"""Token counts equal those of tiktoken."""

import json
from pathlib import Path

import polars as pl
import pytest

from pipeline.tokens import ENCODINGS, count_tokens, counter

TABLE = json.loads(Path(__file__).with_name("tokens.json").read_text("utf-8"))


@pytest.mark.parametrize("encoding", ENCODINGS)
def test_counts_equal_those_that_tiktoken_gave(encoding: str) -> None:
    count = counter(encoding)

    assert [count(row["text"]) for row in TABLE["rows"]] == [row[encoding] for row in TABLE["rows"]]


def test_equal_texts_are_counted_once_and_keep_their_places() -> None:
    assert count_tokens(pl.Series(["a b", "", "a b"]), "o200k_base").to_list() == [2, 0, 2]
    assert count_tokens(pl.Series([], dtype=pl.String), "o200k_base").to_list() == []
