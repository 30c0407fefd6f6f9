"""Chat words name nobody, wherever in a find they stand."""

import pytest

from pipeline.recognizers.plain import without
from pipeline.spans import Span


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("thx Priya", "Priya"),
        ("Priya thx", "Priya"),
        ("lmao", None),
        ("Ahoy", None),
        ("George Best", "George Best"),
        ("Priya pls Anand", "Priya pls Anand"),
    ],
)
def test_chat_words_are_cut_off_a_name(text: str, left: str | None) -> None:
    span = without(text, Span(0, len(text), "PERSON", 0.3, "x"))
    assert (span and text[span.start : span.end]) == left
