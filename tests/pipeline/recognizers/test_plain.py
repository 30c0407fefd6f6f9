"""Chat words name nobody, wherever in a find they stand."""

import pytest

from pipeline.recognizers.plain import less_what_follows, without
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
        ("sione r gettin", "sione"),
        ("coverin", None),
        ("ye-jin", "ye-jin"),
        ("robin", "robin"),
        ("agen", None),
        ("R U", "R U"),
        ("or", None),
        ("me", None),
        ("van de", "van de"),
        ("Lurker", None),
    ],
)
def test_chat_words_are_cut_off_a_name(text: str, left: str | None) -> None:
    span = without(text, Span(0, len(text), "PERSON", 0.3, "x"))
    assert (span and text[span.start : span.end]) == left


@pytest.mark.parametrize(
    ("text", "found", "left"),
    [
        ("@Zebedee_k same here", "Zebedee_k same", "Zebedee_k"),
        ("@Zebedee same here", "same", None),
        ("thanks @Maria Lopez", "Maria Lopez", "Maria Lopez"),
        ("write to me@zorblax.example Jonas", "Jonas", "Jonas"),
        ("see @bob, then Zorblax", "Zorblax", "Zorblax"),
    ],
)
def test_what_follows_a_handle_is_no_name_unless_it_is_one_by_itself(text: str, found: str, left: str | None) -> None:
    start = text.index(found)
    span = less_what_follows(text, Span(start, start + len(found), "PERSON", 0.3, "x"))
    assert (span and text[span.start : span.end]) == left
