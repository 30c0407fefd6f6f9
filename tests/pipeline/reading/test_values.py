"""Ids of foreign records."""

import pytest

from pipeline.reading.values import native_id


@pytest.mark.parametrize(
    ("value", "key"),
    [(81, "81"), (81.0, "81"), ("81.0", "81"), (" a-1 ", "a-1"), ("1.5", "1.5"), ("v1.0", "v1.0"), ("0x1.0", "0x1.0")],
)
def test_an_id_is_text_and_a_number_that_a_table_made_a_fraction_is_whole_again(value: object, key: str) -> None:
    assert native_id(value) == key


@pytest.mark.parametrize("value", [None, "", "  ", True, 1.5, float("nan"), float("inf"), [], {}, "x" * 1001])
def test_what_is_no_id_is_none(value: object) -> None:
    assert native_id(value) is None
