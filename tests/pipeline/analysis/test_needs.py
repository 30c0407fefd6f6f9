"""What any match of a pattern must hold is read off the pattern."""

import pytest

from pipeline.analysis.needs import Need


@pytest.mark.parametrize(
    ("pattern", "digits", "run", "signs"),
    [
        (r"\b\d{3}-\d{2}\b", 5, 3, {"-"}),
        (r"\d{2}(\d{3})[0-9]", 6, 6, set()),
        (r"\d{2,4}(?:-\d+)?", 2, 2, set()),
        (r"\d{2}\d*\d{3}", 5, 5, set()),
        (r"\d{2}-?\d{3}", 5, 3, set()),
        (r"(?:\d{3}|\d{5})x", 3, 3, set()),
        (r"(?:\d{3}|[a-z]\d)\d", 2, 1, set()),
        (r"(?:\d[ ]?){4}", 4, 1, set()),
        (r"[0-9a-f]{4}[:-]", 0, 0, {"-:"}),
        (r"(?=.*\d{4})\w+@", 4, 4, {"@"}),
        (r"(?<!\d)a?", 0, 0, set()),
        (r"order #\K\d", 1, 1, {"#"}),
        (r"(?:a@|b@|\.)", 0, 0, set()),
    ],
)
def test_what_a_text_must_hold_is_read_off_the_pattern(pattern: str, digits: int, run: int, signs: set[str]) -> None:
    need = Need.of(pattern, 0)
    assert (need.digits, need.run, need.signs - {" "}) == (digits, run, signs)


@pytest.mark.parametrize(
    ("pattern", "words"),
    [
        (r"\b(?:order|Booking)\b\s*\d", {"order", "booking"}),
        (
            r"(?:pass|pass ?word|pwd)[:=]\S+",
            {"pass:", "pass=", "password:", "password=", "pass word:", "pass word=", "pwd:", "pwd="},
        ),
        (r"ghp_[A-Z]{30}", {"ghp_"}),
        (r"(?:account)?\d", set()),
        (r"(?:account|id)\s+\d", set()),
        (r"(?:account\s+)+\d", {"account"}),
        (r"(?!account)\w+", set()),
        (r"last\s+(?:4|four)", {"last"}),
    ],
)
def test_the_words_of_which_a_match_holds_one_are_read_off_the_pattern(pattern: str, words: set[str]) -> None:
    assert Need.of(pattern, 0).words == words
